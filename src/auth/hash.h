// The hashes of PostgreSQL's authentication methods, over OpenSSL's libcrypto. No protocol here.
// Source of truth: RFC 6234 (SHA-256), RFC 2104 (HMAC), RFC 8018 (PBKDF2), RFC 1321 (MD5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::auth {

inline constexpr std::size_t kDigestBytes = 32;
using Digest = std::array<std::byte, kDigestBytes>;  // A SHA-256 value or a key of that size.

Digest sha256(base::Bytes data);
Digest hmac_sha256(base::Bytes key, base::Bytes data);

// Slow by design: cache what it yields (salted_password_cache.h).
// REQUIRES: iterations > 0 and the salt is not empty.
Digest pbkdf2_sha256(base::Bytes password, base::Bytes salt, std::uint32_t iterations);

// 32 lower-case hexadecimal digits. Errors: Unsupported where OpenSSL forbids MD5 (FIPS).
base::Result<std::string> md5_hex(base::Bytes data);

Digest exclusive_or(const Digest& a, const Digest& b);

// Takes the same time whatever the contents; only the lengths show.
bool is_equal(base::Bytes a, base::Bytes b);

// Overwrites a secret in a way that the compiler keeps.
void wipe(std::span<std::byte> secret);

}  // namespace pgweir::auth
