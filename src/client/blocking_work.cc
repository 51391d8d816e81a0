#include "client/blocking_work.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "base/list.h"
#include "client/clock.h"
#include "client/quiet_thread.h"

namespace pgweir::client {
namespace {

constexpr std::chrono::seconds kIdleMax(10);
// Where so many hang something else is wrong.
constexpr std::uint32_t kStuckMax = 64;

// One thread at one task. Lives on its stack.
struct Turn : base::ListHook<Turn> {
  base::Instant since = precise_now();
  bool is_stuck = false;
};

}  // namespace

struct BlockingWork::State {
  State(std::string thread_name, std::uint32_t count, base::Duration patience)
      : name(std::move(thread_name)),
        thread_count_max(count),
        stuck_after(patience),
        stop_descriptor(::eventfd(0, 0)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (stop_descriptor >= 0) ::close(stop_descriptor);
  }

  // Whether one more thread may be started; the mutex is held.
  bool has_room() {
    if (thread_count < thread_count_max) return true;
    Turn* oldest = turns.front();
    if (oldest == nullptr || stuck_count == kStuckMax) return false;
    if (precise_now() - oldest->since < stuck_after) return false;
    oldest->unlink();
    oldest->is_stuck = true;
    --thread_count;
    ++stuck_count;
    return true;
  }

  const std::string name;
  const std::uint32_t thread_count_max;
  const base::Duration stuck_after;
  const int stop_descriptor;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task> tasks;
  base::List<Turn, Turn> turns;  // Of the threads that count, the oldest first.
  std::uint32_t thread_count = 0;
  std::uint32_t stuck_count = 0;  // Not among them.
  std::uint32_t idle_count = 0;
  bool is_stopped = false;
};

BlockingWork::BlockingWork(std::string name, std::uint32_t thread_count_max,
                           base::Duration stuck_after)
    : state_(std::make_shared<State>(std::move(name), thread_count_max, stuck_after)) {}

BlockingWork::~BlockingWork() { stop(); }

void BlockingWork::add(Task task) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->is_stopped) return;
  state_->tasks.push_back(std::move(task));
  if (state_->idle_count >= state_->tasks.size() || !state_->has_room()) {
    state_->changed.notify_one();
    return;
  }
  const std::uint32_t number = ++state_->thread_count;
  start_quiet_thread(state_->name + "-" + std::to_string(number),
                     [state = state_] { run(*state); });
}

void BlockingWork::hurry() { ::eventfd_write(state_->stop_descriptor, 1); }

void BlockingWork::stop() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (std::exchange(state_->is_stopped, true)) return;
  state_->tasks.clear();
  ::eventfd_write(state_->stop_descriptor, 1);
  state_->changed.notify_all();
}

bool BlockingWork::wait_until_over(base::Instant deadline) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  return state_->changed.wait_until(
      lock, std::chrono::steady_clock::time_point(deadline.time_since_epoch()),
      [this] { return state_->thread_count + state_->stuck_count == 0; });
}

void BlockingWork::run(State& state) {
  std::unique_lock<std::mutex> lock(state.mutex);
  while (!state.is_stopped) {
    if (state.tasks.empty()) {
      ++state.idle_count;
      const bool has_news = state.changed.wait_for(
          lock, kIdleMax, [&] { return state.is_stopped || !state.tasks.empty(); });
      --state.idle_count;
      if (!has_news) break;
      continue;
    }
    Task task = std::move(state.tasks.front());
    state.tasks.pop_front();
    Turn turn;
    state.turns.push_back(turn);
    lock.unlock();
    task(state.stop_descriptor);
    task = nullptr;  // What it owns goes before the lock is taken: that may call stop().
    lock.lock();
    if (!turn.is_stuck) continue;
    --state.stuck_count;
    state.changed.notify_all();
    return;
  }
  --state.thread_count;
  state.changed.notify_all();
}

}  // namespace pgweir::client
