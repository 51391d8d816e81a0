// CapturedLog: the Log of a test. It writes everything, without time and rate limit, and keeps the
// lines. Tests ask how often an *event* happened (`count`, from Log); `has` is for its details.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "obs/log.h"

namespace pgweir::obs {

class CapturedLog final : private Sink, public Log {
 public:
  CapturedLog()
      : Log(static_cast<Sink&>(*this), {.now = [] { return base::Instant{}; }},
            {.level = Level::Debug}, {.window = base::Duration::zero()}) {}

  std::vector<std::string> lines() const {
    const std::lock_guard lock(lines_mutex_);
    return lines_;
  }

  // Whether some line contains the text, for example "event=server_closed server=17".
  bool has(std::string_view part) const {
    const std::lock_guard lock(lines_mutex_);
    return std::any_of(lines_.begin(), lines_.end(), [part](const std::string& line) {
      return line.find(part) != std::string::npos;
    });
  }

 private:
  void write(Level /*level*/, std::string_view line) override {
    const std::lock_guard lock(lines_mutex_);
    lines_.emplace_back(line);
  }

  mutable std::mutex lines_mutex_;
  std::vector<std::string> lines_;
};

}  // namespace pgweir::obs
