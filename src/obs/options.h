// What obs/ may be told: how much is reported. Where the lines go is the shell's
// (config/options.h).
#pragma once

#include "obs/event.h"

namespace pgweir::obs {

struct Options {
  Level level = Level::Info;       // What is below it is counted, not logged.
  bool has_connections = true;     // Events of successful client logins.
  bool has_disconnections = true;  // Events of client ends.
  bool has_client_errors = true;   // Events of errors that we send to clients.

  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace pgweir::obs
