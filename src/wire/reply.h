// What a server says about its state and about finished work. Rows are in wire/rows.h, errors and
// notices in wire/report.h, authentication in wire/authentication.h.
// Source of truth: PostgreSQL manual, "Message Formats".
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/startup.h"

namespace pgweir::wire {

// All parsers take the body of a frame and return views that borrow from it.
// Errors: ProtocolViolation of the server.

struct ParameterStatus {
  std::string_view name;
  std::string_view value;
};
base::Result<ParameterStatus> parse_parameter_status(base::Bytes body);

base::Result<CancelKey> parse_backend_key_data(base::Bytes body);

// 'I': idle; 'T': in a transaction; 'E': in a failed one. Nothing else is returned.
base::Result<char> parse_ready_for_query(base::Bytes body);

// The tag, "INSERT 0 1".
base::Result<std::string_view> parse_command_complete(base::Bytes body);

// The encoders append one frame each and take texts without zero bytes.
void encode_parameter_status(base::ByteBuffer& out, std::string_view name, std::string_view value);
void encode_backend_key_data(base::ByteBuffer& out, const CancelKey& key);
void encode_ready_for_query(base::ByteBuffer& out, char status);
void encode_command_complete(base::ByteBuffer& out, std::string_view tag);
void encode_empty_query_response(base::ByteBuffer& out);
void encode_parse_complete(base::ByteBuffer& out);
void encode_bind_complete(base::ByteBuffer& out);
void encode_close_complete(base::ByteBuffer& out);
void encode_no_data(base::ByteBuffer& out);

}  // namespace pgweir::wire
