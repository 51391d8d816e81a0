#include "control/farewell.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace pgweir::control {

namespace {

struct Farewell {
  Loop& loop;
  int descriptor;
  std::function<void(bool)> ended;
  TimerId timer = TimerId::None;

  Farewell(Loop& on, int socket, std::function<void(bool)> told)
      : loop(on), descriptor(socket), ended(std::move(told)) {}
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;
  ~Farewell() { close(descriptor); }

  void finish(bool is_proven) {
    loop.cancel(timer);
    loop.forget(descriptor);
    ended(is_proven);
  }
};

// libpq may have read the reset already, and then we read an end of file: the state of the socket
// tells the two apart. A Unix socket is only ever closed by the backend's own end.
bool has_peer_closed(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return false;
  if (domain == AF_UNIX) return true;
  tcp_info info{};
  size = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_LAST_ACK ||
         info.tcpi_state == TCP_TIME_WAIT || info.tcpi_state == TCP_CLOSING;
}

void read_to_end(const std::shared_ptr<Farewell>& farewell) {
  std::array<std::byte, 4096> dropped;
  while (true) {
    const ssize_t count = recv(farewell->descriptor, dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    return farewell->finish(count == 0 && has_peer_closed(farewell->descriptor));
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

}  // namespace pgweir::control
