#include "pgweir/row_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Throws;
using testing::ThrowsMessage;

class RowStreamTest : public PoolScene {
 protected:
  static std::vector<int> read(row_stream stream) {
    std::vector<int> numbers;
    for (const row& one : stream) numbers.push_back(one.as<int>());
    return numbers;
  }
};

TEST_F(RowStreamTest, rows_come_one_by_one_in_their_order) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  EXPECT_THAT(read(lease->stream("select generate_series(1, $1)", 3)), ElementsAre(1, 2, 3));
  EXPECT_THAT(read(lease->stream("select 1 where false")), testing::IsEmpty());
  EXPECT_EQ(read(lease->stream("select generate_series(1, 50000)")).size(), 50'000U);
  int sum = 0;
  for (const row& one : lease->stream("select 1 as a, 'x' as b union all select 2, null")) {
    sum += one["a"].as<int>() * (one[1].is_null() ? 10 : 1);
  }
  EXPECT_EQ(sum, 21);
}

TEST_F(RowStreamTest, a_stream_that_is_left_is_cancelled) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  {
    row_stream numbers = lease->stream(kEndless);
    EXPECT_EQ(numbers.next()->as<int>(), 1);
    EXPECT_EQ(numbers.next()->as<int>(), 2);
  }
  EXPECT_EQ(state_of(lease->backend_pid()), "idle");
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(RowStreamTest, a_lease_that_ends_with_a_stream_takes_it_along) {
  database_pool db(options("1"));
  int pid = 0;
  {
    auto lease = db.acquire();
    row_stream numbers = lease->stream(kEndless);
    EXPECT_EQ(numbers.next()->as<int>(), 1);
    pid = lease->backend_pid();
  }
  auto next = db.acquire();
  EXPECT_EQ(next->backend_pid(), pid);
  EXPECT_EQ(next->query_one<int>("select 6"), 6);
}

TEST_F(RowStreamTest, an_error_ends_it_where_it_happens) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  row_stream numbers = lease->stream("select 12 / (4 - i) from generate_series(1, 9) i");
  EXPECT_EQ(numbers.next()->as<int>(), 4);
  EXPECT_EQ(numbers.next()->as<int>(), 6);
  EXPECT_EQ(numbers.next()->as<int>(), 12);
  EXPECT_THAT([&] { numbers.next(); },
              ThrowsMessage<server_error>(HasSubstr("row_stream_test.cc")));
  EXPECT_FALSE(numbers.next());
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(RowStreamTest, nothing_else_can_be_asked_meanwhile) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  row_stream numbers = lease->stream("select generate_series(1, 3)");
  EXPECT_EQ(numbers.next()->as<int>(), 1);
  EXPECT_THAT([&] { lease->query("select 1"); },
              ThrowsMessage<value_error>(HasSubstr("another statement is under way")));
  EXPECT_THAT([&] { lease->stream("select 1"); }, Throws<value_error>());
  EXPECT_EQ(numbers.next()->as<int>(), 2);
  EXPECT_EQ(numbers.next()->as<int>(), 3);
  EXPECT_FALSE(numbers.next());
}

TEST_F(RowStreamTest, a_transaction_may_begin_with_one) {
  database_pool db(options("1"));
  db.transaction([&](transaction& tx) {
    EXPECT_THAT(read(tx.stream("select generate_series(1, 3)")), ElementsAre(1, 2, 3));
    EXPECT_EQ(tx.stream(kEndless).next()->as<int>(), 1);
    // The cancel has failed the transaction.
    EXPECT_THAT([&] { tx.query("select 1"); }, ThrowsMessage<server_error>(HasSubstr("25P02")));
    tx.rollback();
  });
  EXPECT_EQ(echo(db, 3), 3);
}

TEST_F(RowStreamTest, a_timeout_and_a_stop_end_it) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  const std::string slow = "select i, pg_sleep(i) from generate_series(0, 60, 30) i";
  row_stream timed = lease->stream(sql(slow).timeout(300ms));
  EXPECT_THAT(
      [&] {
        while (timed.next()) continue;
      },
      Throws<cancelled>());
  std::stop_source stop;
  row_stream stopped = lease->stream(sql(slow).stop(stop.get_token()));
  const std::jthread other([&] { stop.request_stop(); });
  EXPECT_THAT(
      [&] {
        while (stopped.next()) continue;
      },
      Throws<cancelled>());
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(RowStreamTest, a_connection_that_is_lost_ends_it) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  row_stream numbers = lease->stream(kEndless);
  EXPECT_EQ(numbers.next()->as<int>(), 1);
  ask(("select pg_terminate_backend(" + std::to_string(lease->backend_pid()) + ")").c_str());
  const auto read_on = [&] {
    while (numbers.next()) continue;
  };
  EXPECT_THAT(read_on, Throws<server_error>(testing::Property(&error::is_connection_lost, true)));
  EXPECT_FALSE(numbers.next());
}

}  // namespace
}  // namespace pgweir::client
