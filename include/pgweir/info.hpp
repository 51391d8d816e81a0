/// \file
/// pool_stats: how many connections a pool has at one moment. pool_info: besides, who has them, and
/// what the server says of itself. Values only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pgweir/code_location.hpp"

namespace pgweir {
inline namespace v1 {

/// Somebody who has a connection.
struct holder_info {
  code_location where;                   ///< Where it was asked for.
  std::string tag;                       ///< What the program calls it; may be empty.
  std::chrono::milliseconds held_for{};  ///< Until now.
};

/// What PostgreSQL says. Of a moment ago; a role that is no superuser sees the same.
struct server_info {
  std::uint32_t max_connections = 0;     ///< The setting of that name.
  std::uint32_t active_connections = 0;  ///< Client connections of everybody.
};

struct pool_stats {
  std::uint32_t limit = 0;       ///< Most connections that this pool opens.
  std::uint32_t open = 0;        ///< Idle and in use.
  std::uint32_t idle = 0;        ///< Of nobody's.
  std::uint32_t in_use = 0;      ///< Of the holders', or being tidied up after one.
  std::uint32_t connecting = 0;  ///< Logging in.
  std::uint32_t closing = 0;     ///< Until PostgreSQL has ended them, too.
  std::uint32_t waiting = 0;     ///< Threads that wait for a connection.
};

struct pool_info : pool_stats {
  /// Most connections that were in use at the same time since the pool began. Far below the limit:
  /// it may be lower. As high as the limit, and wait_p99 long: hold connections for less time, or
  /// raise it, if the server can bear that.
  std::uint32_t in_use_peak = 0;
  /// Of 100 callers since the pool began 99 waited no longer for a connection; at most an eighth
  /// too high. Those who got none count with the time that they waited.
  std::chrono::microseconds wait_p99{};
  std::vector<holder_info> holders;   ///< The oldest first.
  std::optional<server_info> server;  ///< Nothing when it could not be asked in time …
  std::string problem;                ///< … and why.
  std::string pgweir_version;  ///< Of the pgweir in between; empty: there is none, or no login yet.
};

/// What shutdown() left behind.
struct shutdown_report {
  bool is_complete = false;            ///< All connections have ended.
  std::vector<holder_info> abandoned;  ///< Who had not given theirs back.
};

}  // namespace v1
}  // namespace pgweir
