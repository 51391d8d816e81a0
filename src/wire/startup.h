// The packets that open a connection: TLS and GSS requests, CancelRequest and StartupMessage, which
// have a length but no type, and the server's NegotiateProtocolVersion. What is allowed in which
// order is the session's business.
// Source of truth: PostgreSQL manual, "Message Formats"; ProcessStartupPacket; pqcomm.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace pgweir::wire {

inline constexpr std::uint32_t kProtocol30 = 196608;  // 3 << 16; the minor version is the low half.
inline constexpr std::uint32_t kProtocol32 = 196610;
inline constexpr std::uint32_t kCancelRequest = 80877102;
inline constexpr std::uint32_t kSslRequest = 80877103;
inline constexpr std::uint32_t kGssEncRequest = 80877104;

// PostgreSQL's MAX_STARTUP_PACKET_LENGTH: the packet without its length field.
inline constexpr std::size_t kFirstPacketBytesMax = 10000;
inline constexpr std::size_t kStartupParametersMax = 128;

struct SslRequest {};
struct GssEncRequest {};

inline constexpr std::size_t kCancelSecretBytesMin = 4;
inline constexpr std::size_t kCancelSecretBytesMax = 256;

// What a client shows to cancel a query: the whole of a CancelRequest and of a BackendKeyData.
struct CancelKey {
  std::uint32_t pid = 0;
  base::ByteBuffer secret;  // 4 bytes in protocol 3.0, 4 to 256 in 3.2.

  friend bool operator==(const CancelKey&, const CancelKey&) = default;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct StartupMessage {
  std::uint32_t protocol = kProtocol30;  // Major version 3; any minor version.
  Parameters parameters;                 // As sent, each name once; user and database among them.

  // The value of a parameter, borrowed from this message.
  std::optional<std::string_view> find(std::string_view name) const;
};

using FirstPacket = std::variant<SslRequest, GssEncRequest, CancelKey, StartupMessage>;

// Whether the first byte of a connection opens a TLS handshake rather than a packet (direct TLS).
// REQUIRES: input is not empty.
bool is_tls_handshake(base::Bytes input);

// Takes the first packet off `input`, or returns nullopt and leaves `input` alone if it is still
// incomplete. A parameter that is named twice has its last value.
// Errors (of the client): ProtocolViolation for a malformed packet, one above kFirstPacketBytesMax
// or with more than kStartupParametersMax parameters; Unsupported for a major version other than 3.
base::Result<std::optional<FirstPacket>> take_first_packet(base::Bytes& input);

// The encoders take texts without zero bytes.
void encode_ssl_request(base::ByteBuffer& out);
void encode_startup(base::ByteBuffer& out, std::uint32_t protocol, const Parameters& parameters);
void encode_cancel_request(base::ByteBuffer& out, const CancelKey& key);

// The server's answer to a newer minor version, or to `_pq_.` options that it does not know.
struct NegotiateProtocolVersion {
  std::uint32_t protocol = kProtocol30;         // The whole number, as PostgreSQL sends it.
  std::vector<std::string_view> unknown_names;  // Borrowed from the body.
};

// Errors: ProtocolViolation of the server.
base::Result<NegotiateProtocolVersion> parse_negotiate_protocol_version(base::Bytes body);

// protocol: the whole number (kProtocol30), which is what libpq compares; not the minor alone.
void encode_negotiate_protocol_version(base::ByteBuffer& out, std::uint32_t protocol,
                                       std::span<const std::string_view> unknown_names);

}  // namespace pgweir::wire
