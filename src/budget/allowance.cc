#include "budget/allowance.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgweir::budget {
namespace {

// No PostgreSQL allows more (MAX_BACKENDS is 2^18 - 1, lately 2^18 with auxiliary ones).
constexpr std::int64_t kMaxConnectionsMax = 1 << 18;
constexpr std::int64_t kOldestVersion = 90000;

bool is_plausible(const ServerFacts& facts) {
  const auto is_count = [](std::int64_t value) { return value >= 0; };
  const auto is_limit = [](std::int64_t value) { return value >= -1; };
  return facts.version >= kOldestVersion && facts.max_connections > 0 &&
         facts.max_connections <= kMaxConnectionsMax && is_count(facts.superuser_reserved) &&
         is_count(facts.reserved) &&
         facts.superuser_reserved + facts.reserved < facts.max_connections &&
         is_limit(facts.role_limit) && is_limit(facts.database_limit) &&
         is_count(facts.others_total) && is_count(facts.ours) && is_count(facts.others_of_role) &&
         is_count(facts.others_in_database) && facts.others_of_role <= facts.others_total &&
         facts.others_in_database <= facts.others_total;
}

Trouble trouble_of(const ServerFacts& facts) {
  if (facts.is_behind_pooler) return Trouble::BehindPooler;
  return is_plausible(facts) ? Trouble::None : Trouble::Nonsense;
}

// Backends that still authenticate are invisible; the margin is for those. Strangers log in at
// moments that nobody announces, so one slot is not enough beside them.
std::int64_t margin_of(const ServerFacts& facts, const Options& options) {
  if (options.margin > 0) return options.margin;
  const std::int64_t three_percent = (facts.max_connections * 3 + 99) / 100;
  return std::max<std::int64_t>(three_percent, facts.others_total > 0 ? 2 : 1);
}

Sum make_sum(Bound bound, std::vector<Term> terms) {
  Sum sum{bound, std::move(terms), 0};
  for (const Term& term : sum.terms) sum.total += term.value;
  sum.total = std::max<std::int64_t>(sum.total, 0);
  return sum;
}

std::vector<Sum> server_sums(const ServerFacts& facts, std::int64_t margin) {
  std::vector<Sum> sums;
  sums.push_back(
      make_sum(Bound::Server, {{"max_connections", facts.max_connections},
                               {"superuser_reserved_connections", -facts.superuser_reserved},
                               {"reserved_connections", -facts.reserved},
                               {"connections of others", -facts.others_total},
                               {"margin", -margin}}));
  if (facts.role_limit >= 0)
    sums.push_back(make_sum(Bound::Role, {{"connection limit of the role", facts.role_limit},
                                          {"others of this role", -facts.others_of_role},
                                          {"margin", -margin}}));
  if (facts.database_limit >= 0)
    sums.push_back(
        make_sum(Bound::Database, {{"connection limit of the database", facts.database_limit},
                                   {"others in this database", -facts.others_in_database},
                                   {"margin", -margin}}));
  return sums;
}

// What the tightest bound leaves before the margin.
std::int64_t room_of(const ServerFacts& facts) {
  std::int64_t room =
      facts.max_connections - facts.superuser_reserved - facts.reserved - facts.others_total;
  if (facts.role_limit >= 0) room = std::min(room, facts.role_limit - facts.others_of_role);
  if (facts.database_limit >= 0)
    room = std::min(room, facts.database_limit - facts.others_in_database);
  return std::max<std::int64_t>(room, 0);
}

const Sum* tightest(const std::vector<Sum>& sums) {
  const auto least = std::min_element(sums.begin(), sums.end(),
                                      [](const Sum& a, const Sum& b) { return a.total < b.total; });
  return least == sums.end() ? nullptr : &*least;
}

}  // namespace

const Sum* Allowance::find(Bound of) const {
  const auto found =
      std::find_if(sums.begin(), sums.end(), [of](const Sum& sum) { return sum.bound == of; });
  return found == sums.end() ? nullptr : &*found;
}

Allowance compute_allowance(const ServerFacts& facts, const Options& options) {
  Allowance allowance{.trouble = trouble_of(facts), .sums = {}};
  std::int64_t least = 0;
  if (allowance.trouble == Trouble::None) {
    const std::int64_t room = room_of(facts);
    allowance.margin = margin_of(facts, options);
    allowance.free_count = std::max<std::int64_t>(room - facts.ours, 0);
    allowance.sums = server_sums(facts, allowance.margin);
    least = room >= 1 || !facts.is_superuser ? 1 : 0;
  }
  const Sum* server = tightest(allowance.sums);
  const std::int64_t set = options.connection_limit;
  allowance.is_far_below_server = server != nullptr && set > 0 && set * 3 < server->total;
  if (set > 0) allowance.sums.push_back(make_sum(Bound::Configured, {{"connection_limit", set}}));

  if (const Sum* binding = tightest(allowance.sums)) {
    allowance.bound = binding->bound;
    allowance.limit = static_cast<std::uint32_t>(std::max(binding->total, least));
  }
  return allowance;
}

std::string describe(const Sum& sum) {
  std::string text;
  for (const Term& term : sum.terms) {
    const bool is_first = &term == &sum.terms.front();
    if (is_first)
      text += fmt::format("{} {}", term.value, term.name);
    else
      text += fmt::format(" - {} {}", -term.value, term.name);
  }
  return text + fmt::format(" = {}", sum.total);
}

}  // namespace pgweir::budget
