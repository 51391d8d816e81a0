// Holders: who has the servers of a pool, for a client that waits for one in vain. What other
// Relays know they are asked while somebody waits, some times a second at most, so it may be as old
// as that; nobody waits for the answers. What is said of it to whom is refusal.h's.
#pragma once

#include <map>
#include <vector>

#include "proxy/relay_state.h"

namespace pgweir::proxy {

// More find no room in a text of a kilobyte.
inline constexpr std::size_t kHoldersNamedMax = 24;

class Holders {
 public:
  explicit Holders(RelayState& state) : state_(state) {}

  // A client of this route has begun to wait, or does so still. Too soon after another question it
  // is asked at next_deadline().
  void ask(const Route& route, base::Instant now);
  // To be called then, or whenever; asks what is due.
  void handle_time(base::Instant now);
  base::Instant next_deadline() const { return next_ask_; }
  // For all routes that somebody waits on; forgets what is old.
  void sweep(base::Instant now);
  void handle_asked(const HoldersAsked& asked);
  void handle_told(HoldersTold& told, base::Instant now);

  // On all Relays together, oldest first.
  HolderCounts of(const Route& route, base::Instant now) const;

 private:
  struct Told {
    base::Instant at;
    HolderCounts counts;
  };
  // What others have said about one pool, by Relay.
  struct Elsewhere {
    base::Instant asked_at;
    std::map<pool::ReactorIndex, Told> told;
  };
  bool has_others() const { return state_.world.placement.relay_count() > 1; }
  void ask_for_waiters(base::Instant now);
  HolderCounts count_own(const Route* route) const;

  RelayState& state_;
  std::map<pool::LevelId, Elsewhere> elsewhere_;  // Of pools that somebody has waited for.
  base::Instant next_ask_ = base::kNever;
};

}  // namespace pgweir::proxy
