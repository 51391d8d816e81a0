#include "auth/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

#include "base/assert.h"

namespace pgweir::auth {

namespace {

// Fetching looks an algorithm up by its name and takes a lock. Each is therefore fetched once and
// never freed; EVP_sha256() would fetch at every use.
const EVP_MD* fetched(const char* name) { return EVP_MD_fetch(nullptr, name, nullptr); }

constexpr std::size_t kBlockBytes = 64;  // Of SHA-256.
constexpr std::byte kInnerPad{0x36};
constexpr std::byte kOuterPad{0x5c};

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const kAlgorithm = fetched("SHA256");
  ASSERT(kAlgorithm != nullptr);
  return kAlgorithm;
}

struct DigestContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, DigestContextFree>;

struct KdfContextFree {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};
using KdfContext = std::unique_ptr<EVP_KDF_CTX, KdfContextFree>;

char* digest_name() {
  static std::array<char, 7> name{"SHA256"};  // OSSL_PARAM wants it mutable and leaves it alone.
  return name.data();
}

const unsigned char* data_of(base::Bytes bytes) {
  // As a parameter of OpenSSL's a null pointer is not an empty text but none.
  static constexpr unsigned char kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* data_of(Digest& digest) { return reinterpret_cast<unsigned char*>(digest.data()); }

// Each thread has a context of its own, for good: making one allocates.
Digest sha256_of_both(base::Bytes first, base::Bytes second) {
  thread_local const DigestContext kContext(EVP_MD_CTX_new());
  Digest out;
  ASSERT(EVP_DigestInit_ex2(kContext.get(), sha256_algorithm(), nullptr) == 1);
  ASSERT(EVP_DigestUpdate(kContext.get(), data_of(first), first.size()) == 1);
  ASSERT(EVP_DigestUpdate(kContext.get(), data_of(second), second.size()) == 1);
  ASSERT(EVP_DigestFinal_ex(kContext.get(), data_of(out), nullptr) == 1);
  return out;
}

OSSL_PARAM octets(const char* key, base::Bytes value) {
  return OSSL_PARAM_construct_octet_string(key, const_cast<unsigned char*>(data_of(value)),
                                           value.size());
}

}  // namespace

// RFC 2104. By hand, since OpenSSL's HMAC allocates at every use, and a login takes several.
Digest hmac_sha256(base::Bytes key, base::Bytes data) {
  std::array<std::byte, kBlockBytes> block{};
  if (key.size() > block.size()) {
    const Digest shortened = sha256(key);
    std::copy(shortened.begin(), shortened.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  for (std::byte& one : block) one ^= kInnerPad;
  const Digest inner = sha256_of_both(block, data);
  for (std::byte& one : block) one ^= kInnerPad ^ kOuterPad;
  const Digest outer = sha256_of_both(block, inner);
  wipe(block);
  return outer;
}

Digest sha256(base::Bytes data) { return sha256_of_both(data, {}); }

Digest pbkdf2_sha256(base::Bytes password, base::Bytes salt, std::uint32_t iterations) {
  static EVP_KDF* const kAlgorithm = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_PBKDF2, nullptr);
  ASSERT(kAlgorithm != nullptr);
  ASSERT(iterations > 0 && !salt.empty());
  const KdfContext context(EVP_KDF_CTX_new(kAlgorithm));
  const std::array parameters{
      octets(OSSL_KDF_PARAM_PASSWORD, password), octets(OSSL_KDF_PARAM_SALT, salt),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &iterations),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name(), 0),
      OSSL_PARAM_construct_end()};
  Digest out;
  ASSERT(EVP_KDF_derive(context.get(), data_of(out), out.size(), parameters.data()) == 1);
  return out;
}

base::Result<std::string> md5_hex(base::Bytes data) {
  static const EVP_MD* const kAlgorithm = fetched("MD5");
  std::array<unsigned char, 16> digest{};
  if (kAlgorithm == nullptr ||
      EVP_Digest(data_of(data), data.size(), digest.data(), nullptr, kAlgorithm, nullptr) != 1) {
    return base::Error{.code = base::ErrorCode::Unsupported,
                       .context = "OpenSSL does not allow MD5 here; use scram-sha-256."};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex.push_back(kDigits[byte >> 4U]);
    hex.push_back(kDigits[byte & 15U]);
  }
  return hex;
}

Digest exclusive_or(const Digest& a, const Digest& b) {
  Digest out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] ^ b[i];
  return out;
}

bool is_equal(base::Bytes a, base::Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(data_of(a), data_of(b), a.size()) == 0;
}

void wipe(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace pgweir::auth
