// DroppingRelay: a TCP relay between a test's client and its server that can lose packets as a
// firewall does that has forgotten a connection: nothing arrives any more in either direction, the
// end of the other side included, and nobody is told. It delays nothing and changes no byte.
//
//   DroppingRelay relay(postgres.port());
//   connect_to(relay.port());
//   relay.drop();  // What there is stays lost for ever, and so is what is tried from now on.
//   relay.heal();  // What is tried from now on works.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace pgweir::tests {

class DroppingRelay {
 public:
  // To that port of the loopback.
  explicit DroppingRelay(std::uint16_t target)
      : target_(target),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::listen(listener_, 64);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  DroppingRelay(const DroppingRelay&) = delete;
  DroppingRelay& operator=(const DroppingRelay&) = delete;
  // Both sides of all connections see the end, of the lost ones, too.
  ~DroppingRelay() {
    thread_.request_stop();
    wake();
    thread_.join();
    for (const Link& link : links_) close(link);
    ::close(listener_);
    ::close(wakeup_);
  }

  std::uint16_t port() const { return port_; }

  // Returns when not a byte goes through any more.
  void drop() {
    const std::lock_guard lock(mutex_);
    is_dropping_ = true;
    for (Link& link : links_) link.is_lost = true;
    wake();
  }
  void heal() {
    const std::lock_guard lock(mutex_);
    is_dropping_ = false;
  }
  // Of those that were made while it dropped, or lost then.
  std::size_t lost_count() {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(links_.begin(), links_.end(), [](const Link& link) { return link.is_lost; }));
  }

 private:
  struct Link {
    int client = -1;
    int server = -1;
    bool is_lost = false;  // Its bytes lie where they are.
    bool is_over = false;
  };

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  static void close(const Link& link) {
    ::close(link.client);
    if (link.server >= 0) ::close(link.server);
  }

  void wake() const { ::eventfd_write(wakeup_, 1); }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> polled = watched();
      ::poll(polled.data(), polled.size(), -1);
      const std::lock_guard lock(mutex_);
      eventfd_t count = 0;
      ::eventfd_read(wakeup_, &count);
      if (polled[1].revents != 0) take_one();
      for (Link& link : links_) {
        if (!link.is_lost)
          link.is_over = !carry(link.client, link.server) || !carry(link.server, link.client);
        if (link.is_over) close(link);
      }
      std::erase_if(links_, [](const Link& link) { return link.is_over; });
    }
  }

  std::vector<pollfd> watched() {
    const std::lock_guard lock(mutex_);
    std::vector<pollfd> polled{{.fd = wakeup_, .events = POLLIN, .revents = 0},
                               {.fd = listener_, .events = POLLIN, .revents = 0}};
    for (const Link& link : links_) {
      if (link.is_lost) continue;
      polled.push_back({.fd = link.client, .events = POLLIN, .revents = 0});
      polled.push_back({.fd = link.server, .events = POLLIN, .revents = 0});
    }
    return polled;
  }

  void take_one() {
    Link link{.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)};
    if (link.client < 0) return;
    link.is_lost = is_dropping_;
    if (!link.is_lost) {
      const sockaddr_in address = loopback(target_);
      link.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const bool is_there =
          ::connect(link.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      if (!is_there) return close(link);
    }
    links_.push_back(link);
  }

  // What has come from one side goes to the other. False: one of them has gone.
  static bool carry(int from, int to) {
    std::array<char, 16'384> bytes;
    const ssize_t count = ::recv(from, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    return count > 0 && ::send(to, bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) > 0;
  }

  const std::uint16_t target_;
  const int listener_;
  const int wakeup_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<Link> links_;
  bool is_dropping_ = false;
  std::jthread thread_;
};

}  // namespace pgweir::tests
