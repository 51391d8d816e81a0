// Meter: what processes have used, all their threads together.
// Source of truth: proc(5). Of /proc/PID/task/TID/schedstat the first field is time on a CPU in ns.
// Pss shares a page among the processes that have it, so that a sum over processes counts it once.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace pgweir::bench {

// Zero for a process that is not there.
std::chrono::nanoseconds cpu_time_of(const std::vector<int>& pids);
// How often a thread has gone to sleep of its own accord: each time it had been woken before.
std::uint64_t wakeups_of(const std::vector<int>& pids);
// Pss, in bytes.
std::uint64_t memory_of(const std::vector<int>& pids);
// How many they have open.
std::uint64_t descriptors_of(const std::vector<int>& pids);

// The CPU time and the wake-ups of processes from begin() to end().
class Watch {
 public:
  explicit Watch(const std::vector<int>& pids) : pids_(pids) {}

  void begin(base::Instant now);
  void end(base::Instant now);
  bool is_running() const { return is_running_; }
  // Once it has ended.
  double seconds() const;
  double cpu_seconds() const;
  double wakeups() const { return static_cast<double>(wakeups_); }

 private:
  const std::vector<int>& pids_;
  bool is_running_ = false;
  base::Instant since_;
  base::Duration time_{};
  // At the beginning; in the end between both.
  std::chrono::nanoseconds cpu_{};
  std::uint64_t wakeups_ = 0;
};

}  // namespace pgweir::bench
