#include "budget/second_look.h"

#include <gtest/gtest.h>

namespace pgweir::budget {
namespace {

ServerFacts facts_of(std::int64_t others, std::int64_t ours) {
  return {.version = 150004, .max_connections = 100, .others_total = others, .ours = ours};
}

ServerFacts with_role(ServerFacts facts, std::int64_t others, std::int64_t ours) {
  facts.roles.push_back({.name = "app", .limit = 20, .others = others, .ours = ours});
  return facts;
}

TEST(SecondLookTest, believes_the_first_one_and_wants_another_where_there_are_others) {
  SecondLook look;
  EXPECT_EQ(look.take(facts_of(5, 1)), facts_of(5, 1));
  EXPECT_TRUE(look.is_wanted());
  SecondLook alone;
  EXPECT_EQ(alone.take(facts_of(0, 1)), facts_of(0, 1));
  EXPECT_FALSE(alone.is_wanted());
}

TEST(SecondLookTest, corrects_the_first_one_once) {
  SecondLook look;
  look.take(facts_of(5, 1));
  EXPECT_FALSE(look.corrects_first());
  EXPECT_EQ(look.take(facts_of(2, 4)), facts_of(2, 4));
  EXPECT_TRUE(look.corrects_first());
  EXPECT_FALSE(look.is_wanted());
  look.take(facts_of(9, 4));
  look.take(facts_of(2, 4));
  EXPECT_FALSE(look.corrects_first());
}

TEST(SecondLookTest, has_nothing_to_correct_where_the_first_one_saw_nobody) {
  SecondLook look;
  look.take(facts_of(0, 1));
  look.take(facts_of(3, 1));
  look.take(facts_of(3, 1));
  EXPECT_FALSE(look.corrects_first());
}

TEST(SecondLookTest, takes_what_only_one_look_found_for_ours) {
  SecondLook look;
  look.take(facts_of(0, 1));
  EXPECT_EQ(look.take(facts_of(9, 1)), facts_of(0, 10));
  EXPECT_TRUE(look.is_wanted());
  EXPECT_EQ(look.take(facts_of(0, 10)), facts_of(0, 10)) << "they were ours";
  EXPECT_FALSE(look.is_wanted());
}

TEST(SecondLookTest, believes_what_two_looks_in_a_row_found) {
  SecondLook look;
  look.take(facts_of(0, 1));
  look.take(facts_of(9, 1));
  EXPECT_EQ(look.take(facts_of(11, 1)), facts_of(9, 3));
  EXPECT_TRUE(look.is_wanted());
  EXPECT_EQ(look.take(facts_of(11, 1)), facts_of(11, 1));
  EXPECT_FALSE(look.is_wanted());
}

TEST(SecondLookTest, believes_at_once_that_some_have_left) {
  SecondLook look;
  look.take(facts_of(9, 1));
  EXPECT_EQ(look.take(facts_of(4, 1)), facts_of(4, 1));
  EXPECT_FALSE(look.is_wanted());
}

TEST(SecondLookTest, doubts_each_role_and_database_by_itself) {
  SecondLook look;
  look.take(with_role(facts_of(5, 1), 1, 0));
  // One of the role has come, and one of another has left.
  EXPECT_EQ(look.take(with_role(facts_of(5, 1), 2, 0)), with_role(facts_of(5, 1), 1, 1));
  EXPECT_TRUE(look.is_wanted());
  EXPECT_EQ(look.take(with_role(facts_of(5, 1), 2, 0)), with_role(facts_of(5, 1), 2, 0));
}

TEST(SecondLookTest, believes_no_more_of_a_role_than_of_all) {
  SecondLook look;
  look.take(facts_of(2, 1));
  EXPECT_EQ(look.take(with_role(facts_of(5, 1), 4, 0)), with_role(facts_of(2, 4), 2, 2));
}

TEST(SecondLookTest, leaves_nonsense_as_it_is) {
  SecondLook look;
  look.take(facts_of(2, 1));
  EXPECT_EQ(look.take(with_role(facts_of(2, 1), 4, 0)), with_role(facts_of(2, 1), 4, 0));
}

TEST(SecondLookTest, wants_nothing_of_another_pooler) {
  SecondLook look;
  ServerFacts facts = facts_of(5, 1);
  facts.is_behind_pooler = true;
  look.take(facts);
  EXPECT_FALSE(look.is_wanted());
}

}  // namespace
}  // namespace pgweir::budget
