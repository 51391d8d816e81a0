// Copy data: the rows of a bench's COPY, which both ends make up alike: the first is a mark, the
// others are filling. Knows CopyData and CopyDone, not the statements around them.
// Source of truth: PostgreSQL manual, "COPY Operations".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "wire/frame.h"

namespace pgweir::bench {

// What a COPY transfers, as its statement says: "… R B mark".
struct CopyData {
  std::size_t row_count = 0;
  std::size_t row_bytes = 0;
  std::string mark;
};

// 'G' (from the client) or 'H' (to it), for one column of text.
void encode_copy_response(char type, base::ByteBuffer& out);
// All rows and CopyDone.
void encode_copy_data(const CopyData& data, base::ByteBuffer& out);

// Takes such rows one by one and says whether they are the right ones.
class CopyReader {
 public:
  explicit CopyReader(CopyData data) : data_(std::move(data)) {}

  void take_row(base::Bytes row);
  // After CopyDone: all were there and right.
  bool is_complete() const { return is_right_ && rows_ == data_.row_count; }
  std::size_t row_count() const { return data_.row_count; }

 private:
  const CopyData data_;
  std::size_t rows_ = 0;
  bool is_right_ = true;
};

}  // namespace pgweir::bench
