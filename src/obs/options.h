// What obs/ may be told: how much is logged and in which form. Where lines go is the shell's
// (config/options.h).
#pragma once

#include <cstdint>

namespace pgweir::obs {

// From quiet to loud; a level lets through itself and all before it.
enum class Level : std::uint8_t { Error, Warning, Info, Debug };

enum class LineFormat : std::uint8_t {
  Logfmt,  // event=server_closed server=17 reason=idle_timeout
  Json,    // The same fields as one object a line.
};

struct Options {
  Level level = Level::Info;
  LineFormat format = LineFormat::Logfmt;
  bool has_connections = true;     // Events of successful client logins.
  bool has_disconnections = true;  // Events of client ends.
  bool has_client_errors = true;   // Events of errors that we send to clients.

  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace pgweir::obs
