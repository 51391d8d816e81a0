// One socket's system calls: tuning, connecting, scatter send, and what its errors mean. No loop
// and no state; the reactor decides when. Source of truth: tcp(7), unix(7), ip(7).
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/io.h"
#include "base/time.h"
#include "net/descriptor.h"

namespace pgweir::net {

// How a silent TCP peer is noticed. A zero leaves the kernel's default.
struct SocketOptions {
  bool has_keepalive = true;
  std::chrono::seconds keepalive_idle{60};
  std::chrono::seconds keepalive_interval{10};
  int keepalive_count = 3;
  std::chrono::milliseconds user_timeout{30'000};
};

// Sets TCP_NODELAY, keepalive and user timeout. On a listening socket: accepted ones inherit them.
void tune_tcp(int fd, const SocketOptions& options);

// Of a listening socket: TCP_DEFER_ACCEPT, unless silence_max is 0. Returns whether it is set.
bool defer_accept(int fd, std::chrono::seconds silence_max);

// A connection under way (or, for a Unix socket, established). `error` is an errno when it failed.
struct ConnectAttempt {
  Descriptor fd;
  bool is_connected = false;
  int error = 0;
};
ConnectAttempt begin_connect(const base::Endpoint& endpoint, const SocketOptions& options);

// The result of a connect that was under way: 0 or an errno. Reading it resets it.
int take_socket_error(int fd);

// recv(2): the count of bytes received, 0 at the peer's end, or a negative errno.
std::ptrdiff_t receive(int fd, std::span<std::byte> into);

// Sends head and tail in one call, without blocking and without SIGPIPE.
// Returns the count of bytes taken, 0 if there is no room, or a negative errno.
std::ptrdiff_t send_both(int fd, base::Bytes head, base::Bytes tail);

// True if a read would yield at least one byte. The bytes stay where they are.
bool has_unread_bytes(int fd);

// The end that an errno of an established connection stands for.
base::CloseCause cause_of(int error);

// An errno in plain words: "connection refused".
std::string describe_error(int error);

}  // namespace pgweir::net
