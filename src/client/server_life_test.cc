// How a server lives in the pool: how long, and what becomes of it while nobody uses it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>
#include <vector>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::Throws;

class ServerLifeTest : public PoolScene {};

TEST_F(ServerLifeTest, D07_ping_times_out_on_black_hole) {
  database_pool db(options("2").set("ping_idle_after", "1s").set("ping_timeout", "200ms"));
  {
    const auto first = db.acquire();
    const auto second = db.acquire();
  }
  while (db.info().idle != 2) std::this_thread::yield();
  const int other = db.acquire()->backend_pid();  // The one that is lent next, too.
  ASSERT_EQ(::kill(other, SIGSTOP), 0);
  ask("select pg_sleep(1.2)");
  {
    auto lease = db.acquire();
    EXPECT_NE(lease->backend_pid(), other);
    EXPECT_EQ(lease->query_one<int>("select 5"), 5);
  }
  ::kill(other, SIGCONT);
}

TEST_F(ServerLifeTest, D06_warm_checkout_adds_no_round_trip) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  const int pid = lease->backend_pid();
  const std::string question =
      "select query from pg_stat_activity where pid = " + std::to_string(pid);
  for (int i = 0; i < 3; ++i) {
    lease->query("select 'mine'");
    lease.release();
    lease = db.acquire();
    EXPECT_EQ(lease->backend_pid(), pid);
    EXPECT_EQ(ask(question.c_str()), "select 'mine'");
  }
}

TEST_F(ServerLifeTest, D16_connections_go_from_thread_to_thread_and_nothing_is_reset_between) {
  database_pool db(options("2"));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 50; ++n) db.acquire()->query("select 'mine'");
      });
    }
  }
  // Whatever was said last at either was said by its user.
  EXPECT_EQ(ask("select string_agg(query, ', ') from pg_stat_activity "
                "where application_name = 'libpgweir' and query <> 'select ''mine'''"),
            "");
  EXPECT_LE(db.stats().open, 2U);
}

TEST_F(ServerLifeTest, D09_lifetime_replaces_before_expiry) {
  database_pool db(options("1").set("max_connection_lifetime", "1s"));
  const int first = db.acquire()->backend_pid();
  int second = first;
  while (second == first) {
    auto lease = db.acquire();
    EXPECT_EQ(lease->query_one<int>("select 5"), 5);
    second = lease->backend_pid();
  }
  EXPECT_LE(db.stats().open, 1U);
}

TEST_F(ServerLifeTest, D10_idle_connections_are_reaped) {
  database_pool db(options("3").set("max_idle_connection_lifetime", "1s"));
  {
    const auto one = db.acquire();
    const auto two = db.acquire();
    EXPECT_EQ(db.stats().open, 2U);
  }
  while (db.stats().open + db.stats().closing > 0) std::this_thread::yield();
  EXPECT_EQ(ask("select count(*) from pg_stat_activity where application_name = 'libpgweir'"), "0");
}

TEST_F(ServerLifeTest, a_forgotten_transaction_is_ended_by_postgresql) {
  const char* question = "show idle_in_transaction_session_timeout";
  database_pool db(options("1"));
  EXPECT_EQ(db.acquire()->query_one<std::string>(question), "1min");
  database_pool other(options("1").set("idle_in_transaction_session_timeout", "0"));
  EXPECT_EQ(other.acquire()->query_one<std::string>(question), "0");
  database_pool quick(options("1").set("idle_in_transaction_session_timeout", "50ms"));
  auto lease = quick.acquire();
  transaction tx(*lease);
  tx.execute("insert into ledger values ('forgotten', 1)");
  const std::string pid = std::to_string(lease->backend_pid());
  while (ask(("select count(*) from pg_stat_activity where pid = " + pid).c_str()) != "0")
    std::this_thread::yield();
  EXPECT_THAT([&] { tx.commit(); }, Throws<error>());
  EXPECT_EQ(ask("select count(*) from ledger where name = 'forgotten'"), "0");
}

}  // namespace
}  // namespace pgweir::client
