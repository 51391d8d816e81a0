#include "proxy/errands.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/catalog.h"
#include "proxy/leases.h"
#include "proxy/replies.h"
#include "proxy/sending.h"
#include "wire/frame.h"
#include "wire/reply.h"
#include "wire/rows.h"
#include "wire/sqlstate.h"

namespace pgweir::proxy {
namespace {

// What the control thread asks for is a few rows of numbers, and the limits of roles and databases:
// some dozens of bytes for each that has one.
constexpr std::uint32_t kBodyBytesMax = 1024 * 1024;
constexpr std::size_t kRowsMax = 10'000;

// One Query is one transaction, and LOCAL ends with it. The session may be a client's that has set
// a timeout of milliseconds or a schema with functions of its own in front of PostgreSQL's.
constexpr std::string_view kPreamble =
    "SET LOCAL statement_timeout TO 0; SET LOCAL search_path TO pg_catalog; ";

wire::Report failure_report(std::string_view sqlstate, std::string message) {
  return {.severity = "FATAL",
          .sqlstate = std::string(sqlstate),
          .message = std::move(message),
          .detail = {},
          .hint = {}};
}

wire::Report report_of(const pool::Failure& failure) {
  return failure_report(failure.sqlstate, failure.text);
}

}  // namespace

void Errands::begin(std::unique_ptr<RunErrand> order, base::Instant now) {
  const Target target = target_of(*order);
  Route* route = target.entry != nullptr ? find_route(target, *order) : nullptr;
  const bool may_pass_on = target.entry != nullptr && !state_.is_draining;
  if (may_pass_on && (route == nullptr || !has_servers(*route))) {
    if (const auto next = next_to_ask(*order, target)) {
      const base::Mailbox to = base::Mailbox::relay(*next);
      return state_.world.io.hand_over(base::ConnectionId::None, to, std::move(order));
    }
  }
  Errand& errand = errands_.emplace_back();
  errand.id = order->id;
  errand.sql = std::move(order->sql);
  errand.gives_up_at = base::deadline(now, order->time_max);
  if (state_.is_draining) return be_crowded_out(errand);
  if (target.entry == nullptr) {
    return fail(errand, failure_report(wire::sqlstate::kCannotConnectNow,
                                       fmt::format("database \"{}\" is no longer configured",
                                                   order->database)));
  }
  if (route == nullptr) {
    route = &state_.routes.find(*state_.options, *target.entry, target.database, order->user, now);
  }
  errand.pool = route->pool;
  Server* server = state_.leases->take_first(errand, errand.pool, now);
  if (server != nullptr) run(errand, *server, now);
}

Errands::Target Errands::target_of(const RunErrand& order) const {
  Target target;
  target.entry = find_database(*state_.options, order.database);
  if (target.entry == nullptr) return target;
  target.database = target.entry->name == "*" ? order.user : target.entry->name;
  target.server_database =
      target.entry->server_database.empty() ? target.database : target.entry->server_database;
  return target;
}

// A pool that logs in as the control thread would; the busiest, where several do.
Route* Errands::find_route(const Target& target, const RunErrand& order) const {
  const std::string node = node_name(*target.entry);
  const auto rank = [this](const Route& route) {
    return std::pair(has_servers(route), route.client_count);
  };
  Route* found = nullptr;
  for (std::uint32_t i = 0; i < state_.routes.count(); ++i) {
    Route& route = state_.routes.at(base::PoolId{i});
    const bool is_open = !route.is_removed && route.successor == nullptr;
    const bool fits = is_open && route.node == node && route.plan->user == order.user &&
                      route.plan->server_database == target.server_database;
    if (fits && (found == nullptr || rank(*found) < rank(route))) found = &route;
  }
  return found;
}

// Or will have, since somebody waits for one.
bool Errands::has_servers(const Route& route) const {
  const pool::PoolCounts counts = state_.shard.counts(route.pool);
  return counts.idle + counts.leased + counts.connecting + counts.waiting != 0;
}

// All Relays in turn, then the pool's home; nullopt: that is this one.
std::optional<pool::ReactorIndex> Errands::next_to_ask(RunErrand& order,
                                                       const Target& target) const {
  Placement& placement = state_.world.placement;
  const std::uint32_t count = placement.relay_count();
  const bool is_last = order.relays_asked + 1 >= count;
  order.relays_asked = std::min(order.relays_asked + 1, count);
  if (!is_last) return (state_.world.index + 1) % count;
  const pool::ReactorIndex home = placement.home_of(target.database, order.user);
  return home == state_.world.index ? std::nullopt : std::optional(home);
}

Errands::Errand* Errands::find(const pool::Waiter& waiter) const {
  const auto at = std::find_if(errands_.begin(), errands_.end(),
                               [&](const Errand& errand) { return &errand == &waiter; });
  return at == errands_.end() ? nullptr : &*at;
}

Errands::Errand* Errands::find(const Server& server) const {
  const auto at = std::find_if(errands_.begin(), errands_.end(),
                               [&](const Errand& errand) { return errand.server == &server; });
  return at == errands_.end() ? nullptr : &*at;
}

void Errands::grant(pool::Waiter& waiter, Server& server, base::Instant now) {
  run(*find(waiter), server, now);
}

void Errands::refuse(pool::Waiter& waiter, const pool::Failure* failure) {
  fail(*find(waiter), failure != nullptr ? report_of(*failure)
                                         : failure_report(wire::sqlstate::kConnectionFailure,
                                                          "the pool has no server to ask"));
}

void Errands::run(Errand& errand, Server& server, base::Instant now) {
  errand.server = &server;
  server.phase = Server::Phase::Asking;
  server.phase_since = now;
  ask_server(state_, server, std::string(kPreamble) + errand.sql, now);
}

void Errands::handle_bytes(Server& server, base::Bytes bytes, base::Instant now) {
  server.last_activity = now;
  server.partial.push(bytes);
  const base::ByteQueue parked = std::exchange(server.partial, {});
  base::Bytes input = parked.bytes();
  Errand& errand = *find(server);
  while (server.cycle.size() != 0 || server.has_said_goodbye) {
    const auto frame = wire::take_frame(input, kBodyBytesMax, base::Side::Server);
    if (!frame || (*frame && !take(errand, server, **frame))) {
      state_.leases->close_server(server, now);
      return;
    }
    if (!*frame) {
      server.partial.push(input);
      return;
    }
  }
  auto done = std::make_unique<ErrandDone>();
  done->rows = std::move(errand.rows);
  done->pid = server.cancel_key.pid;
  done->failure = std::move(errand.failure);
  answer(errand, std::move(done));
  give_back(server, input, now);
}

bool Errands::take(Errand& errand, Server& server, const wire::Frame& frame) {
  if (frame.type == 'S' || frame.type == 'N' || frame.type == 'A') return true;
  char status = 'I';
  if (frame.type == 'D') {
    const auto row = wire::parse_data_row(frame.body);
    if (!row || errand.rows.size() == kRowsMax) return false;
    errand.rows.emplace_back(row->begin(), row->end());
  } else if (frame.type == 'E') {
    const auto report = wire::parse_report(frame.body);
    if (!report) return false;
    errand.failure = *report;
    if (report->ends_the_session()) server.has_said_goodbye = true;
  } else if (frame.type == 'Z') {
    const auto parsed = wire::parse_ready_for_query(frame.body);
    if (!parsed) return false;
    status = *parsed;
  }
  return server.cycle.handle_reply(frame.type, status).has_value();
}

// The way of a server whose client has gone: what else it has said is read, and it is lent when it
// is clean.
void Errands::give_back(Server& server, base::Bytes unread, base::Instant now) {
  server.phase = Server::Phase::Recovering;
  server.phase_since = now;
  server.discarded_bytes = 0;
  state_.replies->handle_bytes(server, unread, now);
}

void Errands::handle_server_lost(const Server& server) {
  Errand* errand = find(server);
  if (errand == nullptr) return;
  fail(*errand, errand->failure.value_or(failure_report(
                    wire::sqlstate::kConnectionFailure,
                    "the server closed the connection before it had answered about itself")));
}

// Why nobody can be served: the last login failed, and there is no server from before.
const pool::Failure* Errands::failure_of(base::PoolId pool) const {
  const pool::PoolCounts counts = state_.shard.counts(pool);
  return counts.idle + counts.leased == 0 ? state_.shard.last_failure(pool) : nullptr;
}

void Errands::handle_login_failed(base::PoolId pool) {
  const pool::Failure* failure = failure_of(pool);
  if (failure == nullptr) return;
  for (auto at = errands_.begin(); at != errands_.end();) {
    Errand& errand = *at++;
    if (errand.pool != pool || !errand.is_waiting()) continue;
    state_.shard.leave(errand);
    fail(errand, report_of(*failure));
  }
}

std::uint32_t Errands::waiting_clients(base::PoolId pool) const {
  const auto is_one = [pool](const Errand& errand) {
    return errand.pool == pool && errand.is_waiting();
  };
  return state_.shard.counts(pool).waiting -
         static_cast<std::uint32_t>(std::count_if(errands_.begin(), errands_.end(), is_one));
}

void Errands::sweep(base::Instant now) {
  for (auto at = errands_.begin(); at != errands_.end();) {
    Errand& errand = *at++;
    if (now >= errand.gives_up_at) give_up(errand, now);
  }
}

void Errands::give_up(Errand& errand, base::Instant now) {
  if (errand.server != nullptr) {
    Server& server = *errand.server;
    fail(errand, failure_report(wire::sqlstate::kQueryCanceled,
                                "the server did not answer a question about itself in time"));
    state_.leases->close_server(server, now);
    return;
  }
  state_.shard.leave(errand);
  const pool::Failure* failure = failure_of(errand.pool);
  if (failure != nullptr) return fail(errand, report_of(*failure));
  be_crowded_out(errand);
}

void Errands::be_crowded_out(Errand& errand) {
  auto done = std::make_unique<ErrandDone>();
  done->is_crowded_out = true;
  answer(errand, std::move(done));
}

void Errands::fail(Errand& errand, wire::Report report) {
  auto done = std::make_unique<ErrandDone>();
  done->failure = std::move(report);
  answer(errand, std::move(done));
}

// The last of it: the errand is forgotten.
void Errands::answer(Errand& errand, std::unique_ptr<ErrandDone> done) {
  done->id = errand.id;
  errands_.remove_if([&](const Errand& one) { return &one == &errand; });
  state_.world.io.hand_over(base::ConnectionId::None, base::Mailbox::Control, std::move(done));
}

}  // namespace pgweir::proxy
