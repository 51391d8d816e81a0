// ServerAuthenticator: answers a server's authentication requests when we log in to PostgreSQL. It
// gives no password in clear where that could be read, and takes AuthenticationOk only when every
// step before it was taken.
// Source of truth: PostgreSQL manual, "Start-up"; libpq's fe-auth.c.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "auth/md5.h"
#include "auth/salted_password_cache.h"
#include "auth/scram_client.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "wire/authentication.h"

namespace pgweir::auth {

// What we log in with: nothing, a password, an md5 hash (md5 only) or SCRAM keys (SCRAM only).
using ServerCredential = std::variant<std::monostate, base::Secret, Md5Hash, ScramKeys>;

struct ServerAuthOptions {
  std::string user;
  ServerCredential credential;  // An empty password counts as nothing.
  ChannelBinding channel_binding = ChannelBinding::Prefer;
  bool is_tls = false;
  base::ByteBuffer tls_binding;          // tls-server-end-point of the server; empty: none.
  bool allow_cleartext = false;          // True over TLS and Unix sockets only.
  base::ByteBuffer nonce;                // At least kServerNonceBytesMin fresh unguessable bytes.
  SaltedPasswordCache* cache = nullptr;  // Not owned; may be absent.
};

inline constexpr std::size_t kServerNonceBytesMin = 18;  // PostgreSQL's SCRAM_RAW_NONCE_LEN.

class ServerAuthenticator {
 public:
  enum class Outcome {
    Continue,  // Send what was appended, if anything, and wait for the next request.
    Done,      // AuthenticationOk was right to come.
  };

  // REQUIRES: a nonce of kServerNonceBytesMin or more.
  explicit ServerAuthenticator(ServerAuthOptions options);

  // Takes the body of an 'R' and appends the answer.
  // Errors: those of ScramClient; AuthenticationFailed (side Self) when the server asks for what is
  // not configured or not allowed here; ProtocolViolation for a request out of turn; Unsupported
  // for GSSAPI, SSPI and the like.
  base::Result<Outcome> handle(base::Bytes body, base::ByteBuffer& out);

 private:
  enum class State { Start, PasswordSent, SaslFirstSent, SaslFinalSent, SaslVerified, Finished };
  struct Step;

  base::Result<Outcome> handle_ok(State state);
  base::Status answer_cleartext(base::ByteBuffer& out);
  base::Status answer_md5(const wire::Md5PasswordRequest& request, base::ByteBuffer& out);
  base::Status answer_sasl(const wire::SaslRequest& request, base::ByteBuffer& out);
  base::Status answer_continue(const wire::SaslContinue& request, base::ByteBuffer& out);
  base::Status check_may_go_unbound() const;
  base::Error missing(std::string_view wanted) const;

  ServerAuthOptions options_;
  State state_ = State::Start;
  std::optional<ScramClient> scram_;
};

}  // namespace pgweir::auth
