#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "client/pool_scene_test.h"
#include "pgweir/interop/pqxx.hpp"

#if PQXX_VERSION_MAJOR == 6
// libpqxx 6 forgets the last result of a connection that is lost.
// NOLINTNEXTLINE(readability-identifier-naming): LeakSanitizer calls it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx-6"; }
#endif

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Throws;

// Hears the notices of one libpqxx connection.
class Ear : public ::pqxx::errorhandler {
 public:
  Ear(pqxx_lease::connection_type& connection, std::vector<std::string>& heard)
      : errorhandler(connection), heard_(heard) {}
  bool operator()(const char* notice) noexcept override {
    heard_.emplace_back(notice);
    return true;
  }

 private:
  std::vector<std::string>& heard_;
};

class PqxxLeaseTest : public PoolScene {
 protected:
  void SetUp() override {
    PoolScene::SetUp();
    if (!IsSkipped()) ask("truncate ledger");
  }

  static void end_backend(int pid) {
    ask(("select pg_terminate_backend(" + std::to_string(pid) + ", 5000)").c_str());
  }
  static std::string count_connections() {
    return ask("select count(*) from pg_stat_activity where application_name = 'libpgweir'");
  }
  static int backend_of_next_lease(database_pool& db) {
    return db.with_connection(
        [](connection& c) { return c.query_one<int>("select pg_backend_pid()"); });
  }
  static std::ptrdiff_t count_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  }
#if PQXX_VERSION_MAJOR == 6
  static void end_use(pqxx_lease& lease) { lease.pqxx().disconnect(); }
  static void be_verbose(pqxx_lease& lease) {
    lease.pqxx().set_verbosity(pqxx::connection_base::verbose);
  }
#else
  static void end_use(pqxx_lease& lease) { lease.pqxx().close(); }
  static void be_verbose(pqxx_lease& lease) {
    lease.pqxx().set_verbosity(pqxx::error_verbosity::verbose);
  }
#endif
};

TEST_F(PqxxLeaseTest, D14_pqxx_work_on_a_lease) {
  database_pool db(options("1"));
  const int pid = backend_of_next_lease(db);
  {
    pgweir::pqxx_lease lease(db.acquire({.tag = "libpqxx"}));
    EXPECT_EQ(db.info().holders.at(0).tag, "libpqxx");
    pqxx::work tx{lease.pqxx()};
    tx.exec("insert into ledger values ('rent', 700)");
    tx.exec("insert into ledger values ('food', 300)");
    EXPECT_EQ(tx.exec("select sum(amount) from ledger")[0][0].as<int>(), 1000);
    EXPECT_EQ(ask("select count(*) from ledger"), "0");
    tx.commit();
    EXPECT_EQ(lease.pqxx().backendpid(), pid);
    pqxx::work second{lease.pqxx()};
    EXPECT_EQ(second.exec("select 2")[0][0].as<int>(), 2);
  }
  EXPECT_EQ(ask("select sum(amount) from ledger"), "1000");
  // libpqxx has not closed it, and nobody has opened another.
  EXPECT_EQ(backend_of_next_lease(db), pid);
  EXPECT_EQ(db.info().in_use, 0U);
  EXPECT_EQ(count_connections(), "1");
}

TEST_F(PqxxLeaseTest, an_aborted_work_has_not_happened) {
  database_pool db(options("1"));
  {
    pqxx_lease lease(db.acquire());
    {
      pqxx::work tx{lease.pqxx()};
      tx.exec("insert into ledger values ('aborted', 1)");
      tx.abort();
    }
    {
      pqxx::work tx{lease.pqxx()};
      tx.exec("insert into ledger values ('left alone', 2)");
    }
    const auto fail = [&] {
      pqxx::work tx{lease.pqxx()};
      tx.exec("insert into ledger values ('refused', 1 / 0)");
    };
    EXPECT_THAT(fail, Throws<pqxx::sql_error>());
    pqxx::work tx{lease.pqxx()};
    EXPECT_EQ(tx.exec("select count(*) from ledger")[0][0].as<int>(), 0);
  }
  EXPECT_EQ(ask("select count(*) from ledger"), "0");
  EXPECT_EQ(echo(db, 7), 7);
}

TEST_F(PqxxLeaseTest, what_a_nontransaction_leaves_open_is_rolled_back) {
  database_pool db(options("1"));
  {
    pqxx_lease lease(db.acquire());
    pqxx::nontransaction plain{lease.pqxx()};
    plain.exec("begin");
    plain.exec("insert into ledger values ('lost', 1)");
  }
  EXPECT_EQ(echo(db, 7), 7);
  EXPECT_EQ(ask("select count(*) from ledger"), "0");
}

TEST_F(PqxxLeaseTest, a_lost_connection_is_not_opened_again_behind_our_back) {
  database_pool db(options("2"));
  int pid = 0;
  {
    pqxx_lease lease(db.acquire());
    pid = lease.pqxx().backendpid();
    {
      pqxx::work tx{lease.pqxx()};
      tx.exec("insert into ledger values ('lost', 1)");
      end_backend(pid);
      EXPECT_THAT([&] { tx.exec("select 1"); }, Throws<pqxx::failure>());
      EXPECT_THAT([&] { tx.commit(); }, Throws<std::exception>());
    }
    // libpqxx 6 would try a BEGIN three times, each on a connection of its own.
    for (int i = 0; i < 3; ++i) {
      const auto begin = [&] {
        pqxx::work tx{lease.pqxx()};
        tx.exec("select 1");
      };
      EXPECT_THAT(begin, Throws<pqxx::broken_connection>());
    }
    EXPECT_FALSE(lease.pqxx().is_open());
    EXPECT_EQ(count_connections(), "0");
  }
  EXPECT_NE(backend_of_next_lease(db), pid);
  EXPECT_EQ(count_connections(), "1");
  EXPECT_EQ(ask("select count(*) from ledger"), "0");
}

TEST_F(PqxxLeaseTest, a_connection_lost_between_two_works_is_not_opened_again) {
  database_pool db(options("1"));
  {
    pqxx_lease lease(db.acquire());
    {
      pqxx::work tx{lease.pqxx()};
      tx.exec("select 1");
    }
    end_backend(lease.pqxx().backendpid());
    const auto begin = [&] {
      pqxx::work tx{lease.pqxx()};
      tx.exec("select 1");
    };
    EXPECT_THAT(begin, Throws<pqxx::failure>());
    EXPECT_THAT(begin, Throws<pqxx::failure>());
    EXPECT_EQ(count_connections(), "0");
  }
  EXPECT_EQ(echo(db, 7), 7);
}

TEST_F(PqxxLeaseTest, a_connection_that_was_lost_before_is_refused_and_replaced) {
  database_pool db(options("1"));
  auto lease = db.acquire();
  end_backend(lease->backend_pid());
  EXPECT_FALSE(lease->try_query("select 1"));
  EXPECT_THAT([&] { pqxx_lease{std::move(lease)}; }, Throws<pqxx::broken_connection>());
  EXPECT_EQ(echo(db, 7), 7);
}

TEST_F(PqxxLeaseTest, session_state_does_not_reach_the_next_lease) {
  database_pool db(options("1"));
  const auto use = [&] {
    pqxx_lease lease(db.acquire());
    lease.pqxx().prepare("double_of", "select $1::int4 * 2");
    pqxx::work tx{lease.pqxx()};
    tx.exec("set search_path = nowhere");
    tx.exec("create temp table scratch (i int4)");
    tx.exec("listen news");
    tx.exec("select pg_advisory_lock(14)");
    EXPECT_EQ(tx.exec_prepared("double_of", 21)[0][0].as<int>(), 42);
    tx.commit();
    return lease.pqxx().backendpid();
  };
  const int pid = use();
  db.with_connection([&](connection& c) {
    EXPECT_EQ(c.backend_pid(), pid);
    EXPECT_EQ(c.query_one<std::string>("show search_path"), "\"$user\", public");
    EXPECT_EQ(c.query_one<bool>("select to_regclass('pg_temp.scratch') is null"), true);
    EXPECT_EQ(c.query_one<std::int64_t>("select count(*) from pg_prepared_statements"), 0);
    EXPECT_EQ(c.query_one<std::int64_t>("select count(*) from pg_listening_channels()"), 0);
    EXPECT_EQ(c.query_one<std::int64_t>("select count(*) from pg_locks where locktype = 'advisory' "
                                        "and pid = pg_backend_pid()"),
              0);
  });
  // What libpqxx knows of prepared statements went with its connection: it prepares it anew.
  EXPECT_EQ(use(), pid);
}

TEST_F(PqxxLeaseTest, notices_are_heard_while_the_lease_lasts) {
  database_pool db(options("1"));
  const char* const raise = "do $$ begin raise notice 'a word'; end $$";
  std::vector<std::string> heard;
  {
    pqxx_lease lease(db.acquire());
    const Ear ear(lease.pqxx(), heard);
    pqxx::work tx{lease.pqxx()};
    tx.exec(raise);
  }
  EXPECT_THAT(heard, ElementsAre(HasSubstr("a word")));
  db.with_connection([&](connection& c) { c.execute(raise); });
  EXPECT_EQ(heard.size(), 1U);
}

TEST_F(PqxxLeaseTest, the_handle_is_as_it_was_after_the_lease) {
  database_pool db(options("1"));
  const auto ways_of = [](connection& c) {
    PGconn* handle = c.native_handle();
    return std::tuple(PQsetNoticeReceiver(handle, nullptr, nullptr),
                      PQsetNoticeProcessor(handle, nullptr, nullptr), PQisnonblocking(handle),
                      PQsetErrorVerbosity(handle, PQERRORS_DEFAULT));
  };
  const auto before = db.with_connection(ways_of);
  {
    auto taken = db.acquire();
    PGconn* handle = taken->native_handle();
    pqxx_lease lease(std::move(taken));
    EXPECT_EQ(PQisnonblocking(handle), 0);
    be_verbose(lease);
    std::vector<std::string> heard;
    const Ear ear(lease.pqxx(), heard);
  }
  EXPECT_EQ(db.with_connection(ways_of), before);
}

TEST_F(PqxxLeaseTest, a_result_may_outlive_the_lease) {
  database_pool db(options("1"));
  pqxx::result kept;
  {
    pqxx_lease lease(db.acquire());
    std::vector<std::string> heard;
    const Ear ear(lease.pqxx(), heard);
    pqxx::work tx{lease.pqxx()};
    kept = tx.exec("select 'kept'");
    // libpq tells the result's receiver that there is no such row, whether there still is a lease …
    static_cast<void>(kept[5][0].c_str());
    EXPECT_THAT(heard, IsEmpty());
  }
  EXPECT_EQ(kept[0][0].as<std::string>(), "kept");
  static_cast<void>(kept[5][0].c_str());  // … or not.
}

TEST_F(PqxxLeaseTest, a_stream_is_written_whole) {
  constexpr int kRows = 20'000;
  database_pool db(options("1"));
  {
    pqxx_lease lease(db.acquire());
    pqxx::work tx{lease.pqxx()};
#if PQXX_VERSION_MAJOR == 6
    pqxx::stream_to stream(tx, "ledger", std::vector<std::string>{"name", "amount"});
#else
    auto stream = pqxx::stream_to::table(tx, {"ledger"}, {"name", "amount"});
#endif
    for (int i = 0; i < kRows; ++i) stream << std::tuple(std::string(100, 'x'), i);
    stream.complete();
    tx.commit();
  }
  EXPECT_EQ(ask("select count(*) from ledger"), std::to_string(kRows));
  EXPECT_EQ(echo(db, 7), 7);
}

TEST_F(PqxxLeaseTest, a_lease_moves_with_its_work_and_ends_on_another_thread) {
  database_pool db(options("2"));
  std::optional<pqxx_lease> lease(db.acquire());
  pqxx_lease::connection_type& connection = lease->pqxx();
  {
    pqxx::work tx{connection};
    tx.exec("insert into ledger values ('moved', 1)");
    pqxx_lease moved(std::move(*lease));
    EXPECT_EQ(&moved.pqxx(), &connection);
    lease.emplace(db.acquire());
    *lease = std::move(moved);  // What it had before is given back.
    EXPECT_EQ(echo(db, 7), 7);
    tx.commit();
  }
  std::jthread([&] {
    pqxx::work tx{lease->pqxx()};
    tx.exec("insert into ledger values ('elsewhere', 2)");
    tx.commit();
    lease.reset();
  }).join();
  EXPECT_EQ(ask("select count(*) from ledger"), "2");
  EXPECT_TRUE(db.shutdown(20s).is_complete);
}

TEST_F(PqxxLeaseTest, closing_the_connection_ends_its_use_and_the_pool_goes_on) {
  database_pool db(options("1"));
  {
    pqxx_lease lease(db.acquire());
    end_use(lease);
    EXPECT_FALSE(lease.pqxx().is_open());
    const auto begin = [&] {
      pqxx::work tx{lease.pqxx()};
      tx.exec("select 1");
    };
    EXPECT_THAT(begin, Throws<pqxx::broken_connection>());
  }
  EXPECT_EQ(echo(db, 7), 7);
  EXPECT_EQ(count_connections(), "1");
  EXPECT_TRUE(db.shutdown(20s).is_complete);
}

TEST_F(PqxxLeaseTest, no_descriptor_is_left) {
  const std::ptrdiff_t before = count_descriptors();
  {
    database_pool db(options("2"));
    for (int i = 0; i < 20; ++i) {
      pqxx_lease lease(db.acquire());
      if (i % 4 == 1) end_use(lease);
      if (i % 4 == 2) end_backend(lease.pqxx().backendpid());
      if (i % 4 == 3) lease.discard();
    }
    EXPECT_TRUE(db.shutdown(20s).is_complete);
  }
  while (has_thread_of_library()) std::this_thread::yield();
  EXPECT_EQ(count_descriptors(), before);
}

}  // namespace
}  // namespace pgweir::client
