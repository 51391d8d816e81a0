#include "auth/client_authenticator.h"

#include <algorithm>
#include <array>

#include "auth/base64.h"
#include "auth/decoy.h"
#include "auth/scram_exchange.h"
#include "base/assert.h"
#include "wire/authentication.h"
#include "wire/violation.h"

namespace pgweir::auth {

namespace {

using Salt = std::array<std::byte, 4>;

base::Error malformed(std::string_view what) { return wire::violation(base::Side::Client, what); }

bool is_md5_for_scram(const ClientAuthOptions& options) {
  return options.method == Method::ScramSha256 &&
         std::holds_alternative<Md5Hash>(*options.credential);
}

Refusal doom_of(const ClientAuthOptions& options) {
  if (!options.is_known) return Refusal::UnknownUser;
  if (options.method == Method::Trust) return Refusal::None;
  const auto* plain = std::get_if<base::Secret>(options.credential.get());
  const bool is_empty = plain != nullptr && plain->empty();
  return is_empty || is_md5_for_scram(options) ? Refusal::UnusableSecret : Refusal::None;
}

// What is played: what is stored, or, for who cannot win, what nobody knows.
std::shared_ptr<const Credential> credential_to_play(const ClientAuthOptions& options) {
  if (doom_of(options) == Refusal::None) return options.credential;
  // An md5 hash that cannot be checked passes for a plain password, whoever has it.
  const Credential plain;
  return std::make_shared<const Credential>(
      make_decoy(is_md5_for_scram(options) ? plain : *options.credential, *options.process_secret,
                 options.user));
}

ClientAuthOptions with_credential(ClientAuthOptions options) {
  static const auto kEmpty = std::make_shared<const Credential>();
  if (options.credential == nullptr) options.credential = kEmpty;
  return options;
}

Salt md5_salt_of(const ClientAuthOptions& options) {
  Salt salt;
  std::copy_n(options.nonce.begin(), salt.size(), salt.begin());
  return salt;
}

}  // namespace

ClientAuthenticator::ClientAuthenticator(ClientAuthOptions options)
    : options_(with_credential(std::move(options))), doom_(doom_of(options_)) {
  ASSERT(options_.process_secret != nullptr && !options_.process_secret->empty());
  ASSERT(options_.cache != nullptr);
  options_.credential = credential_to_play(options_);
}

bool ClientAuthenticator::plays_scram() const {
  return options_.method == Method::ScramSha256 ||
         std::holds_alternative<ScramVerifier>(credential());
}

base::Result<ClientAuthenticator::Outcome> ClientAuthenticator::start(base::ByteBuffer& out) {
  ASSERT(state_ == State::Start);
  switch (options_.method) {
    case Method::Trust: return decide(true);
    case Method::Cleartext:
      wire::encode_cleartext_password_request(out);
      state_ = State::ExpectPassword;
      return Outcome::Continue;
    case Method::Md5:
    case Method::ScramSha256:
      if (plays_scram()) {
        start_scram(out);
      } else {
        start_md5(out);
      }
      return Outcome::Continue;
  }
  return Outcome::Refused;
}

void ClientAuthenticator::start_md5(base::ByteBuffer& out) {
  wire::encode_md5_password_request(out, md5_salt_of(options_));
  state_ = State::ExpectMd5;
}

void ClientAuthenticator::start_scram(base::ByteBuffer& out) {
  ScramServerOptions made{
      .secret = {}, .tls_binding = options_.tls_binding, .nonce = encode_base64(options_.nonce)};
  if (const auto* verifier = std::get_if<ScramVerifier>(&credential())) {
    made.secret = verifier;
  } else {
    made.secret =
        PlainScramSecret{.password = std::get<base::Secret>(credential()),
                         .salt = make_stable_salt(*options_.process_secret, options_.user),
                         .iterations = options_.scram_iterations,
                         .cache = options_.cache};
  }
  scram_.emplace(std::move(made));
  wire::encode_sasl_request(out, scram_->mechanisms());
  state_ = State::ExpectSaslFirst;
}

base::Result<ClientAuthenticator::Outcome> ClientAuthenticator::handle(const wire::Frame& frame,
                                                                       base::ByteBuffer& out) {
  const State state = state_;
  state_ = State::Finished;  // Where an error leaves us.
  if (frame.type != 'p') return malformed("something else than the answer to a password request");
  if (frame.body.size() > wire::kAuthenticationBodyBytesMax) {
    return malformed("an answer to a password request above 65,535 bytes");
  }
  switch (state) {
    case State::ExpectPassword: return handle_password(frame.body);
    case State::ExpectMd5: return handle_md5(frame.body);
    case State::ExpectSaslFirst: return handle_sasl_first(frame.body, out);
    case State::ExpectSaslFinal: return handle_sasl_final(frame.body, out);
    case State::Start:
    case State::Finished: break;
  }
  return malformed("an answer to no password request");
}

base::Result<ClientAuthenticator::Outcome> ClientAuthenticator::handle_password(base::Bytes body) {
  base::Secret password(TRY(wire::parse_password_message(body)));
  const Outcome outcome =
      decide(TRY(is_password_right(credential(), options_.user, password, *options_.cache)));
  if (outcome == Outcome::Accepted) proven_password_ = std::move(password);
  return outcome;
}

base::Result<ClientAuthenticator::Outcome> ClientAuthenticator::handle_md5(base::Bytes body) {
  const std::string_view response = TRY(wire::parse_password_message(body));
  return decide(TRY(check_md5(response)));
}

base::Result<bool> ClientAuthenticator::check_md5(std::string_view response) const {
  const auto* stored = std::get_if<Md5Hash>(&credential());
  const Md5Hash expected =
      stored != nullptr ? *stored
                        : TRY(make_md5_hash(options_.user, std::get<base::Secret>(credential())));
  const base::Secret answer = TRY(make_md5_response(expected, md5_salt_of(options_)));
  return answer.is_equal(response);
}

base::Result<ClientAuthenticator::Outcome> ClientAuthenticator::handle_sasl_first(
    base::Bytes body, base::ByteBuffer& out) {
  const wire::SaslInitialResponse response = TRY(wire::parse_sasl_initial_response(body));
  // SCRAM lets the client speak first; PostgreSQL answers an absent response with an empty
  // challenge, which no known client makes use of.
  if (!response.data.has_value()) return malformed("a SCRAM exchange without a first message");
  const std::string_view reply = TRY(scram_->handle_first(response.mechanism, *response.data));
  wire::encode_sasl_continue(out, base::as_bytes(reply));
  state_ = State::ExpectSaslFinal;
  return Outcome::Continue;
}

base::Result<ClientAuthenticator::Outcome> ClientAuthenticator::handle_sasl_final(
    base::Bytes body, base::ByteBuffer& out) {
  const base::Bytes data = TRY(wire::parse_sasl_response(body));
  const std::optional<std::string_view> reply = TRY(scram_->handle_final(data));
  if (decide(reply.has_value()) == Outcome::Refused) return Outcome::Refused;
  wire::encode_sasl_final(out, base::as_bytes(*reply));
  has_proven_keys_ = true;
  return Outcome::Accepted;
}

ClientAuthenticator::Outcome ClientAuthenticator::decide(bool is_right) {
  state_ = State::Finished;
  refusal_ = doom_;
  if (refusal_ == Refusal::None && !is_right) refusal_ = Refusal::WrongPassword;
  return refusal_ == Refusal::None ? Outcome::Accepted : Outcome::Refused;
}

const ScramKeys* ClientAuthenticator::proven_keys() const {
  return has_proven_keys_ ? &scram_->keys() : nullptr;
}

}  // namespace pgweir::auth
