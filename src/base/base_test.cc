#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/list.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/secret.h"

namespace pgweir::base {
namespace {

Result<int> half(int x) {
  if (x % 2 != 0) return Error{.code = ErrorCode::Configuration, .context = "odd"};
  return x / 2;
}
Result<int> quarter(int x) {
  const int h = TRY(half(x));
  return TRY(half(h));
}

TEST(ResultTest, try_returns_the_value_or_leaves_with_the_error) {
  EXPECT_EQ(*quarter(8), 2);
  ASSERT_FALSE(quarter(6).has_value());
  EXPECT_EQ(quarter(6).error().context, "odd");
}

TEST(ByteReaderTest, a_read_past_the_end_yields_zeros_and_a_bad_reader) {
  ByteBuffer buffer;
  ByteWriter(buffer).u16(0x0102);
  ByteReader reader(buffer);
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.is_good());
  EXPECT_EQ(reader.u8(), 0U);
}

TEST(ByteReaderTest, a_string_needs_its_zero) {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  writer.c_string("abc");
  writer.text("def");
  ByteReader reader(buffer);
  EXPECT_EQ(reader.c_string(), "abc");
  EXPECT_EQ(reader.c_string(), "");
  EXPECT_FALSE(reader.is_good());
}

struct First;
struct Second;
struct Item : ListHook<First>, ListHook<Second> {
  explicit Item(int n) : number(n) {}
  int number;
};

TEST(ListTest, an_item_is_in_two_lists_and_leaves_both_when_it_ends) {
  List<Item, First> first;
  List<Item, Second> second;
  Item a(1);
  {
    Item b(2);
    first.push_back(a);
    first.push_back(b);
    second.push_front(b);
    EXPECT_EQ(first.front()->number, 1);
    EXPECT_EQ(first.next(a), &b);
    EXPECT_EQ(second.front(), &b);
  }
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(first.back(), &a);
  EXPECT_EQ(first.next(a), nullptr);
  EXPECT_EQ(first.pop_front(), &a);
  EXPECT_TRUE(first.empty());
}

TEST(SecretTest, compares_whole_values) {
  const Secret secret("correct horse");
  EXPECT_TRUE(secret.is_equal("correct horse"));
  EXPECT_FALSE(secret.is_equal("correct hors"));
  EXPECT_FALSE(secret.is_equal("correct horsf"));
}

TEST(RngTest, jitter_stays_within_its_share) {
  Rng rng(7);
  for (int i = 0; i < 1000; ++i) {
    const Duration d = rng.jitter(std::chrono::seconds(8), 0.25);
    EXPECT_GE(d, std::chrono::seconds(6));
    EXPECT_LE(d, std::chrono::seconds(10));
  }
}

}  // namespace
}  // namespace pgweir::base
