// Loop: an event loop for few and slow things (libpq, c-ares, signals): descriptors over epoll,
// timers, and work posted by other threads. The data path has its own in net/. Not a thread:
// whoever calls run() lends it one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace pgweir::loop {

// What a descriptor is watched for, and what happened to it. An error or hangup is told as both.
struct Interest {
  bool read = false;
  bool write = false;
};

// The monotonic clock. Shells only: everything below takes the time as a parameter.
base::Instant monotonic_now();

enum class TimerId : std::uint64_t { None = 0 };

class Loop {
 public:
  using Task = std::function<void()>;
  using Ready = std::function<void(Interest)>;
  using Clock = std::function<base::Instant()>;

  // clock: monotonic. Errors: System, when the descriptors for it cannot be had.
  static base::Result<std::unique_ptr<Loop>> create(Clock clock = monotonic_now);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // From any thread: runs `task` on the loop's thread, in order of posting. What is posted after
  // the loop's last turn is destroyed without being run.
  void post(Task task);
  // From any thread: run() returns after the turn that it is in.
  void stop();

  // The rest belongs to the loop's thread.

  // Watches a descriptor, or changes what it is watched for. It must be forgotten before it is
  // closed: its number may come back as another connection's.
  void watch(int descriptor, Interest interest, Ready ready);
  void forget(int descriptor);

  TimerId call_at(base::Instant when, Task task);
  TimerId call_after(base::Duration after, Task task) {
    return call_at(now() + after, std::move(task));
  }
  // Does nothing for a timer that has run or was cancelled, or for None.
  void cancel(TimerId timer);

  // The time at which this turn began.
  base::Instant now() const { return now_; }

  // Turns until stop().
  void run();
  // Turns until nothing is watched any more, or until `deadline`: for goodbyes.
  void drain(base::Instant deadline);
  // Waits for one batch of events, at most until `deadline`, and serves it.
  void turn(base::Instant deadline = base::kNever);

 private:
  struct Watch {
    std::uint64_t serial;  // Tells an event for a forgotten watch from one for its successor.
    Ready ready;
  };

  Loop(int epoll, int wakeup, Clock clock);
  void serve_descriptors(base::Instant deadline);
  void serve_timers();
  void serve_posted();
  int wait_milliseconds(base::Instant deadline) const;

  int epoll_;
  int wakeup_;  // An eventfd: post() and stop() write to it.
  const Clock clock_;
  base::Instant now_;
  std::uint64_t serial_ = 0;
  std::unordered_map<int, Watch> watches_;
  std::map<std::pair<base::Instant, std::uint64_t>, Task> timers_;  // Earliest first.
  std::unordered_map<std::uint64_t, base::Instant> timer_times_;

  std::mutex mutex_;  // Guards the two below.
  std::vector<Task> posted_;
  bool stopping_ = false;
};

}  // namespace pgweir::loop
