#include "proxy/handback.h"

#include "proxy/departures.h"
#include "proxy/inquiry.h"
#include "proxy/intake.h"
#include "proxy/leases.h"
#include "proxy/parameter_replay.h"
#include "proxy/recovery.h"
#include "proxy/sending.h"
#include "proxy/welcome.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {

// Nothing is under way that would keep it from being lent, outside of session mode.
bool Handback::is_at_rest(const Server& server) {
  const Client& client = *server.client;
  return server.cycle.is_idle() && server.partial.empty() && server.skip_bytes == 0 &&
         server.outbox.empty() && !server.is_cancel_under_way && !client.is_settling &&
         client.skip_bytes == 0 && client.route->mode != PoolMode::Session;
}

bool Handback::may_release(const Server& server) {
  const ClientSession* session = server.client->session.get();
  return is_at_rest(server) && (session == nullptr || session->pins.empty());
}

// The chunk has been taken: who has the server now? The next client's query leaves before the reply
// is written to this one, whose socket may be slow.
void Handback::consider(Server& server, Batch& batch, base::Instant now) {
  Client* client = server.client;
  if (client == nullptr) return proceed_alone(server, now);
  if (server.cycle.is_quiet()) server.busy_since = base::kNever;
  if (server.own_failure && !server.is_inquired) return end_unsettled(*client, server, now);
  if (client->is_settling && server.cycle.is_idle()) {
    return finish_settling(*client, server, batch, now);
  }
  const bool is_in_transaction =
      server.cycle.is_quiet() && server.cycle.transaction_status() != 'I';
  if (is_in_transaction && client->route->mode == PoolMode::Statement) {
    return end_for_transaction_block(*client, now);
  }
  const bool goes_on = client->awaits_quiet && server.cycle.is_quiet();
  if (may_release(server)) {
    give_back(server, now);
  } else if (is_at_rest(server)) {
    state_.inquiry->consider(*client, server, now);
  }
  send_to_client(state_, *client, batch.head(), batch.tail());
  batch.clear();
  if (state_.departures->let_go(*client, now) || !goes_on) return;
  client->awaits_quiet = false;
  state_.intake->resume(*client, now);
}

// An idle server that says something unasked (a notice, a changed setting) stays where it is.
void Handback::proceed_alone(Server& server, base::Instant now) {
  if (server.has_said_goodbye) {
    state_.leases->close_server(server, now);
  } else if (server.phase != Server::Phase::Serving) {
    state_.recovery->proceed(server, now);
  }
}

// The server has taken the parameters that its client brought.
void Handback::finish_settling(Client& client, Server& server, Batch& batch, base::Instant now) {
  state_.parameter_replay->settle(client, server);
  if (client.needs_welcome) {
    batch.clear();
    state_.leases->detach(server, now);
    server.needs_reset = false;  // It has done nothing but learn parameters.
    welcome(state_, client);
    state_.leases->release(server, now);
  } else {
    send_to_client(state_, client, batch.head(), batch.tail());
    batch.clear();
  }
  state_.intake->resume(client, now);
}

void Handback::give_back(Server& server, base::Instant now) {
  if (server.has_said_goodbye || server.needs_close) {
    state_.leases->detach(server, now);
    state_.leases->close_server(server, now);
  } else if (server.needs_reset) {
    state_.leases->detach(server, now);
    state_.recovery->reset(server, now);
  } else {
    state_.leases->release(server, now);
  }
}

void Handback::reconsider(Server& server, base::Instant now) {
  Batch nothing(state_.to_client);
  consider(server, nothing, now);
}

// The server refused a parameter that the client brought. What it sent has not run, unless the
// value was believed to be good.
void Handback::end_unsettled(Client& client, Server& server, base::Instant now) {
  wire::Report report = *server.own_failure;
  report.severity = "FATAL";
  if (!client.is_settling) {
    client.route->proven.forget(state_.parameters.at(client.parameters));
    report.detail = "A setting of this session was refused: " + report.message;
    report.message = "a statement was sent ahead; whether it took effect is not known";
    report.sqlstate = wire::sqlstate::kConnectionFailure;
    report.hint = "Reconnect; check before you repeat a statement that changes data.";
  }
  server.own_failure.reset();
  server.needs_reset = true;
  state_.leases->end_client(client, ClientEnd::Misused, &report, now);
}

void Handback::end_for_transaction_block(Client& client, base::Instant now) {
  const wire::Report report{.severity = "FATAL",
                            .sqlstate = std::string(wire::sqlstate::kFeatureNotSupported),
                            .message = "transaction blocks not allowed in statement pooling mode",
                            .detail = {},
                            .hint = "Set pool_mode to transaction for this database or user."};
  state_.leases->end_client(client, ClientEnd::Misused, &report, now);
}

}  // namespace pgweir::proxy
