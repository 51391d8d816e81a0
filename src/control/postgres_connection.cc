#include "control/postgres_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <utility>

#include "loop/farewell.h"

namespace pgweir::control {

namespace {

// How long the server's end is waited for (proxy::Options::server_close_timeout's default).
constexpr base::Duration kPatience = std::chrono::seconds(10);

PGconn* start(const config::ConnectionParameters& parameters) {
  const config::SpelledParameters spelled(parameters);
  return PQconnectStartParams(spelled.keywords(), spelled.values(), 0);
}

Rows read_rows(const PGresult* result) {
  Rows rows(static_cast<std::size_t>(PQntuples(result)));
  const int columns = PQnfields(result);
  for (int r = 0; r < PQntuples(result); ++r) {
    Row& row = rows[static_cast<std::size_t>(r)];
    for (int c = 0; c < columns; ++c) {
      if (PQgetisnull(result, r, c) != 0)
        row.emplace_back(std::nullopt);
      else
        row.emplace_back(std::string(PQgetvalue(result, r, c),
                                     static_cast<std::size_t>(PQgetlength(result, r, c))));
    }
  }
  return rows;
}

Answer read_answer(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return read_rows(result);
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return insight::explain_statement_failure(
      sqlstate == nullptr ? "" : sqlstate,
      primary == nullptr ? PQresultErrorMessage(result) : primary);
}

// Whether two descriptors are the same socket; libpq reuses numbers from attempt to attempt.
bool is_same_socket(int one, int other) {
  struct stat a {};
  struct stat b {};
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_ino == b.st_ino;
}

// Who talks to its own machine does so from the address that it talks to, or over the loopback.
bool is_on_this_machine(int descriptor) {
  sockaddr_storage own{};
  sockaddr_storage other{};
  socklen_t own_size = sizeof own;
  socklen_t other_size = sizeof other;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &own_size) != 0) return false;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&other), &other_size) != 0) return false;
  if (own.ss_family != other.ss_family) return false;
  if (own.ss_family == AF_INET) {
    const in_addr at = reinterpret_cast<const sockaddr_in&>(other).sin_addr;
    return ntohl(at.s_addr) >> 24U == IN_LOOPBACKNET ||
           at.s_addr == reinterpret_cast<const sockaddr_in&>(own).sin_addr.s_addr;
  }
  if (own.ss_family != AF_INET6) return false;
  return std::memcmp(&reinterpret_cast<const sockaddr_in6&>(own).sin6_addr,
                     &reinterpret_cast<const sockaddr_in6&>(other).sin6_addr,
                     sizeof(in6_addr)) == 0;
}

bool has_peer(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

}  // namespace

void PostgresConnection::connect(config::ConnectionParameters parameters, Connected connected) {
  ASSERT(state_ == State::Closed && connection_ == nullptr);
  parameters_ = std::move(parameters);
  connected_ = std::move(connected);
  state_ = State::Connecting;
  if (parameters_.time_max > base::Duration::zero())
    timer_ = loop_.call_after(parameters_.time_max, [this] {
      timer_ = loop::TimerId::None;
      fail_connect(insight::make_failure(
          insight::FailureKind::TimedOut,
          "no answer from " + std::string(parameters_.find("host")) + " within connect_timeout"));
    });
  begin();
}

void PostgresConnection::begin() {
  connection_ = start(parameters_);
  if (connection_ != nullptr && PQstatus(connection_) != CONNECTION_BAD) {
    // The only way to learn the SQLSTATE of a refused login is to have it in the text.
    PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(
        connection_, [](void*, const PGresult*) {}, nullptr);
    return watch({.write = true});
  }
  // Told later, as everything is.
  insight::Failure failure =
      connection_ == nullptr
          ? insight::make_failure(insight::FailureKind::Other, "out of memory for a connection")
          : insight::explain_connect_failure(PQerrorMessage(connection_));
  loop_.cancel(timer_);
  timer_ = loop_.call_at(loop_.now(), [this, failure = std::move(failure)] {
    timer_ = loop::TimerId::None;
    fail_connect(failure);
  });
}

void PostgresConnection::step_connect() {
  const PostgresPollingStatusType status = PQconnectPoll(connection_);
  keep_witness();
  switch (status) {
    case PGRES_POLLING_READING: return watch({.read = true});
    case PGRES_POLLING_ACTIVE:
    case PGRES_POLLING_WRITING: return watch({.write = true});
    case PGRES_POLLING_FAILED:
      return fail_connect(insight::explain_connect_failure(PQerrorMessage(connection_)));
    case PGRES_POLLING_OK: break;
  }
  loop_.cancel(std::exchange(timer_, loop::TimerId::None));
  PQsetnonblocking(connection_, 1);
  pid_ = PQbackendPID(connection_);  // libpq forgets it when the connection is lost.
  state_ = State::Idle;
  watch({.read = true});
  std::exchange(connected_, nullptr)(std::nullopt);
}

void PostgresConnection::fail_connect(insight::Failure failure) {
  unwatch();
  if (failure.kind == insight::FailureKind::TlsUnavailable && parameters_.is_plain_if_refused) {
    parameters_.is_plain_if_refused = false;
    for (auto& [key, value] : parameters_.values)
      if (key == "sslmode") value = "disable";
    PQfinish(std::exchange(connection_, nullptr));
    return begin();
  }
  loop_.cancel(std::exchange(timer_, loop::TimerId::None));
  state_ = State::Closed;
  std::exchange(connected_, nullptr)(std::move(failure));
}

void PostgresConnection::query(const Statement& statement, Answered answered) {
  ASSERT(is_idle());
  std::vector<const char*> values;
  for (const std::string& parameter : statement.parameters) values.push_back(parameter.c_str());
  state_ = State::Busy;
  answered_ = std::move(answered);
  answer_.reset();
  timer_ = loop_.call_after(statement.time_max, [this] {
    timer_ = loop::TimerId::None;
    unwatch();
    state_ = State::Closed;
    std::exchange(answered_, nullptr)(insight::make_failure(
        insight::FailureKind::TimedOut, "the server did not answer a statement in time"));
  });
  unwatch();
  // A failure to send shows when the results are read.
  PQsendQueryParams(connection_, statement.text.c_str(), static_cast<int>(values.size()), nullptr,
                    values.data(), nullptr, nullptr, 0);
  watch({.read = true, .write = true});
}

// Each of libpq's calls may close the socket, and epoll keeps a closed descriptor whose duplicate
// (the witness) is open: it would report for ever and could not be removed. So nothing is watched
// while libpq is at work.
void PostgresConnection::handle_ready() {
  unwatch();
  if (state_ == State::Connecting) return step_connect();
  PQflush(connection_);
  const bool has_failed = PQconsumeInput(connection_) == 0;
  if (state_ == State::Busy) return read_results(has_failed);
  while (PGnotify* dropped = PQnotifies(connection_)) PQfreemem(dropped);
  if (has_failed || PQstatus(connection_) == CONNECTION_BAD) return handle_lost();
  watch({.read = true});
}

// has_failed: the socket is gone, so that PQgetResult answers at once although libpq is busy.
void PostgresConnection::read_results(bool has_failed) {
  while (has_failed || PQisBusy(connection_) == 0) {
    PGresult* result = PQgetResult(connection_);
    if (result == nullptr) {
      if (!answer_)
        answer_ = insight::make_failure(insight::FailureKind::Lost,
                                        insight::in_one_line(PQerrorMessage(connection_)));
      return finish_statement(*std::exchange(answer_, std::nullopt));
    }
    // After a FATAL libpq adds a result of its own; the server's words count.
    if (!answer_ || std::holds_alternative<Rows>(*answer_)) answer_ = read_answer(result);
    PQclear(result);
  }
  watch({.read = true, .write = PQflush(connection_) == 1});
}

void PostgresConnection::finish_statement(Answer answer) {
  loop_.cancel(std::exchange(timer_, loop::TimerId::None));
  const bool is_alive = PQstatus(connection_) != CONNECTION_BAD;
  state_ = is_alive ? State::Idle : State::Closed;
  if (is_alive) watch({.read = true});
  std::exchange(answered_, nullptr)(std::move(answer));
}

void PostgresConnection::handle_lost() {
  state_ = State::Closed;
  insight::Failure failure = insight::explain_connect_failure(PQerrorMessage(connection_));
  failure.kind = insight::FailureKind::Lost;
  if (lost_) std::exchange(lost_, nullptr)(std::move(failure));
}

void PostgresConnection::close(Ended ended) {
  ASSERT(state_ != State::Left);
  const int witness = std::exchange(witness_, -1);
  release();
  state_ = State::Left;
  if (witness < 0)
    return void(loop_.call_at(loop_.now(), [ended = std::move(ended)] { ended(true); }));
  loop::await_end(loop_, witness, kPatience, std::move(ended));
}

int PostgresConnection::server_version() const { return PQserverVersion(connection_); }

TlsFacts PostgresConnection::tls() const {
  if (connection_ == nullptr || PQsslInUse(connection_) == 0) return {};
  const char* version = PQsslAttribute(connection_, "protocol");
  const char* cipher = PQsslAttribute(connection_, "cipher");
  return {true, version == nullptr ? "" : version, cipher == nullptr ? "" : cipher};
}

std::optional<LocalPeer> PostgresConnection::local_peer() const {
  if (connection_ == nullptr || !is_on_this_machine(PQsocket(connection_))) return std::nullopt;
  const std::string_view port = PQport(connection_);
  LocalPeer peer{PQhostaddr(connection_), 0};
  std::from_chars(port.data(), port.data() + port.size(), peer.port);
  return peer;
}

void PostgresConnection::watch(loop::Interest interest) {
  watched_ = PQsocket(connection_);
  if (watched_ >= 0) loop_.watch(watched_, interest, [this](loop::Interest) { handle_ready(); });
}

void PostgresConnection::unwatch() {
  if (watched_ >= 0) loop_.forget(std::exchange(watched_, -1));
}

// Keeps the socket open beyond libpq's close(), so that the server's end of it can be seen.
void PostgresConnection::keep_witness() {
  const int socket = PQsocket(connection_);
  if (socket < 0 || !has_peer(socket)) return;
  if (witness_ >= 0 && is_same_socket(witness_, socket)) return;
  if (witness_ >= 0) ::close(witness_);
  witness_ = fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

void PostgresConnection::release() {
  unwatch();
  loop_.cancel(std::exchange(timer_, loop::TimerId::None));
  if (connection_ != nullptr) PQfinish(std::exchange(connection_, nullptr));
  if (witness_ >= 0) ::close(std::exchange(witness_, -1));
  state_ = State::Closed;
}

}  // namespace pgweir::control
