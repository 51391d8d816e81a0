// Authentication messages: the server's requests ('R') and the client's answers ('p'). Parsing
// only; who proves what to whom is auth/.
// Source of truth: PostgreSQL manual, "Message Formats" and "SASL Authentication".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::wire {

// Longest body of an 'R' or a 'p' worth reading: PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH.
inline constexpr std::uint32_t kAuthenticationBodyBytesMax = 65'535;

struct AuthenticationOk {};
struct CleartextPasswordRequest {};
struct Md5PasswordRequest {
  std::array<std::byte, 4> salt{};
};
struct SaslRequest {
  std::vector<std::string_view> mechanisms;  // In the server's order of preference.
};
struct SaslContinue {
  base::Bytes data;
};
struct SaslFinal {
  base::Bytes data;
};
struct UnsupportedRequest {  // Kerberos, GSSAPI, SSPI and whatever comes later.
  std::uint32_t code = 0;
};

// Views borrow from the body.
using AuthenticationRequest =
    std::variant<AuthenticationOk, CleartextPasswordRequest, Md5PasswordRequest, SaslRequest,
                 SaslContinue, SaslFinal, UnsupportedRequest>;

// Parses the body of an 'R'. Errors: ProtocolViolation of the server.
base::Result<AuthenticationRequest> parse_authentication(base::Bytes body);

void encode_authentication_ok(base::ByteBuffer& out);
void encode_cleartext_password_request(base::ByteBuffer& out);
void encode_md5_password_request(base::ByteBuffer& out, const std::array<std::byte, 4>& salt);
void encode_sasl_request(base::ByteBuffer& out, std::span<const std::string_view> mechanisms);
void encode_sasl_continue(base::ByteBuffer& out, base::Bytes data);
void encode_sasl_final(base::ByteBuffer& out, base::Bytes data);

// The four meanings of a 'p' share one type byte: what a body is follows from what was asked.
struct SaslInitialResponse {
  std::string_view mechanism;
  std::optional<base::Bytes> data;  // nullopt: the client sent none (length -1).
};

// Errors of all three: ProtocolViolation of the client. Views borrow from the body.
base::Result<std::string_view> parse_password_message(base::Bytes body);
base::Result<SaslInitialResponse> parse_sasl_initial_response(base::Bytes body);
base::Result<base::Bytes> parse_sasl_response(base::Bytes body);

// password: without zero bytes.
void encode_password_message(base::ByteBuffer& out, std::string_view password);
void encode_sasl_initial_response(base::ByteBuffer& out, const SaslInitialResponse& response);
void encode_sasl_response(base::ByteBuffer& out, base::Bytes data);

}  // namespace pgweir::wire
