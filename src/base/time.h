// Instant and Duration: the only notion of time below the shells. Neither reads a clock: a shell
// takes the time once per batch of events and passes it down as `now`; the simulator makes it up.
#pragma once

#include <chrono>

namespace pgweir::base {

using Duration = std::chrono::nanoseconds;

// A monotonic clock that cannot be read: it has no now(). Instants compare and subtract, no more.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;

// Later than everything: the deadline of what has none.
inline constexpr Instant kNever = Instant::max();

// `from + after`, or kNever when `after` is zero, which is how settings spell "no limit".
constexpr Instant deadline(Instant from, Duration after) {
  return after == Duration::zero() ? kNever : from + after;
}

}  // namespace pgweir::base
