// Credential: what we have stored about a user of ours, in one of PostgreSQL's three forms. Where
// it was stored (a file, auth_query) is not known here.
// Source of truth: PostgreSQL's get_password_type() and plain_crypt_verify().
#pragma once

#include <string_view>
#include <variant>

#include "auth/md5.h"
#include "auth/salted_password_cache.h"
#include "auth/scram_verifier.h"
#include "base/result.h"
#include "base/secret.h"

namespace pgweir::auth {

// The plain password comes first; an empty one lets nobody in.
using Credential = std::variant<base::Secret, Md5Hash, ScramVerifier>;

// As PostgreSQL does: what has neither of the two known forms is a plain password.
Credential parse_credential(std::string_view stored);

// Whether `password`, sent in clear by `user`, fits the credential. An empty one never does.
//
// cache: spares the derivation for a password that has proved right before.
// Errors: Unsupported, as md5_hex().
base::Result<bool> is_password_right(const Credential& credential, std::string_view user,
                                     const base::Secret& password, SaltedPasswordCache& cache);

}  // namespace pgweir::auth
