#include "client/shared_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <thread>

#include "client/clock.h"
#include "client/fake_host_test.h"

namespace pgweir::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SharedPoolOptions options_of(std::uint32_t server_count_max,
                             base::Duration barging_max = base::Duration::zero()) {
  SharedPoolOptions options;
  options.barging_max = barging_max;
  options.pool.server_count_max = server_count_max;
  return options;
}

Request soon(base::Duration patience = seconds(20)) {
  return {.where = code_location::current(), .deadline = precise_now() + patience};
}

class SharedPoolTest : public testing::Test {
 protected:
  SharedPool& make(const SharedPoolOptions& options) {
    pool_.emplace(options, 1, host_);
    host_.serve(*pool_);
    return *pool_;
  }
  void TearDown() override {
    host_.hold(false);
    pool_->close();
    ASSERT_TRUE(pool_->wait_until_ended(precise_now() + seconds(20)));
  }
  void wait_for_waiters(std::uint32_t count) {
    while (pool_->counts().waiting != count) std::this_thread::yield();
  }

  // Behind the pool: whoever calls it must have returned before it goes.
  std::optional<SharedPool> pool_;
  FakeHost host_;
};

TEST_F(SharedPoolTest, the_server_used_last_is_lent_first) {
  SharedPool& pool = make(options_of(2));
  Server* first = pool.acquire(soon()).server;
  Server* second = pool.acquire(soon()).server;
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_NE(first, second);
  pool.release(*second);
  pool.release(*first);
  EXPECT_EQ(pool.acquire_if_idle({}), first);
  pool.release(*first);
  EXPECT_EQ(host_.opened_count(), 2U);
}

TEST_F(SharedPoolTest, nothing_is_opened_for_who_does_not_want_to_wait) {
  SharedPool& pool = make(options_of(2));
  EXPECT_EQ(pool.acquire_if_idle({}), nullptr);
  EXPECT_EQ(pool.counts().connecting, 0U);
}

TEST_F(SharedPoolTest, who_came_first_is_served_first) {
  SharedPool& pool = make(options_of(1));
  Server* server = pool.acquire(soon()).server;
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&, i] {
      const Grant grant = pool.acquire(soon());
      {
        const std::lock_guard lock(mutex);
        order.push_back(i);
      }
      pool.release(*grant.server);
    });
    wait_for_waiters(static_cast<std::uint32_t>(i) + 1);
  }
  pool.release(*server);
  threads.clear();
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(SharedPoolTest, who_runs_may_take_a_server_before_a_newcomer_in_the_line_has_woken) {
  SharedPool& pool = make(options_of(1, seconds(60)));
  bool is_passed = false;  // Now and then the one in the line is faster; not for ever.
  while (!is_passed) {
    Server* server = pool.acquire(soon()).server;
    std::atomic<bool> is_served = false;
    const std::jthread sleeper([&] {
      const Grant grant = pool.acquire(soon());
      is_served = true;
      pool.release(*grant.server);
    });
    wait_for_waiters(1);
    pool.release(*server);
    const Grant again = pool.acquire(soon());
    is_passed = !is_served;
    pool.release(*again.server);
  }
}

TEST_F(SharedPoolTest, nobody_passes_who_has_waited_too_long) {
  SharedPool& pool = make(options_of(1, std::chrono::nanoseconds(1)));
  Server* server = pool.acquire(soon()).server;
  std::jthread sleeper([&] { pool.release(*pool.acquire(soon()).server); });
  wait_for_waiters(1);
  pool.release(*server);
  EXPECT_EQ(pool.counts().waiting, 0U);  // It has it already, asleep or not.
  sleeper.join();
}

TEST_F(SharedPoolTest, a_deadline_is_kept_and_says_why_the_last_login_failed) {
  SharedPool& pool = make(options_of(1));
  host_.refuse_with(pool::Failure{.sqlstate = "57P03", .text = "starting up"});
  const Grant grant = pool.acquire(soon(milliseconds(30)));
  EXPECT_EQ(grant.server, nullptr);
  EXPECT_EQ(grant.denial, Denial::TimedOut);
  ASSERT_NE(grant.failure, nullptr);
  EXPECT_EQ(grant.failure->text, "starting up");
  EXPECT_EQ(pool.counts().waiting, 0U);
}

TEST_F(SharedPoolTest, D02_auth_failure_reaches_waiters_at_once) {
  SharedPool& pool = make(options_of(1));
  host_.refuse_with(pool::Failure{
      .kind = pool::Failure::Kind::Permanent, .sqlstate = "28P01", .text = "wrong password"});
  const Grant grant = pool.acquire({.where = code_location::current()});  // For ever.
  EXPECT_EQ(grant.denial, Denial::LoginFailed);
  ASSERT_NE(grant.failure, nullptr);
  EXPECT_EQ(grant.failure->sqlstate, "28P01");
}

TEST_F(SharedPoolTest, D01_pool_refills_from_zero) {
  SharedPool& pool = make(options_of(2));
  for (int i = 0; i < 20; ++i) {
    Server* first = pool.acquire(soon()).server;
    Server* second = pool.acquire(soon()).server;
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    pool.discard(*first);
    pool.discard(*second);
  }
  EXPECT_EQ(host_.opened_count(), 40U);
}

TEST_F(SharedPoolTest, D05_closing_counts_against_max) {
  SharedPool& pool = make(options_of(1));
  Server* server = pool.acquire(soon()).server;
  host_.hold(true);
  pool.discard(*server);
  EXPECT_EQ(pool.acquire(soon(milliseconds(20))).denial, Denial::TimedOut);
  EXPECT_EQ(pool.counts().closing, 1U);
  EXPECT_EQ(pool.counts().connecting, 0U);
  host_.hold(false);
  Server* next = pool.acquire(soon()).server;
  ASSERT_NE(next, nullptr);
  pool.release(*next);
  EXPECT_EQ(host_.live_max(), 1U);
}

TEST_F(SharedPoolTest, a_full_line_refuses_at_once) {
  SharedPoolOptions options = options_of(1);
  options.pool.waiter_count_max = 1;
  SharedPool& pool = make(options);
  Server* server = pool.acquire(soon()).server;
  std::jthread sleeper([&] { pool.release(*pool.acquire(soon()).server); });
  wait_for_waiters(1);
  EXPECT_EQ(pool.acquire({.where = code_location::current()}).denial, Denial::QueueFull);
  pool.release(*server);
  sleeper.join();
}

TEST_F(SharedPoolTest, a_stop_token_ends_the_wait) {
  SharedPool& pool = make(options_of(1));
  Server* server = pool.acquire(soon()).server;
  std::stop_source source;
  std::jthread sleeper([&] {
    Request request = soon();
    request.stop = source.get_token();
    EXPECT_EQ(pool.acquire(request).denial, Denial::Cancelled);
  });
  wait_for_waiters(1);
  source.request_stop();
  sleeper.join();
  Request stopped = soon();
  stopped.stop = source.get_token();
  EXPECT_EQ(pool.acquire(stopped).denial, Denial::Cancelled);
  pool.release(*server);
}

TEST_F(SharedPoolTest, closing_refuses_who_waits_and_who_comes) {
  SharedPool& pool = make(options_of(1));
  Server* server = pool.acquire(soon()).server;
  std::jthread sleeper(
      [&] { EXPECT_EQ(pool.acquire({.where = code_location::current()}).denial, Denial::Closed); });
  wait_for_waiters(1);
  pool.close();
  sleeper.join();
  EXPECT_EQ(pool.acquire(soon()).denial, Denial::Closed);
  EXPECT_FALSE(pool.wait_until_ended(precise_now() + milliseconds(10)));
  EXPECT_EQ(pool.leases().size(), 1U);
  pool.release(*server);
  EXPECT_TRUE(pool.wait_until_ended(precise_now() + seconds(20)));
}

TEST_F(SharedPoolTest, D23_the_peak_and_the_waits_are_known) {
  SharedPool& pool = make(options_of(2));
  Server* first = pool.acquire(soon()).server;
  Server* second = pool.acquire(soon()).server;
  EXPECT_EQ(pool.acquire(soon(milliseconds(30))).denial, Denial::TimedOut);
  EXPECT_EQ(pool.usage().lent_max, 2U);
  EXPECT_GE(pool.usage().wait_p99, milliseconds(30));
  pool.release(*first);
  pool.release(*second);
  for (int i = 0; i < 400; ++i) pool.release(*pool.acquire_if_idle({}));
  EXPECT_EQ(pool.usage().lent_max, 2U);
  EXPECT_EQ(pool.usage().wait_p99, base::Duration::zero());
}

TEST_F(SharedPoolTest, a_lease_says_where_it_was_asked_for) {
  SharedPool& pool = make(options_of(1));
  const code_location here = code_location::current();
  Server* server = pool.acquire({.where = here, .tag = "checkout"}).server;
  const auto leases = pool.leases();
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].where.line, here.line);
  EXPECT_STREQ(leases[0].where.file, __FILE__);
  EXPECT_STREQ(leases[0].tag, "checkout");
  pool.release(*server);
  EXPECT_TRUE(pool.leases().empty());
}

}  // namespace
}  // namespace pgweir::client
