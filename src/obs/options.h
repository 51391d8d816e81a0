// What obs/ may be told: how much is reported. Where the lines go is the shell's
// (config/options.h).
#pragma once

#include "obs/event.h"

namespace pgweir::obs {

struct Options {
  Level level = Level::Info;  // What is below it is counted, not logged.
  // Events of these topics have the level that they declare; otherwise they are Level::Debug.
  bool has_connections = false;
  bool has_disconnections = false;
  bool has_client_errors = false;

  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace pgweir::obs
