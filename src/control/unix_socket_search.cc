#include "control/unix_socket_search.h"

#include <algorithm>
#include <utility>

namespace pgweir::control {

namespace {

// Health waits meanwhile, and on its own machine a server that lives answers at once.
constexpr base::Duration kPatience = std::chrono::seconds(2);

// A standby has the identifier of its primary, a postmaster's successor that of the former one; the
// time, in microseconds, tells them apart. Epochs look the same in each time zone.
constexpr const char* kIdentity =
    "select system_identifier, "
    "extract(epoch from pg_catalog.pg_postmaster_start_time()) "
    "from pg_catalog.pg_control_system()";

// The same login by way of a socket.
proxy::DatabaseOptions over_socket(proxy::DatabaseOptions database, const std::string& directory,
                                   std::uint16_t port) {
  database.hosts = {{.host = directory, .port = port, .address = {}}};
  database.connect_timeout = kPatience;
  return database;
}

// What says nothing of the socket, and may be otherwise the next time.
bool may_pass(insight::FailureKind kind) {
  return kind == insight::FailureKind::TooMany || kind == insight::FailureKind::StartingUp ||
         kind == insight::FailureKind::Lost || kind == insight::FailureKind::TimedOut;
}

}  // namespace

UnixSocketSearch::UnixSocketSearch(loop::Loop& loop, Resolver& resolver, PermitSource& permits,
                                   UnixSocketSearchOptions options,
                                   UnixSocketSearchCallbacks callbacks)
    : loop_(loop),
      resolver_(resolver),
      permits_(permits),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)) {}

bool UnixSocketSearch::is_due(const PostgresConnection& over_tcp) {
  if (is_given_up_ || !options_.database.may_use_unix_socket()) return false;
  if (!std::exchange(has_looked_, true)) look(over_tcp);
  // Where clients have taken all permits there is another time.
  has_permit_ = !directories_.empty() && permits_.try_take();
  return has_permit_;
}

void UnixSocketSearch::look(const PostgresConnection& over_tcp) {
  const std::optional<LocalPeer> peer = over_tcp.local_peer();
  if (!peer) return;
  server_ = {.address = peer->address, .port = peer->port, .path = {}, .problem = {}};
  directories_ = find_socket_directories(peer->port, options_.directories);
  std::reverse(directories_.begin(), directories_.end());
}

Statement UnixSocketSearch::question() { return {kIdentity, {}}; }

void UnixSocketSearch::begin(const Answer& answer, std::function<void()> done) {
  done_ = std::move(done);
  problem_.clear();
  if (const insight::Failure* failure = std::get_if<insight::Failure>(&answer)) {
    give_up("the server does not say who it is: " + failure->error.context);
  } else if (const Rows& rows = std::get<Rows>(answer); rows.size() == 1) {
    identity_ = rows.front();
    try_next();
  } else {
    give_up("the server does not say who it is");
  }
}

void UnixSocketSearch::try_next() {
  if (directories_.empty()) return problem_.empty() ? finish() : give_up(problem_);
  has_permit_ = has_permit_ || permits_.try_take();
  if (!has_permit_) return finish();
  directory_ = std::move(directories_.back());
  directories_.pop_back();
  dial_ = std::make_unique<Dial>(loop_, resolver_,
                                 over_socket(options_.database, directory_, server_.port),
                                 options_.application_name, [this](auto connection, auto failure) {
                                   dial_.reset();
                                   handle_dialled(std::move(connection), std::move(failure));
                                 });
}

void UnixSocketSearch::handle_dialled(std::unique_ptr<PostgresConnection> connection,
                                      std::optional<insight::Failure> failure) {
  if (failure) {
    if (connection != nullptr) hang_up(std::move(connection));
    return handle_failed(*failure);
  }
  connection_ = std::move(connection);
  connection_->query(question(), [this](const Answer& answer) { handle_answer(answer); });
}

void UnixSocketSearch::handle_answer(const Answer& answer) {
  hang_up(std::move(connection_));
  if (const insight::Failure* failure = std::get_if<insight::Failure>(&answer))
    return handle_failed(*failure);
  const Rows& rows = std::get<Rows>(answer);
  if (rows.size() == 1 && rows.front() == identity_)
    return find(socket_path(directory_, server_.port));
  problem_ = "behind " + socket_path(directory_, server_.port) + " is another server";
  try_next();
}

void UnixSocketSearch::handle_failed(const insight::Failure& failure) {
  if (may_pass(failure.kind)) return finish();
  problem_ = failure.error.context;
  try_next();
}

void UnixSocketSearch::find(std::string path) {
  directories_.clear();
  server_.path = std::move(path);
  callbacks_.told(server_);
  finish();
}

void UnixSocketSearch::give_up(std::string problem) {
  is_given_up_ = true;
  UnixSocketNews news = server_;
  news.problem = std::move(problem);
  callbacks_.told(news);
  finish();
}

void UnixSocketSearch::finish() {
  give_back();
  std::exchange(done_, nullptr)();
}

// With its permit, which comes back when the server's end has been seen.
void UnixSocketSearch::hang_up(std::unique_ptr<PostgresConnection> connection) {
  has_permit_ = false;
  callbacks_.hang_up(std::move(connection));
}

void UnixSocketSearch::give_back() {
  if (std::exchange(has_permit_, false)) permits_.give_back();
}

void UnixSocketSearch::handle_left() {
  abandon();
  directories_.clear();
  has_looked_ = false;
  if (std::exchange(server_.path, {}).empty()) return;
  callbacks_.told(server_);
}

void UnixSocketSearch::abandon() {
  done_ = nullptr;
  dial_.reset();
  if (connection_ != nullptr) hang_up(std::move(connection_));
  give_back();
}

}  // namespace pgweir::control
