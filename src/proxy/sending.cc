#include "proxy/sending.h"

#include "proxy/events.h"
#include "wire/query.h"
#include "wire/report.h"

namespace pgweir::proxy {
namespace {

// Queues what the socket did not take.
void keep_rest(base::ByteQueue& outbox, base::Bytes head, base::Bytes tail, std::size_t taken) {
  if (taken < head.size()) {
    outbox.push(head.subspan(taken));
    outbox.push(tail);
  } else {
    outbox.push(tail.subspan(taken - head.size()));
  }
}

bool drain(base::Io& io, base::ConnectionId id, base::ByteQueue& outbox) {
  if (!outbox.empty()) outbox.pop(io.try_send(id, outbox.bytes()));
  return outbox.empty();
}

}  // namespace

void send_to_client(RelayState& state, Client& client, base::Bytes head, base::Bytes tail) {
  if (head.empty() && tail.empty()) return;
  const std::size_t taken =
      client.outbox.empty() ? state.world.io.try_send(client.id, head, tail) : 0;
  if (taken == head.size() + tail.size()) return;
  keep_rest(client.outbox, head, tail, taken);
  Server* server = client.server;
  if (server != nullptr && !server->is_paused && client.outbox.size() >= kOutboxBytesHigh) {
    server->is_paused = true;
    state.world.io.pause(server->id);
  }
}

void send_to_server(RelayState& state, Server& server, base::Bytes head, base::Bytes tail) {
  if (head.empty() && tail.empty()) return;
  const std::size_t taken =
      server.outbox.empty() ? state.world.io.try_send(server.id, head, tail) : 0;
  if (taken == head.size() + tail.size()) return;
  keep_rest(server.outbox, head, tail, taken);
  Client* client = server.client;
  if (client != nullptr && !client->is_paused) {
    client->is_paused = true;
    state.world.io.pause(client->id);
  }
}

void ask_server(RelayState& state, Server& server, std::string_view sql, base::Instant now) {
  server.last_activity = now;
  server.statements.set_unnamed(session::StatementId::None);
  state.message.clear();
  wire::encode_query(state.message, sql);
  server.cycle.expect({.request = session::Request::Query, .origin = session::Origin::Ours});
  send_to_server(state, server, state.message);
}

void note_error(RelayState& state, const Client& client, const wire::Report& report) {
  state.world.log.event(
      kClientError,
      {obs::kv("sqlstate", report.sqlstate), obs::kv("severity", report.severity),
       obs::kv("database", client.route->database), obs::kv("user", client.route->user),
       obs::kv("client", client.peer), obs::kv("problem", report.message)});
}

void send_error(RelayState& state, Client& client, const wire::Report& report) {
  note_error(state, client, report);
  state.message.clear();
  wire::encode_error(state.message, report);
  send_to_client(state, client, state.message);
}

bool drain_to_client(RelayState& state, Client& client) {
  if (!drain(state.world.io, client.id, client.outbox)) return false;
  Server* server = client.server;
  if (server != nullptr && server->is_paused) {
    server->is_paused = false;
    state.world.io.resume(server->id);
  }
  return true;
}

bool drain_to_server(RelayState& state, Server& server) {
  return drain(state.world.io, server.id, server.outbox);
}

}  // namespace pgweir::proxy
