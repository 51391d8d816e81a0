#include "wire/frame.h"

#include <gtest/gtest.h>

namespace pgweir::wire {
namespace {

using base::Side;

base::ByteBuffer a_frame(char type, std::string_view body) {
  base::ByteBuffer out;
  FrameWriter(out, type).text(body);
  return out;
}

TEST(FrameTest, a_written_frame_is_taken_again) {
  base::ByteBuffer bytes = a_frame('Q', "select 1");
  base::append(bytes, a_frame('S', ""));
  base::Bytes input = bytes;

  const auto first = take_frame(input, 100, Side::Client);
  ASSERT_TRUE(first.has_value() && first->has_value());
  EXPECT_EQ((*first)->type, 'Q');
  EXPECT_EQ(base::as_text((*first)->body), "select 1");
  const auto second = take_frame(input, 100, Side::Client);
  ASSERT_TRUE(second.has_value() && second->has_value());
  EXPECT_EQ((*second)->type, 'S');
  EXPECT_TRUE((*second)->body.empty());
  EXPECT_TRUE(input.empty());
}

TEST(FrameTest, a_frame_cut_at_any_byte_is_incomplete_and_left_alone) {
  const base::ByteBuffer bytes = a_frame('D', "some row");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    base::Bytes input(bytes.data(), cut);
    const auto frame = take_frame(input, 100, Side::Server);
    ASSERT_TRUE(frame.has_value()) << cut;
    EXPECT_FALSE(frame->has_value()) << cut;
    EXPECT_EQ(input.size(), cut);
  }
}

TEST(FrameTest, refuses_lengths_that_cannot_be) {
  for (const std::uint32_t length : {0U, 1U, 3U, 0x40000004U, 0x7fffffffU, 0x80000000U, ~0U}) {
    base::ByteBuffer bytes = a_frame('Q', "");
    base::store_u32(bytes.data() + 1, length);
    const auto header = parse_header(bytes.data(), Side::Client);
    ASSERT_FALSE(header.has_value()) << length;
    EXPECT_EQ(header.error().code, base::ErrorCode::ProtocolViolation);
    EXPECT_EQ(header.error().side, Side::Client);
  }
}

TEST(FrameTest, accepts_the_smallest_and_the_largest_length) {
  base::ByteBuffer bytes = a_frame('Q', "");
  EXPECT_EQ(parse_header(bytes.data(), Side::Client)->body_bytes, 0U);
  base::store_u32(bytes.data() + 1, kBodyBytesMax + 4);
  EXPECT_EQ(parse_header(bytes.data(), Side::Client)->body_bytes, kBodyBytesMax);
}

TEST(FrameTest, refuses_a_body_above_the_limit_before_it_arrives) {
  const base::ByteBuffer bytes = a_frame('p', "123456");
  base::Bytes header_only(bytes.data(), kHeaderBytes);
  EXPECT_FALSE(take_frame(header_only, 5, Side::Client).has_value());
  EXPECT_TRUE(take_frame(header_only, 6, Side::Client).has_value());
}

}  // namespace
}  // namespace pgweir::wire
