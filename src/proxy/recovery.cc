#include "proxy/recovery.h"

#include "proxy/cancels.h"
#include "proxy/effects.h"
#include "proxy/leases.h"
#include "proxy/sending.h"
#include "session/statement_effect.h"
#include "wire/query.h"

namespace pgweir::proxy {

using session::EffectKind;
using session::Origin;
using session::Request;

namespace {

// Whether a statement of ours is under way: parameters that the server was to take on.
bool is_learning(const session::QueryCycle& cycle) {
  return cycle.size() != 0 && cycle.next().origin == Origin::Ours &&
         cycle.next().request == Request::Query;
}

// Whether what its client said good-bye with is still under way.
bool has_last_words(const Server& server) {
  return server.is_finishing && !server.cycle.is_quiet();
}

}  // namespace

void Recovery::begin(Server& server, base::Instant now) {
  server.phase = Server::Phase::Recovering;
  server.phase_since = now;
  server.discarded_bytes = 0;
  server.is_skip_forwarded = false;
  server.is_inquired = false;
  if (server.is_paused) {
    server.is_paused = false;
    state_.world.io.resume(server.id);
  }
  if (server.is_cut || (server.needs_close && !has_last_words(server))) {
    state_.leases->close_server(server, now);
    return;
  }
  const bool is_running = !server.cycle.is_quiet();
  const bool is_copying_in = server.cycle.is_copying_in();
  // The cancel may strike our own SET, in front of what the client asked.
  server.needs_reset = server.needs_reset || is_learning(server.cycle);
  server.cycle.disown();
  server.owed_when_cancelled = 0;
  end_what_is_open(server);
  if (is_running && !is_copying_in && !server.is_finishing)
    state_.cancels->cancel(server, base::ConnectionId::None);
  proceed(server, now);
}

// Says what the client will not say any more: that its COPY is off, and that its batch is over.
void Recovery::end_what_is_open(Server& server) {
  const bool is_extended = server.cycle.has_open_batch() || server.cycle.is_skipping();
  state_.message.clear();
  if (server.cycle.is_copying_in()) {
    wire::encode_copy_fail(state_.message, "the client has gone");
    server.cycle.expect({.request = Request::CopyEnd, .origin = Origin::Ours});
  }
  if (is_extended) {
    wire::encode_sync(state_.message);
    server.cycle.expect({.request = Request::Sync, .origin = Origin::Ours});
  }
  send_to_server(state_, server, state_.message);
}

void Recovery::reset(Server& server, base::Instant now) {
  server.phase = Server::Phase::Recovering;
  server.phase_since = now;
  server.discarded_bytes = 0;
  proceed(server, now);
}

void Recovery::proceed(Server& server, base::Instant now) {
  const bool is_hopeless = server.discarded_bytes > state_.options->discard_bytes_max ||
                           (server.own_failure && server.phase == Server::Phase::Resetting);
  if (is_hopeless || (server.needs_close && !has_last_words(server))) {
    state_.leases->close_server(server, now);
    return;
  }
  // What ran for the client may fail as it likes: it was cancelled. What is ours may not.
  server.own_failure.reset();
  // A COPY that began only now: the server reads its data.
  if (server.cycle.is_copying_in()) end_what_is_open(server);
  if (!server.cycle.is_quiet() || server.cycle.is_skipping() || server.skip_bytes != 0 ||
      !server.partial.empty() || server.is_cancel_under_way) {
    // The next statement of a pipeline has begun.
    if (!server.is_finishing && Cancels::is_due_again(server)) {
      state_.cancels->cancel(server, base::ConnectionId::None);
    }
    return;
  }
  if (server.cycle.transaction_status() != 'I') {
    ask_server(state_, server, "ROLLBACK", now);
    return;
  }
  if (server.phase == Server::Phase::Resetting) finish_reset(server);
  if (server.needs_reset) {
    server.phase = Server::Phase::Resetting;
    server.phase_since = now;
    const std::string& query = state_.options->server_reset_query;
    ask_server(state_, server, query.empty() ? "DISCARD ALL" : query, now);
    return;
  }
  server.phase = Server::Phase::Serving;
  state_.leases->release(server, now);
}

void Recovery::finish_reset(Server& server) {
  server.needs_reset = false;
  const std::string& query = state_.options->server_reset_query;
  if (query.empty() || query == "DISCARD ALL") {
    server.statements.clear();
    assign(state_.parameters, server.parameters, session::ParameterSetId::Empty);
    return;
  }
  // An operator's own query: it has done what its text says, no more.
  const session::StatementEffects effects = session::analyse(query, true);
  for (const session::StatementEffect& effect : effects.entries()) {
    if (effect.kind == EffectKind::DiscardAll || effect.kind == EffectKind::DeallocateAll) {
      server.statements.clear();
    }
    if (effect.kind == EffectKind::DiscardAll || effect.kind == EffectKind::ResetAll) {
      assign(state_.parameters, server.parameters, session::ParameterSetId::Empty);
    }
  }
}

}  // namespace pgweir::proxy
