// What the pool makes of a server that says nothing: its processes stand still, or the network
// loses what is sent. Nothing here ends or is refused; that is in database_pool_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "../tests/support/dropping_relay.h"
#include "client/clock.h"
#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;

// Stands still for as long as this lives.
class Frozen {
 public:
  explicit Frozen(tests::PrivatePostgres& server) : server_(server) { server_.freeze(); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() { server_.thaw(); }

 private:
  tests::PrivatePostgres& server_;
};

// Looks all the time whether the pool holds more connections than it may.
class LimitWatch {
 public:
  explicit LimitWatch(const database_pool& db)
      : thread_([this, &db](const std::stop_token& stop) {
          while (!stop.stop_requested()) look(db.stats());
        }) {}
  LimitWatch(const LimitWatch&) = delete;
  LimitWatch& operator=(const LimitWatch&) = delete;
  ~LimitWatch() {
    thread_.request_stop();
    thread_.join();
    EXPECT_EQ(worst_, "");
  }

 private:
  void look(const pool_stats& stats) {
    const bool is_well = stats.open + stats.connecting + stats.closing <= stats.limit &&
                         stats.idle + stats.in_use == stats.open;
    if (!is_well) {
      worst_ = "open " + std::to_string(stats.open) + ", connecting " +
               std::to_string(stats.connecting) + ", closing " + std::to_string(stats.closing) +
               " of " + std::to_string(stats.limit);
    }
    std::this_thread::yield();
  }

  std::string worst_;
  std::jthread thread_;
};

class FaultsTest : public PoolScene {
 protected:
  // By way of the relay.
  static database_options options_by(const tests::DroppingRelay& relay, std::string_view limit) {
    std::string url = server().url();
    const std::string port = ":" + std::to_string(server().port()) + "/";
    url.replace(url.find(port), port.size(), ":" + std::to_string(relay.port()) + "/");
    return database_options(url)
        .set("connection_limit", limit)
        .set("pool_timeout", "60s")
        .set("connect_timeout", "1s");
  }

  static void expect_late(connection& c) {
    const base::Instant since = precise_now();
    EXPECT_THAT([&] { c.query(sql("select pg_sleep(60)").timeout(200ms)); },
                Throws<cancelled>(Property(&error::is_connection_lost, true)));
    // 2 s more for the cancel; the rest is for a machine that has much else to do.
    EXPECT_LT(precise_now() - since, 30s);
  }

  // All at the same time, and each of them is good.
  static void expect_full_limit(database_pool& db) {
    std::vector<connection_lease> leases;
    while (leases.size() < db.stats().limit) {
      leases.push_back(db.acquire({.timeout = 60s}));
      EXPECT_EQ(leases.back()->query_one<int>("select 5"), 5);
    }
    EXPECT_EQ(db.stats().in_use, db.stats().limit);
  }

  // So long that ping_idle_after has passed.
  static void let_rest() { ask("select pg_sleep(1.2)"); }
};

TEST_F(FaultsTest, D13_recovers_after_the_server_stood_still) {
  database_pool db(options("4").set("connect_timeout", "500ms"));
  const LimitWatch watch(db);
  auto first = db.acquire();
  auto second = db.acquire();
  auto third = db.acquire();
  db.acquire().release();  // Idle.
  {
    const Frozen frozen(server());
    {
      std::jthread other([&] { expect_late(*second); });
      std::jthread another([&] { expect_late(*third); });
      expect_late(*first);
    }
    expect_late(*db.acquire());
    first.release();
    second.release();
    third.release();
    const base::Instant since = precise_now();
    EXPECT_THAT([&] { static_cast<void>(db.acquire({.timeout = 3s})); },
                Throws<acquire_timeout>(
                    Property(&error::what, AllOf(HasSubstr("the last login failed: no answer from"),
                                                 HasSubstr("within connect_timeout")))));
    EXPECT_GE(precise_now() - since, 3s);
    EXPECT_LT(precise_now() - since, 30s);
    EXPECT_FALSE(db.check(100ms));
  }
  expect_full_limit(db);
}

TEST_F(FaultsTest, D13_shutdown_does_not_wait_for_a_server_that_stands_still) {
  database_pool db(options("2").set("ping_idle_after", "1s").set("ping_timeout", "100ms"));
  db.acquire().release();
  let_rest();
  const Frozen frozen(server());
  EXPECT_FALSE(db.check(100ms));
  EXPECT_TRUE(db.shutdown(9s).is_complete);
}

TEST_F(FaultsTest, D07_an_idle_connection_on_a_black_hole_is_replaced) {
  tests::DroppingRelay relay(server().port());
  database_pool db(
      options_by(relay, "1").set("ping_idle_after", "1s").set("ping_timeout", "200ms"));
  const int lost = db.acquire()->backend_pid();
  relay.drop();
  relay.heal();
  let_rest();
  // Its slot is free at once: nothing would ever say that PostgreSQL has ended it.
  auto lease = db.acquire({.timeout = 9s});
  EXPECT_NE(lease->backend_pid(), lost);
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(FaultsTest, D07_many_idle_connections_on_a_black_hole_cost_no_more_than_the_timeout) {
  constexpr std::size_t kCount = 8;
  tests::DroppingRelay relay(server().port());
  database_pool db(
      options_by(relay, "8").set("ping_idle_after", "1s").set("ping_timeout", "200ms"));
  {
    std::vector<connection_lease> leases;
    while (leases.size() < kCount) leases.push_back(db.acquire());
  }
  while (db.stats().idle < kCount) std::this_thread::yield();
  relay.drop();
  let_rest();
  EXPECT_THAT([&] { static_cast<void>(db.acquire({.timeout = 1ms})); }, Throws<acquire_timeout>());
  EXPECT_GE(db.stats().idle, kCount - 2);  // Not all of them were asked, one after the other.
  EXPECT_FALSE(db.acquire_if_idle().has_value());
  EXPECT_GE(db.stats().idle, kCount - 4);
  relay.heal();
  expect_full_limit(db);
}

TEST_F(FaultsTest, D07_a_query_on_a_black_hole_ends_and_its_connection_is_lent_no_more) {
  tests::DroppingRelay relay(server().port());
  database_pool db(options_by(relay, "2"));
  const LimitWatch watch(db);
  std::vector<int> lost;
  // The cancels that nobody answers, either, are more than there are threads for logins.
  for (int round = 0; round < 4; ++round) {
    {
      auto first = db.acquire();
      auto second = db.acquire();
      for (const int pid : {first->backend_pid(), second->backend_pid()}) {
        EXPECT_THAT(lost, testing::Not(testing::Contains(pid)));
        lost.push_back(pid);
      }
      relay.drop();
      const std::jthread other([&] { expect_late(*second); });
      expect_late(*first);
    }
    relay.heal();
    expect_full_limit(db);
  }
}

TEST_F(FaultsTest, D07_a_transaction_on_a_black_hole_holds_its_slot_for_a_while_only) {
  tests::DroppingRelay relay(server().port());
  database_pool db(options_by(relay, "1"));
  {
    auto lease = db.acquire();
    lease->execute("begin");
    relay.drop();
  }
  relay.heal();
  // Two seconds for the ROLLBACK, and none for the good-bye.
  EXPECT_EQ(db.acquire({.timeout = 11s})->query_one<int>("select 5"), 5);
}

TEST_F(FaultsTest, D07_a_login_on_a_black_hole_ends_by_connect_timeout) {
  tests::DroppingRelay relay(server().port());
  relay.drop();
  database_pool db(options_by(relay, "3"));
  const LimitWatch watch(db);
  EXPECT_THAT([&] { static_cast<void>(db.acquire({.timeout = 4s})); },
              Throws<acquire_timeout>(Property(
                  &error::what, HasSubstr("no answer from 127.0.0.1 within connect_timeout"))));
  relay.heal();
  expect_full_limit(db);
}

}  // namespace
}  // namespace pgweir::client
