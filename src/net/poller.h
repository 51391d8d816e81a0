// Poller: one epoll instance. It hands out what the kernel reports and knows nothing of
// connections. All sockets are edge-triggered and registered once; see epoll(7).
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/time.h"
#include "net/descriptor.h"

namespace pgweir::net {

class Poller {
 public:
  // Errors: System (no descriptor left).
  static base::Result<Poller> create();

  // `events` as in epoll_ctl; `key` comes back with every event. Returns 0 or an errno.
  int add(int fd, std::uint32_t events, std::uint64_t key);
  int modify(int fd, std::uint32_t events, std::uint64_t key);
  void remove(int fd);

  // Waits for events, for `timeout` at most; zero only looks. Without an event it never returns
  // early, signals aside. The span lives until the next call.
  std::span<const epoll_event> wait(base::Duration timeout);

 private:
  explicit Poller(Descriptor epoll) : epoll_(std::move(epoll)) {}
  int wait_for(base::Duration timeout);

  static constexpr int kBatchMax = 256;
  Descriptor epoll_;
  bool has_nanoseconds_ = true;  // epoll_pwait2: kernel 5.11, and not barred by seccomp.
  std::array<epoll_event, kBatchMax> events_{};
};

}  // namespace pgweir::net
