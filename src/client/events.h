// Events of the library: each is a log line, a counter and a manual entry in one.
#pragma once

#include "obs/event.h"

namespace pgweir::client {

inline constexpr obs::Event kLeaseOverdue{
    .name = "lease_overdue",
    .level = obs::Level::Warning,
    .doc =
        "A connection was asked for at `at` and has not come back for `held_s`, which is longer "
        "than leak_threshold: somebody forgot it, or holds it while doing something else."};
inline constexpr obs::Event kLeaseCameBack{
    .name = "lease_came_back",
    .level = obs::Level::Info,
    .doc = "A connection that was reported as overdue came back after `held_s`."};
inline constexpr obs::Event kNestedAcquire{
    .name = "nested_acquire",
    .level = obs::Level::Warning,
    .doc =
        "The thread that waits for a connection at `at` has one already, since `held_at`; when "
        "all threads do that the pool stands still. Pass the first connection on instead."};
inline constexpr obs::Event kBlockedLoop{
    .name = "blocked_event_loop",
    .level = obs::Level::Warning,
    .doc =
        "The call at `at` blocks a thread that runs an event loop, and with it everybody who is "
        "served there. Use the asynchronous form (pgweir/asio.hpp), or another thread. Said once "
        "for each place."};
inline constexpr obs::Event kSecondPool{
    .name = "second_pool",
    .level = obs::Level::Warning,
    .doc =
        "A second pool for `database` was made at `at`; the first one is of `first_at`. Each "
        "takes connections of its own: make one for the whole process, as database() does."};
inline constexpr obs::Event kManyRows{
    .name = "many_rows",
    .level = obs::Level::Warning,
    .doc =
        "The statement at `at` brought `rows` rows, more than warn_rows. Bound it by LIMIT, ask "
        "for pages, or say max_rows where so many are meant."};
inline constexpr obs::Event kLoginFailed{
    .name = "login_failed",
    .level = obs::Level::Warning,
    .doc =
        "`database` refused a connection (`sqlstate`) or did not answer; `problem` says why and "
        "what to do. "
        "The pool tries again by itself, unless trying cannot help."};
inline constexpr obs::Event kBehindPgweir{
    .name = "behind_pgweir",
    .level = obs::Level::Info,
    .doc =
        "Between this pool and `database` is pgweir, of `version`; the pool opens `limit` "
        "connections at most, which are few where the URL does not say how many."};
inline constexpr obs::Event kLimitTooHigh{
    .name = "limit_too_high",
    .level = obs::Level::Warning,
    .doc =
        "The pool for `database` may open `connection_limit` connections, and the server gives at "
        "most `server_limit` to all that use it; `problem` says why and what to do. Said at the "
        "first login."};
inline constexpr obs::Event kStatementsLost{
    .name = "statements_lost",
    .level = obs::Level::Warning,
    .doc =
        "What this pool had prepared at `database` was gone for the third time, now at `at`; it "
        "prepares nothing any more. Either the program deallocates (DISCARD ALL), or a pooler is "
        "in "
        "between that loses prepared statements: add pgbouncer=true to the URL."};
inline constexpr obs::Event kConnectionOpened{
    .name = "connection_opened",
    .level = obs::Level::Debug,
    .doc = "A connection to `database` was opened; its server process is `pid`."};

}  // namespace pgweir::client
