// TlsKeys: what protects one direction of a TLS 1.3 connection: the traffic secret, key and nonce
// that follow from it, and how many records it has protected. Ciphers and hashes are OpenSSL's.
// Source of truth: RFC 8446, sections 5.2, 5.3, 7.1 to 7.3.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace pgweir::net {

class TlsKeys {
 public:
  static constexpr std::size_t kTagBytes = 16;

  // suite: its number in TLS. Whether it is one of those that TLS 1.3 clients have in use.
  static bool knows(std::uint16_t suite);
  // secret: client_application_traffic_secret_N or that of the server.
  // record_count: what it has protected already.
  // REQUIRES: knows(suite), and the secret is as long as the suite's hash.
  TlsKeys(std::uint16_t suite, base::Bytes secret, std::uint64_t record_count = 0);
  TlsKeys(const TlsKeys&) = delete;
  TlsKeys& operator=(const TlsKeys&) = delete;
  ~TlsKeys();

  // Encrypts the next record in place and writes its tag.
  void seal(base::Bytes header, std::span<std::byte> text, std::byte* tag);
  // Decrypts the next record. False if it is not what the peer has sealed: `plain` is worthless.
  // plain: has room for as many bytes as `text`.
  bool open(base::Bytes header, base::Bytes text, base::Bytes tag, std::byte* plain);

  // The next generation, after a KeyUpdate.
  void update();
  // Of this generation.
  std::uint64_t record_count() const { return record_count_; }

 private:
  void derive();
  std::array<std::byte, 12> next_nonce();

  std::uint64_t record_count_;
  std::array<std::byte, 48> secret_;  // As much of these as the suite wants.
  std::array<std::byte, 32> key_;
  std::array<std::byte, 12> nonce_;
  std::uint8_t kind_;
};

}  // namespace pgweir::net
