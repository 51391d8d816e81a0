// ClientLogin: a client from its first byte to the verdict: TLS, StartupMessage, proof of who it
// is, and whether the database it names exists, in this order, so that nobody learns a name without
// a password. AuthenticationOk leaves with what the Relay says next (ClientReady).
#pragma once

#include <optional>
#include <string>

#include "auth/client_authenticator.h"
#include "base/byte_queue.h"
#include "proxy/login_party.h"
#include "proxy/parcels.h"
#include "session/client_startup.h"

namespace pgweir::proxy {

class ClientLogin final : public LoginParty {
 public:
  ClientLogin(LoginDesk& desk, base::ConnectionId id, base::PeerAddress peer);
  ~ClientLogin() override;

  void handle_secured(const base::TlsInfo& tls, base::Instant now) override;
  void handle_bytes(base::Bytes bytes, base::Instant now) override;
  void handle_closed(base::CloseCause cause, std::string_view detail, base::Instant now) override;
  void handle_deadline(base::Instant now) override;

 private:
  // Takes what it can off `input`; false when the connection is no longer ours.
  bool advance(base::Bytes& input);
  bool advance_startup(base::Bytes& input);
  bool advance_authentication(base::Bytes& input);
  void ask_to_cancel(wire::CancelKey key);
  bool begin_authentication(wire::StartupMessage message);
  // What is refused whoever asks: no user, replication, too many clients.
  bool check_startup(const wire::StartupMessage& message);
  auth::ClientAuthOptions authentication_options(const Options& options);
  auth::ClientAuthenticator::Outcome check_certificate() const;
  bool conclude(auth::ClientAuthenticator::Outcome outcome);
  bool accept();
  // Whether its database and its user have room for one more.
  bool take_seats(const DatabaseOptions& database);
  void send();
  // Tells the client why and ends the connection.
  // reason: one word for the log and the counter.
  bool refuse(std::string_view reason, const wire::Report& report);
  bool refuse(const base::Error& error);
  // setting: the one that has this limit.
  bool refuse_full(std::string message, std::uint32_t limit, std::string_view setting);

  LoginDesk& desk_;
  base::ConnectionId id_;
  base::PeerAddress peer_;
  base::TlsInfo tls_;
  bool is_secured_ = false;
  bool is_cancel_ = false;  // It asked to cancel, and waits for us to hang up.
  bool is_counted_ = true;  // In SharedCounts; the Relay takes over the count with the client.
  session::ClientStartup startup_;
  std::optional<auth::ClientAuthenticator> authenticator_;
  Identity identity_;
  base::ByteQueue inbox_;  // A packet that is still incomplete.
  base::ByteBuffer out_;
};

}  // namespace pgweir::proxy
