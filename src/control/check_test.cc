#include "control/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "control/postgres_test.h"

namespace pgweir::control {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

budget::Login login_of(const DatabaseCheck& check) { return {check.user, check.server_database}; }

DatabaseCheck good_check() {
  DatabaseCheck check;
  check.name = "shop";
  check.hosts = "db.example:5432";
  check.user = "app";
  check.server_database = "shop_2024";
  check.tls = {true, "TLSv1.3", "TLS_AES_256_GCM_SHA384"};
  check.facts.version = 150020;
  check.facts.max_connections = 100;
  check.facts.superuser_reserved = 3;
  check.facts.others_total = 12;
  check.facts.roles = {{.name = "app", .limit = 50, .others = 2}};
  check.allowance = budget::compute_allowance(check.facts, {}, login_of(check));
  check.others = {{"web", "shop_2024", "api", 9}, {"batch", "shop_2024", "", 3}};
  return check;
}

TEST(CheckTest, shows_each_term_of_the_sum) {
  const std::string text = render({{good_check()}});
  EXPECT_EQ(text,
            "shop: app in shop_2024 at db.example:5432: ok\n"
            "  server    PostgreSQL 15.20\n"
            "  TLS       TLSv1.3, TLS_AES_256_GCM_SHA384\n"
            "  slots         100  max_connections\n"
            "            -     3  superuser_reserved_connections\n"
            "            -    12  connections of others\n"
            "            -     3  margin\n"
            "            =    82\n"
            "  role           50  connection limit of the role\n"
            "            -     2  others of this role\n"
            "            -     2  margin\n"
            "            =    46\n"
            "  limit     46 connections for pgweir\n"
            "  others    9 x web in shop_2024, api\n"
            "            3 x batch in shop_2024\n");
}

TEST(CheckTest, stays_within_80_columns_and_passes_no_command_to_the_terminal) {
  DatabaseCheck check = good_check();
  check.others = {{std::string(30, 'u'), std::string(20, 'd'), "\x1b[2Jclear", 3}};
  check.allowance.trouble = budget::Trouble::BehindPooler;
  check.facts.is_superuser = true;
  check.warnings = find_warnings(check, {.connection_limit = 5});
  DatabaseCheck failed = good_check();
  failed.failure =
      insight::make_failure(insight::FailureKind::WrongPassword, std::string(200, 'x') + " y");
  const std::string text = render({{check, failed}});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(line.size() <= 80U || line.find("xxx") != line.npos) << line;
}

TEST(CheckTest, warns_of_a_limit_that_was_meant_for_one_process) {
  DatabaseCheck check = good_check();
  check.facts.roles.clear();
  const auto warnings_for = [&](std::uint32_t limit) {
    const budget::Options options{.connection_limit = limit};
    check.allowance = budget::compute_allowance(check.facts, options, login_of(check));
    return find_warnings(check, options);
  };
  EXPECT_THAT(warnings_for(5), Contains(HasSubstr("meant for one client process")));
  EXPECT_THAT(warnings_for(40), IsEmpty());
  EXPECT_THAT(warnings_for(0), IsEmpty());
  EXPECT_THAT(warnings_for(500), Contains(HasSubstr("more than the server has left")));
}

TEST(CheckTest, fails_without_room_but_not_for_an_entry_that_it_cannot_log_in_to) {
  CheckReport report{{good_check()}};
  EXPECT_TRUE(report.is_ok());
  DatabaseCheck skipped;
  skipped.skip_reason = "It names no user of its own.";
  report.databases.push_back(skipped);
  EXPECT_TRUE(report.is_ok());
  report.databases[0].allowance.limit = 0;
  EXPECT_FALSE(report.is_ok());
  report.databases[0].allowance.limit = pool::kUnlimited;  // Behind a pooler, and none is set.
  EXPECT_FALSE(report.is_ok());
}

class RealCheckTest : public PostgresTest {
 protected:
  static CheckReport check(std::vector<proxy::DatabaseOptions> databases,
                           const budget::Options& budget = {}) {
    proxy::Options options;
    options.databases = std::move(databases);
    return run_check(options, budget).value();
  }
  void run(const std::string& text) {
    PostgresConnection connection(*loop);
    bool is_done = false;
    connection.connect(
        config::make_connection_parameters(database(), "setup", {{"127.0.0.1"}}).value(),
        [&](const auto& failure) {
          EXPECT_FALSE(failure.has_value());
          connection.query({text, {}}, [&](const Answer& answer) {
            EXPECT_TRUE(std::holds_alternative<Rows>(answer));
            connection.close([&](bool) { is_done = true; });
          });
        });
    while (!is_done) loop->turn();
  }
};

TEST_F(RealCheckTest, finds_what_a_server_can_give) {
  const CheckReport report = check({database()});
  ASSERT_EQ(report.databases.size(), 1U);
  const DatabaseCheck& found = report.databases[0];
  ASSERT_FALSE(found.failure.has_value()) << found.failure->error.context;
  EXPECT_EQ(found.facts.max_connections, 20);
  EXPECT_EQ(found.facts.superuser_reserved, 3);
  EXPECT_EQ(found.facts.others_total, 0);
  EXPECT_EQ(found.facts.ours, 1);
  EXPECT_EQ(found.allowance.limit, 16U);
  EXPECT_TRUE(found.facts.is_superuser);
  EXPECT_FALSE(found.facts.is_behind_pooler);
  EXPECT_TRUE(report.is_ok());
}

TEST_F(RealCheckTest, sees_the_limits_of_a_plain_role_and_the_others) {
  run("drop role if exists plain");
  run("create role plain login password 'plainword' connection limit 9");
  // Superusers are held to none, and names may hold anything.
  run("alter role postgres connection limit 5");
  run("drop database if exists \"small \xc3\xbc\"");
  run("create database \"small \xc3\xbc\" connection limit 4");
  PostgresConnection stranger(*loop);
  bool is_there = false;
  stranger.connect(
      config::make_connection_parameters(database(), "stranger", {{"127.0.0.1"}}).value(),
      [&](const auto&) { is_there = true; });
  while (!is_there) loop->turn();

  proxy::DatabaseOptions plain = database();
  plain.user = "plain";
  plain.password = base::Secret("plainword");
  const CheckReport report = check({plain}, {.connection_limit = 1});
  const DatabaseCheck& found = report.databases[0];
  ASSERT_FALSE(found.failure.has_value()) << found.failure->error.context;
  EXPECT_FALSE(found.facts.is_superuser);
  EXPECT_THAT(found.facts.roles, Contains(budget::LevelFacts{"plain", 9, 0, 1}));
  EXPECT_THAT(found.facts.databases, Contains(budget::LevelFacts{"small \xc3\xbc", 4, 0, 0}));
  EXPECT_EQ(found.facts.others_total, 1);
  EXPECT_EQ(found.allowance.find(budget::Bound::Role)->total, 9 - 1);
  EXPECT_EQ(found.allowance.find(budget::Bound::Database), nullptr);
  EXPECT_EQ(found.allowance.limit, 1U);
  ASSERT_EQ(found.others.size(), 1U);
  EXPECT_EQ(found.others[0].user, "postgres");
  EXPECT_THAT(found.warnings, Contains(HasSubstr("connection_limit=1")));
}

TEST_F(RealCheckTest, says_what_is_wrong_and_what_to_do_next) {
  proxy::DatabaseOptions password = database();
  password.password = base::Secret("not-the-password");
  proxy::DatabaseOptions name = database();
  name.hosts[0].host = "nowhere.invalid";
  proxy::DatabaseOptions refused = database();
  refused.hosts[0].port = 1;
  const CheckReport report = check({password, name, refused});
  EXPECT_FALSE(report.is_ok());
  EXPECT_EQ(report.databases[0].failure->kind, insight::FailureKind::WrongPassword);
  EXPECT_EQ(report.databases[1].failure->kind, insight::FailureKind::NameNotFound);
  EXPECT_EQ(report.databases[2].failure->kind, insight::FailureKind::Unreachable);
  const std::string text = render(report);
  EXPECT_THAT(text, HasSubstr("FAILED"));
  EXPECT_THAT(text, HasSubstr("next      check user and password in the URL"));
  EXPECT_THAT(text, Not(HasSubstr("not-the-password")));
}

}  // namespace
}  // namespace pgweir::control
