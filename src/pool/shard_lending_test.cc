// Shard: who gets which server, and how long who waits for one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/shard_test.h"

namespace pgweir::pool {
namespace {

using base::Duration;
using base::PoolId;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Lending.

TEST_F(ShardTest, opens_a_server_for_a_waiter_and_gives_it_to_it) {
  const PoolId pool = add_pool();
  Waiter client;
  EXPECT_EQ(acquire(client, pool), nullptr);
  ASSERT_EQ(connecting.size(), 1U);
  EXPECT_EQ(open_next(), &client);
  EXPECT_FALSE(client.is_waiting());
}

TEST_F(ShardTest, lends_the_server_that_was_used_last) {
  const PoolId pool = add_pool();
  Server* first = lease(pool);
  Server* second = lease(pool);
  release(*second);
  release(*first);
  Waiter client;
  EXPECT_EQ(acquire(client, pool), first);
}

TEST_F(ShardTest, grants_a_released_server_to_the_oldest_waiter) {
  const PoolId pool = add_pool({.server_count_max = 1});
  Server* server = lease(pool);
  Waiter first, second;
  acquire(first, pool);
  acquire(second, pool);
  EXPECT_EQ(release(*server), &first);
  EXPECT_EQ(release(*server), &second);
  EXPECT_EQ(release(*server), nullptr);
  EXPECT_EQ(server->state(), ServerState::Idle);
}

TEST_F(ShardTest, lends_to_an_errand_before_all_waiters) {
  const PoolId pool = add_pool({.server_count_max = 1, .waiter_count_max = 2});
  Server* server = lease(pool);
  Waiter first, second, errand;
  acquire(first, pool);
  acquire(second, pool);
  EXPECT_EQ(shard.acquire_first(errand, pool, now), nullptr);
  drain();
  EXPECT_EQ(refusals.size(), 0U);
  EXPECT_EQ(release(*server), &errand);
  EXPECT_EQ(release(*server), &first);
}

TEST_F(ShardTest, lends_an_idle_server_to_an_errand) {
  const PoolId pool = add_pool({.server_count_max = 1});
  Server* server = lease(pool);
  release(*server);
  Waiter errand;
  EXPECT_EQ(shard.acquire_first(errand, pool, now), server);
}

TEST_F(ShardTest, has_another_pool_give_up_a_server_for_an_errand) {
  exchange.set_limit(server_level, 1);
  const PoolId busy = add_pool();
  const PoolId other = add_pool();
  Server* server = lease(busy);
  Waiter waiter, errand;
  acquire(waiter, busy);
  pass(seconds(1));
  shard.acquire_first(errand, other, now);
  drain();
  EXPECT_EQ(release(*server), nullptr);
  EXPECT_THAT(reasons, testing::ElementsAre(CloseReason::Evicted));
  end(*server);
  EXPECT_EQ(open_next(), &errand);
}

TEST_F(ShardTest, lets_an_errand_wait_for_as_long_as_its_owner_likes) {
  const PoolId pool = add_pool({.server_count_max = 1, .wait_max = seconds(1)});
  lease(pool);
  Waiter errand;
  shard.acquire_first(errand, pool, now);
  pass(seconds(100));
  EXPECT_EQ(refusals.size(), 0U);
  shard.leave(errand);
  EXPECT_FALSE(errand.is_waiting());
}

TEST_F(ShardTest, tells_an_errand_at_once_what_is_hopeless) {
  const PoolId pool = add_pool();
  Waiter client, errand;
  acquire(client, pool);
  fail_next(Failure::Kind::Permanent, "no such role");
  shard.acquire_first(errand, pool, now);
  drain();
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[1].waiter, &errand);
  EXPECT_EQ(refusals[1].reason, RefuseReason::LoginFailed);
}

TEST_F(ShardTest, passes_over_a_waiter_who_left) {
  const PoolId pool = add_pool({.server_count_max = 1});
  Server* server = lease(pool);
  Waiter first, second;
  acquire(first, pool);
  acquire(second, pool);
  shard.leave(first);
  EXPECT_EQ(release(*server), &second);
}

TEST_F(ShardTest, refuses_the_waiter_beyond_the_longest_line) {
  const PoolId pool = add_pool({.server_count_max = 1, .waiter_count_max = 1});
  lease(pool);
  Waiter first, second;
  acquire(first, pool);
  acquire(second, pool);
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].waiter, &second);
  EXPECT_EQ(refusals[0].reason, RefuseReason::QueueFull);
  EXPECT_TRUE(first.is_waiting());
}

TEST_F(ShardTest, opens_no_more_than_there_are_waiters) {
  const PoolId pool = add_pool();
  Waiter first, second;
  acquire(first, pool);
  acquire(second, pool);
  EXPECT_EQ(connecting.size(), 2U);
}

TEST_F(ShardTest, limits_logins_under_way) {
  const PoolId pool = add_pool({.login_parallel_max = 2});
  std::array<Waiter, 5> waiters;
  for (Waiter& waiter : waiters) acquire(waiter, pool);
  EXPECT_EQ(connecting.size(), 2U);
  open_next();
  EXPECT_EQ(connecting.size(), 2U);
  EXPECT_EQ(servers.size(), 3U);
}

// Waiting.

TEST_F(ShardTest, refuses_a_waiter_whose_time_is_up) {
  const PoolId pool = add_pool({.server_count_max = 1, .wait_max = seconds(10)});
  lease(pool);
  Waiter client;
  acquire(client, pool);
  pass(seconds(10) - Duration(1));
  EXPECT_TRUE(refusals.empty());
  EXPECT_EQ(shard.next_deadline(), now + Duration(1));
  pass(Duration(1));
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].waiter, &client);
  EXPECT_EQ(refusals[0].reason, RefuseReason::Timeout);
  EXPECT_EQ(refusals[0].failure, nullptr);
  EXPECT_FALSE(client.is_waiting());
}

TEST_F(ShardTest, waits_for_ever_when_nothing_limits_it) {
  const PoolId pool = add_pool({.server_count_max = 1,
                                .wait_max = Duration::zero(),
                                .wait_notice_after = Duration::zero(),
                                .server_lifetime = Duration::zero()});
  lease(pool);
  Waiter client;
  acquire(client, pool);
  EXPECT_EQ(shard.next_deadline(), base::kNever);
  pass(std::chrono::hours(1000));
  EXPECT_TRUE(client.is_waiting());
}

TEST_F(ShardTest, tells_a_waiter_once_that_it_waits) {
  const PoolId pool = add_pool({.server_count_max = 1});
  lease(pool);
  Waiter client;
  acquire(client, pool);
  pass(seconds(5));
  pass(seconds(5));
  EXPECT_EQ(notified, std::vector<Waiter*>{&client});
  EXPECT_TRUE(client.is_waiting());
}

TEST_F(ShardTest, decides_nothing_about_a_waiter_who_left) {
  const PoolId pool = add_pool({.server_count_max = 1, .wait_max = seconds(5)});
  lease(pool);
  Waiter refused, told;
  shard.acquire(refused, pool, now);
  now += seconds(1);
  shard.acquire(told, pool, now);
  now += seconds(4) + milliseconds(999);
  shard.handle_time(now);
  EXPECT_TRUE(shard.has_decisions());
  shard.leave(refused);
  shard.leave(told);
  drain();
  EXPECT_TRUE(refusals.empty());
  EXPECT_TRUE(notified.empty());
}

}  // namespace
}  // namespace pgweir::pool
