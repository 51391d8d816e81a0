#include "net/poller.h"

#include <algorithm>
#include <cerrno>

#include "net/socket.h"

namespace pgweir::net {

base::Result<Poller> Poller::create() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) {
    return base::Error{.code = base::ErrorCode::System,
                       .context = "cannot create an epoll instance: " + describe_error(errno)};
  }
  return Poller(std::move(epoll));
}

int Poller::add(int fd, std::uint32_t events, std::uint64_t key) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int Poller::modify(int fd, std::uint32_t events, std::uint64_t key) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : errno;
}

void Poller::remove(int fd) {
  static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr));
}

std::span<const epoll_event> Poller::wait(base::Duration timeout) {
  const int count = wait_for(std::max(timeout, base::Duration::zero()));
  return std::span<const epoll_event>(events_).first(static_cast<std::size_t>(std::max(count, 0)));
}

int Poller::wait_for(base::Duration timeout) {
  if (has_nanoseconds_) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
    const timespec wanted{.tv_sec = seconds.count(), .tv_nsec = (timeout - seconds).count()};
    const int count = ::epoll_pwait2(epoll_.get(), events_.data(), kBatchMax, &wanted, nullptr);
    if (count >= 0 || errno == EINTR) return count;
    has_nanoseconds_ = false;
  }
  // Rounded up: waking early would only mean to wait once more.
  const auto wanted = std::chrono::ceil<std::chrono::milliseconds>(timeout);
  return ::epoll_wait(epoll_.get(), events_.data(), kBatchMax, static_cast<int>(wanted.count()));
}

}  // namespace pgweir::net
