#include "gateway/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace pgweir::gateway {
namespace {

using obs::Family;
using obs::MetricType;

constexpr Family kCpu{.name = "process_cpu_seconds_total",
                      .help = "Processor time spent, user and system.",
                      .type = MetricType::Counter};
constexpr Family kResident{.name = "process_resident_memory_bytes",
                           .help = "Memory in use, resident set size."};
constexpr Family kVirtual{.name = "process_virtual_memory_bytes", .help = "Address space in use."};
constexpr Family kThreads{.name = "process_threads", .help = "Threads of the process."};
constexpr Family kStart{.name = "process_start_time_seconds",
                        .help = "When the process started, in seconds since the epoch."};
constexpr Family kOpenFds{.name = "process_open_fds", .help = "Open file descriptors."};
constexpr Family kMaxFds{.name = "process_max_fds", .help = "The limit on open file descriptors."};

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Field `number` of /proc/self/stat as proc(5) counts them. The second one is the program's name
// in brackets, which may hold anything, so counting starts behind its last bracket.
std::optional<double> field_of(std::string_view stat, int number) {
  const std::size_t bracket = stat.rfind(')');
  if (bracket == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(bracket + 1);
  for (int skipped = 2; skipped < number && !stat.empty(); ++skipped) {
    stat.remove_prefix(1);
    if (skipped + 1 < number) stat.remove_prefix(std::min(stat.find(' '), stat.size()));
  }
  double value = 0;
  const auto [end, error] = std::from_chars(stat.data(), stat.data() + stat.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

// The moment of the last boot, in seconds since the epoch: start times count from there.
std::optional<double> boot_time() {
  constexpr std::string_view kKey = "\nbtime ";
  const std::string stat = read_file("/proc/stat");
  const std::size_t at = stat.find(kKey);
  if (at == std::string::npos) return std::nullopt;
  double value = 0;
  const char* begin = stat.data() + at + kKey.size();
  const auto [end, error] = std::from_chars(begin, stat.data() + stat.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<double> open_fd_count() {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  if (error) return std::nullopt;
  double count = -1;  // The iterator's own descriptor is none of the process's.
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  return count;
}

}  // namespace

std::vector<obs::Sample> read_process_metrics() {
  std::vector<obs::Sample> samples;
  const auto add = [&samples](const Family& family, std::optional<double> value) {
    if (value) samples.push_back({.family = &family, .value = *value});
  };
  const std::string stat = read_file("/proc/self/stat");
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  const auto user = field_of(stat, 14);
  const auto system = field_of(stat, 15);
  const auto start = field_of(stat, 22);
  const auto resident = field_of(stat, 24);
  const auto boot = boot_time();
  if (user && system) add(kCpu, (*user + *system) / ticks);
  if (resident) add(kResident, *resident * page_bytes);
  add(kVirtual, field_of(stat, 23));
  add(kThreads, field_of(stat, 20));
  if (start && boot) add(kStart, *boot + *start / ticks);
  add(kOpenFds, open_fd_count());
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) add(kMaxFds, static_cast<double>(limit.rlim_cur));
  return samples;
}

}  // namespace pgweir::gateway
