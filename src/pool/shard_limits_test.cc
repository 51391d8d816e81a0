// Shard: what counts against a limit, and pools that share one.

#include <gtest/gtest.h>

#include "pool/shard_test.h"

namespace pgweir::pool {
namespace {

using base::PoolId;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Limits.

TEST_F(ShardTest, counts_a_closing_server_until_its_end_is_seen) {
  const PoolId pool = add_pool({.server_count_max = 1});
  Server* server = lease(pool);
  shard.handle_closing(*server, now);
  Waiter client;
  acquire(client, pool);
  EXPECT_TRUE(connecting.empty());
  end(*server);
  EXPECT_EQ(open_next(), &client);
}

TEST_F(ShardTest, counts_a_lost_server_until_it_is_proved_gone) {
  const PoolId pool = add_pool({.server_count_max = 1});
  Server* server = lease(pool);
  shard.handle_lost(*server, now);
  EXPECT_EQ(server->state(), ServerState::Outside);
  Waiter client;
  acquire(client, pool);
  EXPECT_TRUE(connecting.empty());
  EXPECT_EQ(shard.counts(pool).lost, 1U);
  shard.handle_lost_ended(pool, now);
  drain();
  EXPECT_EQ(open_next(), &client);
}

TEST_F(ShardTest, counts_a_failed_login_until_its_end_is_seen) {
  const PoolId pool = add_pool();
  Waiter client;
  acquire(client, pool);
  Server& server = *connecting.front();
  shard.handle_open_failed(server, {}, now);
  EXPECT_EQ(exchange.taken(server_level), 1U);
  end(server);
  EXPECT_EQ(exchange.taken(server_level), 0U);
}

TEST_F(ShardTest, replaces_a_server_that_died_in_use) {
  const PoolId pool = add_pool({.server_count_max = 1});
  Server* server = lease(pool);
  Waiter client;
  acquire(client, pool);
  end(*server);
  EXPECT_EQ(open_next(), &client);
}

TEST_F(ShardTest, closes_idle_servers_first_when_a_limit_is_lowered) {
  const PoolId pool = add_pool();
  Server* busy = lease(pool);
  Server* idle = lease(pool);
  Server* other = lease(pool);
  release(*idle);
  exchange.set_limit(server_level, 1);
  shard.handle_limits_changed(now);
  drain();
  EXPECT_EQ(closing, std::vector<Server*>{idle});
  // One more has to go, although somebody waits.
  Waiter client;
  acquire(client, pool);
  EXPECT_EQ(release(*other), nullptr);
  EXPECT_EQ(reasons.back(), CloseReason::Limit);
  EXPECT_EQ(release(*busy), &client);
}

TEST_F(ShardTest, uses_a_raised_limit_at_once) {
  const PoolId pool = add_pool();
  exchange.set_limit(server_level, 1);
  lease(pool);
  Waiter client;
  acquire(client, pool);
  EXPECT_TRUE(connecting.empty());
  exchange.set_limit(server_level, 2);
  shard.handle_limits_changed(now);
  drain();
  EXPECT_EQ(open_next(), &client);
}

TEST_F(ShardTest, lends_the_reserve_to_those_who_waited_for_it) {
  const PoolId pool =
      add_pool({.server_count_max = 1, .server_count_reserve = 1, .reserve_after = seconds(3)});
  lease(pool);
  Waiter client;
  acquire(client, pool);
  EXPECT_TRUE(connecting.empty());
  pass(seconds(3));
  EXPECT_EQ(open_next(), &client);
}

// Several pools under one limit.

TEST_F(ShardTest, closes_the_longest_idle_server_of_another_pool_for_a_waiter) {
  exchange.set_limit(server_level, 3);
  const PoolId first = add_pool(), second = add_pool(), third = add_pool();
  Server* cold = lease(first);
  Server* warm = lease(second);
  lease(third);
  release(*cold);
  now += seconds(1);
  release(*warm);
  Waiter client;
  acquire(client, third);
  EXPECT_EQ(closing, std::vector<Server*>{cold});
  EXPECT_EQ(reasons.back(), CloseReason::Evicted);
  EXPECT_TRUE(connecting.empty());
  end(*cold);
  EXPECT_EQ(open_next(), &client);
}

TEST_F(ShardTest, leaves_an_idle_minimum_alone) {
  exchange.set_limit(server_level, 1);
  const PoolId kept = add_pool({.server_count_min = 1});
  EXPECT_EQ(open_next(), nullptr);
  const PoolId other = add_pool();
  Waiter client;
  acquire(client, other);
  EXPECT_TRUE(closing.empty());
  EXPECT_EQ(shard.counts(kept).idle, 1U);
}

TEST_F(ShardTest, closes_no_server_of_a_pool_that_would_not_help) {
  const LevelId full = exchange.add_level("role", 1);
  const LevelId own = exchange.add_level("pool", 0);
  const PoolId pool = shard.add_pool({"pool", {}, {own, full, server_level}}, now);
  const PoolId stranger = add_pool();
  release(*lease(stranger));
  lease(pool);
  Waiter client;
  acquire(client, pool);
  EXPECT_TRUE(closing.empty());
}

TEST_F(ShardTest, gives_a_released_server_up_for_an_older_waiter_of_another_pool) {
  exchange.set_limit(server_level, 1);
  const PoolId first = add_pool(), second = add_pool();
  Server* server = lease(first);
  Waiter older, younger;
  acquire(older, second);
  now += seconds(1);
  acquire(younger, first);
  EXPECT_EQ(release(*server), nullptr);
  EXPECT_EQ(reasons.back(), CloseReason::Evicted);
  end(*server);
  EXPECT_EQ(open_next(), &older);
}

TEST_F(ShardTest, keeps_a_released_server_for_its_own_older_waiter) {
  exchange.set_limit(server_level, 1);
  const PoolId first = add_pool(), second = add_pool();
  Server* server = lease(first);
  Waiter older, younger;
  acquire(older, first);
  now += seconds(1);
  acquire(younger, second);
  EXPECT_EQ(release(*server), &older);
}

TEST_F(ShardTest, changes_pools_only_for_a_wait_that_is_worth_the_login) {
  exchange.set_limit(server_level, 2);
  const PoolId first = add_pool(), second = add_pool();
  Server* server = lease(first);
  Waiter starter, older, younger;
  acquire(starter, second);
  now += milliseconds(10);  // The login that this pool is known for.
  EXPECT_EQ(open_next(), &starter);
  acquire(older, second);
  now += milliseconds(40);
  acquire(younger, first);
  EXPECT_EQ(release(*server), &younger);
  now += milliseconds(1);
  acquire(starter, first);
  EXPECT_EQ(release(*server), nullptr);
}

TEST_F(ShardTest, closes_one_server_for_one_waiter) {
  exchange.set_limit(server_level, 2);
  const PoolId first = add_pool(), second = add_pool();
  Server* one = lease(first);
  Server* two = lease(first);
  release(*one);
  release(*two);
  Waiter client;
  acquire(client, second);
  EXPECT_EQ(closing.size(), 1U);
}

TEST_F(ShardTest, closes_another_server_when_the_first_is_lost) {
  exchange.set_limit(server_level, 2);
  const PoolId first = add_pool(), second = add_pool();
  Server* one = lease(first);
  Server* two = lease(first);
  release(*one);
  release(*two);
  Waiter client;
  acquire(client, second);
  shard.handle_lost(*closing.front(), now);
  drain();
  ASSERT_EQ(closing.size(), 2U);
  end(*closing.back());
  EXPECT_EQ(open_next(), &client);
}

TEST_F(ShardTest, serves_three_pools_under_a_limit_of_one) {
  exchange.set_limit(server_level, 1);
  const std::array pools{add_pool(), add_pool(), add_pool()};
  std::array<std::array<Waiter, 3>, 3> waiters;
  for (std::size_t round = 0; round < 3; ++round)
    for (std::size_t pool = 0; pool < 3; ++pool, now += milliseconds(1))
      acquire(waiters[pool][round], pools[pool]);

  std::vector<Waiter*> served;
  for (int step = 0; step < 100 && served.size() < 9; ++step) {
    if (!closing.empty()) end(*closing.front());
    Waiter* next = connecting.empty() ? nullptr : open_next();
    while (next != nullptr) {
      served.push_back(next);
      const auto leased = std::find_if(servers.begin(), servers.end(), [](const Server& server) {
        return server.state() == ServerState::Leased;
      });
      next = release(*leased);
    }
  }
  ASSERT_EQ(served.size(), 9U);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(served[i], &waiters[i % 3][i / 3]) << i;
}

TEST(ShardsTest, wake_each_other_when_a_permit_returns) {
  Exchange exchange(2, 2);
  const LevelId server_level = exchange.add_level("server", 1);
  const LevelId own = exchange.add_level("a", 0), other = exchange.add_level("b", 0);
  Shard here(exchange, 1, 0, 2), there(exchange, 1, 1, 2);
  const PoolId pool = here.add_pool({"a", {}, {own, server_level}}, {});
  there.add_pool({"b", {}, {other, server_level}}, {});
  Waiter first, second;
  Server server;
  here.acquire(first, pool, {});
  ASSERT_TRUE(here.take_decision().has_value());
  here.handle_opening(server, pool, {});
  EXPECT_EQ(here.handle_opened(server, {}), &first);

  EXPECT_EQ(there.acquire(second, PoolId{0}, {}), nullptr);
  const auto ask = there.take_decision();
  ASSERT_TRUE(ask.has_value());
  EXPECT_EQ(std::get<Wake>(*ask).reactor, 0U) << "it may have a server to spare";
  here.handle_ended(server, {});
  const auto wake = here.take_decision();
  ASSERT_TRUE(wake.has_value());
  EXPECT_EQ(std::get<Wake>(*wake).reactor, 1U);
  there.handle_wake({});
  const auto open = there.take_decision();
  ASSERT_TRUE(open.has_value());
  EXPECT_TRUE(std::holds_alternative<Open>(*open));
  EXPECT_EQ(exchange.waiting(server_level), 0U);
}

}  // namespace
}  // namespace pgweir::pool
