// Meter: the CPU time that processes have used, all their threads together, to the nanosecond.
// Source of truth: proc(5), /proc/PID/task/TID/schedstat; its first field is time on a CPU in ns.
#pragma once

#include <chrono>
#include <vector>

namespace pgweir::bench {

// Zero for a process that is not there.
std::chrono::nanoseconds cpu_time_of(const std::vector<int>& pids);

}  // namespace pgweir::bench
