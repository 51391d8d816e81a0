#include "proxy/leases.h"

#include "proxy/cancels.h"
#include "proxy/effects.h"
#include "proxy/errands.h"
#include "proxy/events.h"
#include "proxy/giving.h"
#include "proxy/holders.h"
#include "proxy/intake.h"
#include "proxy/lost_servers.h"
#include "proxy/moving.h"
#include "proxy/recovery.h"
#include "proxy/refusal.h"
#include "proxy/requests.h"
#include "proxy/sending.h"
#include "proxy/welcome.h"
#include "wire/query.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// A server that rested for so long is looked at before it is lent: its end may have come unnoticed.
constexpr base::Duration kPeekAfter = std::chrono::seconds(1);

wire::Report lost_report(const Server& server) {
  const bool is_running = server.cycle.owes_client();
  return {.severity = "FATAL",
          .sqlstate = std::string(wire::sqlstate::kConnectionFailure),
          .message = is_running ? "the server closed the connection while a statement was running"
                                : "the server closed the connection",
          .detail = is_running ? "Whether the statement took effect is not known."
                               : "The transaction or session state on it is lost.",
          .hint = "Reconnect; check before you repeat a statement that changes data."};
}

}  // namespace

bool Leases::acquire(Client& client, base::Instant now) {
  while (true) {
    auto* server = static_cast<Server*>(state_.shard.acquire(client, client.route->pool, now));
    if (server == nullptr) {
      state_.holders->ask(*client.route, now);
      return false;
    }
    if (!is_dead(*server, now)) {
      client.route->metrics.wait.record(base::Duration::zero());
      link(client, *server, now);
      return true;
    }
    // Nothing of the statement has left: it goes to another server, and nobody notices.
    close_server(*server, now);
  }
}

Server* Leases::take_first(pool::Waiter& errand, base::PoolId pool, base::Instant now) {
  while (true) {
    auto* server = static_cast<Server*>(state_.shard.acquire_first(errand, pool, now));
    if (server == nullptr || !is_dead(*server, now)) return server;
    close_server(*server, now);
  }
}

bool Leases::is_dead(const Server& server, base::Instant now) {
  const bool has_rested = now - server.last_activity >= kPeekAfter;
  return has_rested && state_.world.io.try_send(server.id, {}) != 1;
}

void Leases::link(Client& client, Server& server, base::Instant now) {
  ASSERT(client.server == nullptr && server.client == nullptr);
  ASSERT(server.phase == Server::Phase::Serving && server.cycle.is_idle());
  client.server = &server;
  client.leased_at = now;
  server.client = &client;
  server.statement_bytes = 0;
  server.needs_reset = state_.options->has_reset_always ||
                       (client.session != nullptr && !client.session->pins.empty());
  if (server.last_client != client.id) server.follows_another = true;
  server.last_client = client.id;
  server.busy_since = base::kNever;
  server.is_finishing = false;
}

Client* Leases::unlink(Server& server, base::Instant now) {
  Client* client = server.client;
  if (client == nullptr) return nullptr;
  client->route->metrics.hold.record(now - client->leased_at);
  client->server = nullptr;
  server.client = nullptr;
  follow_route(*client);
  state_.cancels->settle_owed(server);
  if (server.is_paused) {
    server.is_paused = false;
    state_.world.io.resume(server.id);
  }
  return client;
}

void Leases::grant(Client& client, Server& server, base::Instant now) {
  client.route->metrics.wait.record(now - client.since());
  link(client, server, now);
  if (client.needs_welcome) {
    begin_session(client, now);
  } else {
    state_.intake->resume(client, now);
  }
}

// It waited to learn what a server reports, and whether it takes the client's parameters.
void Leases::begin_session(Client& client, base::Instant now) {
  Server& server = *client.server;
  const bool is_proven = client.route->proven.contains(state_.parameters.at(client.parameters));
  if (!is_proven && !state_.requests->settle(client, now)) return;  // Replies goes on.
  detach(server, now);
  server.needs_reset = false;  // Nothing has run on it.
  welcome(state_, client);
  release(server, now);
}

void Leases::hand_on(Server& server, pool::Waiter* waiter, base::Instant now) {
  if (waiter == nullptr) return;
  if (state_.errands->owns(*waiter)) return state_.errands->grant(*waiter, server, now);
  grant(static_cast<Client&>(*waiter), server, now);
}

void Leases::detach(Server& server, base::Instant now) { unlink(server, now); }

void Leases::release(Server& server, base::Instant now) {
  unlink(server, now);
  hand_on(server, state_.shard.release(server, now), now);
}

void Leases::release_adopted(Server& server, pool::ReactorIndex from, base::Instant now) {
  hand_on(server, state_.shard.release_adopted(server, from, now), now);
}

void Leases::end_client(Client& client, ClientEnd reason, const wire::Report* report,
                        base::Instant now) {
  // Inside a message that it has got a part of, words would be read as data.
  const bool is_mid_message = client.server != nullptr && client.server->is_passing_message();
  if (report != nullptr && !is_mid_message) send_error(state_, client, *report);
  state_.world.log.event(
      kClientClosed,
      {obs::kv("reason", to_text(reason)), obs::kv("database", client.route->database),
       obs::kv("user", client.route->user), obs::kv("client", client.peer)});
  state_.shard.leave(client);
  Server* server = client.server;
  if (server != nullptr) {
    server->needs_reset = server->needs_reset || leaves_state(client);
    server->is_finishing = reason == ClientEnd::Left;
    server->is_cut = client.skip_bytes != 0 && client.is_skip_forwarded;
    if (client.session != nullptr && client.session->pins.needs_close()) server->needs_close = true;
    unlink(*server, now);
  }
  state_.world.io.close(client.id);
  --client.route->client_count;
  client.session.reset();
  state_.parameters.release(client.parameters);
  state_.world.counts.client_count.fetch_sub(1, std::memory_order_relaxed);
  state_.registry.remove(client);
  if (server != nullptr && server->phase == Server::Phase::Serving) {
    state_.recovery->begin(*server, now);
  }
}

// Whether a server may carry something of this client that a ROLLBACK does not undo.
bool Leases::leaves_state(const Client& client) const {
  if (client.route->mode == PoolMode::Session) return true;
  if (client.is_settling) return true;
  if (client.session == nullptr) return false;
  const ClientSession& session = *client.session;
  return !session.pins.empty() || !session.pending.empty() || !session.reported.empty() ||
         session.parameters.has_pending() || session.analyser != nullptr;
}

void Leases::close_server(Server& server, base::Instant now) {
  if (server.phase == Server::Phase::Terminating) return;
  if (server.is_given()) state_.shard.take_back(server, now);
  state_.world.log.event(
      kServerClosed, {obs::kv("reason", "requested"), obs::kv("database", server.route->database),
                      obs::kv("user", server.route->user)});
  if (is_in_service(server)) state_.shard.handle_closing(server, now);
  terminate(server, now);
}

// A busy server does not read: it is cancelled first, so that it comes to see Terminate.
void Leases::terminate(Server& server, base::Instant now) {
  const bool is_busy = !server.cycle.is_quiet();
  if (server.phase == Server::Phase::Asking) state_.errands->handle_server_lost(server);
  server.phase = Server::Phase::Terminating;
  server.phase_since = now;
  if (server.id == base::ConnectionId::None) return;
  if (server.is_paused) {
    server.is_paused = false;
    state_.world.io.resume(server.id);
  }
  // Words to a server that is gone already would be answered with a reset, which proves nothing.
  if (server.has_said_goodbye) return;
  if (is_busy) state_.cancels->cancel(server, base::ConnectionId::None);
  if (server.is_cut) {
    // Whatever is sent now it would take for the rest of the message.
    give_up_waiting_for_end(server, now);
    return;
  }
  state_.message.clear();
  wire::encode_terminate(state_.message);
  send_to_server(state_, server, state_.message);
}

void Leases::handle_server_gone(Server& server, base::CloseCause cause, base::Instant now) {
  const bool is_ours = server.phase == Server::Phase::Terminating;
  if (!is_ours) {
    state_.world.log.event(
        kServerDied,
        {obs::kv("cause", to_text(cause)), obs::kv("database", server.route->database),
         obs::kv("user", server.route->user), obs::kv("server", server.endpoint.address)});
  }
  state_.registry.disconnect(server);
  if (server.phase == Server::Phase::Asking) state_.errands->handle_server_lost(server);
  server.phase = Server::Phase::Terminating;
  if (server.client != nullptr) {
    const wire::Report report = lost_report(server);
    // Where the server has said why itself, that has been passed on already.
    end_client(*server.client, ClientEnd::ServerDied, server.has_said_goodbye ? nullptr : &report,
               now);
  }
  if (is_in_service(server)) state_.shard.handle_closing(server, now);
  if (cause == base::CloseCause::Eof) {
    report_backend(server, server.cancel_key.pid, false);
    state_.shard.handle_ended(server, now);
    forget(server);
  } else {
    lose(server, now);
  }
}

void Leases::give_up_waiting_for_end(Server& server, base::Instant now) {
  state_.world.io.close(server.id);
  state_.registry.disconnect(server);
  lose(server, now);
}

// Its permit stays out until somebody who can see the server's backends says that it is gone.
void Leases::lose(Server& server, base::Instant now) {
  state_.lost->add(server, now);
  state_.shard.handle_lost(server, now);
  forget(server);
}

void Leases::forget(Server& server) {
  state_.cancels->forget(server);
  state_.parameters.release(server.parameters);
  state_.registry.remove(server);
}

void Leases::open_server(base::PoolId pool, base::Instant now) {
  Server& server = state_.registry.add_server(state_.statements);
  server.route = &state_.routes.at(pool);
  server.phase_since = now;
  state_.shard.handle_opening(server, pool, now);
  auto order = std::make_unique<OpenServer>();
  order->token = server.token;
  order->plan = server.route->plan;
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Login, std::move(order));
}

void Leases::handle_server_ready(base::ConnectionId id, ServerReady& ready, base::Instant now) {
  Server* server = state_.registry.find(ready.token);
  ASSERT(server != nullptr);
  state_.registry.connect(*server, id);
  server->phase = Server::Phase::Serving;
  server->endpoint = std::move(ready.endpoint);
  server->is_secured = ready.is_secured;
  server->cancel_key = std::move(ready.cancel_key);
  server->last_activity = now;
  Route& route = *server->route;
  for (const auto& [name, value] : ready.reported) route.canonical.note_reported(name);
  route.reported = std::move(ready.reported);
  route.reported_at = now;
  state_.world.log.event(
      kServerOpened,
      {obs::kv("database", route.database), obs::kv("user", route.user),
       obs::kv("server", server->endpoint.address), obs::kv("pid", server->cancel_key.pid)});
  report_backend(*server, server->cancel_key.pid, true);
  hand_on(*server, state_.shard.handle_opened(*server, now), now);
}

// So that discovery does not take ours for somebody else's.
void Leases::report_backend(const Server& server, std::uint32_t pid, bool is_ours) {
  if (pid == 0) return;
  auto changed = std::make_unique<BackendChanged>();
  changed->node = server.route->node;
  changed->pid = pid;
  changed->is_ours = is_ours;
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Control, std::move(changed));
}

void Leases::handle_server_failed(ServerFailed& failed, base::Instant now) {
  Server* server = state_.registry.find(failed.token);
  ASSERT(server != nullptr);
  state_.world.log.event(
      kServerLoginFailed,
      {obs::kv("sqlstate", failed.report.sqlstate), obs::kv("database", server->route->database),
       obs::kv("user", server->route->user), obs::kv("problem", failed.report.message)});
  if (failed.report.sqlstate == wire::sqlstate::kTooManyConnections) {
    auto full = std::make_unique<ServerFull>();
    full->node = server->route->node;
    state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Control, std::move(full));
  }
  state_.shard.handle_open_failed(*server,
                                  {.kind = failed.is_permanent ? pool::Failure::Kind::Permanent
                                                               : pool::Failure::Kind::Temporary,
                                   .sqlstate = failed.report.sqlstate,
                                   .text = failed.report.message},
                                  now);
  state_.errands->handle_login_failed(server->route->pool);
  if (failed.is_ended) {
    state_.shard.handle_ended(*server, now);
    forget(*server);
  } else {
    lose(*server, now);
  }
}

void Leases::carry_out_decisions(base::Instant now) {
  if (!state_.shard.has_decisions()) return;  // Nearly always.
  while (const auto decision = state_.shard.take_decision()) {
    if (const auto* open = std::get_if<pool::Open>(&*decision)) {
      open_server(open->pool, now);
    } else if (const auto* close = std::get_if<pool::Close>(&*decision)) {
      auto& server = static_cast<Server&>(*close->server);
      state_.world.log.event(kServerClosed, {obs::kv("reason", to_text(close->reason)),
                                             obs::kv("database", server.route->database),
                                             obs::kv("user", server.route->user)});
      terminate(server, now);
    } else if (const auto* refuse = std::get_if<pool::Refuse>(&*decision)) {
      const pool::Failure* failure = refuse->failure.get();
      if (state_.errands->owns(*refuse->waiter)) {
        state_.errands->refuse(*refuse->waiter, failure);
      } else {
        this->refuse(static_cast<Client&>(*refuse->waiter), refuse->reason, failure, now);
      }
    } else if (const auto* notify = std::get_if<pool::Notify>(&*decision)) {
      this->notify(static_cast<Client&>(*notify->waiter), now);
    } else if (const auto* give = std::get_if<pool::Give>(&*decision)) {
      state_.giving->send(static_cast<Server&>(*give->server), give->reactor, now);
    } else if (const auto* wake = std::get_if<pool::Wake>(&*decision)) {
      state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::relay(wake->reactor),
                                std::make_unique<PermitsFreed>());
    }
  }
}

void Leases::refuse(Client& client, pool::RefuseReason reason, const pool::Failure* failure,
                    base::Instant now) {
  wire::Report report = make_refusal(state_, client, reason, failure, now);
  state_.world.log.event(
      kClientRefused,
      {obs::kv("sqlstate", report.sqlstate), obs::kv("database", client.route->database),
       obs::kv("user", client.route->user), obs::kv("client", client.peer),
       obs::kv("problem", report.message), obs::kv("detail", report.detail)});
  if (client.needs_welcome || state_.is_draining || client.route->is_removed) {
    report.severity = "FATAL";
    end_client(client, ClientEnd::Refused, &report, now);
    return;
  }
  note_error(state_, client, report);
  state_.requests->refuse(client, report, now);
}

void Leases::notify(Client& client, base::Instant now) {
  // Before the welcome a client expects no notice, though the protocol allows one.
  state_.message.clear();
  wire::encode_notice(state_.message, make_wait_notice(state_, client, now));
  send_to_client(state_, client, state_.message);
}

}  // namespace pgweir::proxy
