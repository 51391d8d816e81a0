// Framing, and every parser of a body: whatever a peer sends after its first packet.
#include <algorithm>

#include "base/assert.h"
#include "fuzz_target.h"
#include "wire/authentication.h"
#include "wire/frame.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/rows.h"

namespace pgweir::fuzz {
namespace {

constexpr std::uint32_t kBodyBytesMax = 4096;

bool is_equal(base::Bytes a, base::Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// What was parsed and written again must be what was there.
void check_parse(base::Bytes body) {
  const auto message = wire::parse_parse(body);
  if (!message.has_value()) return;
  base::ByteBuffer out;
  wire::encode_parse(out, message->name, message->query, message->types);
  ASSERT(is_equal(base::Bytes(out).subspan(wire::kHeaderBytes), body));
}

void check_bind(base::Bytes body) {
  const auto head = wire::parse_bind_head(body);
  if (!head.has_value() || !head->has_value()) return;
  const base::Bytes tail = body.subspan((*head)->head_bytes);
  base::ByteBuffer out;
  wire::encode_bind_head(out, (*head)->portal, (*head)->statement, tail.size());
  base::append(out, tail);
  ASSERT(is_equal(base::Bytes(out).subspan(wire::kHeaderBytes), body));
}

void check_row(base::Bytes body) {
  const auto row = wire::parse_data_row(body);
  if (!row.has_value() || row->size() > 1664) return;
  base::ByteBuffer out;
  wire::encode_data_row(out, *row);
  ASSERT(is_equal(base::Bytes(out).subspan(wire::kHeaderBytes), body));
}

// A type byte means different things in the two directions, so each parser gets each body.
void parse_all(base::Bytes body) {
  check_parse(body);
  check_bind(body);
  check_row(body);
  (void)wire::parse_query(body);
  (void)wire::parse_target(body);
  (void)wire::parse_execute(body);
  (void)wire::parse_parameter_status(body);
  (void)wire::parse_backend_key_data(body);
  (void)wire::parse_ready_for_query(body);
  (void)wire::parse_command_complete(body);
  (void)wire::parse_authentication(body);
  (void)wire::parse_password_message(body);
  (void)wire::parse_sasl_initial_response(body);
  (void)wire::parse_negotiate_protocol_version(body);
}

void fuzz_frame(base::Bytes input) {
  while (true) {
    const base::Bytes before = input;
    const auto frame = wire::take_frame(input, kBodyBytesMax, base::Side::Client);
    if (!frame.has_value() || !frame->has_value()) return;
    base::ByteBuffer out;
    wire::FrameWriter(out, (*frame)->type).bytes((*frame)->body);
    ASSERT(is_equal(out, before.first(before.size() - input.size())));
    parse_all((*frame)->body);
  }
}

const Registration kRegistered("frame", fuzz_frame);

}  // namespace
}  // namespace pgweir::fuzz
