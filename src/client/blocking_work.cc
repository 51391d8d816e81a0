#include "client/blocking_work.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "client/quiet_thread.h"

namespace pgweir::client {
namespace {

constexpr std::chrono::seconds kIdleMax(10);

}  // namespace

struct BlockingWork::State {
  explicit State(std::uint32_t count) : thread_count_max(count), stop_descriptor(::eventfd(0, 0)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (stop_descriptor >= 0) ::close(stop_descriptor);
  }

  const std::uint32_t thread_count_max;
  const int stop_descriptor;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task> tasks;
  std::uint32_t thread_count = 0;
  std::uint32_t idle_count = 0;
  bool is_stopped = false;
};

BlockingWork::BlockingWork(std::uint32_t thread_count_max)
    : state_(std::make_shared<State>(thread_count_max)) {}

BlockingWork::~BlockingWork() { stop(); }

void BlockingWork::add(Task task) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->is_stopped) return;
  state_->tasks.push_back(std::move(task));
  if (state_->idle_count >= state_->tasks.size() ||
      state_->thread_count == state_->thread_count_max) {
    state_->changed.notify_one();
    return;
  }
  const std::uint32_t number = ++state_->thread_count;
  start_quiet_thread("pgweir-conn-" + std::to_string(number), [state = state_] { run(*state); });
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
      [this] { return state_->thread_count == 0; });
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
    lock.unlock();
    task(state.stop_descriptor);
    task = nullptr;  // What it owns goes before the lock is taken: that may call stop().
    lock.lock();
  }
  --state.thread_count;
  state.changed.notify_all();
}

}  // namespace pgweir::client
