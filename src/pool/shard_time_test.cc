// Shard: lifetimes, idle times and the minimum.

#include <gtest/gtest.h>

#include "pool/shard_test.h"

namespace pgweir::pool {
namespace {

using base::Duration;
using base::Instant;
using base::PoolId;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(ShardTest, keeps_the_minimum_filled) {
  const PoolId pool = add_pool({.server_count_min = 2});
  EXPECT_EQ(connecting.size(), 2U);
  open_next();
  open_next();
  Waiter client;
  end(*acquire(client, pool));
  EXPECT_EQ(connecting.size(), 1U);
}

TEST_F(ShardTest, closes_unused_servers_down_to_the_minimum) {
  const PoolId pool = add_pool(
      {.server_count_min = 1, .server_lifetime = Duration::zero(), .server_idle_max = minutes(10)});
  open_next();
  Server* first = lease(pool);
  Server* second = lease(pool);
  release(*first);
  release(*second);
  pass(minutes(10));
  EXPECT_EQ(closing, std::vector<Server*>{first});
  EXPECT_EQ(reasons.back(), CloseReason::Idle);
}

TEST_F(ShardTest, keeps_a_server_that_is_used_now_and_then) {
  const PoolId pool =
      add_pool({.server_lifetime = Duration::zero(), .server_idle_max = minutes(10)});
  Server* server = lease(pool);
  for (int i = 0; i < 5; ++i) {
    release(*server);
    pass(minutes(9));
    EXPECT_EQ(acquire(clients.back(), pool), server);
  }
  release(*server);
  pass(minutes(10));
  EXPECT_EQ(closing, std::vector<Server*>{server});
}

TEST_F(ShardTest, D08_expiry_is_spread_by_a_quarter) {
  const PoolId pool = add_pool({.server_lifetime = minutes(60)});
  Duration shortest = std::chrono::hours(2), longest{};
  for (int i = 0; i < 100; ++i) {
    const Duration lifetime = lease(pool)->expires_at() - now;
    shortest = std::min(shortest, lifetime);
    longest = std::max(longest, lifetime);
  }
  EXPECT_GE(shortest, minutes(45));
  EXPECT_LE(longest, minutes(75));
  EXPECT_GT(longest - shortest, minutes(20));
}

TEST_F(ShardTest, opens_a_successor_before_it_closes_an_old_server) {
  const PoolId pool = add_pool({.server_idle_max = Duration::zero()});
  Server* old = lease(pool);
  release(*old);
  pass(old->expires_at() - now);
  ASSERT_EQ(connecting.size(), 1U);
  EXPECT_TRUE(closing.empty());
  EXPECT_EQ(open_next(), nullptr);
  EXPECT_EQ(closing, std::vector<Server*>{old});
  EXPECT_EQ(reasons.back(), CloseReason::Lifetime);
  EXPECT_EQ(shard.counts(pool).idle, 1U);
}

TEST_F(ShardTest, replaces_no_unused_server_for_ever) {
  const PoolId pool = add_pool({.server_lifetime = minutes(4), .server_idle_max = minutes(10)});
  release(*lease(pool));
  for (const Instant late = now + minutes(15); now < late;) {
    pass(seconds(5));
    while (!connecting.empty()) EXPECT_EQ(open_next(), nullptr);
    while (!closing.empty()) end(*closing.back());
  }
  EXPECT_EQ(shard.counts(pool).idle, 0U);
  EXPECT_EQ(reasons.back(), CloseReason::Idle);
}

TEST_F(ShardTest, closes_an_old_server_in_use_once_its_successor_has_come) {
  const PoolId pool = add_pool({.server_idle_max = Duration::zero()});
  Server* old = lease(pool);
  pass(old->expires_at() - now);
  EXPECT_EQ(open_next(), nullptr);
  EXPECT_EQ(release(*old), nullptr);
  EXPECT_EQ(old->state(), ServerState::Closing);
}

TEST_F(ShardTest, closes_an_old_idle_server_when_no_permit_is_left_for_a_successor) {
  const PoolId pool = add_pool({.server_count_max = 1, .server_idle_max = Duration::zero()});
  Server* old = lease(pool);
  release(*old);
  pass(old->expires_at() - now);
  EXPECT_TRUE(connecting.empty());
  EXPECT_EQ(closing, std::vector<Server*>{old});
}

TEST_F(ShardTest, lends_an_old_server_to_waiters_until_a_tenth_past_its_lifetime) {
  const PoolId pool = add_pool({.server_count_max = 1, .wait_max = Duration::zero()});
  Server* old = lease(pool);
  const Duration lifetime = old->expires_at() - now;
  Waiter first, second;
  acquire(first, pool);
  acquire(second, pool);
  pass(lifetime + lifetime / 20);
  EXPECT_EQ(release(*old), &first);
  pass(lifetime / 20 + Duration(1));
  EXPECT_EQ(release(*old), nullptr);
  EXPECT_EQ(reasons.back(), CloseReason::Lifetime);
  end(*old);
  EXPECT_EQ(open_next(), &second);
}

TEST_F(ShardTest, closes_old_servers_of_a_recycled_pool) {
  const PoolId pool = add_pool();
  Server* busy = lease(pool);
  Server* idle = lease(pool);
  release(*idle);
  Waiter client;
  acquire(client, pool);  // Takes the idle one.
  release(*idle);
  shard.recycle(pool, now);
  drain();
  EXPECT_EQ(closing, std::vector<Server*>{idle});
  EXPECT_EQ(release(*busy), nullptr);
  EXPECT_EQ(reasons.back(), CloseReason::Recycled);
}

TEST_F(ShardTest, has_nothing_due_while_transactions_run) {
  const PoolId pool = add_pool();
  Server* server = lease(pool);
  release(*server);
  const Instant due = shard.next_deadline();
  for (int i = 0; i < 100; ++i) {
    now += milliseconds(1);
    release(*acquire(clients.back(), pool));
  }
  EXPECT_EQ(shard.next_deadline(), due);
}

TEST_F(ShardTest, opens_no_successor_for_a_server_that_is_recycled) {
  for (const bool is_expired_first : {true, false}) {
    const PoolId pool = add_pool({.server_count_max = 2, .server_lifetime = minutes(60)});
    Server* server = lease(pool);
    if (is_expired_first) pass(minutes(76));
    const std::size_t wanted = connecting.size();
    shard.recycle(pool, now);
    if (!is_expired_first) pass(minutes(76));
    EXPECT_EQ(connecting.size(), wanted);
    end(*server);
    EXPECT_EQ(connecting.size(), wanted);
  }
}

}  // namespace
}  // namespace pgweir::pool
