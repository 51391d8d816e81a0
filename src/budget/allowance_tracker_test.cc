#include "budget/allowance_tracker.h"

#include <gtest/gtest.h>

namespace pgweir::budget {
namespace {

using std::chrono::seconds;

class AllowanceTrackerTest : public testing::Test {
 protected:
  // A look at a server that leaves `limit` to us: 100 slots, none reserved.
  void look(std::int64_t limit, base::Duration later = seconds(1)) {
    now += later;
    tracker.handle_facts(
        {.version = 150004, .max_connections = 100, .others_total = 100 - limit - 3, .ours = ours},
        now);
  }

  std::int64_t ours = 0;
  base::Instant now{seconds(100)};
  AllowanceTracker tracker{Options{}};
};

TEST_F(AllowanceTrackerTest, looks_at_once_and_takes_the_first_answer_whole) {
  EXPECT_LE(tracker.next_look(), now);
  EXPECT_EQ(tracker.limit(), pool::kUnlimited);
  look(40);
  EXPECT_EQ(tracker.limit(), 40U);
}

TEST_F(AllowanceTrackerTest, follows_down_at_once) {
  look(40);
  look(12);
  EXPECT_EQ(tracker.limit(), 12U);
}

TEST_F(AllowanceTrackerTest, follows_up_after_ten_seconds_by_quarters) {
  look(40);
  look(60);
  for (int i = 0; i < 9; ++i) look(60);
  EXPECT_EQ(tracker.limit(), 40U);
  look(60);
  EXPECT_EQ(tracker.limit(), 45U);
  look(60);
  EXPECT_EQ(tracker.limit(), 48U);
  for (int i = 0; i < 20; ++i) look(60);
  EXPECT_EQ(tracker.limit(), 60U);
}

TEST_F(AllowanceTrackerTest, rises_no_higher_than_the_least_that_it_saw_meanwhile) {
  look(40);
  look(80);
  look(41);
  for (int i = 0; i < 9; ++i) look(80);
  EXPECT_EQ(tracker.limit(), 41U);
}

TEST_F(AllowanceTrackerTest, begins_to_wait_anew_after_a_look_without_more) {
  look(40);
  for (int i = 0; i < 9; ++i) look(60);
  look(40);
  for (int i = 0; i < 10; ++i) look(60);
  EXPECT_EQ(tracker.limit(), 40U);
}

TEST_F(AllowanceTrackerTest, looks_every_second_while_slots_are_scarce) {
  look(40);
  EXPECT_EQ(tracker.next_look() - now, seconds(5));
  ours = 43 - 6;  // Free: 6, the margin being 3.
  look(40);
  EXPECT_EQ(tracker.next_look() - now, seconds(5));
  ours = 43 - 5;
  look(40);
  EXPECT_EQ(tracker.next_look() - now, seconds(1));
}

TEST_F(AllowanceTrackerTest, follows_each_role_and_database_by_itself) {
  ServerFacts facts{.version = 150004, .max_connections = 100};
  const auto look_at = [&] { tracker.handle_facts(facts, now += seconds(1)); };
  facts.roles = {{.name = "a", .limit = 9}, {.name = "b", .limit = 5}};
  look_at();
  EXPECT_EQ(tracker.limits().roles, (decltype(Limits::roles){{"a", 8}, {"b", 4}}));
  facts.roles = {{.name = "a", .limit = 5}};
  facts.databases = {{.name = "x", .limit = 3}};
  look_at();
  EXPECT_EQ(tracker.limits().of_role("a"), 4U) << "down at once";
  EXPECT_EQ(tracker.limits().of_database("x"), 2U);
  EXPECT_EQ(tracker.limits().of_role("b"), 4U) << "no limit any more, but not at once";
  for (int i = 0; i < 10; ++i) look_at();
  EXPECT_EQ(tracker.limits().of_role("b"), pool::kUnlimited);
  EXPECT_EQ(tracker.limits().server, 97U);
}

TEST_F(AllowanceTrackerTest, looks_every_second_while_a_role_of_ours_is_nearly_full) {
  ServerFacts facts{.version = 150004, .max_connections = 100};
  facts.roles = {{.name = "another's", .limit = 3}, {.name = "a", .limit = 9, .ours = 5}};
  tracker.handle_facts(facts, now);
  EXPECT_EQ(tracker.next_look() - now, seconds(5));
  facts.roles[1].ours = 6;
  tracker.handle_facts(facts, now);
  EXPECT_EQ(tracker.next_look() - now, seconds(1));
}

TEST_F(AllowanceTrackerTest, looks_at_once_after_a_refusal) {
  look(40);
  tracker.handle_refused(now);
  EXPECT_EQ(tracker.next_look(), now);
  tracker.handle_look_failed(now);
  EXPECT_EQ(tracker.next_look(), now + seconds(5));
  EXPECT_EQ(tracker.limit(), 40U);
}

TEST_F(AllowanceTrackerTest, keeps_its_limit_when_the_facts_turn_to_nonsense) {
  look(40);
  tracker.handle_facts({}, now);
  EXPECT_EQ(tracker.limit(), 40U);
}

TEST_F(AllowanceTrackerTest, uses_the_configured_limit_while_there_is_nothing_but_nonsense) {
  AllowanceTracker configured(Options{.connection_limit = 9});
  configured.handle_facts({}, now);
  EXPECT_EQ(configured.limit(), 9U);
}

}  // namespace
}  // namespace pgweir::budget
