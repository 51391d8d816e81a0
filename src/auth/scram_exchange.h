// What both ends of a SCRAM exchange share: mechanism names, limits, the reader of attributes, the
// two signatures. Who sends what when is scram_server.h and scram_client.h.
// Source of truth: RFC 5802 sections 3, 5 and 7; RFC 5929 section 4 for tls-server-end-point.
#pragma once

#include <cstddef>
#include <string_view>

#include "auth/hash.h"

namespace pgweir::auth {

inline constexpr std::string_view kScramSha256 = "SCRAM-SHA-256";
inline constexpr std::string_view kScramSha256Plus = "SCRAM-SHA-256-PLUS";
inline constexpr std::string_view kTlsServerEndPoint = "tls-server-end-point";

// Ours and PostgreSQL's messages are below 300 bytes, nonces 24 characters, salts 16 bytes; a
// binding is at most 64. RFC 5802 sets no limits, so these are roomy ones of our own.
inline constexpr std::size_t kScramMessageBytesMax = 4096;
inline constexpr std::size_t kScramNonceBytesMax = 1024;
inline constexpr std::size_t kScramSaltBytesMax = 1024;

// Reads `n=name,r=nonce,…` from left to right; like a ByteReader it goes bad and is asked once.
class ScramAttributes {
 public:
  explicit ScramAttributes(std::string_view text) : rest_(text), has_more_(true) {}

  // The value of the next attribute, which must be named so. It borrows from the text.
  std::string_view take(char name);
  // Passes over whatever follows: extensions that we may ignore.
  void skip_extensions();
  bool is_good() const { return good_; }
  // All was read and nothing was amiss.
  bool is_complete() const { return good_ && !has_more_; }

 private:
  // The next `x=value`, name included.
  std::string_view take_attribute();

  std::string_view rest_;
  bool has_more_;
  bool good_ = true;
};

// 1 to kScramNonceBytesMax printable characters, no comma.
bool is_scram_nonce(std::string_view text);

Digest client_signature(const Digest& stored_key, std::string_view auth_message);
Digest server_signature(const Digest& server_key, std::string_view auth_message);

}  // namespace pgweir::auth
