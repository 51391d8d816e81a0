#include "proxy/overdue.h"

#include "proxy/catalog.h"
#include "proxy/errands.h"
#include "proxy/events.h"
#include "proxy/leases.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// Whether it is the client's turn, in the middle of what it has begun: a transaction, a batch
// without its Sync, a COPY, a message of which only a part has come, an answer that it does not
// read.
bool is_awaiting_client(const Server& server) {
  if (server.is_paused) return true;
  if (server.client->skip_bytes != 0 || server.cycle.is_copying_in()) return true;
  return server.cycle.is_quiet() && !server.cycle.is_idle();
}

}  // namespace

void Overdue::handle_options_changed() {
  watches_idle_clients_ = has_idle_client_limit(*state_.options);
}

void Overdue::sweep(base::Instant now) {
  for (const ServerToken token : state_.registry.tokens()) {
    if (Server* server = state_.registry.find(token)) sweep_server(*server, now);
  }
  end_idle_clients(now);
}

bool Overdue::is_any_client_busy() const {
  bool is_busy = is_anybody_waiting();
  state_.registry.for_each_server([&](Server& server) {
    is_busy = is_busy || (server.client != nullptr && !is_at_rest(server));
  });
  return is_busy;
}

bool Overdue::has_work() const {
  bool has_work = watches_idle_clients_ || is_anybody_waiting();
  state_.registry.for_each_server(
      [&](Server& server) { has_work = has_work || !is_at_rest(server); });
  return has_work;
}

// In the pool, or with a client that keeps it between two transactions.
bool Overdue::is_at_rest(const Server& server) {
  if (server.phase != Server::Phase::Serving || !server.cycle.is_idle()) return false;
  return server.client == nullptr || !is_awaiting_client(server);
}

void Overdue::sweep_server(Server& server, base::Instant now) {
  const Options& options = *state_.options;
  switch (server.phase) {
    case Server::Phase::Connecting:      // Login has a deadline for it …
    case Server::Phase::Asking: return;  // … and Errands for this.
    case Server::Phase::Terminating:
      if (server.id != base::ConnectionId::None &&
          now - server.phase_since >= options.server_close_timeout) {
        state_.leases->give_up_waiting_for_end(server, now);
      }
      return;
    case Server::Phase::Recovering:
    case Server::Phase::Resetting:
      // Where it is in doubt what is under way, last words may take no longer than anything else.
      if (server.is_finishing && !server.cycle.is_quiet() && !server.cycle.is_doubtful()) return;
      if (now - server.phase_since >= options.discard_time_max)
        state_.leases->close_server(server, now);
      return;
    case Server::Phase::Serving: break;
  }
  if (server.client == nullptr) return;
  if (const auto report = verdict_on(server, now)) {
    state_.leases->end_client(*server.client, ClientEnd::Overdue, &*report, now);
    return;
  }
  const base::Duration idle_max = patience_of(options, server.route->user).idle_transaction;
  const bool is_idle = is_awaiting_client(server) && now - server.last_activity >= idle_max;
  if (idle_max == base::Duration::zero() || !is_idle) return;
  // It harms nobody as long as nobody waits for a server.
  if (options.is_idle_timeout_eager || is_anybody_waiting()) end_idle_transaction(server, now);
}

std::optional<wire::Report> Overdue::verdict_on(const Server& server, base::Instant now) const {
  const auto is_over = [now](base::Instant since, base::Duration limit) {
    return limit != base::Duration::zero() && since != base::kNever && now - since >= limit;
  };
  const auto report = [](std::string_view sqlstate, std::string message, std::string hint) {
    return wire::Report{.severity = "FATAL",
                        .sqlstate = std::string(sqlstate),
                        .message = std::move(message),
                        .detail = {},
                        .hint = std::move(hint)};
  };
  const bool is_busy = !server.cycle.is_quiet();
  const Patience patience = patience_of(*state_.options, server.route->user);
  if (is_busy && is_over(server.last_activity, server.route->plan->database.socket_timeout)) {
    return report(wire::sqlstate::kConnectionFailure,
                  "the server did not answer within socket_timeout; whether the statement took "
                  "effect is not known",
                  "Raise socket_timeout if statements may run that long.");
  }
  if (server.cycle.owes_client() && is_over(server.busy_since, patience.query)) {
    return report(wire::sqlstate::kQueryCanceled, "query timeout",
                  "Raise query_timeout, or bound the query.");
  }
  if (server.cycle.transaction_status() != 'I' &&
      is_over(server.client->leased_at, patience.transaction)) {
    return report(wire::sqlstate::kTransactionTimeout,
                  "terminating connection due to transaction timeout",
                  "Raise transaction_timeout, or do less in one transaction.");
  }
  return std::nullopt;
}

void Overdue::end_idle_clients(base::Instant now) {
  if (!watches_idle_clients_) return;
  const wire::Report report{.severity = "FATAL",
                            .sqlstate = std::string(wire::sqlstate::kIdleSessionTimeout),
                            .message = "terminating connection due to client_idle_timeout",
                            .detail = {},
                            .hint = {}};
  state_.registry.for_each_client([&](Client& client) {
    if (client.server != nullptr || client.is_waiting() || !client.outbox.empty()) return;
    const base::Duration idle_max = patience_of(*state_.options, client.route->user).idle_client;
    if (idle_max != base::Duration::zero() && now - client.last_request >= idle_max) {
      state_.leases->end_client(client, ClientEnd::Overdue, &report, now);
    }
  });
}

bool Overdue::is_anybody_waiting() const {
  for (std::uint32_t pool = 0; pool < state_.shard.pool_count(); ++pool) {
    if (state_.errands->waiting_clients(base::PoolId{pool}) != 0) return true;
  }
  return false;
}

void Overdue::end_idle_transaction(Server& server, base::Instant now) {
  state_.world.log.event(
      kIdleTransactionEnded,
      {obs::kv("database", server.route->database), obs::kv("user", server.route->user),
       obs::kv("application", server.client->application_name),
       obs::kv("client", server.client->peer), obs::kv("idle_s", now - server.last_activity)});
  const wire::Report report{
      .severity = "FATAL",
      .sqlstate = std::string(wire::sqlstate::kIdleInTransactionSessionTimeout),
      .message = "terminating connection due to idle-in-transaction timeout",
      .detail =
          "The transaction was idle for longer than idle_transaction_timeout while other "
          "clients waited for a connection; it was rolled back.",
      .hint = "Commit before you wait for something else, or raise idle_transaction_timeout."};
  state_.leases->end_client(*server.client, ClientEnd::IdleTransaction, &report, now);
}

}  // namespace pgweir::proxy
