#include "proxy/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "proxy/deallocation.h"
#include "proxy/effects.h"
#include "session/reading.h"

namespace pgweir::proxy {

using session::Origin;
using session::Request;
using session::StatementId;

namespace {

// Whether a statement of the client may have changed a setting that pgweir has not seen settle.
bool is_unsettled(const ClientSession& session) {
  return session.reads_otherwise || !session.reported.empty() || !session.pending.empty() ||
         !session.pins.empty() || session.parameters.has_pending();
}

// Those that are due come without a Sync, too.
void await_answers(Client& client, Batch& batch) {
  wire::encode_flush(batch.build());
  client.awaits_quiet = true;
}

bool forgets_all(const session::StatementEffects& effects) {
  const auto entries = effects.entries();
  return std::any_of(entries.begin(), entries.end(), [](const session::StatementEffect& effect) {
    return effect.kind == session::EffectKind::DeallocateAll ||
           effect.kind == session::EffectKind::DiscardAll;
  });
}

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

void Statements::expect_unnamed(Server& server, Request request, Origin origin, std::uint32_t tag,
                                StatementId id) {
  server.cycle.expect({.request = request,
                       .origin = origin,
                       .tag = tag,
                       .statement = static_cast<std::uint32_t>(id),
                       .is_unnamed = true});
}

base::Status Statements::take_parse(Client& client, const wire::ParseMessage& message,
                                    base::Bytes raw, Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  if (message.name.empty()) return take_unnamed_parse(client, message, raw, batch);
  const std::uint32_t tag = ++session.last_tag;
  session.keeps_own_names = keeps_own_names(client);
  if (*session.keeps_own_names) {
    // Its statements live on this server only, so it stays there with them.
    state_.effects->pin(client, session::PinReason::SqlPrepare);
    const session::StatementEffects effects = session::analyse(message.query, true);
    state_.effects->note_bound(client, effects);
    batch.forward(raw);
    expect(server, Request::Parse, Origin::Client, tag);
    return base::success();
  }
  const StatementId taken = session.statements.find(message.name);
  if (taken != StatementId::None) {
    // PostgreSQL refuses a name that is in use, and fails the transaction: let it say so itself.
    parse_in_vain(client, ensure(client, message.name, batch), message, batch);
    return base::success();
  }
  const StatementId id = state_.statements.intern(message.query, message.types, reading_of(client));
  state_.effects->clean_for(client, state_.statements.at(id).effects, server, batch);
  const bool is_doomed = server.cycle.is_quiet() && server.cycle.transaction_status() == 'E';
  if (is_doomed && server.statements.contains(id)) {
    // In a failed transaction it may not say yes.
    parse_in_vain(client, id, message, batch);
    state_.statements.release(id);
    return base::success();
  }
  TRY(session.statements.define(message.name, id, tag));
  if (server.statements.contains(id)) {
    server.statements.use(id);
    expect(server, Request::Parse, Origin::Synthetic, tag, id);
    return base::success();
  }
  server.statements.insert(id);
  wire::encode_parse(batch.build(), server.statements.name_of(id), message.query, message.types);
  expect(server, Request::Parse, Origin::Client, tag, id);
  evict_surplus(server, batch);
  return base::success();
}

base::Status Statements::take_unnamed_parse(Client& client, const wire::ParseMessage& message,
                                            base::Bytes raw, Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  session.deallocation.reset();
  session::StatementEffects effects;
  if (may_deallocate(message.query)) effects = session::analyse(message.query, true);
  const std::string translated =
      translate_deallocate(state_, client, effects, Request::Parse, batch);
  const std::string_view query = translated.empty() ? message.query : std::string_view(translated);
  if (!translated.empty()) {
    session.deallocation = std::make_unique<session::StatementEffects>(std::move(effects));
  }
  const StatementId id = state_.statements.intern(query, message.types, reading_of(client));
  state_.effects->clean_for(client, state_.statements.at(id).effects, server, batch);
  const std::uint32_t tag = ++session.last_tag;
  TRY(session.statements.define("", id, tag));
  if (translated.empty()) {
    batch.forward(raw);
  } else {
    wire::encode_parse(batch.build(), "", query, message.types);
  }
  server.statements.set_unnamed(id);
  expect_unnamed(server, Request::Parse, Origin::Client, tag, id);
  return base::success();
}

base::Status Statements::take_long_parse(Client& client, std::string_view name) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  if (name.empty()) {
    server.statements.set_unnamed(StatementId::None);
    session.statements.rebind(name, StatementId::None);
    session.deallocation.reset();
  } else if (session.statements.find(name) != StatementId::None) {
    return base::Error{.code = base::ErrorCode::LimitReached,
                       .side = base::Side::Client,
                       .context = "a Parse above 16 MB for a name that is in use"};
  }
  state_.effects->pin(client, session::PinReason::NotUnderstood);
  expect(server, Request::Parse, Origin::Client, ++session.last_tag);
  return base::success();
}

// A Parse that the server will refuse, for the name is in use there. Tag 0, since nothing comes of
// it that would have to be undone. REQUIRES: the server has that statement.
void Statements::parse_in_vain(Client& client, StatementId known, const wire::ParseMessage& message,
                               Batch& batch) {
  Server& server = *client.server;
  server.statements.use(known);
  wire::encode_parse(batch.build(), server.statements.name_of(known), message.query, message.types);
  expect(server, Request::Parse, Origin::Client, 0, known);
}

bool Statements::take_known_parse(Client& client, const wire::ParseMessage& message) {
  if (message.name.empty() || keeps_own_names(client)) return false;
  const StatementId id = state_.statements.lookup(message.query, message.types, reading_of(client));
  if (!state_.statements.is_accepted(id, client.route->pool)) return false;
  ClientSession& session = session_of(state_, client);
  if (session.statements.find(message.name) != StatementId::None) return false;
  state_.statements.retain(id);
  session.keeps_own_names = false;
  const std::uint32_t tag = ++session.last_tag;
  if (!session.statements.define(message.name, id, tag)) return false;
  session.statements.commit(tag);
  return true;
}

void Statements::take_bind(Client& client, const wire::BindHead& head, base::Bytes raw,
                           std::size_t body_bytes, Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  const StatementId id = ensure(client, head.statement, batch);
  if (id != StatementId::None) note_statement(server, state_.statements.at(id).query);
  if (id == StatementId::None || head.statement.empty()) {
    batch.forward(raw);
  } else {
    wire::encode_bind_head(batch.build(), head.portal, server.statements.name_of(id),
                           body_bytes - head.head_bytes);
    batch.forward(raw.subspan(wire::kHeaderBytes + head.head_bytes));
  }
  const bool has_effects =
      id != StatementId::None && !state_.statements.at(id).effects.is_trivial();
  if (head.portal.empty()) {
    session.portal_effects.reset();
    if (has_effects) {
      session.portal_effects =
          std::make_unique<session::StatementEffects>(state_.statements.at(id).effects);
    }
  } else if (has_effects) {
    state_.effects->note_bound(client, state_.statements.at(id).effects);
  }
  expect(server, Request::Bind, Origin::Client, ++session.last_tag, id);
}

void Statements::take_describe(Client& client, const wire::Target& target, base::Bytes raw,
                               Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  const StatementId id =
      target.kind == 'S' ? ensure(client, target.name, batch) : StatementId::None;
  if (id == StatementId::None || target.name.empty()) {
    batch.forward(raw);
  } else {
    wire::encode_describe(batch.build(), 'S', server.statements.name_of(id));
  }
  expect(server, Request::Describe, Origin::Client, ++session.last_tag, id);
}

void Statements::take_close(Client& client, const wire::Target& target, base::Bytes raw,
                            Batch& batch) {
  Server& server = *client.server;
  ClientSession& session = session_of(state_, client);
  const std::uint32_t tag = ++session.last_tag;
  if (target.kind == 'S' && session.statements.find(target.name) != StatementId::None) {
    session.statements.remove(target.name, tag);
    if (!target.name.empty()) {
      // The server keeps it for the next client that prepares the same text.
      expect(server, Request::Close, Origin::Synthetic, tag);
      return;
    }
    server.statements.set_unnamed(StatementId::None);
  }
  batch.forward(raw);
  expect(server, Request::Close, Origin::Client, tag);
}

void Statements::take_execute(Client& client, const wire::ExecuteMessage& message, base::Bytes raw,
                              Batch& batch) {
  ClientSession& session = session_of(state_, client);
  const std::uint32_t tag = ++session.last_tag;
  bool is_forgetting = false;
  if (message.portal.empty() && session.portal_effects) {
    const bool is_translated =
        session.deallocation && is_translated_deallocation(*session.portal_effects);
    is_forgetting = forgets_all(*session.portal_effects);
    state_.effects->note_sent(client, tag,
                              is_translated ? *session.deallocation : *session.portal_effects);
  }
  batch.forward(raw);
  expect(*client.server, Request::Execute, Origin::Client, tag);
  if (!is_forgetting) return;
  // What is prepared behind it in the same batch must not be taken for forgotten with the rest.
  session.holds_back_next = false;
  await_answers(client, batch);
}

bool Statements::awaits_name(Client& client, std::string_view name, bool is_to_be_defined,
                             Batch& batch) {
  const ClientSession* session = client.session.get();
  const bool is_in_doubt = session != nullptr && session->statements.is_in_doubt(
                                                     name, session->last_end, is_to_be_defined);
  if (is_in_doubt) await_answers(client, batch);
  return is_in_doubt;
}

// A reload changes it for those who have not named a statement yet.
bool Statements::keeps_own_names(const Client& client) const {
  const ClientSession* session = client.session.get();
  if (session != nullptr && session->keeps_own_names) return *session->keeps_own_names;
  return state_.options->statements_per_server_max == 0;
}

// What a text means is settled when the server parses it (reading.h). Inside of what may have
// changed a setting, pgweir does not know how the server reads: then nobody else may have it.
std::string_view Statements::reading_of(Client& client) {
  reading_.clear();
  if (client.session != nullptr && is_unsettled(*client.session)) {
    fmt::format_to(std::back_inserter(reading_), "only once {}.{}", state_.world.index,
                   ++last_private_);
    return reading_;
  }
  session::append_reading(state_.parameters.at(client.parameters), reading_);
  return reading_;
}

// Makes the server have what the client's name stands for; None: the client has no such statement.
StatementId Statements::ensure(Client& client, std::string_view name, Batch& batch) {
  if (client.session == nullptr || client.session->statements.find(name) == StatementId::None) {
    if (name.empty()) close_foreign_unnamed(*client.server, batch);
    return StatementId::None;
  }
  session::ClientStatements& own = client.session->statements;
  StatementId id = own.find(name);
  Server& server = *client.server;
  if (name.empty() ? server.statements.unnamed() == id : server.statements.contains(id)) {
    if (!name.empty()) server.statements.use(id);
    return id;
  }
  // It will be parsed as the client reads now; who shares it must do so, too.
  const std::string_view reading = reading_of(client);
  const session::Statement& old = state_.statements.at(id);
  if (old.reading != reading) {
    id = state_.statements.intern(old.query, old.types, reading);
    own.rebind(name, id);
  }
  if (!name.empty()) {
    ensure_as_it_is(server, id, batch);
    evict_surplus(server, batch);
    return id;
  }
  const session::Statement& statement = state_.statements.at(id);
  wire::encode_parse(batch.build(), "", statement.query, statement.types);
  server.statements.set_unnamed(id);
  expect_unnamed(server, Request::Parse, Origin::Ours, 0, id);
  return id;
}

// What the server has under no name is somebody else's.
void Statements::close_foreign_unnamed(Server& server, Batch& batch) {
  if (server.statements.unnamed() == StatementId::None) return;
  wire::encode_close(batch.build(), 'S', "");
  expect(server, Request::Close, Origin::Ours, 0);
  server.statements.set_unnamed(StatementId::None);
}

void Statements::ensure_as_it_is(Server& server, StatementId id, Batch& batch) {
  if (server.statements.contains(id)) return server.statements.use(id);
  const session::Statement& statement = state_.statements.at(id);
  server.statements.insert(id);
  wire::encode_parse(batch.build(), server.statements.name_of(id), statement.query,
                     statement.types);
  expect(server, Request::Parse, Origin::Ours, 0, id);
}

void Statements::evict_surplus(Server& server, Batch& batch) {
  const std::size_t count_max = state_.options->statements_per_server_max;
  while (true) {
    const StatementId surplus = server.statements.take_surplus(count_max);
    if (surplus == StatementId::None) return;
    wire::encode_close(batch.build(), 'S', server.statements.name_of(surplus));
    expect(server, Request::Close, Origin::Ours, 0, surplus);
  }
}

void Statements::settle(Server& server, const session::Expectation& answered) {
  const StatementId id{answered.statement};
  if (id == StatementId::None) return;
  if (answered.request == Request::Parse) {
    state_.statements.accept(id, server.route->pool);
  } else if (answered.request == Request::Close) {
    server.statements.confirm_closed(id);
  }
}

void Statements::undo(Client* client, Server& server, const session::Expectation& failed) {
  const StatementId id{failed.statement};
  const bool is_ours = failed.origin == Origin::Ours;
  if (failed.request == Request::Parse && failed.is_unnamed) {
    if (server.statements.unnamed() == id) server.statements.set_unnamed(StatementId::None);
  } else if (failed.request == Request::Parse && failed.origin != Origin::Synthetic) {
    const bool is_in_vain = !is_ours && failed.tag == 0;
    if (id != StatementId::None && !is_in_vain) server.statements.remove(id);
  } else if (failed.request == Request::Close && is_ours && id != StatementId::None) {
    server.statements.restore(id);
  }
  if (client != nullptr && client->session != nullptr && failed.tag != 0) {
    client->session->statements.undo(failed.tag);
    state_.effects->handle_failed(*client, failed.tag);
  }
}

}  // namespace pgweir::proxy
