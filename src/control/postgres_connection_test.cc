// PostgresConnection and what stands on it, against a real PostgreSQL.
#include "control/postgres_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/postgres_test.h"

namespace pgweir::control {
namespace {

using namespace std::chrono_literals;

class PostgresConnectionTest : public PostgresTest {
 protected:
  std::optional<insight::Failure> connect(PostgresConnection& connection,
                                          const proxy::DatabaseOptions& database) {
    std::optional<std::optional<insight::Failure>> outcome;
    auto parameters = config::make_connection_parameters(database, "pgweir:test", {{"127.0.0.1"}});
    connection.connect(std::move(parameters).value(), [&](auto told) { outcome = told; });
    EXPECT_FALSE(outcome.has_value()) << "told from inside the call";
    while (!outcome) loop->turn();
    return *outcome;
  }
  Answer query(PostgresConnection& connection, const Statement& statement) {
    std::optional<Answer> answer;
    connection.query(statement, [&](Answer told) { answer = std::move(told); });
    while (!answer) loop->turn();
    return *answer;
  }
};

TEST_F(PostgresConnectionTest, asks_with_parameters_and_returns_text_and_nulls) {
  PostgresConnection connection(*loop);
  ASSERT_EQ(connect(connection, database()), std::nullopt);
  EXPECT_TRUE(connection.is_idle());
  EXPECT_GT(connection.pid(), 0);
  EXPECT_GE(connection.server_version(), 140000);
  const Answer answer =
      query(connection, {"select $1::int + 1, null, current_setting('application_name')", {"41"}});
  ASSERT_TRUE(std::holds_alternative<Rows>(answer));
  EXPECT_EQ(std::get<Rows>(answer), (Rows{{"42", std::nullopt, "pgweir:test"}}));
}

TEST_F(PostgresConnectionTest, survives_a_refused_statement) {
  PostgresConnection connection(*loop);
  ASSERT_EQ(connect(connection, database()), std::nullopt);
  const Answer refused = query(connection, {"select 1/0", {}});
  ASSERT_TRUE(std::holds_alternative<insight::Failure>(refused));
  EXPECT_EQ(std::get<insight::Failure>(refused).sqlstate, "22012");
  EXPECT_TRUE(std::holds_alternative<Rows>(query(connection, {"select 1", {}})));
}

TEST_F(PostgresConnectionTest, gives_up_a_statement_at_its_deadline) {
  PostgresConnection connection(*loop);
  ASSERT_EQ(connect(connection, database()), std::nullopt);
  const Answer late = query(connection, {"select pg_sleep(60)", {}, 20ms});
  ASSERT_TRUE(std::holds_alternative<insight::Failure>(late));
  EXPECT_EQ(std::get<insight::Failure>(late).kind, insight::FailureKind::TimedOut);
  EXPECT_FALSE(connection.is_connected());
}

TEST_F(PostgresConnectionTest, explains_refused_logins) {
  proxy::DatabaseOptions wrong = database();
  wrong.password = base::Secret("not-the-password");
  const auto password = connect(*std::make_unique<PostgresConnection>(*loop), wrong);
  ASSERT_TRUE(password.has_value());
  EXPECT_EQ(password->kind, insight::FailureKind::WrongPassword);
  EXPECT_EQ(password->error.context.find("not-the-password"), std::string::npos);

  wrong = database();
  wrong.server_database = "nowhere";
  EXPECT_EQ(connect(*std::make_unique<PostgresConnection>(*loop), wrong)->kind,
            insight::FailureKind::NoSuchDatabase);

  wrong = database();
  wrong.hosts[0].port = 1;
  EXPECT_EQ(connect(*std::make_unique<PostgresConnection>(*loop), wrong)->kind,
            insight::FailureKind::Unreachable);

  wrong = database();
  wrong.tls.mode = proxy::SslMode::Require;
  EXPECT_EQ(connect(*std::make_unique<PostgresConnection>(*loop), wrong)->kind,
            insight::FailureKind::TlsUnavailable);
}

TEST_F(PostgresConnectionTest, does_without_tls_where_prisma_would) {
  proxy::DatabaseOptions strict = database();
  strict.tls.accept = proxy::SslAccept::Strict;
  strict.tls.verify = proxy::TlsVerify::ChainAndHost;
  PostgresConnection connection(*loop);
  EXPECT_EQ(connect(connection, strict), std::nullopt);
  EXPECT_FALSE(connection.tls().is_used);
}

TEST_F(PostgresConnectionTest, reaches_a_unix_socket) {
  proxy::DatabaseOptions local = database();
  local.hosts[0].host = server().socket_directory();
  PostgresConnection connection(*loop);
  EXPECT_EQ(connect(connection, local), std::nullopt);
}

TEST_F(PostgresConnectionTest, tries_the_next_host_when_one_refuses) {
  proxy::DatabaseOptions two = database();
  two.hosts.insert(two.hosts.begin(), {.host = "127.0.0.1", .port = 1, .address = "127.0.0.1"});
  two.hosts[1].address = "127.0.0.1";
  PostgresConnection connection(*loop);
  EXPECT_EQ(connect(connection, two), std::nullopt);
}

TEST_F(PostgresConnectionTest, notices_that_an_idle_connection_was_ended) {
  PostgresConnection victim(*loop);
  PostgresConnection killer(*loop);
  ASSERT_EQ(connect(victim, database()), std::nullopt);
  ASSERT_EQ(connect(killer, database()), std::nullopt);
  std::optional<insight::Failure> lost;
  victim.when_lost([&](insight::Failure told) { lost = std::move(told); });
  query(killer, {"select pg_terminate_backend($1::int)", {std::to_string(victim.pid())}});
  while (!lost) loop->turn();
  EXPECT_EQ(lost->kind, insight::FailureKind::Lost);
  EXPECT_FALSE(victim.is_connected());
  EXPECT_GT(victim.pid(), 0);
}

TEST_F(PostgresConnectionTest, proves_the_end_of_the_backend_that_it_closes) {
  auto connection = std::make_unique<PostgresConnection>(*loop);
  PostgresConnection witness(*loop);
  ASSERT_EQ(connect(*connection, database()), std::nullopt);
  ASSERT_EQ(connect(witness, database()), std::nullopt);
  const std::string pid = std::to_string(connection->pid());
  std::optional<bool> is_proven;
  connection->close([&](bool proven) { is_proven = proven; });
  connection.reset();
  while (!is_proven) loop->turn();
  EXPECT_TRUE(*is_proven);
  const Answer left =
      query(witness, {"select count(*) from pg_stat_activity where pid = $1::int", {pid}});
  EXPECT_EQ(std::get<Rows>(left), (Rows{{"0"}}));
}

TEST_F(PostgresConnectionTest, proves_the_end_of_a_login_that_it_gives_up) {
  PostgresConnection connection(*loop);
  connection.connect(
      config::make_connection_parameters(database(), "test", {{"127.0.0.1"}}).value(),
      [](const auto&) { FAIL() << "told after it was closed"; });
  loop->turn();
  const base::Instant left = loop->now();
  std::optional<bool> is_proven;
  connection.close([&](bool proven) { is_proven = proven; });
  while (!is_proven) loop->turn();
  EXPECT_TRUE(*is_proven);
  EXPECT_LT(loop->now(), left + 9s) << "the server was not told that nobody is there any more";
}

TEST_F(PostgresConnectionTest, needs_no_end_where_nobody_was_reached) {
  proxy::DatabaseOptions wrong = database();
  wrong.hosts[0].port = 1;
  PostgresConnection connection(*loop);
  ASSERT_NE(connect(connection, wrong), std::nullopt);
  std::optional<bool> is_proven;
  connection.close([&](bool proven) { is_proven = proven; });
  while (!is_proven) loop->turn();
  EXPECT_TRUE(*is_proven);
}

}  // namespace
}  // namespace pgweir::control
