// LogOutput: where log lines go: standard error or a file, written by a thread of its own, so that
// no reactor ever waits for a terminal or a disk. What lines say is obs/'s.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "obs/log.h"

namespace pgweir::server {

class LogOutput final : public obs::Sink {
 public:
  // path: of a file to append to; empty is standard error.
  // Errors: System, naming the file.
  static base::Result<std::unique_ptr<LogOutput>> open(const std::string& path);
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;
  // Writes what is still queued.
  ~LogOutput() override;

  void write(obs::Level level, std::string_view line) override;
  // Opens the file anew, after a rotation.
  base::Status reopen();

 private:
  LogOutput(std::string path, int descriptor);
  void run();

  const std::string path_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable changed_;
  int descriptor_;
  std::string queued_;
  std::uint64_t dropped_ = 0;  // Lines for which the queue had no room.
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace pgweir::server
