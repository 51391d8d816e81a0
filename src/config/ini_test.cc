#include "config/ini.h"

#include "config/loading_test.h"

namespace pgweir::config {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(IniTest, reads_a_file_as_pgbouncer_does) {
  const Config config =
      good(load_ini(R"(
;; A comment, and another one.
# The same.
[databases]
shop = host=db.example port=6543 dbname=shop_live user=app password='it''s = secret' pool_size=7
'odd name' = host=/run/pg connect_query='select 1'
* = host=fallback

[users]
app = pool_mode=transaction max_user_connections=3

[pgbouncer]
listen_addr = *
listen_port = 7000
auth_type = scram-sha-256
auth_file = users.txt
pool_mode = statement
default_pool_size = 0
server_idle_timeout = 1.5
query_wait_timeout = 0
ignore_startup_parameters = extra_float_digits, options
unix_socket_mode = 0770
client_tls_sslmode = prefer
server_tls_protocols = tlsv1.3
)",
                    {{"users.txt", "\"app\" \"p\"\"w\" trailing\n; no\n\"b\" \"\"\n"}}));
  ASSERT_EQ(config.proxy.databases.size(), 3U);
  const proxy::DatabaseOptions& shop = config.proxy.databases[0];
  EXPECT_EQ(shop.name, "shop");
  EXPECT_THAT(shop.hosts, ElementsAre(proxy::ServerAddress{"db.example", 6543, ""}));
  EXPECT_EQ(shop.password.reveal(), "it's = secret");
  EXPECT_EQ(shop.pool.server_count_max, 7U);
  EXPECT_EQ(shop.pool.server_idle_max, 1500ms);
  EXPECT_EQ(shop.tls.version_min, proxy::TlsVersion::V1_3);
  EXPECT_EQ(config.proxy.databases[1].name, "odd name");
  EXPECT_EQ(config.proxy.databases[1].connect_query, "select 1");
  EXPECT_EQ(config.proxy.databases[1].pool.server_count_max, pool::kUnlimited);
  EXPECT_EQ(config.proxy.databases[2].name, "*");
  EXPECT_THAT(config.listen.addresses, ElementsAre("*"));
  EXPECT_EQ(config.listen.unix_socket_mode, 0770U);
  EXPECT_EQ(config.proxy.pool_mode, proxy::PoolMode::Statement);
  EXPECT_THAT(config.proxy.ignored_startup_parameters,
              ElementsAre("extra_float_digits", "options"));
  // The forced user of a database is no client unless auth_file names it.
  ASSERT_EQ(config.proxy.users.size(), 2U);
  EXPECT_EQ(config.proxy.users[0].secret.reveal(), "p\"w");
  EXPECT_EQ(config.proxy.users[0].pool_mode, proxy::PoolMode::Transaction);
  EXPECT_EQ(config.proxy.users[0].server_count_max, 3U);
}

TEST(IniTest, has_the_defaults_of_pgbouncer) {
  const Config config = good(load_ini("[databases]\nd = dbname=x\n[pgbouncer]\n"));
  const proxy::DatabaseOptions& database = config.proxy.databases.at(0);
  EXPECT_EQ(config.proxy.pool_mode, proxy::PoolMode::Session);
  EXPECT_EQ(config.proxy.auth_method, proxy::AuthMethod::Md5);
  EXPECT_EQ(config.proxy.client_count_max, 100U);
  EXPECT_EQ(config.proxy.idle_transaction_timeout, 0s);
  EXPECT_TRUE(config.proxy.is_idle_timeout_eager);
  EXPECT_EQ(config.proxy.error_detail, proxy::ErrorDetail::None);
  EXPECT_EQ(config.client_tls.mode, proxy::SslMode::Disable);
  EXPECT_THAT(config.listen.addresses, IsEmpty());
  EXPECT_EQ(config.listen.unix_socket_dir, "/tmp");
  EXPECT_EQ(config.tcp.keepalive_idle, 0s);
  EXPECT_THAT(database.hosts, ElementsAre(proxy::ServerAddress{"/tmp", 5432, ""}));
  EXPECT_EQ(database.pool.server_count_max, 20U);
  EXPECT_EQ(database.pool.wait_max, 120s);
  EXPECT_EQ(database.connect_timeout, 15s);
  EXPECT_EQ(database.pool.login_backoff_max, 15s);
  EXPECT_EQ(database.load_balance, proxy::LoadBalance::RoundRobin);
}

TEST(IniTest, takes_the_old_name_of_the_reserve) {
  const auto database =
      only_database(load_ini("[databases]\nd = pool_size=5 reserve_pool=2\n[pgbouncer]\n"));
  EXPECT_EQ(database.pool.server_count_reserve, 2U);
}

TEST(IniTest, knows_what_zero_means_to_pgbouncer) {
  const auto database = only_database(
      load_ini("[databases]\nd =\n[pgbouncer]\nserver_lifetime = 0\nserver_idle_timeout = 0\n"));
  EXPECT_EQ(database.pool.server_lifetime, 1us);
  EXPECT_EQ(database.pool.server_idle_max, 0s);
}

TEST(IniTest, notes_what_has_no_effect) {
  EXPECT_THAT(lines(load_ini("[databases]\nd =\n[pgbouncer]\npkt_buf = 4096\npeer_id = 1\n[peers]\n"
                             "1 = host=/tmp/a\n")
                        .notes),
              ElementsAre("pgbouncer.ini:6: [peers]: no effect: pgweir's processes need no peers",
                          "pgbouncer.ini:4: pkt_buf: no effect: pgweir sizes its buffers itself",
                          "pgbouncer.ini:5: peer_id: no effect: this process finds its cancel keys "
                          "by itself"));
}

TEST(IniTest, names_every_mistake_with_its_line) {
  EXPECT_THAT(
      lines(load_ini(R"(early = 1
[databases]
a = host=h prot=5
b = host='h
c host=h
pgbouncer = host=h
[pgbouncer]
pool_mode = transction
max_client_con = 5
query_timeout = soon
disable_pqexec = 1
auth_type = hba
auth_file = missing.txt
[user]
x = 1
)")
                .mistakes),
      ElementsAre(
          "pgbouncer.ini:1: early: stands before any section; expected [pgbouncer]",
          "pgbouncer.ini:4: b.host: has a quotation mark without its end",
          "pgbouncer.ini:5: is no line of an ini file; expected key = value",
          "pgbouncer.ini:6: pgbouncer: is the name of the console; choose another for the database",
          "pgbouncer.ini:14: [user]: unknown section; there are [databases], [users] and "
          "[pgbouncer]",
          "pgbouncer.ini:8: pool_mode: 'transction' is none of session, transaction, statement; "
          "did "
          "you mean transaction?",
          "pgbouncer.ini:9: max_client_con: unknown setting; did you mean max_client_conn?",
          "pgbouncer.ini:10: query_timeout: must be a duration: seconds, or with a unit such as "
          "500ms, 10s or 5min, not 'soon'",
          "pgbouncer.ini:11: disable_pqexec: cannot be 1 here: no effect: simple queries pass",
          "pgbouncer.ini:12: auth_type: 'hba' is none of trust, any, plain, md5, scram-sha-256, "
          "cert",
          "pgbouncer.ini:13: auth_file: missing.txt is not there",
          "pgbouncer.ini:3: prot: unknown setting; did you mean port?"));
}

TEST(IniTest, refuses_a_file_without_its_main_section) {
  EXPECT_THAT(
      lines(load_ini("[databases]\nd =\n").mistakes),
      ElementsAre("pgbouncer.ini: [pgbouncer]: is missing; PgBouncer's settings are in it"));
}

TEST(IniTest, lets_the_last_one_win) {
  const Config config =
      good(load_ini("[databases]\nd = host=a port=1\nd = host=b\n[pgbouncer]\nlisten_port = "
                    "1\nlisten_port = 2\n"));
  EXPECT_THAT(config.proxy.databases.at(0).hosts, ElementsAre(proxy::ServerAddress{"b", 5432, ""}));
  EXPECT_EQ(config.listen.port, 2U);
}

TEST(IniTest, forgets_settings_when_their_section_is_opened_again) {
  const LoadResult result =
      load_ini("[pgbouncer]\nlisten_port = 1\nauth_file = f\n[databases]\nd =\n[pgbouncer]\n",
               {{"f", "\"u\" \"p\""}});
  EXPECT_EQ(good(result).listen.port, 6432U);
  EXPECT_EQ(good(result).proxy.users.size(), 1U);
  EXPECT_THAT(lines(result.notes),
              ElementsAre(testing::StartsWith("pgbouncer.ini:6: [pgbouncer]: is "
                                              "opened again")));
}

TEST(IniTest, includes_files_but_not_forever) {
  EXPECT_EQ(good(load_ini("%include other.ini\n[pgbouncer]\n",
                          {{"other.ini", "[databases]\nd = host=h\n"}}))
                .proxy.databases.size(),
            1U);
  EXPECT_THAT(
      lines(load_ini("%include loop.ini\n", {{"loop.ini", "%include loop.ini\n"}}).mistakes),
      Contains("loop.ini:1: %include: is nested too deep; 10 levels are the limit"));
}

TEST(IniTest, never_quotes_a_line_of_the_user_list) {
  EXPECT_THAT(lines(load_ini("[databases]\nd =\n[pgbouncer]\nauth_file = f\n",
                             {{"f", "\"u\" \"good\"\n\"u\" sesame\n"}})
                        .mistakes),
              ElementsAre("f:2: is no line of a user list; expected \"user\" \"password\""));
}

}  // namespace
}  // namespace pgweir::config
