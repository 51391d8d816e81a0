// Roster: the servers of a SharedPool, and who has which of them. It owns them, decides nothing and
// locks nothing.
#pragma once

#include <memory>
#include <vector>

#include "base/time.h"
#include "client/server.h"

namespace pgweir::client {

class Roster {
 public:
  bool is_empty() const { return servers_.empty(); }
  Server& add() { return *servers_.emplace_back(std::make_unique<Server>()); }
  // It is destroyed.
  void remove(const Server& server);

  static void note_lease(Server& server, const LeaseNote& lease);
  static void note_end_of_lease(Server& server);

  // The leases of this moment, in no order.
  std::vector<LeaseNote> leases() const;
  // Those that have lasted since before then and were not meant to, each once.
  std::vector<LeaseNote> take_overdue_leases(base::Instant before);

 private:
  std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace pgweir::client
