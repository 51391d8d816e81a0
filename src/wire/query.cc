#include "wire/query.h"

#include <algorithm>

#include "base/assert.h"
#include "wire/frame.h"
#include "wire/violation.h"

namespace pgweir::wire {

namespace {

constexpr std::size_t kOidBytes = 4;

base::Error malformed(std::string_view what) { return violation(base::Side::Client, what); }

void encode_target(base::ByteBuffer& out, char type, char kind, std::string_view name) {
  FrameWriter frame(out, type);
  frame.u8(static_cast<std::uint8_t>(kind));
  frame.c_string(name);
}

}  // namespace

base::Result<std::string_view> parse_query(base::Bytes body) {
  base::ByteReader reader(body);
  const std::string_view text = reader.c_string();
  if (!reader.is_complete()) return malformed("a malformed Query");
  return text;
}

base::Result<ParseMessage> parse_parse(base::Bytes body) {
  base::ByteReader reader(body);
  ParseMessage message;
  message.name = reader.c_string();
  message.query = reader.c_string();
  message.types = reader.rest();
  const std::size_t type_count = reader.u16();
  reader.take(type_count * kOidBytes);
  if (!reader.is_complete()) return malformed("a malformed Parse");
  return message;
}

base::Result<std::optional<BindHead>> parse_bind_head(base::Bytes prefix) {
  base::ByteReader reader(prefix.first(std::min(prefix.size(), kBindHeadBytesMax)));
  BindHead head;
  head.portal = reader.c_string();
  head.statement = reader.c_string();
  if (reader.is_good()) {
    head.head_bytes = head.portal.size() + 1 + head.statement.size() + 1;
    return std::optional<BindHead>(head);
  }
  if (prefix.size() >= kBindHeadBytesMax) return malformed("a Bind with names above 8 KiB");
  return std::optional<BindHead>();
}

base::Result<Target> parse_target(base::Bytes body) {
  base::ByteReader reader(body);
  Target target;
  target.kind = static_cast<char>(reader.u8());
  target.name = reader.c_string();
  if (!reader.is_complete() || (target.kind != 'S' && target.kind != 'P')) {
    return malformed("a malformed Describe or Close");
  }
  return target;
}

base::Result<ExecuteMessage> parse_execute(base::Bytes body) {
  base::ByteReader reader(body);
  ExecuteMessage message;
  message.portal = reader.c_string();
  message.row_limit = reader.i32();
  if (!reader.is_complete()) return malformed("a malformed Execute");
  return message;
}

void encode_query(base::ByteBuffer& out, std::string_view text) {
  FrameWriter frame(out, 'Q');
  frame.c_string(text);
}

void encode_parse(base::ByteBuffer& out, std::string_view name, std::string_view query,
                  base::Bytes types) {
  FrameWriter frame(out, 'P');
  frame.c_string(name);
  frame.c_string(query);
  if (types.empty()) {
    frame.u16(0);
  } else {
    frame.bytes(types);
  }
}

void encode_bind_head(base::ByteBuffer& out, std::string_view portal, std::string_view statement,
                      std::size_t tail_bytes) {
  const std::size_t body_bytes = portal.size() + 1 + statement.size() + 1 + tail_bytes;
  ASSERT(body_bytes <= kBodyBytesMax);
  base::ByteWriter writer(out);
  writer.u8('B');
  writer.u32(static_cast<std::uint32_t>(body_bytes + sizeof(std::uint32_t)));
  writer.c_string(portal);
  writer.c_string(statement);
}

void encode_describe(base::ByteBuffer& out, char kind, std::string_view name) {
  encode_target(out, 'D', kind, name);
}

void encode_execute(base::ByteBuffer& out, std::string_view portal, std::int32_t row_limit) {
  FrameWriter frame(out, 'E');
  frame.c_string(portal);
  frame.i32(row_limit);
}

void encode_close(base::ByteBuffer& out, char kind, std::string_view name) {
  encode_target(out, 'C', kind, name);
}

void encode_flush(base::ByteBuffer& out) { FrameWriter(out, 'H'); }
void encode_sync(base::ByteBuffer& out) { FrameWriter(out, 'S'); }
void encode_terminate(base::ByteBuffer& out) { FrameWriter(out, 'X'); }

void encode_copy_fail(base::ByteBuffer& out, std::string_view reason) {
  FrameWriter frame(out, 'f');
  frame.c_string(reason);
}

}  // namespace pgweir::wire
