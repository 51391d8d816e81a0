// Placement: which of several Relays a client is served by, and which one is the home of its pool.
// A small pool lives on its home, where order of arrival is exact and no server ever moves; a large
// one is spread over as many Relays as have some servers each. It moves nobody who is there.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "pool/exchange.h"
#include "proxy/options.h"

namespace pgweir::proxy {

// With fewer on each Relay a server would be on its way more often than at work.
inline constexpr std::uint32_t kServersPerRelay = 4;

class Placement {
 public:
  // Borrows the exchange, for the limits of nodes. servers_per_relay: a pool is spread over no more
  // Relays than give each so many.
  explicit Placement(const pool::Exchange& exchange, std::uint32_t relay_count = 1,
                     std::uint32_t servers_per_relay = kServersPerRelay);

  std::uint32_t relay_count() const { return relay_count_; }
  // What a node can take is still to be found out: until note_limit() its level's limit says
  // nothing about how large a pool will be, and clients are spread. Any thread.
  void expect_limit(const std::string& node);
  void note_limit(const std::string& node);
  // Any thread. The same for as long as the process runs.
  pool::ReactorIndex home_of(const std::string& database, const std::string& user);
  // Where the next client of this database and user goes: those of the pool in turn. Any thread.
  pool::ReactorIndex place(const Options& options, const DatabaseOptions& entry,
                           const std::string& database, const std::string& user);

 private:
  struct Pool {
    pool::ReactorIndex home = 0;
    std::uint32_t placed_count = 0;
  };
  Pool& find(const std::string& database, const std::string& user);
  bool is_unseen(const std::string& node);
  std::uint32_t spread_of(const Options& options, const DatabaseOptions& entry,
                          const std::string& user);

  const pool::Exchange& exchange_;
  const std::uint32_t relay_count_;
  const std::uint32_t servers_per_relay_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Pool> pools_;
  Pool rest_;  // All that came when there were too many to remember.
  std::set<std::string> unseen_nodes_;
};

}  // namespace pgweir::proxy
