/// \file
/// listener: what others NOTIFY, on a connection of its own, for as long as it lives (PostgreSQL
/// manual, LISTEN).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pgweir/database_pool.hpp"

namespace pgweir {
namespace client {
class ListenerCore;
}  // namespace client

inline namespace v1 {

struct notification {
  std::string channel = {};
  std::string payload = {};
  int backend_pid = 0;  ///< Of the session that has sent it.
  /// The connection was lost and made again, and what was sent meanwhile is not known: look for
  /// yourself what has changed. The other members are empty.
  bool is_gap = false;
};

/// One connection of the pool is taken for it and counts for connection_limit; it is no leak that
/// it stays. A connection that PostgreSQL or the network ends is made again by the next wait().
///
/// Move-only. Thread-safety: one thread at a time. The pool outlives it.
class PGWEIR_EXPORT listener {
 public:
  /// Listens to them from here on. Names are taken as they are written, with capitals. Errors:
  /// those of database_pool::acquire(), and server.
  listener(database_pool& db, std::vector<std::string> channels,
           code_location where = code_location::current());
  /// The other is good for its destructor only.
  listener(listener&&) noexcept;
  /// Gives up the connection here before.
  listener& operator=(listener&&) noexcept;
  ~listener();

  /// The next one, or none after that time. Errors: cancelled (by the token); pool_closed, and the
  /// connection is given back; those of the constructor when there is no connection any more and
  /// none is to be had: then it may be called again.
  std::optional<notification> wait(std::chrono::milliseconds time,
                                   const std::stop_token& stop = {});

 private:
  std::unique_ptr<client::ListenerCore> core_;
};

}  // namespace v1
}  // namespace pgweir
