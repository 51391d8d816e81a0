// CancelDelivery: carries one CancelRequest to the server that runs the query, and waits for that
// server to close the connection, which is the only sign that the signal has been sent. It knows
// nothing of the client that asked.
// Source of truth: PostgreSQL manual "Canceling Requests in Progress".
#pragma once

#include <memory>

#include "proxy/login_party.h"
#include "proxy/parcels.h"

namespace pgweir::proxy {

class CancelDelivery final : public LoginParty {
 public:
  // The outcome goes to the Relay as CancelDelivered, exactly once.
  static void start(LoginDesk& desk, DeliverCancel& order, base::Instant now);

  CancelDelivery(LoginDesk& desk, DeliverCancel& order);

  void handle_opened(base::Instant now) override;
  void handle_secured(const base::TlsInfo& tls, base::Instant now) override;
  void handle_bytes(base::Bytes bytes, base::Instant now) override;
  void handle_closed(base::CloseCause cause, std::string_view detail, base::Instant now) override;
  void handle_deadline(base::Instant now) override;

 private:
  void start_tls();
  void send_cancel();
  void conclude(bool is_confirmed);

  LoginDesk& desk_;
  ServerToken token_;
  std::shared_ptr<const ServerPlan> plan_;
  base::Endpoint endpoint_;
  bool is_secured_;  // As it is to be.
  wire::CancelKey key_;
  base::ConnectionId id_ = base::ConnectionId::None;
  bool is_sent_ = false;
};

}  // namespace pgweir::proxy
