// ServerStartup: our login to a PostgreSQL server, from the first byte to its first ReadyForQuery:
// the request for TLS, the StartupMessage, authentication, parameters and cancel key. It moves no
// bytes itself and chooses no address; one object is one attempt.
//
// Source of truth: PostgreSQL manual "Message Flow", "Start-up"; libpq's PQconnectPoll.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/server_authenticator.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/result.h"
#include "wire/report.h"
#include "wire/startup.h"

namespace pgweir::session {

class ServerStartup {
 public:
  enum class Tls : std::uint8_t {
    Never,    // Not asked for.
    Prefer,   // Asked for; plain text if the server has none.
    Require,  // Asked for; without it the attempt fails.
    Direct,   // The transport begins with the handshake, no request.
  };
  // How a server may have us prove who we are (libpq's require_auth).
  struct Methods {
    bool has_cleartext = true;
    bool has_md5 = true;
    bool has_sasl = true;
    bool has_none = true;  // It may let us in without asking.
  };
  struct Plan {
    Tls tls = Tls::Prefer;
    wire::Parameters parameters;  // user and database among them.
    auth::ServerAuthOptions auth;
    Methods methods = {};
  };
  enum class Step : std::uint8_t {
    NeedsMore,
    StartTls,  // Start a handshake, then call handle_secured.
    Ready,     // Logged in; `reported()` and `cancel_key()` are complete.
    Refused,   // The server said no: `refusal()`.
  };

  explicit ServerStartup(Plan plan);

  // The transport is connected. Appends the first bytes to send.
  Step handle_opened(base::ByteBuffer& out);
  void handle_secured(const base::TlsInfo& tls, base::ByteBuffer& out);

  // Takes what is complete off `input`, appends what it is answered with.
  // Errors: ProtocolViolation, AuthenticationFailed (of the server toward us, or no usable
  // password), TlsFailed when TLS is required and the server has none, Unsupported.
  base::Result<Step> handle_bytes(base::Bytes& input, base::ByteBuffer& out);

  // ParameterStatus as the server reported it during login, in its order.
  const wire::Parameters& reported() const { return reported_; }
  const wire::CancelKey& cancel_key() const { return cancel_key_; }
  const wire::Report& refusal() const { return refusal_; }
  bool is_secured() const { return is_secured_; }
  // The server has said that it does without TLS.
  bool is_denied_tls() const { return is_denied_tls_; }

 private:
  enum class State : std::uint8_t { TlsAnswer, Handshake, Authentication, Settings, Ended };

  base::Result<Step> handle_tls_answer(base::Bytes& input, base::ByteBuffer& out);
  base::Result<Step> handle_frame(char type, base::Bytes body, base::ByteBuffer& out);
  base::Result<Step> handle_setting(char type, base::Bytes body);
  void begin_login(base::ByteBuffer& out);
  base::Status check_method(base::Bytes body);

  Plan plan_;
  std::optional<auth::ServerAuthenticator> authenticator_;
  State state_ = State::TlsAnswer;
  bool is_secured_ = false;
  bool is_denied_tls_ = false;
  bool has_been_asked_ = false;  // For a proof of who we are.
  base::ByteBuffer tls_binding_;
  wire::Parameters reported_;
  wire::CancelKey cancel_key_;
  wire::Report refusal_;
};

}  // namespace pgweir::session
