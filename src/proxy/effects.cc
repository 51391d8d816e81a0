#include "proxy/effects.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/events.h"
#include "proxy/statements.h"
#include "session/client_encoding.h"
#include "session/temporary_schema.h"
#include "wire/query.h"

namespace pgweir::proxy {

using session::EffectKind;
using session::ParameterSetId;

namespace {

// Reported, but no SET leads there; or a pin's business (SET ROLE).
bool is_settable(std::string_view name) {
  return name != "in_hot_standby" && name != "is_superuser" && name != "session_authorization" &&
         name != "server_version" && name != "server_encoding" && name != "integer_datetimes";
}

bool is_switched_on(std::string_view value) {
  return value == "on" || value == "true" || value == "yes" || value == "1" || value == "'on'";
}

// Whether what the next request needs is known only when the server has answered this one.
bool decides_what_follows(const ClientSession& session, const session::StatementEffect& effect) {
  switch (effect.kind) {
    case EffectKind::DiscardAll:
    case EffectKind::DeallocateAll: return true;
    case EffectKind::Deallocate:
      return session.statements.find(effect.name) != session::StatementId::None;
    case EffectKind::ResetParameter:
    case EffectKind::ResetAll: return session.parameters.startup() != ParameterSetId::Empty;
    case EffectKind::None:
    case EffectKind::SetParameter:
    case EffectKind::Savepoint:
    case EffectKind::RollbackTo:
    case EffectKind::Release:
    case EffectKind::Pin:
    case EffectKind::Unpin:
    case EffectKind::MayPin:
    case EffectKind::MayUnpin:
    case EffectKind::Taint:
    case EffectKind::ReadOtherwise:
    case EffectKind::MayEndTransaction: return false;
  }
  return false;
}

// Whether literals behind it may be read in another way as long as the transaction lasts. The name
// of a parameter that is computed may be any.
bool may_read_otherwise(const session::StatementEffect& effect) {
  return effect.kind == EffectKind::ReadOtherwise ||
         (effect.kind == EffectKind::Taint && effect.reason == session::PinReason::RandomSeed);
}

// Whether a request whose answer is due may read literals in a way of its own (SET LOCAL).
bool reads_otherwise_soon(const ClientSession& session) {
  return std::any_of(session.pending.begin(), session.pending.end(), [](const auto& pending) {
    const auto entries = pending.effects.entries();
    return std::any_of(entries.begin(), entries.end(), may_read_otherwise);
  });
}

bool pins(const session::StatementEffect& effect) {
  return effect.kind == EffectKind::Pin || effect.kind == EffectKind::MayPin;
}

// Whether nothing goes wrong if nobody notes that it has happened.
bool is_harmless(EffectKind kind) {
  return kind == EffectKind::None || kind == EffectKind::ReadOtherwise ||
         kind == EffectKind::MayUnpin;
}

// Also when the reason has ended meanwhile: that proves no more than it says.
void taint(Server& server, session::PinReason reason) {
  server.needs_reset = true;
  if (session::needs_close(reason)) server.needs_close = true;
}

}  // namespace

void assign(session::ParameterTable& table, ParameterSetId& held, ParameterSetId next) {
  if (held == next) return;
  table.retain(next);
  table.release(held);
  held = next;
}

void Effects::pin(Client& client, session::PinReason reason, const std::string& name) {
  ClientSession& session = session_of(state_, client);
  if (session.pins.empty() && client.route->mode != PoolMode::Session) {
    state_.world.log.event(
        kClientPinned,
        {obs::kv("reason", to_text(reason)), obs::kv("database", client.route->database),
         obs::kv("user", client.route->user), obs::kv("application", client.application_name),
         obs::kv("client", client.peer)});
  }
  session.pins.add(reason, name);
  if (reason == session::PinReason::SequenceValue) client.route->reads_sequences = true;
  if (client.server != nullptr) taint(*client.server, reason);
}

void Effects::pin_if_bound(Client& client) {
  if (client.session != nullptr && !client.session->pins.empty()) return;
  const bool is_readable = session::is_ascii_superset(value_of(client, "client_encoding")) &&
                           is_switched_on(value_of(client, "standard_conforming_strings"));
  if (!is_readable) pin(client, session::PinReason::NotUnderstood);
  if (session::may_name_temporary_schema(value_of(client, "search_path"))) {
    pin(client, session::PinReason::TemporarySchema);
  }
  // No RESET leads back to where it was.
  if (state_.parameters.find(client.parameters, "seed") != nullptr) {
    pin(client, session::PinReason::RandomSeed);
  }
}

void Effects::clean(const Client& client, Server& server, Batch& batch) {
  if (!server.follows_another || !server.cycle.is_between_transactions()) return;
  const bool discards = client.route->reads_sequences;
  if (!discards && !server.has_doubtful_seed) return;
  std::string sql;
  if (discards) sql = "DISCARD SEQUENCES;";
  if (server.has_doubtful_seed) {
    sql += fmt::format("SET seed TO {}", state_.world.entropy.u32() / 4294967296.0);
  }
  if (discards) server.follows_another = false;
  server.has_doubtful_seed = false;
  wire::encode_query(batch.build(), sql);
  server.cycle.expect({.request = session::Request::Query, .origin = session::Origin::Ours});
  server.statements.set_unnamed(session::StatementId::None);
}

void Effects::clean_for(const Client& client, const session::StatementEffects& effects,
                        Server& server, Batch& batch) {
  const auto entries = effects.entries();
  const bool asks = std::any_of(entries.begin(), entries.end(), [](const auto& effect) {
    return effect.kind == EffectKind::Pin && effect.reason == session::PinReason::SequenceValue;
  });
  if (!asks) return;
  client.route->reads_sequences = true;
  clean(client, server, batch);
}

// Empty if the server does not report the parameter.
std::string_view Effects::value_of(const Client& client, std::string_view name) const {
  const session::ParameterValue* own = state_.parameters.find(client.parameters, name);
  if (own != nullptr) return own->text;
  return reported_value(*client.route, name);
}

void Effects::note_sent(Client& client, std::uint32_t tag, session::StatementEffects effects) {
  ClientSession& session = session_of(state_, client);
  for (const session::StatementEffect& effect : effects.entries()) {
    if (pins(effect)) pin(client, effect.reason, effect.name);
    if (effect.kind == EffectKind::Taint) note_taint(client, effect.reason);
    if (may_read_otherwise(effect)) session.reads_otherwise = true;
    if (decides_what_follows(session, effect)) session.holds_back_next = true;
  }
  session.pending.push_back({.tag = tag, .effects = std::move(effects)});
}

void Effects::note_bound(Client& client, const session::StatementEffects& effects) {
  for (const session::StatementEffect& effect : effects.entries()) {
    if (may_read_otherwise(effect)) session_of(state_, client).reads_otherwise = true;
    if (effect.kind == EffectKind::Taint) {
      note_taint(client, effect.reason);
    } else if (pins(effect)) {
      // What is under way may end all of a kind, but not what is bound behind it.
      const bool is_alone = client.session == nullptr || client.session->pending.empty();
      pin(client, is_alone ? effect.reason : session::PinReason::NotUnderstood);
    } else if (effect.kind == EffectKind::MayEndTransaction) {
      pin(client, session::PinReason::SetConfig);
    } else if (!is_harmless(effect.kind)) {
      pin(client, session::PinReason::NotUnderstood);
    }
  }
}

// A seed that is in doubt is cheaper to draw anew than a server is to reset.
void Effects::note_taint(Client& client, session::PinReason reason) {
  if (client.server == nullptr) return;
  if (reason == session::PinReason::RandomSeed) {
    client.server->has_doubtful_seed = true;
  } else {
    taint(*client.server, reason);
  }
}

void Effects::handle_complete(Client& client, Server& server, std::uint32_t tag,
                              std::string_view command_tag) {
  if (client.session == nullptr) return;
  ClientSession& session = *client.session;
  // Answers come in the order of requests: those in front of this one are through.
  while (!session.pending.empty() && tag != 0 && session.pending.front().tag < tag) {
    session.pending.pop_front();
  }
  const session::StatementEffect* effect = nullptr;
  if (!session.pending.empty() && session.pending.front().tag == tag) {
    PendingEffects& pending = session.pending.front();
    effect = pending.next();
    if (pending.may_end_transaction()) note_may_end(session, server);
    ++pending.completed;
  }
  // A transaction that ends in the middle of a text ends here, not at ReadyForQuery. COMMIT of a
  // failed transaction says ROLLBACK; so does ROLLBACK TO, which ends nothing.
  const bool is_rollback_to = effect != nullptr && effect->kind == EffectKind::RollbackTo;
  const bool is_committed = command_tag == "COMMIT" || command_tag == "PREPARE TRANSACTION";
  if (is_committed || (command_tag == "ROLLBACK" && !is_rollback_to)) {
    end_transaction(client, server, is_committed);
    session.has_left_block = true;
  }
  if (effect != nullptr) apply(client, server, *effect);
}

// In a block, and in a text of several statements, a procedure cannot end the transaction.
void Effects::note_may_end(ClientSession& session, const Server& server) {
  const bool is_in_block = server.cycle.transaction_status() == 'T' && !session.has_left_block;
  if (!is_in_block && session.parameters.has_pending()) session.may_have_ended = true;
}

void Effects::end_transaction(Client& client, Server& server, bool is_committed) {
  ClientSession& session = *client.session;
  // Which of its settings hold only this server knows.
  if (session.may_have_ended) pin(client, session::PinReason::SetConfig);
  session.may_have_ended = false;
  session.parameters.handle_transaction_end(is_committed, server.parameters);
  session.pins.handle_transaction_end(is_committed);
  session.is_rolled_back = false;
}

void Effects::apply(Client& client, Server& server, const session::StatementEffect& effect) {
  ClientSession& session = *client.session;
  session.pins.apply(effect);
  switch (effect.kind) {
    case EffectKind::SetParameter:
      session.parameters.set(effect.name, {.text = effect.value, .is_source = true});
      return;
    case EffectKind::ResetParameter: session.parameters.reset(effect.name); return;
    case EffectKind::ResetAll: session.parameters.reset_all(); return;
    case EffectKind::Savepoint: session.parameters.savepoint(effect.name); return;
    case EffectKind::RollbackTo: session.parameters.rollback_to(effect.name); return;
    case EffectKind::Release: session.parameters.release(effect.name); return;
    case EffectKind::DiscardAll:
      session.parameters.reset_all();
      forget_all(client, server);
      return;
    case EffectKind::DeallocateAll: forget_all(client, server); return;
    case EffectKind::Deallocate:
      // It has happened, whatever comes of the rest of the text.
      session.statements.rebind(effect.name, session::StatementId::None);
      return;
    case EffectKind::None:
    case EffectKind::Pin:
    case EffectKind::Unpin:
    case EffectKind::MayPin:
    case EffectKind::MayUnpin:
    case EffectKind::Taint:
    case EffectKind::ReadOtherwise:
    case EffectKind::MayEndTransaction: return;
  }
}

// The server has dropped all prepared statements, those of other clients' texts included.
void Effects::forget_all(Client& client, Server& server) {
  client.session->statements.clear();
  server.statements.clear();
}

void Effects::handle_failed(Client& client, std::uint32_t tag) {
  if (client.session == nullptr) return;
  ClientSession& session = *client.session;
  std::erase_if(session.pending, [&](const PendingEffects& pending) {
    if (pending.tag != tag) return false;
    if (pending.may_end_transaction() && client.server != nullptr) {
      note_may_end(session, *client.server);
    }
    return true;
  });
}

void Effects::handle_reported(Client& client, std::string_view name, std::string_view value) {
  if (!is_settable(name)) return;
  session_of(state_, client).reported.emplace_back(name, value);
  const bool is_unreadable = (name == "standard_conforming_strings" && !is_switched_on(value)) ||
                             (name == "client_encoding" && !session::is_ascii_superset(value));
  // At once: the next text comes before the transaction ends.
  if (is_unreadable) pin(client, session::PinReason::NotUnderstood);
}

void Effects::handle_ready(Client& client, Server& server, std::uint32_t tag, char status) {
  if (client.session == nullptr) return;
  ClientSession& session = *client.session;
  while (!session.pending.empty() && !server.cycle.owes_client()) session.pending.pop_front();
  // Statements do not come and go with transactions.
  session.statements.commit(tag);
  if (status != 'I') return;
  const bool was_pinned = !session.pins.empty();
  end_transaction(client, server, !session.is_rolled_back);
  session.has_left_block = false;
  session.reads_otherwise = reads_otherwise_soon(session);
  take_reports(client, server);
  const bool is_changed = session.parameters.committed() != client.parameters;
  if (is_changed) {
    assign(state_.parameters, client.parameters, session.parameters.committed());
    // A server has accepted them.
    client.route->proven.add(state_.parameters.at(client.parameters));
  }
  if (is_changed || was_pinned) pin_if_bound(client);
}

// What the server reports outside of a transaction is the truth, whatever the text said.
void Effects::take_reports(Client& client, Server& server) {
  ClientSession& session = *client.session;
  for (const auto& [name, value] : session.reported) {
    // SET LOCAL, or a SET that was rolled back, has led to what every server has by itself.
    const bool is_untouched =
        state_.parameters.find(session.parameters.committed(), name) == nullptr &&
        value == reported_value(*client.route, name);
    if (!is_untouched) session.parameters.handle_reported(name, value, server.parameters);
  }
  if (session.parameters.committed() != client.parameters) take_unreported(client, server);
  session.reported.clear();
  session.parameters.settle();
}

// A SET of what is reported, and was not, has come to the value from before the transaction,
// however it was written. As it was written it would be taken for how the server spells it.
void Effects::take_unreported(Client& client, Server& server) {
  session::ParameterTracker& parameters = client.session->parameters;
  const Route& route = *client.route;
  const session::ParameterSet now = state_.parameters.at(parameters.committed());
  for (const auto& [name, value] : now) {
    if (!value.is_source || !route.canonical.is_reported(name)) continue;
    const session::ParameterValue* before = state_.parameters.find(client.parameters, name);
    if (before != nullptr && before->is_source) continue;
    parameters.handle_reported(
        name,
        before == nullptr ? reported_value(route, name) : route.canonical.spell(name, before->text),
        server.parameters);
  }
}

}  // namespace pgweir::proxy
