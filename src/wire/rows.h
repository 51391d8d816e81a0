// Result rows in text format: RowDescription and DataRow. For the answers that pgweir gives itself
// (the console) and for those that it asks for itself; a client's rows pass unread.
// Source of truth: PostgreSQL manual, "Message Formats".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::wire {

// A column in text format. The OIDs are those of pg_type.
struct Column {
  std::string_view name;
  std::uint32_t type = 25;       // text.
  std::int16_t type_bytes = -1;  // pg_type.typlen; -1: of variable length.
};

using Row = std::vector<std::optional<std::string_view>>;  // nullopt: NULL.

// REQUIRES: at most 1664 columns (MaxTupleAttributeNumber); names without zero bytes.
void encode_row_description(base::ByteBuffer& out, std::span<const Column> columns);
void encode_data_row(base::ByteBuffer& out,
                     std::span<const std::optional<std::string_view>> values);

// Views borrow from the body. Errors: ProtocolViolation of the server.
base::Result<Row> parse_data_row(base::Bytes body);

}  // namespace pgweir::wire
