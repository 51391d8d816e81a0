// ServerLogin: one server connection from the address book to its first ReadyForQuery, or that of
// the operator's connect_query. It tries the
// endpoints of a database in their order, with and without TLS as sslmode says, within one
// deadline, and reports either the connection or the reason. Where a Unix socket stands in for an
// address it is tried first, and what goes wrong there is no failure. How many servers there should
// be is the pool's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_queue.h"
#include "proxy/login_party.h"
#include "proxy/parcels.h"
#include "session/connect_query.h"
#include "session/server_startup.h"

namespace pgweir::proxy {

class ServerLogin final : public LoginParty, public std::enable_shared_from_this<ServerLogin> {
 public:
  // The outcome goes to the Relay as ServerReady or ServerFailed, exactly one of them.
  static void start(LoginDesk& desk, ServerToken token, std::shared_ptr<const ServerPlan> plan,
                    std::size_t turn, base::Instant now);

  ServerLogin(LoginDesk& desk, ServerToken token, std::shared_ptr<const ServerPlan> plan,
              base::Instant deadline);

  void handle_opened(base::Instant now) override;
  void handle_secured(const base::TlsInfo& tls, base::Instant now) override;
  void handle_bytes(base::Bytes bytes, base::Instant now) override;
  void handle_closed(base::CloseCause cause, std::string_view detail, base::Instant now) override;
  void handle_deadline(base::Instant now) override;

 private:
  using Tls = session::ServerStartup::Tls;

  // Opens a connection to the current endpoint.
  void connect();
  session::ServerStartup::Plan startup_plan() const;
  void follow(session::ServerStartup::Step step);
  void start_tls();
  // Logged in: is it the server that was meant, and is there something to run on it first?
  void handle_logged_in();
  void follow_query(base::Bytes& input);
  void finish();
  void take_leave(wire::Report report);
  // This attempt failed: the next endpoint or the other TLS choice, or the end.
  void try_next(wire::Report report, bool is_ended, bool may_retry);
  bool choose_next(const wire::Report& report);
  void go_to(std::size_t endpoint);
  bool is_stand_in() const { return AddressBook::is_stand_in(endpoints_[endpoint_]); }
  void give_up(wire::Report report, bool is_ended);
  bool fits_target_session() const;
  void send();

  LoginDesk& desk_;
  ServerToken token_;
  std::shared_ptr<const ServerPlan> plan_;
  base::Instant deadline_;
  std::vector<base::Endpoint> endpoints_;
  std::size_t endpoint_ = 0;
  Tls tls_ = Tls::Never;
  bool has_switched_tls_ = false;  // sslmode allow and prefer have a second way, used once.
  base::ConnectionId id_ = base::ConnectionId::None;
  bool is_connected_ = false;
  bool is_tls_wrong_ = false;  // Not what sslmode asks for; waiting does not change that.
  std::optional<session::ServerStartup> startup_;
  wire::Parameters reported_;  // Once logged in.
  std::optional<session::ConnectQuery> connect_query_;
  std::optional<wire::Report> refusal_;  // Why it is none; the server's end is still awaited.
  bool has_said_goodbye_ = false;        // The refusal is ours.
  // What went wrong over the Unix socket in front of the current endpoint.
  std::optional<wire::Report> unix_refusal_;
  base::ByteQueue inbox_;
  base::ByteBuffer out_;
};

}  // namespace pgweir::proxy
