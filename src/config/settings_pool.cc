// How many servers, for how long, and who waits for them.
#include "config/settings.h"

namespace pgweir::config {
namespace {

using B = budget::Options;
using D = proxy::DatabaseOptions;
using P = pool::Options;
using U = proxy::UserOptions;
using enum Reload;
using enum Unit;

constexpr std::array kPool{
    Setting{.name = "connection_limit",
            .reload = Restart,
            .url = {"connection_limit"},
            .toml = {"connection_limit"},
            .process = at<&Config::budget, &B::connection_limit>(),
            .database = limit<&D::server_count_max>(),
            .doc = "Most connections of this process, or of one database entry; 0 = as many as "
                   "the server can spare."},
    Setting{
        .name = "margin",
        .reload = Restart,
        .url = {"margin"},
        .toml = {"margin"},
        .process = at<&Config::budget, &B::margin>(),
        .doc = "Slots of the server left alone when connection_limit is 0; 0 = 3 %, at least 1."},
    Setting{
        .name = "health_interval",
        .reload = Restart,
        .toml = {"health_interval"},
        .process = at<&Config::budget, &B::health_interval>(),
        .doc = "How often the server's health is read while clients are active; 5 s or this, if it "
               "is longer, while none of them asks for anything."},
    Setting{.name = "monitor_idle",
            .reload = Restart,
            .url = {"monitor_idle", {}, Seconds},
            .toml = {"monitor_idle"},
            .process = at<&Config::budget, &B::monitor_idle>(),
            .doc = "After so long without clients the service connection closes; 0 = it stays."},
    Setting{.name = "default_pool_size",
            .toml = {"default_pool_size"},
            .ini = {"default_pool_size", "20"},
            .process = limit<&Config::database_defaults, &D::pool, &P::server_count_max>(),
            .doc = "Most servers of one database and user; 0 = only the other limits hold."},
    Setting{.name = "pool_size",
            .url = {"pool_size"},
            .toml = {"pool_size"},
            .ini = {"pool_size"},
            .database = limit<&D::pool, &P::server_count_max>(),
            .user = coded<OptionalLimitCodec, &U::pool_size>(),
            .doc = "Most servers of each pool of this database or user; 0 = no limit of its own."},
    Setting{.name = "min_pool_size",
            .url = {"min_pool_size"},
            .toml = {"min_pool_size"},
            .ini = {"min_pool_size"},
            .process = database_default<&D::pool, &P::server_count_min>(),
            .database = at<&D::pool, &P::server_count_min>(),
            .doc = "Servers that a pool in use keeps open although they are idle."},
    Setting{.name = "reserve_pool_size",
            .toml = {"reserve_pool_size"},
            .ini = {"reserve_pool_size"},
            .process = database_default<&D::pool, &P::server_count_reserve>(),
            .database = at<&D::pool, &P::server_count_reserve>(),
            .user = at<&U::pool_reserve>(),
            .doc = "Servers beyond the pool's size for clients that waited reserve_pool_timeout."},
    Setting{.name = "reserve_pool_timeout",
            .toml = {"reserve_pool_timeout"},
            .ini = {"reserve_pool_timeout", {}, Seconds},
            .process = database_default<&D::pool, &P::reserve_after>(),
            .doc = "How long a client waits before it may use the reserve; 0 = never."},
    Setting{.name = "max_db_connections",
            .toml = {"max_db_connections"},
            .ini = {"max_db_connections"},
            .process = limit<&Config::database_defaults, &D::server_count_max>(),
            .database = limit<&D::server_count_max>(),
            .doc = "Most servers of one database entry over all its users; 0 = no limit."},
    Setting{
        .name = "max_user_connections",
        .toml = {"max_user_connections"},
        .ini = {"max_user_connections"},
        .process = limit<&Config::proxy, &proxy::Options::user_defaults, &U::server_count_max>(),
        .user = limit<&U::server_count_max>(),
        .doc = "Most servers of one user over all databases; 0 = no limit."},
    Setting{.name = "query_wait_timeout",
            .url = {"pool_timeout", "10s", Seconds},
            .toml = {"query_wait_timeout"},
            .ini = {"query_wait_timeout", "120s", Seconds},
            .process = database_default<&D::pool, &P::wait_max>(),
            .database = at<&D::pool, &P::wait_max>(),
            .user = at<&U::wait_max>(),
            .doc = "Longest that a client waits for a server before it is refused; 0 = no limit."},
    Setting{.name = "query_wait_notify",
            .toml = {"query_wait_notify"},
            .ini = {"query_wait_notify", {}, Seconds},
            .process = database_default<&D::pool, &P::wait_notice_after>(),
            .doc = "How long a client waits before a NOTICE tells it so; 0 = never."},
    Setting{.name = "waiting_clients_max",
            .url = {"max_waiters"},
            .toml = {"waiting_clients_max"},
            .process = limit<&Config::database_defaults, &D::pool, &P::waiter_count_max>(),
            .database = limit<&D::pool, &P::waiter_count_max>(),
            .doc = "Most clients that wait in one pool; more are refused at once; 0 = no limit."},
    Setting{.name = "server_lifetime",
            .url = {"max_connection_lifetime", {}, Seconds},
            .toml = {"server_lifetime"},
            .ini = {"server_lifetime", "3600s", Seconds, "1us"},
            .process = database_default<&D::pool, &P::server_lifetime>(),
            .database = at<&D::pool, &P::server_lifetime>(),
            .doc = "Age, give or take a quarter, at which a server is replaced; 0 = never (in "
                   "pgbouncer.ini: after one use)."},
    Setting{.name = "server_idle_timeout",
            .url = {"max_idle_connection_lifetime", "300s", Seconds},
            .toml = {"server_idle_timeout"},
            .ini = {"server_idle_timeout", "600s", Seconds},
            .process = database_default<&D::pool, &P::server_idle_max>(),
            .database = at<&D::pool, &P::server_idle_max>(),
            .doc = "A server that nobody used for so long is closed; 0 = never."},
    Setting{.name = "server_login_parallel_max",
            .toml = {"server_login_parallel_max"},
            .process = database_default<&D::pool, &P::login_parallel_max>(),
            .doc = "Logins to servers of one pool that may be under way at a time.",
            .number_min = 1},
    Setting{.name = "server_login_retry",
            .toml = {"server_login_retry"},
            .ini = {"server_login_retry", "15s", Seconds},
            .process = database_default<&D::pool, &P::login_backoff_max>(),
            .doc = "Longest pause after a failed login to a server; the first is 100 ms."},
};

}  // namespace

SettingGroup pool_settings() { return {"Pools", kPool}; }

}  // namespace pgweir::config
