#include "session/prepared_statements.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pgweir::session {
namespace {

const base::ByteBuffer kNoTypes = {std::byte{0}, std::byte{0}};

class PreparedStatementsTest : public testing::Test {
 protected:
  StatementId statement(std::string_view text) { return table_.intern(text, kNoTypes); }
  void define(std::string_view name, std::string_view text, std::uint32_t tag) {
    ASSERT_TRUE(client_.define(name, statement(text), tag));
  }
  std::string text_of(std::string_view name) const {
    const StatementId id = client_.find(name);
    return id == StatementId::None ? "" : table_.at(id).query;
  }
  // As many as are referred to: nothing unused is kept.
  std::size_t count() const { return table_.size(); }

  StatementTable table_{0};
  ClientStatements client_{table_};
};

TEST_F(PreparedStatementsTest, names_lead_to_statements_the_empty_one_too) {
  define("s", "one", 1);
  define("", "two", 2);
  EXPECT_EQ(text_of("s"), "one");
  EXPECT_EQ(text_of(""), "two");
  EXPECT_EQ(client_.find("other"), StatementId::None);
  EXPECT_EQ(client_.name_of(client_.find("s")), "s");
  EXPECT_EQ(client_.name_of(client_.find("")), "");
}

TEST_F(PreparedStatementsTest, what_is_replaced_or_removed_is_let_go_once_that_is_certain) {
  define("", "one", 1);
  define("", "two", 2);
  define("s", "three", 3);
  client_.remove("s", 4);
  client_.remove("never", 5);
  EXPECT_EQ(text_of("s"), "");
  EXPECT_EQ(count(), 3U);
  client_.commit(5);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(text_of(""), "two");
}

TEST_F(PreparedStatementsTest, a_request_that_did_not_happen_is_undone) {
  define("s", "one", 1);
  client_.commit(1);
  client_.remove("s", 2);
  client_.undo(2);
  EXPECT_EQ(text_of("s"), "one");
  define("t", "two", 3);
  client_.undo(3);
  EXPECT_EQ(text_of("t"), "");
  EXPECT_EQ(count(), 1U);
}

TEST_F(PreparedStatementsTest, what_was_asked_for_behind_an_undone_request_stands) {
  define("bad", "one", 1);
  define("good", "two", 3);
  client_.undo(1);
  EXPECT_EQ(text_of("bad"), "");
  EXPECT_EQ(text_of("good"), "two");
}

TEST_F(PreparedStatementsTest, undoing_the_older_of_two_leaves_the_newer_and_nothing_behind_it) {
  define("", "first", 1);
  client_.commit(1);
  define("", "older", 2);
  define("", "newer", 4);
  client_.undo(2);
  EXPECT_EQ(text_of(""), "newer");
  EXPECT_EQ(count(), 2U);
  client_.undo(4);
  EXPECT_EQ(text_of(""), "first");
  EXPECT_EQ(count(), 1U);
}

TEST_F(PreparedStatementsTest, a_commit_settles_no_later_request) {
  define("s", "one", 1);
  define("t", "two", 3);
  client_.commit(2);
  client_.undo(1);  // Too late.
  EXPECT_EQ(text_of("s"), "one");
  client_.undo(3);
  EXPECT_EQ(text_of("t"), "");
}

TEST_F(PreparedStatementsTest, clear_forgets_every_name_for_good) {
  define("s", "one", 1);
  define("", "two", 2);
  client_.remove("s", 3);
  client_.clear();
  client_.undo(3);
  EXPECT_EQ(text_of("s"), "");
  EXPECT_EQ(text_of(""), "two");
  EXPECT_EQ(count(), 1U);
}

TEST_F(PreparedStatementsTest, a_name_is_in_doubt_while_an_earlier_request_may_still_fail) {
  define("s", "one", 1);
  client_.commit(1);
  define("new", "two", 2);
  client_.remove("s", 3);
  EXPECT_FALSE(client_.is_in_doubt("s", 2, false)) << "of its own batch";
  EXPECT_TRUE(client_.is_in_doubt("s", 3, false));
  EXPECT_FALSE(client_.is_in_doubt("new", 3, false)) << "there is no other that it could stand for";
  EXPECT_TRUE(client_.is_in_doubt("new", 3, true));
  EXPECT_FALSE(client_.is_in_doubt("other", 3, true));
  EXPECT_FALSE(client_.is_in_doubt("", 3, true));
  client_.commit(3);
  EXPECT_FALSE(client_.is_in_doubt("s", 3, true));
}

TEST_F(PreparedStatementsTest, a_client_may_not_have_statements_without_end) {
  for (std::uint32_t i = 0; i < 20'000; ++i) define("s" + std::to_string(i), "one", i + 1);
  const auto status = client_.define("one more", statement("two"), 20'001);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::LimitReached);
  EXPECT_EQ(count(), 1U);
  define("", "two", 20'002);  // There is only one of these.
}

TEST_F(PreparedStatementsTest, nor_statements_of_any_length) {
  const std::string megabyte(1024 * 1024, ' ');
  for (std::uint32_t i = 0; i < 256; ++i) define("s" + std::to_string(i), megabyte, i + 1);
  EXPECT_FALSE(client_.define("one more", statement("two"), 300));
  client_.remove("s7", 301);
  EXPECT_TRUE(client_.define("one more", statement("two"), 302));
}

TEST(ServerStatementsTest, what_was_used_longest_ago_goes_first) {
  StatementTable table;
  ServerStatements server(table);
  const StatementId a = table.intern("a", kNoTypes);
  const StatementId b = table.intern("b", kNoTypes);
  const StatementId c = table.intern("c", kNoTypes);
  for (const StatementId id : {a, b, c}) server.insert(id);
  EXPECT_EQ(server.take_surplus(2), StatementId::None);  // All belong to what is under way.
  server.release_pins();
  server.use(a);
  EXPECT_EQ(server.take_surplus(3), StatementId::None);
  const StatementId gone = server.take_surplus(2);
  EXPECT_EQ(gone, b);
  EXPECT_FALSE(server.contains(b));
  server.restore(gone);
  EXPECT_TRUE(server.contains(b)) << "its Close was skipped behind an error";
  server.release_pins();
  server.use(a);
  server.use(b);
  EXPECT_EQ(server.take_surplus(2), c);
  server.confirm_closed(c);
  server.restore(c);
  EXPECT_FALSE(server.contains(c));
  server.insert(c);
  EXPECT_TRUE(server.contains(a) && server.contains(c));
}

TEST(ServerStatementsTest, each_statement_is_referred_to_once) {
  StatementTable table(0);
  {
    ServerStatements server(table);
    const StatementId a = table.intern("a", kNoTypes);
    server.insert(a);
    server.insert(a);
    server.set_unnamed(a);
    table.release(a);
    EXPECT_EQ(server.size(), 1U);
    server.remove(a);
    EXPECT_EQ(server.unnamed(), a);
    EXPECT_EQ(table.size(), 1U);
    server.remove(a);
  }
  EXPECT_EQ(table.size(), 0U);
}

TEST(ServerStatementsTest, clear_leaves_the_unnamed_one) {
  StatementTable table(0);
  ServerStatements server(table);
  const StatementId a = table.intern("a", kNoTypes);
  const StatementId b = table.intern("b", kNoTypes);
  server.insert(a);
  server.set_unnamed(b);
  table.release(a);
  table.release(b);
  server.clear();
  EXPECT_EQ(server.unnamed(), b);
  EXPECT_EQ(server.size(), 0U);
  EXPECT_EQ(table.size(), 1U);
}

// A server that comes from another reactor has statements under names of that one's table.
TEST(ServerStatementsTest, what_was_adopted_keeps_its_name_until_it_is_gone) {
  StatementTable table(0);
  ServerStatements server(table);
  const StatementId a = table.intern("a", kNoTypes);
  server.adopt(a, "pgweir_1000000000000001");
  server.release_pins();
  EXPECT_EQ(server.name_of(a), "pgweir_1000000000000001");

  // Its Close is sent under that name, and where it was skipped the name is still there.
  ASSERT_EQ(server.take_surplus(0), a);
  EXPECT_EQ(server.name_of(a), "pgweir_1000000000000001");
  server.restore(a);
  EXPECT_EQ(server.name_of(a), "pgweir_1000000000000001");
  server.remove(a);
  EXPECT_EQ(server.name_of(a), table.at(a).server_name);
  table.release(a);
}

// All names under which the server has something.
std::set<std::string> names_on(const ServerStatements& server) {
  std::set<std::string> names;
  server.for_each([&](StatementId id) {
    const bool is_new = names.emplace(server.name_of(id)).second;
    EXPECT_TRUE(is_new) << server.name_of(id) << " is there twice";
  });
  return names;
}

// The Close may yet fail, and the name be there still.
TEST(ServerStatementsTest, what_is_prepared_anew_behind_its_close_has_another_name) {
  StatementTable table(0);
  ServerStatements server(table);
  const StatementId a = table.intern("a", kNoTypes);
  for (const bool is_adopted : {false, true}) {
    SCOPED_TRACE(is_adopted);
    is_adopted ? server.adopt(a, "pgweir_1000000000000001") : server.insert(a);
    const std::string before(server.name_of(a));
    server.release_pins();
    ASSERT_EQ(server.take_surplus(0), a);
    server.insert(a);
    const std::string anew(server.name_of(a));
    EXPECT_NE(anew, before);

    // It has failed: both are there, and the elder goes when there are too many.
    server.restore(a);
    EXPECT_EQ(server.name_of(a), anew);
    EXPECT_EQ(names_on(server), (std::set<std::string>{before, anew}));
    server.release_pins();
    server.use(a);
    const StatementId orphan = server.take_surplus(1);
    ASSERT_NE(orphan, StatementId::None);
    EXPECT_EQ(server.name_of(orphan), before);
    server.confirm_closed(orphan);
    server.remove(a);
    EXPECT_EQ(server.size(), 0U);
  }
  table.release(a);
  EXPECT_EQ(table.size(), 0U);
}

// Another reactor has retired it, and a client here still goes by it.
TEST(ServerStatementsTest, a_name_that_is_taken_is_not_given_again) {
  StatementTable table(0);
  ServerStatements server(table);
  const StatementId a = table.intern("a", kNoTypes);
  const std::string own(table.at(a).server_name);
  server.keep_unused("a", kNoTypes, own);
  EXPECT_FALSE(server.contains(a));
  server.insert(a);
  EXPECT_NE(server.name_of(a), own);
  EXPECT_EQ(names_on(server).size(), 2U);

  server.clear();
  server.insert(a);
  EXPECT_EQ(server.name_of(a), own) << "it is free again";
  server.remove(a);
  table.release(a);
}

TEST(StatementTableTest, tables_of_different_authors_never_use_one_name) {
  StatementTable one;
  StatementTable other;
  other.set_author(3);
  const StatementId here = one.intern("a", kNoTypes);
  const StatementId there = other.intern("a", kNoTypes);
  EXPECT_EQ(one.at(here).server_name, "pgweir_0000000000000001");
  EXPECT_EQ(other.at(there).server_name, "pgweir_3000000000000001");
}

}  // namespace
}  // namespace pgweir::session
