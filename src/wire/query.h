// What a client sends to have work done: simple queries and the extended protocol. The tail of a
// Bind (formats and values) is never looked at.
// Source of truth: PostgreSQL manual, "Message Formats".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::wire {

// All parsers take the body of a frame and return views that borrow from it.
// Errors: ProtocolViolation of the client for a body that is cut short, or too long.

base::Result<std::string_view> parse_query(base::Bytes body);

struct ParseMessage {
  std::string_view name;   // Empty: the unnamed statement.
  std::string_view query;  // Not empty-checked; PostgreSQL allows an empty one.
  base::Bytes types;       // As sent: int16 count, then that many OIDs.
};
base::Result<ParseMessage> parse_parse(base::Bytes body);

// The part of a Bind that names things. Both names are followed by a zero byte.
struct BindHead {
  std::string_view portal;
  std::string_view statement;
  std::size_t head_bytes = 0;  // Up to and including the zero after `statement`.
};
inline constexpr std::size_t kBindHeadBytesMax = 8192;

// Reads the head from the first bytes of a body; nullopt while more of them are needed. Given the
// whole body, nullopt means that the Bind is malformed.
// Errors: ProtocolViolation when the head does not end within kBindHeadBytesMax.
base::Result<std::optional<BindHead>> parse_bind_head(base::Bytes prefix);

// What a Describe or a Close names.
struct Target {
  char kind = 'S';  // 'S': a prepared statement; 'P': a portal.
  std::string_view name;
};
base::Result<Target> parse_target(base::Bytes body);

struct ExecuteMessage {
  std::string_view portal;
  std::int32_t row_limit = 0;  // 0: all rows.
};
base::Result<ExecuteMessage> parse_execute(base::Bytes body);

// The encoders append one frame each and take texts without zero bytes.
void encode_query(base::ByteBuffer& out, std::string_view text);
// types: int16 count and OIDs, as in ParseMessage; empty is written as no types.
void encode_parse(base::ByteBuffer& out, std::string_view name, std::string_view query,
                  base::Bytes types);
// The beginning of a Bind whose remaining `tail_bytes` bytes of body the caller appends or
// forwards. REQUIRES: the whole body stays within kBodyBytesMax.
void encode_bind_head(base::ByteBuffer& out, std::string_view portal, std::string_view statement,
                      std::size_t tail_bytes);
void encode_describe(base::ByteBuffer& out, char kind, std::string_view name);
void encode_execute(base::ByteBuffer& out, std::string_view portal, std::int32_t row_limit);
void encode_close(base::ByteBuffer& out, char kind, std::string_view name);
void encode_flush(base::ByteBuffer& out);
void encode_sync(base::ByteBuffer& out);
void encode_terminate(base::ByteBuffer& out);
void encode_copy_fail(base::ByteBuffer& out, std::string_view reason);

}  // namespace pgweir::wire
