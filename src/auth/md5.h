// PostgreSQL's md5 method: md5(md5(password + user) + salt), either end. Kept for old servers and
// clients; scram_server.h and scram_client.h are what to use.
// Source of truth: PostgreSQL manual, AuthenticationMD5Password; pg_md5_encrypt().
#pragma once

#include <array>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace pgweir::auth {

// The form in which PostgreSQL stores it: "md5" and 32 lower-case hexadecimal digits. It is as good
// as the password for a login with this method, hence a Secret.
struct Md5Hash {
  base::Secret text;
};

// Whether a stored secret has that form.
bool is_md5_hash(std::string_view text);

// Errors of both: Unsupported, as md5_hex().
base::Result<Md5Hash> make_md5_hash(std::string_view user, const base::Secret& password);
// What a client sends in answer to a salt. REQUIRES: is_md5_hash(hash.text).
base::Result<base::Secret> make_md5_response(const Md5Hash& hash,
                                             const std::array<std::byte, 4>& salt);

}  // namespace pgweir::auth
