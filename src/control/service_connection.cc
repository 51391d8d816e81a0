#include "control/service_connection.h"

#include <charconv>
#include <utility>

namespace pgweir::control {

namespace {

// Client backends as a plain role can count them: it sees database and role of everyone's, but
// backend_type only of its own (manual, section 28.2.3).
constexpr const char* kMeasure =
    "select count(*) from pg_catalog.pg_stat_activity "
    "where datid is not null and usesysid is not null "
    "and coalesce(backend_type, 'client backend') = 'client backend'";

// PostgreSQL's default authentication_timeout: a handshake that we gave up ends then at the latest.
constexpr base::Duration kHandshakeMax = std::chrono::seconds(60);

std::string application_name(const ServiceOptions& options) { return "pgweir:" + options.node; }

std::uint32_t parse_count(const std::optional<std::string>& text) {
  std::uint32_t count = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), count);
  return count;
}

}  // namespace

ServiceConnection::ServiceConnection(loop::Loop& loop, Resolver& resolver, ServiceHost host,
                                     ServiceOptions options, ServiceCallbacks callbacks)
    : loop_(loop),
      resolver_(resolver),
      host_(host),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      schedule_(options_.budget, options_.seed, loop.now()),
      unix_sockets_(
          loop, resolver, host.permits,
          {.application_name = application_name(options_),
           .database = options_.database,
           .directories = options_.socket_directories},
          {.hang_up = [this](auto connection) { hang_up(std::move(connection)); },
           .told = [this](const UnixSocketNews& news) { callbacks_.unix_socket_changed(news); }}) {}

ServiceConnection::~ServiceConnection() {
  alive_.reset();
  loop_.cancel(timer_);
  if (dial_ != nullptr) {
    dial_.reset();
    host_.permits.give_back();
  }
  if (connection_ != nullptr) hang_up(std::move(connection_));
}

void ServiceConnection::handle_clients(Clients clients) {
  schedule_.handle_clients(clients, loop_.now());
  tick();
}

void ServiceConnection::handle_refused() {
  schedule_.handle_refused(loop_.now());
  tick();
}

void ServiceConnection::set_guest(bool is_guest) {
  schedule_.set_guest(is_guest);
  tick();
}

void ServiceConnection::find_lost(int pid, std::function<void()> gone) {
  const LostBackends::Gone former = lost_.add(pid, std::move(gone), loop_.now());
  count_lost();
  if (former) former();
  tick();
}

void ServiceConnection::tick() {
  loop_.cancel(std::exchange(timer_, loop::TimerId::None));
  if (is_under_way_) return;
  const bool is_open = connection_ != nullptr;
  const Errand errand = schedule_.next(is_open, loop_.now());
  if (errand != Errand::None) return begin(errand);
  const base::Instant due = schedule_.due(is_open);
  if (due == base::kNever) return;
  timer_ = loop_.call_at(due, [this] {
    timer_ = loop::TimerId::None;
    tick();
  });
}

void ServiceConnection::begin(Errand errand) {
  if (errand == Errand::Close) {
    leave();
    return tick();
  }
  is_under_way_ = true;
  if (connection_ == nullptr && !schedule_.is_guest() && host_.permits.try_take()) return open();
  run(errand);
}

void ServiceConnection::open() {
  dial_ = std::make_unique<Dial>(loop_, resolver_, options_.database, application_name(options_),
                                 [this](auto connection, auto failure) {
                                   dial_.reset();
                                   handle_dialled(std::move(connection), std::move(failure));
                                 });
}

void ServiceConnection::handle_dialled(std::unique_ptr<PostgresConnection> connection,
                                       std::optional<insight::Failure> failure) {
  if (failure) {
    if (connection != nullptr)
      hang_up(std::move(connection));
    else
      host_.permits.give_back();
    return fail(*failure);
  }
  connection_ = std::move(connection);
  connection_->when_lost([this](const insight::Failure& lost) {
    is_under_way_ = false;
    fail(lost);
  });
  const Errand errand = schedule_.next(true, loop_.now());
  if (errand != Errand::None && errand != Errand::Close) return run(errand);
  is_under_way_ = false;
  tick();
}

void ServiceConnection::run(Errand errand) {
  switch (errand) {
    case Errand::Discover: return discover();
    case Errand::Measure: return measure();
    case Errand::FindLost: return find_all_lost();
    case Errand::None:
    case Errand::Close: return;
  }
}

// The errand is under way until its callback has returned: that may call set_guest(), which must
// not begin the same errand again.
void ServiceConnection::discover() {
  ask(callbacks_.discovery(), [this](const Found& found) {
    schedule_.handle_discovered(callbacks_.discovered(found), loop_.now());
    rest();
  });
}

void ServiceConnection::measure() {
  ask({kMeasure, {}}, [this](const Found& found) {
    const Rows& rows = found.rows;
    if (!rows.empty()) callbacks_.measured(parse_count(rows[0][0]));
    schedule_.handle_measured(loop_.now());
    rest();
  });
}

void ServiceConnection::find_all_lost() {
  ask(lost_.question(loop_.now()), [this](const Found& found) {
    schedule_.handle_looked_for_lost(loop_.now());
    const std::vector<LostBackends::Gone> gone = lost_.handle_answer(found.rows);
    count_lost();
    for (const LostBackends::Gone& tell : gone) tell();
    rest();
  });
}

void ServiceConnection::rest() {
  if (connection_ != nullptr && unix_sockets_.is_due(*connection_)) return look_for_unix_socket();
  is_under_way_ = false;
  tick();
}

// No errand is run meanwhile: discovery would take the search's connection for a stranger's.
void ServiceConnection::look_for_unix_socket() {
  connection_->query(UnixSocketSearch::question(), [this](const Answer& answer) {
    const insight::Failure* failure = std::get_if<insight::Failure>(&answer);
    if (failure != nullptr && failure->kind != insight::FailureKind::Statement)
      return fail(insight::Failure(*failure));
    unix_sockets_.begin(answer, [this] {
      is_under_way_ = false;
      tick();
    });
  });
}

void ServiceConnection::count_lost() {
  schedule_.handle_lost(lost_.count());
  callbacks_.lost_counted(lost_.count());
}

void ServiceConnection::ask(const Statement& statement,
                            std::function<void(const Found&)> answered) {
  if (connection_ == nullptr) return borrow(statement, std::move(answered));
  connection_->query(statement, [this, answered = std::move(answered)](const Answer& answer) {
    if (const insight::Failure* failure = std::get_if<insight::Failure>(&answer))
      return fail(insight::Failure(*failure));
    answered({std::get<Rows>(answer), connection_->pid()});
  });
}

void ServiceConnection::borrow(const Statement& statement,
                               std::function<void(const Found&)> answered) {
  host_.borrow.query(statement, [this, answered = std::move(answered),
                                 alive = std::weak_ptr(alive_)](const Loan& loan) {
    if (alive.expired()) return;
    if (const Found* found = std::get_if<Found>(&loan)) return answered(*found);
    if (const insight::Failure* failure = std::get_if<insight::Failure>(&loan))
      return fail(*failure);
    is_under_way_ = false;
    schedule_.handle_crowded_out(loop_.now());
    callbacks_.crowded_out();
    tick();
  });
}

// A statement that was refused says something about our rights, not about the connection; but a
// fresh one after a pause costs little and leaves nothing half done.
void ServiceConnection::fail(const insight::Failure& failure) {
  is_under_way_ = false;
  if (connection_ != nullptr) leave();
  schedule_.handle_failed(insight::is_permanent(failure.kind), loop_.now());
  callbacks_.failed(failure);
  tick();
}

void ServiceConnection::leave() {
  unix_sockets_.handle_left();
  hang_up(std::move(connection_));
}

void ServiceConnection::hang_up(std::unique_ptr<PostgresConnection> connection) {
  const int pid = connection->pid();
  connection->close([this, pid, &loop = loop_, &permits = host_.permits,
                     alive = std::weak_ptr(alive_)](bool is_proven) {
    // Once we are gone nobody can ask the server any more, and the process is about to end.
    if (is_proven || alive.expired()) return permits.give_back();
    if (pid != 0) return find_lost(pid, [&permits] { permits.give_back(); });
    loop.call_after(kHandshakeMax, [&permits] { permits.give_back(); });
  });
}

}  // namespace pgweir::control
