#include "auth/credential.h"

namespace pgweir::auth {

namespace {

bool is_right(const ScramVerifier& verifier, const base::Secret& password,
              SaltedPasswordCache& cache) {
  return cache
      .prove(password, verifier.salt, verifier.iterations,
             [&](const ScramKeys& keys) { return is_equal(keys.server_key, verifier.server_key); })
      .has_value();
}

}  // namespace

Credential parse_credential(std::string_view stored) {
  if (is_md5_hash(stored)) return Md5Hash{base::Secret(stored)};
  if (auto verifier = parse_scram_verifier(stored)) return std::move(*verifier);
  return base::Secret(stored);
}

base::Result<bool> is_password_right(const Credential& credential, std::string_view user,
                                     const base::Secret& password, SaltedPasswordCache& cache) {
  if (password.empty()) return false;
  if (const auto* plain = std::get_if<base::Secret>(&credential)) {
    return plain->is_equal(password.reveal());
  }
  if (const auto* hash = std::get_if<Md5Hash>(&credential)) {
    const Md5Hash sent = TRY(make_md5_hash(user, password));
    return hash->text.is_equal(sent.text.reveal());
  }
  return is_right(std::get<ScramVerifier>(credential), password, cache);
}

}  // namespace pgweir::auth
