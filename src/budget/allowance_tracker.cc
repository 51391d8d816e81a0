#include "budget/allowance_tracker.h"

#include <algorithm>

namespace pgweir::budget {
namespace {

constexpr base::Duration kLookWhenTight = std::chrono::seconds(1);
constexpr base::Duration kLookWhenCalm = std::chrono::seconds(5);
// Fewer free slots than this above the margin are tight.
constexpr std::int64_t kTightAboveMargin = 2;

}  // namespace

Limits AllowanceTracker::limits() const {
  Limits limits{.server = limit(), .roles = {}, .databases = {}};
  for (const auto& [name, rising] : roles_) limits.roles.emplace(name, *rising.get());
  for (const auto& [name, rising] : databases_) limits.databases.emplace(name, *rising.get());
  return limits;
}

void AllowanceTracker::handle_facts(const ServerFacts& facts, base::Instant now) {
  const Allowance allowance = compute_allowance(facts, options_);
  is_tight_ = false;
  if (allowance.trouble == Trouble::None) {
    const Limits found = compute_limits(facts, options_);
    server_.follow(found.server, now);
    follow(roles_, found.roles, now);
    follow(databases_, found.databases, now);
    is_tight_ = is_tight(facts, allowance);
  }
  look_again(now);
}

void AllowanceTracker::follow(Rising& rising, const Named& found, base::Instant now) {
  // Those whose limit is gone are not in the answer any more.
  for (auto& [name, limit] : rising) {
    if (!found.contains(name)) limit.follow(pool::kUnlimited, now);
  }
  for (const auto& [name, limit] : found) rising[name].follow(limit, now);
  std::erase_if(rising, [](const auto& entry) { return entry.second.is_gone(); });
}

bool AllowanceTracker::is_tight(const ServerFacts& facts, const Allowance& allowance) const {
  const auto is_nearly_full = [this](const LevelFacts& level) {
    return level.ours > 0 && level.limit - level.others - level.ours <=
                                 level_margin(level, options_) + kTightAboveMargin;
  };
  return allowance.free_count <= allowance.margin + kTightAboveMargin ||
         std::any_of(facts.roles.begin(), facts.roles.end(), is_nearly_full) ||
         std::any_of(facts.databases.begin(), facts.databases.end(), is_nearly_full);
}

void AllowanceTracker::look_again(base::Instant now) {
  next_look_ = now + (is_tight_ ? kLookWhenTight : kLookWhenCalm);
}

}  // namespace pgweir::budget
