#include "pgweir/copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Throws;
using testing::ThrowsMessage;

class CopyTest : public PoolScene {
 protected:
  void SetUp() override {
    PoolScene::SetUp();
    if (!IsSkipped()) ask("truncate ledger");
  }
  static std::string count() { return ask("select count(*) from ledger"); }
};

TEST_F(CopyTest, rows_go_in_and_come_out) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  copy_in in = lease->copy_from("copy ledger from stdin");
  in.write("ad");
  in.write("a\t1\nb\\n");
  in.write("b\t2\n\\N\t3\n");
  EXPECT_EQ(in.finish(), 3U);
  EXPECT_THAT([&] { in.write("x"); }, Throws<value_error>());
  EXPECT_THAT([&] { in.finish(); }, Throws<value_error>());
  copy_out out = lease->copy_to("copy (select * from ledger order by amount) to stdout");
  EXPECT_EQ(out.next(), "ada\t1\n");
  EXPECT_EQ(out.next(), "b\\nb\t2\n");
  EXPECT_EQ(out.next(), "\\N\t3\n");
  EXPECT_EQ(out.next(), std::nullopt);
  EXPECT_EQ(out.next(), std::nullopt);
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(CopyTest, much_passes_in_both_directions) {
  database_pool db(options("2"));
  auto from = db.acquire();
  auto to = db.acquire();
  copy_out out = from->copy_to(
      "copy (select repeat('x', 100), i from generate_series(1, 200000) i) to stdout");
  copy_in in = to->copy_from("copy ledger from stdin");
  while (auto row = out.next()) in.write(*row);
  EXPECT_EQ(in.finish(), 200'000U);
  EXPECT_EQ(ask("select sum(amount) from ledger"), "20000100000");
}

TEST_F(CopyTest, one_large_piece_is_no_matter) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  std::string all;
  for (int i = 0; i < 100'000; ++i) all += "some name or other\t" + std::to_string(i) + "\n";
  copy_in in = lease->copy_from("copy ledger from stdin");
  in.write(all);
  EXPECT_EQ(in.finish(), 100'000U);
}

TEST_F(CopyTest, what_is_not_finished_has_not_happened) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  {
    copy_in in = lease->copy_from("copy ledger from stdin");
    in.write("ada\t1\n");
  }
  EXPECT_EQ(count(), "0");
  {
    copy_out out = lease->copy_to("copy (select generate_series(1, 1000000000)) to stdout");
    EXPECT_EQ(out.next(), "1\n");
  }
  EXPECT_EQ(state_of(lease->backend_pid()), "idle");
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(CopyTest, a_row_that_postgresql_does_not_like_is_said_by_finish) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  copy_in in = lease->copy_from("copy ledger from stdin");
  for (int i = 0; i < 50'000; ++i) in.write("ada\tmuch\n");
  EXPECT_THAT([&] { in.finish(); }, ThrowsMessage<server_error>(HasSubstr("[22P02]")));
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
  copy_out out = lease->copy_to("copy (select 1 / (3 - i) from generate_series(1, 5) i) to stdout");
  EXPECT_EQ(out.next(), "0\n");
  EXPECT_EQ(out.next(), "1\n");
  EXPECT_THAT([&] { out.next(); }, ThrowsMessage<server_error>(HasSubstr("[22012]")));
  EXPECT_EQ(out.next(), std::nullopt);
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(CopyTest, the_wrong_statement_is_refused_and_the_connection_lives) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  EXPECT_THAT([&] { lease->copy_from("copy ledger to stdout"); },
              ThrowsMessage<value_error>(HasSubstr("use copy_to()")));
  EXPECT_THAT([&] { lease->copy_to("copy ledger from stdin"); },
              ThrowsMessage<value_error>(HasSubstr("use copy_from()")));
  EXPECT_THAT([&] { lease->copy_to("select 1"); },
              ThrowsMessage<value_error>(HasSubstr("no COPY")));
  EXPECT_THAT([&] { lease->copy_to("copy no_such_table to stdout"); },
              ThrowsMessage<server_error>(HasSubstr("[42P01]")));
  EXPECT_THAT([&] { lease->query("copy ledger from stdin"); },
              ThrowsMessage<value_error>(HasSubstr("copy_from()")));
  EXPECT_THAT([&] { lease->query("copy (select generate_series(1, 100000000)) to stdout"); },
              Throws<value_error>());
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(CopyTest, a_transaction_takes_it_in) {
  database_pool db(options("1"));
  EXPECT_THAT(
      [&] {
        db.transaction([](transaction& tx) {
          copy_in in = tx.copy_from("copy ledger from stdin");
          in.write("ada\t1\n");
          in.finish();
          throw 5;
        });
      },
      Throws<int>());
  EXPECT_EQ(count(), "0");
  db.transaction([](transaction& tx) {
    copy_in in = tx.copy_from("copy ledger from stdin");
    in.write("ada\t1\n");
    EXPECT_EQ(in.finish(), 1U);
    EXPECT_EQ(tx.copy_to("copy ledger to stdout").next(), "ada\t1\n");
  });
  EXPECT_EQ(count(), "1");
}

TEST_F(CopyTest, a_rollback_that_is_owed_goes_ahead_of_it) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  {
    transaction left(*lease);
    left.execute("insert into ledger values ('ada', 1)");
  }
  copy_in in = lease->copy_from("copy ledger from stdin");
  in.write("bob\t2\n");
  in.finish();
  EXPECT_EQ(ask("select name from ledger"), "bob");
}

TEST_F(CopyTest, a_timeout_and_a_lost_connection_end_it) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  // PostgreSQL says nothing before it has a packet full.
  const auto read = [&] {
    copy_out out = lease->copy_to(sql("copy (select pg_sleep(60)) to stdout").timeout(300ms));
    while (out.next()) continue;
  };
  EXPECT_THAT(read, Throws<cancelled>());
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
  copy_in in = lease->copy_from("copy ledger from stdin");
  in.write("ada\t1\n");
  ask(("select pg_terminate_backend(" + std::to_string(lease->backend_pid()) + ")").c_str());
  const auto write_on = [&] {
    while (true) in.write("ada\t1\n");
  };
  EXPECT_THAT(write_on, Throws<server_error>(testing::Property(&error::is_connection_lost, true)));
}

}  // namespace
}  // namespace pgweir::client
