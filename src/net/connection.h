// Connection and ConnectionTable: what the reactor keeps for each socket, in a slab whose entries
// never move. An entry at rest is small and owns no buffer; TLS state hangs on one pointer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "net/descriptor.h"
#include "net/tls_stream.h"

namespace pgweir::net {

enum class Phase : std::uint8_t {
  Free,
  Connecting,    // open() was called; neither opened nor failed yet.
  Open,          // Bytes flow, in the clear or through TLS.
  AwaitingTurn,  // A client that starts TLS: it has not said hello yet, or others are first.
  Handshaking,   // start_tls() was called; neither secured nor failed yet.
  Lingering,     // Ended on our side; the id is dead for the core, what was sent is still leaving.
};

struct Connection {
  std::unique_ptr<TlsStream> tls;
  Descriptor fd;
  std::uint32_t slot = 0;
  std::uint32_t generation = 1;
  std::int32_t error = 0;               // The errno that broke it, told once unread bytes are told.
  std::uint32_t linger_bytes_left = 0;  // Lingering only: how much is still read and discarded.
  Phase phase = Phase::Free;
  bool is_unix : 1 = false;
  bool is_paused : 1 = false;
  bool is_due : 1 = false;          // It is in the reactor's list of connections to serve next.
  bool may_read : 1 = false;        // The kernel may hold bytes or an end that we have not read.
  bool may_write : 1 = false;       // Room was reported since the last refusal.
  bool has_hung_up : 1 = false;     // The kernel reported the peer's end or an error.
  bool is_exhausted : 1 = false;    // It has ended, and all that it sent has been read.
  bool is_ending_told : 1 = false;  // handle_ending was called.
  bool owes_writable : 1 = false;   // try_send refused bytes; handle_writable must follow.
  bool watches_write : 1 = false;   // Unix socket: EPOLLOUT is registered for now.
  bool may_be_direct : 1 = false;   // Accepted and silent so far: its first byte may be TLS's.
  bool is_direct : 1 = false;       // AwaitingTurn only: it was.
  bool is_in_line = false;          // AwaitingTurn only: it has said hello.

  // Ciphertext that the socket has not taken yet.
  bool has_backlog() const { return tls != nullptr && !tls->backlog.empty(); }
};

static_assert(sizeof(Connection) <= 32, "each idle client has one");

class ConnectionTable {
 public:
  // A fresh entry in phase Connecting; set what it is at once.
  Connection& add();
  // Closes the socket; the id is dead from now on and its slot may be used again.
  void remove(Connection& connection);
  // The entry, or nullptr if that connection has ended.
  Connection* find(base::ConnectionId id);

  static base::ConnectionId id_of(const Connection& connection) {
    return base::make_connection_id(connection.slot, connection.generation);
  }
  std::size_t count() const { return count_; }

 private:
  static constexpr std::uint32_t kChunk = 256;
  Connection& at(std::uint32_t slot) { return (*chunks_[slot / kChunk])[slot % kChunk]; }

  std::vector<std::unique_ptr<std::array<Connection, kChunk>>> chunks_;
  std::vector<std::uint32_t> free_;  // Last freed first: its cache lines are warm.
  std::size_t count_ = 0;
};

}  // namespace pgweir::net
