// Shard: what follows from a login that fails.

#include <gtest/gtest.h>

#include "pool/shard_test.h"

namespace pgweir::pool {
namespace {

using base::PoolId;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ShardTest, keeps_waiters_through_a_temporary_failure_and_tries_again) {
  const PoolId pool = add_pool();
  Waiter client;
  acquire(client, pool);
  fail_next(Failure::Kind::Temporary, "the database system is starting up");
  EXPECT_TRUE(connecting.empty());
  EXPECT_TRUE(client.is_waiting());
  pass(milliseconds(125));
  EXPECT_EQ(open_next(), &client);
  EXPECT_EQ(shard.last_failure(pool), nullptr);
}

TEST_F(ShardTest, names_the_last_failure_when_the_time_is_up) {
  const PoolId pool = add_pool({.wait_max = seconds(1)});
  Waiter client;
  acquire(client, pool);
  fail_next(Failure::Kind::Temporary, "the database system is starting up");
  pass(seconds(1));
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].reason, RefuseReason::Timeout);
  ASSERT_NE(refusals[0].failure, nullptr);
  EXPECT_EQ(refusals[0].failure->text, "the database system is starting up");
}

TEST_F(ShardTest, refuses_all_waiters_after_a_permanent_failure) {
  const PoolId pool = add_pool({.login_parallel_max = 1});
  Waiter first, second;
  acquire(first, pool);
  acquire(second, pool);
  fail_next(Failure::Kind::Permanent, "password authentication failed");
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0].waiter, &first);
  EXPECT_EQ(refusals[1].waiter, &second);
  EXPECT_EQ(refusals[1].reason, RefuseReason::LoginFailed);
  EXPECT_EQ(refusals[1].failure->text, "password authentication failed");
  EXPECT_EQ(exchange.taken(server_level), 0U);
}

TEST_F(ShardTest, answers_with_a_permanent_failure_until_the_next_attempt_is_due) {
  const PoolId pool = add_pool();
  Waiter first, second, third;
  acquire(first, pool);
  fail_next(Failure::Kind::Permanent, "no such database");
  acquire(second, pool);
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[1].failure->text, "no such database");
  pass(milliseconds(125));
  acquire(third, pool);
  EXPECT_EQ(open_next(), &third);
}

TEST_F(ShardTest, probes_with_one_login_while_logins_fail) {
  const PoolId pool = add_pool();
  std::array<Waiter, 4> waiters;
  for (Waiter& waiter : waiters) acquire(waiter, pool);
  ASSERT_EQ(connecting.size(), 4U);
  for (int i = 0; i < 4; ++i) fail_next(Failure::Kind::Temporary, "refused");
  pass(milliseconds(125));
  EXPECT_EQ(connecting.size(), 1U);
  open_next();
  EXPECT_EQ(connecting.size(), 3U);
}

}  // namespace
}  // namespace pgweir::pool
