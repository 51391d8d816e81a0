#include "wire/reply.h"

#include <algorithm>

#include "wire/frame.h"
#include "wire/violation.h"

namespace pgweir::wire {

namespace {
base::Error malformed(std::string_view what) { return violation(base::Side::Server, what); }
}  // namespace

base::Result<ParameterStatus> parse_parameter_status(base::Bytes body) {
  base::ByteReader reader(body);
  ParameterStatus status;
  status.name = reader.c_string();
  status.value = reader.c_string();
  if (!reader.is_complete()) return malformed("a malformed ParameterStatus");
  return status;
}

base::Result<CancelKey> parse_backend_key_data(base::Bytes body) {
  base::ByteReader reader(body);
  CancelKey key{.pid = reader.u32(), .secret = {}};
  const base::Bytes secret = reader.rest();
  if (!reader.is_good() || secret.size() < kCancelSecretBytesMin ||
      secret.size() > kCancelSecretBytesMax) {
    return malformed("a BackendKeyData whose key is not 4 to 256 bytes");
  }
  key.secret.assign(secret.begin(), secret.end());
  return key;
}

base::Result<char> parse_ready_for_query(base::Bytes body) {
  base::ByteReader reader(body);
  const char status = static_cast<char>(reader.u8());
  const bool is_known = status == 'I' || status == 'T' || status == 'E';
  if (!reader.is_complete() || !is_known) return malformed("a malformed ReadyForQuery");
  return status;
}

base::Result<std::string_view> parse_command_complete(base::Bytes body) {
  base::ByteReader reader(body);
  const std::string_view tag = reader.c_string();
  if (!reader.is_complete()) return malformed("a malformed CommandComplete");
  return tag;
}

void encode_parameter_status(base::ByteBuffer& out, std::string_view name, std::string_view value) {
  // Each login is told a dozen of them: the buffer grows once for all parts of one.
  const std::size_t length = sizeof(std::uint32_t) + name.size() + value.size() + 2;
  const std::size_t at = out.size();
  out.resize(at + 1 + length);  // With the zero bytes behind the texts.
  std::byte* to = out.data() + at;
  *to++ = std::byte{'S'};
  base::store_u32(to, static_cast<std::uint32_t>(length));
  to += sizeof(std::uint32_t);
  to = std::ranges::copy(base::as_bytes(name), to).out + 1;
  std::ranges::copy(base::as_bytes(value), to);
}

void encode_backend_key_data(base::ByteBuffer& out, const CancelKey& key) {
  FrameWriter frame(out, 'K');
  frame.u32(key.pid);
  frame.bytes(key.secret);
}

void encode_ready_for_query(base::ByteBuffer& out, char status) {
  FrameWriter frame(out, 'Z');
  frame.u8(static_cast<std::uint8_t>(status));
}

void encode_command_complete(base::ByteBuffer& out, std::string_view tag) {
  FrameWriter frame(out, 'C');
  frame.c_string(tag);
}

void encode_empty_query_response(base::ByteBuffer& out) { FrameWriter(out, 'I'); }
void encode_parse_complete(base::ByteBuffer& out) { FrameWriter(out, '1'); }
void encode_bind_complete(base::ByteBuffer& out) { FrameWriter(out, '2'); }
void encode_close_complete(base::ByteBuffer& out) { FrameWriter(out, '3'); }
void encode_no_data(base::ByteBuffer& out) { FrameWriter(out, 'n'); }

}  // namespace pgweir::wire
