// TlsKeys against the protocol's own example, which no library of ours has made.
#include "net/tls_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

namespace pgweir::net {
namespace {

base::ByteBuffer from_hexadecimal(std::string_view text) {
  base::ByteBuffer bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 3) {
    bytes.push_back(std::byte(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// RFC 8448, section 3, "Simple 1-RTT Handshake": what the client says behind its handshake.
const base::ByteBuffer kSecret = from_hexadecimal(
    "9e 40 64 6c e7 9a 7f 9d c0 5a f8 88 9b ce 65 52 87 5a fa 0b 06 df 00 87 f7 92 eb b7 c1 75 04 "
    "a5");
const base::ByteBuffer kData = from_hexadecimal(
    "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab "
    "3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d "
    "ea e6 3a ee bb 21 69 49 15 e4");
const base::ByteBuffer kAlert =
    from_hexadecimal("17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3");

// The inner text of a record; empty if it does not open.
base::ByteBuffer open(TlsKeys& keys, base::Bytes record) {
  const base::Bytes text = record.subspan(5, record.size() - 5 - TlsKeys::kTagBytes);
  base::ByteBuffer plain(text.size());
  if (!keys.open(record.first(5), text, record.last(TlsKeys::kTagBytes), plain.data())) return {};
  return plain;
}

TEST(TlsKeysTest, opens_the_records_of_the_standard) {
  TlsKeys keys(0x1301, kSecret);
  base::ByteBuffer payload;
  for (int i = 0; i < 50; ++i) payload.push_back(std::byte(i));
  payload.push_back(std::byte{23});
  EXPECT_EQ(open(keys, kData), payload);
  EXPECT_EQ(open(keys, kAlert), (base::ByteBuffer{std::byte{1}, std::byte{0}, std::byte{21}}));
}

TEST(TlsKeysTest, seals_them_as_the_standard_does) {
  TlsKeys keys(0x1301, kSecret);
  base::ByteBuffer record(kData.begin(), kData.begin() + 5);
  for (int i = 0; i < 50; ++i) record.push_back(std::byte(i));
  record.push_back(std::byte{23});
  record.resize(kData.size());
  const std::span<std::byte> all(record);
  keys.seal(all.first(5), all.subspan(5, 51), all.last(TlsKeys::kTagBytes).data());
  EXPECT_EQ(record, kData);
  EXPECT_EQ(keys.record_count(), 1U);
}

TEST(TlsKeysTest, a_record_opens_in_its_place_only) {
  TlsKeys keys(0x1301, kSecret);
  EXPECT_TRUE(open(keys, kAlert).empty());
  TlsKeys later(0x1301, kSecret, 1);
  EXPECT_FALSE(open(later, kAlert).empty());
}

}  // namespace
}  // namespace pgweir::net
