#include "pool/shard.h"

#include <gtest/gtest.h>

namespace pgweir::pool {
namespace {

TEST(ShardTest, opens_a_server_for_a_waiter_and_gives_it_to_it) {
  Exchange exchange;
  Shard shard(exchange, 1);
  const LevelId level = exchange.add_level("pool", 0);
  const base::PoolId pool = shard.add_pool({"db", {}, {level}}, {});
  Waiter client;
  EXPECT_EQ(shard.acquire(client, pool, {}), nullptr);
  const auto decision = shard.take_decision();
  ASSERT_TRUE(decision.has_value() && std::holds_alternative<Open>(*decision));
  Server server;
  shard.handle_opening(server, pool, {});
  EXPECT_EQ(shard.handle_opened(server, {}), &client);
  EXPECT_EQ(shard.release(server, {}), nullptr);
  EXPECT_EQ(shard.acquire(client, pool, {}), &server);
  shard.handle_closing(server, {});
  shard.handle_ended(server, {});
  EXPECT_EQ(exchange.taken(level), 0U);
  shard.check_invariants();
}

}  // namespace
}  // namespace pgweir::pool
