// Durations as text: "500ms", "10s", "1.5min", "1h". A bare number has the unit of its setting, or
// none, where it is an error. The suffixes are those of PostgreSQL's own parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace pgweir::config {

// What a number without a suffix means. Zero is zero in every unit.
enum class Unit : std::uint8_t { None, Seconds, Milliseconds };

// Suffixes: us, ms, s, min, h, d. Nullopt: not a duration, negative, over 100 years, or a bare
// number where `bare` is None.
std::optional<base::Duration> parse_duration(std::string_view text, Unit bare);

// The shortest text that parse_duration reads back: "0", "90s", "10min", "1500ms".
std::string render_duration(base::Duration duration);

// What parse_duration accepts, for error texts: "a duration such as 500ms, 10s or 5min".
std::string_view describe_duration(Unit bare);

}  // namespace pgweir::config
