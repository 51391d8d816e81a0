// What the loop does with one connection. Whenever the handler has been called, the connection may
// be gone: nothing touches it afterwards, or it is looked up again.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/reactor.h"

namespace pgweir::net {

void Reactor::serve(Connection& connection) {
  switch (connection.phase) {
    case Phase::Free: return;
    case Phase::Connecting: finish_connect(connection); return;
    case Phase::AwaitingTurn: await_turn(connection); return;
    case Phase::Handshaking: continue_handshake(connection); return;
    case Phase::Lingering: continue_linger(connection); return;
    case Phase::Open: break;
  }
  const base::ConnectionId id = ConnectionTable::id_of(connection);
  if (connection.may_write && (connection.owes_writable || connection.has_backlog())) {
    finish_send(connection);
  }
  Connection* still = find_live(id);
  if (still == nullptr || still->phase != Phase::Open) return;
  if (still->is_paused) {
    receive_paused(*still);
  } else if (still->tls != nullptr) {
    receive_encrypted(*still);
  } else {
    receive(*still);
  }
}

void Reactor::finish_connect(Connection& connection) {
  if (connection.error == 0) {
    if (!connection.may_write && !connection.has_hung_up) return;
    connection.error = take_socket_error(connection.fd.get());
  }
  if (connection.error != 0) {
    end(connection, base::CloseCause::ConnectFailed, describe_error(connection.error));
    return;
  }
  connection.phase = Phase::Open;
  counters_.opened.store(counters_.opened.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
  // The first bytes or the end may have come with the same event, and will not be reported again.
  serve_later(connection);
  handler_->handle_opened(ConnectionTable::id_of(connection), now_);
}

void Reactor::finish_send(Connection& connection) {
  flush_backlog(connection);
  if (connection.has_backlog() || connection.error != 0) return;
  if (connection.watches_write) {
    connection.watches_write = false;
    poller_.modify(connection.fd.get(), EPOLLIN | EPOLLRDHUP | EPOLLET,
                   static_cast<std::uint64_t>(ConnectionTable::id_of(connection)));
  }
  if (!connection.owes_writable) return;
  connection.owes_writable = false;
  handler_->handle_writable(ConnectionTable::id_of(connection), now_);
}

void Reactor::receive(Connection& connection) {
  if (!connection.may_read && connection.error == 0) return;
  if (connection.may_be_direct && postpone_direct_tls(connection)) return;
  const std::ptrdiff_t count = net::receive(connection.fd.get(), received_);
  if (count <= 0) {
    handle_received_nothing(connection, static_cast<int>(-count));
    return;
  }
  // A short read means that the socket is drained (epoll(7)), so no second one has to prove it; but
  // an end that was reported together with the bytes must still be fetched.
  const auto bytes = static_cast<std::size_t>(count);
  const bool is_drained = bytes < received_.size();
  connection.may_read = !is_drained || connection.has_hung_up;
  connection.is_exhausted = is_drained && connection.has_hung_up;
  if (connection.may_read || connection.error != 0) serve_later(connection);
  const base::Bytes arrived = base::Bytes(received_).first(bytes);
  const bool is_first = connection.may_be_direct;
  connection.may_be_direct = false;
  if (is_first && begin_direct_tls(connection, arrived)) return;
  handler_->handle_bytes(ConnectionTable::id_of(connection), arrived, now_);
}

// While paused only the end is told; where bytes are unread before it, only that it is near.
void Reactor::receive_paused(Connection& connection) {
  if (!connection.has_hung_up && connection.error == 0) return;
  std::byte first{};
  const bool has_unread = connection.tls != nullptr && connection.tls->has_unread();
  const ssize_t count = has_unread ? 1 : ::recv(connection.fd.get(), &first, 1, MSG_PEEK);
  if (count <= 0) {
    handle_received_nothing(connection, count == 0 ? 0 : errno);
  } else if (!connection.is_ending_told) {
    connection.is_ending_told = true;
    handler_->handle_ending(ConnectionTable::id_of(connection), now_);
  }
}

// error: 0 for the peer's FIN, else the errno of recv.
void Reactor::handle_received_nothing(Connection& connection, int error) {
  if (error == EINTR) {
    serve_later(connection);
    return;
  }
  if (error == EAGAIN) {
    connection.may_read = false;
    if (connection.error == 0) return;
    error = connection.error;
  }
  // A failed send is told as what it was, with one exception: EPIPE and an end without an error
  // mean that the peer's FIN had come first, so the peer did end in order.
  if (error == 0 && connection.error != EPIPE) error = connection.error;
  if (error == 0) {
    end(connection, base::CloseCause::Eof, {});
  } else {
    end(connection, cause_of(error), describe_error(error));
  }
}

void Reactor::continue_linger(Connection& connection) {
  if (connection.may_write && connection.has_backlog()) {
    flush_backlog(connection);
    if (!connection.has_backlog()) static_cast<void>(::shutdown(connection.fd.get(), SHUT_WR));
    if (connection.error != 0) {
      connections_.remove(connection);
      return;
    }
  }
  discard_input(connection);
}

void Reactor::discard_input(Connection& connection) {
  if (!connection.may_read) return;
  const ssize_t count = ::recv(connection.fd.get(), received_.data(), received_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    connection.may_read = false;
    return;
  }
  // A peer that has only ended its own direction still gets what is left.
  if (count == 0 && connection.has_backlog()) {
    connection.may_read = false;
    return;
  }
  const auto bytes = static_cast<std::uint32_t>(std::max<ssize_t>(count, 0));
  if (bytes == 0 || bytes > connection.linger_bytes_left) {
    connections_.remove(connection);
    return;
  }
  connection.linger_bytes_left -= bytes;
  serve_later(connection);
}

// Takes a connection that another reactor gave away. If it cannot be watched here it is told as
// closed in the next turn, after its parcel.
base::ConnectionId Reactor::adopt(MovedConnection moved) {
  if (!moved.fd.is_open()) return base::ConnectionId::None;
  Connection& connection = connections_.add();
  connection.phase = Phase::Open;
  connection.fd = std::move(moved.fd);
  connection.tls = std::move(moved.tls);
  connection.is_unix = moved.is_unix;
  connection.owes_writable = moved.owes_writable;
  const int error = watch(connection);
  connection.error = moved.error != 0 ? moved.error : error;
  if (connection.tls != nullptr) {
    make_room_for_plaintext();
    connection.may_read = connection.tls->has_unread() || connection.tls->is_over();
  }
  if (connection.error != 0 || connection.may_read) serve_later(connection);
  return ConnectionTable::id_of(connection);
}

}  // namespace pgweir::net
