// TLS on a reactor's connections: the handshake, and bytes through it. The TlsStream turns bytes
// into bytes; here they meet the socket.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/reactor.h"

namespace pgweir::net {
namespace {

// How much is encrypted before the socket has taken it. It bounds what a slow reader can make us
// hold beyond its own socket buffer.
constexpr std::size_t kBatchBytesMax = 64 * 1024;
// A peer that provokes answers (key updates) without reading them is cut off here.
constexpr std::size_t kBacklogBytesMax = 4 * kBatchBytesMax;
// Decrypted bytes of one batch: those received, and one record that began in the batch before.
constexpr std::size_t kRecordBytesMax = 18 * 1024;
// TLS's record type of a ClientHello. No start-up packet of PostgreSQL begins with it: its length
// would be above 352 MB.
constexpr std::byte kTlsHandshake{0x16};

}  // namespace

void Reactor::start_tls(base::ConnectionId id, const base::TlsRequest& request) {
  Connection* connection = find_live(id);
  if (connection == nullptr || connection->phase != Phase::Open) return;
  if (connection->tls != nullptr) return;
  if (request.role == base::TlsRequest::Role::Accept) {
    connection->phase = Phase::AwaitingTurn;
    connection->may_be_direct = false;
  } else {
    begin_handshake(*connection, request);
  }
  serve_later(*connection);
}

// Until the hello is there nothing is made for it, and it is not read before it is its turn.
void Reactor::await_turn(Connection& connection) {
  if (connection.has_hung_up && connection.error == 0) {
    connection.error = take_socket_error(connection.fd.get());
  }
  if (connection.has_hung_up || connection.error != 0) {
    end(connection, connection.error != 0 ? cause_of(connection.error) : base::CloseCause::Eof,
        "the connection ended before the TLS handshake");
    return;
  }
  if (!connection.may_read || std::exchange(connection.is_in_line, true)) return;
  if (handshakes_.enter(ConnectionTable::id_of(connection), now_)) begin_turn(connection);
}

void Reactor::begin_turn(Connection& connection) {
  base::TlsRequest request;
  request.is_direct = connection.is_direct;
  begin_handshake(connection, request);
  continue_handshake(connection);
}

void Reactor::begin_next_handshakes() {
  while (true) {
    const base::ConnectionId id = handshakes_.next(now_);
    if (id == base::ConnectionId::None) return;
    Connection* connection = connections_.find(id);
    if (connection != nullptr && connection->phase == Phase::AwaitingTurn) {
      ring();  // Whoever has letters of ours does not wait for all these handshakes.
      begin_turn(*connection);
    } else {
      handshakes_.leave(id);
    }
  }
}

void Reactor::end_handshake(const Connection& connection) {
  if (connection.phase != Phase::Handshaking) return;
  handshakes_.leave(ConnectionTable::id_of(connection));
}

void Reactor::begin_handshake(Connection& connection, const base::TlsRequest& request) {
  const bool is_accept = request.role == base::TlsRequest::Role::Accept;
  const auto* context =
      is_accept ? tls_.get() : static_cast<const TlsContext*>(request.setup.get());
  connection.phase = Phase::Handshaking;
  connection.may_be_direct = false;
  if (context == nullptr) return;  // Told by continue_handshake.
  connection.tls = context->make_stream(request);
  make_room_for_plaintext();
}

// Only a reactor that has TLS connections, made here or handed over, pays for the buffer.
void Reactor::make_room_for_plaintext() { plain_.resize(received_.size() + kRecordBytesMax); }

// Whether these first bytes of a client are a ClientHello.
bool Reactor::begin_direct_tls(Connection& connection, base::Bytes bytes) {
  if (bytes.front() != kTlsHandshake) return false;
  handshakes_.enter(ConnectionTable::id_of(connection), now_);
  base::TlsRequest request;
  request.is_direct = true;
  begin_handshake(connection, request);
  advance_handshake(connection, bytes);
  return true;
}

// While others are first, a ClientHello is not even read: its first byte says what it is.
bool Reactor::postpone_direct_tls(Connection& connection) {
  std::byte first{};
  if (handshakes_.has_room() || ::recv(connection.fd.get(), &first, 1, MSG_PEEK) != 1 ||
      first != kTlsHandshake) {
    return false;
  }
  connection.phase = Phase::AwaitingTurn;
  connection.may_be_direct = false;
  connection.is_direct = true;
  await_turn(connection);
  return true;
}

void Reactor::continue_handshake(Connection& connection) {
  if (connection.may_write) flush_backlog(connection);
  if (!connection.may_read) {
    // Its first turn, in which the client's side speaks, or room for what it had to say.
    advance_handshake(connection, {});
    return;
  }
  const ssize_t count = ::recv(connection.fd.get(), received_.data(), received_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    connection.may_read = errno == EINTR;
    if (connection.may_read) serve_later(connection);
    advance_handshake(connection, {});
    return;
  }
  if (count <= 0) {
    const base::CloseCause cause = count == 0 ? base::CloseCause::Eof : cause_of(errno);
    end(connection, cause, "the connection ended during the TLS handshake");
    return;
  }
  const auto bytes = static_cast<std::size_t>(count);
  connection.may_read = bytes == received_.size() || connection.has_hung_up;
  if (connection.may_read) serve_later(connection);
  advance_handshake(connection, base::Bytes(received_).first(bytes));
}

void Reactor::advance_handshake(Connection& connection, base::Bytes input) {
  if (connection.tls == nullptr) {
    fail_tls(connection, "TLS is not set up on our side");
    return;
  }
  const TlsStream::Outcome outcome = connection.tls->handshake(input, cipher_);
  transmit(connection);
  switch (outcome) {
    case TlsStream::Outcome::Ongoing:
      if (connection.error != 0) {
        end(connection, cause_of(connection.error),
            "the connection ended during the TLS handshake");
      }
      return;
    case TlsStream::Outcome::Failed:
      fail_tls(connection, std::string(connection.tls->failure()));
      return;
    case TlsStream::Outcome::Done: break;
  }
  end_handshake(connection);
  connection.phase = Phase::Open;
  const base::TlsInfo info = connection.tls->describe();
  connection.tls->settle();
  if (connection.tls->has_unread()) connection.may_read = true;
  if (connection.may_read || connection.owes_writable) serve_later(connection);
  handler_->handle_secured(ConnectionTable::id_of(connection), info, now_);
}

// Lingers, so that the alert which tells the peer why is not lost.
void Reactor::fail_tls(Connection& connection, std::string_view detail) {
  const base::ConnectionId id = ConnectionTable::id_of(connection);
  end_handshake(connection);
  linger(connection);
  handler_->handle_closed(id, base::CloseCause::TlsFailed, detail, now_);
}

void Reactor::receive_encrypted(Connection& connection) {
  if (!connection.may_read && connection.error == 0) return;
  TlsStream& tls = *connection.tls;
  std::size_t bytes = 0;
  if (!tls.has_unread() && !tls.is_over()) {
    const std::ptrdiff_t count = net::receive(connection.fd.get(), received_);
    if (count <= 0) {
      handle_received_nothing(connection, static_cast<int>(-count));
      return;
    }
    bytes = static_cast<std::size_t>(count);
    connection.may_read = bytes == received_.size() || connection.has_hung_up;
  }
  const TlsStream::Opened opened =
      tls.decrypt(base::Bytes(received_).first(bytes), plain_, cipher_);
  transmit(connection);
  if (opened.has_failed) return fail_tls(connection, std::string(tls.failure()));
  if (opened.has_ended) return end_in_order(connection);
  if (tls.has_unread() || tls.is_over()) connection.may_read = true;
  if (connection.may_read || connection.error != 0) serve_later(connection);
  if (opened.bytes == 0) return;
  handler_->handle_bytes(ConnectionTable::id_of(connection),
                         base::Bytes(plain_).first(opened.bytes), now_);
}

// The peer has ended its direction with a close_notify. It may wait for ours before it hangs up.
void Reactor::end_in_order(Connection& connection) {
  if (connection.has_hung_up || connection.error != 0) {
    handle_received_nothing(connection, 0);
    return;
  }
  const base::ConnectionId id = ConnectionTable::id_of(connection);
  connection.tls->say_goodbye(cipher_);
  transmit(connection);
  linger(connection);
  handler_->handle_closed(id, base::CloseCause::Eof, {}, now_);
}

// Nothing is encrypted while ciphertext still waits for room. Returns the plaintext taken: a batch
// counts once it is encrypted, unless the socket turned out to be broken.
std::size_t Reactor::send_encrypted(Connection& connection, base::Bytes head, base::Bytes tail) {
  std::size_t taken = 0;
  while (!connection.has_backlog() && !(head.empty() && tail.empty())) {
    const base::Bytes first = head.first(std::min(head.size(), kBatchBytesMax));
    const base::Bytes second = tail.first(std::min(tail.size(), kBatchBytesMax - first.size()));
    connection.tls->encrypt(first, second, cipher_);
    transmit(connection);
    if (connection.error != 0) return taken;
    taken += first.size() + second.size();
    head = head.subspan(first.size());
    tail = tail.subspan(second.size());
  }
  return taken;
}

// Sends what `cipher_` holds, after what waits already, and empties it.
void Reactor::transmit(Connection& connection) {
  base::ByteBuffer& backlog = connection.tls->backlog;
  base::Bytes rest = cipher_;
  if (backlog.empty() && !rest.empty()) rest = rest.subspan(send_plain(connection, rest, {}));
  if (!rest.empty()) {
    base::append(backlog, rest);
    await_room(connection);
  }
  cipher_.clear();
  if (backlog.size() <= kBacklogBytesMax) return;
  connection.error = ENOBUFS;
  serve_later(connection);
}

void Reactor::flush_backlog(Connection& connection) {
  if (!connection.has_backlog()) return;
  base::ByteBuffer& backlog = connection.tls->backlog;
  const std::size_t sent = send_plain(connection, backlog, {});
  if (sent == backlog.size()) {
    backlog = base::ByteBuffer();  // Its memory too: a connection at rest owns no buffer.
    return;
  }
  backlog.erase(backlog.begin(), backlog.begin() + static_cast<std::ptrdiff_t>(sent));
  await_room(connection);
}

}  // namespace pgweir::net
