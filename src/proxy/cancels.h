// Cancels: from a client's CancelRequest to the server that runs its query. A server is not lent
// while a cancel for it is on its way, since it would strike the next client's query.
#pragma once

#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Cancels {
 public:
  explicit Cancels(RelayState& state) : state_(state) {}

  // The key under which this client may be cancelled: its slot and its secret.
  wire::CancelKey key_of(const Client& client) const;

  void handle_asked(const CancelAsked& asked, base::Instant now);
  void handle_delivered(const CancelDelivered& delivered, base::Instant now);

  // Has what runs on the server cancelled. asker: who is to be told when it is over, or None.
  void cancel(Server& server, base::ConnectionId asker);
  // The server has answered something, or has no client any more: one that was asked for while
  // something of ours headed the line is due now, or comes to nothing.
  void settle_owed(Server& server);
  // Whether what was cancelled has ended, and more of the same client runs.
  static bool is_due_again(const Server& server);
  // Tells those who asked for the server's cancels that these are over.
  void forget(Server& server);

 private:
  Client* find(const wire::CancelKey& key) const;
  void answer(base::ConnectionId asker);

  RelayState& state_;
};

}  // namespace pgweir::proxy
