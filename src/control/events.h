// Events of the control thread: each is a log line, a counter and a manual entry in one.
#pragma once

#include "obs/event.h"

namespace pgweir::control {

inline constexpr obs::Event kLimitChanged{
    .name = "limit_changed",
    .level = obs::Level::Info,
    .label = "bound",
    .doc =
        "pgweir may hold `limit` connections to `node` from now on, over all roles and databases. "
        "`bound` says what binds it, "
        "`others` how many connections of others it leaves room for."};
inline constexpr obs::Event kNodeAnswers{
    .name = "node_answers",
    .level = obs::Level::Info,
    .label = "",
    .doc = "`node` answers the service connection: at the start, and again after a failure."};
inline constexpr obs::Event kNodeFailed{
    .name = "node_failed",
    .level = obs::Level::Warning,
    .label = "reason",
    .doc =
        "`node` did not answer the service connection. `problem` is what it or the network "
        "said, `next` what to do; pgweir tries again by itself."};
inline constexpr obs::Event kDiscoveryUnusable{
    .name = "discovery_unusable",
    .level = obs::Level::Warning,
    .label = "",
    .doc =
        "What `node` says about its limits cannot be used, for the reason in `problem`; the "
        "configured sizes hold."};
inline constexpr obs::Event kUnixSocketFound{
    .name = "unix_socket_found",
    .level = obs::Level::Info,
    .label = "",
    .doc =
        "Behind the Unix socket `path` is the same server as behind `node`: new connections to it "
        "use the socket (prefer_unix_socket)."};
inline constexpr obs::Event kUnixSocketUnused{
    .name = "unix_socket_unused",
    .level = obs::Level::Info,
    .label = "",
    .doc =
        "`node` is on this machine, but no Unix socket leads to it, for the reason in `problem`; "
        "all connections use TCP as long as pgweir runs."};
inline constexpr obs::Event kLostServerGone{
    .name = "lost_server_gone",
    .level = obs::Level::Info,
    .label = "",
    .doc =
        "A connection to `node` whose end nobody had seen is gone from the server; its slot is "
        "free again."};

}  // namespace pgweir::control
