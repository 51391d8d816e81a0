// Shards of several reactors over one exchange: who gives what to whom, and in which order waiters
// are served over all of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "pool/shard.h"

namespace pgweir::pool {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr base::Duration kMail = microseconds(20);
constexpr base::Duration kLogin = milliseconds(5);

// One reactor: its shard, whose decisions it carries out, and what it has of each.
struct Reactor {
  Reactor(Exchange& exchange, ReactorIndex index, std::uint32_t count)
      : shard(exchange, index + 1, index, count) {}

  Shard shard;
  std::vector<Server*> closing;
  std::vector<Waiter*> refused;
};

// All of them, and the mail between them.
class ShardGivingTest : public testing::Test {
 protected:
  void start(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i)
      reactors.push_back(std::make_unique<Reactor>(exchange, i, count));
  }
  Shard& shard(std::size_t i) { return reactors[i]->shard; }

  // The same pool on each reactor.
  base::PoolId add_pool(const std::string& name, const Options& options = {}) {
    base::PoolId id{};
    for (std::size_t i = 0; i < reactors.size(); ++i) {
      id = shard(i).add_pool(
          {name, options, {exchange.level(name, 0), exchange.level("server", 0)}}, now);
      carry_out(i);
    }
    return id;
  }
  void set_limit(std::uint32_t limit) { exchange.set_limit(exchange.level("server", 0), limit); }

  Server* acquire(std::size_t i, Waiter& waiter, base::PoolId pool) {
    Server* server = shard(i).acquire(waiter, pool, now);
    carry_out(i);
    return server;
  }
  Waiter* release(std::size_t i, Server& server) {
    Waiter* next = shard(i).release(server, now);
    note(i, server, next);
    carry_out(i);
    return next;
  }
  void pass(base::Duration time) {
    const base::Instant end = now + time;
    while (true) {
      base::Instant due = base::kNever;
      for (const Item& item : mail) due = std::min(due, item.arrives_at);
      for (const auto& reactor : reactors) due = std::min(due, reactor->shard.next_deadline());
      if (due > end) break;
      now = std::max(now, due);
      for (std::size_t i = 0; i < reactors.size(); ++i) {
        shard(i).handle_time(now);
        carry_out(i);
      }
      while (const auto item = take_mail()) deliver(*item);
    }
    now = end;
  }
  // Who has a server that has come since.
  // The first shard has lent the only server, and somebody waits for it at the second.
  Server& hold_the_only_one(Waiter& here, Waiter& there) {
    start(2);
    set_limit(1);
    const base::PoolId pool = add_pool("pool");
    acquire(0, here, pool);
    pass(kLogin);
    acquire(1, there, pool);
    return *server_of(here);
  }
  Server* server_of(const Waiter& waiter) const {
    for (const auto& [server, holder] : holders)
      if (holder == &waiter) return server;
    return nullptr;
  }
  void forget_holder(Server& server) {
    std::erase_if(holders, [&](const auto& entry) { return entry.first == &server; });
  }
  std::uint32_t taken(const std::string& level) {
    return exchange.taken(*exchange.find_level(level));
  }
  void check() {
    for (const auto& reactor : reactors) reactor->shard.check_invariants();
  }

  struct Item {
    enum class Kind : std::uint8_t { Opened, Gift, Wake, Ended } kind = Kind::Wake;
    std::size_t to = 0;
    base::Instant arrives_at;
    Server* server = nullptr;
    base::PoolId pool{};
    ReactorIndex from = 0;
  };

  Exchange exchange{4, 3};
  std::vector<std::unique_ptr<Reactor>> reactors;
  std::vector<Item> mail;
  std::deque<Server> servers;
  std::vector<std::pair<Server*, Waiter*>> holders;
  std::uint32_t gift_count = 0;
  base::Instant now{std::chrono::hours(1)};

 private:
  void note(std::size_t, Server& server, Waiter* waiter) {
    forget_holder(server);
    if (waiter != nullptr) holders.emplace_back(&server, waiter);
  }
  void carry_out(std::size_t i) {
    while (const auto decision = shard(i).take_decision()) {
      if (const auto* open = std::get_if<Open>(&*decision)) {
        Server& server = servers.emplace_back();
        shard(i).handle_opening(server, open->pool, now);
        mail.push_back({Item::Kind::Opened, i, now + kLogin, &server, {}, 0});
      } else if (const auto* close = std::get_if<Close>(&*decision)) {
        mail.push_back({Item::Kind::Ended, i, now + kMail, close->server, {}, 0});
      } else if (const auto* give = std::get_if<Give>(&*decision)) {
        ++gift_count;
        mail.push_back({Item::Kind::Gift, give->reactor, now + kMail, give->server,
                        give->server->pool(), static_cast<ReactorIndex>(i)});
      } else if (const auto* wake = std::get_if<Wake>(&*decision)) {
        mail.push_back({Item::Kind::Wake, wake->reactor, now + kMail, nullptr, {}, 0});
      } else if (const auto* refuse = std::get_if<Refuse>(&*decision)) {
        reactors[i]->refused.push_back(refuse->waiter);
      }
    }
    check();
  }
  // What has arrived by now, oldest first.
  std::optional<Item> take_mail() {
    const auto next = std::min_element(mail.begin(), mail.end(), [](const Item& a, const Item& b) {
      return a.arrives_at < b.arrives_at;
    });
    if (next == mail.end() || next->arrives_at > now) return std::nullopt;
    const Item item = *next;
    mail.erase(next);
    return item;
  }
  void deliver(const Item& item) {
    Shard& to = shard(item.to);
    switch (item.kind) {
      case Item::Kind::Opened:
        note(item.to, *item.server, to.handle_opened(*item.server, now));
        break;
      case Item::Kind::Ended: to.handle_ended(*item.server, now); break;
      case Item::Kind::Wake: to.handle_wake(now); break;
      case Item::Kind::Gift:
        to.adopt(*item.server, item.pool, item.server->tenure(), now);
        note(item.to, *item.server, to.release_adopted(*item.server, item.from, now));
        break;
    }
    carry_out(item.to);
  }
};

TEST_F(ShardGivingTest, an_idle_server_goes_where_somebody_waits) {
  start(2);
  set_limit(1);
  const base::PoolId pool = add_pool("pool");
  Waiter here;
  Waiter there;
  acquire(0, here, pool);
  pass(kLogin);
  Server* server = server_of(here);
  ASSERT_NE(server, nullptr);
  release(0, *server);
  ASSERT_EQ(server->state(), ServerState::Idle);

  EXPECT_EQ(acquire(1, there, pool), nullptr);
  pass(4 * kMail);
  EXPECT_EQ(server_of(there), server);
  EXPECT_EQ(gift_count, 1U);
  EXPECT_EQ(taken("pool"), 1U) << "its permits go with it";
  EXPECT_EQ(shard(0).counts(pool).idle + shard(0).counts(pool).leased, 0U);
  EXPECT_EQ(shard(1).counts(pool).leased, 1U);
}

TEST_F(ShardGivingTest, the_older_waiter_is_next_on_whichever_reactor) {
  start(3);
  set_limit(1);
  const base::PoolId pool = add_pool("pool");
  std::array<Waiter, 4> waiters;
  acquire(0, waiters[0], pool);
  pass(kLogin);
  Server* server = server_of(waiters[0]);
  ASSERT_NE(server, nullptr);
  acquire(2, waiters[1], pool);
  pass(milliseconds(2));
  acquire(0, waiters[2], pool);
  pass(milliseconds(2));
  acquire(1, waiters[3], pool);
  pass(milliseconds(2));

  EXPECT_EQ(release(0, *server), nullptr) << "one elsewhere waits longer";
  pass(2 * kMail);
  ASSERT_EQ(server_of(waiters[1]), server);
  release(2, *server);
  pass(2 * kMail);
  ASSERT_EQ(server_of(waiters[2]), server);
  release(0, *server);
  pass(2 * kMail);
  EXPECT_EQ(server_of(waiters[3]), server);
}

TEST_F(ShardGivingTest, a_server_stays_for_a_waiter_who_is_hardly_younger) {
  start(2);
  set_limit(1);
  const base::PoolId pool = add_pool("pool");
  Waiter first;
  Waiter there;
  Waiter here;
  acquire(0, first, pool);
  pass(kLogin);
  acquire(1, there, pool);
  now += microseconds(200);
  acquire(0, here, pool);
  EXPECT_EQ(release(0, *server_of(first)), &here);
  EXPECT_EQ(gift_count, 0U);
}

TEST_F(ShardGivingTest, as_many_go_as_are_asked_for) {
  start(2);
  set_limit(3);
  const base::PoolId pool = add_pool("pool");
  std::array<Waiter, 3> here;
  for (Waiter& waiter : here) acquire(0, waiter, pool);
  pass(kLogin);
  for (Waiter& waiter : here) release(0, *server_of(waiter));
  ASSERT_EQ(shard(0).counts(pool).idle, 3U);

  std::array<Waiter, 2> there;
  for (Waiter& waiter : there) acquire(1, waiter, pool);
  pass(10 * kMail);
  EXPECT_EQ(shard(1).counts(pool).leased, 2U);
  EXPECT_EQ(shard(0).counts(pool).idle, 1U) << "nobody asked for the third";
}

TEST_F(ShardGivingTest, a_server_of_another_pool_is_closed_for_a_waiter_elsewhere) {
  start(2);
  set_limit(1);
  const base::PoolId one = add_pool("one");
  const base::PoolId other = add_pool("other");
  Waiter here;
  Waiter there;
  acquire(0, here, one);
  pass(kLogin);
  release(0, *server_of(here));
  acquire(1, there, other);
  pass(kLogin + 10 * kMail);
  EXPECT_NE(server_of(there), nullptr);
  EXPECT_EQ(taken("one"), 0U);
  EXPECT_EQ(taken("other"), 1U);
  EXPECT_EQ(gift_count, 0U);
}

TEST_F(ShardGivingTest, an_idle_server_of_a_minimum_is_not_closed_for_another_pool) {
  start(2);
  set_limit(1);
  const base::PoolId one = add_pool("one");
  shard(0).set_options(one, {.server_count_min = 1}, now);
  Waiter here;
  acquire(0, here, one);
  pass(kLogin);
  release(0, *server_of(here));
  const base::PoolId other = add_pool("other");
  Waiter there;
  acquire(1, there, other);
  pass(milliseconds(500));
  EXPECT_EQ(server_of(there), nullptr);
  EXPECT_EQ(shard(0).counts(one).idle, 1U);
}

TEST_F(ShardGivingTest, what_is_not_sent_away_is_taken_back) {
  Waiter here;
  Waiter there;
  Server& server = hold_the_only_one(here, there);
  ASSERT_EQ(shard(0).release(server, now), nullptr);
  ASSERT_TRUE(server.is_given());
  shard(0).take_back(server, now);
  EXPECT_FALSE(server.is_given());
  EXPECT_EQ(server.state(), ServerState::Leased);
  EXPECT_FALSE(shard(0).has_decisions());

  // The same once the decision was taken.
  ASSERT_EQ(shard(0).release(server, now), nullptr) << "who was answered asks again in time";
  pass(milliseconds(150));
  EXPECT_EQ(shard(1).expects_servers(), false);
}

TEST_F(ShardGivingTest, who_is_on_his_way_is_expected) {
  Waiter here;
  Waiter there;
  Server& server = hold_the_only_one(here, there);
  release(0, server);
  EXPECT_TRUE(shard(1).expects_servers());
  pass(2 * kMail);
  EXPECT_FALSE(shard(1).expects_servers());
}

// Clients that come, wait, hold a server for a while and leave, on three reactors: nobody is
// forgotten, order holds within 1 ms and what is on its way, and the limit holds at every moment.
class ShardGivingAtRandomTest : public ShardGivingTest, public testing::WithParamInterface<int> {};

TEST_P(ShardGivingAtRandomTest, serves_everybody_in_order_on_three_reactors) {
  constexpr std::uint32_t kServers = 4;
  constexpr base::Duration kStep = microseconds(50);
  struct Client {
    Waiter waiter;
    std::size_t reactor = 0;
    base::Instant until = base::kNever;
    int served_count = 0;
  };
  base::Rng rng(static_cast<std::uint64_t>(GetParam()));
  std::deque<Client> clients(30);
  start(3);
  set_limit(1000);
  const base::PoolId pool =
      add_pool("pool", {.server_count_max = kServers, .wait_max = std::chrono::hours(1)});
  for (Client& client : clients) client.reactor = rng.chance(0.7) ? 0 : 1 + rng.below(2);

  base::Duration barging{};
  for (int step = 0; step < 10'000; ++step) {
    pass(kStep);
    ASSERT_LE(taken("pool"), kServers);
    for (Client& client : clients) {
      Server* server = server_of(client.waiter);
      if (server != nullptr && client.until == base::kNever) {
        client.until = now + microseconds(rng.below(2000));
        for (const Client& other : clients)
          if (other.waiter.is_waiting())
            barging = std::max(barging, client.waiter.since() - other.waiter.since());
      } else if (server != nullptr && now >= client.until) {
        client.until = base::kNever;
        ++client.served_count;
        forget_holder(*server);
        release(client.reactor, *server);
      } else if (server == nullptr && !client.waiter.is_waiting() && rng.chance(0.3)) {
        Server* idle = acquire(client.reactor, client.waiter, pool);
        if (idle != nullptr) holders.emplace_back(idle, &client.waiter);
      }
    }
  }
  for (const Client& client : clients) EXPECT_GT(client.served_count, 50);
  // What is answered and on its way, and the steps in which these clients act, come on top.
  EXPECT_LT(barging, milliseconds(2));
  EXPECT_GT(gift_count, 0U);

  for (Client& client : clients) {
    shard(client.reactor).leave(client.waiter);
    if (Server* server = server_of(client.waiter)) {
      forget_holder(*server);
      release(client.reactor, *server);
    }
  }
  pass(std::chrono::minutes(30));
  EXPECT_EQ(taken("pool"), 0U) << "what nobody uses ends";
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardGivingAtRandomTest, testing::Range(1, 9));

}  // namespace
}  // namespace pgweir::pool
