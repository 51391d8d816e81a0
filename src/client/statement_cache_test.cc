#include "client/statement_cache.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace pgweir::client {
namespace {

using Plan = StatementCache::Plan;

class StatementCacheTest : public testing::Test {
 protected:
  Plan plan(const std::string& text, std::vector<Oid> types = {}) {
    return cache_.make_plan(text, types, count_max_);
  }
  // Comes twice, and is prepared then.
  std::string prepare(const std::string& text, const std::vector<Oid>& types = {}) {
    EXPECT_EQ(plan(text, types).entry, nullptr);
    Plan second = plan(text, types);
    EXPECT_TRUE(second.prepares);
    if (second.leaving != nullptr) cache_.note_deallocated(second);
    cache_.note_prepared(second);
    return second.entry->name();
  }
  std::string name_of(const std::string& text, const std::vector<Oid>& types = {}) {
    const Plan known = plan(text, types);
    EXPECT_FALSE(known.prepares);
    return known.entry == nullptr ? "" : known.entry->name();
  }

  StatementCache cache_;
  std::size_t count_max_ = 2;
};

TEST_F(StatementCacheTest, what_comes_twice_is_prepared_and_goes_by_its_name) {
  const std::string name = prepare("select $1");
  EXPECT_THAT(name, testing::MatchesRegex("pgweir_[0-9a-f]{32}"));
  EXPECT_EQ(name_of("select $1"), name);
}

TEST_F(StatementCacheTest, names_are_of_text_and_types) {
  const std::string name = prepare("select $1", {23});
  EXPECT_NE(prepare("select $1", {25}), name);
  StatementCache other;
  EXPECT_EQ(other.make_plan("select $1", std::vector<Oid>{23}, 2).entry, nullptr);
  EXPECT_EQ(other.make_plan("select $1", std::vector<Oid>{23}, 2).entry->name(), name);
}

TEST_F(StatementCacheTest, the_least_recently_used_makes_room) {
  prepare("select 1");
  const std::string second = prepare("select 2");
  EXPECT_NE(name_of("select 1"), "");
  EXPECT_EQ(plan("select 3").entry, nullptr);
  Plan third = plan("select 3");
  ASSERT_NE(third.leaving, nullptr);
  EXPECT_EQ(third.leaving->name(), second);
  cache_.note_deallocated(third);
  cache_.note_prepared(third);
  EXPECT_EQ(cache_.size(), 2U);
  EXPECT_NE(name_of("select 1"), "");
  EXPECT_TRUE(plan("select 2").prepares);
}

TEST_F(StatementCacheTest, what_comes_once_makes_no_room) {
  prepare("select 1");
  for (int i = 100; i < 200; ++i) EXPECT_EQ(name_of("select " + std::to_string(i)), "");
  EXPECT_NE(name_of("select 1"), "");
  EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(StatementCacheTest, no_text_without_end_is_kept) {
  const std::string text = "select '" + std::string(65536, 'x') + "'";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(name_of(text), "");
}

TEST_F(StatementCacheTest, what_was_not_prepared_after_all_is_tried_again) {
  plan("select 1");
  Plan failed = plan("select 1");
  cache_.note_not_done(failed);
  EXPECT_EQ(cache_.size(), 0U);
  EXPECT_TRUE(plan("select 1").prepares);
}

TEST_F(StatementCacheTest, what_nobody_knows_is_left_alone) {
  plan("select 1");
  Plan doubtful = plan("select 1");
  cache_.note_unknown(doubtful);
  EXPECT_EQ(name_of("select 1"), "");
  EXPECT_EQ(name_of("select 1"), "");
  prepare("select 2");
  EXPECT_EQ(plan("select 3").entry, nullptr);
  const Plan third = plan("select 3");  // Only what is there can leave.
  ASSERT_NE(third.leaving, nullptr);
  EXPECT_EQ(third.leaving->name(), name_of("select 2"));
}

TEST_F(StatementCacheTest, D17_what_is_outdated_is_prepared_anew_under_its_name) {
  const std::string name = prepare("select 1");
  cache_.note_outdated(plan("select 1"));
  Plan anew = plan("select 1");
  EXPECT_TRUE(anew.prepares);
  EXPECT_EQ(anew.leaving, anew.entry);
  cache_.note_deallocated(anew);
  cache_.note_prepared(anew);
  EXPECT_EQ(name_of("select 1"), name);
}

TEST_F(StatementCacheTest, D17_what_is_gone_is_prepared_anew) {
  const std::string name = prepare("select 1");
  cache_.clear();
  const Plan anew = plan("select 1");  // Once seen is enough.
  EXPECT_TRUE(anew.prepares);
  EXPECT_EQ(anew.leaving, nullptr);
  EXPECT_EQ(anew.entry->name(), name);
}

TEST_F(StatementCacheTest, without_room_nothing_is_prepared) {
  count_max_ = 0;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(name_of("select 1"), "");
}

TEST(PlannedTest, only_what_postgresql_plans_is_worth_it) {
  for (const char* text :
       {"select 1", "SELECT(1)", "  \n-- so\n  /* or so */ With a as (select 1) table a",
        "(values(1))", "insert into t values ($1)", "update t set a = 1", "delete from t",
        "merge into t using s", "table t"}) {
    EXPECT_TRUE(is_planned(text)) << text;
  }
  for (const char* text : {"", "vacuum", "selected", "begin", "deallocate all", "set a = 1",
                           "select", "copy t to stdout", "/* select 1", "-- select 1", "listen a",
                           "show all", "explain select 1", ";"}) {
    EXPECT_FALSE(is_planned(text)) << text;
  }
}

}  // namespace
}  // namespace pgweir::client
