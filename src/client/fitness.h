// Fitness: whether a server that has been idle is still there, before somebody gets it.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "client/server.h"

namespace pgweir::client {

enum class Fitness : std::uint8_t {
  Fit,
  Unfit,    // PostgreSQL has ended it meanwhile.
  Unknown,  // It has been idle for so long that only an answer tells.
};

// Costs no round trip. ping_idle_after: zero: never unknown. REQUIRES: the server is leased.
Fitness look_at(Server& server, base::Duration ping_idle_after);

// Asks it, and waits so long at most. One that says nothing is cut off: nobody awaits its end.
bool answers(Server& server, base::Duration time_max);

}  // namespace pgweir::client
