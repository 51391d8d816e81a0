#include "auth/scram_server.h"

#include <algorithm>
#include <array>
#include <utility>

#include "auth/base64.h"
#include "auth/scram_exchange.h"
#include "base/assert.h"
#include "wire/violation.h"

namespace pgweir::auth {

namespace {

// Of libpq's exchange and ours with room to spare; more only costs another allocation.
constexpr std::size_t kExchangeBytesUsual = 320;

base::Error malformed(std::string_view what) { return wire::violation(base::Side::Client, what); }

base::Error failed(base::ErrorCode code, std::string_view context) {
  return {.code = code, .side = base::Side::Client, .context = std::string(context)};
}

}  // namespace

ScramServer::ScramServer(ScramServerOptions options) : options_(std::move(options)) {
  ASSERT(is_scram_nonce(options_.nonce));
}

std::span<const std::string_view> ScramServer::mechanisms() const {
  static constexpr std::array kMechanisms{kScramSha256Plus, kScramSha256};
  return std::span(kMechanisms).subspan(options_.tls_binding.empty() ? 1 : 0);
}

base::Status ScramServer::check_flag(std::string_view flag) const {
  if (flag == "n" || flag == "y") {
    if (is_plus_) return malformed("SCRAM-SHA-256-PLUS without channel binding");
    // `y` says: I could bind, but you did not offer it. We did, so the offer was tampered with.
    if (flag == "y" && !options_.tls_binding.empty()) {
      return failed(base::ErrorCode::AuthenticationFailed,
                    "The client was not shown SCRAM-SHA-256-PLUS, which pgweir offered: something "
                    "between the two changed the offer.");
    }
    return base::success();
  }
  if (!flag.starts_with("p=")) return malformed("a SCRAM message with an unknown binding flag");
  if (!is_plus_) return malformed("channel binding with SCRAM-SHA-256, which is without");
  if (flag.substr(2) != kTlsServerEndPoint) {
    return failed(base::ErrorCode::Unsupported,
                  "The client wants a channel binding other than tls-server-end-point.");
  }
  return base::success();
}

base::Result<std::string_view> ScramServer::parse_gs2_header(std::string_view message) {
  const std::size_t flag_end = message.find(',');
  if (flag_end == std::string_view::npos) return malformed("a SCRAM message without a header");
  TRY(check_flag(message.substr(0, flag_end)));
  // Between the two commas an authorization identity may stand; PostgreSQL knows none either.
  const std::size_t header_end = flag_end + 2;
  if (message.substr(flag_end, 2) != ",,") {
    return failed(base::ErrorCode::Unsupported,
                  "The client names an authorization identity; log in as that user instead.");
  }
  gs2_header_ = message.substr(0, header_end);
  return message.substr(header_end);
}

base::Result<std::string_view> ScramServer::handle_first(std::string_view mechanism,
                                                         base::Bytes message) {
  // Failed until the message has proved right.
  if (std::exchange(state_, State::Failed) != State::ExpectFirst) {
    return malformed("a SASL message out of turn");
  }
  const auto offered = mechanisms();
  if (std::find(offered.begin(), offered.end(), mechanism) == offered.end()) {
    return malformed("a SASL mechanism that was not offered");
  }
  if (message.size() > kScramMessageBytesMax) return malformed("a SCRAM message above 4 KiB");
  is_plus_ = mechanism == kScramSha256Plus;
  const std::string_view bare = TRY(parse_gs2_header(base::as_text(message)));

  ScramAttributes attributes(bare);
  attributes.take('n');  // The name that counts is the startup message's, as in PostgreSQL.
  const std::string_view client_nonce = attributes.take('r');
  attributes.skip_extensions();
  if (!attributes.is_complete() || !is_scram_nonce(client_nonce)) {
    return malformed("a malformed SCRAM client-first-message");
  }
  exchange_.reserve(kExchangeBytesUsual);
  exchange_.append(bare).append(",");
  server_first_at_ = exchange_.size();
  exchange_.append("r=").append(client_nonce).append(options_.nonce).append(",s=");
  nonce_bytes_ = client_nonce.size() + options_.nonce.size();
  const auto* verifier = std::get_if<const ScramVerifier*>(&options_.secret);
  const auto* plain = std::get_if<PlainScramSecret>(&options_.secret);
  append_base64(exchange_, verifier != nullptr ? (*verifier)->salt : plain->salt);
  exchange_.append(",i=").append(
      std::to_string(verifier != nullptr ? (*verifier)->iterations : plain->iterations));
  state_ = State::ExpectFinal;
  return std::string_view(exchange_).substr(server_first_at_);
}

std::string_view ScramServer::nonce() const {
  return std::string_view(exchange_).substr(server_first_at_ + 2, nonce_bytes_);
}

std::string ScramServer::expected_binding() const {
  const base::Bytes header = base::as_bytes(gs2_header_);
  if (!is_plus_) return encode_base64(header);
  base::ByteBuffer input(header.begin(), header.end());
  base::append(input, options_.tls_binding);
  return encode_base64(input);
}

base::Result<std::optional<std::string_view>> ScramServer::handle_final(base::Bytes message) {
  // Failed until the message has proved right.
  if (std::exchange(state_, State::Failed) != State::ExpectFinal) {
    return malformed("a SASL message out of turn");
  }
  if (message.size() > kScramMessageBytesMax) return malformed("a SCRAM message above 4 KiB");
  const std::string_view text = base::as_text(message);
  const std::size_t proof_at = text.rfind(",p=");
  if (proof_at == std::string_view::npos) return malformed("a SCRAM message without a proof");
  const std::string_view without_proof = text.substr(0, proof_at);
  Digest proof;
  const bool is_proof = decode_base64_exactly(text.substr(proof_at + 3), proof);
  ScramAttributes attributes(without_proof);
  const std::string_view binding = attributes.take('c');
  const std::string_view repeated_nonce = attributes.take('r');
  attributes.skip_extensions();
  if (!attributes.is_complete() || !is_proof) {
    return malformed("a malformed SCRAM client-final-message");
  }
  if (repeated_nonce != nonce()) return malformed("a SCRAM message with another nonce");
  if (binding != expected_binding()) {
    return failed(base::ErrorCode::AuthenticationFailed,
                  "The client's channel binding is for another TLS connection than this one.");
  }
  exchange_.append(",").append(without_proof);
  if (!accept(proof, exchange_)) return std::optional<std::string_view>();
  const Digest signature = server_signature(keys_.server_key, exchange_);
  const std::size_t server_final_at = exchange_.size();
  exchange_.append("v=");
  append_base64(exchange_, signature);
  return std::optional(std::string_view(exchange_).substr(server_final_at));
}

bool ScramServer::accept(const Digest& proof, std::string_view auth_message) {
  if (const auto* verifier = std::get_if<const ScramVerifier*>(&options_.secret)) {
    return accept(**verifier, proof, auth_message);
  }
  const auto& plain = std::get<PlainScramSecret>(options_.secret);
  const auto is_proven = [&](const ScramKeys& keys) {
    return accept(make_scram_verifier(keys, plain.salt, plain.iterations), proof, auth_message);
  };
  return plain.cache->prove(plain.password, plain.salt, plain.iterations, is_proven).has_value();
}

bool ScramServer::accept(const ScramVerifier& verifier, const Digest& proof,
                         std::string_view auth_message) {
  keys_.client_key = exclusive_or(proof, client_signature(verifier.stored_key, auth_message));
  keys_.server_key = verifier.server_key;
  if (!is_equal(sha256(keys_.client_key), verifier.stored_key)) return false;
  state_ = State::Accepted;
  return true;
}

const ScramKeys& ScramServer::keys() const {
  ASSERT(state_ == State::Accepted);
  return keys_;
}

}  // namespace pgweir::auth
