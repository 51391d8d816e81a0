// Overdue: what has taken too long, looked at now and then: a server that does not end or does not
// come clean, a statement or a transaction over its limit, a transaction that keeps others waiting,
// a client that asks nothing. Waiting for a server is not here: pool counts that time.
#pragma once

#include <optional>

#include "proxy/relay_state.h"
#include "wire/report.h"

namespace pgweir::proxy {

class Overdue {
 public:
  explicit Overdue(RelayState& state) : state_(state) { handle_options_changed(); }

  void sweep(base::Instant now);
  void handle_options_changed();
  // Whether a client waits for a server or is in the middle of something on one …
  bool is_any_client_busy() const;
  // … or there is anything else whose time may be up without a further event.
  bool has_work() const;

 private:
  static bool is_at_rest(const Server& server);
  void sweep_server(Server& server, base::Instant now);
  // Why the client of this server has to go now, if it has.
  std::optional<wire::Report> verdict_on(const Server& server, base::Instant now) const;
  void end_idle_clients(base::Instant now);
  bool is_anybody_waiting() const;
  void end_idle_transaction(Server& server, base::Instant now);

  RelayState& state_;
  bool watches_idle_clients_ = false;  // Somebody has a limit for it.
};

}  // namespace pgweir::proxy
