// TlsStream: one connection's TLS between byte strings: ciphertext in, plaintext out, and back. It
// touches no socket. At rest it owns no buffer of ours; OpenSSL's record buffers are released.
//
// What has to be sent to the peer is appended to `out` by every call, even by one that fails (an
// alert).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/io.h"

struct ssl_st;
struct ssl_ctx_st;
struct bio_st;

namespace pgweir::net {

class TlsStream {
 public:
  enum class Outcome { Ongoing, Done, Failed };
  struct Opened {
    std::size_t bytes = 0;  // Plaintext written.
    bool has_failed = false;
  };

  TlsStream(ssl_ctx_st& context, const base::TlsRequest& request, bool verifies_host);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  // Goes on with the handshake. Ciphertext beyond its end is kept for decrypt().
  Outcome handshake(base::Bytes input, base::ByteBuffer& out);

  // Takes all of `input` (after what was kept) and decrypts as much as fits into `plain`; the rest
  // is kept: call again with no input while has_unread(). After the peer's close_notify everything
  // is ignored; the connection ends with the FIN that follows.
  Opened decrypt(base::Bytes input, std::span<std::byte> plain, base::ByteBuffer& out);
  bool has_unread() const;

  // Encrypts all of head and tail.
  void encrypt(base::Bytes head, base::Bytes tail, base::ByteBuffer& out);

  // Ends our direction (close_notify).
  void say_goodbye(base::ByteBuffer& out);

  // REQUIRES: a call failed. In plain words.
  const std::string& failure() const { return failure_; }
  // REQUIRES: the handshake is done.
  base::TlsInfo describe() const;

  // Ciphertext that the socket has not taken yet. The reactor fills and drains it.
  base::ByteBuffer backlog;

 private:
  friend struct TlsBio;
  void name_host(const base::TlsRequest& request, bool verifies_host);
  void fail();
  Outcome check_protocol();

  ssl_st* ssl_;                      // Owns its BIO, which points back here.
  base::Bytes input_;                // Valid during a call only.
  base::ByteBuffer* out_ = nullptr;  // Valid during a call only.
  base::ByteBuffer kept_;            // Ciphertext not decrypted yet.
  std::string host_;                 // That the peer's certificate is held against, if any.
  std::string failure_;
  bool is_client_;  // We play TLS's client: the peer is a server.
  bool is_direct_;
};

}  // namespace pgweir::net
