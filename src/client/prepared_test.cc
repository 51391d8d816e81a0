// Statements that a real PostgreSQL has prepared, and what may happen to them there.
#include <gmock/gmock.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "client/pool_scene_test.h"
#include "pgweir/lease.hpp"
#include "pgweir/transaction.hpp"

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Property;
using testing::SizeIs;
using testing::Throws;
using testing::UnorderedElementsAre;

// Each pool has one connection, so that all that is asked meets what it has prepared.
class PreparedTest : public PoolScene {
 protected:
  database_options caching(std::string_view size = "100") {
    return std::move(options("1")
                         .set("statement_cache_size", size)
                         .log_to([this](log_level, std::string_view line) {
                           const std::lock_guard<std::mutex> lock(mutex_);
                           if (line.find("statements_lost") != std::string_view::npos) ++losses_;
                         }));
  }
  // What is prepared there, but for this, which never comes twice.
  std::vector<std::string> prepared(database_pool& db) {
    std::vector<std::string> texts;
    const std::string text =
        "select statement from pg_prepared_statements /* " + std::to_string(++asked_) + " */";
    const rows found = db.acquire()->query(text);
    for (std::string statement : found.as<std::string>()) texts.push_back(std::move(statement));
    return texts;
  }
  static int twice(database_pool& db, int number) {
    return db.acquire()->query_one<int>("select $1::int4 * 2", number);
  }
  static std::string name_of_the_one(database_pool& db) {
    return db.acquire()->query_one<std::string>("select name from pg_prepared_statements");
  }
  int losses() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return losses_;
  }

 private:
  int asked_ = 0;
  std::mutex mutex_;
  int losses_ = 0;
};

constexpr const char* kTwice = "select $1::int4 * 2";

TEST_F(PreparedTest, what_comes_twice_is_prepared) {
  database_pool db(caching());
  EXPECT_EQ(twice(db, 1), 2);
  EXPECT_THAT(prepared(db), IsEmpty());
  EXPECT_EQ(twice(db, 2), 4);
  EXPECT_THAT(prepared(db), ElementsAre(kTwice));
  EXPECT_EQ(twice(db, 3), 6);
  EXPECT_THAT(prepared(db), ElementsAre(kTwice));
}

TEST_F(PreparedTest, transactions_of_every_kind_prepare_too) {
  database_pool db(caching());
  const transaction_options serializable{.level = isolation::serializable};
  for (int i = 0; i < 4; ++i) {
    const int found = db.transaction(serializable, [&](transaction& tx) {
      EXPECT_EQ(tx.query_one<std::string>("select current_setting('transaction_isolation')"),
                "serializable");
      EXPECT_EQ(tx.query_one<int>("select $1::int4 + 1", i), i + 1);
      return tx.query_and_commit(kTwice, i).one().as<int>();
    });
    EXPECT_EQ(found, i * 2);
  }
  EXPECT_THAT(prepared(db), SizeIs(3));
}

TEST_F(PreparedTest, what_postgresql_does_not_plan_is_not_prepared) {
  database_pool db(caching());
  for (int i = 0; i < 3; ++i) {
    db.acquire()->execute("vacuum ledger");
    db.acquire()->execute("set lock_timeout = '1s'");
    EXPECT_THAT([&] { db.acquire()->query("select from where"); }, Throws<server_error>());
    EXPECT_THAT([&] { db.acquire()->query("copy ledger to stdout"); }, Throws<value_error>());
  }
  EXPECT_THAT(prepared(db), IsEmpty());
}

TEST_F(PreparedTest, the_least_recently_used_makes_room) {
  database_pool db(caching("2"));
  const auto run = [&](const std::string& text) {
    for (int i = 0; i < 2; ++i) db.acquire()->query(text);
  };
  run("select 1");
  run("select 2");
  run("select 1");
  run("select 3");
  EXPECT_THAT(prepared(db), UnorderedElementsAre("select 1", "select 3"));
  db.transaction([&](transaction& tx) {
    for (int i = 0; i < 2; ++i) tx.query("select 4");
  });
  EXPECT_THAT(prepared(db), UnorderedElementsAre("select 3", "select 4"));
  EXPECT_EQ(losses(), 0);
}

TEST_F(PreparedTest, rows_may_be_bounded) {
  database_pool db(caching());
  const auto many = [&] {
    db.acquire()->query(sql("select generate_series(1, $1::int4)").max_rows(100), 1'000'000);
  };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(many, Throws<result_too_large>());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(
        db.acquire()->query(sql("select generate_series(1, $1::int4)").max_rows(100), 99).size(),
        99U);
    const page some = db.acquire()->query_page("select generate_series(1, $1::int4)", 10, 99);
    EXPECT_EQ(some.items.size(), 10U);
    EXPECT_TRUE(some.has_more);
  }
  EXPECT_THAT(prepared(db), SizeIs(2));
}

TEST_F(PreparedTest, D17_a_changed_table_is_no_error_outside_a_transaction) {
  database_pool db(caching());
  ask("create table drifting (a int4)");
  ask("insert into drifting values (1)");
  const auto width = [&] {
    return db.acquire()->query("select * from drifting where a = $1::int4", 1).one().size();
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(width(), 1U);
  ask("alter table drifting add b text");
  EXPECT_EQ(width(), 2U);
  ask("alter table drifting add c text");
  EXPECT_EQ(width(), 3U);
  EXPECT_THAT(prepared(db), SizeIs(1));
  ask("alter table drifting add d text");
  EXPECT_EQ(db.transaction([](transaction& tx) {
    return tx.query("select * from drifting where a = $1::int4", 1).one().size();
  }),
            4U);
  ask("alter table drifting add e text");
  EXPECT_EQ(db.transaction([](transaction& tx) {
    return tx.query_and_commit("select * from drifting where a = $1::int4", 1).one().size();
  }),
            5U);
  ask("drop table drifting");
}

TEST_F(PreparedTest, D17_a_changed_table_fails_a_transaction_once) {
  database_pool db(caching());
  ask("create table drifting (a int4)");
  const auto look = [&] {
    db.transaction([](transaction& tx) {
      tx.execute("insert into drifting values (1)");
      tx.query("select * from drifting");
    });
  };
  for (int i = 0; i < 3; ++i) look();
  ask("alter table drifting add b text");
  EXPECT_THAT(look, Throws<server_error>(Property(&error::sqlstate, sqlstate{"0A000"})));
  EXPECT_NO_THROW(look());
  EXPECT_EQ(ask("select count(*) from drifting"), "4");
  ask("drop table drifting");
}

TEST_F(PreparedTest, D17_what_was_deallocated_is_prepared_anew) {
  database_pool db(caching());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(twice(db, i), i * 2);
  db.acquire()->execute("discard all");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(twice(db, i), i * 2);
  EXPECT_THAT(prepared(db), ElementsAre(kTwice));
  db.acquire()->execute("deallocate all");
  EXPECT_EQ(db.transaction([](transaction& tx) { return tx.query_one<int>(kTwice, 4); }), 8);
  EXPECT_EQ(losses(), 0);
}

TEST_F(PreparedTest, D17_a_name_that_means_something_else_is_not_used) {
  std::string name;
  {
    database_pool first(caching());
    for (int i = 0; i < 2; ++i) twice(first, i);
    name = name_of_the_one(first);
  }
  database_pool db(caching());
  db.acquire()->execute("prepare " + name + " (int4) as select 13 where $1 > 0");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(twice(db, i), i * 2);
  EXPECT_EQ(losses(), 0);
}

TEST_F(PreparedTest, D17_a_pool_that_loses_what_it_prepares_prepares_no_more) {
  database_pool db(caching());
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(twice(db, i), i * 2);
    db.acquire()->execute("deallocate all");
  }
  EXPECT_EQ(losses(), 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(twice(db, i), i * 2);
  EXPECT_THAT(prepared(db), IsEmpty());
}

TEST_F(PreparedTest, D17_nothing_is_prepared_without_a_cache_or_behind_pgbouncer) {
  database_pool none(caching("0"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(twice(none, i), i * 2);
  EXPECT_THAT(prepared(none), IsEmpty());
  database_pool db(caching().set("pgbouncer", "true"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(twice(db, i), i * 2);
  EXPECT_THAT(prepared(db), IsEmpty());
  const auto forgotten_max = [](database_pool& of) {
    return of.acquire()->query_one<std::string>("show idle_in_transaction_session_timeout");
  };
  EXPECT_EQ(forgotten_max(none), "1min");
  EXPECT_EQ(forgotten_max(db), "0");  // Nothing was set that a pooler would forget.
}

TEST_F(PreparedTest, a_cancel_while_it_is_prepared_leaves_it_alone) {
  database_pool db(caching());
  const auto sleep = [&](int ms, std::chrono::milliseconds time) {
    return db.acquire()->query_one<int>(
        sql("select $1::int4 from pg_sleep($1::int4 / 1000.0)").timeout(time), ms);
  };
  EXPECT_EQ(sleep(1, 10s), 1);
  EXPECT_THAT([&] { sleep(60'000, 100ms); }, Throws<cancelled>());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(sleep(1, 10s), 1);
  EXPECT_EQ(losses(), 0);
}

TEST_F(PreparedTest, what_a_raw_handle_was_used_for_is_forgotten) {
  database_pool db(caching());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(twice(db, i), i * 2);
  EXPECT_NE(db.acquire()->native_handle(), nullptr);
  EXPECT_THAT(prepared(db), IsEmpty());
  for (int i = 0; i < 12; ++i) EXPECT_EQ(twice(db, i), i * 2);
  EXPECT_THAT(prepared(db), ElementsAre(kTwice));
  EXPECT_EQ(losses(), 0);
}

}  // namespace
}  // namespace pgweir::client
