#include "auth/decoy.h"

#include "auth/base64.h"
#include "base/assert.h"

namespace pgweir::auth {

namespace {

// Of the user and known to nobody. make_stable_salt() shows half of the inner digest to everybody.
Digest hidden_digest(const base::Secret& process_secret, std::string_view user) {
  const base::Bytes key = base::as_bytes(process_secret.reveal());
  return hmac_sha256(key, hmac_sha256(key, base::as_bytes(user)));
}

}  // namespace

std::size_t choose_model(const base::Secret& process_secret, std::string_view user,
                         std::size_t count) {
  ASSERT(count > 0);
  // By share rather than by remainder: a user added to a sorted list changes few choices.
  const std::uint64_t share = base::load_u32(hidden_digest(process_secret, user).data());
  return static_cast<std::size_t>((share * count) >> 32U);
}

Credential make_decoy(const Credential& model, const base::Secret& process_secret,
                      std::string_view user) {
  const Digest digest = hidden_digest(process_secret, user);
  base::Secret password(encode_base64(digest));
  if (const auto* verifier = std::get_if<ScramVerifier>(&model)) {
    return ScramVerifier{.iterations = verifier->iterations,
                         .salt = make_stable_salt(process_secret, user),
                         .stored_key = digest,
                         .server_key = digest};
  }
  if (std::holds_alternative<Md5Hash>(model)) {
    if (auto hash = make_md5_hash(user, password)) return std::move(*hash);
  }
  return password;
}

}  // namespace pgweir::auth
