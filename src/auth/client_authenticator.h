// ClientAuthenticator: the server's end of authentication toward one client. It asks, judges the
// answers and says who may come in; AuthenticationOk and the ErrorResponse are the caller's, which
// knows when there is a welcome. An unknown user is asked the same and refused the same, after the
// same work, as a known one with a wrong password (decoy.h).
// Source of truth: PostgreSQL's auth.c (CheckPWChallengeAuth) and crypt.c.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "auth/credential.h"
#include "auth/salted_password_cache.h"
#include "auth/scram_server.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "wire/frame.h"

namespace pgweir::auth {

enum class Method {
  Trust,        // A known user comes in unasked.
  Cleartext,    // The password as it is; for TLS and Unix sockets.
  Md5,          // md5, or SCRAM where the stored secret is a SCRAM verifier.
  ScramSha256,  // SCRAM only; a stored md5 hash cannot be checked this way.
};

inline constexpr std::size_t kNonceBytes = 18;  // PostgreSQL's SCRAM_RAW_NONCE_LEN.

struct ClientAuthOptions {
  Method method = Method::ScramSha256;
  std::string user;
  // Shared by all logins of a user. Null: the empty one.
  std::shared_ptr<const Credential> credential;
  bool is_known = true;  // false: there is no such user; only the form of the credential is used.
  base::ByteBuffer tls_binding;  // tls-server-end-point of our certificate; empty: none.
  std::array<std::byte, kNonceBytes> nonce{};  // Fresh and unguessable.
  // The same for the whole life of the process. Not owned, as the cache. REQUIRES: there are both.
  const base::Secret* process_secret = nullptr;
  SaltedPasswordCache* cache = nullptr;
  // Of SCRAM with a plain password, which we hash ourselves. At least 1.
  std::uint32_t scram_iterations = kScramIterationsDefault;
};

// Why a client was refused: for the log and a counter, never for the client.
enum class Refusal {
  None,
  WrongPassword,
  UnknownUser,
  UnusableSecret,  // The stored one is empty, or an md5 hash where SCRAM is demanded.
};

class ClientAuthenticator {
 public:
  enum class Outcome { Continue, Accepted, Refused };

  // REQUIRES: a process secret that is not empty; a cache.
  explicit ClientAuthenticator(ClientAuthOptions options);

  // Appends the first request, or decides at once (Trust). REQUIRES: called once, first.
  // Errors: none but Unsupported, as md5_hex().
  base::Result<Outcome> start(base::ByteBuffer& out);

  // Takes what the client sent and appends the next request, if there is one.
  // Errors: those of ScramServer; ProtocolViolation for any frame but a well-formed 'p' in turn.
  base::Result<Outcome> handle(const wire::Frame& frame, base::ByteBuffer& out);

  // REQUIRES: nothing; None unless Refused.
  Refusal refusal() const { return refusal_; }

  // For logging in to a server as the same user: the keys that the client proved to have (accepted
  // by SCRAM, else null) and the password it sent (accepted by Cleartext, else empty).
  const ScramKeys* proven_keys() const;
  const base::Secret& proven_password() const { return proven_password_; }

 private:
  enum class State { Start, ExpectPassword, ExpectMd5, ExpectSaslFirst, ExpectSaslFinal, Finished };

  const Credential& credential() const { return *options_.credential; }
  bool plays_scram() const;
  void start_scram(base::ByteBuffer& out);
  void start_md5(base::ByteBuffer& out);
  base::Result<bool> check_md5(std::string_view response) const;

  base::Result<Outcome> handle_password(base::Bytes body);
  base::Result<Outcome> handle_md5(base::Bytes body);
  base::Result<Outcome> handle_sasl_first(base::Bytes body, base::ByteBuffer& out);
  base::Result<Outcome> handle_sasl_final(base::Bytes body, base::ByteBuffer& out);
  Outcome decide(bool is_right);

  ClientAuthOptions options_;
  State state_ = State::Start;
  Refusal refusal_ = Refusal::None;
  Refusal doom_ = Refusal::None;  // Why this login cannot succeed, whatever is answered.
  std::optional<ScramServer> scram_;
  bool has_proven_keys_ = false;
  base::Secret proven_password_;
};

}  // namespace pgweir::auth
