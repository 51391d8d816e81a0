// The clocks of the library: a cheap one for what the pool decides, a precise one for who waits.
#pragma once

#include <ctime>

#include "base/time.h"

namespace pgweir::client {

inline base::Instant read_clock(clockid_t clock) {
  timespec now{};
  static_cast<void>(::clock_gettime(clock, &now));
  return base::Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

// As it was at the last tick, some milliseconds ago at most: a fifth of what the precise one costs.
inline base::Instant coarse_now() { return read_clock(CLOCK_MONOTONIC_COARSE); }

inline base::Instant precise_now() { return read_clock(CLOCK_MONOTONIC); }

}  // namespace pgweir::client
