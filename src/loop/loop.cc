#include "loop/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace pgweir::loop {

namespace {

base::Error system_error(const char* what) {
  return {base::ErrorCode::System, base::Side::Self, base::Retry::Never,
          std::string("the control thread could not start: ") + what + ": " + std::strerror(errno)};
}

// An epoll event carries the low half of the watch's serial beside the descriptor.
std::uint64_t pack(int descriptor, std::uint64_t serial) {
  return (serial << 32U) | static_cast<std::uint32_t>(descriptor);
}

}  // namespace

base::Instant monotonic_now() {
  return base::Instant(std::chrono::steady_clock::now().time_since_epoch());
}

base::Result<std::unique_ptr<Loop>> Loop::create(Clock clock) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return system_error("epoll_create1");
  const int wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeup < 0) {
    base::Error error = system_error("eventfd");
    close(epoll);
    return error;
  }
  return std::unique_ptr<Loop>(new Loop(epoll, wakeup, std::move(clock)));
}

Loop::Loop(int epoll, int wakeup, Clock clock)
    : epoll_(epoll), wakeup_(wakeup), clock_(std::move(clock)), now_(clock_()) {
  watch(wakeup_, {.read = true}, [this](Interest) {
    std::uint64_t count = 0;
    // Nothing to read only means that another turn has emptied it.
    if (read(wakeup_, &count, sizeof count) < 0) return;
  });
}

Loop::~Loop() {
  close(wakeup_);
  close(epoll_);
}

void Loop::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  // A full counter wakes the loop just as well.
  if (write(wakeup_, &one, sizeof one) < 0) return;
}

void Loop::stop() {
  post([this] {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  });
}

void Loop::watch(int descriptor, Interest interest, Ready ready) {
  Watch& watch = watches_[descriptor];
  watch = {++serial_, std::move(ready)};
  epoll_event event{};
  event.events = (interest.read ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                 (interest.write ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.u64 = pack(descriptor, watch.serial);
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0) return;
  const int added = epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  ASSERT(added == 0);
}

void Loop::forget(int descriptor) {
  if (watches_.erase(descriptor) == 0) return;
  // The library that owned the descriptor may have closed it already: then there is nothing to
  // remove.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

TimerId Loop::call_at(base::Instant when, Task task) {
  const std::uint64_t id = ++serial_;
  timers_.emplace(std::pair(when, id), std::move(task));
  timer_times_.emplace(id, when);
  return TimerId{id};
}

void Loop::cancel(TimerId timer) {
  const auto found = timer_times_.find(static_cast<std::uint64_t>(timer));
  if (found == timer_times_.end()) return;
  timers_.erase({found->second, found->first});
  timer_times_.erase(found);
}

void Loop::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(stopping_, false)) return;
    }
    turn();
  }
}

void Loop::drain(base::Instant deadline) {
  // The wakeup is always watched.
  while (watches_.size() > 1 && now_ < deadline) turn(deadline);
}

void Loop::turn(base::Instant deadline) {
  serve_descriptors(deadline);
  serve_timers();
  serve_posted();
}

void Loop::serve_descriptors(base::Instant deadline) {
  std::array<epoll_event, 32> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                               wait_milliseconds(deadline));
  now_ = clock_();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const auto found = watches_.find(static_cast<int>(event.data.u64 & 0xffffffffU));
    if (found == watches_.end()) continue;
    if (event.data.u64 != pack(found->first, found->second.serial)) continue;
    const bool failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    const Ready ready = found->second.ready;  // A copy: it may forget itself while it runs.
    ready({.read = failed || (event.events & EPOLLIN) != 0,
           .write = failed || (event.events & EPOLLOUT) != 0});
  }
}

void Loop::serve_timers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    auto first = timers_.extract(timers_.begin());
    timer_times_.erase(first.key().second);
    first.mapped()();
  }
}

void Loop::serve_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

int Loop::wait_milliseconds(base::Instant deadline) const {
  const base::Instant next =
      timers_.empty() ? deadline : std::min(deadline, timers_.begin()->first.first);
  if (next == base::kNever) return -1;
  const base::Instant now = clock_();
  if (next <= now) return 0;
  // Rounded up, so that the loop does not spin through the last fraction of a millisecond.
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now);
  return static_cast<int>(std::min<std::int64_t>(wait.count(), 60'000));
}

}  // namespace pgweir::loop
