/// \file
/// row_stream: the rows of a statement one after the other as PostgreSQL sends them, for results
/// that are too large to be had at once. Memory holds one row, and what libpq has read ahead.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>

#include "pgweir/export.hpp"
#include "pgweir/result.hpp"
#include "pgweir/rows.hpp"

namespace pgweir {
namespace client {
class RowSource;
}  // namespace client

inline namespace v1 {

/// `for (const row& user : connection.stream("select …")) { auto [id, name] = user.as<…>(); }`
///
/// Move-only. Thread-safety: one thread at a time, that of its connection, which outlives it.
/// Errors while it is read: those of connection::query(). Time that the program spends between two
/// rows counts for the timeout of the call.
class PGWEIR_EXPORT row_stream {
 public:
  /// The other is good for its destructor only.
  row_stream(row_stream&&) noexcept;
  /// Gives up what was begun here before.
  row_stream& operator=(row_stream&&) noexcept;
  /// Left before its end: the statement is cancelled on the server, which may take a round trip and
  /// two seconds at most. Never throws.
  ~row_stream();

  /// The next row, or none when there are no more. A view: valid until the next one is asked for.
  std::optional<row> next() { return try_next().value(); }
  /// The same without exceptions.
  result<std::optional<row>> try_next();

  class iterator {
   public:
    using value_type = row;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    const row& operator*() const noexcept { return *row_; }
    const row* operator->() const noexcept { return &*row_; }
    iterator& operator++() {
      row_ = of_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
      return !at.row_.has_value();
    }

   private:
    friend class row_stream;
    explicit iterator(row_stream* of) : of_(of), row_(of->next()) {}
    row_stream* of_ = nullptr;
    std::optional<row> row_;
  };
  /// To be called once: the rows are gone when they have been read.
  iterator begin() { return iterator(this); }
  /// Where begin() arrives when there are no more rows.
  static std::default_sentinel_t end() noexcept { return {}; }

 private:
  friend class client::RowSource;
  explicit row_stream(std::unique_ptr<client::RowSource> source) noexcept;

  std::unique_ptr<client::RowSource> source_;
};

}  // namespace v1
}  // namespace pgweir
