#include "proxy/effects.h"

#include "proxy/events.h"
#include "proxy/statements.h"
#include "session/client_encoding.h"

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

}  // namespace

void assign(session::ParameterTable& table, ParameterSetId& held, ParameterSetId next) {
  if (held == next) return;
  table.retain(next);
  table.release(held);
  held = next;
}

void Effects::pin(Client& client, session::PinReason reason) {
  ClientSession& session = session_of(state_, client);
  if (session.pins.empty() && client.route->mode != PoolMode::Session) {
    state_.world.log.event(
        kClientPinned,
        {obs::kv("reason", to_text(reason)), obs::kv("database", client.route->database),
         obs::kv("user", client.route->user), obs::kv("application", client.application_name),
         obs::kv("client", client.peer)});
  }
  session.pins.add(reason);
  if (client.server != nullptr) client.server->needs_reset = true;
}

void Effects::pin_if_unreadable(Client& client) {
  if (client.session != nullptr && !client.session->pins.empty()) return;
  const bool is_readable = session::is_ascii_superset(value_of(client, "client_encoding")) &&
                           is_switched_on(value_of(client, "standard_conforming_strings"));
  if (!is_readable) pin(client, session::PinReason::NotUnderstood);
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
    if (effect.kind == EffectKind::Pin) pin(client, effect.reason);
    const bool is_own = effect.kind == EffectKind::Deallocate &&
                        session.statements.find(effect.name) != session::StatementId::None;
    if (effect.kind == EffectKind::DiscardAll || effect.kind == EffectKind::DeallocateAll ||
        is_own) {
      session.forgets_statements = true;
    }
  }
  session.pending.push_back({.tag = tag, .effects = std::move(effects)});
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
    if (pending.completed < pending.effects.entries().size()) {
      effect = &pending.effects.entries()[pending.completed];
    }
    ++pending.completed;
  }
  // A transaction that ends in the middle of a text ends here, not at ReadyForQuery. COMMIT of a
  // failed transaction says ROLLBACK; so does ROLLBACK TO, which ends nothing.
  const bool is_rollback_to = effect != nullptr && effect->kind == EffectKind::RollbackTo;
  if (command_tag == "COMMIT" || (command_tag == "ROLLBACK" && !is_rollback_to)) {
    end_transaction(session, server, command_tag == "COMMIT");
  }
  if (effect != nullptr) apply(client, server, *effect);
}

void Effects::end_transaction(ClientSession& session, Server& server, bool is_committed) {
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
      session.statements.rebind(effect.name, session::StatementId::None);
      return;
    case EffectKind::None:
    case EffectKind::Pin:
    case EffectKind::Unpin: return;
  }
}

// The server has dropped all prepared statements, those of other clients' texts included.
void Effects::forget_all(Client& client, Server& server) {
  client.session->statements.clear();
  server.statements.clear();
}

void Effects::handle_failed(Client& client, std::uint32_t tag) {
  if (client.session == nullptr) return;
  std::erase_if(client.session->pending,
                [&](const PendingEffects& pending) { return pending.tag == tag; });
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
  if (status != 'I') return;
  session.statements.commit(tag);
  const bool was_pinned = !session.pins.empty();
  end_transaction(session, server, !session.is_rolled_back);
  take_reports(client, server);
  const bool is_changed = session.parameters.committed() != client.parameters;
  if (is_changed) {
    assign(state_.parameters, client.parameters, session.parameters.committed());
    // A server has accepted them.
    client.route->proven.add(state_.parameters.at(client.parameters));
  }
  if (is_changed || was_pinned) pin_if_unreadable(client);
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
  session.reported.clear();
  session.parameters.settle();
}

}  // namespace pgweir::proxy
