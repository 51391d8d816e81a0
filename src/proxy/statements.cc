#include "proxy/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "proxy/effects.h"

namespace pgweir::proxy {

using session::Origin;
using session::Request;
using session::StatementId;

namespace {

constexpr std::string_view kForgotten = "pgweir_forgotten";

}  // namespace

ClientSession& session_of(RelayState& state, Client& client) {
  if (client.session == nullptr) {
    client.session =
        std::make_unique<ClientSession>(state.statements, state.parameters, client.parameters);
  }
  return *client.session;
}

void note_statement(Server& server, std::string_view text) {
  const std::size_t bytes = std::min(text.size(), server.statement.size());
  std::memcpy(server.statement.data(), text.data(), bytes);
  server.statement_bytes = static_cast<std::uint8_t>(bytes);
}

void Statements::expect(Server& server, Request request, Origin origin, std::uint32_t tag,
                        StatementId id) {
  server.cycle.expect({.request = request,
                       .origin = origin,
                       .tag = tag,
                       .statement = static_cast<std::uint32_t>(id)});
}

base::Status Statements::take_parse(Client& client, const wire::ParseMessage& message,
                                    base::Bytes raw, Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  const std::uint32_t tag = ++session.last_tag;
  if (!message.name.empty() && !has_names()) {
    // Its statements live on this server only, so it stays there with them.
    state_.effects->pin(client, session::PinReason::SqlPrepare);
    batch.forward(raw);
    expect(server, Request::Parse, Origin::Client, tag);
    return base::success();
  }
  const bool is_taken =
      !message.name.empty() && session.statements.find(message.name) != StatementId::None;
  const std::string translated = translate_deallocate(client, message.query, Request::Parse, batch);
  const std::string_view query = translated.empty() ? message.query : std::string_view(translated);
  const StatementId id = state_.statements.intern(query, message.types);
  const session::Statement& statement = state_.statements.at(id);
  if (is_taken) {
    // PostgreSQL refuses a name that is in use, and fails the transaction: let it say so itself.
    // Tag 0, since nothing came of it that would have to be undone.
    const StatementId known = session.statements.find(message.name);
    ensure(server, known, batch);
    wire::encode_parse(batch.build(), state_.statements.at(known).server_name, query,
                       message.types);
    expect(server, Request::Parse, Origin::Client, 0, known);
    state_.statements.release(id);
    return base::success();
  }
  TRY(session.statements.define(message.name, id, tag));
  if (message.name.empty()) {
    if (translated.empty()) {
      batch.forward(raw);
    } else {
      wire::encode_parse(batch.build(), "", query, message.types);
    }
    server.statements.set_unnamed(id);
    expect(server, Request::Parse, Origin::Client, tag, id);
  } else if (server.statements.contains(id)) {
    server.statements.use(id);
    expect(server, Request::Parse, Origin::Synthetic, tag, id);
  } else {
    wire::encode_parse(batch.build(), statement.server_name, query, message.types);
    server.statements.insert(id);
    expect(server, Request::Parse, Origin::Client, tag, id);
  }
  return base::success();
}

bool Statements::take_known_parse(Client& client, const wire::ParseMessage& message) {
  if (message.name.empty() || !has_names()) return false;
  const StatementId id = state_.statements.lookup(message.query, message.types);
  if (!state_.statements.is_accepted(id, client.route->pool)) return false;
  ClientSession& session = session_of(state_, client);
  if (session.statements.find(message.name) != StatementId::None) return false;
  state_.statements.retain(id);
  const std::uint32_t tag = ++session.last_tag;
  if (!session.statements.define(message.name, id, tag)) return false;
  session.statements.commit(tag);
  return true;
}

void Statements::take_bind(Client& client, const wire::BindHead& head, base::Bytes raw,
                           std::size_t body_bytes, Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  const StatementId id = session.statements.find(head.statement);
  if (id != StatementId::None) {
    note_statement(server, state_.statements.at(id).query);
    if (head.statement.empty()) {
      ensure_unnamed(server, id, batch);
    } else {
      ensure(server, id, batch);
    }
  }
  if (id == StatementId::None || head.statement.empty()) {
    batch.forward(raw);
  } else {
    wire::encode_bind_head(batch.build(), head.portal, state_.statements.at(id).server_name,
                           body_bytes - head.head_bytes);
    batch.forward(raw.subspan(wire::kHeaderBytes + head.head_bytes));
  }
  const bool has_effects =
      id != StatementId::None && !state_.statements.at(id).effects.is_trivial();
  if (head.portal.empty()) {
    session.portal_effects.reset();
    if (has_effects) session.portal_effects = state_.statements.at(id).effects;
  } else if (has_effects) {
    // Which Execute of a named portal runs it is not followed.
    state_.effects->pin(client, session::PinReason::NotUnderstood);
  }
  expect(server, Request::Bind, Origin::Client, ++session.last_tag, id);
}

void Statements::take_describe(Client& client, const wire::Target& target, base::Bytes raw,
                               Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  const StatementId id =
      target.kind == 'S' ? session.statements.find(target.name) : StatementId::None;
  if (id == StatementId::None) {
    batch.forward(raw);
  } else if (target.name.empty()) {
    ensure_unnamed(server, id, batch);
    batch.forward(raw);
  } else {
    ensure(server, id, batch);
    wire::encode_describe(batch.build(), 'S', state_.statements.at(id).server_name);
  }
  expect(server, Request::Describe, Origin::Client, ++session.last_tag, id);
}

void Statements::take_close(Client& client, const wire::Target& target, base::Bytes raw,
                            Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  const std::uint32_t tag = ++session.last_tag;
  if (target.kind == 'S' && session.statements.find(target.name) != StatementId::None) {
    // The server keeps it for the next client that prepares the same text.
    session.statements.remove(target.name, tag);
    expect(server, Request::Close, Origin::Synthetic, tag);
    return;
  }
  batch.forward(raw);
  expect(server, Request::Close, Origin::Client, tag);
}

void Statements::take_execute(Client& client, const wire::ExecuteMessage& message, base::Bytes raw,
                              Batch& batch) {
  ClientSession& session = session_of(state_, client);
  const std::uint32_t tag = ++session.last_tag;
  if (message.portal.empty() && session.portal_effects) {
    state_.effects->note_sent(client, tag, *session.portal_effects);
  }
  batch.forward(raw);
  expect(*client.server, Request::Execute, Origin::Client, tag);
}

std::string Statements::translate_deallocate(Client& client, std::string_view text, Request request,
                                             Batch& batch) {
  // Cheap enough to ask of every text: most do not begin with a D.
  if (text.size() < 11 || (text.front() != 'D' && text.front() != 'd')) return {};
  const session::StatementEffects effects = session::analyse(text, true);
  if (effects.statement_count() != 1 || effects.is_trivial()) return {};
  const session::StatementEffect& effect = effects.entries()[0];
  if (effect.kind != session::EffectKind::Deallocate) return {};
  ClientSession& session = session_of(state_, client);
  if (session.statements.find(effect.name) == StatementId::None) return {};
  Server& server = *client.server;
  // In a failed transaction the server refuses whatever it is.
  if (server.cycle.is_quiet() && server.cycle.transaction_status() == 'E') return {};
  session.statements.remove(effect.name, ++session.last_tag);
  // What the server has under our name may serve others, too; it forgets one made for that.
  wire::encode_close(batch.build(), 'S', kForgotten);
  expect(server, Request::Close, Origin::Ours, 0);
  wire::encode_parse(batch.build(), kForgotten, "", {});
  expect(server, Request::Parse, Origin::Ours, 0);
  if (request == Request::Query) {
    wire::encode_sync(batch.build());
    expect(server, Request::Sync, Origin::Ours, 0);
  }
  return fmt::format("DEALLOCATE {}", kForgotten);
}

void Statements::ensure(Server& server, StatementId id, Batch& batch) {
  if (server.statements.contains(id)) {
    server.statements.use(id);
    return;
  }
  const session::Statement& statement = state_.statements.at(id);
  wire::encode_parse(batch.build(), statement.server_name, statement.query, statement.types);
  server.statements.insert(id);
  expect(server, Request::Parse, Origin::Ours, 0, id);
  const std::size_t count_max = state_.options->statements_per_server_max;
  while (true) {
    const StatementId surplus = server.statements.take_surplus(count_max);
    if (surplus == StatementId::None) return;
    wire::encode_close(batch.build(), 'S', state_.statements.at(surplus).server_name);
    state_.statements.release(surplus);
    expect(server, Request::Close, Origin::Ours, 0);
  }
}

void Statements::ensure_unnamed(Server& server, StatementId id, Batch& batch) {
  if (server.statements.unnamed() == id) return;
  const session::Statement& statement = state_.statements.at(id);
  wire::encode_parse(batch.build(), "", statement.query, statement.types);
  server.statements.set_unnamed(id);
  expect(server, Request::Parse, Origin::Ours, 0, id);
}

void Statements::undo(Client* client, Server& server, const session::Expectation& failed) {
  const StatementId id{failed.statement};
  const bool is_second_of_its_name = failed.origin == Origin::Client && failed.tag == 0;
  if (failed.request == Request::Parse && failed.origin != Origin::Synthetic &&
      id != StatementId::None && !is_second_of_its_name) {
    server.statements.remove(id);
    if (server.statements.unnamed() == id) server.statements.set_unnamed(StatementId::None);
  }
  if (client != nullptr && client->session != nullptr && failed.tag != 0) {
    client->session->statements.undo(failed.tag);
    state_.effects->handle_failed(*client, failed.tag);
  }
}

}  // namespace pgweir::proxy
