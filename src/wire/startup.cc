#include "wire/startup.h"

#include <algorithm>

#include "base/assert.h"
#include "wire/frame.h"
#include "wire/violation.h"

namespace pgweir::wire {

namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kCodeBytes = 4;
constexpr std::uint32_t kMajorVersion = 3;
constexpr std::size_t kStartupParametersUsual = 4;
constexpr std::byte kTlsHandshakeRecord{0x16};  // RFC 8446, ContentType.

base::Error malformed(std::string_view what) { return violation(base::Side::Client, what); }

base::Result<FirstPacket> parse_cancel_request(base::ByteReader& reader) {
  CancelKey key{.pid = reader.u32(), .secret = {}};
  const base::Bytes secret = reader.rest();
  if (!reader.is_good() || secret.size() < kCancelSecretBytesMin ||
      secret.size() > kCancelSecretBytesMax) {
    return malformed("a CancelRequest whose key is not 4 to 256 bytes");
  }
  key.secret.assign(secret.begin(), secret.end());
  return FirstPacket(std::move(key));
}

void set_parameter(Parameters& parameters, std::string_view name, std::string_view value) {
  const auto same = std::find_if(parameters.begin(), parameters.end(),
                                 [name](const auto& known) { return known.first == name; });
  if (same == parameters.end()) {
    parameters.emplace_back(name, value);
  } else {
    same->second = value;
  }
}

base::Result<FirstPacket> parse_startup(std::uint32_t protocol, base::ByteReader& reader) {
  StartupMessage message{.protocol = protocol, .parameters = {}};
  message.parameters.reserve(kStartupParametersUsual);
  while (true) {
    const std::string_view name = reader.c_string();
    if (name.empty()) break;  // The terminator, or the end of a packet that lacks it.
    const std::string_view value = reader.c_string();
    set_parameter(message.parameters, name, value);
    if (message.parameters.size() > kStartupParametersMax) {
      return malformed("a StartupMessage with more than 128 parameters");
    }
  }
  if (!reader.is_complete()) return malformed("a StartupMessage that does not end as it should");
  return FirstPacket(std::move(message));
}

base::Error unsupported_version(std::uint32_t code) {
  return {.code = base::ErrorCode::Unsupported,
          .side = base::Side::Client,
          .context = "The client asks for protocol " + std::to_string(code >> 16U) + "." +
                     std::to_string(code & 0xffffU) + "; only protocol 3 is spoken here."};
}

base::Result<FirstPacket> parse_first_packet(base::Bytes body) {
  base::ByteReader reader(body);
  const std::uint32_t code = reader.u32();
  if (code == kCancelRequest) return parse_cancel_request(reader);
  if (code == kSslRequest || code == kGssEncRequest) {
    if (!reader.is_complete()) return malformed("an encryption request with a body");
    return code == kSslRequest ? FirstPacket(SslRequest{}) : FirstPacket(GssEncRequest{});
  }
  if (code >> 16U != kMajorVersion) return unsupported_version(code);
  return parse_startup(code, reader);
}

// Writes a packet without a type: its length goes in front when the body is known.
class PacketWriter : public base::ByteWriter {
 public:
  PacketWriter(base::ByteBuffer& out, std::uint32_t code)
      : ByteWriter(out), out_(out), starts_at_(out.size()) {
    u32(0);
    u32(code);
  }
  PacketWriter(const PacketWriter&) = delete;
  PacketWriter& operator=(const PacketWriter&) = delete;
  ~PacketWriter() {
    base::store_u32(out_.data() + starts_at_, static_cast<std::uint32_t>(out_.size() - starts_at_));
  }

 private:
  base::ByteBuffer& out_;
  std::size_t starts_at_;
};

}  // namespace

std::optional<std::string_view> StartupMessage::find(std::string_view name) const {
  for (const auto& [known, value] : parameters) {
    if (known == name) return value;
  }
  return std::nullopt;
}

bool is_tls_handshake(base::Bytes input) {
  ASSERT(!input.empty());
  // As the first byte of a packet's length this would be 352 MiB: no packet begins so.
  return input.front() == kTlsHandshakeRecord;
}

base::Result<std::optional<FirstPacket>> take_first_packet(base::Bytes& input) {
  if (input.size() < kLengthBytes) return std::optional<FirstPacket>();
  const std::uint32_t length = base::load_u32(input.data());
  if (length < kLengthBytes + kCodeBytes || length > kLengthBytes + kFirstPacketBytesMax) {
    return malformed("a first packet with an impossible length");
  }
  if (input.size() < length) return std::optional<FirstPacket>();
  FirstPacket packet = TRY(parse_first_packet(input.subspan(kLengthBytes, length - kLengthBytes)));
  input = input.subspan(length);
  return std::optional<FirstPacket>(std::move(packet));
}

void encode_ssl_request(base::ByteBuffer& out) { PacketWriter(out, kSslRequest); }

void encode_startup(base::ByteBuffer& out, std::uint32_t protocol, const Parameters& parameters) {
  PacketWriter packet(out, protocol);
  for (const auto& [name, value] : parameters) {
    packet.c_string(name);
    packet.c_string(value);
  }
  packet.u8(0);
}

void encode_cancel_request(base::ByteBuffer& out, const CancelKey& key) {
  PacketWriter packet(out, kCancelRequest);
  packet.u32(key.pid);
  packet.bytes(key.secret);
}

base::Result<NegotiateProtocolVersion> parse_negotiate_protocol_version(base::Bytes body) {
  base::ByteReader reader(body);
  NegotiateProtocolVersion message{.protocol = reader.u32(), .unknown_names = {}};
  const std::uint32_t count = reader.u32();
  for (std::uint32_t i = 0; i < count && reader.is_good(); ++i) {
    message.unknown_names.push_back(reader.c_string());
  }
  if (!reader.is_complete() || message.protocol >> 16U != kMajorVersion) {
    return violation(base::Side::Server, "a malformed NegotiateProtocolVersion");
  }
  return message;
}

void encode_negotiate_protocol_version(base::ByteBuffer& out, std::uint32_t protocol,
                                       std::span<const std::string_view> unknown_names) {
  FrameWriter frame(out, 'v');
  frame.u32(protocol);
  frame.u32(static_cast<std::uint32_t>(unknown_names.size()));
  for (const std::string_view name : unknown_names) frame.c_string(name);
}

}  // namespace pgweir::wire
