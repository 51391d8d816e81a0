#include "client/roster.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace pgweir::client {

void Roster::remove(const Server& server) {
  const auto place = std::find_if(servers_.begin(), servers_.end(),
                                  [&](const auto& known) { return known.get() == &server; });
  ASSERT(place != servers_.end());
  std::swap(*place, servers_.back());
  servers_.pop_back();
}

void Roster::note_lease(Server& server, const LeaseNote& lease) {
  server.lease_ = lease;
  server.is_lent_ = true;
}

void Roster::note_end_of_lease(Server& server) {
  ASSERT(server.is_lent_);
  server.is_lent_ = false;
}

std::vector<LeaseNote> Roster::leases() const {
  std::vector<LeaseNote> lent;
  for (const auto& server : servers_)
    if (server->is_lent_) lent.push_back(server->lease_);
  return lent;
}

std::vector<LeaseNote> Roster::take_overdue_leases(base::Instant before) {
  std::vector<LeaseNote> overdue;
  for (const auto& server : servers_) {
    LeaseNote& lease = server->lease_;
    const bool is_expected = lease.is_lasting || lease.is_reported;
    if (!server->is_lent_ || is_expected || lease.since > before) continue;
    lease.is_reported = true;
    overdue.push_back(lease);
  }
  return overdue;
}

}  // namespace pgweir::client
