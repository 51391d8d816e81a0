#include "budget/second_look.h"

#include <algorithm>
#include <utility>

namespace pgweir::budget {
namespace {

void hold(std::int64_t& others, std::int64_t& ours, std::int64_t others_max) {
  const std::int64_t excess = std::max<std::int64_t>(others - others_max, 0);
  others -= excess;
  ours += excess;
}

// A level that had no limit at the last look is believed, but for more than are believed in all.
void hold(std::vector<LevelFacts>& levels, const std::vector<LevelFacts>& last,
          std::int64_t others_total) {
  for (LevelFacts& level : levels) {
    const auto before = std::find_if(last.begin(), last.end(),
                                     [&](const LevelFacts& one) { return one.name == level.name; });
    const std::int64_t most = before == last.end() ? others_total : before->others;
    hold(level.others, level.ours, std::min(most, others_total));
  }
}

bool makes_sense(const ServerFacts& found) {
  const auto is_part = [&](const LevelFacts& level) { return level.others <= found.others_total; };
  return std::all_of(found.roles.begin(), found.roles.end(), is_part) &&
         std::all_of(found.databases.begin(), found.databases.end(), is_part);
}

}  // namespace

ServerFacts SecondLook::take(const ServerFacts& found) {
  ServerFacts believed = found;
  if (last_ && makes_sense(found)) {
    hold(believed.others_total, believed.ours, last_->others_total);
    hold(believed.roles, last_->roles, believed.others_total);
    hold(believed.databases, last_->databases, believed.others_total);
  }
  corrects_first_ = std::exchange(is_first_, !last_) && is_wanted_;
  is_wanted_ = !found.is_behind_pooler && (last_ ? believed != found : found.others_total > 0);
  last_ = found;
  return believed;
}

}  // namespace pgweir::budget
