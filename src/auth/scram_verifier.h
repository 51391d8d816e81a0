// What SCRAM-SHA-256 stores and derives: the verifier kept in pg_authid (and in userlist.txt), and
// the keys that come from a password. The exchange itself is scram_server.h and scram_client.h.
// Source of truth: RFC 5802 section 3, RFC 7677; PostgreSQL's scram-common.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/hash.h"
#include "base/bytes.h"
#include "base/secret.h"

namespace pgweir::auth {

inline constexpr std::uint32_t kScramIterationsDefault = 4096;  // PostgreSQL's scram_iterations.

// Whoever has both keys can log in without the password. Wiped when it goes.
struct ScramKeys {
  Digest client_key{};
  Digest server_key{};

  ~ScramKeys() {
    wipe(client_key);
    wipe(server_key);
  }
};

// Enough to check a login, not enough to make one.
struct ScramVerifier {
  std::uint32_t iterations = kScramIterationsDefault;
  base::ByteBuffer salt;
  Digest stored_key{};  // SHA-256 of the client key.
  Digest server_key{};
};

// Parses `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`; nullopt if it is not one.
std::optional<ScramVerifier> parse_scram_verifier(std::string_view text);
std::string format_scram_verifier(const ScramVerifier& verifier);

// Prepares the password (saslprep.h) and stretches it. REQUIRES: as pbkdf2_sha256().
ScramKeys derive_scram_keys(const base::Secret& password, base::Bytes salt,
                            std::uint32_t iterations);
ScramVerifier make_scram_verifier(const ScramKeys& keys, base::Bytes salt,
                                  std::uint32_t iterations);

// The salt of a user who has no verifier: always the same for a name, so that asking twice does not
// tell an unknown user from a known one. Users with a plain password get it too.
base::ByteBuffer make_stable_salt(const base::Secret& process_secret, std::string_view user);

}  // namespace pgweir::auth
