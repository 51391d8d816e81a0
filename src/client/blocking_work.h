// BlockingWork: threads for what libpq can only do blocking: logging in and cancelling. They are
// started when there is something to do, at most so many, and end when there has been nothing for a
// while. A thread that hangs in a name server's silence, or a cancel on a black hole, hinders
// nobody from leaving: it owns what it needs and is left behind. Nor does it hold up what comes
// after it: once it has hung for long it is not counted among those threads, and another takes its
// place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.h"

namespace pgweir::client {

class BlockingWork {
 public:
  // stop: a descriptor that becomes readable when the task is to hurry.
  using Task = std::function<void(int stop)>;

  // name: of its threads, with a number behind it. stuck_after: for how long one task counts.
  // Errors are the system's: without threads or descriptors there is no work.
  BlockingWork(std::string name, std::uint32_t thread_count_max,
               base::Duration stuck_after = std::chrono::seconds(10));
  BlockingWork(const BlockingWork&) = delete;
  BlockingWork& operator=(const BlockingWork&) = delete;
  // Tells what runs to hurry and does not wait for it.
  ~BlockingWork();

  // Any thread. Tasks begin in their order. What has not begun when stop() is called is dropped.
  void add(Task task);
  // Any thread. What runs, and whatever follows, is to hurry.
  void hurry();
  // Any thread. Nothing begins any more, and what runs is to hurry.
  void stop();
  // Whether all that ran has returned by then, by the precise clock. REQUIRES: stop() was called.
  bool wait_until_over(base::Instant deadline);

 private:
  struct State;
  static void run(State& state);

  std::shared_ptr<State> state_;
};

}  // namespace pgweir::client
