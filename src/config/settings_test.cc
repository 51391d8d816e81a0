#include "config/settings.h"

#include <set>

#include "config/assemble.h"
#include "config/compare.h"
#include "config/effective.h"
#include "config/loading_test.h"
#include "config/without_effect.h"

namespace pgweir::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<const Setting*> all_settings() {
  std::vector<const Setting*> all;
  for (const SettingGroup& group : setting_groups()) {
    for (const Setting& setting : group.settings) all.push_back(&setting);
  }
  return all;
}

std::vector<std::string> names(const std::vector<Change>& changes) {
  std::vector<std::string> out;
  for (const Change& change : changes) out.push_back(change.name);
  return out;
}

const EffectiveRow* find_row(const std::vector<EffectiveRow>& rows, std::string_view name) {
  for (const EffectiveRow& row : rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

TEST(SettingsTest, are_complete_rows) {
  std::set<std::string_view> seen;
  for (const Setting* setting : all_settings()) {
    EXPECT_TRUE(seen.insert(setting->name).second) << setting->name;
    EXPECT_TRUE(setting->process || setting->database || setting->user) << setting->name;
    EXPECT_FALSE(setting->type().empty()) << setting->name;
    EXPECT_TRUE(setting->doc.ends_with('.')) << setting->name;
    EXPECT_FALSE(setting->url.key.empty() && setting->toml.key.empty() && setting->ini.key.empty())
        << setting->name;
    EXPECT_EQ(setting->toml.unit, Unit::None) << setting->name;
  }
}

TEST(SettingsTest, have_one_row_for_each_key_of_a_syntax) {
  for (const Syntax syntax : {Syntax::Url, Syntax::Toml, Syntax::Ini}) {
    for (const Scope scope : {Scope::Process, Scope::Database, Scope::User}) {
      std::set<std::string_view> seen;
      for (const Setting* setting : all_settings()) {
        const std::string_view key = setting->spelling(syntax).key;
        if (key.empty() || !has_scope(*setting, scope)) continue;
        EXPECT_TRUE(seen.insert(key).second) << key;
        EXPECT_EQ(find_setting(syntax, scope, key), setting) << key;
        EXPECT_EQ(find_without_effect(syntax, scope, key), nullptr) << key;
      }
    }
  }
}

TEST(SettingsTest, give_bare_durations_a_unit_wherever_they_may_be_bare) {
  for (const Setting* setting : all_settings()) {
    if (setting->type() != "duration") continue;
    EXPECT_TRUE(setting->url.key.empty() || setting->url.unit != Unit::None) << setting->name;
    EXPECT_TRUE(setting->ini.key.empty() || setting->ini.unit != Unit::None) << setting->name;
  }
}

TEST(SettingsTest, read_back_what_they_show) {
  const Config defaults = default_config(Syntax::Toml);
  for (const Setting* setting : all_settings()) {
    if (!setting->process || setting->is_secret()) continue;
    ProcessDraft draft;
    const std::string shown = setting->process.render(defaults);
    EXPECT_EQ(setting->process.parse({.text = shown, .number_max = setting->number_max}, draft),
              std::nullopt)
        << setting->name << " = " << shown;
    EXPECT_TRUE(setting->process.is_equal(defaults, draft)) << setting->name;
  }
}

// Every setting of PgBouncer 1.25, in the order of its SHOW CONFIG.
TEST(SettingsTest, know_every_setting_of_pgbouncer) {
  for (const std::string_view key : {"admin_users",
                                     "application_name_add_host",
                                     "auth_dbname",
                                     "auth_file",
                                     "auth_hba_file",
                                     "auth_ident_file",
                                     "auth_ldap_options",
                                     "auth_query",
                                     "auth_type",
                                     "auth_user",
                                     "autodb_idle_timeout",
                                     "cancel_wait_timeout",
                                     "client_idle_timeout",
                                     "client_login_timeout",
                                     "client_tls13_ciphers",
                                     "client_tls_ca_file",
                                     "client_tls_cert_file",
                                     "client_tls_ciphers",
                                     "client_tls_dheparams",
                                     "client_tls_ecdhcurve",
                                     "client_tls_key_file",
                                     "client_tls_protocols",
                                     "client_tls_sslmode",
                                     "conffile",
                                     "default_pool_size",
                                     "disable_pqexec",
                                     "dns_max_ttl",
                                     "dns_nxdomain_ttl",
                                     "dns_zone_check_period",
                                     "idle_transaction_timeout",
                                     "ignore_startup_parameters",
                                     "job_name",
                                     "listen_addr",
                                     "listen_backlog",
                                     "listen_port",
                                     "log_connections",
                                     "log_disconnections",
                                     "log_pooler_errors",
                                     "log_stats",
                                     "logfile",
                                     "login_notify_message",
                                     "max_client_conn",
                                     "max_db_client_connections",
                                     "max_db_connections",
                                     "max_packet_size",
                                     "max_prepared_statements",
                                     "max_user_client_connections",
                                     "max_user_connections",
                                     "min_pool_size",
                                     "peer_id",
                                     "pidfile",
                                     "pkt_buf",
                                     "pool_mode",
                                     "pool_idle_timeout",
                                     "query_timeout",
                                     "query_wait_notify",
                                     "query_wait_timeout",
                                     "reserve_pool_size",
                                     "reserve_pool_timeout",
                                     "resolv_conf",
                                     "sbuf_loopcnt",
                                     "scram_iterations",
                                     "server_check_delay",
                                     "server_check_query",
                                     "server_connect_timeout",
                                     "server_fast_close",
                                     "server_idle_timeout",
                                     "server_lifetime",
                                     "server_login_retry",
                                     "server_reset_query",
                                     "server_reset_query_always",
                                     "server_round_robin",
                                     "server_tls13_ciphers",
                                     "server_tls_ca_file",
                                     "server_tls_cert_file",
                                     "server_tls_ciphers",
                                     "server_tls_key_file",
                                     "server_tls_protocols",
                                     "server_tls_sslmode",
                                     "service_name",
                                     "so_reuseport",
                                     "stats_period",
                                     "stats_users",
                                     "suspend_timeout",
                                     "syslog",
                                     "syslog_facility",
                                     "syslog_ident",
                                     "tcp_defer_accept",
                                     "tcp_keepalive",
                                     "tcp_keepcnt",
                                     "tcp_keepidle",
                                     "tcp_keepintvl",
                                     "tcp_socket_buffer",
                                     "tcp_user_timeout",
                                     "track_extra_parameters",
                                     "transaction_timeout",
                                     "unix_socket_dir",
                                     "unix_socket_group",
                                     "unix_socket_mode",
                                     "user",
                                     "verbose"}) {
    EXPECT_TRUE(find_setting(Syntax::Ini, Scope::Process, key) != nullptr ||
                find_without_effect(Syntax::Ini, Scope::Process, key) != nullptr)
        << key;
  }
}

TEST(SettingsTest, of_databases_and_users_are_those_of_pgbouncer) {
  for (const std::string_view key : {"dbname",
                                     "host",
                                     "port",
                                     "user",
                                     "password",
                                     "auth_user",
                                     "auth_query",
                                     "auth_dbname",
                                     "client_encoding",
                                     "datestyle",
                                     "timezone",
                                     "application_name",
                                     "pool_size",
                                     "min_pool_size",
                                     "reserve_pool_size",
                                     "max_db_connections",
                                     "max_db_client_connections",
                                     "server_lifetime",
                                     "load_balance_hosts",
                                     "pool_mode",
                                     "connect_query",
                                     "query_wait_timeout"}) {
    EXPECT_TRUE(find_setting(Syntax::Ini, Scope::Database, key) != nullptr ||
                find_without_effect(Syntax::Ini, Scope::Database, key) != nullptr)
        << key;
  }
  for (const std::string_view key :
       {"pool_mode", "pool_size", "reserve_pool_size", "max_user_connections",
        "max_user_client_connections", "query_timeout", "idle_transaction_timeout",
        "transaction_timeout", "client_idle_timeout", "query_wait_timeout"}) {
    EXPECT_NE(find_setting(Syntax::Ini, Scope::User, key), nullptr) << key;
  }
}

TEST(EffectiveTest, shows_value_default_and_source) {
  const Config config =
      good(load({.file = ConfigFile{"pgweir.toml", "\npool_mode = 'session'\n"},
                 .database_url = "postgres://u:p@h/d?pool_timeout=3&sslmode=require",
                 .environment = {{"PGWEIR_MARGIN", "2"}, {"HOME", "/"}},
                 .options = {{"listen", "[::1]:7000"}, {"http", "off"}}}));
  const auto rows = effective_rows(config);
  const auto expect = [&](std::string_view name, std::string_view value, std::string_view source) {
    const EffectiveRow* row = find_row(rows, name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(row->value, value) << name;
    EXPECT_EQ(row->source, source) << name;
  };
  expect("pool_mode", "session", "pgweir.toml:2");
  expect("query_wait_timeout", "3s", "DATABASE_URL");
  expect("margin", "2", "PGWEIR_MARGIN");
  expect("listen_addr", "::1", "--listen");
  expect("listen_port", "7000", "--listen");
  expect("http", "off", "--http");
  expect("max_client_conn", "0", "default");
  expect("databases.d.sslmode", "require", "DATABASE_URL");
  expect("databases.d.password", "****", "DATABASE_URL");
  EXPECT_EQ(find_row(rows, "query_wait_timeout")->default_value, "30s");
}

TEST(EffectiveTest, never_shows_a_secret) {
  const LoadResult result = load(
      {.file = ConfigFile{"pgweir.toml",
                          "[users.x]\npassword = 'sesame'\n[databases.d]\n"
                          "url = 'postgres://u:sesame@h/d?sslpassword=sesame&sslidentity=f'\n"},
       .database_url = "postgres://u:sesame@h/d",
       .reader = files({})});
  const Config config = good(result);
  EXPECT_THAT(render_effective(config), Not(HasSubstr("sesame")));
  EXPECT_THAT(render_effective(config), HasSubstr("databases.d.sslpassword"));
  const Config other = good(load_url("postgres://u:other@h/d"));
  for (const Change& change : compare(config, other)) {
    EXPECT_THAT(change.before + change.after, Not(HasSubstr("sesame")));
  }
}

TEST(EffectiveTest, explains_every_setting) {
  const std::string help = render_settings_help();
  for (const Setting* setting : all_settings()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(setting->name) + " <"));
  }
  EXPECT_THAT(help,
              HasSubstr("  query_wait_timeout <duration> = 30s\n"
                        "      Longest that a client waits for a server before it is refused; "
                        "0 = no limit.\n"
                        "      toml: query_wait_timeout, url: pool_timeout (s) = 10s, ini: "
                        "query_wait_timeout (s) = 120s; changes: live\n"));
}

TEST(CompareTest, finds_nothing_between_equals) {
  constexpr auto kUrl = "postgres://u:p@h/d?sslmode=require&statement_timeout=5";
  EXPECT_THAT(compare(good(load_url(kUrl)), good(load_url(kUrl))), IsEmpty());
}

TEST(CompareTest, names_what_changed_and_what_that_needs) {
  const Config before =
      good(load_toml("listen_port = 1\n[databases.a]\nhost = 'h'\n[databases.b]\nhost = 'h'\n"
                     "[users.u]\npassword = 'p'\n"));
  const Config after = good(load_toml(
      "listen_port = 2\nmax_client_conn = 5\n[databases.a]\nhost = 'i'\nstatement_timeout = '5s'\n"
      "[databases.c]\nhost = 'h'\n[users.u]\npassword = 'q'\n"));
  const std::vector<Change> changes = compare(before, after);
  EXPECT_THAT(names(changes),
              ElementsAre("max_client_conn", "listen_port", "databases.b", "databases.a.host",
                          "databases.a.statement_timeout", "databases.c", "users.u.password"));
  EXPECT_EQ(changes[0].reload, Reload::Live);
  EXPECT_EQ(changes[1].reload, Reload::Restart);
  EXPECT_EQ(changes[1].before, "1");
  EXPECT_EQ(changes[1].after, "2");
  EXPECT_EQ(changes[2].kind, Change::Kind::Removed);
  EXPECT_EQ(changes[3].reload, Reload::NewConnections);
  EXPECT_EQ(changes[5].kind, Change::Kind::Added);
  EXPECT_EQ(changes[6].before, "****");
}

}  // namespace
}  // namespace pgweir::config
