/// \file
/// error: what the library throws, and error_info: the same as a value, for the try_ forms. One
/// base and a flat set of leaves, by what a program can do about them; what PostgreSQL said is
/// data (sqlstate.hpp), not a type. No text holds a password.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "pgweir/code_location.hpp"
#include "pgweir/export.hpp"
#include "pgweir/sqlstate.hpp"

namespace pgweir {
inline namespace v1 {

/// Which leaf an error is.
enum class error_kind : unsigned char {
  config,            ///< A setting is wrong: config_error.
  connect,           ///< No connection could be made: connect_error.
  acquire_timeout,   ///< No connection became free in time.
  queue_full,        ///< As many as are allowed wait already.
  pool_closed,       ///< The pool was shut down, or this process was forked off.
  cancelled,         ///< By a stop token or a deadline.
  server,            ///< PostgreSQL refused a statement, or the connection was lost: server_error.
  value,             ///< A parameter or a result does not fit the C++ type: value_error.
  result_too_large,  ///< More rows or bytes than are allowed.
  outcome_unknown,   ///< COMMIT was sent and its answer was lost.
};

/// What became of the transaction in which the error occurred.
enum class transaction_outcome : unsigned char {
  none,         ///< There was none.
  rolled_back,  ///< Nothing of it has happened.
  unknown,      ///< It may have been committed.
};

/// Everything that is known of an error. A value; its texts are its own.
struct error_info {
  error_kind kind = error_kind::server;  ///< Which leaf is thrown for it.
  std::string text;                      ///< What happened, to whom, and what to do next.
  pgweir::sqlstate sqlstate = {};        ///< Empty where PostgreSQL has said nothing.
  transaction_outcome outcome = transaction_outcome::none;  ///< Of the transaction around it.
  bool is_connection_lost = false;  ///< The connection is gone; the pool replaces it.
  code_location where = {};         ///< What the program had asked for.

  /// Whether the same transaction may succeed when it is repeated as a whole: 40001 and 40P01.
  bool is_retryable() const noexcept {
    return sqlstate == sqlstate::serialization_failure || sqlstate == sqlstate::deadlock_detected;
  }
};

/// The base of all that the library throws. Copying shares nothing with the connection.
class PGWEIR_EXPORT error : public std::runtime_error {
 public:
  /// Throw one by throw_error(), which chooses the leaf.
  explicit error(error_info info);
  /// Shares nothing.
  error(const error&) = default;
  /// Shares nothing.
  error& operator=(const error&) = default;
  ~error() override;

  /// All of it.
  const error_info& info() const noexcept { return info_; }
  /// Which leaf it is.
  error_kind kind() const noexcept { return info_.kind; }
  /// What PostgreSQL called it; empty where PostgreSQL has said nothing.
  const pgweir::sqlstate& sqlstate() const noexcept { return info_.sqlstate; }
  /// `e.is(sqlstate::unique_violation)`.
  bool is(const pgweir::sqlstate& state) const noexcept { return info_.sqlstate == state; }
  /// As of error_info.
  bool is_retryable() const noexcept { return info_.is_retryable(); }
  /// As of error_info.
  bool is_connection_lost() const noexcept { return info_.is_connection_lost; }
  /// As of error_info.
  transaction_outcome outcome() const noexcept { return info_.outcome; }
  /// What the program had asked for.
  const code_location& where() const noexcept { return info_.where; }

 private:
  error_info info_;
};

/// The leaf of one kind; the names below are its spellings.
template <error_kind Kind>
class PGWEIR_EXPORT error_of final : public error {
 public:
  /// REQUIRES: info.kind is Kind.
  explicit error_of(error_info info) : error(std::move(info)) {}
};

using config_error = error_of<error_kind::config>;                ///< As error_kind says.
using connect_error = error_of<error_kind::connect>;              ///< As error_kind says.
using acquire_timeout = error_of<error_kind::acquire_timeout>;    ///< As error_kind says.
using queue_full = error_of<error_kind::queue_full>;              ///< As error_kind says.
using pool_closed = error_of<error_kind::pool_closed>;            ///< As error_kind says.
using cancelled = error_of<error_kind::cancelled>;                ///< As error_kind says.
using server_error = error_of<error_kind::server>;                ///< As error_kind says.
using value_error = error_of<error_kind::value>;                  ///< As error_kind says.
using result_too_large = error_of<error_kind::result_too_large>;  ///< As error_kind says.
using outcome_unknown = error_of<error_kind::outcome_unknown>;    ///< As error_kind says.

/// Throws the leaf that info.kind names.
[[noreturn]] PGWEIR_EXPORT void throw_error(error_info info);

}  // namespace v1
}  // namespace pgweir
