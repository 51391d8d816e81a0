/// \file
/// shutdown_guard: at SIGINT or SIGTERM the pool is shut down in order, and then the process ends
/// as it would have without it. Opt-in: the library touches no signal otherwise.
#pragma once

#include <signal.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>

#include "pgweir/database_pool.hpp"

namespace pgweir {
inline namespace v1 {

struct shutdown_options {
  /// For leases to come back.
  std::chrono::milliseconds drain = std::chrono::seconds(10);
  /// Called first, on the guard's thread: tell your server to take no more requests. Must not
  /// throw.
  std::function<void(int signal)> on_signal = {};
  /// Called once the pool is shut down, with what it left behind. Must not throw.
  std::function<void(const shutdown_report&)> on_shutdown = {};
};

/// Blocks the signals in this thread, and so in all that it starts: construct it first in main(),
/// before any other thread. A thread of its own waits for them. After the pool's shutdown(), or at
/// once at a second signal, the signal is raised again with what it does by default or by the
/// program's own handler. Not copyable.
class PGWEIR_EXPORT shutdown_guard {
 public:
  /// The pool outlives the guard. Errors: config, when the system has no descriptor for it.
  explicit shutdown_guard(database_pool& db, shutdown_options options = {},
                          std::initializer_list<int> signals = {SIGINT, SIGTERM});
  shutdown_guard(const shutdown_guard&) = delete;
  shutdown_guard& operator=(const shutdown_guard&) = delete;
  /// Unblocks what it has blocked.
  ~shutdown_guard();

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace v1
}  // namespace pgweir
