#include "server/node_permits.h"

#include <gtest/gtest.h>

namespace pgweir::server {
namespace {

class NodePermitsTest : public ::testing::Test {
 protected:
  bool pools_can_take() { return exchange.try_take(std::vector{server}).is_taken; }

  pool::Exchange exchange{1 + kOtherExchangeUsers};
  pool::LevelId server = exchange.add_level("server", 1);
  int freed = 0;
  NodePermits permits{exchange, {server}, [this] { ++freed; }};
};

TEST_F(NodePermitsTest, a_lasting_connection_finds_its_permit_again) {
  permits.set_limit(control::kLastingLimitMin);
  EXPECT_TRUE(permits.try_take());
  permits.give_back();
  EXPECT_FALSE(pools_can_take());
  EXPECT_TRUE(permits.try_take());
  EXPECT_FALSE(permits.try_take()) << "one was kept, not two";
}

TEST_F(NodePermitsTest, of_two_connections_only_the_last_leaves_its_permit_here) {
  exchange.set_limit(server, 2);
  permits.set_limit(control::kLastingLimitMin);
  EXPECT_TRUE(permits.try_take());
  EXPECT_TRUE(permits.try_take());
  permits.give_back();
  EXPECT_TRUE(pools_can_take());
  permits.give_back();
  EXPECT_FALSE(pools_can_take());
}

TEST_F(NodePermitsTest, a_brief_connection_leaves_its_permit_to_the_pools) {
  permits.set_limit(control::kLastingLimitMin - 1);
  EXPECT_TRUE(permits.try_take());
  permits.give_back();
  EXPECT_TRUE(pools_can_take());
}

TEST_F(NodePermitsTest, a_limit_that_shrinks_frees_what_was_kept) {
  permits.set_limit(control::kLastingLimitMin);
  EXPECT_TRUE(permits.try_take());
  permits.give_back();
  permits.set_limit(control::kLastingLimitMin - 1);
  EXPECT_TRUE(pools_can_take());
}

TEST_F(NodePermitsTest, pools_that_wait_are_told_of_a_freed_permit) {
  EXPECT_TRUE(permits.try_take());
  exchange.announce(server, 0);
  permits.give_back();
  EXPECT_EQ(freed, 1);
}

}  // namespace
}  // namespace pgweir::server
