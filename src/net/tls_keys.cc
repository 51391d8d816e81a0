#include "net/tls_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/assert.h"
#include "net/openssl_handles.h"

namespace pgweir::net {
namespace {

struct Kind {
  std::uint16_t suite;
  const EVP_CIPHER* (*cipher)();
  const char* hash;
  std::size_t hash_bytes;
  std::size_t key_bytes;
};

constexpr std::array kKinds{Kind{0x1301, EVP_aes_128_gcm, "SHA256", 32, 16},
                            Kind{0x1302, EVP_aes_256_gcm, "SHA384", 48, 32},
                            Kind{0x1303, EVP_chacha20_poly1305, "SHA256", 32, 32}};

const Kind* find_kind(std::uint16_t suite) {
  const auto* const at = std::find_if(kKinds.begin(), kKinds.end(),
                                      [suite](const Kind& kind) { return kind.suite == suite; });
  return at == kKinds.end() ? nullptr : at;
}

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Releaser<EVP_CIPHER_CTX_free>>;

// One for all connections of a thread: a connection at rest has its key and no more.
EVP_CIPHER_CTX& context_of(std::uint8_t kind) {
  thread_local std::array<CipherContext, kKinds.size()> contexts;
  CipherContext& context = contexts[kind];
  if (context == nullptr) {
    context.reset(EVP_CIPHER_CTX_new());
    ASSERT(context != nullptr);
    ASSERT(EVP_CipherInit_ex(context.get(), kKinds[kind].cipher(), nullptr, nullptr, nullptr, 1) ==
           1);
  }
  return *context;
}

const unsigned char* in(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* out(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
int size_of(base::Bytes bytes) { return static_cast<int>(bytes.size()); }

using MacContext = std::unique_ptr<EVP_MAC_CTX, Releaser<EVP_MAC_CTX_free>>;

MacContext make_hmac(const Kind& kind) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  MacContext made(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);  // The context keeps its own reference.
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(kind.hash), 0),
      OSSL_PARAM_construct_end()};
  const std::array<unsigned char, 1> key{};  // One without a key cannot be copied.
  ASSERT(EVP_MAC_init(made.get(), key.data(), key.size(), parameters.data()) == 1);
  return made;
}

// HKDF-Expand-Label without a context, for no more than one block of the hash: so much of RFC 5869
// is one HMAC. Fetching it costs OpenSSL more than all the rest, so each thread does it once.
class Expander {
 public:
  Expander(std::uint8_t kind, base::Bytes secret) {
    thread_local std::array<MacContext, kKinds.size()> templates;
    if (templates[kind] == nullptr) templates[kind] = make_hmac(kKinds[kind]);
    hmac_.reset(EVP_MAC_CTX_dup(templates[kind].get()));
    ASSERT(EVP_MAC_init(hmac_.get(), in(secret.data()), secret.size(), nullptr) == 1);
  }

  void expand(std::string_view label, std::span<std::byte> result) {
    base::ByteBuffer info;
    base::ByteWriter writer(info);
    writer.u16(static_cast<std::uint16_t>(result.size()));
    writer.u8(static_cast<std::uint8_t>(label.size()));
    writer.text(label);
    writer.u8(0);  // The context …
    writer.u8(1);  // … and HKDF's number of the block.
    std::array<std::byte, EVP_MAX_MD_SIZE> block;
    std::size_t block_bytes = 0;
    ASSERT(EVP_MAC_init(hmac_.get(), nullptr, 0, nullptr) == 1);  // Anew, with the same key.
    ASSERT(EVP_MAC_update(hmac_.get(), in(info.data()), info.size()) == 1);
    ASSERT(EVP_MAC_final(hmac_.get(), out(block.data()), &block_bytes, block.size()) == 1);
    ASSERT(result.size() <= block_bytes);
    std::copy_n(block.begin(), result.size(), result.begin());
    OPENSSL_cleanse(block.data(), block.size());
  }

 private:
  MacContext hmac_;
};

}  // namespace

bool TlsKeys::knows(std::uint16_t suite) { return find_kind(suite) != nullptr; }

TlsKeys::TlsKeys(std::uint16_t suite, base::Bytes secret, std::uint64_t record_count)
    : record_count_(record_count),
      kind_(static_cast<std::uint8_t>(find_kind(suite) - kKinds.data())) {
  ASSERT(secret.size() == kKinds[kind_].hash_bytes);
  std::copy(secret.begin(), secret.end(), secret_.begin());
  derive();
}

TlsKeys::~TlsKeys() {
  OPENSSL_cleanse(secret_.data(), secret_.size());
  OPENSSL_cleanse(key_.data(), key_.size());
  OPENSSL_cleanse(nonce_.data(), nonce_.size());
}

void TlsKeys::derive() {
  const Kind& kind = kKinds[kind_];
  Expander from(kind_, base::Bytes(secret_).first(kind.hash_bytes));
  from.expand("tls13 key", std::span(key_).first(kind.key_bytes));
  from.expand("tls13 iv", nonce_);
}

void TlsKeys::update() {
  const std::span<std::byte> secret = std::span(secret_).first(kKinds[kind_].hash_bytes);
  Expander(kind_, secret).expand("tls13 traffic upd", secret);
  derive();
  record_count_ = 0;
}

std::array<std::byte, 12> TlsKeys::next_nonce() {
  std::array<std::byte, 12> nonce = nonce_;
  std::uint64_t number = record_count_++;
  for (std::size_t i = nonce.size(); number != 0; number >>= 8U) nonce[--i] ^= std::byte(number);
  return nonce;
}

void TlsKeys::seal(base::Bytes header, std::span<std::byte> text, std::byte* tag) {
  EVP_CIPHER_CTX& context = context_of(kind_);
  const auto nonce = next_nonce();
  int count = 0;
  const bool is_sealed =
      EVP_CipherInit_ex(&context, nullptr, nullptr, in(key_.data()), in(nonce.data()), 1) == 1 &&
      EVP_EncryptUpdate(&context, nullptr, &count, in(header.data()), size_of(header)) == 1 &&
      EVP_EncryptUpdate(&context, out(text.data()), &count, in(text.data()), size_of(text)) == 1 &&
      EVP_EncryptFinal_ex(&context, out(text.data()) + text.size(), &count) == 1 &&
      EVP_CIPHER_CTX_ctrl(&context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1;
  ASSERT(is_sealed);
}

bool TlsKeys::open(base::Bytes header, base::Bytes text, base::Bytes tag, std::byte* plain) {
  EVP_CIPHER_CTX& context = context_of(kind_);
  const auto nonce = next_nonce();
  int count = 0;
  return EVP_CipherInit_ex(&context, nullptr, nullptr, in(key_.data()), in(nonce.data()), 0) == 1 &&
         EVP_CIPHER_CTX_ctrl(&context, EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                             const_cast<std::byte*>(tag.data())) == 1 &&
         EVP_DecryptUpdate(&context, nullptr, &count, in(header.data()), size_of(header)) == 1 &&
         EVP_DecryptUpdate(&context, out(plain), &count, in(text.data()), size_of(text)) == 1 &&
         EVP_DecryptFinal_ex(&context, out(plain) + text.size(), &count) == 1;
}

}  // namespace pgweir::net
