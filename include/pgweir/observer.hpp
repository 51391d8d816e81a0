/// \file
/// pool_observer: what happens to the connections of a pool as it happens, for metrics and traces.
/// For Prometheus there is contrib/prometheus.hpp.
#pragma once

#include <chrono>

#include "pgweir/error.hpp"
#include "pgweir/export.hpp"

namespace pgweir {
inline namespace v1 {

/// Override what is of interest. Any thread calls, several at once, and waits for the return: be
/// quick, throw nothing, and call nothing of the pool but stats().
class PGWEIR_EXPORT pool_observer {
 public:
  pool_observer() = default;
  pool_observer(const pool_observer&) = delete;
  pool_observer& operator=(const pool_observer&) = delete;
  virtual ~pool_observer();

  /// Somebody has got a connection, which he asked for so long ago.
  virtual void on_acquired(std::chrono::nanoseconds waited, const code_location& where) noexcept;
  /// Somebody has got none.
  virtual void on_refused(error_kind why, std::chrono::nanoseconds waited,
                          const code_location& where) noexcept;
  /// A connection came back, give or take some milliseconds.
  virtual void on_released(std::chrono::nanoseconds held, const code_location& where) noexcept;
  /// A login has worked.
  virtual void on_opened(std::chrono::nanoseconds took) noexcept;
  /// A login has not. The state is empty where the server was not reached.
  virtual void on_login_failed(const sqlstate& why, std::chrono::nanoseconds took) noexcept;
  /// A connection has ended, by whomever.
  virtual void on_closed() noexcept;
};

}  // namespace v1
}  // namespace pgweir
