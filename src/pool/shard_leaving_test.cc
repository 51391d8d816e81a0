// Shards of two reactors over one exchange: who takes a permit that came free, and who leaves it to
// a waiter on the other one. Letters between them arrive when the test says so.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "pool/shard.h"

namespace pgweir::pool {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

class ShardLeavingTest : public testing::Test {
 protected:
  // One reactor: its shard, and what that has decided.
  struct Reactor {
    Reactor(Exchange& exchange, ReactorIndex index) : shard(exchange, index + 1, index, 2) {}

    Shard shard;
    std::vector<Server*> connecting;
    int wake_count = 0;  // Of the other one.
  };

  // The same pool on both reactors.
  base::PoolId add_pool(const std::string& name, const std::vector<std::string>& wide) {
    base::PoolId id{};
    for (Reactor& reactor : reactors) {
      std::vector<LevelId> levels{exchange.level(name, 0)};
      for (const std::string& level : wide) levels.push_back(exchange.level(level, 1));
      id = reactor.shard.add_pool({name, {}, std::move(levels)}, now);
      drain(reactor);
    }
    return id;
  }
  Server* lease(Reactor& reactor, base::PoolId pool) {
    Waiter& waiter = waiters.emplace_back();
    wait(reactor, waiter, pool);
    Server* server = reactor.connecting.back();
    reactor.connecting.pop_back();
    EXPECT_EQ(reactor.shard.handle_opened(*server, now), &waiter);
    drain(reactor);
    return server;
  }
  void wait(Reactor& reactor, Waiter& waiter, base::PoolId pool) {
    EXPECT_EQ(reactor.shard.acquire(waiter, pool, now), nullptr);
    drain(reactor);
  }
  void leave(Reactor& reactor, Waiter& waiter) {
    reactor.shard.leave(waiter);
    drain(reactor);
  }
  void end(Reactor& reactor, Server& server) {
    reactor.shard.handle_closing(server, now);
    reactor.shard.handle_ended(server, now);
    drain(reactor);
  }
  void wake(Reactor& reactor) {
    reactor.shard.handle_wake(now);
    drain(reactor);
  }
  void handle_time(Reactor& reactor) {
    reactor.shard.handle_time(now);
    drain(reactor);
  }
  void drain(Reactor& reactor) {
    while (const auto decision = reactor.shard.take_decision()) {
      if (const auto* open = std::get_if<Open>(&*decision)) {
        reactor.connecting.push_back(&servers.emplace_back());
        reactor.shard.handle_opening(*reactor.connecting.back(), open->pool, now);
      } else if (std::holds_alternative<Wake>(*decision)) {
        ++reactor.wake_count;
      }
    }
    reactor.shard.check_invariants();
  }

  Exchange exchange{3, 2};
  std::deque<Server> servers;
  std::deque<Waiter> waiters;
  base::Instant now{std::chrono::hours(1)};
  Reactor here{exchange, 0};
  Reactor there{exchange, 1};
  std::array<std::reference_wrapper<Reactor>, 2> reactors{here, there};
};

// Both wait for the only permit: the one there for longer.
class ShardLeavingOneTest : public ShardLeavingTest {
 protected:
  ShardLeavingOneTest() {
    wait(there, longer, other);
    now += milliseconds(1);
    wait(here, younger, one);
    here.wake_count = there.wake_count = 0;
  }

  base::PoolId one = add_pool("one", {"server"});
  base::PoolId other = add_pool("other", {"server"});
  Server& server = *lease(here, one);
  Waiter longer, younger;
};

TEST_F(ShardLeavingOneTest, leaves_a_free_permit_to_a_longer_waiter_elsewhere) {
  end(here, server);
  EXPECT_TRUE(here.connecting.empty()) << "it is not this one's turn";
  EXPECT_EQ(here.wake_count, 1);
  wake(there);
  EXPECT_EQ(there.connecting.size(), 1U);
}

TEST_F(ShardLeavingOneTest, leaves_it_though_the_longer_waiter_was_answered) {
  // The server is released and closed for the other one, as its pool's next waiter has time.
  here.shard.leave(younger);
  EXPECT_EQ(here.shard.release(server, now), nullptr);
  ASSERT_EQ(server.state(), ServerState::Closing);
  wait(here, younger, one);
  here.shard.handle_ended(server, now);
  drain(here);
  EXPECT_TRUE(here.connecting.empty());
  wake(there);
  EXPECT_EQ(there.connecting.size(), 1U);
}

TEST_F(ShardLeavingOneTest, keeps_the_minimum_waiting_too) {
  leave(here, younger);
  here.shard.set_options(one, {.server_count_min = 1}, now);
  end(here, server);
  EXPECT_TRUE(here.connecting.empty());
}

TEST_F(ShardLeavingOneTest, takes_what_is_more_than_was_asked_for) {
  exchange.set_limit(exchange.level("server", 1), 2);
  end(here, server);
  EXPECT_EQ(here.connecting.size(), 1U);
  wake(there);
  EXPECT_EQ(there.connecting.size(), 1U);
}

TEST_F(ShardLeavingOneTest, who_waits_no_longer_wakes_whom_the_permit_was_left_by) {
  end(here, server);
  leave(there, longer);
  EXPECT_EQ(there.wake_count, 1);
  wake(here);
  EXPECT_EQ(here.connecting.size(), 1U);
}

TEST_F(ShardLeavingOneTest, who_asks_for_a_younger_waiter_wakes_whom_the_permit_was_left_by) {
  Waiter youngest;
  now += milliseconds(1);
  wait(there, youngest, other);
  end(here, server);
  there.wake_count = 0;
  leave(there, longer);
  EXPECT_EQ(there.wake_count, 1);
  wake(here);
  EXPECT_EQ(here.connecting.size(), 1U);
  leave(there, youngest);
}

TEST_F(ShardLeavingOneTest, does_not_wait_for_a_reactor_that_does_not_ask_again) {
  end(here, server);
  for (int i = 0; i < 3 && here.connecting.empty(); ++i) {
    now += milliseconds(100);
    handle_time(here);
  }
  EXPECT_EQ(here.connecting.size(), 1U);
}

TEST_F(ShardLeavingOneTest, waits_for_one_that_does) {
  end(here, server);
  for (int i = 0; i < 5; ++i) {
    now += milliseconds(100);
    handle_time(here);
    EXPECT_TRUE(here.connecting.empty());
    // As if its own try had failed once more.
    const AskBoard& asks = exchange.asks(exchange.level("server", 1));
    AskedSince since;
    since.fill(asks.since(1));
    exchange.asks(exchange.level("server", 1)).ask(1, since, 1, now);
  }
}

TEST_F(ShardLeavingTest, takes_a_permit_when_the_other_is_hardly_older) {
  const base::PoolId one = add_pool("one", {"server"});
  const base::PoolId other = add_pool("other", {"server"});
  Server& server = *lease(here, one);
  Waiter longer, younger;
  wait(there, longer, other);
  now += microseconds(200);
  wait(here, younger, one);
  end(here, server);
  EXPECT_EQ(here.connecting.size(), 1U);
}

// What is left to somebody who lacks another level as well would lie there for nothing.
TEST_F(ShardLeavingTest, nothing_is_left_to_who_cannot_use_it) {
  const base::PoolId wanted = add_pool("wanted", {"role", "server"});
  const base::PoolId of_role = add_pool("of role", {"role"});
  const base::PoolId of_server = add_pool("of server", {"server"});
  Server& in_role = *lease(here, of_role);
  lease(here, of_server);
  Waiter longer, younger;
  wait(there, longer, wanted);
  now += milliseconds(1);
  wait(here, younger, of_role);
  there.wake_count = 0;

  end(here, in_role);
  EXPECT_TRUE(here.connecting.empty());
  wake(there);
  EXPECT_TRUE(there.connecting.empty()) << "it lacks the server's permit";
  EXPECT_EQ(there.wake_count, 1);
  wake(here);
  EXPECT_EQ(here.connecting.size(), 1U);
}

}  // namespace
}  // namespace pgweir::pool
