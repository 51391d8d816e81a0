#include "wire/authentication.h"

#include <algorithm>

#include "wire/frame.h"
#include "wire/violation.h"

namespace pgweir::wire {

namespace {

// AUTH_REQ_* of PostgreSQL's protocol.h.
constexpr std::uint32_t kOk = 0;
constexpr std::uint32_t kCleartext = 3;
constexpr std::uint32_t kMd5 = 5;
constexpr std::uint32_t kSasl = 10;
constexpr std::uint32_t kSaslContinue = 11;
constexpr std::uint32_t kSaslFinal = 12;

// PostgreSQL offers two. The bound keeps a hostile list of empty-ish names from being stored.
constexpr std::size_t kMechanismsMax = 32;

base::Error malformed_request() {
  return violation(base::Side::Server, "a malformed authentication request");
}

base::Result<AuthenticationRequest> parse_md5(base::ByteReader& reader) {
  Md5PasswordRequest request;
  const base::Bytes salt = reader.take(request.salt.size());
  if (!reader.is_complete()) return malformed_request();
  std::copy(salt.begin(), salt.end(), request.salt.begin());
  return AuthenticationRequest(request);
}

base::Result<AuthenticationRequest> parse_sasl(base::ByteReader& reader) {
  SaslRequest request;
  while (true) {
    const std::string_view mechanism = reader.c_string();
    if (mechanism.empty()) break;  // The terminator, or the end of a body that lacks it.
    if (request.mechanisms.size() == kMechanismsMax) return malformed_request();
    request.mechanisms.push_back(mechanism);
  }
  if (!reader.is_complete()) return malformed_request();
  return AuthenticationRequest(std::move(request));
}

base::Result<AuthenticationRequest> without_body(const base::ByteReader& reader,
                                                 AuthenticationRequest request) {
  if (!reader.is_complete()) return malformed_request();
  return request;
}

void encode_request(base::ByteBuffer& out, std::uint32_t code, base::Bytes data) {
  FrameWriter frame(out, 'R');
  frame.u32(code);
  frame.bytes(data);
}

}  // namespace

base::Result<AuthenticationRequest> parse_authentication(base::Bytes body) {
  base::ByteReader reader(body);
  const std::uint32_t code = reader.u32();
  if (!reader.is_good()) return malformed_request();
  switch (code) {
    case kOk: return without_body(reader, AuthenticationOk{});
    case kCleartext: return without_body(reader, CleartextPasswordRequest{});
    case kMd5: return parse_md5(reader);
    case kSasl: return parse_sasl(reader);
    case kSaslContinue: return AuthenticationRequest(SaslContinue{reader.rest()});
    case kSaslFinal: return AuthenticationRequest(SaslFinal{reader.rest()});
    default: return AuthenticationRequest(UnsupportedRequest{code});
  }
}

void encode_authentication_ok(base::ByteBuffer& out) { encode_request(out, kOk, {}); }

void encode_cleartext_password_request(base::ByteBuffer& out) {
  encode_request(out, kCleartext, {});
}

void encode_md5_password_request(base::ByteBuffer& out, const std::array<std::byte, 4>& salt) {
  encode_request(out, kMd5, salt);
}

void encode_sasl_request(base::ByteBuffer& out, std::span<const std::string_view> mechanisms) {
  FrameWriter frame(out, 'R');
  frame.u32(kSasl);
  for (const std::string_view mechanism : mechanisms) frame.c_string(mechanism);
  frame.u8(0);
}

void encode_sasl_continue(base::ByteBuffer& out, base::Bytes data) {
  encode_request(out, kSaslContinue, data);
}

void encode_sasl_final(base::ByteBuffer& out, base::Bytes data) {
  encode_request(out, kSaslFinal, data);
}

base::Result<std::string_view> parse_password_message(base::Bytes body) {
  base::ByteReader reader(body);
  const std::string_view password = reader.c_string();
  if (!reader.is_complete()) {
    return violation(base::Side::Client, "a malformed PasswordMessage");
  }
  return password;
}

base::Result<SaslInitialResponse> parse_sasl_initial_response(base::Bytes body) {
  base::ByteReader reader(body);
  SaslInitialResponse response{.mechanism = reader.c_string(), .data = std::nullopt};
  const std::int32_t data_bytes = reader.i32();
  if (data_bytes >= 0) response.data = reader.take(static_cast<std::size_t>(data_bytes));
  if (!reader.is_complete() || data_bytes < -1) {
    return violation(base::Side::Client, "a malformed SASLInitialResponse");
  }
  return response;
}

base::Result<base::Bytes> parse_sasl_response(base::Bytes body) { return body; }

void encode_password_message(base::ByteBuffer& out, std::string_view password) {
  FrameWriter frame(out, 'p');
  frame.c_string(password);
}

void encode_sasl_initial_response(base::ByteBuffer& out, const SaslInitialResponse& response) {
  FrameWriter frame(out, 'p');
  frame.c_string(response.mechanism);
  if (response.data.has_value()) {
    frame.u32(static_cast<std::uint32_t>(response.data->size()));
    frame.bytes(*response.data);
  } else {
    frame.i32(-1);
  }
}

void encode_sasl_response(base::ByteBuffer& out, base::Bytes data) {
  FrameWriter frame(out, 'p');
  frame.bytes(data);
}

}  // namespace pgweir::wire
