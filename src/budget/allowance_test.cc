#include "budget/allowance.h"

#include <gtest/gtest.h>

namespace pgweir::budget {
namespace {

ServerFacts facts_of(std::int64_t max_connections, std::int64_t others = 0) {
  return {.version = 150004,
          .max_connections = max_connections,
          .superuser_reserved = 3,
          .others_total = others,
          .ours = 1};
}

TEST(AllowanceTest, takes_off_what_is_reserved_and_a_margin) {
  const Allowance allowance = compute_allowance(facts_of(100), {});
  EXPECT_EQ(allowance.limit, 94U);
  EXPECT_EQ(allowance.bound, Bound::Server);
  EXPECT_EQ(allowance.margin, 3);
  EXPECT_EQ(describe(*allowance.find(Bound::Server)),
            "100 max_connections - 3 superuser_reserved_connections - 0 reserved_connections - 0 "
            "connections of others - 3 margin = 94");
}

TEST(AllowanceTest, takes_off_reserved_connections_and_others) {
  ServerFacts facts = facts_of(100, 10);
  facts.reserved = 5;
  EXPECT_EQ(compute_allowance(facts, {}).limit, 100U - 3 - 5 - 10 - 3);
}

TEST(AllowanceTest, keeps_one_slot_free_on_a_small_server_and_two_beside_strangers) {
  EXPECT_EQ(compute_allowance(facts_of(20), {}).limit, 16U);
  EXPECT_EQ(compute_allowance(facts_of(20, 1), {}).limit, 14U);
  EXPECT_EQ(compute_allowance(facts_of(20, 1), {.margin = 5}).limit, 11U);
}

TEST(AllowanceTest, is_bound_by_the_tightest_limit) {
  ServerFacts facts = facts_of(100, 20);
  facts.roles = {{.name = "app", .limit = 30, .others = 4}};
  facts.databases = {{.name = "shop", .limit = 40, .others = 20}};
  const Login login{"app", "shop"};
  Allowance allowance = compute_allowance(facts, {}, login);
  EXPECT_EQ(allowance.limit, 40U - 20 - 2);
  EXPECT_EQ(allowance.bound, Bound::Database);
  facts.databases[0].others = 0;
  allowance = compute_allowance(facts, {}, login);
  EXPECT_EQ(allowance.limit, 30U - 4 - 2);
  EXPECT_EQ(allowance.bound, Bound::Role);
  EXPECT_EQ(allowance.sums.size(), 3U);
}

TEST(AllowanceTest, limits_of_one_role_bind_nobody_else) {
  ServerFacts facts = facts_of(100, 20);
  facts.roles = {{.name = "batch", .limit = 3}, {.name = "full", .limit = 5, .others = 5}};
  facts.databases = {{.name = "archive", .limit = 10, .others = 1}};
  const Limits limits = compute_limits(facts, {});
  EXPECT_EQ(limits.server, 100U - 3 - 20 - 3);
  EXPECT_EQ(limits.of_role("batch"), 3U - 1);
  EXPECT_EQ(limits.of_role("full"), 1U) << "one at least, to find out when that changes";
  EXPECT_EQ(limits.of_role("app"), pool::kUnlimited);
  EXPECT_EQ(limits.of_database("archive"), 10U - 1 - 2);
  EXPECT_EQ(compute_allowance(facts, {}, Login{"app", "shop"}).limit, limits.server);
}

TEST(LimitsTest, logins_share_what_their_role_and_their_database_may_have) {
  const Limits limits{.server = 20, .roles = {{"a", 3}, {"b", 4}}, .databases = {{"x", 5}}};
  const auto most = [&](std::vector<Login> logins) { return most_of(limits, logins); };
  EXPECT_EQ(most({{"a", "x"}}), 3U);
  EXPECT_EQ(most({{"a", "x"}, {"a", "y"}}), 3U);
  EXPECT_EQ(most({{"a", "y"}, {"b", "y"}}), 7U);
  EXPECT_EQ(most({{"a", "x"}, {"b", "x"}}), 5U);
  EXPECT_EQ(most({{"a", "x"}, {"c", "y"}}), 20U);
  EXPECT_EQ(most({}), 20U);
}

TEST(AllowanceTest, caps_at_the_set_limit) {
  const Allowance allowance = compute_allowance(facts_of(100), {.connection_limit = 40});
  EXPECT_EQ(allowance.limit, 40U);
  EXPECT_EQ(allowance.bound, Bound::Configured);
  EXPECT_FALSE(allowance.is_far_below_server);
}

TEST(AllowanceTest, does_not_believe_a_set_limit_that_the_server_cannot_bear) {
  const Allowance allowance = compute_allowance(facts_of(20), {.connection_limit = 40});
  EXPECT_EQ(allowance.limit, 16U);
  EXPECT_EQ(allowance.bound, Bound::Server);
}

TEST(AllowanceTest, notices_a_set_limit_below_a_third_of_what_the_server_could_give) {
  EXPECT_TRUE(compute_allowance(facts_of(100), {.connection_limit = 31}).is_far_below_server);
  EXPECT_FALSE(compute_allowance(facts_of(100), {.connection_limit = 32}).is_far_below_server);
}

TEST(AllowanceTest, never_takes_a_slot_reserved_for_superusers) {
  ServerFacts facts = facts_of(20, 17);
  EXPECT_EQ(compute_allowance(facts, {}).limit, 1U);
  facts.is_superuser = true;
  EXPECT_EQ(compute_allowance(facts, {}).limit, 0U);
  facts.others_total = 16;
  EXPECT_EQ(compute_allowance(facts, {}).limit, 1U);
}

TEST(AllowanceTest, counts_free_slots_without_ours) {
  ServerFacts facts = facts_of(20, 5);
  facts.ours = 4;
  EXPECT_EQ(compute_allowance(facts, {}).free_count, 20 - 3 - 5 - 4);
}

TEST(AllowanceTest, lets_configured_sizes_hold_when_a_pooler_answers) {
  ServerFacts facts = facts_of(100);
  facts.is_behind_pooler = true;
  EXPECT_EQ(compute_allowance(facts, {}).limit, pool::kUnlimited);
  const Allowance allowance = compute_allowance(facts, {.connection_limit = 7});
  EXPECT_EQ(allowance.trouble, Trouble::BehindPooler);
  EXPECT_EQ(allowance.limit, 7U);
  EXPECT_EQ(allowance.bound, Bound::Configured);
}

TEST(AllowanceTest, recognises_nonsense) {
  const auto trouble = [](auto change) {
    ServerFacts facts = facts_of(100);
    change(facts);
    return compute_allowance(facts, {}).trouble;
  };
  EXPECT_EQ(trouble([](ServerFacts&) {}), Trouble::None);
  EXPECT_EQ(trouble([](ServerFacts& f) { f.max_connections = 0; }), Trouble::Nonsense);
  EXPECT_EQ(trouble([](ServerFacts& f) { f.max_connections = INT64_MAX; }), Trouble::Nonsense);
  EXPECT_EQ(trouble([](ServerFacts& f) { f.superuser_reserved = 100; }), Trouble::Nonsense);
  EXPECT_EQ(trouble([](ServerFacts& f) { f.version = 0; }), Trouble::Nonsense);
  EXPECT_EQ(trouble([](ServerFacts& f) { f.roles = {{"app", -2}}; }), Trouble::Nonsense);
  EXPECT_EQ(trouble([](ServerFacts& f) { f.roles = {{"app", 2, 1}}; }), Trouble::Nonsense);
  EXPECT_EQ(trouble([](ServerFacts& f) { f.ours = -1; }), Trouble::Nonsense);
}

}  // namespace
}  // namespace pgweir::budget
