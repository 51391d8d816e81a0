#include "pgweir/database_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;
using testing::ThrowsMessage;

class DatabasePoolTest : public PoolScene {};

// Takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { ::close(listener_); }
  std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::uint16_t port_ = 0;
};

TEST_F(DatabasePoolTest, a_statement_with_parameters_brings_typed_rows) {
  database_pool db(options());
  const rows people = db.with_connection([](connection& c) {
    return c.query(
        "select i, 'person ' || i, i % 2 = 0, i / 2.0::float8 "
        "from generate_series(1::int8, $1) i where 'x' || i <> $2",
        3, "x2");
  });
  ASSERT_EQ(people.size(), 2U);
  EXPECT_EQ(people.column_name(0), "i");
  std::vector<std::string> seen;
  for (auto [id, name, is_even, half] : people.as<std::int64_t, std::string, bool, double>()) {
    seen.push_back(std::to_string(id) + name + (is_even ? "even" : "odd"));
    EXPECT_DOUBLE_EQ(half, static_cast<double>(id) / 2);
  }
  EXPECT_THAT(seen, testing::ElementsAre("1person 1odd", "3person 3odd"));
}

TEST_F(DatabasePoolTest, the_only_row_is_had_at_once) {
  struct Person {
    std::int64_t id;
    std::string name;
  };
  database_pool db(options());
  auto lease = db.acquire();
  EXPECT_EQ(lease->query_one<int>("select $1::int4 + 1", 41), 42);
  EXPECT_EQ((lease->query_one<int, std::string>("select 1, 'a'")), std::tuple(1, "a"));
  EXPECT_EQ(lease->query_one<Person>("select 7::int8, 'Ada'").name, "Ada");
  EXPECT_THAT([&] { lease->query_one<int>("select 1 where false"); }, Throws<value_error>());
  EXPECT_THAT([&] { lease->query_one<int>("values (1), (2)"); }, Throws<value_error>());
}

TEST_F(DatabasePoolTest, null_is_taken_by_optional_alone) {
  database_pool db(options());
  auto lease = db.acquire();
  const rows row = lease->query("select $1::int4 as nothing, $2::int4 as something", nullptr, 7);
  EXPECT_EQ(row.one()["nothing"].as<std::optional<int>>(), std::nullopt);
  EXPECT_EQ(row.one()["something"].as<std::optional<int>>(), 7);
  EXPECT_THAT([&] { static_cast<void>(row.one()["nothing"].as<int>()); },
              ThrowsMessage<value_error>(AllOf(HasSubstr("\"nothing\""), HasSubstr("NULL"))));
  EXPECT_THAT([&] { static_cast<void>(row.one()["other"]); },
              ThrowsMessage<value_error>(HasSubstr("nothing, something")));
}

TEST_F(DatabasePoolTest, an_error_of_the_server_has_its_state_and_our_line) {
  database_pool db(options());
  auto lease = db.acquire();
  EXPECT_THAT(
      [&] { lease->query("select 1 / $1", 0); },
      Throws<server_error>(AllOf(Property(&error::sqlstate, sqlstate{"22012"}),
                                 Property(&error::what, HasSubstr("database_pool_test.cc")))));
  EXPECT_EQ(lease->query("select 2").one().as<int>(), 2);  // The connection is as good as before.
}

TEST_F(DatabasePoolTest, no_more_connections_are_opened_than_the_limit_and_all_threads_get_one) {
  database_pool db(options("3"));
  std::vector<std::jthread> threads;
  std::atomic<int> sum = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 50; ++n) sum += echo(db, i);
    });
  }
  threads.clear();
  EXPECT_EQ(sum, 50 * (0 + 1 + 2 + 3 + 4 + 5 + 6 + 7));
  EXPECT_EQ(db.info().limit, 3U);
  EXPECT_LE(db.info().open, 3U);
  EXPECT_LE(std::stoi(ask("select count(*) from pg_stat_activity "
                          "where application_name = 'libpgweir'")),
            3);
}

TEST_F(DatabasePoolTest, a_transaction_happens_as_a_whole_or_not_at_all) {
  ask("truncate ledger");
  database_pool db(options());
  db.transaction([](transaction& tx) {
    tx.execute("insert into ledger values ($1, $2)", "rent", 700);
    tx.execute("insert into ledger values ($1, $2)", std::string("food"), 300);
  });
  EXPECT_EQ(ask("select sum(amount) from ledger"), "1000");
  const auto fail = [&] {
    db.transaction([](transaction& tx) {
      tx.execute("delete from ledger");
      tx.execute("select 1 / 0");
    });
  };
  EXPECT_THAT(fail, Throws<server_error>());
  EXPECT_EQ(ask("select sum(amount) from ledger"), "1000");
}

TEST_F(DatabasePoolTest, D12_scope_exit_rolls_back) {
  ask("truncate ledger");
  database_pool db(options("1"));
  {
    auto lease = db.acquire();
    {
      transaction tx(*lease);
      tx.execute("insert into ledger values ('lost', 1)");
    }
    // The same lease goes on, and finds no transaction open.
    EXPECT_EQ(lease->query("select count(*)::int4 from ledger").one().as<int>(), 0);
    transaction tx(*lease);
    tx.execute("insert into ledger values ('lost', 2)");
  }
  db.with_connection([](connection& c) {
    c.execute("begin");
    c.execute("insert into ledger values ('lost', 3)");
  });
  EXPECT_EQ(db.with_connection([](connection& c) {
    return c.query("select count(*)::int4 from ledger").one().as<int>();
  }),
            0);
}

TEST_F(DatabasePoolTest, a_savepoint_undoes_its_part_alone) {
  ask("truncate ledger");
  database_pool db(options());
  db.transaction([](transaction& tx) {
    tx.execute("insert into ledger values ('kept', 1)");
    EXPECT_THAT(
        [&] { tx.nested([](transaction& in) { in.execute("insert into ledger values (1)"); }); },
        testing::Not(Throws<server_error>()));
    EXPECT_THAT([&] { tx.nested([](transaction& in) { in.execute("select 1 / 0"); }); },
                Throws<server_error>());
    tx.execute("insert into ledger values ('kept', 2)");
  });
  EXPECT_EQ(ask("select count(*) from ledger where name = 'kept'"), "2");
}

TEST_F(DatabasePoolTest, a_whole_transaction_can_be_one_round_trip) {
  ask("truncate ledger");
  database_pool db(options("1"));
  auto lease = db.acquire();
  transaction tx(*lease);
  EXPECT_EQ(tx.execute_and_commit("insert into ledger values ('at once', 1)"), 1U);
  EXPECT_FALSE(tx.is_open());
  EXPECT_EQ(ask("select count(*) from ledger"), "1");
  transaction failing(*lease);
  EXPECT_THAT([&] { failing.execute_and_commit("insert into ledger values (1 / 0)"); },
              Throws<server_error>(Property(&error::outcome, transaction_outcome::rolled_back)));
  EXPECT_EQ(lease->query("select count(*)::int4 from ledger").one().as<int>(), 1);
}

TEST_F(DatabasePoolTest, a_late_statement_is_cancelled_on_the_server_and_the_connection_lives) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  const int pid = lease->backend_pid();
  EXPECT_THAT([&] { lease->query(sql("select pg_sleep(60)").timeout(50ms)); },
              Throws<cancelled>(Property(&error::is_connection_lost, false)));
  EXPECT_EQ(lease->query("select pg_backend_pid()").one().as<int>(), pid);
}

TEST_F(DatabasePoolTest, a_stop_token_ends_a_statement) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  std::stop_source source;
  const std::jthread stopper([&] {
    while (ask("select count(*) from pg_stat_activity where query like 'select pg_sleep(61)%'") ==
           "0") {
    }
    source.request_stop();
  });
  EXPECT_THAT([&] { lease->query(sql("select pg_sleep(61)").stop(source.get_token())); },
              Throws<cancelled>());
}

TEST_F(DatabasePoolTest, D03_timeout_names_the_holders) {
  database_pool db(options("1"));
  const auto held = db.acquire({.tag = "the report"});
  EXPECT_THAT(([&] { static_cast<void>(db.acquire({.timeout = 20ms})); }),
              ThrowsMessage<acquire_timeout>(AllOf(HasSubstr("of at most 1, 1 are in use"),
                                                   HasSubstr("database_pool_test.cc"),
                                                   HasSubstr("(the report)"))));
  EXPECT_EQ(db.info().holders.at(0).tag, "the report");
}

TEST_F(DatabasePoolTest, D02_auth_failure_reaches_waiters_at_once) {
  std::string url = server().url();
  url.replace(url.find("swordfish"), 9, "trout");
  database_pool db{database_options(url)};
  EXPECT_THAT(
      [&] { static_cast<void>(db.acquire({.timeout = 20s})); },
      Throws<connect_error>(AllOf(Property(&error::sqlstate, sqlstate::invalid_password),
                                  Property(&error::what, testing::Not(HasSubstr("trout"))))));
  EXPECT_FALSE(db.check());
}

TEST_F(DatabasePoolTest, D13_recovers_after_its_connections_were_ended) {
  database_pool db(options("2"));
  const int pid = db.with_connection([](connection& c) { return c.backend_pid(); });
  ask(("select pg_terminate_backend(" + std::to_string(pid) + ", 5000)").c_str());
  // The end may be noticed in the middle of a statement, or before; then the pool has another.
  const auto lease = db.try_acquire();
  ASSERT_TRUE(lease);
  EXPECT_TRUE(db.check() || db.check());
  EXPECT_TRUE(db.check());
}

// A server process that stands still says nothing, and nothing says that it does not.
TEST_F(DatabasePoolTest, D19_shutdown_returns_by_its_deadline) {
  database_pool db(options("2"));
  auto kept = db.acquire({.tag = "forgotten"});
  const shutdown_report report = db.shutdown(30ms);
  EXPECT_FALSE(report.is_complete);
  ASSERT_EQ(report.abandoned.size(), 1U);
  EXPECT_EQ(report.abandoned[0].tag, "forgotten");
  EXPECT_THAT([&] { static_cast<void>(db.acquire()); }, Throws<pool_closed>());
  EXPECT_THAT([&] { kept->query("select 5"); },
              ThrowsMessage<cancelled>(HasSubstr("the pool was shut down meanwhile")));
  kept.release();
  EXPECT_TRUE(db.shutdown(20s).is_complete);
  EXPECT_EQ(ask("select count(*) from pg_stat_activity where application_name = 'libpgweir'"), "0");
}

TEST_F(DatabasePoolTest, D19_shutdown_cancels_what_does_not_end) {
  database_pool db(options("1"));
  std::atomic<int> pid = 0;
  const std::jthread busy([&] {
    auto lease = db.acquire();
    pid = lease->backend_pid();
    EXPECT_THAT([&] { lease->query("select pg_sleep(60)"); },
                ThrowsMessage<cancelled>(HasSubstr("the pool was shut down meanwhile")));
    EXPECT_THAT([&] { lease->query("select pg_sleep(60)"); }, Throws<cancelled>());
  });
  while (pid == 0 || state_of(pid) != "active") std::this_thread::yield();
  const shutdown_report report = db.shutdown(1ms);
  ASSERT_EQ(report.abandoned.size(), 1U);
  EXPECT_THAT(report.abandoned[0].where.file, HasSubstr("database_pool_test.cc"));
}

TEST_F(DatabasePoolTest, D19_shutdown_does_not_wait_for_a_login_that_nobody_answers) {
  const SilentServer silent;
  database_pool db(database_options("postgresql://app@127.0.0.1:" + std::to_string(silent.port()) +
                                    "/shop?connect_timeout=600"));
  const std::jthread waiting(
      [&] { EXPECT_THAT([&] { static_cast<void>(db.acquire()); }, Throws<pool_closed>()); });
  while (db.info().connecting == 0) std::this_thread::yield();
  EXPECT_TRUE(db.shutdown(60s).is_complete);
}

TEST_F(DatabasePoolTest, a_lease_may_outlive_its_pool) {
  std::optional<database_pool> db(options("1"));
  auto lease = db->acquire();
  std::jthread closing([&] { db.reset(); });
  closing.join();
  EXPECT_EQ(lease->query("select 1").one().as<int>(), 1);
}

TEST_F(DatabasePoolTest, what_the_user_did_by_hand_is_reset) {
  database_pool db(options("1"));
  {
    auto lease = db.acquire();
    PQclear(PQexec(lease->native_handle(), "set search_path = nowhere"));
  }
  EXPECT_EQ(db.with_connection(
                [](connection& c) { return c.query("show search_path").one().as<std::string>(); }),
            "\"$user\", public");
}

TEST_F(DatabasePoolTest, what_the_url_asks_for_holds_after_a_reset) {
  database_pool db(options("1").set("schema", "elsewhere").set("lock_timeout", "7s"));
  const auto settings = [&] {
    return db.acquire()->query_one<std::string, std::string, std::string>(
        "select current_setting('search_path'), current_setting('lock_timeout'), "
        "current_setting('idle_in_transaction_session_timeout')");
  };
  const auto asked_for = std::tuple("\"elsewhere\"", "7s", "1min");
  EXPECT_EQ(settings(), asked_for);
  const int pid = db.acquire()->backend_pid();
  PQclear(PQexec(db.acquire()->native_handle(), "set search_path = nowhere"));
  EXPECT_EQ(settings(), asked_for);
  EXPECT_EQ(db.acquire()->backend_pid(), pid);
}

TEST_F(DatabasePoolTest, what_the_user_set_on_the_handle_itself_is_undone) {
  database_pool db(options("1"));
  const auto raise = [](connection& c) { c.execute("do $$ begin raise notice 'heard'; end $$"); };
  int heard = 0;
  const auto hear = [](void* count, const PGresult*) { ++*static_cast<int*>(count); };
  const std::unique_ptr<FILE, decltype(&std::fclose)> trace(std::tmpfile(), std::fclose);
  const auto take_over = [&](connection& c) {
    PGconn* handle = c.native_handle();
    PQsetNoticeReceiver(handle, hear, &heard);
    PQtrace(handle, trace.get());
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);
    PQsetnonblocking(handle, 0);
    raise(c);
  };
  db.with_connection(take_over);
  EXPECT_EQ(heard, 1);
  // DISCARD ALL is not traced, either: it may come after the file is closed.
  const long traced = std::ftell(trace.get());
  EXPECT_GT(traced, 0);
  db.with_connection(raise);
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(std::ftell(trace.get()), traced);
  auto lease = db.acquire();
  EXPECT_EQ(PQsetErrorVerbosity(lease->native_handle(), PQERRORS_DEFAULT), PQERRORS_DEFAULT);
  EXPECT_EQ(PQisnonblocking(lease->native_handle()), 1);
  PQtrace(lease->native_handle(), trace.get());
  lease.discard();
  EXPECT_TRUE(db.shutdown(20s).is_complete);
  EXPECT_EQ(std::ftell(trace.get()), traced);
}

TEST_F(DatabasePoolTest, D18_password_never_printed) {
  EXPECT_THAT(
      [] { database_pool db{database_options("postgresql://app:trout@h/d?pool_timeot=3")}; },
      ThrowsMessage<config_error>(AllOf(HasSubstr("pool_timeot"), HasSubstr("pool_timeout"),
                                        testing::Not(HasSubstr("trout")))));
}

}  // namespace
}  // namespace pgweir::client
