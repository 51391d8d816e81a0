#include "meter.h"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace pgweir::bench {

std::chrono::nanoseconds cpu_time_of(const std::vector<int>& pids) {
  std::chrono::nanoseconds sum{0};
  for (const int pid : pids) {
    std::error_code error;
    const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
      std::ifstream file(task.path() / "schedstat");
      std::chrono::nanoseconds::rep time = 0;
      if (file >> time) sum += std::chrono::nanoseconds(time);
    }
  }
  return sum;
}

void Watch::begin(base::Instant now) {
  is_running_ = true;
  since_ = now;
  cpu_ = cpu_time_of(pids_);
}

void Watch::end(base::Instant now) {
  is_running_ = false;
  time_ = now - since_;
  cpu_ = cpu_time_of(pids_) - cpu_;
}

double Watch::seconds() const { return std::chrono::duration<double>(time_).count(); }
double Watch::cpu_seconds() const { return std::chrono::duration<double>(cpu_).count(); }

}  // namespace pgweir::bench
