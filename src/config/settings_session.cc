// Clients: how many, who may log in, what a session may do and for how long.
#include "config/fields.h"
#include "config/settings.h"

namespace pgweir::config {
namespace {

using D = proxy::DatabaseOptions;
using O = proxy::Options;
using U = proxy::UserOptions;
using enum Reload;
using enum Unit;

constexpr ProcessField auth_file() {
  return {
      .parse = [](const Input& input,
                  ProcessDraft& to) { return Codec<std::string>::parse(input, to.auth_file); },
      .render = [](const Config&) { return std::string(); },
      // What matters is who is in it: those are compared as users.
      .is_equal = [](const Config&, const Config&) { return true; },
      .type = [] { return std::string("path"); },
  };
}

constexpr std::array kClients{
    Setting{.name = "auth_type",
            .reload = NewConnections,
            .toml = {"auth_type"},
            .ini = {"auth_type", "md5"},
            .process = at<&Config::proxy, &O::auth_method>(),
            .doc = "How clients prove who they are."},
    Setting{.name = "auth_file",
            .reload = NewConnections,
            .toml = {"auth_file"},
            .ini = {"auth_file"},
            .process = auth_file(),
            .doc = "File of users and passwords in PgBouncer's format."},
    Setting{.name = "scram_iterations",
            .reload = NewConnections,
            .toml = {"scram_iterations"},
            .ini = {"scram_iterations"},
            .process = at<&Config::proxy, &O::scram_iterations>(),
            .doc = "Iterations of SCRAM-SHA-256 where pgweir itself hashes a plain password.",
            .number_min = 1,
            .number_max = 100'000'000},
    Setting{.name = "max_client_conn",
            .url = {"max_client_conn"},
            .toml = {"max_client_conn"},
            .ini = {"max_client_conn", "100"},
            .process = at<&Config::proxy, &O::client_count_max>(),
            .doc = "Most clients; 0 = as many as the limit on open files allows."},
    Setting{.name = "max_db_client_connections",
            .toml = {"max_db_client_connections"},
            .ini = {"max_db_client_connections"},
            .process = limit<&Config::database_defaults, &D::client_count_max>(),
            .database = limit<&D::client_count_max>(),
            .doc = "Most clients of one database; 0 = no limit."},
    Setting{.name = "max_user_client_connections",
            .toml = {"max_user_client_connections"},
            .ini = {"max_user_client_connections"},
            .process = limit<&Config::proxy, &O::user_defaults, &U::client_count_max>(),
            .user = limit<&U::client_count_max>(),
            .doc = "Most clients of one user; 0 = no limit."},
    Setting{.name = "client_login_timeout",
            .reload = NewConnections,
            .toml = {"client_login_timeout"},
            .ini = {"client_login_timeout", {}, Seconds},
            .process = at<&Config::proxy, &O::client_login_timeout>(),
            .doc = "Longest that a client's login may take; 0 = no limit."},
    Setting{
        .name = "client_idle_timeout",
        .toml = {"client_idle_timeout"},
        .ini = {"client_idle_timeout", {}, Seconds},
        .process = at<&Config::proxy, &O::client_idle_timeout>(),
        .user = at<&U::client_idle_timeout>(),
        .doc = "A client that is silent outside of transactions for so long is closed; 0 = never."},
};

constexpr std::array kSession{
    Setting{.name = "pool_mode",
            .reload = NewConnections,
            .url = {"pool_mode"},
            .toml = {"pool_mode"},
            .ini = {"pool_mode", "session"},
            .process = at<&Config::proxy, &O::pool_mode>(),
            .database = at<&D::pool_mode>(),
            .user = at<&U::pool_mode>(),
            .doc = "For how long a client keeps a server."},
    Setting{.name = "max_prepared_statements",
            .reload = NewConnections,
            .url = {"max_prepared_statements"},
            .toml = {"max_prepared_statements"},
            .ini = {"max_prepared_statements"},
            .process = at<&Config::proxy, &O::statements_per_server_max>(),
            .doc = "Prepared statements kept on each server; 0 = names pass through as they are."},
    Setting{
        .name = "query_timeout",
        .toml = {"query_timeout"},
        .ini = {"query_timeout", {}, Seconds},
        .process = at<&Config::proxy, &O::query_timeout>(),
        .user = at<&U::query_timeout>(),
        .doc = "Longest that a query may run before client and server are closed; 0 = no limit."},
    Setting{.name = "transaction_timeout",
            .toml = {"transaction_timeout"},
            .ini = {"transaction_timeout", {}, Seconds},
            .process = at<&Config::proxy, &O::transaction_timeout>(),
            .user = at<&U::transaction_timeout>(),
            .doc = "Longest that a transaction may last; 0 = no limit."},
    Setting{.name = "idle_transaction_timeout",
            .url = {"idle_transaction_timeout", {}, Seconds},
            .toml = {"idle_transaction_timeout"},
            .ini = {"idle_transaction_timeout", "0", Seconds},
            .process = at<&Config::proxy, &O::idle_transaction_timeout>(),
            .user = at<&U::idle_transaction_timeout>(),
            .doc =
                "Longest that a transaction may be idle while others wait for its server; 0 = no "
                "limit."},
    Setting{.name = "idle_transaction_timeout_always",
            .toml = {"idle_transaction_timeout_always"},
            .ini = {{}, "true"},
            .process = at<&Config::proxy, &O::is_idle_timeout_eager>(),
            .doc = "idle_transaction_timeout acts although nobody waits, as in PgBouncer."},
    Setting{.name = "max_discard",
            .toml = {"max_discard"},
            .process = at<&Config::proxy, &O::discard_bytes_max>(),
            .doc = "Most bytes of a result that are read and dropped to save a server whose client "
                   "vanished."},
    Setting{.name = "discard_timeout",
            .toml = {"discard_timeout"},
            .process = at<&Config::proxy, &O::discard_time_max>(),
            .doc = "Longest that this may take; then the server is closed."},
    Setting{.name = "cancel_timeout",
            .toml = {"cancel_timeout"},
            .process = at<&Config::proxy, &O::cancel_timeout>(),
            .doc = "Longest that a cancel may take; then the server that it is for is closed."},
    Setting{.name = "server_close_timeout",
            .toml = {"server_close_timeout"},
            .process = at<&Config::proxy, &O::server_close_timeout>(),
            .doc = "How long a closed server has to confirm its end; then it counts as lost."},
    Setting{.name = "server_reset_query",
            .toml = {"server_reset_query"},
            .ini = {"server_reset_query"},
            .process = at<&Config::proxy, &O::server_reset_query>(),
            .doc = "Cleans a server of a session's state before the next client gets it."},
    Setting{.name = "server_reset_query_always",
            .toml = {"server_reset_query_always"},
            .ini = {"server_reset_query_always"},
            .process = at<&Config::proxy, &O::has_reset_always>(),
            .doc = "server_reset_query runs in transaction mode too."},
    Setting{.name = "ignore_startup_parameters",
            .reload = NewConnections,
            .toml = {"ignore_startup_parameters"},
            .ini = {"ignore_startup_parameters"},
            .process = at<&Config::proxy, &O::ignored_startup_parameters>(),
            .doc = "Startup parameters of clients that are accepted and dropped."},
    Setting{.name = "error_detail",
            .url = {"error_detail"},
            .toml = {"error_detail"},
            .ini = {{}, "none"},
            .process = at<&Config::proxy, &O::error_detail>(),
            .doc = "What a refused client is told about who holds the connections."},
};

}  // namespace

SettingGroup client_settings() { return {"Clients", kClients}; }
SettingGroup session_settings() { return {"Sessions", kSession}; }

}  // namespace pgweir::config
