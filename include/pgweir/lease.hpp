/// \file
/// connection_lease: somebody has a connection of the pool until this object goes. It rolls back
/// what is open and never commits.
#pragma once

#include <utility>

#include "pgweir/connection.hpp"

namespace pgweir {
inline namespace v1 {

class database_pool;

/// Move-only. Thread-safety: one thread at a time; it may end on another thread than it began on.
class PGWEIR_EXPORT connection_lease {
 public:
  /// Has no connection.
  connection_lease() noexcept : connection_(), is_held_(false) {}
  /// The other has none any more.
  connection_lease(connection_lease&& other) noexcept
      : connection_(std::move(other.connection_)), is_held_(std::exchange(other.is_held_, false)) {}
  /// What was held is released first.
  connection_lease& operator=(connection_lease&& other) noexcept {
    if (this != &other) {
      release();
      connection_ = std::move(other.connection_);
      is_held_ = std::exchange(other.is_held_, false);
    }
    return *this;
  }
  ~connection_lease() { release(); }

  /// Whether it has a connection: it was neither released nor moved from.
  explicit operator bool() const noexcept { return is_held_; }

  /// REQUIRES: neither released nor moved from.
  connection& operator*() noexcept { return connection_; }
  /// REQUIRES: neither released nor moved from.
  connection* operator->() noexcept { return &connection_; }

  /// Gives the connection back, to be lent again once it is clean. Never waits for PostgreSQL,
  /// never throws; does nothing the second time.
  void release() noexcept {
    if (std::exchange(is_held_, false)) give_back();
  }
  /// Gives it back to be closed.
  void discard() noexcept {
    if (std::exchange(is_held_, false)) give_up();
  }

 private:
  friend class database_pool;
  friend class pending_lease;
  friend class pqxx_lease;

  explicit connection_lease(connection connection) noexcept
      : connection_(std::move(connection)), is_held_(true) {}
  void give_back() noexcept;
  void give_up() noexcept;
  // Somebody else has closed libpq's handle, or has it now: it is left alone, and counts as closed.
  void disown() noexcept;

  connection connection_;
  bool is_held_;
};

}  // namespace v1
}  // namespace pgweir
