// Departures: clients that have to go though they have done nothing wrong, because pgweir ends or
// their database is no longer configured. Each may finish its transaction and is told why; when the
// last one has left an ending process, so are the servers.
#pragma once

#include "proxy/relay_state.h"

namespace pgweir::proxy {

class Departures {
 public:
  explicit Departures(RelayState& state) : state_(state) {}

  // pgweir ends; is_now: transactions are cut.
  void begin_drain(bool is_now, base::Instant now);
  // Other databases may be configured now.
  void handle_options_changed(base::Instant now) { sweep(now); }
  // Lets those go who may by now.
  void sweep(base::Instant now);
  // The client has got an answer: if it has to go, and may by now, it begins nothing new. False: it
  // stays.
  bool let_go(Client& client, base::Instant now);
  // At the end of every event: tells the shell once nobody is left.
  void report(base::Instant now);

  // Whether somebody may have to go who cannot yet.
  bool is_under_way() const;

  // What a client is told that has to go, or nullopt.
  std::optional<wire::Report> reason_for(const Client& client) const;

 private:
  void let_servers_go(base::Instant now);

  RelayState& state_;
  base::Instant drain_until_ = base::kNever;
  base::Instant farewell_until_ = base::kNever;
  bool has_reported_ = false;
  bool has_cut_transactions_ = false;
};

// The same for a database that is gone before its client has arrived.
wire::Report removed_report(std::string_view database);

}  // namespace pgweir::proxy
