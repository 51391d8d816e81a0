#include "auth/hash.h"

#include <gtest/gtest.h>

#include "auth/base64.h"
#include "auth/saslprep.h"

namespace pgweir::auth {
namespace {

using base::as_bytes;

std::string hex(base::Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    text.push_back(kDigits[std::to_integer<std::size_t>(b >> 4U)]);
    text.push_back(kDigits[std::to_integer<std::size_t>(b & std::byte{15})]);
  }
  return text;
}

TEST(HashTest, sha256_of_the_standards_example) {
  EXPECT_EQ(hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// RFC 4231, test cases 2 and 6 (a key longer than a block); and an empty key, which must not mean
// the key of the call before.
TEST(HashTest, hmac_of_rfc_4231) {
  EXPECT_EQ(hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(hex(hmac_sha256(as_bytes(std::string(131, '\xaa')),
                            as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// RFC 7914, section 11.
TEST(HashTest, pbkdf2_of_rfc_7914) {
  EXPECT_EQ(hex(pbkdf2_sha256(as_bytes("passwd"), as_bytes("salt"), 1)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

TEST(HashTest, md5_of_rfc_1321) {
  EXPECT_EQ(*md5_hex(as_bytes("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(HashTest, equality_needs_equal_lengths) {
  EXPECT_TRUE(is_equal(as_bytes("ab"), as_bytes("ab")));
  EXPECT_FALSE(is_equal(as_bytes("ab"), as_bytes("ac")));
  EXPECT_FALSE(is_equal(as_bytes("ab"), as_bytes("a")));
  EXPECT_TRUE(is_equal({}, {}));
}

// RFC 4648, section 10.
TEST(Base64Test, examples_of_rfc_4648_in_both_directions) {
  const std::vector<std::pair<std::string_view, std::string_view>> examples{{"", ""},
                                                                            {"f", "Zg=="},
                                                                            {"fo", "Zm8="},
                                                                            {"foo", "Zm9v"},
                                                                            {"foob", "Zm9vYg=="},
                                                                            {"fooba", "Zm9vYmE="},
                                                                            {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(encode_base64(as_bytes(plain)), encoded);
    const auto decoded = decode_base64(encoded);
    ASSERT_TRUE(decoded.has_value()) << encoded;
    EXPECT_EQ(base::as_text(*decoded), plain);
  }
}

TEST(Base64Test, every_byte_survives) {
  base::ByteBuffer all;
  for (int i = 0; i < 256; ++i) all.push_back(std::byte(i));
  EXPECT_EQ(decode_base64(encode_base64(all)), all);
}

TEST(Base64Test, refuses_what_it_would_not_have_written) {
  for (const std::string_view text : {"Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zh==", "Zm9=",
                                      "Zm 9", "Zm9v\n", "Zg==Zg==", "Zm-v", "=Zm9", "Z=m9"}) {
    EXPECT_FALSE(decode_base64(text).has_value()) << text;
  }
}

TEST(Base64Test, takes_as_many_bytes_as_there_must_be_or_none) {
  for (const auto& [text, bytes] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}}) {
    for (std::size_t size = 0; size < 8; ++size) {
      base::ByteBuffer out(size);
      EXPECT_EQ(decode_base64_exactly(text, out), size == bytes.size()) << text << size;
      if (size == bytes.size()) {
        EXPECT_EQ(base::as_text(out), bytes);
      }
    }
  }
}

std::string prepared(std::string_view password) {
  return std::string(prepare_password(base::Secret(password)).reveal());
}

// RFC 4013, section 3, and what PostgreSQL does where SASLprep does not apply.
TEST(SaslprepTest, prepares_as_rfc_4013_says) {
  EXPECT_EQ(prepared("I\xc2\xadX"), "IX");  // A soft hyphen is mapped to nothing.
  EXPECT_EQ(prepared("user"), "user");
  EXPECT_EQ(prepared("\xc2\xaa"), "a");  // Compatibility normalisation.
  EXPECT_EQ(prepared("\xe2\x85\xa8"), "IX");
  EXPECT_EQ(prepared("a\xc2\xa0"
                     "b"),
            "a b");  // No-break space becomes a space.
}

TEST(SaslprepTest, leaves_alone_what_it_does_not_apply_to) {
  for (const std::string_view raw :
       {"", "tab\there", "\xff\xfe", "\xc3", "\xd8\xa7\x31",  // Bidirectional rule broken.
        "\xc2\xad",                                           // Would come out empty.
        "\xf0\x9f\x90\x98"}) {                                // Unassigned in Unicode 3.2.
    EXPECT_EQ(prepared(raw), raw);
  }
}

}  // namespace
}  // namespace pgweir::auth
