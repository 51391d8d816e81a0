#include "client/capacity.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "budget/discovery.h"

namespace pgweir::client {
namespace {

budget::Sum make_sum(budget::Bound bound, std::vector<budget::Term> terms) {
  budget::Sum sum{.bound = bound, .terms = std::move(terms)};
  for (const budget::Term& term : sum.terms) sum.total += term.value;
  return sum;
}

void add_level(std::vector<budget::Sum>& sums, budget::Bound bound, std::string_view term,
               const std::vector<budget::LevelFacts>& levels, std::string_view name) {
  for (const budget::LevelFacts& level : levels) {
    if (level.name == name) sums.push_back(make_sum(bound, {{term, level.limit}}));
  }
}

}  // namespace

std::optional<budget::Sum> compute_capacity(const budget::ServerFacts& facts, std::string_view role,
                                            std::string_view database) {
  if (budget::compute_allowance(facts, {}).trouble != budget::Trouble::None) return std::nullopt;
  std::vector<budget::Sum> sums{make_sum(
      budget::Bound::Server, {{"max_connections", facts.max_connections},
                              {"superuser_reserved_connections", -facts.superuser_reserved},
                              {"reserved_connections", -facts.reserved}})};
  if (!facts.is_superuser) {
    add_level(sums, budget::Bound::Role, "connection limit of the role", facts.roles, role);
    add_level(sums, budget::Bound::Database, "connection limit of the database", facts.databases,
              database);
  }
  return *std::min_element(sums.begin(), sums.end(), [](const auto& left, const auto& right) {
    return left.total < right.total;
  });
}

std::optional<budget::Sum> ask_capacity(PGconn* connection, const Patience& patience) {
  const std::string question(budget::kDiscoverySql);
  const std::array<const char*, 1> nobody{"{}"};
  Result answer;
  const Waited waited =
      converse(connection, {.text = question.c_str(), .values = nobody}, patience, answer);
  if (waited != Waited::Ready || PQntuples(answer.get()) != 1) return std::nullopt;
  std::vector<std::optional<std::string_view>> row;
  for (int column = 0; column < PQnfields(answer.get()); ++column) {
    const bool is_null = PQgetisnull(answer.get(), 0, column) != 0;
    row.push_back(is_null ? std::nullopt
                          : std::optional<std::string_view>(PQgetvalue(answer.get(), 0, column)));
  }
  const auto facts = budget::parse_discovery(row, PQbackendPID(connection));
  if (!facts.has_value()) return std::nullopt;
  return compute_capacity(*facts, PQuser(connection), PQdb(connection));
}

}  // namespace pgweir::client
