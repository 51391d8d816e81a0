#include "copy_data.h"

#include <algorithm>

namespace pgweir::bench {

namespace {

constexpr char kFilling = 'x';

}  // namespace

void encode_copy_response(char type, base::ByteBuffer& out) {
  wire::FrameWriter frame(out, type);
  frame.u8(0);   // Text,
  frame.u16(1);  // in one column,
  frame.u16(0);  // which is text.
}

void encode_copy_data(const CopyData& data, base::ByteBuffer& out) {
  const std::string filling = std::string(data.row_bytes, kFilling) + "\n";
  for (std::size_t i = 0; i < data.row_count; ++i) {
    wire::FrameWriter(out, 'd').text(i == 0 ? data.mark + "\n" : filling);
  }
  const wire::FrameWriter done(out, 'c');
}

void CopyReader::take_row(base::Bytes row) {
  const std::string_view text = base::as_text(row);
  if (rows_++ == 0) {
    is_right_ = text == data_.mark + "\n";
  } else {
    is_right_ = is_right_ && text.size() == data_.row_bytes + 1 && text.back() == '\n' &&
                std::count(text.begin(), text.end(), kFilling) ==
                    static_cast<std::ptrdiff_t>(data_.row_bytes);
  }
}

}  // namespace pgweir::bench
