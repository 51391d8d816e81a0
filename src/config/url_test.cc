#include "config/url.h"

#include "config/effective.h"
#include "config/loading_test.h"
#include "config/settings.h"

namespace pgweir::config {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

std::vector<std::pair<std::string, std::string>> parts(std::string_view url) {
  Report report;
  std::vector<std::pair<std::string, std::string>> out;
  for (const Assignment& one : parse_url(url, {"DATABASE_URL", 0}, report)) {
    out.emplace_back(one.key, one.value);
  }
  EXPECT_THAT(lines(report.mistakes), IsEmpty());
  return out;
}

TEST(UrlTest, takes_the_parts_of_a_plain_url) {
  EXPECT_THAT(
      parts("postgres://app:s3cret@db.example:6543/shop?sslmode=require"),
      ElementsAre(Pair("user", "app"), Pair("password", "s3cret"), Pair("host", "db.example"),
                  Pair("port", "6543"), Pair("dbname", "shop"), Pair("sslmode", "require")));
}

TEST(UrlTest, decodes_percent_signs_everywhere) {
  EXPECT_THAT(parts("postgresql://us%40er:p%3A%2F%25@ho%73t/d%20b?app%6Cication_name=a%26b+c"),
              ElementsAre(Pair("user", "us@er"), Pair("password", "p:/%"), Pair("host", "host"),
                          Pair("dbname", "d b"), Pair("application_name", "a&b+c")));
}

TEST(UrlTest, takes_several_hosts_and_ipv6) {
  EXPECT_THAT(parts("postgres://u@a:1,[::1]:2,[fe80::1],b/d"),
              ElementsAre(Pair("user", "u"), Pair("host", "a,::1,fe80::1,b"),
                          Pair("port", "1,2,5432,5432"), Pair("dbname", "d")));
}

TEST(UrlTest, takes_directories_of_unix_sockets) {
  EXPECT_THAT(parts("postgres://u@%2Fvar%2Frun/d"), Contains(Pair("host", "/var/run")));
  EXPECT_THAT(parts("postgres://u@/d?host=/var/run"), Contains(Pair("host", "/var/run")));
}

TEST(UrlTest, may_do_without_the_unix_socket_of_a_server) {
  const std::string url = "postgres://u@localhost/d";
  EXPECT_TRUE(only_database(load_url(url)).may_use_unix_socket());
  EXPECT_FALSE(only_database(load_url(url + "?prefer_unix_socket=off")).may_use_unix_socket());
  EXPECT_FALSE(only_database(load_url(url + "?sslmode=require")).may_use_unix_socket());
  EXPECT_FALSE(only_database(load_url(url + "?channel_binding=require")).may_use_unix_socket());
  const auto by_environment =
      load({.database_url = url, .environment = {{"PGWEIR_PREFER_UNIX_SOCKET", "off"}}});
  EXPECT_FALSE(only_database(by_environment).may_use_unix_socket());
}

TEST(UrlTest, keeps_an_empty_password) {
  EXPECT_THAT(parts("postgres://u:@h/d"), Contains(Pair("password", "")));
  EXPECT_THAT(parts("postgres://u@h/d"), Not(Contains(Pair("password", ""))));
}

TEST(UrlTest, translates_the_old_names_of_libpq) {
  EXPECT_THAT(parts("postgres://h?ssl=true"), Contains(Pair("sslmode", "require")));
  EXPECT_THAT(parts("postgres://h?requiressl=1"), Contains(Pair("sslmode", "require")));
  EXPECT_THAT(parts("postgres://h?requiressl=0"), ElementsAre(Pair("host", "h")));
}

struct BadUrl {
  std::string_view url;
  std::string_view line;
};

class BadUrlTest : public testing::TestWithParam<BadUrl> {};

TEST_P(BadUrlTest, says_what_is_wrong) {
  EXPECT_THAT(lines(load_url(std::string(GetParam().url)).mistakes), ElementsAre(GetParam().line));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadUrlTest,
    testing::Values(
        BadUrl{"", "DATABASE_URL: is empty; expected postgresql://user:password@host:5432/dbname"},
        BadUrl{"mysql://u:p@h/d",
               "DATABASE_URL: is no PostgreSQL URL; expected "
               "postgresql://user:password@host:5432/dbname"},
        BadUrl{"'postgres://u:p@h/d'",
               "DATABASE_URL: begins with a quotation mark, which is part "
               "of the value; leave it out"},
        BadUrl{"prisma+postgres://accelerate.example/?api_key=xyz",
               "DATABASE_URL: is a URL of Prisma's own service, which pgweir cannot stand in front "
               "of; use the direct URL of the database: expected "
               "postgresql://user:password@host:5432/dbname"},
        BadUrl{"jdbc:postgresql://h/d",
               "DATABASE_URL: is a JDBC URL; expected postgresql://user:password@host:5432/dbname"},
        BadUrl{"postgres://u:p@/d",
               "DATABASE_URL: host: is missing; expected the server's name, "
               "its address or the directory of its socket"},
        BadUrl{"postgres://h/d",
               "DATABASE_URL: user: is missing; expected postgresql://user:password@…"},
        BadUrl{"postgres://u:p@h:sesame/d", "DATABASE_URL: port: must be a number from 1 to 65535"},
        BadUrl{"postgres://u:p@h:0/d", "DATABASE_URL: port: must be a number from 1 to 65535"},
        BadUrl{"postgres://u:p@h:99999/d", "DATABASE_URL: port: must be a number from 1 to 65535"},
        BadUrl{"postgres://u:p@a,b/d?port=1,2,3", "DATABASE_URL: port: has 3 entries for 2 hosts"},
        BadUrl{"postgres://u:p@a,,b/d",
               "DATABASE_URL: host: is empty; expected a name, an address "
               "or a directory"},
        BadUrl{"postgres://u:p@a,b/d?hostaddr=1.1.1.1",
               "DATABASE_URL: hostaddr: has 1 entries for 2 hosts"},
        BadUrl{"postgres://u:se@same@h/d",
               "DATABASE_URL: user or password has a bare '@'; write it as %40"},
        BadUrl{"postgres://u:se/same@h/d",
               "DATABASE_URL: user or password has a bare '/', '?' or '#'; write %2F, %3F or %23"},
        BadUrl{"postgres://u:se?same@h/d",
               "DATABASE_URL: user or password has a bare '/', '?' or '#'; write %2F, %3F or %23"},
        BadUrl{"postgres://u:se#same@h/d",
               "DATABASE_URL: user or password has a bare '/', '?' or '#'; write %2F, %3F or %23"},
        BadUrl{"postgres://u:p%zz@h/d",
               "DATABASE_URL: password: has a bad percent sign; it takes "
               "two hexadecimal digits, and %25 is '%'"},
        BadUrl{"postgres://u:p%00@h/d",
               "DATABASE_URL: password: has a bad percent sign; it takes "
               "two hexadecimal digits, and %25 is '%'"},
        BadUrl{"postgres://u:p@h/d?conection_limit=5",
               "DATABASE_URL: conection_limit: unknown parameter; did you mean connection_limit?"},
        BadUrl{"postgres://u:p@h/d?query_wait_timeout=5",
               "DATABASE_URL: query_wait_timeout: unknown parameter; it is called pool_timeout "
               "here"},
        BadUrl{"postgres://u:p@h/d?frobnicate=5", "DATABASE_URL: frobnicate: unknown parameter"},
        BadUrl{"postgres://u:p@h/d?connection_limit=many",
               "DATABASE_URL: connection_limit: must be a whole number from 0, not 'many'"},
        BadUrl{"postgres://u:p@h/d?pool_timeout=5m",
               "DATABASE_URL: pool_timeout: must be a duration: seconds, or with a unit such as "
               "500ms, 10s or 5min, not '5m'"},
        BadUrl{"postgres://u:p@h/d?statement_timeout=-1",
               "DATABASE_URL: statement_timeout: must be a duration: milliseconds, or with a unit "
               "such as 500ms, 10s or 5min, not '-1'"},
        BadUrl{"postgres://u:p@h/d?statement_cache_size=x",
               "DATABASE_URL: statement_cache_size: must be a whole number from 0, not 'x'"},
        BadUrl{"postgres://u:p@h/d?pgbouncer=maybe",
               "DATABASE_URL: pgbouncer: must be true or false, not 'maybe'"},
        BadUrl{"postgres://u:p@h/d?pool_mode=transactoin",
               "DATABASE_URL: pool_mode: 'transactoin' is none of session, transaction, statement; "
               "did you mean transaction?"},
        BadUrl{"postgres://u:p@h/d?sslmode",
               "DATABASE_URL: sslmode: has no value; write "
               "sslmode=value"},
        BadUrl{"postgres://u:p@h/d?a b=1",
               "DATABASE_URL: has a parameter whose name is none; write "
               "key=value, and %26 for '&'"},
        BadUrl{"postgres://u:p@[::1/d",
               "DATABASE_URL: host: must be an IPv6 address in brackets, such as [::1]:5432"},
        BadUrl{"postgres://u:p@[db]/d",
               "DATABASE_URL: host: must be an IPv6 address in brackets, such as [::1]:5432"},
        BadUrl{"postgres://u:p@[::1]5432/d",
               "DATABASE_URL: host: must be an IPv6 address in brackets, such as [::1]:5432"},
        BadUrl{"postgres://u:p@h/d?gssencmode=require",
               "DATABASE_URL: gssencmode: cannot be require here: no effect: pgweir does not speak "
               "GSSAPI to servers"},
        BadUrl{"postgres://u:p@h/d?sslrootcert=system&sslmode=require",
               "DATABASE_URL: sslmode: must be verify-full with sslrootcert=system, as in libpq"},
        BadUrl{"postgres://u:p@h/d?sslkey=k",
               "DATABASE_URL: sslkey: has no certificate to go with it"},
        BadUrl{"postgres://u:p@h/d?sslnegotiation=direct",
               "DATABASE_URL: sslnegotiation: direct needs sslmode=require, verify-ca or "
               "verify-full"},
        BadUrl{"postgres://u:p@h/d?ssl_max_protocol_version=TLSv1.1",
               "DATABASE_URL: ssl_max_protocol_version: is below the lowest version allowed"}));

TEST(UrlTest, takes_the_zone_of_a_link_local_address) {
  EXPECT_THAT(parts("postgres://u@[fe80::1%25eth0]:1/d"), Contains(Pair("host", "fe80::1%eth0")));
}

TEST(UrlTest, names_all_mistakes_at_once) {
  EXPECT_THAT(
      lines(load_url("postgres://u:p@/d?pool_tmeout=1&connection_limit=x&sslmode=yes").mistakes),
      testing::SizeIs(4));
}

TEST(UrlTest, never_quotes_a_url_that_it_cannot_read) {
  for (const std::string url :
       {"postgres://u:sesame", "postgres://u:sesame@h:sesame/d", "postgres://u:?sesame@h/d?x=1",
        "postgres://u:p?q=1&sesame@h", "x://u:sesame@h", "postgres://u:%sesame@h",
        "postgres://u:1?sesame@h/d"}) {
    const LoadResult result = load_url(url);
    EXPECT_THAT(result.mistakes, Not(IsEmpty())) << url;
    for (const std::string& line : lines(result.mistakes))
      EXPECT_THAT(line, Not(HasSubstr("sesame")));
    for (const std::string& line : lines(result.notes)) EXPECT_THAT(line, Not(HasSubstr("sesame")));
  }
}

// Whether the key led to a setting that says it came from the URL.
bool has_effect(const Config& config, const std::string& key) {
  const std::string name = key == "requiressl" ? "sslmode" : key;
  for (const Scope scope : {Scope::Process, Scope::Database}) {
    const Setting* setting = find_setting(Syntax::Url, scope, name);
    if (setting == nullptr) continue;
    const Origins& origins =
        scope == Scope::Process ? config.origins : config.database_origins.begin()->second;
    if (origins.contains(setting->name)) return true;
  }
  return false;
}
bool is_explained(const LoadResult& result, const std::string& key) {
  return std::any_of(result.notes.begin(), result.notes.end(),
                     [&](const Note& note) { return note.key == key; });
}

// Every parameter of libpq (PostgreSQL 15 to 18) and of Prisma, with a value that it may have.
TEST(UrlTest, obeys_or_explains_every_parameter_of_libpq_and_prisma) {
  for (const std::string parameter : {"host=h",
                                      "hostaddr=127.0.0.1",
                                      "port=1",
                                      "dbname=d",
                                      "user=u",
                                      "password=p",
                                      "passfile=f",
                                      "channel_binding=require",
                                      "connect_timeout=3",
                                      "client_encoding=UTF8",
                                      "options=-c%20geqo%3Doff",
                                      "application_name=a",
                                      "fallback_application_name=a",
                                      "keepalives=1",
                                      "keepalives_idle=60",
                                      "keepalives_interval=5",
                                      "keepalives_count=3",
                                      "tcp_user_timeout=1000",
                                      "replication=database",
                                      "gssencmode=prefer",
                                      "sslmode=allow",
                                      "requiressl=1",
                                      "sslcompression=0",
                                      "sslcert=c",
                                      "sslpassword=p",
                                      "sslcertmode=allow",
                                      "sslrootcert=r",
                                      "sslcrl=c",
                                      "sslcrldir=d",
                                      "sslsni=1",
                                      "requirepeer=postgres",
                                      "ssl_min_protocol_version=TLSv1.2",
                                      "ssl_max_protocol_version=TLSv1.3",
                                      "min_protocol_version=3.0",
                                      "max_protocol_version=latest",
                                      "krbsrvname=k",
                                      "gsslib=gssapi",
                                      "gssdelegation=0",
                                      "service=s",
                                      "target_session_attrs=read-write",
                                      "load_balance_hosts=random",
                                      "sslnegotiation=postgres",
                                      "require_auth=scram-sha-256",
                                      "scram_client_key=k",
                                      "scram_server_key=k",
                                      "sslkeylogfile=f",
                                      "oauth_issuer=i",
                                      "oauth_client_id=i",
                                      "oauth_client_secret=i",
                                      "oauth_scope=s",
                                      "connection_limit=5",
                                      "pool_timeout=20",
                                      "socket_timeout=30",
                                      "max_connection_lifetime=60",
                                      "max_idle_connection_lifetime=60",
                                      "statement_cache_size=0",
                                      "pgbouncer=true",
                                      "schema=public",
                                      "sslaccept=strict",
                                      "sslidentity=i",
                                      "statement_timeout=1000",
                                      "lock_timeout=1s",
                                      "idle_in_transaction_session_timeout=1min",
                                      "pool_mode=session",
                                      "margin=3",
                                      "monitor_idle=0"}) {
    const LoadResult result = load_url("postgres://u:p@h/d?" + parameter);
    const Config config = good(result);
    const std::string key = parameter.substr(0, parameter.find('='));
    EXPECT_TRUE(has_effect(config, key) || is_explained(result, key)) << parameter;
  }
  EXPECT_THAT(lines(load_url("postgres://u:p@h/d?sslcert=c&sslkey=k").mistakes), IsEmpty());
}

TEST(UrlTest, alone_is_enough) {
  const Config config = good(load_url("postgres://app:secret@db/shop"));
  ASSERT_EQ(config.proxy.databases.size(), 1U);
  const proxy::DatabaseOptions& database = config.proxy.databases[0];
  EXPECT_EQ(database.name, "shop");
  EXPECT_EQ(database.server_database, "shop");
  EXPECT_EQ(database.user, "app");
  EXPECT_THAT(database.hosts, ElementsAre(proxy::ServerAddress{"db", 5432, ""}));
  ASSERT_EQ(config.proxy.users.size(), 1U);
  EXPECT_EQ(config.proxy.users[0].name, "app");
  EXPECT_EQ(config.proxy.users[0].secret.reveal(), "secret");
  EXPECT_EQ(config.proxy.auth_method, proxy::AuthMethod::ScramSha256);
  EXPECT_EQ(config.proxy.pool_mode, proxy::PoolMode::Transaction);
  EXPECT_EQ(config.budget.connection_limit, 0U);
  EXPECT_EQ(database.pool.wait_max, 10s);
  EXPECT_EQ(database.connect_timeout, 5s);
  EXPECT_EQ(database.pool.server_idle_max, 300s);
  EXPECT_EQ(database.pool.server_lifetime, 1h);
  EXPECT_EQ(database.tls.mode, proxy::SslMode::Prefer);
}

TEST(UrlTest, gives_every_parameter_its_meaning) {
  const Config config = good(load_url(
      "postgres://app:secret@db/shop?connection_limit=17&pool_timeout=0&connect_timeout=2500ms"
      "&socket_timeout=30&statement_timeout=1500&idle_in_transaction_session_timeout=10s"
      "&max_connection_lifetime=0&max_idle_connection_lifetime=1min&schema=Shop&application_name=x"
      "&options=-c%20geqo%3Doff&pool_mode=session&keepalives_idle=7&tcp_user_timeout=7"));
  const proxy::DatabaseOptions& database = config.proxy.databases.at(0);
  EXPECT_EQ(config.budget.connection_limit, 17U);
  EXPECT_EQ(database.server_count_max, pool::kUnlimited);
  EXPECT_EQ(database.pool.wait_max, 0s);
  EXPECT_EQ(database.connect_timeout, 2500ms);
  EXPECT_EQ(database.socket_timeout, 30s);
  EXPECT_EQ(database.pool.server_lifetime, 0s);
  EXPECT_EQ(database.pool.server_idle_max, 60s);
  EXPECT_EQ(config.proxy.pool_mode, proxy::PoolMode::Session);
  EXPECT_EQ(config.tcp.keepalive_idle, 7s);
  EXPECT_EQ(config.tcp.user_timeout, 7ms);
  EXPECT_THAT(database.startup_parameters,
              ElementsAre(Pair("statement_timeout", "1500"),
                          Pair("idle_in_transaction_session_timeout", "10000"),
                          Pair("search_path", "\"Shop\""), Pair("application_name", "x"),
                          Pair("options", "-c geqo=off")));
}

TEST(UrlTest, takes_a_plus_for_a_space_where_it_can_be_nothing_else) {
  EXPECT_THAT(parts("postgres://u@h/d?schema=a+b%2Bc"), Contains(Pair("schema", "a b+c")));
  EXPECT_THAT(parts("postgres://u@h/d?options=-c+geqo%3Doff+-c%20a%3Db%2Bc"),
              Contains(Pair("options", "-c geqo=off -c a=b+c")));
  EXPECT_THAT(parts("postgres://u@h/d?options=-c%20a%3Db+c"),
              Contains(Pair("options", "-c a=b+c")));
  EXPECT_THAT(parts("postgres://u@h/d?application_name=a+b"),
              Contains(Pair("application_name", "a+b")));
}

TEST(UrlTest, quotes_the_schema_as_an_identifier) {
  EXPECT_THAT(only_database(load_url("postgres://u:p@h/d?schema=a%22b")).startup_parameters,
              ElementsAre(Pair("search_path", "\"a\"\"b\"")));
}

TEST(UrlTest, falls_back_on_a_name_of_the_application) {
  EXPECT_THAT(
      only_database(load_url("postgres://u:p@h/d?fallback_application_name=a")).startup_parameters,
      ElementsAre(Pair("application_name", "a")));
  EXPECT_THAT(
      only_database(load_url("postgres://u:p@h/d?fallback_application_name=a&application_name=b"))
          .startup_parameters,
      ElementsAre(Pair("application_name", "b")));
}

TEST(UrlTest, lets_a_parameter_beat_the_host_of_the_url) {
  EXPECT_THAT(only_database(load_url("postgres://u:p@h:7/d?host=/run/pg")).hosts,
              ElementsAre(proxy::ServerAddress{"/run/pg", 7, ""}));
}

TEST(UrlTest, names_the_database_after_the_user_when_there_is_no_name) {
  const LoadResult result = load_url("postgres://u:p@h");
  EXPECT_THAT(lines(result.notes),
              ElementsAre("DATABASE_URL: dbname: is missing; it is the user's name then, as in "
                          "libpq"));
  EXPECT_EQ(only_database(result).name, "u");
}

TEST(UrlTest, trusts_clients_without_a_password_only_at_home) {
  const LoadResult home = load_url("postgres://u@h/d");
  EXPECT_EQ(good(home).proxy.auth_method, proxy::AuthMethod::Trust);
  EXPECT_THAT(lines(home.notes),
              ElementsAre("DATABASE_URL: has no password, so clients need none"));
  const LoadResult away =
      load({.database_url = "postgres://u@h/d", .options = {{"listen", "0.0.0.0:6432"}}});
  EXPECT_THAT(lines(away.mistakes),
              ElementsAre("DATABASE_URL: has no password, so clients would need none either, from "
                          "anywhere; set auth_type = \"trust\" if that is meant, or listen on "
                          "127.0.0.1"));
  EXPECT_TRUE(load({.database_url = "postgres://u@h/d",
                    .environment = {{"PGWEIR_AUTH_TYPE", "trust"}},
                    .options = {{"listen", "0.0.0.0:6432"}}})
                  .config.has_value());
}

TEST(UrlTest, notes_what_has_no_effect) {
  EXPECT_THAT(lines(load_url("postgres://u:p@h/d?pgbouncer=true").notes),
              ElementsAre("DATABASE_URL: pgbouncer: no effect: prepared statements work through "
                          "pgweir"));
}

}  // namespace
}  // namespace pgweir::config
