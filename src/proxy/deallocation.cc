#include "proxy/deallocation.h"

#include <fmt/format.h>

#include "proxy/statements.h"
#include "wire/query.h"

namespace pgweir::proxy {

using session::EffectKind;
using session::Origin;
using session::Request;
using session::StatementId;

namespace {

constexpr std::string_view kForgotten = "pgweir_forgotten";

bool has_failed_transaction(const Server& server) {
  return server.cycle.is_quiet() && server.cycle.transaction_status() == 'E';
}

// A Sync of ours would end the batch, and one that has failed.
bool is_in_batch(const Server& server) {
  return server.cycle.has_open_batch() || server.cycle.is_skipping();
}

bool has_statement(RelayState& state, Client& client, const session::StatementEffect& effect) {
  return effect.kind == EffectKind::Deallocate &&
         session_of(state, client).statements.find(effect.name) != StatementId::None;
}

// An empty statement of that name, whatever the name stood for on the server.
void make_to_forget(Server& server, std::string_view name, Batch& batch) {
  wire::encode_close(batch.build(), 'S', name);
  server.cycle.expect({.request = Request::Close, .origin = Origin::Ours});
  wire::encode_parse(batch.build(), name, "", {});
  server.cycle.expect({.request = Request::Parse, .origin = Origin::Ours});
}

void end_batch(Server& server, Batch& batch) {
  wire::encode_sync(batch.build());
  server.cycle.expect({.request = Request::Sync, .origin = Origin::Ours});
}

}  // namespace

std::string translate_deallocate(RelayState& state, Client& client,
                                 const session::StatementEffects& effects, session::Request request,
                                 Batch& batch) {
  if (effects.statement_count() != 1 || effects.is_trivial()) return {};
  if (!has_statement(state, client, effects.entries()[0])) return {};
  Server& server = *client.server;
  if (has_failed_transaction(server)) return {};
  if (request == Request::Query && is_in_batch(server)) return {};
  make_to_forget(server, kForgotten, batch);
  if (request == Request::Query) end_batch(server, batch);
  return fmt::format("DEALLOCATE {}", kForgotten);
}

bool is_translated_deallocation(const session::StatementEffects& effects) {
  return effects.entries().size() == 1 && effects.entries()[0].name == kForgotten;
}

// Under the client's own name, and for a moment only: the text says when it goes.
void expect_deallocates(RelayState& state, Client& client, const session::StatementEffects& effects,
                        Batch& batch) {
  if (effects.statement_count() == 1) return;  // See translate_deallocate().
  Server& server = *client.server;
  if (has_failed_transaction(server) || is_in_batch(server)) return;
  bool has_names = false;
  for (const session::StatementEffect& effect : effects.entries()) {
    if (!has_statement(state, client, effect)) continue;
    make_to_forget(server, effect.name, batch);
    has_names = true;
  }
  if (!has_names) return;
  end_batch(server, batch);
  // The text may fail before it gets there.
  server.needs_reset = true;
}

}  // namespace pgweir::proxy
