#include "auth/server_authenticator.h"

#include "auth/base64.h"
#include "base/assert.h"
#include "wire/violation.h"

namespace pgweir::auth {

namespace {

base::Error out_of_turn() {
  return wire::violation(base::Side::Server, "an authentication request out of turn");
}

}  // namespace

// Dispatches one request; what is legal in which state stands here and nowhere else.
struct ServerAuthenticator::Step {
  ServerAuthenticator& self;
  State state;
  base::ByteBuffer& out;

  base::Result<Outcome> after(base::Status status, State next) const {
    if (!status.has_value()) return std::move(status).error();
    self.state_ = next;
    return Outcome::Continue;
  }

  base::Result<Outcome> operator()(const wire::AuthenticationOk&) const {
    return self.handle_ok(state);
  }
  base::Result<Outcome> operator()(const wire::CleartextPasswordRequest&) const {
    if (state != State::Start) return out_of_turn();
    return after(self.answer_cleartext(out), State::PasswordSent);
  }
  base::Result<Outcome> operator()(const wire::Md5PasswordRequest& request) const {
    if (state != State::Start) return out_of_turn();
    return after(self.answer_md5(request, out), State::PasswordSent);
  }
  base::Result<Outcome> operator()(const wire::SaslRequest& request) const {
    if (state != State::Start) return out_of_turn();
    return after(self.answer_sasl(request, out), State::SaslFirstSent);
  }
  base::Result<Outcome> operator()(const wire::SaslContinue& request) const {
    if (state != State::SaslFirstSent) return out_of_turn();
    return after(self.answer_continue(request, out), State::SaslFinalSent);
  }
  base::Result<Outcome> operator()(const wire::SaslFinal& request) const {
    if (state != State::SaslFinalSent) return out_of_turn();
    return after(self.scram_->handle_final(request.data), State::SaslVerified);
  }
  base::Result<Outcome> operator()(const wire::UnsupportedRequest& request) const {
    return base::Error{.code = base::ErrorCode::Unsupported,
                       .side = base::Side::Server,
                       .context = "The server asks for authentication of kind " +
                                  std::to_string(request.code) +
                                  ", which pgweir does not speak; allow scram-sha-256 for user \"" +
                                  self.options_.user + "\" in its pg_hba.conf."};
  }
};

ServerAuthenticator::ServerAuthenticator(ServerAuthOptions options) : options_(std::move(options)) {
  ASSERT(options_.nonce.size() >= kServerNonceBytesMin);
  const auto* password = std::get_if<base::Secret>(&options_.credential);
  if (password != nullptr && password->empty()) options_.credential = std::monostate();
}

base::Result<ServerAuthenticator::Outcome> ServerAuthenticator::handle(base::Bytes body,
                                                                       base::ByteBuffer& out) {
  const State state = state_;
  state_ = State::Finished;  // Where an error leaves us.
  const wire::AuthenticationRequest request = TRY(wire::parse_authentication(body));
  return std::visit(Step{*this, state, out}, request);
}

base::Result<ServerAuthenticator::Outcome> ServerAuthenticator::handle_ok(State state) {
  switch (state) {
    case State::Start:
    case State::PasswordSent: TRY(check_may_go_unbound()); return Outcome::Done;
    case State::SaslVerified: return Outcome::Done;
    case State::SaslFirstSent:
    case State::SaslFinalSent:
      return base::Error{.code = base::ErrorCode::AuthenticationFailed,
                         .side = base::Side::Server,
                         .context =
                             "The server broke off SCRAM before it proved that it knows "
                             "this user's password: it may not be the server that it "
                             "claims to be."};
    case State::Finished: break;
  }
  return out_of_turn();
}

// With channel_binding=require nothing but a SCRAM exchange bound to this TLS connection will do.
base::Status ServerAuthenticator::check_may_go_unbound() const {
  if (options_.channel_binding != ChannelBinding::Require) return base::success();
  return base::Error{.code = base::ErrorCode::AuthenticationFailed,
                     .side = base::Side::Server,
                     .context =
                         "channel_binding is require, but the server does not use "
                         "SCRAM-SHA-256-PLUS for user \"" +
                         options_.user + "\"."};
}

base::Error ServerAuthenticator::missing(std::string_view wanted) const {
  const bool has_nothing = std::holds_alternative<std::monostate>(options_.credential);
  std::string context = "The server asks user \"" + options_.user + "\" for ";
  context.append(wanted).append(has_nothing ? ", and none is configured; set one."
                                            : ", and what is configured cannot give one; "
                                              "configure the plain password.");
  return {.code = base::ErrorCode::AuthenticationFailed, .context = std::move(context)};
}

base::Status ServerAuthenticator::answer_cleartext(base::ByteBuffer& out) {
  TRY(check_may_go_unbound());
  if (!options_.allow_cleartext) {
    return base::Error{.code = base::ErrorCode::AuthenticationFailed,
                       .context = "The server asks for the password of user \"" + options_.user +
                                  "\" in clear on a connection that others could read; use TLS, "
                                  "or allow scram-sha-256 in its pg_hba.conf."};
  }
  const auto* password = std::get_if<base::Secret>(&options_.credential);
  if (password == nullptr) return missing("a password");
  wire::encode_password_message(out, password->reveal());
  return base::success();
}

base::Status ServerAuthenticator::answer_md5(const wire::Md5PasswordRequest& request,
                                             base::ByteBuffer& out) {
  TRY(check_may_go_unbound());
  Md5Hash hash;
  if (const auto* known = std::get_if<Md5Hash>(&options_.credential)) {
    hash = *known;
  } else if (const auto* password = std::get_if<base::Secret>(&options_.credential)) {
    hash = TRY(make_md5_hash(options_.user, *password));
  } else {
    return missing("an md5 password");
  }
  wire::encode_password_message(out, TRY(make_md5_response(hash, request.salt)).reveal());
  return base::success();
}

base::Status ServerAuthenticator::answer_sasl(const wire::SaslRequest& request,
                                              base::ByteBuffer& out) {
  ScramClientOptions scram{.secret = {},
                           .channel_binding = options_.channel_binding,
                           .is_tls = options_.is_tls,
                           .tls_binding = options_.tls_binding,
                           .nonce = encode_base64(options_.nonce),
                           .cache = options_.cache};
  if (const auto* password = std::get_if<base::Secret>(&options_.credential)) {
    scram.secret = *password;
  } else if (const auto* keys = std::get_if<ScramKeys>(&options_.credential)) {
    scram.secret = *keys;
  } else {
    return missing("a SCRAM password");
  }
  scram_.emplace(std::move(scram));
  const ScramClient::First first = TRY(scram_->start(request.mechanisms));
  wire::encode_sasl_initial_response(out, {first.mechanism, base::as_bytes(first.message)});
  return base::success();
}

base::Status ServerAuthenticator::answer_continue(const wire::SaslContinue& request,
                                                  base::ByteBuffer& out) {
  const std::string reply = TRY(scram_->handle_continue(request.data));
  wire::encode_sasl_response(out, base::as_bytes(reply));
  return base::success();
}

}  // namespace pgweir::auth
