#include "config/connection_parameters.h"

#include <gtest/gtest.h>

namespace pgweir::config {
namespace {

using namespace std::chrono_literals;

proxy::DatabaseOptions one_host() {
  proxy::DatabaseOptions database;
  database.name = "shop";
  database.hosts = {{.host = "db.example", .port = 5433, .address = ""}};
  database.user = "app";
  database.password = base::Secret("swordfish");
  return database;
}

ConnectionParameters make(const proxy::DatabaseOptions& database,
                          const std::vector<std::vector<std::string>>& addresses = {
                              {"192.0.2.7"}}) {
  return make_connection_parameters(database, "pgweir:shop", addresses).value();
}

TEST(ConnectionParametersTest, name_host_user_database_and_application) {
  const ConnectionParameters parameters = make(one_host());
  EXPECT_EQ(parameters.find("host"), "db.example");
  EXPECT_EQ(parameters.find("hostaddr"), "192.0.2.7");
  EXPECT_EQ(parameters.find("port"), "5433");
  EXPECT_EQ(parameters.find("user"), "app");
  EXPECT_EQ(parameters.find("dbname"), "shop");
  EXPECT_EQ(parameters.find("application_name"), "pgweir:shop");
}

TEST(ConnectionParametersTest, keep_the_password_among_the_secrets_only) {
  const ConnectionParameters parameters = make(one_host());
  for (const auto& [key, value] : parameters.values) EXPECT_EQ(value.find("sword"), value.npos);
  ASSERT_EQ(parameters.secrets.size(), 1U);
  EXPECT_EQ(parameters.secrets[0].first, "password");
  EXPECT_TRUE(parameters.secrets[0].second.is_equal("swordfish"));
}

TEST(ConnectionParametersTest, repeat_a_host_for_each_of_its_addresses) {
  proxy::DatabaseOptions database = one_host();
  database.hosts = {{.host = "a.example", .port = 1, .address = ""},
                    {.host = "gone.example", .port = 2, .address = ""},
                    {.host = "b.example", .port = 3, .address = "198.51.100.1"},
                    {.host = "/run/postgresql", .port = 4, .address = ""}};
  const ConnectionParameters parameters =
      make(database, {{"192.0.2.1", "2001:db8::1"}, {}, {}, {}});
  EXPECT_EQ(parameters.find("host"), "a.example,a.example,b.example,/run/postgresql");
  EXPECT_EQ(parameters.find("hostaddr"), "192.0.2.1,2001:db8::1,198.51.100.1,");
  EXPECT_EQ(parameters.find("port"), "1,1,3,4");
  EXPECT_EQ(parameters.time_max, 20s);
}

TEST(ConnectionParametersTest, bound_each_address_by_the_connect_timeout) {
  proxy::DatabaseOptions database = one_host();
  EXPECT_EQ(make(database).find("tcp_user_timeout"), "5000");
  database.connect_timeout = 0s;
  EXPECT_EQ(make(database).find("tcp_user_timeout"), "30000");
  EXPECT_EQ(make(database).time_max, 0s);
}

TEST(ConnectionParametersTest, read_no_file_that_was_not_named) {
  const ConnectionParameters parameters = make(one_host());
  for (const char* key : {"passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl"})
    EXPECT_EQ(parameters.find(key), "/dev/null/none") << key;
}

TEST(ConnectionParametersTest, follow_libpq_in_each_sslmode) {
  struct Case {
    proxy::SslMode mode;
    proxy::TlsVerify verify;
    std::string_view expected;
  };
  using proxy::SslMode;
  using proxy::TlsVerify;
  for (const Case& c : {Case{SslMode::Disable, TlsVerify::None, "disable"},
                        Case{SslMode::Allow, TlsVerify::None, "allow"},
                        Case{SslMode::Prefer, TlsVerify::None, "prefer"},
                        Case{SslMode::Require, TlsVerify::None, "require"},
                        Case{SslMode::Require, TlsVerify::Chain, "verify-ca"},
                        Case{SslMode::VerifyCa, TlsVerify::Chain, "verify-ca"},
                        Case{SslMode::VerifyFull, TlsVerify::ChainAndHost, "verify-full"}}) {
    proxy::DatabaseOptions database = one_host();
    database.tls.mode = c.mode;
    database.tls.verify = c.verify;
    database.tls.root_cert = "/etc/root.pem";
    const ConnectionParameters parameters = make(database);
    EXPECT_EQ(parameters.find("sslmode"), c.expected);
    EXPECT_FALSE(parameters.is_plain_if_refused);
    EXPECT_EQ(parameters.find("sslrootcert"),
              c.verify == TlsVerify::None ? "/dev/null/none" : "/etc/root.pem");
  }
}

TEST(ConnectionParametersTest, follow_prisma_where_strict_is_asked_of_an_optional_tls) {
  proxy::DatabaseOptions database = one_host();
  database.tls.mode = proxy::SslMode::Prefer;
  database.tls.accept = proxy::SslAccept::Strict;
  database.tls.verify = proxy::TlsVerify::ChainAndHost;
  const ConnectionParameters strict = make(database);
  EXPECT_EQ(strict.find("sslmode"), "verify-full");
  EXPECT_EQ(strict.find("sslrootcert"), "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_TRUE(strict.is_plain_if_refused);

  database.tls.mode = proxy::SslMode::Require;
  EXPECT_FALSE(make(database).is_plain_if_refused);
}

TEST(ConnectionParametersTest, pass_options_through_but_no_setting_of_the_clients) {
  proxy::DatabaseOptions database = one_host();
  database.startup_parameters = {
      {"application_name", "web"}, {"options", "endpoint=calm-river"}, {"statement_timeout", "5s"}};
  const ConnectionParameters parameters = make(database);
  EXPECT_EQ(parameters.find("options"), "endpoint=calm-river");
  EXPECT_EQ(parameters.find("application_name"), "pgweir:shop");
  EXPECT_EQ(parameters.find("statement_timeout"), "");
}

TEST(ConnectionParametersTest, log_in_to_the_database_that_the_server_knows) {
  proxy::DatabaseOptions database = one_host();
  database.server_database = "shop_2024";
  EXPECT_EQ(service_database(database), "shop_2024");
  database.server_database.clear();
  database.name = "*";
  EXPECT_EQ(service_database(database), "postgres");
}

TEST(ConnectionParametersTest, need_a_user_and_an_address) {
  proxy::DatabaseOptions database = one_host();
  const auto unresolved = make_connection_parameters(database, "pgweir:shop", {{}});
  ASSERT_FALSE(unresolved.has_value());
  EXPECT_EQ(unresolved.error().code, base::ErrorCode::Unreachable);
  database.user.clear();
  const auto nameless = make_connection_parameters(database, "pgweir:shop", {{"192.0.2.7"}});
  ASSERT_FALSE(nameless.has_value());
  EXPECT_EQ(nameless.error().code, base::ErrorCode::Configuration);
  EXPECT_NE(nameless.error().context.find("\"shop\""), std::string::npos);
}

TEST(ConnectionParametersTest, cannot_say_all_that_a_pool_may_be_asked_for) {
  proxy::DatabaseOptions database = one_host();
  EXPECT_EQ(limit_of_libpq(database), "");
  database.tls.pkcs12 = "me.p12";
  EXPECT_NE(limit_of_libpq(database), "");
  database.tls.pkcs12.clear();
  database.auth_allowed.has_cleartext = false;
  EXPECT_NE(limit_of_libpq(database), "");
}

TEST(ConnectionParametersTest, describe_hosts_for_a_message) {
  proxy::DatabaseOptions database = one_host();
  database.hosts.push_back({.host = "::1", .port = 5432, .address = ""});
  EXPECT_EQ(describe_hosts(database), "db.example:5433, [::1]:5432");
}

}  // namespace
}  // namespace pgweir::config
