// Clients: what the control thread has to know of all clients together, to decide how often a
// server is looked at.
#pragma once

#include <cstdint>

namespace pgweir::control {

enum class Clients : std::uint8_t {
  None,    // Nobody is logged in.
  AtRest,  // None has asked for anything for some seconds.
  Active
};

}  // namespace pgweir::control
