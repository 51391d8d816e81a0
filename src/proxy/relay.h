// Relay: the half of the core that serves logged-in clients. It lends servers to them query by
// query and moves bytes both ways; it never waits, allocates nothing per transaction once warm, and
// calls nothing of the system but through base::Io. Logging in is proxy/login.h.
//
//   client bytes → Requests → server        Leases: who has which server (pool/)
//   client ← Replies ← server bytes         Handback: a server whose client is done with it
//                                           Recovery: a server whose client has gone
//                                           Giving: servers that go to other Relays
//                                           Holders: who has the servers, for refusals
//                                           Cancels, Effects, Inquiry, Errands: their headers
#pragma once

#include <memory>
#include <optional>

#include "proxy/cancels.h"
#include "proxy/departures.h"
#include "proxy/effects.h"
#include "proxy/errands.h"
#include "proxy/giving.h"
#include "proxy/handback.h"
#include "proxy/holders.h"
#include "proxy/inquiry.h"
#include "proxy/intake.h"
#include "proxy/leases.h"
#include "proxy/lost_servers.h"
#include "proxy/overdue.h"
#include "proxy/parameter_replay.h"
#include "proxy/recovery.h"
#include "proxy/relay_state.h"
#include "proxy/replies.h"
#include "proxy/requests.h"

namespace pgweir::proxy {

// What health and reports show of all pools together.
struct RelayCounts {
  std::uint32_t open = 0;  // Connecting, idle, leased, closing and lost servers.
  std::uint32_t in_use = 0;
  std::uint32_t waiting = 0;
  std::uint32_t clients = 0;
};

class Relay final : public base::Handler {
 public:
  Relay(const RelayWorld& world, std::shared_ptr<const Options> options);

  void handle_accepted(base::ConnectionId id, const base::PeerAddress& peer,
                       base::Instant now) override;
  void handle_opened(base::ConnectionId id, base::Instant now) override;
  void handle_secured(base::ConnectionId id, const base::TlsInfo& tls, base::Instant now) override;
  void handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) override;
  void handle_ending(base::ConnectionId id, base::Instant now) override;
  void handle_writable(base::ConnectionId id, base::Instant now) override;
  void handle_closed(base::ConnectionId id, base::CloseCause cause, std::string_view detail,
                     base::Instant now) override;
  void handle_parcel(base::ConnectionId id, std::unique_ptr<base::Parcel> parcel,
                     base::Instant now) override;
  void handle_wake(base::Instant now) override;

  RelayCounts counts() const;
  // Everything that must hold, by full scans: for tests and simulation.
  void check_invariants() const;

 private:
  void handle_client_ready(base::ConnectionId id, ClientReady& ready, base::Instant now);
  void turn_away(base::ConnectionId id, base::Bytes verdict, const wire::Report& report);
  void publish();
  void sweep(base::Instant now);
  void report_clients();
  // A client has come, said something or gone.
  void note_client(base::Instant now);
  // At the end of every event but a wake-up: it is over with the rest, if there was any.
  void settle(base::Instant now);
  // At the end of every event: decisions, the dead, the next wake-up.
  void conclude(base::Instant now);

  mutable RelayState state_;
  Intake intake_;
  Requests requests_;
  ParameterReplay parameter_replay_;
  Replies replies_;
  Handback handback_;
  Leases leases_;
  LostServers lost_;
  Recovery recovery_;
  Cancels cancels_;
  Effects effects_;
  Inquiry inquiry_;
  Errands errands_;
  Giving giving_;
  Holders holders_;
  Departures departures_;
  Overdue overdue_;

  base::Instant next_sweep_ = base::kNever;
  base::Instant wake_ = base::kNever;  // As last asked for.
  base::Instant last_event_;           // Wake-ups do not count.
  bool is_at_rest_ = false;            // Nothing is under way; sweeps are rare.
  base::Instant last_of_clients_;      // When one of them came, said something or went.
  bool are_clients_at_rest_ = false;   // None has done so for long, nor is busy.
  bool has_reported_clients_ = false;
  bool has_reported_rest_ = false;
};

}  // namespace pgweir::proxy
