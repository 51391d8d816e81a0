#include "wire/startup.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/frame.h"

namespace pgweir::wire {
namespace {

// Frames a body as a first packet, with a length of its own choice.
base::ByteBuffer a_packet(std::uint32_t code, std::string_view rest) {
  base::ByteBuffer out;
  base::ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(8 + rest.size()));
  writer.u32(code);
  writer.text(rest);
  return out;
}

base::Result<std::optional<FirstPacket>> take(const base::ByteBuffer& bytes) {
  base::Bytes input = bytes;
  return take_first_packet(input);
}

TEST(StartupTest, a_startup_message_survives_the_trip) {
  base::ByteBuffer bytes;
  encode_startup(bytes, kProtocol32, {{"user", "anna"}, {"database", "shop"}, {"_pq_.x", ""}});
  base::append(bytes, base::as_bytes("rest"));
  base::Bytes input = bytes;

  const auto packet = take_first_packet(input);
  ASSERT_TRUE(packet.has_value() && packet->has_value());
  const auto& message = std::get<StartupMessage>(**packet);
  EXPECT_EQ(message.protocol, kProtocol32);
  EXPECT_EQ(message.find("user"), "anna");
  EXPECT_EQ(message.find("database"), "shop");
  EXPECT_EQ(message.find("_pq_.x"), "");
  EXPECT_EQ(message.find("options"), std::nullopt);
  EXPECT_EQ(base::as_text(input), "rest");
}

TEST(StartupTest, the_last_of_two_equal_names_wins) {
  const auto packet = take(a_packet(kProtocol30, std::string_view("user\0a\0user\0b\0\0", 15)));
  ASSERT_TRUE(packet.has_value() && packet->has_value());
  const auto& message = std::get<StartupMessage>(**packet);
  EXPECT_EQ(message.parameters.size(), 1U);
  EXPECT_EQ(message.find("user"), "b");
}

TEST(StartupTest, a_packet_cut_at_any_byte_is_incomplete_and_left_alone) {
  base::ByteBuffer bytes;
  encode_startup(bytes, kProtocol30, {{"user", "anna"}});
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    base::Bytes input(bytes.data(), cut);
    const auto packet = take_first_packet(input);
    ASSERT_TRUE(packet.has_value()) << cut;
    EXPECT_FALSE(packet->has_value()) << cut;
    EXPECT_EQ(input.size(), cut);
  }
}

TEST(StartupTest, a_startup_message_whose_length_lies_is_refused) {
  base::ByteBuffer whole;
  encode_startup(whole, kProtocol30, {{"user", "anna"}});
  for (std::size_t length = 8; length < whole.size(); ++length) {
    base::ByteBuffer bytes = whole;
    base::store_u32(bytes.data(), static_cast<std::uint32_t>(length));
    EXPECT_FALSE(take(bytes).has_value()) << length;
  }
}

TEST(StartupTest, refuses_lengths_that_cannot_be) {
  for (const std::uint32_t length : {0U, 3U, 7U, 10005U, 0x7fffffffU, 0x80000000U, ~0U}) {
    base::ByteBuffer bytes = a_packet(kProtocol30, "");
    base::store_u32(bytes.data(), length);
    EXPECT_FALSE(take(bytes).has_value()) << length;
  }
}

TEST(StartupTest, takes_a_packet_of_the_greatest_size) {
  std::string rest("user");
  rest.push_back('\0');
  rest.append(kFirstPacketBytesMax - 4 - rest.size() - 2, 'x');
  rest.append(2, '\0');
  const auto packet = take(a_packet(kProtocol30, rest));
  ASSERT_TRUE(packet.has_value() && packet->has_value());
}

TEST(StartupTest, refuses_bytes_after_the_terminator) {
  EXPECT_FALSE(take(a_packet(kProtocol30, std::string_view("user\0a\0\0x", 9))).has_value());
}

TEST(StartupTest, refuses_a_name_without_a_value) {
  EXPECT_FALSE(take(a_packet(kProtocol30, std::string_view("user\0", 5))).has_value());
}

TEST(StartupTest, bounds_the_number_of_parameters) {
  Parameters parameters;
  for (std::size_t i = 0; i < kStartupParametersMax; ++i) {
    parameters.emplace_back("p" + std::to_string(i), "v");
  }
  base::ByteBuffer bytes;
  encode_startup(bytes, kProtocol30, parameters);
  EXPECT_TRUE(take(bytes).has_value());
  parameters.emplace_back("one more", "v");
  bytes.clear();
  encode_startup(bytes, kProtocol30, parameters);
  EXPECT_FALSE(take(bytes).has_value());
}

TEST(StartupTest, other_major_versions_are_unsupported_and_not_a_violation) {
  for (const std::uint32_t code : {2U << 16U, 4U << 16U, (1234U << 16U) | 5681U}) {
    const auto packet = take(a_packet(code, ""));
    ASSERT_FALSE(packet.has_value());
    EXPECT_EQ(packet.error().code, base::ErrorCode::Unsupported);
  }
}

TEST(StartupTest, any_minor_version_of_three_is_taken) {
  base::ByteBuffer bytes;
  encode_startup(bytes, (3U << 16U) | 9999U, {});
  EXPECT_TRUE(take(bytes).has_value());
}

TEST(StartupTest, encryption_requests_have_no_body) {
  base::ByteBuffer bytes;
  encode_ssl_request(bytes);
  const auto packet = take(bytes);
  ASSERT_TRUE(packet.has_value() && packet->has_value());
  EXPECT_TRUE(std::holds_alternative<SslRequest>(**packet));
  const auto gss = take(a_packet(kGssEncRequest, ""));
  ASSERT_TRUE(gss.has_value() && gss->has_value());
  EXPECT_TRUE(std::holds_alternative<GssEncRequest>(**gss));
  EXPECT_FALSE(take(a_packet(kSslRequest, "x")).has_value());
}

TEST(StartupTest, a_cancel_request_survives_the_trip_with_short_and_long_keys) {
  for (const std::size_t size : {std::size_t{4}, std::size_t{32}, std::size_t{256}}) {
    const CancelKey key{.pid = 4711, .secret = base::ByteBuffer(size, std::byte{7})};
    base::ByteBuffer bytes;
    encode_cancel_request(bytes, key);
    const auto packet = take(bytes);
    ASSERT_TRUE(packet.has_value() && packet->has_value());
    EXPECT_EQ(std::get<CancelKey>(**packet), key);
  }
}

TEST(StartupTest, refuses_cancel_keys_of_impossible_size) {
  for (const std::size_t size : {0U, 3U, 7U}) {
    // The pid takes the first four bytes.
    EXPECT_FALSE(take(a_packet(kCancelRequest, std::string(size, 'k'))).has_value()) << size;
  }
  EXPECT_FALSE(take(a_packet(kCancelRequest, std::string(4 + 257, 'k'))).has_value());
}

TEST(StartupTest, knows_a_tls_handshake_from_a_packet) {
  EXPECT_TRUE(is_tls_handshake(base::as_bytes("\x16\x03\x01")));
  base::ByteBuffer bytes;
  encode_ssl_request(bytes);
  EXPECT_FALSE(is_tls_handshake(bytes));
}

TEST(StartupTest, a_version_answer_survives_the_trip) {
  constexpr std::array<std::string_view, 2> kNames{"_pq_.a", "_pq_.b"};
  base::ByteBuffer bytes;
  encode_negotiate_protocol_version(bytes, kProtocol30, kNames);
  const base::Bytes body = base::Bytes(bytes).subspan(kHeaderBytes);
  const auto answer = parse_negotiate_protocol_version(body);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->protocol, kProtocol30);
  EXPECT_EQ(answer->unknown_names, (std::vector<std::string_view>{"_pq_.a", "_pq_.b"}));
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    EXPECT_FALSE(parse_negotiate_protocol_version(body.first(cut)).has_value()) << cut;
  }
}

TEST(StartupTest, a_version_answer_with_a_lying_count_is_refused) {
  base::ByteBuffer body;
  base::ByteWriter writer(body);
  writer.u32(kProtocol30);
  writer.u32(~0U);
  writer.c_string("_pq_.a");
  EXPECT_FALSE(parse_negotiate_protocol_version(body).has_value());
}

}  // namespace
}  // namespace pgweir::wire
