// ClientStartup: the packets with which a client opens a connection, and their order: requests for
// TLS or GSS encryption, a CancelRequest, the StartupMessage. It ends where authentication begins
// (auth/client_authenticator.h) and moves no bytes itself.
//
// Source of truth: PostgreSQL manual "Message Flow", ProcessStartupPacket in
// src/backend/tcop/backend_startup.c.
#pragma once

#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/startup.h"

namespace pgweir::session {

class ClientStartup {
 public:
  struct NeedsMore {};
  struct StartTls {};  // 'S' was appended to the answer; what follows is the handshake.
  using Step = std::variant<NeedsMore, StartTls, wire::CancelKey, wire::StartupMessage>;

  // has_tls: whether we can do TLS at all; without it an SSLRequest is answered with 'N'.
  // is_secured: the transport is encrypted already (direct TLS); more of it is declined, too.
  ClientStartup(bool has_tls, bool is_secured) : has_tls_(has_tls), is_secured_(is_secured) {}

  // Takes whole packets off `input` and appends what they are answered with to `out`, until one of
  // them leads on. A StartupMessage of a newer minor version, or with protocol options, is answered
  // by exactly one NegotiateProtocolVersion.
  // Errors: ProtocolViolation for a malformed packet, a second request of a kind, or plaintext
  // behind an SSLRequest that was granted (CVE-2021-3935); Unsupported for protocol 2.
  base::Result<Step> handle_bytes(base::Bytes& input, base::ByteBuffer& out);

  void handle_secured() { is_secured_ = true; }

 private:
  base::Result<Step> answer_ssl_request(base::Bytes rest, base::ByteBuffer& out);

  bool has_tls_;
  bool is_secured_;
  bool has_asked_tls_ = false;
  bool has_been_granted_tls_ = false;
  bool has_asked_gss_ = false;
};

}  // namespace pgweir::session
