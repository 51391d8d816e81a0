#include "session/statement_table.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

const base::ByteBuffer kNoTypes = {std::byte{0}, std::byte{0}};
const base::ByteBuffer kOneInt = {std::byte{0}, std::byte{1}, std::byte{0},
                                  std::byte{0}, std::byte{0}, std::byte{23}};

TEST(StatementTableTest, one_text_with_one_list_of_types_has_one_entry) {
  StatementTable table;
  const StatementId a = table.intern("select $1", kNoTypes);
  EXPECT_EQ(table.intern("select $1", kNoTypes), a);
  const StatementId b = table.intern("select $1", kOneInt);
  const StatementId c = table.intern("select  $1", kNoTypes);
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(table.at(a).server_name, table.at(b).server_name);
  EXPECT_EQ(table.at(b).query, "select $1");
  EXPECT_EQ(table.at(b).types, kOneInt);
}

TEST(StatementTableTest, server_names_are_never_used_for_another_text) {
  StatementTable table(0);
  const StatementId first = table.intern("select 1", kNoTypes);
  const std::string name = table.at(first).server_name;
  EXPECT_EQ(name.size(), 23U);
  EXPECT_TRUE(name.starts_with("pgweir_"));
  table.release(first);
  EXPECT_EQ(table.find(first), nullptr);
  const StatementId second = table.intern("select 1", kNoTypes);
  EXPECT_NE(table.at(second).server_name, name);
}

TEST(StatementTableTest, unused_ones_are_kept_up_to_so_many_bytes) {
  StatementTable table(1000, 10);
  const StatementId used = table.intern("12345678901", {});
  table.release(table.intern("123456", {}));
  table.release(table.intern("1234", {}));
  EXPECT_EQ(table.size(), 3U);
  table.release(table.intern("1", {}));
  EXPECT_EQ(table.size(), 3U) << "the longest unused one has gone";
  table.release(table.intern("1", {}));  // Taken up and put back.
  EXPECT_EQ(table.size(), 3U);
  table.release(used);
  EXPECT_EQ(table.size(), 0U);
}

TEST(StatementTableTest, a_number_of_unused_ones_is_kept_the_longest_unused_goes_first) {
  StatementTable table(2);
  const StatementId a = table.intern("a", kNoTypes);
  const StatementId b = table.intern("b", kNoTypes);
  const StatementId c = table.intern("c", kNoTypes);
  table.release(a);
  table.release(b);
  EXPECT_EQ(table.intern("a", kNoTypes), a);  // In use again.
  table.release(a);
  table.release(c);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.find(b), nullptr);
  EXPECT_NE(table.find(a), nullptr);
  EXPECT_NE(table.find(c), nullptr);
}

TEST(StatementTableTest, lookup_finds_without_keeping) {
  StatementTable table(0);
  EXPECT_EQ(table.lookup("a", kNoTypes), StatementId::None);
  const StatementId a = table.intern("a", kNoTypes);
  EXPECT_EQ(table.lookup("a", kNoTypes), a);
  EXPECT_EQ(table.lookup("a", kOneInt), StatementId::None);
  table.release(a);
  EXPECT_EQ(table.lookup("a", kNoTypes), StatementId::None);
}

TEST(StatementTableTest, it_remembers_what_a_server_of_which_pool_has_accepted) {
  constexpr base::PoolId kOne{1};
  constexpr base::PoolId kOther{2};
  StatementTable table;
  const StatementId a = table.intern("a", kNoTypes);
  EXPECT_FALSE(table.is_accepted(a, kOne));
  table.accept(a, kOne);
  table.accept(a, kOne);
  EXPECT_TRUE(table.is_accepted(a, kOne));
  EXPECT_FALSE(table.is_accepted(a, kOther)) << "its tables may not be there";
  EXPECT_EQ(table.at(a).accepted_in.size(), 1U);
  table.accept(StatementId::None, kOne);
  table.accept(StatementId{4711}, kOne);
  EXPECT_FALSE(table.is_accepted(StatementId{4711}, kOne));
}

TEST(StatementTableTest, a_retired_entry_serves_those_who_have_it_and_nobody_new) {
  StatementTable table;
  const StatementId stale = table.intern("a", kNoTypes);
  table.retire(stale);
  EXPECT_EQ(table.at(stale).query, "a");
  const StatementId fresh = table.intern("a", kNoTypes);
  EXPECT_NE(fresh, stale);
  table.release(stale);
  EXPECT_EQ(table.intern("a", kNoTypes), fresh);
  table.retire(StatementId::None);
  table.retire(StatementId{4711});
}

TEST(StatementTableTest, it_knows_what_executing_a_statement_does) {
  StatementTable table;
  EXPECT_TRUE(table.at(table.intern("select 1", kNoTypes)).effects.is_trivial());
  EXPECT_FALSE(table.at(table.intern("listen x", kNoTypes)).effects.is_trivial());
}

}  // namespace
}  // namespace pgweir::session
