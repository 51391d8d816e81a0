// TlsStream: one connection's TLS between byte strings: ciphertext in, plaintext out, and back. It
// touches no socket. At rest it owns no buffer; of TLS 1.3 it then holds keys and no OpenSSL object
// (TlsRecords), of older versions OpenSSL's, whose record buffers are released.
//
// What has to be sent to the peer is appended to `out` by every call, even by one that fails (an
// alert).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/io.h"
#include "base/secret.h"
#include "net/tls_records.h"

struct ssl_st;
struct ssl_ctx_st;
struct bio_st;

namespace pgweir::net {

class TlsStream {
 public:
  enum class Outcome { Ongoing, Done, Failed };
  struct Opened {
    std::size_t bytes = 0;    // Plaintext written. The end is told without any, once all of it is:
    bool has_ended = false;   // by the peer's close_notify,
    bool has_failed = false;  // or by a failure.
  };

  TlsStream(ssl_ctx_st& context, const base::TlsRequest& request, bool verifies_host);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  // Goes on with the handshake. Ciphertext beyond its end is kept for decrypt().
  Outcome handshake(base::Bytes input, base::ByteBuffer& out);

  // Gives back what only the handshake needed. REQUIRES: it is done; describe() has no answer then.
  void settle();

  // Takes all of `input` (after what was kept) and decrypts as much as fits into `plain`; the rest
  // is kept: call again with no input while has_unread(), and once more if is_over(). What comes
  // after the peer's end is ignored.
  Opened decrypt(base::Bytes input, std::span<std::byte> plain, base::ByteBuffer& out);
  bool has_unread() const;
  bool is_over() const;
  // Whether the peer has said nothing, not even the beginning of a record, that was not told.
  bool is_silent() const;

  // Encrypts all of head and tail.
  void encrypt(base::Bytes head, base::Bytes tail, base::ByteBuffer& out);

  // Ends our direction (close_notify).
  void say_goodbye(base::ByteBuffer& out);

  // REQUIRES: a call failed. In plain words.
  const std::string& failure() const { return failure_; }
  // REQUIRES: the handshake is done, and settle() has not been called.
  base::TlsInfo describe() const;

  // For a context's key log callback: where the secrets for settle() come from.
  static void note_secret(const ssl_st* ssl, const char* line);

  // Ciphertext that the socket has not taken yet. The reactor fills and drains it.
  base::ByteBuffer backlog;

 private:
  friend struct TlsBio;
  struct Secrets {
    base::Secret of_client;
    base::Secret of_server;
  };
  std::size_t read_some(base::Bytes input, std::span<std::byte> plain, base::ByteBuffer& out);
  void name_host(const base::TlsRequest& request, bool verifies_host);
  void fail();
  Outcome check_protocol();
  bool is_plain_tls13(std::uint16_t suite) const;

  ssl_st* ssl_;  // Owns its BIO, which points back here; null once `records_` has taken over.
  std::unique_ptr<Secrets> secrets_;  // Until then.
  std::unique_ptr<TlsRecords> records_;
  base::Bytes input_;                // Valid during a call only.
  base::ByteBuffer* out_ = nullptr;  // Valid during a call only.
  base::ByteBuffer kept_;            // Ciphertext not decrypted yet.
  std::string host_;                 // That the peer's certificate is held against, if any.
  std::string failure_;
  bool is_client_;  // We play TLS's client: the peer is a server.
  bool is_direct_;
};

}  // namespace pgweir::net
