/// \file
/// copy_in and copy_out: COPY … FROM STDIN and COPY … TO STDOUT, the way to move many rows
/// (PostgreSQL manual, COPY). Memory holds a piece of them at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "pgweir/export.hpp"
#include "pgweir/result.hpp"

namespace pgweir {
namespace client {
class CopyRun;
}  // namespace client

inline namespace v1 {

/// Rows for PostgreSQL. Nothing of it has happened before finish() has returned.
///
/// Move-only. Thread-safety: one thread at a time, that of its connection, which outlives it.
/// Errors: those of connection::query(), and what the program does meanwhile counts for the timeout
/// of the call. What PostgreSQL does not like of the rows is said by finish().
class PGWEIR_EXPORT copy_in {
 public:
  /// The other is good for its destructor only.
  copy_in(copy_in&&) noexcept;
  /// Gives up what was begun here before.
  copy_in& operator=(copy_in&&) noexcept;
  /// Without finish() the COPY fails and has done nothing. Takes a round trip then, two seconds at
  /// most. Never throws.
  ~copy_in();

  /// Bytes in the format that the statement names, text by default, cut anywhere. Waits while
  /// PostgreSQL is behind. REQUIRES: before finish().
  void write(std::string_view bytes);
  /// All was written. How many rows there were.
  std::uint64_t finish();

 private:
  friend class client::CopyRun;
  explicit copy_in(std::unique_ptr<client::CopyRun> run) noexcept;

  std::unique_ptr<client::CopyRun> run_;
};

/// Rows from PostgreSQL. Otherwise as copy_in.
class PGWEIR_EXPORT copy_out {
 public:
  /// The other is good for its destructor only.
  copy_out(copy_out&&) noexcept;
  /// Gives up what was begun here before.
  copy_out& operator=(copy_out&&) noexcept;
  /// Left before its end: cancelled on the server. Never throws.
  ~copy_out();

  /// The next row in the format of the statement (as text: with its line end), or none when there
  /// are no more. Valid until the next one is asked for.
  std::optional<std::string_view> next() { return try_next().value(); }
  /// The same without exceptions.
  result<std::optional<std::string_view>> try_next();

 private:
  friend class client::CopyRun;
  explicit copy_out(std::unique_ptr<client::CopyRun> run) noexcept;

  std::unique_ptr<client::CopyRun> run_;
};

}  // namespace v1
}  // namespace pgweir
