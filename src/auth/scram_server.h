// ScramServer: the server's end of one SCRAM-SHA-256 exchange, towards a client that logs in to us.
// It reads and writes SASL payloads; the messages around them are client_authenticator.h.
// Source of truth: RFC 5802, RFC 7677, RFC 5929; PostgreSQL's auth-scram.c.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "auth/salted_password_cache.h"
#include "auth/scram_verifier.h"
#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::auth {

// A password that we know, and how we stretch it. That happens when the proof is there: what is
// said before costs the same whoever asks.
struct PlainScramSecret {
  base::Secret password;
  base::ByteBuffer salt;
  std::uint32_t iterations = kScramIterationsDefault;
  SaltedPasswordCache* cache = nullptr;  // Not owned. REQUIRES: there is one.
};

struct ScramServerOptions {
  // A verifier is borrowed, and outlives the exchange. REQUIRES: it is not null.
  std::variant<const ScramVerifier*, PlainScramSecret> secret;
  base::ByteBuffer tls_binding;  // tls-server-end-point of our certificate; empty: no PLUS.
  std::string nonce;             // Our half: fresh, unguessable, printable, without a comma.
};

class ScramServer {
 public:
  explicit ScramServer(ScramServerOptions options);

  // What to offer, best first.
  std::span<const std::string_view> mechanisms() const;

  // Takes client-first-message and returns server-first-message, valid until the next call.
  // Errors (of the client): ProtocolViolation for what is malformed, out of turn or does not fit
  // the mechanism; AuthenticationFailed when somebody hid PLUS from the client (gs2 flag `y`);
  // Unsupported for a binding or an extension that we do not know.
  base::Result<std::string_view> handle_first(std::string_view mechanism, base::Bytes message);

  // Takes client-final-message and returns server-final-message, as valid, or nullopt if the proof
  // is wrong.
  // Errors (of the client): ProtocolViolation; AuthenticationFailed if the channel binding differs.
  base::Result<std::optional<std::string_view>> handle_final(base::Bytes message);

  // The keys that the client proved to have, good for a login elsewhere with the same verifier.
  // REQUIRES: handle_final accepted.
  const ScramKeys& keys() const;

 private:
  enum class State { ExpectFirst, ExpectFinal, Accepted, Failed };

  // Reads the part in front of client-first-message-bare and returns what follows it.
  base::Result<std::string_view> parse_gs2_header(std::string_view message);
  base::Status check_flag(std::string_view flag) const;
  std::string expected_binding() const;
  std::string_view nonce() const;
  bool accept(const Digest& proof, std::string_view auth_message);
  // Takes over the keys if the proof was made with them.
  bool accept(const ScramVerifier& verifier, const Digest& proof, std::string_view auth_message);

  ScramServerOptions options_;
  State state_ = State::ExpectFirst;
  bool is_plus_ = false;
  std::string gs2_header_;
  // What the signatures are over (RFC 5802's AuthMessage), as far as it has been said; in the end
  // our last message behind it. One text, because each of its own would be an allocation per login.
  std::string exchange_;
  std::size_t server_first_at_ = 0;
  std::size_t nonce_bytes_ = 0;  // Of both halves.
  ScramKeys keys_;
};

}  // namespace pgweir::auth
