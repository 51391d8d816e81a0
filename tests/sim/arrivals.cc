#include "sim/arrivals.h"

#include <algorithm>

#include "sim/world.h"

namespace pgweir::sim {

void Arrivals::note_asked(std::uint32_t client, const std::string& pool, base::Instant now) {
  waiting_.insert_or_assign(client, Asked{pool, now});
}

void Arrivals::note_begun(std::uint32_t client) {
  const auto at = waiting_.find(client);
  if (at == waiting_.end()) return;
  const Asked begun = at->second;
  waiting_.erase(at);
  for (const auto& [other, asked] : waiting_) {
    if (asked.pool != begun.pool || begun.since <= asked.since) continue;
    worst_ = std::max(worst_, begun.since - asked.since);
    if (begun.since - asked.since <= slack_) continue;
    fail("client " + std::to_string(client) + " of pool " + begun.pool +
         " is served before client " + std::to_string(other) + ", which came earlier");
  }
}

}  // namespace pgweir::sim
