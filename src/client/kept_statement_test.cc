#include "client/kept_statement.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>

namespace pgweir::client {
namespace {

TEST(KeptStatementTest, outlives_all_that_was_borrowed) {
  std::string text = "select $1, $2, $3";
  std::string bytes("a\0b", 3);
  std::string word = "word, too long to be anywhere but on the heap";
  std::vector<Oid> types{17, 0, 25};
  std::vector<const char*> values{bytes.data(), nullptr, word.c_str()};
  std::vector<int> lengths{3, 0, static_cast<int>(word.size())};
  std::vector<int> formats{1, 0, 0};
  const KeptStatement kept({.text = text.c_str(),
                            .types = types,
                            .values = values,
                            .lengths = lengths,
                            .formats = formats,
                            .comes_by_row = true,
                            .may_be_prepared = true});
  std::fill(text.begin(), text.end(), 'x');
  std::fill(bytes.begin(), bytes.end(), 'x');
  std::fill(word.begin(), word.end(), 'x');
  types = {1, 1, 1};
  lengths = {0, 0, 0};
  formats = {7, 7, 7};
  const Statement& copy = kept.statement();
  EXPECT_STREQ(copy.text, "select $1, $2, $3");
  EXPECT_THAT(copy.types, testing::ElementsAre(17U, 0U, 25U));
  EXPECT_THAT(copy.lengths, testing::ElementsAre(3, 0, 45));
  EXPECT_THAT(copy.formats, testing::ElementsAre(1, 0, 0));
  ASSERT_EQ(copy.values.size(), 3U);
  EXPECT_EQ(std::memcmp(copy.values[0], "a\0b", 4), 0);
  EXPECT_EQ(copy.values[1], nullptr);
  EXPECT_STREQ(copy.values[2], "word, too long to be anywhere but on the heap");
  EXPECT_TRUE(copy.comes_by_row);
  EXPECT_TRUE(copy.may_be_prepared);
}

}  // namespace
}  // namespace pgweir::client
