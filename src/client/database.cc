#include "client/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "client/capacity.h"
#include "client/clock.h"
#include "client/denial.h"
#include "client/event_loop.h"
#include "client/events.h"
#include "client/fitness.h"
#include "client/handle_settings.h"
#include "client/login.h"
#include "client/quiet_thread.h"
#include "client/recovery.h"
#include "loop/farewell.h"
#include "wire/own_parameter.h"

namespace pgweir::client {
namespace {

constexpr base::Duration kEndMax = std::chrono::seconds(10);
constexpr base::Duration kTickMin = std::chrono::milliseconds(5);
constexpr base::Duration kTickMax = std::chrono::seconds(1);
constexpr std::uint32_t kLimitBehindPgweir = 4;
constexpr std::uint32_t kLostStatementsMax = 3;
constexpr base::Duration kAskCapacityMax = std::chrono::seconds(2);
constexpr std::uint32_t kCancelThreadsMax = 4;
constexpr std::string_view kApplicationName = "libpgweir";

pool::Failure to_pool(const insight::Failure& failure) {
  return {.kind = insight::is_permanent(failure.kind) ? pool::Failure::Kind::Permanent
                                                      : pool::Failure::Kind::Temporary,
          .sqlstate = failure.sqlstate,
          .text = failure.error.context + "; " + std::string(insight::advice(failure.kind))};
}

insight::Failure make_silence() {
  return insight::make_failure(insight::FailureKind::TimedOut,
                               "the server did not say how many connections it can bear");
}

}  // namespace

error_info explain_fork(const code_location& where) {
  return {
      .kind = error_kind::pool_closed,
      .text = fmt::format("this process was forked off the one that the pool belongs to; make a "
                          "pool of its own here, or use database() ({}:{})",
                          where.file, where.line),
      .where = where};
}

result<std::shared_ptr<Database>> Database::create(Settings settings, log_function log,
                                                   std::shared_ptr<pool_observer> observer) {
  auto loop = loop::Loop::create();
  if (!loop.has_value()) {
    return error_info{.kind = error_kind::config, .text = loop.error().context};
  }
  return std::shared_ptr<Database>(
      new Database(std::move(settings), std::move(*loop), std::move(log), std::move(observer)));
}

Database::Database(Settings settings, std::shared_ptr<loop::Loop> loop, log_function log,
                   std::shared_ptr<pool_observer> observer)
    : settings_(std::move(settings)),
      observer_(std::move(observer)),
      lines_(std::move(log), std::getenv("PGWEIR_LOG")),
      loop_(std::move(loop)),
      logins_("pgweir-conn", settings_.pool.pool.login_parallel_max),
      cancels_("pgweir-cancel", kCancelThreadsMax),
      session_(settings_.database),
      prepares_(!settings_.library.is_behind_pgbouncer),
      pool_(settings_.pool, static_cast<std::uint64_t>(precise_now().time_since_epoch().count()),
            *this) {}

result<Server*> Database::acquire(Request request) {
  if (observer_ == nullptr) return find_server(std::move(request));
  const base::Instant since = precise_now();
  const code_location where = request.where;
  auto server = find_server(std::move(request));
  note_lease(server, since, where);
  return server;
}

void Database::note_lease(const result<Server*>& server, base::Instant since,
                          const code_location& where) {
  if (observer_ == nullptr) return;
  const base::Duration waited = precise_now() - since;
  if (server) {
    observer_->on_acquired(waited, where);
  } else {
    observer_->on_refused(server.error().kind, waited, where);
  }
}

result<Server*> Database::find_server(Request request) {
  if (is_of_parent()) return explain_fork(request.where);
  // The clock is read by those only who find none.
  if (Server* idle = pool_.acquire_if_idle(request)) {
    if (is_fit(*idle)) return idle;
    pool_.discard(*idle);
  }
  const base::Instant since = precise_now();
  set_deadline(request, since);
  report_nesting(request);
  report_blocking(request.where);
  while (true) {
    const Grant grant = pool_.acquire(request);
    if (grant.server == nullptr) return explain_denial(*this, request, grant, since);
    if (is_fit(*grant.server)) return grant.server;
    pool_.discard(*grant.server);
    // Of many that do not answer the next one may be no better.
    if (request.deadline <= precise_now()) {
      return explain_denial(*this, request, {.denial = Denial::TimedOut}, since);
    }
  }
}

void Database::set_deadline(Request& request, base::Instant since) const {
  if (request.deadline != base::kNever) return;
  if (settings_.acquire_timeout == base::Duration::zero()) return;
  request.deadline = since + settings_.acquire_timeout;
}

bool Database::is_fit(Server& server) const {
  const Fitness fitness = look_at(server, settings_.library.ping_idle_after);
  if (fitness != Fitness::Unknown) return fitness == Fitness::Fit;
  return answers(server, settings_.library.ping_timeout);
}

Server* Database::acquire_if_idle(const Request& request) {
  if (is_of_parent()) return nullptr;
  const base::Instant until = precise_now() + settings_.library.ping_timeout;
  while (Server* server = pool_.acquire_if_idle(request)) {
    if (is_fit(*server)) {
      if (observer_) observer_->on_acquired({}, request.where);
      return server;
    }
    pool_.discard(*server);
    if (until <= precise_now()) break;  // They were asked, and said nothing.
  }
  return nullptr;
}

// A thread that holds one and has to wait for another may wait for itself.
void Database::report_nesting(const Request& request) {
  const pool::PoolCounts counts = pool_.counts();
  if (counts.leased < settings_.pool.pool.server_count_max) return;
  const std::vector<LeaseNote> leases = pool_.leases();
  const auto own = std::find_if(leases.begin(), leases.end(), [](const LeaseNote& lease) {
    return lease.thread == thread_token();
  });
  if (own == leases.end()) return;
  log().event(kNestedAcquire,
              {obs::kv("at", text_of(request.where)), obs::kv("held_at", text_of(own->where))});
}

// Names of files are literals of the program.
void Database::report_blocking(const code_location& where) {
  if (!is_in_event_loop()) return;
  {
    const std::lock_guard lock(blocking_mutex_);
    if (!blocking_places_.emplace(where.file, where.line).second) return;
  }
  log().event(kBlockedLoop, {obs::kv("at", text_of(where))});
}

void Database::report_overdue_leases() {
  const base::Duration threshold = settings_.library.leak_threshold;
  if (threshold == base::Duration::zero()) return;
  const base::Instant now = coarse_now();
  for (const LeaseNote& lease : pool_.take_overdue_leases(now - threshold)) {
    log().event(kLeaseOverdue,
                {obs::kv("at", text_of(lease.where)), obs::kv("held_s", now - lease.since),
                 obs::kv("tag", lease.tag == nullptr ? "" : lease.tag)});
  }
}

void Database::note_end_of_lease(const Server& server) {
  if (observer_) {
    observer_->on_released(coarse_now() - server.lease().since, server.lease().where);
  }
}

void Database::give_back(Server& server) {
  if (is_of_parent()) return;
  note_end_of_lease(server);
  if (server.lease().is_reported) {
    log().event(kLeaseCameBack, {obs::kv("at", text_of(server.lease().where)),
                                 obs::kv("held_s", coarse_now() - server.lease().since)});
  }
  if (server.is_touched) set_up_handle(server.connection.get());
  if (PQstatus(server.connection.get()) != CONNECTION_OK) return pool_.discard(server);
  if (is_clean(server.connection.get()) && !server.is_touched) return pool_.release(server);
  loop_->post([this, &server] { tidy_up(server); });
}

void Database::discard(Server& server) {
  if (is_of_parent()) return;
  note_end_of_lease(server);
  // Saying good-bye is traced, too.
  if (server.is_touched) set_up_handle(server.connection.get());
  pool_.discard(server);
}

void Database::tidy_up(Server& server) {
  const LeftServer left{
      .connection = server.connection.get(), .is_touched = server.is_touched, .session = session_};
  recover(loop_, cancels_, left, [this, &server](bool is_clean) {
    if (!is_clean) return pool_.discard(server);
    // Only what was touched has been discarded.
    if (std::exchange(server.is_touched, false)) server.statements.clear();
    pool_.release(server);
  });
}

// The pool's mutex is held by these two.
void Database::open(Server& server) {
  start_maintenance();
  logins_.add([self = shared_from_this(), &server](int stop) { self->log_in_to(server, stop); });
}

void Database::close(Server& server) {
  loop_->post([this, &server] { say_good_bye(server); });
}

void Database::log_in_to(Server& server, int stop) {
  const base::Instant since = precise_now();
  LoginOutcome outcome = log_in(settings_.database, kApplicationName, stop);
  if (auto* connection = std::get_if<Connection>(&outcome)) {
    if (!meet(connection->get(), stop)) outcome = make_silence();
  }
  const base::Duration took = precise_now() - since;
  if (auto* connection = std::get_if<Connection>(&outcome)) {
    server.connection = std::move(*connection);
    log().event(kConnectionOpened, {obs::kv("database", describe(settings_)),
                                    obs::kv("pid", PQbackendPID(server.connection.get()))});
    if (observer_) observer_->on_opened(took);
    pool_.handle_opened(server);
  } else {
    pool::Failure failure = to_pool(std::get<insight::Failure>(outcome));
    if (!is_closed_) {  // Or else nobody wants it any more.
      log().event(kLoginFailed,
                  {obs::kv("database", describe(settings_)), obs::kv("sqlstate", failure.sqlstate),
                   obs::kv("problem", failure.text)});
    }
    if (observer_) observer_->on_login_failed(sqlstate(failure.sqlstate), took);
    pool_.handle_open_failed(server, std::move(failure));
  }
  // The pause before the next login may be shorter than the tick.
  loop_->post([this] { keep_time(); });
}

// The first connection, before anybody has it, says what is at the other end. False: it is of no
// more use.
bool Database::meet(PGconn* connection, int stop) {
  if (has_met_.exchange(true)) return true;
  if (const char* version = PQparameterStatus(connection, wire::kOwnParameter)) {
    note_pgweir(version);
    return true;
  }
  const Patience patience{.deadline = precise_now() + kAskCapacityMax, .stop = stop};
  if (const auto capacity = ask_capacity(connection, patience)) fit_limit(*capacity);
  return is_clean(connection);
}

// pgweir is one budget for all: what is beyond a few here would only wait there. The pool keeps to
// that, wherever later logins lead.
void Database::note_pgweir(std::string_view version) {
  pgweir_version_ = version;
  is_behind_ = true;
  if (!settings_.is_limit_told) pool_.set_limits(with_limit(settings_, kLimitBehindPgweir));
  log().event(kBehindPgweir, {obs::kv("database", describe(settings_)), obs::kv("version", version),
                              obs::kv("limit", limit())});
}

void Database::note_lost_statement(const code_location& where) {
  if (++lost_statement_count_ < kLostStatementsMax || !prepares_.exchange(false)) return;
  log().event(kStatementsLost,
              {obs::kv("database", describe(settings_)), obs::kv("at", text_of(where))});
}

std::string Database::pgweir_version() const { return is_behind_ ? pgweir_version_ : ""; }

// Found out under load it would be by refused logins. A limit that somebody chose is kept.
void Database::fit_limit(const budget::Sum& capacity) {
  const auto total = static_cast<std::uint32_t>(std::clamp<std::int64_t>(capacity.total, 1, 65535));
  if (limit() <= total) return;
  if (!settings_.is_limit_told) return pool_.set_limits(with_limit(settings_, total));
  const std::string problem = fmt::format(
      "{}; set connection_limit so that the pools of all processes together stay below {}, or "
      "raise what binds it",
      budget::describe(capacity), capacity.total);
  log().event(kLimitTooHigh,
              {obs::kv("database", describe(settings_)), obs::kv("connection_limit", limit()),
               obs::kv("server_limit", capacity.total), obs::kv("problem", problem)});
}

// libpq closes its descriptor without waiting, so the wait is on a duplicate.
void Database::say_good_bye(Server& server) {
  const int witness = ::fcntl(PQsocket(server.connection.get()), F_DUPFD_CLOEXEC, 0);
  server.connection.reset();
  if (witness < 0) return handle_ended(server);
  loop::await_end(*loop_, witness, kEndMax, [this, &server](bool) { handle_ended(server); });
}

void Database::handle_ended(Server& server) {
  if (observer_) observer_->on_closed();
  pool_.handle_ended(server);
  if (is_closed_) keep_time();
}

// The thread holds this object for as long as its loop runs; what the loop runs need not.
void Database::start_maintenance() {
  std::call_once(is_maintained_, [this] {
    loop_->post([this] { keep_time(); });
    start_quiet_thread("pgweir-maint", [self = shared_from_this()] { self->loop_->run(); });
  });
}

void Database::keep_time() {
  report_overdue_leases();
  const base::Instant next = pool_.handle_time();
  const base::Instant now = coarse_now();
  if (is_closed_ && pool_.wait_until_ended(now)) return stop_threads();
  loop_->cancel(tick_);
  // The pool's clock is some milliseconds behind the loop's.
  tick_ = loop_->call_at(std::clamp(next, now + kTickMin, now + kTickMax), [this] { keep_time(); });
}

void Database::stop_threads() {
  logins_.stop();
  cancels_.stop();
  loop_->stop();
}

bool Database::close(base::Instant deadline) {
  pool_.close();
  is_closed_ = true;
  logins_.hurry();
  closed_.raise();
  return wait_until_ended(deadline);
}

bool Database::abort(base::Instant deadline) {
  is_aborted_ = true;
  aborted_.raise();
  aborting_.request_stop();
  return wait_until_ended(deadline);
}

bool Database::wait_until_ended(base::Instant deadline) {
  const bool has_ended = pool_.wait_until_ended(deadline);
  if (has_ended) stop_threads();
  return has_ended;
}

}  // namespace pgweir::client
