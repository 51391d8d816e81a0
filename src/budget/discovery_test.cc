#include "budget/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace pgweir::budget {
namespace {

using testing::HasSubstr;
using Row = std::array<std::optional<std::string_view>, kDiscoveryColumns>;

const Row kRow{"150004", "100", "3", "0", "f", "4711", "5", "1", "617070:20:2:1,2c3a:0:0:0", {}};

TEST(DiscoveryTest, reads_a_row) {
  const auto facts = parse_discovery(kRow, 4711);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(*facts, (ServerFacts{.version = 150004,
                                 .max_connections = 100,
                                 .superuser_reserved = 3,
                                 .reserved = 0,
                                 .others_total = 5,
                                 .ours = 1,
                                 .backend_pid = 4711,
                                 .roles = {{"app", 20, 2, 1}, {",:", 0, 0, 0}},
                                 .databases = {}}));
}

TEST(DiscoveryTest, recognises_another_pooler_by_its_pid) {
  EXPECT_TRUE(parse_discovery(kRow, 12)->is_behind_pooler);
  EXPECT_TRUE(parse_discovery(kRow, 0)->is_behind_pooler);
}

TEST(DiscoveryTest, names_the_column_that_it_cannot_read) {
  for (std::size_t column = 0; column < kDiscoveryColumns; ++column) {
    for (const std::optional<std::string_view> text :
         {std::optional<std::string_view>(), {"12x"}, {""}, {"99999999999999999999"}}) {
      // Nothing but NULL, and nothing at all, say that nothing has a limit.
      if (column >= 8 && text.value_or("").empty()) continue;
      Row row = kRow;
      row[column] = text;
      const auto facts = parse_discovery(row, 4711);
      ASSERT_FALSE(facts.has_value());
      EXPECT_EQ(facts.error().side, base::Side::Server);
      EXPECT_THAT(facts.error().context, HasSubstr("which PostgreSQL would not say"));
    }
  }
}

TEST(DiscoveryTest, refuses_half_a_level) {
  for (const std::string_view text : {"617070", "617070:20:2", "617070:20:2:1:3", ":20:2:1",
                                      "61707:20:2:1", "6g:20:2:1", "617070:20:2:1,:"}) {
    Row row = kRow;
    row[9] = text;
    EXPECT_FALSE(parse_discovery(row, 4711).has_value()) << text;
  }
}

TEST(DiscoveryTest, refuses_a_row_of_another_shape) {
  const auto facts = parse_discovery(std::span(kRow).first(3), 4711);
  ASSERT_FALSE(facts.has_value());
  EXPECT_THAT(facts.error().context, HasSubstr("3 columns instead of 10"));
}

TEST(DiscoveryTest, writes_pids_as_an_array) {
  EXPECT_EQ(encode_pids({}), "{}");
  EXPECT_EQ(encode_pids(std::array{1, 22, 333}), "{1,22,333}");
}

}  // namespace
}  // namespace pgweir::budget
