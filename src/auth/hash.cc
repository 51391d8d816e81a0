#include "auth/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

#include "base/assert.h"

namespace pgweir::auth {

namespace {

// Fetching looks an algorithm up by its name and takes a lock. Each is therefore fetched once and
// never freed; EVP_sha256() would fetch at every use.
const EVP_MD* fetched(const char* name) { return EVP_MD_fetch(nullptr, name, nullptr); }

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const kAlgorithm = fetched("SHA256");
  ASSERT(kAlgorithm != nullptr);
  return kAlgorithm;
}

struct MacContextFree {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, MacContextFree>;

struct KdfContextFree {
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};
using KdfContext = std::unique_ptr<EVP_KDF_CTX, KdfContextFree>;

char* digest_name() {
  static std::array<char, 7> name{"SHA256"};  // OSSL_PARAM wants it mutable and leaves it alone.
  return name.data();
}

// A context with the digest set, to be copied: setting a digest fetches it. It needs some key,
// since OpenSSL does not copy one without.
const EVP_MAC_CTX* hmac_template() {
  static const EVP_MAC_CTX* const kContext = [] {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    EVP_MAC_CTX* made = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);  // The context keeps its own reference.
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name(), 0),
        OSSL_PARAM_construct_end()};
    const std::array<unsigned char, 1> key{};
    ASSERT(EVP_MAC_init(made, key.data(), key.size(), parameters.data()) == 1);
    return made;
  }();
  return kContext;
}

const unsigned char* data_of(base::Bytes bytes) {
  // OpenSSL takes a null pointer to mean "keep the old key".
  static constexpr unsigned char kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* data_of(Digest& digest) { return reinterpret_cast<unsigned char*>(digest.data()); }

OSSL_PARAM octets(const char* key, base::Bytes value) {
  return OSSL_PARAM_construct_octet_string(key, const_cast<unsigned char*>(data_of(value)),
                                           value.size());
}

}  // namespace

Digest sha256(base::Bytes data) {
  Digest out;
  ASSERT(EVP_Digest(data_of(data), data.size(), data_of(out), nullptr, sha256_algorithm(),
                    nullptr) == 1);
  return out;
}

Digest hmac_sha256(base::Bytes key, base::Bytes data) {
  const MacContext context(EVP_MAC_CTX_dup(hmac_template()));
  Digest out;
  std::size_t out_bytes = 0;
  ASSERT(EVP_MAC_init(context.get(), data_of(key), key.size(), nullptr) == 1);
  ASSERT(EVP_MAC_update(context.get(), data_of(data), data.size()) == 1);
  ASSERT(EVP_MAC_final(context.get(), data_of(out), &out_bytes, out.size()) == 1);
  return out;
}

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
