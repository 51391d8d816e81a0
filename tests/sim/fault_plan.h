// FaultPlan: how likely each thing is to go wrong in one simulation, and how badly. Which faults a
// seed has at all is drawn first (swarm testing): a plan with everything at once hides what one
// fault alone would show.
#pragma once

#include "base/rng.h"
#include "base/time.h"

namespace pgweir::sim {

// Probabilities are per opportunity: per write, read, connection or second, as each says.
struct FaultPlan {
  double delay = 0;  // Per write: the bytes take up to `delay_max` longer.
  base::Duration delay_max = std::chrono::milliseconds(40);
  double stall = 0;  // Per write: nothing arrives for up to `stall_max`, as behind a lost segment.
  base::Duration stall_max = std::chrono::seconds(12);
  double split = 0;         // Per read: only a few of the bytes that are there.
  double partial_send = 0;  // Per send of the Relay: the socket takes only some of what it could.
  double small_buffer = 0;  // Per connection: a socket buffer of a few hundred bytes.

  double reset_client = 0;  // Per write on a client's connection: it is reset soon after.
  double reset_server = 0;  // The same on a server's.
  double lost_end = 0;      // Per end of a server's connection: never seen, but for keepalive.
  double refuse = 0;        // Per connection attempt to a server.
  double slow_login = 0;    // Per server login: seconds instead of milliseconds, or never.
  double crash = 0;  // Per second: a PostgreSQL server ends all its backends, and comes back.
  double kill_backend = 0;  // Per second: one backend is terminated (57P01).
  double lose_given = 0;    // Per server that goes to another reactor: it ends on the way.
  double lost_cancel = 0;   // Per CancelRequest: its connection hangs, and is never closed.

  double slow_reader = 0;  // Per client: it reads little, and rarely.
  double vanish = 0;       // Per unit of a client's program: it goes away in the middle.
  double late_timer = 0;   // Per timer: it fires up to 20 ms late.

  // Nothing goes wrong.
  static FaultPlan none() { return {}; }
  static FaultPlan draw(base::Rng& rng);

  // Something may cost a client its server or its connection, so that it must expect errors.
  bool may_lose_servers() const {
    return reset_server > 0 || lost_end > 0 || refuse > 0 || slow_login > 0 || crash > 0 ||
           kill_backend > 0 || stall > 0 || lost_cancel > 0 || lose_given > 0;
  }
};

}  // namespace pgweir::sim
