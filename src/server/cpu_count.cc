#include "server/cpu_count.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <thread>

#include "pool/reactor_index.h"

namespace pgweir::server {
namespace {

// In a container the root of what it sees is its own control group (cgroup_namespaces(7)).
constexpr const char* kQuotaFile = "/sys/fs/cgroup/cpu.max";

// The number at the front of `text`, which is left behind it; 0 if there is none.
std::uint64_t take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::uint32_t scheduled_cpu_count() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  // It fails where the kernel knows more CPUs than a cpu_set_t holds: a large machine indeed.
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return std::thread::hardware_concurrency();
  return static_cast<std::uint32_t>(CPU_COUNT(&cpus));
}

}  // namespace

std::uint32_t cpu_count_of_quota(std::string_view cpu_max) {
  const std::uint64_t quota = take_number(cpu_max);
  if (quota == 0 || !cpu_max.starts_with(' ')) return UINT32_MAX;
  cpu_max.remove_prefix(1);
  const std::uint64_t period = take_number(cpu_max);
  if (period == 0) return UINT32_MAX;
  const std::uint64_t count = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
}

std::uint32_t usable_cpu_count() {
  std::string quota;
  std::ifstream file(kQuotaFile);
  std::getline(file, quota);
  return std::max(1U, std::min(scheduled_cpu_count(), cpu_count_of_quota(quota)));
}

std::uint32_t default_data_reactor_count(std::uint32_t cpu_count) {
  return std::clamp<std::uint32_t>(cpu_count / 4, 1, pool::kReactorCountMax);
}

}  // namespace pgweir::server
