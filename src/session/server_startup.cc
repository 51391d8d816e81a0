#include "session/server_startup.h"

#include "wire/frame.h"
#include "wire/reply.h"
#include "wire/violation.h"

namespace pgweir::session {
namespace {

// Nothing that a server says during login is longer in earnest.
constexpr std::uint32_t kBodyBytesMax = 64 * 1024;

base::Error no_tls() {
  return {.code = base::ErrorCode::TlsFailed,
          .side = base::Side::Server,
          .context = "the server does not support TLS, but sslmode requires it"};
}

}  // namespace

ServerStartup::ServerStartup(Plan plan) : plan_(std::move(plan)) {}

ServerStartup::Step ServerStartup::handle_opened(base::ByteBuffer& out) {
  switch (plan_.tls) {
    case Tls::Direct: state_ = State::Handshake; return Step::StartTls;
    case Tls::Prefer:
    case Tls::Require:
      state_ = State::TlsAnswer;
      wire::encode_ssl_request(out);
      return Step::NeedsMore;
    case Tls::Never: break;
  }
  begin_login(out);
  return Step::NeedsMore;
}

void ServerStartup::handle_secured(const base::TlsInfo& tls, base::ByteBuffer& out) {
  is_secured_ = true;
  tls_binding_ = tls.peer_certificate_hash;
  begin_login(out);
}

void ServerStartup::begin_login(base::ByteBuffer& out) {
  state_ = State::Authentication;
  auth::ServerAuthOptions options = std::move(plan_.auth);
  options.is_tls = is_secured_;
  options.tls_binding = tls_binding_;
  options.allow_cleartext = options.allow_cleartext || is_secured_;
  authenticator_.emplace(std::move(options));
  wire::encode_startup(out, wire::kProtocol30, plan_.parameters);
}

base::Result<ServerStartup::Step> ServerStartup::handle_bytes(base::Bytes& input,
                                                              base::ByteBuffer& out) {
  while (!input.empty()) {
    Step step = Step::NeedsMore;
    if (state_ == State::TlsAnswer) {
      step = TRY(handle_tls_answer(input, out));
    } else {
      if (state_ == State::Ended || state_ == State::Handshake) {
        return wire::violation(base::Side::Server, "bytes where none were due");
      }
      const auto frame = TRY(wire::take_frame(input, kBodyBytesMax, base::Side::Server));
      if (!frame) return Step::NeedsMore;
      step = TRY(handle_frame(frame->type, frame->body, out));
    }
    if (step != Step::NeedsMore) return step;
  }
  return Step::NeedsMore;
}

base::Result<ServerStartup::Step> ServerStartup::handle_tls_answer(base::Bytes& input,
                                                                   base::ByteBuffer& out) {
  const char answer = static_cast<char>(input.front());
  input = input.subspan(1);
  if (answer == 'S') {
    // Bytes behind the 'S' are not encrypted and came from whoever sits in between (CVE-2021-3935).
    if (!input.empty()) {
      return wire::violation(base::Side::Server, "unencrypted bytes behind its grant of TLS");
    }
    state_ = State::Handshake;
    return Step::StartTls;
  }
  if (answer == 'N') {
    is_denied_tls_ = true;
    if (plan_.tls == Tls::Require) return no_tls();
    begin_login(out);
    return Step::NeedsMore;
  }
  // Not authenticated, so not to be shown: a server that could not start a backend says 'E'.
  return base::Error{.code = base::ErrorCode::Refused,
                     .side = base::Side::Server,
                     .context = "the server answered the request for TLS with an error"};
}

base::Result<ServerStartup::Step> ServerStartup::handle_frame(char type, base::Bytes body,
                                                              base::ByteBuffer& out) {
  if (type == 'E') {
    refusal_ = TRY(wire::parse_report(body));
    state_ = State::Ended;
    return Step::Refused;
  }
  if (type == 'N') return Step::NeedsMore;
  // A server that knows only 3.0 cannot object to 3.0; one that does is of no use.
  if (type == 'v') return wire::violation(base::Side::Server, "it refuses protocol 3.0");
  if (state_ == State::Settings) return handle_setting(type, body);
  if (type != 'R') {
    return wire::violation(base::Side::Server, "a message before authentication was complete");
  }
  TRY(check_method(body));
  const auth::ServerAuthenticator::Outcome outcome = TRY(authenticator_->handle(body, out));
  if (outcome == auth::ServerAuthenticator::Outcome::Done) state_ = State::Settings;
  return Step::NeedsMore;
}

// Before anything is answered: a server that is not the right one learns nothing.
base::Status ServerStartup::check_method(base::Bytes body) {
  const wire::AuthenticationRequest request = TRY(wire::parse_authentication(body));
  const auto refuse = [](std::string_view what) {
    return base::Error{.code = base::ErrorCode::AuthenticationFailed,
                       .side = base::Side::Self,
                       .context = "the server " + std::string(what) +
                                  ", which require_auth in pgweir's configuration forbids"};
  };
  const Methods& may = plan_.methods;
  if (std::holds_alternative<wire::CleartextPasswordRequest>(request)) {
    if (!may.has_cleartext) return refuse("asks for a password in clear");
  } else if (std::holds_alternative<wire::Md5PasswordRequest>(request)) {
    if (!may.has_md5) return refuse("asks for an md5 password");
  } else if (std::holds_alternative<wire::SaslRequest>(request)) {
    if (!may.has_sasl) return refuse("asks for SCRAM");
  } else if (std::holds_alternative<wire::AuthenticationOk>(request)) {
    if (!has_been_asked_ && !may.has_none) return refuse("lets us in without asking who we are");
  }
  has_been_asked_ = true;
  return base::success();
}

base::Result<ServerStartup::Step> ServerStartup::handle_setting(char type, base::Bytes body) {
  switch (type) {
    case 'S': {
      const wire::ParameterStatus status = TRY(wire::parse_parameter_status(body));
      reported_.emplace_back(status.name, status.value);
      return Step::NeedsMore;
    }
    case 'K': cancel_key_ = TRY(wire::parse_backend_key_data(body)); return Step::NeedsMore;
    case 'Z': {
      const char status = TRY(wire::parse_ready_for_query(body));
      if (status != 'I') {
        return wire::violation(base::Side::Server, "a transaction is open right after login");
      }
      state_ = State::Ended;
      return Step::Ready;
    }
    default: return wire::violation(base::Side::Server, "an unknown message during login");
  }
}

}  // namespace pgweir::session
