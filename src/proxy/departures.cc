#include "proxy/departures.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/leases.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// How long a process that ends waits for its servers to hang up.
constexpr base::Duration kFarewell = std::chrono::seconds(1);

wire::Report departure_report(std::string detail) {
  return {.severity = "FATAL",
          .sqlstate = std::string(wire::sqlstate::kAdminShutdown),
          .message = "terminating connection due to administrator command",
          .detail = std::move(detail),
          .hint = {}};
}

// Neither in a transaction nor about to begin one, and it has got all its answers.
bool may_go(const Client& client) {
  if (!client.outbox.empty()) return false;
  if (client.server == nullptr) return !client.is_waiting();
  return client.server->cycle.is_idle() && client.inbox.empty();
}

}  // namespace

wire::Report removed_report(std::string_view database) {
  return departure_report(
      fmt::format("Database \"{}\" is no longer in pgweir's configuration.", database));
}

std::optional<wire::Report> Departures::reason_for(const Client& client) const {
  if (state_.is_draining) return departure_report("pgweir is shutting down.");
  if (client.route->is_removed) return removed_report(client.route->database);
  return std::nullopt;
}

void Departures::begin_drain(bool is_now, base::Instant now) {
  state_.is_draining = true;
  const base::Duration patience = state_.options->shutdown_timeout;
  drain_until_ = is_now ? now : std::min(drain_until_, base::deadline(now, patience));
  sweep(now);
}

bool Departures::is_under_way() const { return state_.is_draining || state_.routes.has_removed(); }

void Departures::sweep(base::Instant now) {
  if (!is_under_way()) return;
  const bool is_time_up = state_.is_draining && now >= drain_until_;
  state_.registry.for_each_client([&](Client& client) {
    // Nobody waits for a server of a pool that has none any more.
    const bool has_lost_its_turn = client.route->is_removed && client.is_waiting();
    const bool is_cut = !may_go(client) && !has_lost_its_turn;
    if (is_cut && !is_time_up) return;
    const auto reason = reason_for(client);
    if (!reason) return;
    has_cut_transactions_ = has_cut_transactions_ || is_cut;
    state_.leases->end_client(client, ClientEnd::Shutdown, &*reason, now);
  });
}

bool Departures::let_go(Client& client, base::Instant now) {
  if (!state_.is_draining && !client.route->is_removed) return false;
  if (!may_go(client)) return false;
  const auto reason = reason_for(client);
  if (reason) state_.leases->end_client(client, ClientEnd::Shutdown, &*reason, now);
  return reason.has_value();
}

// Once the last client has gone the servers are let go, too; then the shell may end the process.
void Departures::report(base::Instant now) {
  if (!state_.is_draining || has_reported_ || state_.registry.client_count() != 0) return;
  if (farewell_until_ == base::kNever) {
    farewell_until_ = now + kFarewell;
    state_.routes.close_all(now);
    state_.leases->carry_out_decisions(now);
  }
  let_servers_go(now);
  const bool has_servers = state_.registry.server_count() != 0 || state_.shard.expects_servers();
  if (has_servers && now < farewell_until_) return;
  has_reported_ = true;
  auto drained = std::make_unique<Drained>();
  drained->is_clean = !has_cut_transactions_;
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Control, std::move(drained));
}

// Those that are connecting follow when they come.
void Departures::let_servers_go(base::Instant now) {
  for (const ServerToken token : state_.registry.tokens()) {
    Server* server = state_.registry.find(token);
    if (server->phase != Server::Phase::Connecting) state_.leases->close_server(*server, now);
  }
  state_.leases->carry_out_decisions(now);
}

}  // namespace pgweir::proxy
