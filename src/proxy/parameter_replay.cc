#include "proxy/parameter_replay.h"

#include <algorithm>

#include "proxy/effects.h"
#include "proxy/sending.h"
#include "wire/query.h"

namespace pgweir::proxy {

using session::Origin;
using session::ParameterSetId;
using session::Request;

namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

bool ParameterReplay::align(Client& client, Server& server, Batch& batch) {
  if (!server.cycle.is_between_transactions()) {
    bring_back(client, server, batch);
    return true;
  }
  if (server.parameters == client.parameters) return true;
  const bool is_asked = lead(server, server.parameters, client.parameters, batch);
  const bool is_proven =
      !is_asked || client.route->proven.contains(state_.parameters.at(client.parameters));
  if (!is_proven) presume_unchanged(client, server);
  assign(state_.parameters, server.parameters, client.parameters);
  if (is_proven) return true;
  client.is_settling = true;
  return false;
}

// Inside a transaction the server has what the transaction made of it, but for a RESET: that leads
// the server to its own default, and the client to what it brought at startup.
void ParameterReplay::bring_back(Client& client, Server& server, Batch& batch) {
  if (client.session == nullptr || !client.session->parameters.has_strayed()) return;
  if (!server.cycle.is_quiet() || server.cycle.transaction_status() != 'T') return;
  const ParameterSetId strayed =
      state_.parameters.intern(client.session->parameters.take_strayed());
  lead(server, ParameterSetId::Empty, strayed, batch);
  state_.parameters.release(strayed);
}

bool ParameterReplay::lead(Server& server, ParameterSetId from, ParameterSetId to, Batch& batch) {
  std::string sql;
  state_.parameters.append_difference(from, to, sql);
  if (is_ascii(sql)) {
    ask(server, sql, batch);
  } else {
    change_encoding_first(server, from, to, batch);
  }
  return !sql.empty();
}

void ParameterReplay::settle(Client& client, Server& server) {
  client.is_settling = false;
  for (const Server::Presumption& presumed : server.presumptions) {
    client.route->canonical.learn(presumed.name, presumed.asked, presumed.reported);
  }
  server.presumptions.clear();
  client.route->proven.add(state_.parameters.at(client.parameters));
}

// A value that comes to the same as the one before ("utc", "UTC") is not reported; any other will
// be. Which of the two, nobody knows before the SET has ended: it may fail, or be cancelled.
void ParameterReplay::presume_unchanged(const Client& client, Server& server) {
  const Route& route = *client.route;
  server.presumptions.clear();
  for (const auto& [name, value] : state_.parameters.at(client.parameters)) {
    if (value.is_source || !route.canonical.is_reported(name)) continue;
    if (route.proven.contains(name, value.text)) continue;
    const session::ParameterValue* before = state_.parameters.find(server.parameters, name);
    const std::string_view reported =
        before == nullptr ? reported_value(route, name) : route.canonical.spell(name, before->text);
    server.presumptions.push_back(
        {.name = name, .asked = value.text, .reported = std::string(reported)});
  }
}

// A text is read in the client_encoding that holds when it arrives.
void ParameterReplay::change_encoding_first(Server& server, ParameterSetId from, ParameterSetId to,
                                            Batch& batch) {
  session::ParameterTable& table = state_.parameters;
  constexpr std::string_view kEncoding = "client_encoding";
  const session::ParameterValue* encoding = table.find(to, kEncoding);
  const ParameterSetId between =
      encoding == nullptr ? table.without(from, kEncoding) : table.with(from, kEncoding, *encoding);
  std::string sql;
  table.append_difference(from, between, sql);
  ask(server, sql, batch);
  sql.clear();
  table.append_difference(between, to, sql);
  ask(server, sql, batch);
  table.release(between);
}

void ParameterReplay::ask(Server& server, std::string_view sql, Batch& batch) {
  if (sql.empty()) return;
  wire::encode_query(batch.build(), sql);
  server.cycle.expect({.request = Request::Query, .origin = Origin::Ours});
  server.statements.set_unnamed(session::StatementId::None);
}

void ParameterReplay::take_status(Server& server, base::Bytes body, base::Bytes raw, Batch& batch) {
  const auto status = wire::parse_parameter_status(body);
  if (!status || server.route == nullptr) return;
  server.route->canonical.note_reported(status->name);
  if (server.client == nullptr) {
    // Somebody who is gone has changed it, by a statement that was still running.
    if (server.phase == Server::Phase::Recovering) server.needs_reset = true;
    if (server.phase == Server::Phase::Serving) take_default(server, *status);
    return;
  }
  if (server.cycle.size() != 0 && server.cycle.next().origin == Origin::Ours) {
    take_answer(*server.client, server, *status, raw, batch);
    return;
  }
  forward(*server.client, *status, raw, batch);
  state_.effects->handle_reported(*server.client, status->name, status->value);
}

// An idle server has read a new configuration, and the others of its pool will: whoever has no
// value of its own lives by the server's.
void ParameterReplay::take_default(const Server& server, const wire::ParameterStatus& status) {
  const std::string key = session::canonical_name(status.name);
  if (state_.parameters.find(server.parameters, key) != nullptr) return;
  note_default(*server.route, status.name, status.value);
  server.route->reported_at = server.last_activity;
}

void ParameterReplay::note_default(Route& route, std::string_view name, std::string_view value) {
  if (!change_reported(route, name, value)) return;
  const std::string key = session::canonical_name(name);
  state_.message.clear();
  wire::encode_parameter_status(state_.message, name, value);
  state_.registry.for_each_client([&](Client& client) {
    const bool is_at_rest = client.server == nullptr && !client.needs_welcome;
    if (client.route != &route || !is_at_rest) return;
    if (state_.parameters.find(client.parameters, key) != nullptr) return;
    send_to_client(state_, client, state_.message);
  });
}

// The answer to our SET: the client has been told its value already, unless the server spells it
// otherwise.
void ParameterReplay::take_answer(Client& client, Server& server,
                                  const wire::ParameterStatus& status, base::Bytes raw,
                                  Batch& batch) {
  if (server.cycle.transaction_status() == 'T') {
    // Of bring_back(). Nothing has told the client yet if its RESET changed nothing on the server.
    batch.forward(raw);
    state_.effects->handle_reported(client, status.name, status.value);
    return;
  }
  const session::ParameterValue* asked = state_.parameters.find(client.parameters, status.name);
  const std::string_view told = asked == nullptr
                                    ? reported_value(*server.route, status.name)
                                    : server.route->canonical.spell(status.name, asked->text);
  if (told != status.value && !client.needs_welcome) batch.forward(raw);
  if (asked == nullptr || asked->is_source) return;
  server.route->canonical.learn(status.name, asked->text, status.value);
  std::erase_if(server.presumptions, [name = session::canonical_name(status.name)](
                                         const auto& presumed) { return presumed.name == name; });
}

// A RESET leads the server to its own default, and the client to what it brought at startup.
void ParameterReplay::forward(const Client& client, const wire::ParameterStatus& status,
                              base::Bytes raw, Batch& batch) {
  const session::ParameterValue* restored =
      client.session == nullptr ? nullptr : client.session->parameters.restored(status.name);
  if (restored == nullptr) {
    batch.forward(raw);
    return;
  }
  wire::encode_parameter_status(batch.build(), status.name,
                                client.route->canonical.spell(status.name, restored->text));
}

// A RESET may change nothing on the server, which then reports nothing, and yet lead the client
// back to another value: what it brought at startup.
void ParameterReplay::tell_restored(const Client& client, session::ParameterSetId before,
                                    const std::vector<std::string>& told, Batch& batch) {
  for (const auto& [name, by_default] : client.route->reported) {
    if (std::find(told.begin(), told.end(), name) != told.end()) continue;
    const std::string key = session::canonical_name(name);
    const session::ParameterValue* now = state_.parameters.find(client.parameters, key);
    const session::ParameterValue* then = state_.parameters.find(before, key);
    if (now == nullptr || now->is_source || (then != nullptr && *then == *now)) continue;
    wire::encode_parameter_status(batch.build(), name,
                                  client.route->canonical.spell(name, now->text));
  }
}

}  // namespace pgweir::proxy
