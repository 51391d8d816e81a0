// RowLimits: how much a statement may bring, and RowCollector: the rows of one, taken as they come
// and no more of them than that, so that nobody's memory is filled by a statement without LIMIT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/libpq.h"
#include "config/options.h"
#include "pgweir/error.hpp"
#include "pgweir/sql.hpp"

namespace pgweir::client {

struct RowLimits {
  std::size_t row_count = 0;  // 0: none are too many.
  std::size_t bytes = 0;      // Of values; 0: none are too many.

  // As the call says, or else the pool.
  static RowLimits of(const sql& call, const config::LibraryOptions& pool);
  bool is_bounded() const { return row_count != 0 || bytes != 0; }
};

class RowCollector {
 public:
  explicit RowCollector(const RowLimits& limits) : limits_(limits) {}

  bool is_bounded() const { return limits_.is_bounded(); }
  // One result of a statement that comes by row, the last one included. What is beyond the limits
  // is dropped, and what was kept before it.
  void add(Result result);
  bool is_too_large() const { return is_too_large_; }
  // From now on what is beyond that many rows is passed over, and is not too large.
  void keep_at_most(std::size_t row_count) {
    kept_max_ = row_count;
    limits_.row_count = 0;
  }
  // Rows were passed over.
  bool has_more() const { return has_more_; }
  // result_too_large, with what has become of it: "the connection was cut". REQUIRES:
  // is_too_large().
  error_info explain(std::string_view end, const code_location& where) const;
  // All rows as one result; null where memory is short. REQUIRES: the last one was added, and it is
  // not too large.
  Result take();

 private:
  RowLimits limits_;
  std::optional<std::size_t> kept_max_;
  bool has_more_ = false;
  bool is_too_large_ = false;
  bool has_too_many_rows_ = false;
  std::size_t row_count_ = 0;
  std::string bytes_;                  // The values of all rows, one behind the other.
  std::vector<std::int32_t> lengths_;  // Of each; -1: NULL.
  Result last_;                        // Knows the columns, and what the command has done.
};

}  // namespace pgweir::client
