#include "auth/scram_client.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "auth/base64.h"
#include "auth/scram_exchange.h"
#include "base/assert.h"
#include "wire/violation.h"

namespace pgweir::auth {

namespace {

base::Error malformed(std::string_view what) { return wire::violation(base::Side::Server, what); }

base::Error failed(base::ErrorCode code, std::string_view context) {
  return {.code = code, .side = base::Side::Server, .context = std::string(context)};
}

struct ServerFirst {
  std::string_view nonce;
  base::ByteBuffer salt;
  std::uint32_t iterations = 0;
};

base::Result<std::uint32_t> parse_iterations(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || count == 0 || count > kScramIterationsMax) {
    return malformed("a SCRAM iteration count that is not 1 to 1000000");
  }
  return count;
}

base::Result<ServerFirst> parse_server_first(std::string_view text) {
  ScramAttributes attributes(text);
  ServerFirst first;
  first.nonce = attributes.take('r');
  const std::string_view salt_text = attributes.take('s');
  const std::string_view iterations_text = attributes.take('i');
  attributes.skip_extensions();
  if (!attributes.is_complete() || !is_scram_nonce(first.nonce)) {
    return malformed("a malformed SCRAM server-first-message");
  }
  auto salt = decode_base64(salt_text);
  if (!salt.has_value() || salt->empty() || salt->size() > kScramSaltBytesMax) {
    return malformed("a SCRAM salt that is not 1 to 1024 bytes in base64");
  }
  first.salt = std::move(*salt);
  first.iterations = TRY(parse_iterations(iterations_text));
  return first;
}

}  // namespace

ScramClient::ScramClient(ScramClientOptions options) : options_(std::move(options)) {
  ASSERT(is_scram_nonce(options_.nonce));
}

base::Status ScramClient::choose(bool has_plain, bool has_plus) {
  const bool can_bind =
      options_.channel_binding != ChannelBinding::Disable && !options_.tls_binding.empty();
  // PostgreSQL offers PLUS over TLS only: whoever does so without is not PostgreSQL.
  if (has_plus && !options_.is_tls) {
    return failed(base::ErrorCode::AuthenticationFailed,
                  "The server offers SCRAM-SHA-256-PLUS without TLS: something between it and "
                  "pgweir changed the offer.");
  }
  is_plus_ = has_plus && can_bind;
  if (is_plus_) {
    gs2_header_ = "p=" + std::string(kTlsServerEndPoint) + ",,";
    return base::success();
  }
  if (options_.channel_binding == ChannelBinding::Require) {
    return failed(base::ErrorCode::AuthenticationFailed,
                  "channel_binding is require, but the server and its TLS connection do not allow "
                  "SCRAM-SHA-256-PLUS. Use TLS, or channel_binding=prefer.");
  }
  if (!has_plain) {
    return failed(base::ErrorCode::Unsupported,
                  "The server offers no SASL mechanism that pgweir can use (SCRAM-SHA-256).");
  }
  // `y` lets the server notice that its offer of PLUS was taken out on the way.
  gs2_header_ = can_bind ? "y,," : "n,,";
  return base::success();
}

base::Result<ScramClient::First> ScramClient::start(std::span<const std::string_view> offered) {
  ASSERT(state_ == State::Start);
  state_ = State::Failed;  // Until the step has succeeded.
  const auto has = [offered](std::string_view name) {
    return std::find(offered.begin(), offered.end(), name) != offered.end();
  };
  TRY(choose(has(kScramSha256), has(kScramSha256Plus)));
  // The name stays empty, as libpq leaves it: PostgreSQL takes the startup message's.
  client_first_bare_ = "n=,r=" + options_.nonce;
  state_ = State::ExpectContinue;
  return First{.mechanism = is_plus_ ? kScramSha256Plus : kScramSha256,
               .message = gs2_header_ + client_first_bare_};
}

ScramKeys ScramClient::keys_for(base::Bytes salt, std::uint32_t iterations) const {
  if (const auto* keys = std::get_if<ScramKeys>(&options_.secret)) return *keys;
  const auto& password = std::get<base::Secret>(options_.secret);
  if (options_.cache == nullptr) return derive_scram_keys(password, salt, iterations);
  return options_.cache->derive(password, salt, iterations);
}

base::Result<std::string> ScramClient::handle_continue(base::Bytes message) {
  // Failed until the message has proved right.
  if (std::exchange(state_, State::Failed) != State::ExpectContinue) {
    return malformed("a SASL message out of turn");
  }
  if (message.size() > kScramMessageBytesMax) return malformed("a SCRAM message above 4 KiB");
  const std::string_view server_first = base::as_text(message);
  const ServerFirst first = TRY(parse_server_first(server_first));
  // A server that adds nothing of its own could replay an old exchange.
  if (!first.nonce.starts_with(options_.nonce) || first.nonce.size() == options_.nonce.size()) {
    return malformed("a SCRAM nonce that does not extend ours");
  }
  base::ByteBuffer binding;
  base::append(binding, base::as_bytes(gs2_header_));
  if (is_plus_) base::append(binding, options_.tls_binding);
  std::string reply = "c=" + encode_base64(binding) + ",r=" + std::string(first.nonce);

  const std::string auth_message =
      client_first_bare_ + "," + std::string(server_first) + "," + reply;
  const ScramKeys keys = keys_for(first.salt, first.iterations);
  const Digest signature = client_signature(sha256(keys.client_key), auth_message);
  reply += ",p=" + encode_base64(exclusive_or(keys.client_key, signature));
  server_signature_ = server_signature(keys.server_key, auth_message);
  state_ = State::ExpectFinal;
  return reply;
}

base::Status ScramClient::handle_final(base::Bytes message) {
  // Failed until the message has proved right.
  if (std::exchange(state_, State::Failed) != State::ExpectFinal) {
    return malformed("a SASL message out of turn");
  }
  if (message.size() > kScramMessageBytesMax) return malformed("a SCRAM message above 4 KiB");
  const std::string_view text = base::as_text(message);
  if (text.starts_with("e=")) {
    return failed(base::ErrorCode::AuthenticationFailed, "The server refused the SCRAM proof.");
  }
  ScramAttributes attributes(text);
  const auto signature = decode_base64(attributes.take('v'));
  attributes.skip_extensions();
  if (!attributes.is_complete() || !signature.has_value()) {
    return malformed("a malformed SCRAM server-final-message");
  }
  if (!is_equal(*signature, server_signature_)) {
    return failed(base::ErrorCode::AuthenticationFailed,
                  "The server could not prove that it knows this user's password: it may not be "
                  "the server that it claims to be.");
  }
  state_ = State::Verified;
  return base::success();
}

}  // namespace pgweir::auth
