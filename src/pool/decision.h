// What a Shard decides beyond its direct answers, why a login failed, why a waiter is refused and
// why a server is closed. Reasons are enumerators; they become log fields and metric labels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "base/ids.h"
#include "pool/exchange.h"

namespace pgweir::pool {

class Server;
class Waiter;

enum class CloseReason : std::uint8_t {
  Idle,       // Unused for server_idle_max, above the minimum.
  Lifetime,   // Older than server_lifetime.
  Evicted,    // Its permit is for the longest waiter of another pool.
  Limit,      // A limit was lowered.
  Recycled,   // recycle() was called: a new configuration or address.
  Requested,  // The owner's own decision (handle_closing), the login's failure included.
};

enum class RefuseReason : std::uint8_t {
  Timeout,      // Waited for wait_max.
  QueueFull,    // waiter_count_max others wait already.
  LoginFailed,  // The server refuses this pool for good: `failure` says why.
};

// Why a server could not be opened, in the server's own words where it said any.
struct Failure {
  enum class Kind : std::uint8_t {
    Temporary,  // 57P03, 53300, connection refused: waiters keep waiting.
    Permanent,  // 28P01, 3D000, TLS verification: waiters are refused at once.
  };
  Kind kind = Kind::Temporary;
  std::string sqlstate;  // Five characters, or empty when no server answered.
  std::string text;
};

// Open a server for this pool; its permits are taken. Answer with handle_opening.
struct Open {
  base::PoolId pool;
};
// Close this idle or released server; it is Closing already. Answer with handle_ended or
// handle_lost.
struct Close {
  Server* server = nullptr;
  CloseReason reason = CloseReason::Idle;
};
// Tell this waiter no; it waits no longer. `failure` is the last failed login of its pool, if the
// pool could not log in since: the reason for LoginFailed, a likely one for Timeout.
struct Refuse {
  Waiter* waiter = nullptr;
  RefuseReason reason = RefuseReason::Timeout;
  std::shared_ptr<const Failure> failure;
};
// Tell this waiter that it waits (wait_notice_after), once per wait.
struct Notify {
  Waiter* waiter = nullptr;
};
// Send this server to another reactor, whose waiter is older, with its permits. It is Outside this
// shard already. Have the other one adopt() it, or take_back() it.
struct Give {
  Server* server = nullptr;
  ReactorIndex reactor = 0;
};
// Have another reactor call handle_wake: permits that it waits for may be free, or somebody asks it
// for a server.
struct Wake {
  ReactorIndex reactor = 0;
};

using Decision = std::variant<Open, Close, Refuse, Notify, Give, Wake>;

}  // namespace pgweir::pool
