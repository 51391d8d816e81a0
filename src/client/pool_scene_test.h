// PoolScene: the fixture of the tests here that need a server: one private PostgreSQL for all of
// them.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "../tests/support/private_postgres.h"
#include "pgweir/database_pool.hpp"

namespace pgweir::client {

class PoolScene : public testing::Test {
 protected:
  static tests::PrivatePostgres& server() {
    static tests::PrivatePostgres postgres({.connection_count_max = 20});
    return postgres;
  }

  void SetUp() override {
    if (!server().is_installed()) GTEST_SKIP() << tests::PrivatePostgres::kNotInstalled;
    static const bool is_started = server().start();
    ASSERT_TRUE(is_started) << server().log();
    static const std::string made = ask("create table ledger (name text, amount int4)");
  }
  // The library's threads end with their pool.
  void TearDown() override {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (has_thread_of_library()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "a pool never ends: a lease was lost";
      std::this_thread::yield();
    }
  }
  static bool has_thread_of_library() {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name;
      std::ifstream(task.path() / "comm") >> name;
      if (name.starts_with("pgweir-")) return true;
    }
    return false;
  }

  static database_options options(std::string_view limit = "3") {
    return options_of(server().url(), limit);
  }
  static database_options options_of(std::string url, std::string_view limit) {
    return database_options(std::move(url))
        .set("connection_limit", limit)
        .set("pool_timeout", "5s");
  }

  static int echo(database_pool& db, int value) {
    return db.with_connection(
        [&](connection& c) { return c.query("select $1::int4", value).one().as<int>(); });
  }

  // By a way of its own: what the tests look at is not done by what they test.
  static std::string ask(const char* statement) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> way(PQconnectdb(server().url().c_str()),
                                                           PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(way.get(), statement),
                                                               PQclear);
    if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) return "";
    EXPECT_EQ(PQresultStatus(answer.get()), PGRES_TUPLES_OK) << PQerrorMessage(way.get());
    return PQntuples(answer.get()) == 0 ? "" : PQgetvalue(answer.get(), 0, 0);
  }

  // What the server process does, as pg_stat_activity says it.
  static std::string state_of(int pid) {
    const std::string question =
        "select state from pg_stat_activity where pid = " + std::to_string(pid);
    return ask(question.c_str());
  }
  // More than a test could read, or hold.
  static constexpr const char* kEndless = "select generate_series(1, 1000000000)";
};

}  // namespace pgweir::client
