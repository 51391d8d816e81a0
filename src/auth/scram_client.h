// ScramClient: the client's end of one SCRAM-SHA-256 exchange, when we log in to PostgreSQL. It
// believes a server only after that has proved to know the verifier.
// Source of truth: RFC 5802, RFC 7677, RFC 5929; libpq's fe-auth-scram.c.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "auth/salted_password_cache.h"
#include "auth/scram_verifier.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace pgweir::auth {

// libpq's channel_binding.
enum class ChannelBinding { Disable, Prefer, Require };

// Above what people choose (OWASP advises 600,000 for PBKDF2 with SHA-256), below what would let a
// hostile server stop our login thread for more than about a second.
inline constexpr std::uint32_t kScramIterationsMax = 1'000'000;

struct ScramClientOptions {
  std::variant<base::Secret, ScramKeys> secret;  // A password, or keys that a client proved.
  ChannelBinding channel_binding = ChannelBinding::Prefer;
  bool is_tls = false;
  base::ByteBuffer tls_binding;          // tls-server-end-point; empty: none to be had.
  std::string nonce;                     // Fresh, unguessable, printable, without a comma.
  SaltedPasswordCache* cache = nullptr;  // Not owned; may be absent.
};

class ScramClient {
 public:
  struct First {
    std::string_view mechanism;
    std::string message;  // client-first-message.
  };

  explicit ScramClient(ScramClientOptions options);

  // Chooses among the offered mechanisms.
  // Errors: Unsupported if there is none that we know; AuthenticationFailed if channel binding is
  // required and cannot be had, or PLUS is offered without TLS.
  base::Result<First> start(std::span<const std::string_view> offered);

  // Takes server-first-message and returns client-final-message.
  // Errors (of the server): ProtocolViolation for what is malformed, out of turn, above a limit, or
  // answers another nonce than ours.
  base::Result<std::string> handle_continue(base::Bytes message);

  // Takes server-final-message; success means that the server is who it should be.
  // Errors (of the server): ProtocolViolation; AuthenticationFailed if it refused or its signature
  // is wrong.
  base::Status handle_final(base::Bytes message);

  bool is_bound() const { return is_plus_; }

 private:
  enum class State { Start, ExpectContinue, ExpectFinal, Verified, Failed };

  base::Status choose(bool has_plain, bool has_plus);
  ScramKeys keys_for(base::Bytes salt, std::uint32_t iterations) const;

  ScramClientOptions options_;
  State state_ = State::Start;
  bool is_plus_ = false;
  std::string gs2_header_;
  std::string client_first_bare_;
  Digest server_signature_{};
};

}  // namespace pgweir::auth
