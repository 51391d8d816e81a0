#include "pool/exchange.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace pgweir::pool {
namespace {

using std::chrono::seconds;

class ExchangeTest : public testing::Test {
 protected:
  static base::Instant at(int second) { return base::Instant{seconds(second)}; }

  static AskedSince since(int second) {
    AskedSince asked;
    asked.fill(base::kNever);
    asked.front() = at(second);
    return asked;
  }

  Exchange exchange{8, 8};
  LevelId server = exchange.add_level("server", 2);
  LevelId pool = exchange.add_level("pool", 1);
  std::array<LevelId, 2> levels{pool, server};
  std::array<LevelId, 1> wide{server};
};

TEST_F(ExchangeTest, takes_a_permit_of_every_level) {
  EXPECT_TRUE(exchange.try_take(levels).is_taken);
  EXPECT_EQ(exchange.taken(server), 1U);
  EXPECT_EQ(exchange.taken(pool), 1U);
  EXPECT_EQ(exchange.give_back(levels, false), 0U);
  EXPECT_EQ(exchange.taken(server), 0U);
}

TEST_F(ExchangeTest, takes_none_when_one_level_is_full) {
  exchange.set_limit(server, 0);
  EXPECT_FALSE(exchange.try_take(levels).is_taken);
  EXPECT_EQ(exchange.taken(pool), 0U);
  EXPECT_FALSE(exchange.has_room(levels));
}

TEST_F(ExchangeTest, names_whom_a_permit_put_back_may_have_stopped) {
  exchange.set_limit(server, 0);
  exchange.announce(pool, 3);
  EXPECT_EQ(exchange.try_take(levels).to_wake, mask_of(3));
}

TEST_F(ExchangeTest, names_who_waits_when_a_permit_returns_or_a_limit_rises) {
  EXPECT_TRUE(exchange.try_take(levels).is_taken);
  exchange.announce(server, 1);
  exchange.announce(pool, 2);
  EXPECT_EQ(exchange.give_back(levels, false), mask_of(1) | mask_of(2));
  EXPECT_EQ(exchange.set_limit(server, 3), mask_of(1));
  exchange.withdraw(server, 1);
  EXPECT_EQ(exchange.set_limit(server, 4), 0U);
}

TEST_F(ExchangeTest, an_older_limit_does_not_replace_a_newer_one) {
  exchange.set_limit(server, 3, 2);
  exchange.announce(server, 1);
  EXPECT_EQ(exchange.set_limit(server, 9, 1), 0U) << "nothing has changed for anybody";
  EXPECT_EQ(exchange.limit(server), 3U);
  EXPECT_EQ(exchange.set_limit(server, 4, 2), mask_of(1)) << "the same look, by another reactor";
  EXPECT_EQ(exchange.limit(server), 4U);
}

TEST_F(ExchangeTest, keeps_permits_that_a_lower_limit_no_longer_allows) {
  EXPECT_TRUE(exchange.try_take(wide).is_taken);
  EXPECT_TRUE(exchange.try_take(wide).is_taken);
  exchange.set_limit(server, 1);
  EXPECT_EQ(exchange.taken(server), 2U);
  EXPECT_TRUE(exchange.is_over(server));
  exchange.give_back(wide, false);
  EXPECT_FALSE(exchange.is_over(server));
  EXPECT_FALSE(exchange.try_take(wide).is_taken);
}

TEST_F(ExchangeTest, is_not_over_a_limit_when_enough_are_leaving) {
  EXPECT_TRUE(exchange.try_take(wide).is_taken);
  exchange.set_limit(server, 0);
  exchange.mark_leaving(wide);
  EXPECT_FALSE(exchange.is_over(server));
  EXPECT_TRUE(exchange.is_full(server));
  exchange.give_back(wide, true);
  EXPECT_EQ(exchange.leaving(server), 0U);
}

TEST_F(ExchangeTest, finds_the_asker_whose_waiter_is_oldest) {
  EXPECT_FALSE(exchange.asks(server).oldest(0).has_value());
  exchange.asks(server).ask(0, since(1), 1, at(8));
  exchange.asks(server).ask(4, since(7), 1, at(8));
  exchange.asks(server).ask(5, since(3), 1, at(8));
  EXPECT_EQ(exchange.asks(server).oldest(0)->reactor, 5U) << "one does not ask oneself";
  EXPECT_EQ(exchange.asks(server).oldest(1)->since, at(1));
  exchange.asks(server).renew(0, since(9));
  EXPECT_EQ(exchange.asks(server).oldest(1)->reactor, 5U);
  exchange.asks(server).withdraw(5);
  EXPECT_EQ(exchange.asks(server).oldest(1)->reactor, 4U);
}

TEST_F(ExchangeTest, is_asked_for_the_next_waiter_once_one_has_been_answered) {
  exchange.asks(pool).ask(2, {at(1), at(5), base::kNever, base::kNever}, 2, at(8));
  EXPECT_EQ(exchange.asks(pool).oldest(0)->since, at(1));
  EXPECT_TRUE(exchange.asks(pool).try_answer(2));
  EXPECT_EQ(exchange.asks(pool).oldest(0)->since, at(5));
  EXPECT_TRUE(exchange.asks(pool).try_answer(2));
  EXPECT_FALSE(exchange.asks(pool).try_answer(2)) << "no more than were asked for";
  EXPECT_FALSE(exchange.asks(pool).oldest(0).has_value());
}

TEST_F(ExchangeTest, tells_at_a_glance_whether_somebody_else_asks) {
  EXPECT_FALSE(exchange.is_asked(0));
  exchange.set_asking(1, true);
  EXPECT_TRUE(exchange.is_asked(0));
  EXPECT_FALSE(exchange.is_asked(1));
  exchange.set_asking(1, false);
  EXPECT_FALSE(exchange.is_asked(0));
}

TEST_F(ExchangeTest, finds_a_level_by_its_name) {
  EXPECT_FALSE(exchange.find_level("role").has_value());
  const LevelId role = exchange.level("role", 3);
  EXPECT_EQ(exchange.find_level("role"), role);
  EXPECT_EQ(exchange.level("role", 7), role);
  EXPECT_EQ(exchange.limit(role), 3U) << "it keeps the limit that it was made with";
}

TEST_F(ExchangeTest, holds_many_levels) {
  for (int i = 0; i < 1000; ++i) exchange.add_level(std::to_string(i), 1);
  EXPECT_EQ(exchange.name(LevelId{1001}), "999");
  EXPECT_EQ(exchange.name(pool), "pool");
}

// Threads at full speed; ThreadSanitizer reads along. Whoever finds no permit announces itself and
// sleeps until somebody names it, so that a lost wake-up shows as a thread that never ends.
TEST_F(ExchangeTest, loses_no_permit_and_no_wake_up_among_threads) {
  constexpr ReactorIndex kThreads = 4;
  constexpr int kRounds = 3000;
  exchange.set_limit(pool, kUnlimited);
  std::array<std::atomic<std::uint32_t>, kThreads> wakes{};
  std::atomic<std::uint32_t> holders{0};

  const auto wake = [&](ReactorMask mask) {
    for (ReactorIndex i = 0; i < kThreads; ++i) {
      if ((mask & mask_of(i)) == 0) continue;
      wakes[i].fetch_add(1);
      wakes[i].notify_one();
    }
  };
  const auto run = [&](ReactorIndex self) {
    for (int round = 0; round < kRounds; ++round) {
      for (;;) {
        const std::uint32_t seen = wakes[self].load();
        Take take = exchange.try_take(levels);
        wake(take.to_wake);
        if (take.is_taken) break;
        exchange.announce(server, self);
        take = exchange.try_take(levels);
        wake(take.to_wake);
        if (!take.is_taken) wakes[self].wait(seen);
        exchange.withdraw(server, self);
        if (take.is_taken) break;
      }
      EXPECT_LE(holders.fetch_add(1), 1U);
      holders.fetch_sub(1);
      wake(exchange.give_back(levels, false));
    }
  };
  std::vector<std::thread> threads;
  for (ReactorIndex i = 0; i < kThreads; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(exchange.taken(server), 0U);
  EXPECT_EQ(exchange.taken(pool), 0U);
}

}  // namespace
}  // namespace pgweir::pool
