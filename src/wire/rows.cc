#include "wire/rows.h"

#include "base/assert.h"
#include "wire/frame.h"
#include "wire/violation.h"

namespace pgweir::wire {

namespace {
constexpr std::size_t kColumnsMax = 1664;
constexpr std::int32_t kNull = -1;
}  // namespace

void encode_row_description(base::ByteBuffer& out, std::span<const Column> columns) {
  ASSERT(columns.size() <= kColumnsMax);
  FrameWriter frame(out, 'T');
  frame.u16(static_cast<std::uint16_t>(columns.size()));
  for (const Column& column : columns) {
    frame.c_string(column.name);
    frame.u32(0);  // Of no table,
    frame.u16(0);  // hence no attribute number.
    frame.u32(column.type);
    frame.u16(static_cast<std::uint16_t>(column.type_bytes));
    frame.i32(-1);  // No type modifier.
    frame.u16(0);   // Text.
  }
}

void encode_data_row(base::ByteBuffer& out,
                     std::span<const std::optional<std::string_view>> values) {
  ASSERT(values.size() <= kColumnsMax);
  FrameWriter frame(out, 'D');
  frame.u16(static_cast<std::uint16_t>(values.size()));
  for (const auto& value : values) {
    if (value.has_value()) {
      frame.u32(static_cast<std::uint32_t>(value->size()));
      frame.text(*value);
    } else {
      frame.i32(kNull);
    }
  }
}

base::Result<Row> parse_data_row(base::Bytes body) {
  base::ByteReader reader(body);
  Row row;
  const std::size_t count = reader.u16();
  for (std::size_t i = 0; i < count && reader.is_good(); ++i) {
    const std::int32_t value_bytes = reader.i32();
    if (value_bytes < kNull) return violation(base::Side::Server, "a malformed DataRow");
    if (value_bytes == kNull) {
      row.emplace_back();
    } else {
      row.emplace_back(base::as_text(reader.take(static_cast<std::size_t>(value_bytes))));
    }
  }
  if (!reader.is_complete()) return violation(base::Side::Server, "a malformed DataRow");
  return row;
}

}  // namespace pgweir::wire
