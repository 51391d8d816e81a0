#include "config/toml.h"

#include "config/effective.h"
#include "config/loading_test.h"

namespace pgweir::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(TomlTest, reads_settings_databases_and_users) {
  const Config config = good(load_toml(R"(
pool_mode = "session"
listen_addr = ["127.0.0.1", "::1"]

[pgweir]
query_wait_timeout = "1500ms"
max_client_conn = 500
log_connections = false

[databases.shop]
url = "postgres://app:secret@db:6543/shop_live?connect_timeout=3&connection_limit=7"
pool_mode = "transaction"
pool_size = 5

[databases."*"]
host = "10.0.0.1"

[users.report]
password = "other"
pool_size = 2
)"));
  EXPECT_EQ(config.proxy.pool_mode, proxy::PoolMode::Session);
  EXPECT_THAT(config.listen.addresses, ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(config.proxy.client_count_max, 500U);
  EXPECT_FALSE(config.log.events.has_connections);
  ASSERT_EQ(config.proxy.databases.size(), 2U);
  const proxy::DatabaseOptions& shop = config.proxy.databases[0];
  EXPECT_EQ(shop.name, "shop");
  EXPECT_EQ(shop.server_database, "shop_live");
  EXPECT_EQ(shop.pool_mode, proxy::PoolMode::Transaction);
  EXPECT_EQ(shop.pool.server_count_max, 5U);
  EXPECT_EQ(shop.pool.wait_max, 1500ms);
  EXPECT_EQ(shop.connect_timeout, 3s);
  EXPECT_EQ(shop.server_count_max, 7U);
  EXPECT_EQ(config.budget.connection_limit, 0U);
  EXPECT_EQ(config.proxy.databases[1].name, "*");
  ASSERT_EQ(config.proxy.users.size(), 2U);
  EXPECT_EQ(config.proxy.users[0].name, "app");
  EXPECT_EQ(config.proxy.users[0].secret.reveal(), "secret");
  EXPECT_EQ(config.proxy.users[1].name, "report");
  EXPECT_EQ(config.proxy.users[1].pool_size, 2U);
}

TEST(TomlTest, prefers_a_setting_to_the_url_beside_it) {
  EXPECT_EQ(only_database(load_toml("[databases.d]\nserver_connect_timeout = '9s'\n"
                                    "url = 'postgres://u:p@h/d?connect_timeout=3'\n"))
                .connect_timeout,
            9s);
}

TEST(TomlTest, has_the_defaults_of_the_options) {
  const Config config = good(load_toml("[databases.d]\nhost = 'h'\n"));
  EXPECT_EQ(config.proxy.databases[0].pool, pool::Options{});
  EXPECT_EQ(config.budget, budget::Options{});
  EXPECT_EQ(config.listen, ListenOptions{});
  EXPECT_EQ(config.client_tls, ClientTlsOptions{});
  EXPECT_EQ(config.tcp, TcpOptions{});
  EXPECT_EQ(config.log, LogOptions{});
}

TEST(TomlTest, names_every_mistake_with_its_line) {
  EXPECT_THAT(
      lines(load_toml(R"(pool_mod = "session"
query_wait_timeout = 30
listen_port = "high"
max_client_conn = -1
server_lifetime = true
pool_timeout = "3s"

[databses.shop]
host = "h"

[databases]
stray = "x"

[databases.shop]
host = "h"
max_client_conn = 5
pool_siez = 3
when = 1979-05-27

[users.u]
pool_mode = "none"

[users.w]
url = "postgres://h/d"
)")
                .mistakes),
      UnorderedElementsAre(
          "pgweir.toml:18: when: must be a text, a number, true, false or a list of texts",
          "pgweir.toml:12: databases.stray: must be a table: write [databases.stray] with "
          "its settings below",
          "pgweir.toml:8: [databses]: unknown table; there are [pgweir], [databases.NAME] "
          "and [users.NAME]",
          "pgweir.toml:1: pool_mod: unknown setting; did you mean pool_mode?",
          "pgweir.toml:2: query_wait_timeout: must be a duration with its unit, such as "
          "500ms, 10s or 5min, not '30'",
          "pgweir.toml:3: listen_port: must be a port from 1 to 65535, not 'high'",
          "pgweir.toml:4: max_client_conn: must be a whole number from 0, not '-1'",
          "pgweir.toml:5: server_lifetime: must be a duration with its unit, such as 500ms, "
          "10s or 5min, not 'true'",
          "pgweir.toml:6: pool_timeout: unknown setting; it is called query_wait_timeout "
          "here",
          "pgweir.toml:16: max_client_conn: unknown setting here; it belongs to the whole "
          "process",
          "pgweir.toml:17: pool_siez: unknown setting; did you mean pool_size?",
          "pgweir.toml:21: pool_mode: 'none' is none of session, transaction, statement",
          "pgweir.toml:24: url: unknown setting"));
}

TEST(TomlTest, names_the_place_of_bad_syntax) {
  const auto mistakes = lines(load_toml("pool_mode = 'session'\nlisten_port = = 3\n").mistakes);
  ASSERT_EQ(mistakes.size(), 1U);
  EXPECT_THAT(mistakes[0], testing::StartsWith("pgweir.toml:2: is no TOML: "));
}

TEST(TomlTest, gives_the_mistakes_of_a_url_its_line) {
  EXPECT_THAT(
      lines(load_toml("[databases.d]\nurl = 'postgres://u:p@h/d?pool_timeot=1'\n").mistakes),
      ElementsAre("pgweir.toml:2: pool_timeot: unknown parameter; did you mean "
                  "pool_timeout?"));
}

TEST(TomlTest, needs_a_database_and_a_host) {
  EXPECT_THAT(lines(load_toml("").mistakes),
              ElementsAre("pgweir.toml: no database; set "
                          "DATABASE_URL=postgresql://user:password@host:5432/dbname or name one in "
                          "the configuration file"));
  EXPECT_THAT(lines(load_toml("[databases.d]\nport = 1\n").mistakes),
              ElementsAre("pgweir.toml:1: host: is missing; expected the server's name, its "
                          "address or the directory of its socket"));
}

TEST(TomlTest, wants_one_password_for_one_user) {
  constexpr auto kTwo =
      "[databases.a]\nurl = 'postgres://u:p@h/a'\n"
      "[databases.b]\nurl = 'postgres://u:q@h/b'\n";
  EXPECT_THAT(lines(load_toml(kTwo).mistakes),
              ElementsAre("pgweir.toml:3: password: user u has another password in another "
                          "database; write [users.NAME] with the one that clients use"));
  const Config config = good(load_toml(std::string(kTwo) + "[users.u]\npassword = 'r'\n"));
  EXPECT_EQ(config.proxy.users.at(0).secret.reveal(), "r");
}

TEST(TomlTest, checks_what_settings_mean_together) {
  const std::string database = "[databases.d]\nhost = 'h'\n";
  EXPECT_THAT(lines(load_toml("client_tls_cert_file = 'c'\n" + database).mistakes),
              ElementsAre("pgweir.toml:1: client_tls_cert_file: needs client_tls_key_file too"));
  EXPECT_THAT(
      lines(load_toml("client_tls_sslmode = 'verify-ca'\n" + database).mistakes),
      ElementsAre("pgweir.toml:1: client_tls_sslmode: asks for clients' certificates, which "
                  "needs client_tls_ca_file"));
  EXPECT_THAT(lines(load_toml("auth_type = 'cert'\n" + database).mistakes),
              ElementsAre("pgweir.toml:1: auth_type: cert needs client_tls_sslmode = verify-full"));
  EXPECT_THAT(lines(load_toml("auth_type = 'any'\n" + database).mistakes),
              ElementsAre("pgweir.toml:1: auth_type: any needs a user for every database; d has "
                          "none"));
  EXPECT_THAT(lines(load_toml("listen_addr = []\n" + database).mistakes),
              ElementsAre("pgweir.toml:1: listen_addr: is empty and so is unix_socket_dir: no "
                          "client could connect"));
}

TEST(TomlTest, says_what_is_not_supported_yet) {
  EXPECT_THAT(
      lines(load_toml("syslog = true\n[databases.d]\nhost = 'h'\n").mistakes),
      ElementsAre("pgweir.toml:1: syslog: is not supported yet: use logfile, or standard error"));
}

TEST(TomlTest, survives_nonsense) {
  for (const std::string text :
       {"\xff\xfe", "[", "[databases]\n[databases]", "a.b.c = 1", "users = 3", "[[databases.x]]\n",
        "x = [[1], 2]", "=", "\"\" = 1"}) {
    EXPECT_THAT(load_toml(text).mistakes, testing::Not(IsEmpty())) << text;
  }
}

}  // namespace
}  // namespace pgweir::config
