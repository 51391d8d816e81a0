#include "proxy/parameter_replay.h"

#include <algorithm>

#include "proxy/effects.h"
#include "wire/query.h"

namespace pgweir::proxy {

using session::Origin;
using session::Request;

namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

bool ParameterReplay::align(Client& client, Server& server, Batch& batch) {
  if (server.parameters == client.parameters) return true;
  // Inside a transaction the server has what the transaction made of it.
  if (!server.cycle.is_idle()) return true;
  std::string sql;
  state_.parameters.append_difference(server.parameters, client.parameters, sql);
  if (is_ascii(sql)) {
    ask(server, sql, batch);
  } else {
    change_encoding_first(client, server, batch);
  }
  const bool is_proven =
      sql.empty() || client.route->proven.contains(state_.parameters.at(client.parameters));
  if (!is_proven) presume_unchanged(client, server);
  assign(state_.parameters, server.parameters, client.parameters);
  if (is_proven) return true;
  client.is_settling = true;
  return false;
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
void ParameterReplay::change_encoding_first(Client& client, Server& server, Batch& batch) {
  session::ParameterTable& table = state_.parameters;
  constexpr std::string_view kEncoding = "client_encoding";
  const session::ParameterValue* encoding = table.find(client.parameters, kEncoding);
  const session::ParameterSetId between = encoding == nullptr
                                              ? table.without(server.parameters, kEncoding)
                                              : table.with(server.parameters, kEncoding, *encoding);
  std::string sql;
  table.append_difference(server.parameters, between, sql);
  ask(server, sql, batch);
  sql.clear();
  table.append_difference(between, client.parameters, sql);
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
    return;
  }
  if (server.cycle.size() != 0 && server.cycle.next().origin == Origin::Ours) {
    take_answer(*server.client, server, *status, raw, batch);
    return;
  }
  forward(*server.client, *status, raw, batch);
  state_.effects->handle_reported(*server.client, status->name, status->value);
}

// The answer to our SET: the client has been told its value already, unless the server spells it
// otherwise.
void ParameterReplay::take_answer(Client& client, Server& server,
                                  const wire::ParameterStatus& status, base::Bytes raw,
                                  Batch& batch) {
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
