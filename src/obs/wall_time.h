// Wall-clock time as text, for log lines and HTTP. Formats only: the shells read the clock.
#pragma once

#include <chrono>
#include <string>

namespace pgweir::obs {

// ISO 8601 in UTC with milliseconds: "2026-11-22T10:00:00.042Z".
std::string iso_text(std::chrono::system_clock::time_point time);

}  // namespace pgweir::obs
