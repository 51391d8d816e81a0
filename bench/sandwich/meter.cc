#include "meter.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace pgweir::bench {

namespace {

using Path = std::filesystem::path;

std::vector<Path> tasks_of(const std::vector<int>& pids) {
  std::vector<Path> tasks;
  for (const int pid : pids) {
    std::error_code error;
    const Path all = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(all, error)) tasks.push_back(task);
  }
  return tasks;
}

// The number behind `name` in a file of lines; 0 if there is none.
std::uint64_t number_in(const Path& path, std::string_view name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10);
  }
  return 0;
}

}  // namespace

std::chrono::nanoseconds cpu_time_of(const std::vector<int>& pids) {
  std::chrono::nanoseconds sum{0};
  for (const Path& task : tasks_of(pids)) {
    std::ifstream file(task / "schedstat");
    std::chrono::nanoseconds::rep time = 0;
    if (file >> time) sum += std::chrono::nanoseconds(time);
  }
  return sum;
}

std::uint64_t wakeups_of(const std::vector<int>& pids) {
  std::uint64_t sum = 0;
  for (const Path& task : tasks_of(pids))
    sum += number_in(task / "status", "voluntary_ctxt_switches:");
  return sum;
}

std::uint64_t memory_of(const std::vector<int>& pids) {
  std::uint64_t sum = 0;
  for (const int pid : pids) {
    sum += 1024 * number_in("/proc/" + std::to_string(pid) + "/smaps_rollup", "Pss:");
  }
  return sum;
}

std::uint64_t descriptors_of(const std::vector<int>& pids) {
  std::uint64_t sum = 0;
  for (const int pid : pids) {
    std::error_code error;
    const Path all = "/proc/" + std::to_string(pid) + "/fd";
    const std::filesystem::directory_iterator open(all, error);
    sum += static_cast<std::uint64_t>(std::distance(begin(open), end(open)));
  }
  return sum;
}

void Watch::begin(base::Instant now) {
  is_running_ = true;
  since_ = now;
  cpu_ = cpu_time_of(pids_);
  wakeups_ = wakeups_of(pids_);
}

void Watch::end(base::Instant now) {
  is_running_ = false;
  time_ = now - since_;
  cpu_ = cpu_time_of(pids_) - cpu_;
  wakeups_ = wakeups_of(pids_) - wakeups_;
}

double Watch::seconds() const { return std::chrono::duration<double>(time_).count(); }
double Watch::cpu_seconds() const { return std::chrono::duration<double>(cpu_).count(); }

}  // namespace pgweir::bench
