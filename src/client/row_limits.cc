#include "client/row_limits.h"

#include <fmt/format.h>

#include <utility>

#include "client/statement_error.h"

namespace pgweir::client {

RowLimits RowLimits::of(const sql& call, const config::LibraryOptions& pool) {
  return {.row_count = call.max_rows().value_or(pool.row_count_max),
          .bytes = call.max_bytes().value_or(pool.result_bytes_max)};
}

void RowCollector::add(Result result) {
  if (is_too_large_) return;
  if (PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE) {
    last_ = std::move(result);
    return;
  }
  if (kept_max_ && row_count_ == *kept_max_) {
    has_more_ = true;
    return;
  }
  ++row_count_;
  for (int column = 0; column < PQnfields(result.get()); ++column) {
    const bool is_null = PQgetisnull(result.get(), 0, column) != 0;
    const int length = PQgetlength(result.get(), 0, column);
    lengths_.push_back(is_null ? -1 : length);
    bytes_.append(PQgetvalue(result.get(), 0, column), static_cast<std::size_t>(length));
  }
  has_too_many_rows_ = limits_.row_count != 0 && row_count_ > limits_.row_count;
  is_too_large_ = has_too_many_rows_ || (limits_.bytes != 0 && bytes_.size() > limits_.bytes);
  if (!is_too_large_) return;
  std::string().swap(bytes_);
  std::vector<std::int32_t>().swap(lengths_);
}

error_info RowCollector::explain(std::string_view end, const code_location& where) const {
  const std::string excess = has_too_many_rows_ ? fmt::format("{} rows", limits_.row_count)
                                                : fmt::format("{} bytes", limits_.bytes);
  return {
      .kind = error_kind::result_too_large,
      .text = fmt::format("the statement brought more than {}, which is too much; {}: bound it by "
                          "LIMIT, read it as a stream, or allow more{}",
                          excess, end, at(where)),
      .where = where};
}

Result RowCollector::take() {
  if (row_count_ == 0) return std::move(last_);
  Result all(PQcopyResult(last_.get(), PG_COPYRES_ATTRS));
  const int columns = PQnfields(last_.get());
  char* at = bytes_.data();
  std::size_t value = 0;
  for (int row = 0; row < static_cast<int>(row_count_); ++row) {
    for (int column = 0; column < columns; ++column, ++value) {
      const int length = lengths_[value];
      if (PQsetvalue(all.get(), row, column, length < 0 ? nullptr : at, length) != 1)
        return nullptr;
      if (length > 0) at += length;
    }
  }
  return all;
}

}  // namespace pgweir::client
