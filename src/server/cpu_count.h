// How many CPUs this process may use, and how many data reactors that is good for by default.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgweir::server {

// CPUs that the scheduler may put it on (sched_getaffinity(2)), or what its control group lets it
// use of them, whichever is less. At least 1.
std::uint32_t usable_cpu_count();

// What a line of cgroup v2's cpu.max grants, in CPUs, rounded up: "200000 100000" is 2. UINT32_MAX:
// no limit, or nothing that could be read.
std::uint32_t cpu_count_of_quota(std::string_view cpu_max);

// One up to 7 CPUs, so that clients of a small machine share one pool and nothing ever moves;
// above, one for each four, at most 8: PostgreSQL and pgweir's other threads want CPUs, too.
std::uint32_t default_data_reactor_count(std::uint32_t cpu_count);

}  // namespace pgweir::server
