// Meter: what processes have used, all their threads together.
// Source of truth: proc(5). Of /proc/PID/task/TID/schedstat the first field is time on a CPU in ns.
#pragma once

#include <chrono>
#include <vector>

#include "base/time.h"

namespace pgweir::bench {

// Zero for a process that is not there.
std::chrono::nanoseconds cpu_time_of(const std::vector<int>& pids);

// The CPU time that processes use from begin() to end().
class Watch {
 public:
  explicit Watch(const std::vector<int>& pids) : pids_(pids) {}

  void begin(base::Instant now);
  void end(base::Instant now);
  bool is_running() const { return is_running_; }
  // Once it has ended.
  double seconds() const;
  double cpu_seconds() const;

 private:
  const std::vector<int>& pids_;
  bool is_running_ = false;
  base::Instant since_;
  base::Duration time_{};
  std::chrono::nanoseconds cpu_{};  // At the beginning; in the end between both.
};

}  // namespace pgweir::bench
