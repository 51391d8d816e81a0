// FakeHost: what opens and closes servers for a SharedPool in tests: no PostgreSQL, and a count of
// what there is.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "client/shared_pool.h"

namespace pgweir::client {

// Opens and closes on a thread of its own, at once, and counts what there is.
class FakeHost final : public Host {
 public:
  FakeHost() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void serve(SharedPool& pool) {
    const std::lock_guard lock(mutex_);
    pool_ = &pool;
    changed_.notify_one();
  }
  void refuse_with(std::optional<pool::Failure> failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }
  // What is asked for from now on waits for the next call with `false`.
  void hold(bool is_held) {
    const std::lock_guard lock(mutex_);
    is_held_ = is_held;
    changed_.notify_one();
  }

  void open(Server& server) override { add({.server = &server, .is_opening = true}); }
  void close(Server& server) override { add({.server = &server, .is_opening = false}); }

  std::uint32_t live_max() const { return live_max_; }
  std::uint32_t opened_count() const { return opened_count_; }

 private:
  struct Job {
    Server* server = nullptr;
    bool is_opening = false;
  };

  void add(Job job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(job);
    if (job.is_opening) live_max_ = std::max(live_max_.load(), ++live_);
    changed_.notify_one();
  }

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop,
                         [this] { return pool_ != nullptr && !jobs_.empty() && !is_held_; })) {
      const Job job = jobs_.front();
      jobs_.pop_front();
      const auto failure = failure_;
      if (!job.is_opening || failure) --live_;
      if (job.is_opening && !failure) ++opened_count_;
      lock.unlock();
      if (!job.is_opening) {
        pool_->handle_ended(*job.server);
      } else if (failure) {
        pool_->handle_open_failed(*job.server, *failure);
      } else {
        pool_->handle_opened(*job.server);
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  SharedPool* pool_ = nullptr;
  std::deque<Job> jobs_;
  std::optional<pool::Failure> failure_;
  bool is_held_ = false;
  std::uint32_t live_ = 0;  // Asked for, and neither failed nor ended.
  std::atomic<std::uint32_t> live_max_ = 0;
  std::atomic<std::uint32_t> opened_count_ = 0;
  std::jthread thread_;
};

}  // namespace pgweir::client
