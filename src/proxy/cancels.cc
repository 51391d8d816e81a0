#include "proxy/cancels.h"

#include <utility>

#include "proxy/cancel_key.h"
#include "proxy/handback.h"
#include "proxy/leases.h"
#include "proxy/requests.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

bool runs_for_its_client(const Server& server) {
  return server.client != nullptr && server.cycle.size() != 0 &&
         server.cycle.next().origin == session::Origin::Client;
}

}  // namespace

wire::CancelKey Cancels::key_of(const Client& client) const {
  wire::CancelKey key{.pid = cancel_pid(state_.world.index, base::slot_of(client.id)),
                      .secret = base::ByteBuffer(4)};
  base::store_u32(key.secret.data(), client.cancel_secret);
  return key;
}

Client* Cancels::find(const wire::CancelKey& key) const {
  if (relay_of_pid(key.pid) != state_.world.index) return nullptr;
  Client* client = state_.registry.find_client(slot_of_pid(key.pid));
  // Compared as numbers: no early end tells how much of a guess was right.
  if (client == nullptr || key.secret.size() != 4) return nullptr;
  return base::load_u32(key.secret.data()) == client->cancel_secret ? client : nullptr;
}

void Cancels::handle_asked(const CancelAsked& asked, base::Instant now) {
  Client* client = find(asked.key);
  Server* server = client == nullptr ? nullptr : client->server;
  if (server != nullptr && runs_for_its_client(*server)) {
    cancel(*server, asked.asker);
    return;
  }
  if (server != nullptr && server->cycle.size() != 0) {
    // A SET or Parse of ours comes first, and is not to be struck.
    server->is_cancel_owed = true;
    server->cancel_askers.push_back(asked.asker);
    return;
  }
  if (client != nullptr && client->is_waiting() && !client->needs_welcome) {
    state_.shard.leave(*client);
    state_.requests->refuse(*client,
                            {.severity = "ERROR",
                             .sqlstate = std::string(wire::sqlstate::kQueryCanceled),
                             .message = "canceling statement due to user request",
                             .detail = "It was still waiting for a server connection.",
                             .hint = {}},
                            now);
  }
  answer(asked.asker);
}

void Cancels::cancel(Server& server, base::ConnectionId asker) {
  if (asker != base::ConnectionId::None) server.cancel_askers.push_back(asker);
  // PostgreSQL has few slots for those who log in, and a CancelRequest takes one, too. What runs
  // when this one is over may not be what it was meant for.
  server.is_cancel_wanted_again = server.is_cancel_under_way;
  if (std::exchange(server.is_cancel_under_way, true)) return;
  server.owed_when_cancelled = server.cycle.size();
  auto order = std::make_unique<DeliverCancel>();
  order->token = server.token;
  order->plan = server.route->plan;
  order->endpoint = server.endpoint;
  order->is_secured = server.is_secured;
  order->key = server.cancel_key;
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Login, std::move(order));
}

void Cancels::settle_owed(Server& server) {
  if (!server.is_cancel_owed) return;
  const bool is_due = runs_for_its_client(server);
  const bool is_still_ours = server.client != nullptr && server.cycle.size() != 0 && !is_due;
  if (is_still_ours) return;
  server.is_cancel_owed = false;
  if (is_due) {
    cancel(server, base::ConnectionId::None);
  } else if (!server.is_cancel_under_way) {
    forget(server);
  }
}

bool Cancels::is_due_again(const Server& server) {
  return !server.is_cancel_under_way && server.cycle.size() != 0 &&
         server.cycle.size() < server.owed_when_cancelled;
}

void Cancels::forget(Server& server) {
  for (const base::ConnectionId asker : server.cancel_askers) answer(asker);
  server.cancel_askers.clear();
}

void Cancels::handle_delivered(const CancelDelivered& delivered, base::Instant now) {
  Server* server = state_.registry.find(delivered.token);
  if (server == nullptr) return;
  ASSERT(server->is_cancel_under_way);
  server->is_cancel_under_way = false;
  const bool is_wanted_again = std::exchange(server->is_cancel_wanted_again, false);
  if (server->phase != Server::Phase::Terminating && delivered.is_confirmed && is_wanted_again &&
      server->cycle.size() != 0) {
    cancel(*server, base::ConnectionId::None);
    return;
  }
  forget(*server);
  if (server->phase == Server::Phase::Terminating) return;
  if (!delivered.is_confirmed) {
    server->needs_close = true;
    if (server->client != nullptr) {
      const wire::Report report{
          .severity = "FATAL",
          .sqlstate = std::string(wire::sqlstate::kConnectionFailure),
          .message = "a cancel request was not confirmed by the server in time",
          .detail = "It might still strike a later statement, so the connection is closed.",
          .hint = "Reconnect and check before you repeat the statement."};
      state_.leases->end_client(*server->client, ClientEnd::ServerDied, &report, now);
      return;
    }
  }
  state_.handback->reconsider(*server, now);
}

void Cancels::answer(base::ConnectionId asker) {
  if (asker == base::ConnectionId::None) return;
  auto answered = std::make_unique<CancelAnswered>();
  answered->asker = asker;
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Login, std::move(answered));
}

}  // namespace pgweir::proxy
