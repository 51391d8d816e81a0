// The Io calls. None of them calls the handler: what follows is told in the next turn.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "net/reactor.h"

namespace pgweir::net {

std::size_t Reactor::try_send(base::ConnectionId id, base::Bytes head, base::Bytes tail) {
  Connection* connection = find_live(id);
  if (connection == nullptr || connection->error != 0) return 0;
  const std::size_t offered = head.size() + tail.size();
  if (offered == 0) return is_silent(*connection) ? 1 : 0;
  std::size_t taken = 0;
  if (connection->phase == Phase::Open) {
    taken = connection->tls == nullptr ? send_plain(*connection, head, tail)
                                       : send_encrypted(*connection, head, tail);
  }
  if (taken < offered && connection->error == 0) {
    connection->owes_writable = true;
    await_room(*connection);
  }
  return taken;
}

// Whether the peer has neither ended nor said anything that we have not read. Whatever it is will
// be told in its turn; a peek takes nothing away.
bool Reactor::is_silent(const Connection& connection) {
  if (connection.phase != Phase::Open || connection.has_hung_up) return false;
  if (connection.tls != nullptr && !connection.tls->is_silent()) return false;
  std::byte first{};
  return ::recv(connection.fd.get(), &first, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

std::size_t Reactor::send_plain(Connection& connection, base::Bytes head, base::Bytes tail) {
  const std::ptrdiff_t sent = send_both(connection.fd.get(), head, tail);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  connection.error = static_cast<int>(-sent);
  serve_later(connection);
  return 0;
}

void Reactor::pause(base::ConnectionId id) {
  if (Connection* connection = find_live(id)) connection->is_paused = true;
}

void Reactor::resume(base::ConnectionId id) {
  Connection* connection = find_live(id);
  if (connection == nullptr || !connection->is_paused) return;
  connection->is_paused = false;
  if (connection->may_read || connection->error != 0) serve_later(*connection);
}

base::ConnectionId Reactor::open(const base::Endpoint& endpoint) {
  Connection& connection = connections_.add();
  connection.is_unix = endpoint.is_unix();
  ConnectAttempt attempt = begin_connect(endpoint, options_.socket);
  connection.error = attempt.error;
  connection.fd = std::move(attempt.fd);
  connection.may_write = attempt.is_connected;
  if (connection.error == 0) connection.error = watch(connection);
  if (connection.error != 0 || connection.may_write) serve_later(connection);
  return ConnectionTable::id_of(connection);
}

void Reactor::close(base::ConnectionId id) {
  Connection* connection = find_live(id);
  if (connection == nullptr) return;
  // From one that has ended nothing more can come that would be answered with a reset.
  const bool is_exhausted = connection->is_exhausted && connection->tls == nullptr;
  end_handshake(*connection);
  if (connection->phase == Phase::Connecting || connection->error != 0 || is_exhausted) {
    connections_.remove(*connection);
    return;
  }
  if (connection->phase == Phase::Open && connection->tls != nullptr) {
    connection->tls->say_goodbye(cipher_);
    transmit(*connection);
  }
  linger(*connection);
}

void Reactor::hand_over(base::ConnectionId id, base::Mailbox to,
                        std::unique_ptr<base::Parcel> parcel) {
  ASSERT(switchboard_ != nullptr);
  auto letter = std::make_unique<Letter>();
  letter->parcel = std::move(parcel);
  if (Connection* connection = find_live(id)) {
    ASSERT(connection->phase == Phase::Open);
    // Registering anew reports whatever is readable or writable there, so those flags need not go.
    if (id != newcomer_) poller_.remove(connection->fd.get());
    letter->connection = {.fd = std::move(connection->fd),
                          .tls = std::move(connection->tls),
                          .is_unix = connection->is_unix,
                          .owes_writable = connection->owes_writable,
                          .error = connection->error};
    connections_.remove(*connection);
  }
  if (Inbox* inbox = switchboard_->send(std::move(letter), to)) ring_later(*inbox);
}

Connection* Reactor::find_live(base::ConnectionId id) {
  Connection* connection = connections_.find(id);
  if (connection == nullptr || connection->phase == Phase::Lingering) return nullptr;
  return connection;
}

// Registers the socket, once. A Unix socket reports room each time the peer reads, wanted or not
// (unix_write_space), so there EPOLLOUT is asked for only while it is needed.
int Reactor::watch(Connection& connection) {
  std::uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  connection.watches_write =
      connection.is_unix && (connection.owes_writable || connection.has_backlog() ||
                             connection.phase == Phase::Connecting);
  if (!connection.is_unix || connection.watches_write) events |= EPOLLOUT;
  return poller_.add(connection.fd.get(), events,
                     static_cast<std::uint64_t>(ConnectionTable::id_of(connection)));
}

void Reactor::serve_later(Connection& connection) {
  if (connection.is_due) return;
  connection.is_due = true;
  due_.push_back(ConnectionTable::id_of(connection));
}

// The socket has refused bytes: its next EPOLLOUT counts.
void Reactor::await_room(Connection& connection) {
  connection.may_write = false;
  if (!connection.is_unix || connection.watches_write) return;
  connection.watches_write = true;
  poller_.modify(connection.fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                 static_cast<std::uint64_t>(ConnectionTable::id_of(connection)));
}

// Ends our direction and waits for the peer's end. Closing at once would answer bytes that we have
// not read with a reset, which destroys what the peer has not read yet: the last error message.
void Reactor::linger(Connection& connection) {
  if (!connection.has_backlog()) static_cast<void>(::shutdown(connection.fd.get(), SHUT_WR));
  connection.phase = Phase::Lingering;
  connection.linger_bytes_left = options_.linger_bytes_max;
  lingering_.push_back({ConnectionTable::id_of(connection), now_ + options_.linger_max});
  connection.may_read = true;
  serve_later(connection);
}

void Reactor::end(Connection& connection, base::CloseCause cause, std::string_view detail) {
  const base::ConnectionId id = ConnectionTable::id_of(connection);
  end_handshake(connection);
  connections_.remove(connection);  // First: from inside handle_closed the id is dead.
  handler_->handle_closed(id, cause, detail, now_);
}

}  // namespace pgweir::net
