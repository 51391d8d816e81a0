/// \file
/// sql: the text of a statement, where it was written, and what holds for this one call: how long
/// it may take and how much it may bring. A value for the time of a call; the text is borrowed.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "pgweir/code_location.hpp"

namespace pgweir {
inline namespace v1 {

/// `connection.query("select …", 1)` makes one by itself; `query(sql("select …").timeout(2s), 1)`
/// says more. Never throws.
class sql {
 public:
  /// Borrows the text, which ends with a NUL.
  sql(const char* text,  // NOLINT(google-explicit-constructor): a statement is a text.
      code_location where = code_location::current()) noexcept
      : text_(text), where_(where) {}
  /// Borrows the text. One with a NUL inside ends there: value_error when it is used.
  sql(const std::string& text,  // NOLINT(google-explicit-constructor)
      code_location where = code_location::current()) noexcept
      : text_(text.c_str()), length_(text.size()), where_(where) {}

  /// The statement is cancelled on the server when it takes longer: cancelled, with 57014.
  sql&& timeout(std::chrono::nanoseconds time) && noexcept {
    timeout_ = time;
    return std::move(*this);
  }
  /// The statement is cancelled on the server when a stop is requested: cancelled.
  sql&& stop(std::stop_token token) && noexcept {
    stop_ = std::move(token);
    return std::move(*this);
  }
  /// With more rows than that PostgreSQL is told to give it up: result_too_large, and none is kept.
  /// Inside a transaction that fails the transaction. Zero: none are too many.
  sql&& max_rows(std::size_t count) && noexcept {
    max_rows_ = count;
    return std::move(*this);
  }
  /// The same for the bytes of all values. One row is read to its end in any case.
  sql&& max_bytes(std::size_t count) && noexcept {
    max_bytes_ = count;
    return std::move(*this);
  }

  /// Values come in PostgreSQL's binary form: bytea, numbers and times in bulk cost less. What has
  /// no such form here, numeric for one, and whatever is not text but is read as std::string, is
  /// then a value_error: cast it in the statement.
  sql&& binary() && noexcept {
    is_binary_ = true;
    return std::move(*this);
  }

  /// Ends with a NUL.
  const char* text() const noexcept { return text_; }
  /// Of the text, where it is known before its NUL.
  std::optional<std::size_t> length() const noexcept { return length_; }
  /// Where it was written.
  const code_location& where() const noexcept { return where_; }
  /// Unset: it may take as long as it takes.
  std::optional<std::chrono::nanoseconds> timeout() const noexcept { return timeout_; }
  /// Of what stops it, if anything.
  const std::stop_token& stop() const noexcept { return stop_; }
  /// Unset: what the pool allows.
  std::optional<std::size_t> max_rows() const noexcept { return max_rows_; }
  /// Unset: what the pool allows.
  std::optional<std::size_t> max_bytes() const noexcept { return max_bytes_; }
  /// Else values come as text.
  bool is_binary() const noexcept { return is_binary_; }

 private:
  const char* text_;
  std::optional<std::size_t> length_;
  code_location where_;
  std::optional<std::chrono::nanoseconds> timeout_;
  std::stop_token stop_;
  std::optional<std::size_t> max_rows_;
  std::optional<std::size_t> max_bytes_;
  bool is_binary_ = false;
};

}  // namespace v1
}  // namespace pgweir
