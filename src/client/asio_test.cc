#include "pgweir/asio.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::Throws;
using testing::ThrowsMessage;

class AsioTest : public PoolScene {
 protected:
  // Where futures are made Asio has started threads of its own, and later tests fork.
  static void TearDownTestSuite() {
    auto& threads = asio::query(asio::system_executor(), asio::execution::context);
    threads.stop();
    threads.join();
  }
  // What the coroutine gives, or throws.
  template <class T>
  T run(asio::awaitable<T> work) {
    auto outcome = asio::co_spawn(context_, std::move(work), asio::use_future);
    context_.run();
    context_.restart();
    return outcome.get();
  }
  static asio::awaitable<int> echo_later(database_pool& db, int value) {
    connection_lease lease = co_await async_acquire(db);
    const rows answer = co_await async_query(*lease, "select $1::int4", value);
    co_return answer.one().as<int>();
  }

  asio::io_context context_;
};

TEST_F(AsioTest, D15_coroutines_lease_and_query) {
  database_pool db(options());
  EXPECT_EQ(run(echo_later(db, 42)), 42);
  EXPECT_EQ(db.stats().in_use, 0);
}

TEST_F(AsioTest, many_coroutines_share_few_connections_on_one_thread) {
  database_pool db(options("2").set("max_waiters", "100"));
  int sum = 0;
  const auto one = [&](int value) -> asio::awaitable<void> {
    sum += co_await echo_later(db, value);
  };
  for (int i = 1; i <= 100; ++i) asio::co_spawn(context_, one(i), asio::detached);
  context_.run();
  EXPECT_EQ(sum, 5050);
  EXPECT_LE(db.stats().open, 2);
}

TEST_F(AsioTest, several_threads_run_the_context) {
  database_pool db(options("3").set("max_waiters", "100"));
  std::atomic<int> sum = 0;
  const auto one = [&](int value) -> asio::awaitable<void> {
    sum += co_await echo_later(db, value);
  };
  for (int i = 1; i <= 100; ++i) asio::co_spawn(context_, one(i), asio::detached);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { context_.run(); });
  threads.clear();
  EXPECT_EQ(sum, 5050);
  EXPECT_EQ(db.stats().in_use, 0);
}

TEST_F(AsioTest, a_callback_runs_by_its_executor_and_never_at_once) {
  database_pool db(options());
  connection_lease lease = db.acquire();
  int value = 0;
  std::thread::id ran;
  async_query(
      *lease, "select 7",
      asio::bind_executor(context_, [&](const std::exception_ptr& failed, const rows& answer) {
        EXPECT_EQ(failed, nullptr);
        value = answer.one().as<int>();
        ran = std::this_thread::get_id();
      }));
  EXPECT_EQ(value, 0);
  context_.run();
  EXPECT_EQ(value, 7);
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST_F(AsioTest, a_future_needs_no_context) {
  database_pool db(options());
  connection_lease lease = async_acquire(db, {}, asio::use_future).get();
  EXPECT_EQ(async_query(*lease, "select 8", asio::use_future).get().one().as<int>(), 8);
  EXPECT_EQ(
      async_execute(*lease, "select 1 from generate_series(1, $1)", 9, asio::use_future).get(), 9U);
}

TEST_F(AsioTest, errors_are_those_of_the_blocking_forms) {
  database_pool db(options());
  const auto fail = [&](const char* text) -> asio::awaitable<int> {
    connection_lease lease = co_await async_acquire(db);
    const rows answer = co_await async_query(*lease, text, 1);
    co_return answer.one().as<int>();
  };
  EXPECT_THAT([&] { run(fail("select $1::int4 / 0")); },
              ThrowsMessage<server_error>(HasSubstr("22012")));
  EXPECT_THAT([&] { run(fail("copy ledger from stdin")); }, Throws<error>());
  EXPECT_EQ(run(fail("select $1::int4")), 1);
}

TEST_F(AsioTest, large_parameters_and_results_go_both_ways) {
  database_pool db(options());
  const auto turn = [&](const std::string& text) -> asio::awaitable<std::string> {
    connection_lease lease = co_await async_acquire(db);
    const rows answer = co_await async_query(*lease, "select $1::text || 'z'", text);
    co_return answer.one().as<std::string>();
  };
  const std::string large(8'000'000, 'x');
  EXPECT_EQ(run(turn(large)), large + 'z');
}

TEST_F(AsioTest, a_wait_ends_by_its_timeout_and_names_the_holders) {
  database_pool db(options("1"));
  const connection_lease held = db.acquire({.tag = "the holder"});
  const auto wait = [&]() -> asio::awaitable<void> {
    co_await async_acquire(db, {.timeout = std::chrono::milliseconds(20)});
  };
  EXPECT_THAT([&] { run(wait()); }, ThrowsMessage<acquire_timeout>(HasSubstr("(the holder)")));
  EXPECT_EQ(db.stats().waiting, 0);
}

TEST_F(AsioTest, who_waits_is_served_when_a_thread_gives_back) {
  database_pool db(options("1"));
  connection_lease held = db.acquire();
  std::jthread giver([&] {
    while (db.stats().waiting == 0) std::this_thread::yield();
    held.release();
  });
  EXPECT_EQ(run(echo_later(db, 5)), 5);
}

TEST_F(AsioTest, D04_cancelled_acquire_returns_slot) {
  database_pool db(options("1"));
  connection_lease held = db.acquire();
  asio::cancellation_signal signal;
  std::exception_ptr outcome;
  async_acquire(
      db, {},
      asio::bind_cancellation_slot(
          signal.slot(), asio::bind_executor(context_, [&](std::exception_ptr failed,
                                                           const connection_lease& lease) {
            outcome = std::move(failed);
            EXPECT_FALSE(lease);
          })));
  signal.emit(asio::cancellation_type::terminal);
  context_.run();
  EXPECT_THAT([&] { std::rethrow_exception(outcome); }, Throws<cancelled>());
  held.release();
  EXPECT_EQ(echo(db, 3), 3);
}

TEST_F(AsioTest, an_operation_that_is_dropped_leaves_the_line) {
  database_pool db(options("1"));
  connection_lease held = db.acquire();
  { const auto dropped = async_acquire(db); }
  EXPECT_EQ(db.stats().waiting, 0);
  held.release();
  { const auto dropped = async_acquire(db); }
  EXPECT_EQ(db.stats().in_use, 0);
}

TEST_F(AsioTest, cancellation_reaches_the_statement_on_the_server) {
  database_pool db(options("1"));
  connection_lease lease = db.acquire();
  asio::cancellation_signal signal;
  std::exception_ptr outcome;
  async_query(
      *lease, "select pg_sleep(60)",
      asio::bind_cancellation_slot(
          signal.slot(), asio::bind_executor(context_, [&](std::exception_ptr failed, const rows&) {
            outcome = std::move(failed);
          })));
  asio::post(context_, [&] { signal.emit(asio::cancellation_type::total); });
  context_.run();
  EXPECT_THAT([&] { std::rethrow_exception(outcome); },
              ThrowsMessage<cancelled>(HasSubstr("PostgreSQL was told to give it up")));
  EXPECT_EQ(lease->query("select 2").one().as<int>(), 2);
}

TEST_F(AsioTest, a_statement_ends_by_its_own_time_and_by_a_stop) {
  database_pool db(options("1"));
  const auto sleep = [&](sql statement) -> asio::awaitable<void> {
    connection_lease lease = co_await async_acquire(db);
    co_await async_query(*lease, statement);
  };
  EXPECT_THAT(
      [&] { run(sleep(sql("select pg_sleep(60)").timeout(std::chrono::milliseconds(20)))); },
      ThrowsMessage<cancelled>(HasSubstr("longer than it may")));
  std::stop_source source;
  std::jthread stopper([&] {
    while (db.stats().in_use == 0) std::this_thread::yield();
    source.request_stop();
  });
  EXPECT_THAT([&] { run(sleep(sql("select pg_sleep(60)").stop(source.get_token()))); },
              ThrowsMessage<cancelled>(HasSubstr("it was stopped")));
  stopper.join();
  EXPECT_EQ(echo(db, 6), 6);
}

TEST_F(AsioTest, a_lost_connection_is_an_error_and_is_replaced) {
  database_pool db(options("1"));
  const auto die = [&]() -> asio::awaitable<void> {
    connection_lease lease = co_await async_acquire(db);
    co_await async_query(*lease, "select pg_terminate_backend(pg_backend_pid())");
  };
  // In one line, whatever libpq says.
  EXPECT_THAT([&] { run(die()); }, ThrowsMessage<server_error>(AllOf(
                                       HasSubstr("administrator command"), Not(HasSubstr("\n")))));
  EXPECT_EQ(run(echo_later(db, 4)), 4);
}

TEST_F(AsioTest, D17_a_changed_table_is_no_error_though_the_parameters_are_gone) {
  database_pool db(options("1"));
  ask("create table drifting_later (a int4)");
  ask("insert into drifting_later values (1)");
  const auto width = [&]() -> asio::awaitable<std::size_t> {
    connection_lease lease = co_await async_acquire(db);
    const rows found = co_await async_query(
        *lease, std::string("select * from drifting_later where a = $1::int4 and $2 <> 'x'"),
        std::optional<int>(1), std::string(100, 'y'));
    co_return found.one().size();
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(width()), 1U);
  ask("alter table drifting_later add b text");
  EXPECT_EQ(run(width()), 2U);
  EXPECT_EQ(run(width()), 2U);
  ask("drop table drifting_later");
}

TEST_F(AsioTest, a_shutdown_cancels_what_runs_and_refuses_who_waits) {
  database_pool db(options("1"));
  std::atomic<int> ended = 0;
  const auto work = [&]() -> asio::awaitable<void> {
    connection_lease lease = co_await async_acquire(db);
    co_await async_query(*lease, "select pg_sleep(60)");
  };
  const auto count = [&](const std::exception_ptr& failed) {
    EXPECT_NE(failed, nullptr);
    ++ended;
  };
  asio::co_spawn(context_, work(), count);
  asio::co_spawn(context_, work(), count);
  std::jthread ender([&] {
    while (db.stats().in_use == 0 || db.stats().waiting == 0) std::this_thread::yield();
    EXPECT_TRUE(db.shutdown(std::chrono::milliseconds(1)).is_complete);
  });
  context_.run();
  ender.join();
  EXPECT_EQ(ended, 2);
}

TEST_F(AsioTest, a_context_that_goes_takes_what_is_under_way_with_it) {
  database_pool db(options("1"));
  {
    asio::io_context brief;
    const auto work = [&]() -> asio::awaitable<void> {
      connection_lease lease = co_await async_acquire(db);
      co_await async_query(*lease, "select pg_sleep(60)");
    };
    asio::co_spawn(brief, work(), asio::detached);
    asio::co_spawn(brief, work(), asio::detached);
    while (db.stats().in_use == 0 || db.stats().waiting == 0) brief.poll_one();
  }
  EXPECT_EQ(echo(db, 9), 9);
  EXPECT_EQ(db.stats().waiting, 0);
}

TEST_F(AsioTest, D15_a_context_that_goes_is_left_alone_by_who_gives_back_meanwhile) {
  database_pool db(options("1"));
  for (int i = 0; i < 200; ++i) {
    std::optional<connection_lease> lease = db.acquire();
    std::optional<asio::io_context> brief;
    brief.emplace();
    asio::co_spawn(
        *brief,
        [&]() -> asio::awaitable<void> {
          connection_lease mine = co_await async_acquire(db);
          co_await async_query(*mine, "select pg_sleep(60)");
        },
        asio::detached);
    while (db.stats().waiting == 0) brief->poll_one();
    std::jthread giver([&] { lease.reset(); });
    if (i % 2 == 0) std::this_thread::yield();
    brief.reset();
  }
  EXPECT_EQ(echo(db, 9), 9);
}

TEST_F(AsioTest, D15_a_context_that_goes_is_left_alone_by_who_stops_it_meanwhile) {
  database_pool db(options("1"));
  for (int i = 0; i < 50; ++i) {
    std::stop_source source;
    std::optional<asio::io_context> brief;
    brief.emplace();
    // GCC 12 destroys temporaries of a co_await twice with the coroutine: there are none.
    const acquire_options stoppable{.stop = source.get_token()};
    const sql sleep = sql("select pg_sleep(60)").stop(source.get_token());
    const auto work = [&]() -> asio::awaitable<void> {
      connection_lease mine = co_await async_acquire(db, stoppable);
      co_await async_query(*mine, sleep);
    };
    asio::co_spawn(*brief, work(), asio::detached);
    asio::co_spawn(*brief, work(), asio::detached);  // Waits for the other.
    while (db.stats().in_use == 0 || db.stats().waiting == 0) brief->poll_one();
    for (int n = 0; n < i % 3; ++n) brief->poll_one();
    std::jthread stopper([&] { source.request_stop(); });
    brief.reset();
  }
  EXPECT_EQ(echo(db, 9), 9);
}

TEST_F(AsioTest, a_transaction_commits_or_rolls_back) {
  database_pool db(options());
  ask("truncate ledger");
  const auto book = [&](int amount) -> asio::awaitable<int> {
    co_return co_await async_transaction(db, {}, [&](transaction& tx) -> asio::awaitable<int> {
      co_await async_execute(tx, "insert into ledger values ('a', $1)", amount);
      const rows sum =
          co_await async_query(tx, "select sum(amount)::int4, 1 / $1 from ledger", amount);
      co_return std::get<0>(sum.one().as<int, int>());
    });
  };
  EXPECT_EQ(run(book(5)), 5);
  EXPECT_THAT([&] { run(book(0)); }, Throws<server_error>());
  EXPECT_EQ(ask("select count(*) from ledger"), "1");
}

TEST_F(AsioTest, conflicts_are_tried_again_on_a_fresh_transaction) {
  database_pool db(options());
  int attempts = 0;
  const auto body = [&](transaction& tx) -> asio::awaitable<void> {
    ++attempts;
    const char* const text =
        attempts < 3 ? "do $$ begin raise exception using errcode = '40001'; end $$" : "select 1";
    co_await async_execute(tx, text);
  };
  run(async_transaction(db, {.attempts = 5}, body));
  EXPECT_EQ(attempts, 3);
  EXPECT_THAT(
      [&] {
        attempts = -9;
        run(async_transaction(db, {.attempts = 2}, body));
      },
      Throws<server_error>());
}

TEST_F(AsioTest, one_round_trip_brings_begin_statement_and_commit) {
  database_pool db(options());
  ask("truncate ledger");
  const auto book = [&]() -> asio::awaitable<void> {
    connection_lease lease = co_await async_acquire(db);
    transaction tx(*lease);
    co_await async_query_and_commit(tx, "insert into ledger values ('b', 1)");
    transaction undone(*lease);
    co_await async_execute(undone, "insert into ledger values ('c', 1)");
    co_await async_rollback(undone);
    transaction empty(*lease);
    co_await async_commit(empty);
  };
  run(book());
  EXPECT_EQ(ask("select count(*) from ledger"), "1");
}

TEST_F(AsioTest, D11_a_call_that_blocks_the_loop_is_reported_with_its_place) {
  std::string lines;
  database_pool db(options().log_to([&](log_level, std::string_view line) {
    if (line.find("blocked_event_loop") != std::string_view::npos)
      lines += std::string(line) + "\n";
  }));
  const auto block = [&]() -> asio::awaitable<void> {
    connection_lease lease = co_await async_acquire(db);
    for (int i = 0; i < 3; ++i) lease->query("select 1");
  };
  run(block());
  EXPECT_THAT(lines, HasSubstr("asio_test.cc:"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
  lines.clear();
  EXPECT_EQ(echo(db, 1), 1);  // Not in the loop.
  EXPECT_EQ(lines, "");
}

TEST_F(AsioTest, D11_the_blocking_path_needs_nobody_else_to_progress) {
  database_pool db(options("2").log_to([](log_level, std::string_view) {}));
  const auto mixed = [&]() -> asio::awaitable<int> {
    connection_lease lease = co_await async_acquire(db);
    co_return echo(db, 1) + (co_await async_query(*lease, "select 2")).one().as<int>();
  };
  EXPECT_EQ(run(mixed()), 3);
}

}  // namespace
}  // namespace pgweir::client
