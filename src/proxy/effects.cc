#include "proxy/effects.h"

#include "proxy/events.h"
#include "proxy/statements.h"

namespace pgweir::proxy {

using session::EffectKind;
using session::ParameterSetId;

namespace {

// Reported, but no SET leads there; or a pin's business (SET ROLE).
bool is_settable(std::string_view name) {
  return name != "in_hot_standby" && name != "is_superuser" && name != "session_authorization" &&
         name != "server_version" && name != "server_encoding" && name != "integer_datetimes";
}

}  // namespace

void assign(session::ParameterTable& table, ParameterSetId& held, ParameterSetId next) {
  if (held == next) return;
  table.retain(next);
  table.release(held);
  held = next;
}

void Effects::note_sent(Client& client, std::uint32_t tag, session::StatementEffects effects) {
  ClientSession& session = session_of(state_, client);
  for (const session::StatementEffect& effect : effects.entries()) {
    if (effect.kind != EffectKind::Pin || client.route->mode == PoolMode::Session) continue;
    if (session.pins.empty()) {
      state_.world.log.event(
          kClientPinned,
          {obs::kv("reason", to_text(effect.reason)), obs::kv("database", client.route->database),
           obs::kv("user", client.route->user), obs::kv("application", client.application_name),
           obs::kv("client", client.peer)});
    }
    session.pins.add(effect.reason);
    client.server->needs_reset = true;
  }
  session.pending.push_back({.tag = tag, .effects = std::move(effects)});
}

void Effects::handle_complete(Client& client, Server& server, std::uint32_t tag,
                              std::string_view command_tag) {
  if (client.session == nullptr) return;
  ClientSession& session = *client.session;
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
    session.parameters.handle_transaction_end(command_tag == "COMMIT");
    session.pins.handle_transaction_end(command_tag == "COMMIT");
    session.is_rolled_back = false;
  }
  if (effect != nullptr) apply(client, server, *effect);
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
    case EffectKind::None:
    case EffectKind::Deallocate:
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
  auto& pending = client.session->pending;
  while (!pending.empty() && pending.back().tag >= tag) pending.pop_back();
}

void Effects::handle_reported(Client& client, std::string_view name, std::string_view value) {
  if (is_settable(name)) session_of(state_, client).reported.emplace_back(name, value);
}

void Effects::handle_ready(Client& client, Server& server, char status) {
  if (client.session == nullptr) return;
  ClientSession& session = *client.session;
  while (!session.pending.empty() && !server.cycle.owes_client()) session.pending.pop_front();
  if (status != 'I') return;
  session.statements.commit();
  const ParameterSetId before = session.parameters.committed();
  session.parameters.handle_transaction_end(!session.is_rolled_back);
  session.pins.handle_transaction_end(!session.is_rolled_back);
  session.is_rolled_back = false;
  // What the server reports outside of a transaction is the truth, whatever the text said.
  for (const auto& [name, value] : session.reported)
    session.parameters.handle_reported(name, value);
  session.reported.clear();
  if (session.parameters.committed() == before) return;
  // A RESET has led the server to its own default, the client to what it brought at startup.
  const bool is_same = server.parameters == client.parameters &&
                       session.parameters.startup() == ParameterSetId::Empty;
  assign(state_.parameters, client.parameters, session.parameters.committed());
  if (is_same) {
    assign(state_.parameters, server.parameters, client.parameters);
  } else {
    // Exactly what it has is not known any more: RESET ALL, then replay (leases.h).
    server.needs_reset = true;
  }
}

}  // namespace pgweir::proxy
