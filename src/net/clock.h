// The one place where the shells read the monotonic clock. Nothing below them may.
#pragma once

#include <ctime>

#include "base/time.h"

namespace pgweir::net {

// CLOCK_MONOTONIC as an Instant; instants of all threads of this process compare.
inline base::Instant monotonic_now() {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_MONOTONIC, &now));
  return base::Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace pgweir::net
