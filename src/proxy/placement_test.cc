#include "proxy/placement.h"

#include <gtest/gtest.h>

#include <map>

#include "proxy/route.h"

namespace pgweir::proxy {
namespace {

class PlacementTest : public testing::Test {
 protected:
  PlacementTest() {
    database.name = "app";
    database.hosts.emplace_back().host = "h";
  }
  void set_limit(std::uint32_t limit) {
    exchange.set_limit(exchange.level(server_level_name("h:5432"), 0), limit);
  }
  // How many of so many clients each Relay gets.
  std::map<pool::ReactorIndex, int> spread(Placement& placement, int client_count) {
    std::map<pool::ReactorIndex, int> counts;
    for (int i = 0; i < client_count; ++i) ++counts[placement.place(options, database, "app", "u")];
    return counts;
  }

  Options options;
  DatabaseOptions database;
  pool::Exchange exchange;
};

TEST_F(PlacementTest, a_small_pool_stays_at_home) {
  Placement placement(exchange, 4);
  set_limit(7);
  const auto counts = spread(placement, 100);
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts.begin()->first, placement.home_of("app", "u"));
}

TEST_F(PlacementTest, a_large_pool_is_spread_evenly_over_as_many_as_have_four_servers_each) {
  Placement placement(exchange, 4);
  set_limit(12);
  const auto counts = spread(placement, 99);
  ASSERT_EQ(counts.size(), 3U);
  for (const auto& [relay, count] : counts) EXPECT_EQ(count, 33);
}

TEST_F(PlacementTest, no_more_relays_than_there_are) {
  Placement placement(exchange, 2);
  set_limit(1000);
  EXPECT_EQ(spread(placement, 10).size(), 2U);
}

TEST_F(PlacementTest, the_least_of_all_limits_counts) {
  Placement placement(exchange, 4);
  set_limit(1000);
  database.pool.server_count_max = 5;
  EXPECT_EQ(spread(placement, 10).size(), 1U);
}

// They stay where they are, and many may come before the first look at the server.
TEST_F(PlacementTest, clients_are_spread_while_the_limit_is_unknown) {
  Placement placement(exchange, 3);
  set_limit(4);
  placement.expect_limit("h:5432");
  EXPECT_EQ(spread(placement, 9).size(), 3U);
  placement.note_limit("h:5432");
  EXPECT_EQ(spread(placement, 9).size(), 1U);
}

TEST_F(PlacementTest, what_is_configured_counts_all_the_same) {
  Placement placement(exchange, 3);
  placement.expect_limit("h:5432");
  database.pool.server_count_max = 5;
  EXPECT_EQ(spread(placement, 9).size(), 1U);
}

TEST_F(PlacementTest, pools_have_their_homes_in_turn) {
  Placement placement(exchange, 3);
  std::map<pool::ReactorIndex, int> homes;
  for (int i = 0; i < 9; ++i) ++homes[placement.home_of("db" + std::to_string(i), "u")];
  EXPECT_EQ(homes, (std::map<pool::ReactorIndex, int>{{0, 3}, {1, 3}, {2, 3}}));
  EXPECT_EQ(placement.home_of("db4", "u"), placement.home_of("db4", "u"));
}

TEST(PoolLevelNameTest, no_two_pools_share_one) {
  ServerPlan plan;
  plan.server_database = "d";
  plan.user = "r";
  EXPECT_NE(pool_level_name("a/b", "c", "n", plan), pool_level_name("a", "b/c", "n", plan));
  EXPECT_NE(pool_level_name("a", "b n", "m", plan), pool_level_name("a", "b", "n m", plan));
  ServerPlan other = plan;
  other.server_database = "d/r";
  other.user = "";
  EXPECT_NE(pool_level_name("a", "b", "n", plan), pool_level_name("a", "b", "n", other));
  // Another entry of the configuration counts elsewhere.
  other = plan;
  other.database.name = "*";
  EXPECT_NE(pool_level_name("a", "b", "n", plan), pool_level_name("a", "b", "n", other));
}

}  // namespace
}  // namespace pgweir::proxy
