// TlsRecords: an established TLS 1.3 connection between byte strings: records, alerts and new keys.
// OpenSSL has played the handshake; from there on this holds 300 bytes for it where OpenSSL holds
// 14 KB, and asks OpenSSL for ciphers and hashes only. It knows no older version and no socket.
// Source of truth: RFC 8446, sections 4.6.3, 5 and 6.
#pragma once

#include <memory>
#include <string>

#include "base/byte_queue.h"
#include "base/bytes.h"
#include "net/tls_keys.h"

namespace pgweir::net {

class TlsRecords {
 public:
  // Of content in a record that we send, half of what RFC 8446 allows: libpq (seen: 15) reads at
  // least so much at once (pqReadData) and leaves what is beyond it in OpenSSL, where a client that
  // then waits for its socket, as psycopg does, waits forever. PostgreSQL sends no longer ones.
  static constexpr std::size_t kSentBytesMax = 8 * 1024;

  struct Secrets {
    base::Bytes read;
    base::Bytes write;
    std::uint64_t written = 0;  // Records that `write` has protected already.
  };
  // suite: see TlsKeys. unread: what has come behind the handshake. is_client: which end we are.
  TlsRecords(std::uint16_t suite, const Secrets& secrets, base::Bytes unread, bool is_client);

  // As TlsStream's. The first failure is told to the peer and ends the connection: what comes
  // afterwards is ignored, as it is after the peer's close_notify.
  std::size_t decrypt(base::Bytes input, std::span<std::byte> plain, base::ByteBuffer& out);
  bool has_unread() const;
  bool is_silent() const;
  void encrypt(base::Bytes head, base::Bytes tail, base::ByteBuffer& out);
  void say_goodbye(base::ByteBuffer& out);

  bool is_closed() const { return is_closed_; }  // By the peer, in order.
  bool has_failed() const { return has_failed_; }
  // In plain words, of the first failure.
  std::string failure() const;

 private:
  enum class Type : std::uint8_t;
  enum class Alert : std::uint8_t;

  std::size_t open(base::Bytes record, std::span<std::byte> room, base::ByteBuffer& out);
  std::size_t take(base::Bytes inner, std::span<std::byte> room, base::ByteBuffer& out);
  std::size_t take_pending(std::span<std::byte> room);
  void take_barren(Type type, base::Bytes content, base::ByteBuffer& out);
  void take_handshake(base::Bytes part, base::ByteBuffer& out);
  void take_key_update(base::Bytes body, base::ByteBuffer& out);
  void take_alert(base::Bytes body, base::ByteBuffer& out);
  void fail(Alert alert, base::ByteBuffer& out);
  void write(Type type, base::Bytes head, base::Bytes tail, base::ByteBuffer& out);
  void renew_write_keys(base::ByteBuffer& out);

  TlsKeys read_;
  TlsKeys write_;
  base::ByteQueue kept_;       // Ciphertext: a record whose end is missing, or that found no room.
  base::ByteQueue pending_;    // Plaintext that found no room.
  base::ByteQueue handshake_;  // A message whose end is missing.
  std::uint8_t barren_ = 0;    // Records since the last one that held data.
  std::uint8_t alert_ = 0;     // The failure: ours, or what the peer says that we did.
  bool is_alert_of_peer_ = false;
  bool has_failed_ = false;
  bool is_closed_ = false;
  const bool is_client_;
};

}  // namespace pgweir::net
