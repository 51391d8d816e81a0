#include "pool/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace pgweir::pool {
namespace {

using base::Duration;
using base::Instant;
using base::PoolId;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Owns the servers that a shard asks for and remembers its decisions; logs in when told to.
class ShardTest : public testing::Test {
 protected:
  PoolId add_pool(const Options& options = {}) {
    const LevelId own = exchange.add_level("pool", 0);
    const PoolId id = shard.add_pool({"pool", options, {own, server_level}}, now);
    drain();
    return id;
  }

  Server* acquire(Waiter& client, PoolId pool) {
    Server* server = shard.acquire(client, pool, now);
    drain();
    return server;
  }
  Waiter* release(Server& server) {
    Waiter* next = shard.release(server, now);
    drain();
    return next;
  }
  // The oldest login under way succeeds.
  Waiter* open_next() {
    Server& server = *connecting.front();
    connecting.pop_front();
    Waiter* next = shard.handle_opened(server, now);
    drain();
    return next;
  }
  void fail_next(Failure::Kind kind, const std::string& text) {
    Server& server = *connecting.front();
    connecting.pop_front();
    shard.handle_open_failed(server, {kind, "", text}, now);
    end(server);
  }
  void end(Server& server) {
    shard.handle_ended(server, now);
    std::erase(closing, &server);
    drain();
  }
  void pass(Duration time) {
    now += time;
    shard.handle_time(now);
    drain();
  }
  // A pool's first server, leased by a client of its own.
  Server* lease(PoolId pool) {
    clients.emplace_back();
    Server* server = acquire(clients.back(), pool);
    if (server != nullptr) return server;
    server = connecting.back();
    connecting.pop_back();
    EXPECT_EQ(shard.handle_opened(*server, now), &clients.back());
    drain();
    return server;
  }

  void drain() {
    while (auto decision = shard.take_decision()) {
      if (const auto* open = std::get_if<Open>(&*decision)) {
        servers.emplace_back();
        shard.handle_opening(servers.back(), open->pool, now);
        connecting.push_back(&servers.back());
      } else if (const auto* close = std::get_if<Close>(&*decision)) {
        closing.push_back(close->server);
        reasons.push_back(close->reason);
      } else if (auto* refuse = std::get_if<Refuse>(&*decision)) {
        refusals.push_back(std::move(*refuse));
      } else if (const auto* notify = std::get_if<Notify>(&*decision)) {
        notified.push_back(notify->waiter);
      }
    }
    EXPECT_FALSE(shard.has_decisions());
    shard.check_invariants();
  }

  Instant now{seconds(1000)};
  Exchange exchange;
  LevelId server_level = exchange.add_level("server", kUnlimited);
  Shard shard{exchange, 1};
  std::deque<Server> servers;
  std::deque<Waiter> clients;
  std::deque<Server*> connecting;
  std::vector<Server*> closing;
  std::vector<CloseReason> reasons;
  std::vector<Refuse> refusals;
  std::vector<Waiter*> notified;
};

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

// Logins that fail.

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

TEST(ShardsTest, wake_each_other_when_a_permit_returns) {
  Exchange exchange(2);
  const LevelId server_level = exchange.add_level("server", 1);
  const LevelId own = exchange.add_level("a", 0), other = exchange.add_level("b", 0);
  Shard here(exchange, 1, 0), there(exchange, 1, 1);
  const PoolId pool = here.add_pool({"a", {}, {own, server_level}}, {});
  there.add_pool({"b", {}, {other, server_level}}, {});
  Waiter first, second;
  Server server;
  here.acquire(first, pool, {});
  ASSERT_TRUE(here.take_decision().has_value());
  here.handle_opening(server, pool, {});
  EXPECT_EQ(here.handle_opened(server, {}), &first);

  EXPECT_EQ(there.acquire(second, PoolId{0}, {}), nullptr);
  EXPECT_FALSE(there.has_decisions());
  here.handle_ended(server, {});
  const auto wake = here.take_decision();
  ASSERT_TRUE(wake.has_value());
  EXPECT_EQ(std::get<Wake>(*wake).reactor, 1U);
  there.handle_wake({});
  const auto open = there.take_decision();
  ASSERT_TRUE(open.has_value());
  EXPECT_TRUE(std::holds_alternative<Open>(*open));
  EXPECT_EQ(exchange.oldest_waiting(server_level, 0), std::nullopt);
}

// Lifetimes, idle times, minimum.

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

TEST_F(ShardTest, spreads_lifetimes_by_a_quarter) {
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

}  // namespace
}  // namespace pgweir::pool
