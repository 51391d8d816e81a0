#include "auth/scram_verifier.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "auth/base64.h"
#include "auth/saslprep.h"

namespace pgweir::auth {

namespace {

constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
constexpr std::size_t kSaltBytes = 16;  // PostgreSQL's SCRAM_DEFAULT_SALT_LEN.

// Takes the text before `separator` off `rest`; nullopt if there is none.
std::optional<std::string_view> take_until(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return taken;
}

std::optional<std::uint32_t> parse_iterations(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::optional<Digest> parse_digest(std::string_view text) {
  Digest digest;
  if (!decode_base64_exactly(text, digest)) return std::nullopt;
  return digest;
}

}  // namespace

std::optional<ScramVerifier> parse_scram_verifier(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const auto iterations_text = take_until(text, ':');
  const auto salt_text = take_until(text, '$');
  const auto stored_key_text = take_until(text, ':');
  if (!iterations_text || !salt_text || !stored_key_text) return std::nullopt;
  const auto iterations = parse_iterations(*iterations_text);
  auto salt = decode_base64(*salt_text);
  const auto stored_key = parse_digest(*stored_key_text);
  const auto server_key = parse_digest(text);
  if (!iterations || !salt || salt->empty() || !stored_key || !server_key) return std::nullopt;
  return ScramVerifier{.iterations = *iterations,
                       .salt = std::move(*salt),
                       .stored_key = *stored_key,
                       .server_key = *server_key};
}

std::string format_scram_verifier(const ScramVerifier& verifier) {
  std::string text(kPrefix);
  text += std::to_string(verifier.iterations) + ':' + encode_base64(verifier.salt) + '$' +
          encode_base64(verifier.stored_key) + ':' + encode_base64(verifier.server_key);
  return text;
}

ScramKeys derive_scram_keys(const base::Secret& password, base::Bytes salt,
                            std::uint32_t iterations) {
  const base::Secret prepared = prepare_password(password);
  Digest salted = pbkdf2_sha256(base::as_bytes(prepared.reveal()), salt, iterations);
  ScramKeys keys{.client_key = hmac_sha256(salted, base::as_bytes("Client Key")),
                 .server_key = hmac_sha256(salted, base::as_bytes("Server Key"))};
  wipe(salted);
  return keys;
}

ScramVerifier make_scram_verifier(const ScramKeys& keys, base::Bytes salt,
                                  std::uint32_t iterations) {
  return {.iterations = iterations,
          .salt = {salt.begin(), salt.end()},
          .stored_key = sha256(keys.client_key),
          .server_key = keys.server_key};
}

base::ByteBuffer make_stable_salt(const base::Secret& process_secret, std::string_view user) {
  const Digest digest = hmac_sha256(base::as_bytes(process_secret.reveal()), base::as_bytes(user));
  return {digest.begin(), digest.begin() + kSaltBytes};
}

}  // namespace pgweir::auth
