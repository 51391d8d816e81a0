#include "proxy/relay.h"

#include <algorithm>

#include "proxy/catalog.h"
#include "proxy/events.h"
#include "proxy/moving.h"
#include "proxy/sending.h"
#include "proxy/welcome.h"
#include "session/startup_options.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// How often servers in use are looked at for what takes too long.
constexpr base::Duration kSweepEvery = std::chrono::milliseconds(500);
// The same while there is nothing to be seen: a process that nobody uses should let its CPU sleep.
constexpr base::Duration kSweepAtRest = std::chrono::milliseconds(2500);
// After so long clients are reported to be at rest.
constexpr base::Duration kRestAfter = std::chrono::seconds(5);

}  // namespace

Relay::Relay(const RelayWorld& world, std::shared_ptr<const Options> options)
    : state_(world, std::move(options)),
      intake_(state_),
      requests_(state_),
      parameter_replay_(state_),
      replies_(state_),
      handback_(state_),
      leases_(state_),
      lost_(state_),
      recovery_(state_),
      cancels_(state_),
      effects_(state_),
      inquiry_(state_),
      errands_(state_),
      giving_(state_),
      holders_(state_),
      departures_(state_),
      overdue_(state_) {
  state_.intake = &intake_;
  state_.requests = &requests_;
  state_.parameter_replay = &parameter_replay_;
  state_.replies = &replies_;
  state_.handback = &handback_;
  state_.leases = &leases_;
  state_.lost = &lost_;
  state_.recovery = &recovery_;
  state_.cancels = &cancels_;
  state_.effects = &effects_;
  state_.inquiry = &inquiry_;
  state_.errands = &errands_;
  state_.giving = &giving_;
  state_.holders = &holders_;
  state_.departures = &departures_;
}

// Connections reach the Relay by hand_over only.
void Relay::handle_accepted(base::ConnectionId id, const base::PeerAddress&, base::Instant) {
  state_.world.io.close(id);
}
void Relay::handle_opened(base::ConnectionId, base::Instant) {}
void Relay::handle_secured(base::ConnectionId, const base::TlsInfo&, base::Instant) {}

void Relay::handle_bytes(base::ConnectionId id, base::Bytes bytes, base::Instant now) {
  const Registry::Party party = state_.registry.find(id);
  if (party.client != nullptr) {
    note_client(now);
    intake_.handle_bytes(*party.client, bytes, now);
  } else if (party.server != nullptr && party.server->phase == Server::Phase::Asking) {
    errands_.handle_bytes(*party.server, bytes, now);
  } else if (party.server != nullptr) {
    replies_.handle_bytes(*party.server, bytes, now);
  }
  settle(now);
}

void Relay::handle_ending(base::ConnectionId id, base::Instant) {
  const Registry::Party party = state_.registry.find(id);
  if (party.client != nullptr) intake_.handle_ending(*party.client);
}

void Relay::handle_writable(base::ConnectionId id, base::Instant now) {
  const Registry::Party party = state_.registry.find(id);
  if (party.client != nullptr) {
    if (drain_to_client(state_, *party.client)) intake_.resume(*party.client, now);
  } else if (party.server != nullptr && drain_to_server(state_, *party.server)) {
    Server& server = *party.server;
    if (server.client != nullptr) {
      intake_.resume(*server.client, now);
    }
    if (server.phase != Server::Phase::Terminating &&
        (server.client != nullptr || server.phase == Server::Phase::Recovering)) {
      handback_.reconsider(server, now);
    }
  }
  settle(now);
}

void Relay::handle_closed(base::ConnectionId id, base::CloseCause cause, std::string_view,
                          base::Instant now) {
  const Registry::Party party = state_.registry.find(id);
  if (party.client != nullptr) {
    note_client(now);
    leases_.end_client(*party.client, ClientEnd::Vanished, nullptr, now);
  } else if (party.server != nullptr) {
    leases_.handle_server_gone(*party.server, cause, now);
  }
  settle(now);
}

void Relay::handle_parcel(base::ConnectionId id, std::unique_ptr<base::Parcel> parcel,
                          base::Instant now) {
  if (auto* client = dynamic_cast<ClientReady*>(parcel.get())) {
    note_client(now);
    handle_client_ready(id, *client, now);
  } else if (auto* server = dynamic_cast<ServerReady*>(parcel.get())) {
    leases_.handle_server_ready(id, *server, now);
    if (const Registry::Party party = state_.registry.find(id); party.server != nullptr) {
      if (!server->rest.empty()) replies_.handle_bytes(*party.server, server->rest, now);
    }
  } else if (auto* given = dynamic_cast<ServerGiven*>(parcel.get())) {
    giving_.handle_given(id, *given, now);
  } else if (const auto* holders = dynamic_cast<HoldersAsked*>(parcel.get())) {
    holders_.handle_asked(*holders);
  } else if (auto* told = dynamic_cast<HoldersTold*>(parcel.get())) {
    holders_.handle_told(*told, now);
  } else if (auto* failed = dynamic_cast<ServerFailed*>(parcel.get())) {
    leases_.handle_server_failed(*failed, now);
  } else if (const auto* asked = dynamic_cast<CancelAsked*>(parcel.get())) {
    cancels_.handle_asked(*asked, now);
  } else if (const auto* delivered = dynamic_cast<CancelDelivered*>(parcel.get())) {
    cancels_.handle_delivered(*delivered, now);
  } else if (const auto* gone = dynamic_cast<ServerGone*>(parcel.get())) {
    lost_.handle_gone(*gone, now);
  } else if (auto* errand = dynamic_cast<RunErrand*>(parcel.get())) {
    static_cast<void>(parcel.release());
    errands_.begin(std::unique_ptr<RunErrand>(errand), now);
  } else if (const auto* limit = dynamic_cast<LimitChanged*>(parcel.get())) {
    state_.routes.set_limits(limit->node, limit->limits, limit->version, now);
  } else if (auto* changed = dynamic_cast<OptionsChanged*>(parcel.get())) {
    state_.options = std::move(changed->options);
    ++state_.reload_count;
    overdue_.handle_options_changed();
    state_.routes.add_nodes(changed->limits);
    state_.routes.set_options(*state_.options, now);
    move_clients(state_, now);
    departures_.handle_options_changed(now);
  } else if (dynamic_cast<PermitsFreed*>(parcel.get()) != nullptr) {
    state_.shard.handle_wake(now);
  } else if (const auto* drain = dynamic_cast<Drain*>(parcel.get())) {
    departures_.begin_drain(drain->is_now, now);
  }
  settle(now);
}

void Relay::handle_wake(base::Instant now) {
  wake_ = base::kNever;
  state_.shard.handle_time(now);
  leases_.carry_out_decisions(now);
  holders_.handle_time(now);
  if (now >= next_sweep_) {
    sweep(now);
    are_clients_at_rest_ = now - last_of_clients_ >= kRestAfter && !overdue_.is_any_client_busy();
    is_at_rest_ = now - last_event_ >= kSweepEvery && !overdue_.has_work() && lost_.empty() &&
                  errands_.empty() && !departures_.is_under_way();
    next_sweep_ = now + (is_at_rest_ ? kSweepAtRest : kSweepEvery);
  }
  conclude(now);
}

void Relay::handle_client_ready(base::ConnectionId id, ClientReady& ready, base::Instant now) {
  Identity& identity = ready.identity;
  const DatabaseOptions* database = find_database(*state_.options, identity.database);
  if (database == nullptr) {  // A reload has removed it since Login looked.
    turn_away(id, ready.verdict, removed_report(identity.database));
    return;
  }
  if (!state_.routes.has_room_for(identity.database, identity.user)) {
    turn_away(id, ready.verdict,
              {.severity = "FATAL",
               .sqlstate = std::string(wire::sqlstate::kTooManyConnections),
               .message = "pgweir knows too many different databases and users already",
               .detail = {},
               .hint = {}});
    return;
  }
  Client& client = state_.registry.add_client(id);
  client.route =
      &state_.routes.find(*state_.options, *database, identity.database, identity.user, now);
  ++client.route->client_count;
  client.connected_at = now;
  client.last_request = now;
  client.peer = std::move(identity.peer);
  client.seats = std::move(identity.seats);
  auto parameters = session::parse_startup_options(identity.parameters);
  if (!parameters) {
    send_to_client(state_, client, ready.verdict);
    const wire::Report report{.severity = "FATAL",
                              .sqlstate = std::string(wire::sqlstate::kInvalidParameterValue),
                              .message = parameters.error().context,
                              .detail = {},
                              .hint = {}};
    leases_.end_client(client, ClientEnd::Misused, &report, now);
    return;
  }
  std::erase_if(*parameters, [&](const auto& parameter) {
    const auto& ignored = state_.options->ignored_startup_parameters;
    return std::find(ignored.begin(), ignored.end(), parameter.first) != ignored.end();
  });
  for (const auto& [name, value] : *parameters) {
    if (name == "application_name") client.application_name = value.text;
  }
  client.parameters = state_.parameters.intern(std::move(*parameters));
  if (const auto reason = departures_.reason_for(client)) {
    send_to_client(state_, client, ready.verdict);
    leases_.end_client(client, ClientEnd::Shutdown, &*reason, now);
    return;
  }
  const bool is_known = !client.route->reported.empty() &&
                        client.route->proven.contains(state_.parameters.at(client.parameters));
  if (is_known) {
    welcome(state_, client, ready.verdict);
    return;
  }
  // It may be told other things while it waits, and those come behind this.
  send_to_client(state_, client, ready.verdict);
  client.needs_welcome = true;
  if (leases_.acquire(client, now)) leases_.begin_session(client, now);
}

// One that does not become a client.
void Relay::turn_away(base::ConnectionId id, base::Bytes verdict, const wire::Report& report) {
  state_.world.log.event(
      kClientError, {obs::kv("sqlstate", report.sqlstate), obs::kv("problem", report.message)});
  state_.message.assign(verdict.begin(), verdict.end());
  wire::encode_error(state_.message, report);
  state_.world.io.try_send(id, state_.message);
  state_.world.counts.client_count.fetch_sub(1, std::memory_order_relaxed);
  state_.world.io.close(id);
}

void Relay::publish() {
  state_.routes.publish([this](base::PoolId pool) { return errands_.waiting_clients(pool); });
}

void Relay::sweep(base::Instant now) {
  publish();
  lost_.sweep(now);
  errands_.sweep(now);
  holders_.sweep(now);
  overdue_.sweep(now);
  departures_.sweep(now);
  report_clients();
}

void Relay::settle(base::Instant now) {
  last_event_ = now;
  if (is_at_rest_) {
    is_at_rest_ = false;
    next_sweep_ = std::min(next_sweep_, now + kSweepEvery);
  }
  conclude(now);
}

void Relay::conclude(base::Instant now) {
  leases_.carry_out_decisions(now);
  state_.registry.bury();
  // That the last one has gone is a sweep's to tell: the next often comes at once.
  if (state_.registry.client_count() != 0) report_clients();
  departures_.report(now);
  const bool is_watching = state_.registry.server_count() != 0 || !lost_.empty() ||
                           !errands_.empty() || state_.registry.client_count() != 0 ||
                           has_reported_clients_;
  if (!is_watching) {
    if (next_sweep_ != base::kNever) publish();
    next_sweep_ = base::kNever;
  } else if (next_sweep_ == base::kNever) {
    // Where it is due already, its wake-up comes behind the events of this moment.
    next_sweep_ = now + kSweepEvery;
  }
  const base::Instant next =
      std::min({next_sweep_, state_.shard.next_deadline(), holders_.next_deadline()});
  if (next == wake_) return;
  wake_ = next;
  state_.world.io.wake_at(next);
}

void Relay::note_client(base::Instant now) {
  last_of_clients_ = now;
  are_clients_at_rest_ = false;
}

void Relay::report_clients() {
  const bool has_clients = state_.registry.client_count() != 0;
  const bool are_at_rest = has_clients && are_clients_at_rest_;
  if (has_clients == has_reported_clients_ && are_at_rest == has_reported_rest_) return;
  has_reported_clients_ = has_clients;
  has_reported_rest_ = are_at_rest;
  auto changed = std::make_unique<ClientsChanged>();
  changed->relay = state_.world.index;
  changed->has_clients = has_clients;
  changed->are_at_rest = are_at_rest;
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Control, std::move(changed));
}

RelayCounts Relay::counts() const {
  RelayCounts counts{.clients = state_.registry.client_count()};
  for (std::uint32_t i = 0; i < state_.shard.pool_count(); ++i) {
    const pool::PoolCounts pool = state_.shard.counts(base::PoolId{i});
    counts.open += pool.connecting + pool.idle + pool.leased + pool.closing + pool.lost;
    counts.in_use += pool.leased;
    counts.waiting += pool.waiting;
  }
  return counts;
}

void Relay::check_invariants() const {
  state_.shard.check_invariants();
  state_.registry.for_each_server([](Server& server) {
    ASSERT(server.client == nullptr || server.client->server == &server);
    ASSERT(server.client == nullptr || server.phase == Server::Phase::Serving);
    ASSERT(server.client == nullptr || server.state() == pool::ServerState::Leased);
    ASSERT(server.state() != pool::ServerState::Idle ||
           (server.cycle.is_idle() && !server.is_cancel_under_way && !server.needs_reset));
  });
  state_.registry.for_each_client([](Client& client) {
    ASSERT(client.server == nullptr || client.server->client == &client);
    ASSERT(!client.is_waiting() || client.server == nullptr);
    ASSERT(client.route->successor == nullptr || client.server != nullptr);
  });
}

}  // namespace pgweir::proxy
