// Events of the proxy: each is a log line, a counter and a manual entry in one (obs/event.h).
#pragma once

#include "obs/event.h"

namespace pgweir::proxy {

inline constexpr obs::Event kLoginRefused{
    .name = "login_refused",
    .level = obs::Level::Info,
    .label = "reason",
    .doc = "A client was turned away before it was logged in; `reason` says at which step."};
inline constexpr obs::Event kClientLoggedIn{.name = "client_logged_in",
                                            .level = obs::Level::Info,
                                            .label = "",
                                            .topic = obs::Topic::Connections,
                                            .doc = "A client logged in and was welcomed."};
inline constexpr obs::Event kClientClosed{
    .name = "client_closed",
    .level = obs::Level::Info,
    .label = "reason",
    .topic = obs::Topic::Disconnections,
    .doc = "A client's connection ended; `reason` says who ended it and why."};
inline constexpr obs::Event kClientRefused{
    .name = "client_refused",
    .level = obs::Level::Warning,
    .label = "sqlstate",
    .doc = "A client that waited for a server was told no; `problem` is what it was told."};
inline constexpr obs::Event kClientError{
    .name = "client_error",
    .level = obs::Level::Info,
    .label = "sqlstate",
    .topic = obs::Topic::ClientErrors,
    .doc = "pgweir itself sent an error to a client, at its login or later."};
inline constexpr obs::Event kServerError{
    .name = "server_error",
    .level = obs::Level::Debug,
    .label = "sqlstate",
    .doc = "PostgreSQL answered a client's statement with an error, which was passed on."};
inline constexpr obs::Event kClientPinned{
    .name = "client_pinned",
    .level = obs::Level::Info,
    .label = "reason",
    .doc =
        "A client keeps its server between transactions, because of session state that pgweir "
        "cannot carry to another one."};
inline constexpr obs::Event kServerOpened{.name = "server_opened",
                                          .level = obs::Level::Info,
                                          .label = "",
                                          .doc = "A server connection was opened and logged in."};
inline constexpr obs::Event kServerLoginFailed{
    .name = "server_login_failed",
    .level = obs::Level::Warning,
    .label = "sqlstate",
    .doc = "A server connection could not be opened; `problem` is the server's reason."};
inline constexpr obs::Event kUnixSocketGivenUp{
    .name = "unix_socket_given_up",
    .level = obs::Level::Info,
    .label = "sqlstate",
    .doc =
        "A login over the Unix socket of `server` failed, for the reason in `problem`, and came "
        "about over TCP; all logins there use TCP from now on."};
inline constexpr obs::Event kServerClosed{
    .name = "server_closed",
    .level = obs::Level::Info,
    .label = "reason",
    .doc = "pgweir closes a server connection; `reason` says why."};
inline constexpr obs::Event kServerDied{
    .name = "server_died",
    .level = obs::Level::Warning,
    .label = "cause",
    .doc =
        "A server connection ended without our doing; clients that had a statement under way "
        "were told."};
inline constexpr obs::Event kServersLost{
    .name = "servers_lost",
    .level = obs::Level::Warning,
    .label = "",
    .doc =
        "The end of a server connection was not seen; its permit is held until the server is "
        "known to have no such backend any more."};
inline constexpr obs::Event kIdleTransactionEnded{
    .name = "idle_transaction_ended",
    .level = obs::Level::Warning,
    .label = "",
    .doc =
        "A client idled in a transaction for longer than idle_transaction_timeout while others "
        "waited; it was rolled back and the client disconnected."};

}  // namespace pgweir::proxy
