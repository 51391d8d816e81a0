#include "net/socket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "net/address.h"

namespace pgweir::net {
namespace {

// Failure is ignored on purpose: without the option the connection still works.
void set_option(int fd, int level, int name, int value) {
  if (value > 0) static_cast<void>(::setsockopt(fd, level, name, &value, sizeof(value)));
}

// recv() and send() of glibc are cancellation points, which costs each call some bookkeeping as
// soon as the process has threads. Nobody here is ever cancelled.
std::ptrdiff_t send_now(int fd, base::Bytes bytes) {
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT, nullptr,
                   0);
}

iovec as_iovec(base::Bytes bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};  // sendmsg only reads it.
}

}  // namespace

void tune_tcp(int fd, const SocketOptions& options) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(options.user_timeout.count()));
  if (!options.has_keepalive) return;
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(options.keepalive_idle.count()));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(options.keepalive_interval.count()));
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_count);
}

bool defer_accept(int fd, std::chrono::seconds silence_max) {
  const auto seconds = static_cast<int>(silence_max.count());
  return seconds > 0 &&
         ::setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)) == 0;
}

ConnectAttempt begin_connect(const base::Endpoint& endpoint, const SocketOptions& options) {
  const std::optional<SocketAddress> address =
      endpoint.is_unix() ? make_unix_address(endpoint.address)
                         : make_ip_address(endpoint.address, endpoint.port);
  if (!address) return {.fd = {}, .error = endpoint.is_unix() ? ENAMETOOLONG : EINVAL};
  ConnectAttempt attempt;
  attempt.fd =
      Descriptor(::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!attempt.fd.is_open()) {
    attempt.error = errno;
    return attempt;
  }
  if (!endpoint.is_unix()) tune_tcp(attempt.fd.get(), options);
  if (::connect(attempt.fd.get(), address->get(), address->bytes) == 0) {
    attempt.is_connected = true;
  } else if (errno != EINPROGRESS) {
    attempt.error = errno;
  }
  return attempt;
}

int take_socket_error(int fd) {
  int error = 0;
  socklen_t bytes = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) return errno;
  return error;
}

std::ptrdiff_t receive(int fd, std::span<std::byte> into) {
  const std::ptrdiff_t count =
      ::syscall(SYS_recvfrom, fd, into.data(), into.size(), 0, nullptr, nullptr);
  return count >= 0 ? count : -errno;
}

std::ptrdiff_t send_both(int fd, base::Bytes head, base::Bytes tail) {
  std::array<iovec, 2> parts{as_iovec(head), as_iovec(tail)};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t sent = 0;
  do {
    sent = tail.empty() ? send_now(fd, head) : ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return sent;
  return errno == EAGAIN ? 0 : -errno;
}

bool has_unread_bytes(int fd) {
  std::byte first{};
  return ::recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

base::CloseCause cause_of(int error) {
  return error == ETIMEDOUT ? base::CloseCause::Timeout : base::CloseCause::Reset;
}

std::string describe_error(int error) {
  switch (error) {
    case ECONNREFUSED: return "connection refused";
    case ETIMEDOUT: return "no answer (timed out)";
    case ECONNRESET: return "connection reset by the other side";
    case EPIPE: return "the other side has closed the connection";
    case EHOSTUNREACH: return "no route to host";
    case ENETUNREACH: return "network is unreachable";
    case ENOENT: return "no socket at that path";
    case EACCES: return "permission denied";
    case EAGAIN: return "the other side accepts no more connections (its queue is full)";
    case EMFILE: return "too many open files in this process (raise LimitNOFILE)";
    case ENFILE: return "too many open files in this system (raise fs.file-max)";
    case EADDRNOTAVAIL: return "no local port is free for another connection to that address";
    case EINVAL: return "not an IP address";
    case ENAMETOOLONG: return "the path of the socket is longer than 107 bytes";
    default: return std::generic_category().message(error);
  }
}

}  // namespace pgweir::net
