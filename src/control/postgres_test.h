// PostgresTest: the fixture of the tests here that need a server: a loop, and one private
// PostgreSQL for all of them.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>

#include "../tests/support/private_postgres.h"
#include "loop/loop.h"
#include "proxy/options.h"

namespace pgweir::control {

class PostgresTest : public testing::Test {
 protected:
  static tests::PrivatePostgres& server() {
    static tests::PrivatePostgres postgres({.connection_count_max = 20});
    return postgres;
  }

  void SetUp() override {
    if (!server().is_installed()) GTEST_SKIP() << tests::PrivatePostgres::kNotInstalled;
    static const bool is_started = server().start();
    ASSERT_TRUE(is_started) << server().log();
    end_leftovers();
  }

  // Ends what earlier tests left behind, so that each begins with an empty server.
  static void end_leftovers() {
    const std::string way_in = server().url();
    PGconn* connection = PQconnectdb(way_in.c_str());
    std::string left = "some";
    while (left != "0") {
      PGresult* result = PQexec(connection,
                                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                                "where pid <> pg_backend_pid() and usesysid is not null "
                                "and backend_type = 'client backend'");
      ASSERT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQerrorMessage(connection);
      left = PQgetvalue(result, 0, 0);
      PQclear(result);
    }
    PQfinish(connection);
  }

  // The superuser's way in.
  static proxy::DatabaseOptions database() {
    proxy::DatabaseOptions database;
    database.name = "postgres";
    database.hosts = {{.host = "127.0.0.1", .port = server().port(), .address = ""}};
    database.user = tests::PrivatePostgres::kUser;
    database.password = base::Secret(tests::PrivatePostgres::kPassword);
    return database;
  }

  std::unique_ptr<loop::Loop> loop = std::move(loop::Loop::create()).value();
};

}  // namespace pgweir::control
