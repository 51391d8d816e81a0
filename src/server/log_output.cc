#include "server/log_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pgweir::server {
namespace {

// What may queue while the disk is slow; beyond it lines are counted, not kept.
constexpr std::size_t kQueuedBytesMax = 4 * 1024 * 1024;

base::Result<int> open_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor >= 0) return descriptor;
  return base::Error{
      .code = base::ErrorCode::System,
      .side = base::Side::Self,
      .context = fmt::format("cannot open the log file \"{}\": {}", path, std::strerror(errno))};
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t taken = ::write(descriptor, text.data(), text.size());
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return;  // Nobody is left to be told.
    text.remove_prefix(static_cast<std::size_t>(taken));
  }
}

}  // namespace

base::Result<std::unique_ptr<LogOutput>> LogOutput::open(const std::string& path) {
  const int descriptor = path.empty() ? STDERR_FILENO : TRY(open_file(path));
  return std::unique_ptr<LogOutput>(new LogOutput(path, descriptor));
}

LogOutput::LogOutput(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor), thread_([this] { run(); }) {}

LogOutput::~LogOutput() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (!path_.empty()) ::close(descriptor_);
}

void LogOutput::write(obs::Level, std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (queued_.size() + line.size() > kQueuedBytesMax) {
    ++dropped_;
    return;
  }
  queued_ += line;
  queued_ += '\n';
  changed_.notify_one();
}

base::Status LogOutput::reopen() {
  if (path_.empty()) return base::success();
  const int fresh = TRY(open_file(path_));
  const std::lock_guard lock(mutex_);
  ::close(descriptor_);
  descriptor_ = fresh;
  return base::success();
}

void LogOutput::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !queued_.empty() || is_stopping_; });
    if (queued_.empty()) return;
    std::string lines;
    lines.swap(queued_);
    if (dropped_ != 0) {
      lines += fmt::format("event=log_lines_dropped count={}\n", dropped_);
      dropped_ = 0;
    }
    // A duplicate, so that reopen() may close the file meanwhile.
    const int descriptor = ::dup(descriptor_);
    lock.unlock();
    write_all(descriptor, lines);
    ::close(descriptor);
    lock.lock();
  }
}

}  // namespace pgweir::server
