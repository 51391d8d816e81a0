#include "proxy/giving.h"

#include "proxy/leases.h"
#include "proxy/parameter_replay.h"

namespace pgweir::proxy {
namespace {

// No client reads its statements so: one of these is nobody's here.
constexpr std::string_view kForeignReading = "another reactor's";

// Nothing is under way on it, nor unread of what it has said.
bool is_at_rest(const Server& server) {
  return server.phase == Server::Phase::Serving && server.cycle.is_idle() &&
         server.partial.empty() && server.skip_bytes == 0 && server.outbox.empty() &&
         !server.is_cancel_under_way && !server.needs_close && !server.has_said_goodbye;
}

}  // namespace

void Giving::send(Server& server, pool::ReactorIndex to, base::Instant now) {
  if (!is_at_rest(server)) {
    state_.shard.take_back(server, now);
    state_.leases->close_server(server, now);
    return;
  }
  server.route->metrics.moved.add();
  auto given = pack(server);
  const base::ConnectionId id = server.id;
  state_.parameters.release(server.parameters);
  state_.registry.remove(server);
  state_.world.io.hand_over(id, base::Mailbox::relay(to), std::move(given));
}

std::unique_ptr<ServerGiven> Giving::pack(const Server& server) const {
  auto given = std::make_unique<ServerGiven>();
  given->from = state_.world.index;
  given->reload_count = state_.reload_count;
  given->pool_level = server.route->pool_level;
  given->plan = server.route->plan;
  given->tenure = server.tenure();
  given->endpoint = server.endpoint;
  given->is_secured = server.is_secured;
  given->cancel_key = server.cancel_key;
  given->last_activity = server.last_activity;
  given->has_doubtful_seed = server.has_doubtful_seed;
  given->parameters = state_.parameters.at(server.parameters);
  for (const auto& [name, value] : given->parameters) {
    const std::string_view spelled = server.route->canonical.spell(name, value.text);
    if (!value.is_source && spelled != value.text) {
      given->spellings.push_back({name, value.text, std::string(spelled)});
    }
  }
  given->reported = server.route->reported;
  given->reported_at = server.route->reported_at;
  server.statements.for_each([&](session::StatementId id) {
    const session::Statement& statement = state_.statements.at(id);
    const bool is_retired =
        state_.statements.lookup(statement.query, statement.types, statement.reading) != id;
    given->statements.push_back({.name = std::string(server.statements.name_of(id)),
                                 .query = statement.query,
                                 .types = statement.types,
                                 .reading = statement.reading,
                                 .is_retired = is_retired});
  });
  return given;
}

void Giving::handle_given(base::ConnectionId id, ServerGiven& given, base::Instant now) {
  Route* route = state_.routes.find_by_level(given.pool_level);
  ASSERT(route != nullptr);  // Who asked has the pool, and keeps it.
  Server& server = state_.registry.add_server(state_.statements);
  state_.registry.connect(server, id);
  server.route = route;
  server.phase = Server::Phase::Serving;
  server.phase_since = now;
  unpack(given, server);
  state_.shard.adopt(server, route->pool, given.tenure, now);
  if (!is_of_use(id, given, *route)) return state_.leases->close_server(server, now);
  learn(given, *route);
  state_.leases->release_adopted(server, given.from, now);
}

bool Giving::is_of_use(base::ConnectionId id, const ServerGiven& given, const Route& route) const {
  // While pgweir ends its clients finish what they have begun, and this one was asked for.
  if (state_.is_draining && state_.registry.client_count() == 0) return false;
  // A pool keeps what it counts against, and may lead elsewhere since a reload (Routes::update):
  // then this server would show its data to strangers.
  if (given.reload_count != state_.reload_count || !lead_alike(*given.plan, *route.plan))
    return false;
  // It may have rested where it comes from, and its end have come unnoticed.
  return state_.world.io.try_send(id, {}) == 1;
}

// What it has under no name is a stranger's: whoever asks for it without having parsed one finds
// none.
void Giving::note_foreign_unnamed(Server& server) {
  const session::StatementId foreign = state_.statements.intern("", {}, kForeignReading);
  server.statements.set_unnamed(foreign);
  state_.statements.release(foreign);
}

void Giving::unpack(ServerGiven& given, Server& server) {
  server.endpoint = std::move(given.endpoint);
  server.is_secured = given.is_secured;
  server.cancel_key = std::move(given.cancel_key);
  server.last_activity = given.last_activity;
  server.has_doubtful_seed = given.has_doubtful_seed;
  server.follows_another = true;
  server.parameters = state_.parameters.intern(std::move(given.parameters));
  for (const ServerGiven::Prepared& prepared : given.statements) {
    if (prepared.is_retired) {
      server.statements.keep_unused(prepared.query, prepared.types, prepared.name);
      continue;
    }
    const session::StatementId id =
        state_.statements.intern(prepared.query, prepared.types, prepared.reading);
    server.statements.adopt(id, prepared.name);
    state_.statements.accept(id, server.route->pool);
    state_.statements.release(id);  // The server refers to it now.
  }
  server.statements.release_pins();
  note_foreign_unnamed(server);
}

void Giving::learn(ServerGiven& given, Route& route) {
  for (const auto& [name, value] : given.reported) route.canonical.note_reported(name);
  for (const auto& [name, asked, reported] : given.spellings) {
    route.canonical.learn(name, asked, reported);
  }
  if (given.reported_at <= route.reported_at && !route.reported.empty()) return;
  if (route.reported.empty()) {
    route.reported = std::move(given.reported);
  } else {
    for (const auto& [name, value] : given.reported)
      state_.parameter_replay->note_default(route, name, value);
  }
  route.reported_at = given.reported_at;
}

}  // namespace pgweir::proxy
