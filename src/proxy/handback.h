// Handback: what becomes of a server when the answers that are there have been taken: it goes back
// to its pool the moment it owes nothing, before the reply has reached a slow client; it is reset
// or asked something first; or its client goes on with it. It never lends; that is Leases.
#pragma once

#include "proxy/batch.h"
#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Handback {
 public:
  explicit Handback(RelayState& state) : state_(state) {}

  // A chunk has been taken; the batch is what its client is to read of it.
  void consider(Server& server, Batch& batch, base::Instant now);
  // Something that kept the server from being released is over (a cancel).
  void reconsider(Server& server, base::Instant now);

  // Its client has nothing there to lose. REQUIRES: it has a client.
  static bool may_release(const Server& server);

 private:
  static bool is_at_rest(const Server& server);
  void proceed_alone(Server& server, base::Instant now);
  void finish_settling(Client& client, Server& server, Batch& batch, base::Instant now);
  void give_back(Server& server, base::Instant now);
  void end_unsettled(Client& client, Server& server, base::Instant now);
  void end_for_transaction_block(Client& client, base::Instant now);

  RelayState& state_;
};

}  // namespace pgweir::proxy
