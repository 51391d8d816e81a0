// PostgresTest: the fixture of the tests here that need a server: a loop, and one private
// PostgreSQL for all of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "../tests/support/private_postgres.h"
#include "control/loop.h"
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

  std::unique_ptr<Loop> loop = std::move(Loop::create()).value();
};

}  // namespace pgweir::control
