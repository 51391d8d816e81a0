#include "client/row_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/pool_scene_test.h"

namespace pgweir::client {
namespace {

using testing::HasSubstr;
using testing::Throws;
using testing::ThrowsMessage;

class RowLimitsTest : public PoolScene {};

// Without the bound each of these would fill the memory.
TEST_F(RowLimitsTest, what_is_too_much_is_given_up_while_it_comes) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  EXPECT_THAT([&] { lease->query(sql(kEndless).max_rows(10)); },
              ThrowsMessage<result_too_large>(
                  testing::AllOf(HasSubstr("more than 10 rows"), HasSubstr("row_limits_test.cc"))));
  EXPECT_EQ(state_of(lease->backend_pid()), "idle");
  EXPECT_THAT([&] { lease->query(sql(kEndless).max_bytes(1'000)); },
              ThrowsMessage<result_too_large>(HasSubstr("more than 1000 bytes")));
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
}

TEST_F(RowLimitsTest, pages_say_whether_there_are_more) {
  database_pool db(options("1").set("max_rows", "2"));
  auto lease = db.acquire();
  const char* const behind = "select i from generate_series(1, 7) i where i > $1 order by i";
  std::vector<int> seen;
  int last = 0;
  while (true) {
    const page one = lease->query_page(behind, 3, last);
    for (const int number : one.items.as<int>()) seen.push_back(last = number);
    if (!one.has_more) break;
    EXPECT_EQ(one.items.size(), 3U);
  }
  EXPECT_THAT(seen, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_FALSE(lease->query_page("select 1 where false ;\n; ", 3).has_more);
  EXPECT_TRUE(lease->query_page("values (1), (2) -- two", 1).has_more);
  EXPECT_FALSE(lease->query_page("values (1), (2)", 2).has_more);
  EXPECT_THAT([&] { lease->query_page("select 1", 0); }, Throws<value_error>());
  EXPECT_THAT([&] { lease->query_page(sql("select repeat('x', 99)").max_bytes(9), 3); },
              Throws<result_too_large>());
  EXPECT_THAT([&] { lease->query_page("select 1 limit 5", 3); }, Throws<server_error>());
}

TEST_F(RowLimitsTest, a_transaction_has_pages) {
  database_pool db(options("1"));
  ask("truncate ledger");
  db.transaction([](transaction& tx) {
    EXPECT_TRUE(tx.query_page("select generate_series(1, 3)", 2).has_more);
    tx.execute("insert into ledger values ('ada', 1)");
    EXPECT_EQ(tx.query_page("select * from ledger", 2).items.size(), 1U);
    tx.rollback();
  });
  EXPECT_EQ(ask("select count(*) from ledger"), "0");
}

TEST_F(RowLimitsTest, the_pool_may_bound_the_bytes) {
  database_pool db(options("1").set("max_bytes", "100"));
  auto lease = db.acquire();
  EXPECT_EQ(lease->query("select repeat('x', 100)").size(), 1U);
  EXPECT_THAT([&] { lease->query("select repeat('x', 101)"); }, Throws<result_too_large>());
  EXPECT_EQ(lease->query(sql("select repeat('x', 101)").max_bytes(0)).size(), 1U);
}

TEST_F(RowLimitsTest, a_bounded_result_is_the_same_as_any_other) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  for (const char* statement :
       {"select i, null::text, repeat('x', i), '' from generate_series(0, 40) i", "select 1",
        "select 1 where false", "insert into ledger values ('a', 1), ('b', null) returning *",
        "delete from ledger returning name", "insert into ledger values ('a', 1)",
        "delete from ledger", "show work_mem"}) {
    const rows whole = lease->query(statement);
    if (whole.affected() > 0 && whole.empty()) continue;
    lease->execute("delete from ledger");
    if (std::string_view(statement).starts_with("delete")) {
      lease->execute("insert into ledger values ('a', 1), ('b', null)");
    }
    const rows bounded = lease->query(sql(statement).max_rows(1'000).max_bytes(1'000'000));
    ASSERT_EQ(bounded.size(), whole.size()) << statement;
    ASSERT_EQ(bounded.affected(), whole.affected()) << statement;
    ASSERT_EQ(bounded.column_count(), whole.column_count()) << statement;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (std::size_t column = 0; column < whole.column_count(); ++column) {
        EXPECT_EQ(bounded[i][column].bytes(), whole[i][column].bytes()) << statement;
        EXPECT_EQ(bounded[i][column].is_null(), whole[i][column].is_null()) << statement;
        EXPECT_EQ(bounded[i][column].name(), whole[i][column].name()) << statement;
      }
    }
  }
}

TEST_F(RowLimitsTest, a_commit_behind_too_much_is_told) {
  database_pool db(options("1"));
  ask("truncate ledger");
  auto lease = db.acquire();
  transaction tx(*lease);
  EXPECT_THAT(
      [&] {
        tx.query_and_commit(
            sql("insert into ledger select 'n', i from generate_series(1, 50) i returning amount")
                .max_rows(10));
      },
      ThrowsMessage<result_too_large>(HasSubstr("has been committed all the same")));
  EXPECT_EQ(ask("select count(*) from ledger"), "50");
  EXPECT_EQ(lease->query_one<int>("select 5"), 5);
  ask("truncate ledger");
}

}  // namespace
}  // namespace pgweir::client
