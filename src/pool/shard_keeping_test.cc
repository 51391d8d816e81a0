// Shard: a waiter who needs permits of several levels, which come one after the other.

#include <gtest/gtest.h>

#include "pool/shard_test.h"

namespace pgweir::pool {
namespace {

using base::Duration;
using base::PoolId;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Pools that share their role with one pool and their database with another. A waiter of `wanted`
// needs a permit of both: no server that there is frees both.
class CrosswiseTest : public ShardTest {
 protected:
  PoolId add_pool_of(LevelId its_role, LevelId its_database) {
    const LevelId own = exchange.add_level("pool", 0);
    const PoolId id =
        shard.add_pool({"pool", {}, {own, its_role, its_database, server_level}}, now);
    drain();
    return id;
  }
  bool is_closing(const Server* server) const { return server->state() == ServerState::Closing; }
  void end_all() {
    while (!closing.empty()) end(*closing.front());
    pass(Duration::zero());
  }

  LevelId role = exchange.add_level("role", 1), other_role = exchange.add_level("other role", 9);
  LevelId database = exchange.add_level("database", 1);
  LevelId other_database = exchange.add_level("other database", 9);
  PoolId wanted = add_pool_of(role, database);
  PoolId of_role = add_pool_of(role, other_database);
  PoolId of_database = add_pool_of(other_role, database);
};

TEST_F(CrosswiseTest, closes_one_idle_server_per_full_level) {
  Server* in_role = lease(of_role);
  Server* in_database = lease(of_database);
  release(*in_role);
  release(*in_database);
  Waiter client;
  acquire(client, wanted);
  EXPECT_EQ(closing, (std::vector<Server*>{in_role, in_database}));
  end(*in_database);
  EXPECT_TRUE(connecting.empty());
  end(*in_role);
  EXPECT_EQ(connecting.size(), 1U);
  EXPECT_EQ(open_next(), &client);
}

TEST_F(CrosswiseTest, closes_a_single_server_that_frees_every_full_level) {
  exchange.set_limit(role, 2);
  exchange.set_limit(database, 2);
  const PoolId of_both = add_pool_of(role, database);
  release(*lease(of_role));
  release(*lease(of_database));
  now += seconds(1);
  Server* in_both = lease(of_both);
  release(*in_both);
  Waiter client;
  acquire(client, wanted);
  EXPECT_EQ(closing, std::vector<Server*>{in_both});
}

TEST_F(CrosswiseTest, closes_no_more_for_one_waiter_than_it_needs) {
  exchange.set_limit(role, 2);
  exchange.set_limit(database, 2);
  for (const PoolId pool : {of_role, of_database}) {
    Server* first = lease(pool);
    release(*lease(pool));
    release(*first);
  }
  Waiter first, second;
  acquire(first, wanted);
  EXPECT_EQ(closing.size(), 2U);
  acquire(second, wanted);
  EXPECT_EQ(closing.size(), 2U);
  end_all();
  EXPECT_EQ(reasons.size(), 4U);
  EXPECT_EQ(open_next(), &first);
  EXPECT_EQ(open_next(), &second);
}

TEST_F(CrosswiseTest, keeps_the_first_permit_from_a_younger_waiter) {
  Server* in_role = lease(of_role);
  Server* in_database = lease(of_database);
  release(*in_role);
  release(*in_database);
  Waiter client, younger;
  acquire(client, wanted);
  now += milliseconds(1);
  acquire(younger, of_role);
  end(*in_role);
  EXPECT_TRUE(connecting.empty());
  end(*in_database);
  Server* server = connecting.front();
  EXPECT_EQ(open_next(), &client);
  release(*server);
  end(*server);
  EXPECT_EQ(open_next(), &younger);
}

TEST_F(CrosswiseTest, takes_released_servers_one_by_one_for_the_longest_waiter) {
  Server* in_role = lease(of_role);
  Server* in_database = lease(of_database);
  Waiter client, busy_role, busy_database;
  acquire(client, wanted);
  now += milliseconds(1);
  acquire(busy_role, of_role);
  acquire(busy_database, of_database);
  EXPECT_EQ(release(*in_role), nullptr);
  end(*in_role);
  EXPECT_TRUE(connecting.empty()) << "the role's permit is kept";
  EXPECT_EQ(release(*in_database), nullptr);
  end(*in_database);
  EXPECT_EQ(open_next(), &client);
}

TEST_F(CrosswiseTest, closes_an_idle_server_and_takes_a_released_one) {
  Server* in_role = lease(of_role);
  Server* in_database = lease(of_database);
  release(*in_role);
  Waiter client;
  acquire(client, wanted);
  release(*in_database);
  EXPECT_TRUE(is_closing(in_role) && is_closing(in_database));
  end_all();
  EXPECT_EQ(open_next(), &client);
}

TEST_F(CrosswiseTest, keeps_no_wide_level_while_a_narrow_one_lacks) {
  exchange.set_limit(server_level, 2);
  Server* in_role = lease(of_role);
  Server* in_database = lease(of_database);
  Waiter client, stranger;
  acquire(client, wanted);
  now += milliseconds(1);
  acquire(stranger, add_pool_of(other_role, other_database));
  EXPECT_EQ(release(*in_database), nullptr);
  end(*in_database);
  EXPECT_EQ(open_next(), &stranger) << "who waits for the server only";
  EXPECT_EQ(in_role->state(), ServerState::Leased);
  EXPECT_TRUE(client.is_waiting());
}

TEST_F(CrosswiseTest, gives_nothing_up_for_a_level_beyond_reach) {
  shard.set_options(of_database, {.server_count_min = 1}, now);
  pass(Duration::zero());
  EXPECT_EQ(open_next(), nullptr);
  Server* in_role = lease(of_role);
  Waiter client;
  acquire(client, wanted);
  release(*in_role);
  EXPECT_TRUE(closing.empty());
  EXPECT_EQ(in_role->state(), ServerState::Idle);
}

TEST_F(CrosswiseTest, gives_an_idle_server_up_once_the_other_level_is_within_reach) {
  shard.set_options(of_database, {.server_count_min = 1}, now);
  pass(Duration::zero());
  EXPECT_EQ(open_next(), nullptr);
  release(*lease(of_role));
  Waiter client;
  acquire(client, wanted);
  EXPECT_TRUE(closing.empty());
  release(*lease(of_database));
  EXPECT_EQ(closing.size(), 2U);
  end_all();
  EXPECT_EQ(open_next(), &client);
}

TEST_F(CrosswiseTest, lets_go_of_what_it_kept_when_the_waiter_leaves) {
  Server* in_role = lease(of_role);
  lease(of_database);
  release(*in_role);
  Waiter client, younger;
  acquire(client, wanted);
  now += milliseconds(1);
  end(*in_role);
  acquire(younger, of_role);
  EXPECT_TRUE(connecting.empty());
  shard.leave(client);
  EXPECT_LE(shard.next_deadline(), now);
  pass(Duration::zero());
  EXPECT_EQ(open_next(), &younger);
}

TEST_F(CrosswiseTest, lets_go_of_what_it_kept_when_the_waiter_is_refused) {
  shard.set_options(wanted, {.wait_max = seconds(2)}, now);
  Server* in_role = lease(of_role);
  lease(of_database);
  release(*in_role);
  Waiter client, younger;
  acquire(client, wanted);
  end(*in_role);
  now += seconds(1);
  acquire(younger, of_role);
  pass(seconds(1));
  EXPECT_EQ(refusals.size(), 1U);
  EXPECT_EQ(open_next(), &younger);
}

TEST_F(CrosswiseTest, closes_another_server_for_a_level_when_one_is_lost) {
  exchange.set_limit(role, 2);
  Server* first = lease(of_role);
  Server* second = lease(of_role);
  Server* in_database = lease(of_database);
  release(*first);
  release(*second);
  release(*in_database);
  Waiter client;
  acquire(client, wanted);
  EXPECT_TRUE(is_closing(first) && is_closing(in_database) && !is_closing(second));
  shard.handle_lost(*first, now);
  std::erase(closing, first);
  drain();
  end_all();
  end_all();
  EXPECT_EQ(open_next(), &client);
}

}  // namespace
}  // namespace pgweir::pool
