#include "loop/farewell.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace pgweir::loop {

namespace {

int state_of(int tcp_descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(tcp_descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return TCP_CLOSE;
  return info.tcpi_state;
}

// A Unix socket is only ever closed by the backend's own end.
bool is_unix(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

// libpq may have read the reset already, and then we read an end of file: the state of the socket
// tells the two apart.
bool has_peer_closed(int descriptor) {
  const int state = state_of(descriptor);
  return state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK || state == TCP_TIME_WAIT ||
         state == TCP_CLOSING;
}

// Says that we have gone, which in the middle of a login nobody has said yet: our duplicate keeps
// the connection open. Only where libpq has seen no end of the server's: then the first read tells
// a reset from an end, which afterwards the state no longer does. Returns whether it is so.
bool end_our_side(int descriptor) {
  const bool sees_end = is_unix(descriptor) || state_of(descriptor) == TCP_ESTABLISHED;
  if (sees_end) shutdown(descriptor, SHUT_WR);
  return sees_end;
}

struct Farewell {
  Loop& loop;
  int descriptor;
  std::function<void(bool)> ended;
  const bool sees_end;
  TimerId timer = TimerId::None;

  Farewell(Loop& on, int socket, std::function<void(bool)> told)
      : loop(on), descriptor(socket), ended(std::move(told)), sees_end(end_our_side(socket)) {}
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;
  ~Farewell() { close(descriptor); }

  void finish(bool is_proven) {
    loop.cancel(timer);
    loop.forget(descriptor);
    ended(is_proven);
  }
};

void read_to_end(const std::shared_ptr<Farewell>& farewell) {
  std::array<std::byte, 4096> dropped;
  while (true) {
    const ssize_t count = recv(farewell->descriptor, dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    const bool is_end = count == 0;
    return farewell->finish(is_end &&
                            (farewell->sees_end || has_peer_closed(farewell->descriptor)));
  }
}

}  // namespace

void await_end(Loop& loop, int descriptor, base::Duration patience,
               std::function<void(bool)> ended) {
  const auto farewell = std::make_shared<Farewell>(loop, descriptor, std::move(ended));
  farewell->timer = loop.call_after(patience, [farewell] {
    farewell->timer = TimerId::None;
    farewell->finish(false);
  });
  loop.watch(descriptor, {.read = true}, [farewell](Interest) { read_to_end(farewell); });
}

}  // namespace pgweir::loop
