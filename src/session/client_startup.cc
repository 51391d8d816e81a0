#include "session/client_startup.h"

#include <string_view>
#include <vector>

#include "wire/violation.h"

namespace pgweir::session {
namespace {

// One answer for both reasons to negotiate, since libpq takes only one.
void negotiate(const wire::StartupMessage& message, base::ByteBuffer& out) {
  std::vector<std::string_view> unknown;
  for (const auto& [name, value] : message.parameters) {
    if (name.starts_with("_pq_.")) unknown.emplace_back(name);
  }
  if (message.protocol == wire::kProtocol30 && unknown.empty()) return;
  wire::encode_negotiate_protocol_version(out, wire::kProtocol30, unknown);
}

}  // namespace

base::Result<ClientStartup::Step> ClientStartup::handle_bytes(base::Bytes& input,
                                                              base::ByteBuffer& out) {
  while (true) {
    auto packet = TRY(wire::take_first_packet(input));
    if (!packet) return Step{NeedsMore{}};
    if (std::holds_alternative<wire::SslRequest>(*packet)) {
      const Step step = TRY(answer_ssl_request(input, out));
      if (std::holds_alternative<StartTls>(step)) return step;
    } else if (std::holds_alternative<wire::GssEncRequest>(*packet)) {
      if (has_asked_gss_ || has_been_granted_tls_) {
        return wire::violation(base::Side::Client, "a second request for encryption");
      }
      has_asked_gss_ = true;
      out.push_back(std::byte{'N'});
    } else if (auto* key = std::get_if<wire::CancelKey>(&*packet)) {
      return Step{std::move(*key)};
    } else {
      auto& message = *std::get_if<wire::StartupMessage>(&*packet);
      negotiate(message, out);
      return Step{std::move(message)};
    }
  }
}

base::Result<ClientStartup::Step> ClientStartup::answer_ssl_request(base::Bytes rest,
                                                                    base::ByteBuffer& out) {
  if (has_asked_tls_) {
    return wire::violation(base::Side::Client, "a second request for TLS");
  }
  has_asked_tls_ = true;
  if (!has_tls_ || is_secured_) {
    out.push_back(std::byte{'N'});
    return Step{NeedsMore{}};
  }
  // Whoever could put bytes in front of the handshake would speak as the client behind it.
  if (!rest.empty()) {
    return wire::violation(base::Side::Client, "unencrypted bytes behind its request for TLS");
  }
  has_been_granted_tls_ = true;
  out.push_back(std::byte{'S'});
  return Step{StartTls{}};
}

}  // namespace pgweir::session
