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
  const auto is_level = [&](const LevelFacts& level) {
    return is_count(level.limit) && is_count(level.others) && is_count(level.ours) &&
           level.others <= facts.others_total;
  };
  return facts.version >= kOldestVersion && facts.max_connections > 0 &&
         facts.max_connections <= kMaxConnectionsMax && is_count(facts.superuser_reserved) &&
         is_count(facts.reserved) &&
         facts.superuser_reserved + facts.reserved < facts.max_connections &&
         is_count(facts.others_total) && is_count(facts.ours) &&
         std::all_of(facts.roles.begin(), facts.roles.end(), is_level) &&
         std::all_of(facts.databases.begin(), facts.databases.end(), is_level);
}

Trouble trouble_of(const ServerFacts& facts) {
  if (facts.is_behind_pooler) return Trouble::BehindPooler;
  return is_plausible(facts) ? Trouble::None : Trouble::Nonsense;
}

// Backends that still authenticate are invisible; the margin is for those. Strangers log in at
// moments that nobody announces, so one slot is not enough beside them.
std::int64_t margin_of(std::int64_t limit, std::int64_t others, const Options& options) {
  if (options.margin > 0) return options.margin;
  const std::int64_t three_percent = (limit * 3 + 99) / 100;
  return std::max<std::int64_t>(three_percent, others > 0 ? 2 : 1);
}

const LevelFacts* find(const std::vector<LevelFacts>& levels, std::string_view name) {
  const auto found = std::find_if(levels.begin(), levels.end(),
                                  [&](const LevelFacts& level) { return level.name == name; });
  return found == levels.end() ? nullptr : &*found;
}

Sum make_sum(Bound bound, std::vector<Term> terms) {
  Sum sum{bound, std::move(terms), 0};
  for (const Term& term : sum.terms) sum.total += term.value;
  sum.total = std::max<std::int64_t>(sum.total, 0);
  return sum;
}

Sum server_sum(const ServerFacts& facts, std::int64_t margin) {
  return make_sum(Bound::Server, {{"max_connections", facts.max_connections},
                                  {"superuser_reserved_connections", -facts.superuser_reserved},
                                  {"reserved_connections", -facts.reserved},
                                  {"connections of others", -facts.others_total},
                                  {"margin", -margin}});
}

Sum level_sum(Bound bound, const LevelFacts& level, const Options& options) {
  const bool is_role = bound == Bound::Role;
  return make_sum(
      bound,
      {{is_role ? "connection limit of the role" : "connection limit of the database", level.limit},
       {is_role ? "others of this role" : "others in this database", -level.others},
       {"margin", -level_margin(level, options)}});
}

// The sums for one login, and what the tightest of them leaves before its margin.
struct Reckoning {
  std::vector<Sum> sums;
  std::int64_t room = 0;
  std::int64_t free_count = 0;

  void add(Bound bound, const LevelFacts* level, const Options& options) {
    if (level == nullptr) return;
    sums.push_back(level_sum(bound, *level, options));
    room = std::min(room, level->limit - level->others);
    free_count = std::min(free_count, level->limit - level->others - level->ours);
  }
};

Reckoning reckon(const ServerFacts& facts, const Options& options,
                 const std::optional<Login>& login) {
  const std::int64_t margin = margin_of(facts.max_connections, facts.others_total, options);
  Reckoning made{.sums = {server_sum(facts, margin)}};
  made.room =
      facts.max_connections - facts.superuser_reserved - facts.reserved - facts.others_total;
  made.free_count = made.room - facts.ours;
  if (login) {
    made.add(Bound::Role, find(facts.roles, login->role), options);
    made.add(Bound::Database, find(facts.databases, login->database), options);
  }
  return made;
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

std::int64_t level_margin(const LevelFacts& level, const Options& options) {
  return margin_of(level.limit, level.others, options);
}

Limits compute_limits(const ServerFacts& facts, const Options& options) {
  const auto limit_of = [&](const LevelFacts& level) {
    const std::int64_t left = level.limit - level.others - level_margin(level, options);
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, kMaxConnectionsMax));
  };
  Limits limits{.server = compute_allowance(facts, options).limit, .roles = {}, .databases = {}};
  for (const LevelFacts& role : facts.roles) limits.roles.emplace(role.name, limit_of(role));
  for (const LevelFacts& database : facts.databases)
    limits.databases.emplace(database.name, limit_of(database));
  return limits;
}

Allowance compute_allowance(const ServerFacts& facts, const Options& options,
                            const std::optional<Login>& login) {
  Allowance allowance{.trouble = trouble_of(facts), .sums = {}};
  std::int64_t least = 0;
  if (allowance.trouble == Trouble::None) {
    Reckoning found = reckon(facts, options, login);
    allowance.margin = margin_of(facts.max_connections, facts.others_total, options);
    allowance.free_count = std::max<std::int64_t>(found.free_count, 0);
    allowance.sums = std::move(found.sums);
    least = found.room >= 1 || !facts.is_superuser ? 1 : 0;
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
