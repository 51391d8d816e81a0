#include "client/conversation.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "client/clock.h"

namespace pgweir::client {
namespace {

int milliseconds_until(base::Instant deadline) {
  if (deadline == base::kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - precise_now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

// Of either direction, as drain() does it.
Waited end_copy(PGconn* connection, const Patience& patience, const PGresult* begun) {
  if (PQresultStatus(begun) == PGRES_COPY_IN) {
    PQputCopyEnd(connection, "the program has given it up");
    return flush(connection, patience);
  }
  while (true) {
    char* row = nullptr;
    const int length = PQgetCopyData(connection, &row, 1);
    if (length > 0) PQfreemem(row);
    if (length < 0) return Waited::Ready;
    const Waited waited = length == 0 ? read_some(connection, patience) : Waited::Ready;
    if (waited != Waited::Ready) return waited;
    if (PQstatus(connection) == CONNECTION_BAD) return Waited::Lost;
  }
}

Waited next_result(PGconn* connection, const Patience& patience, Result& result) {
  while (PQisBusy(connection) != 0) {
    const Waited waited = read_some(connection, patience);
    if (waited != Waited::Ready) return waited;
    if (PQstatus(connection) == CONNECTION_BAD) break;
  }
  result.reset(PQgetResult(connection));
  return Waited::Ready;
}

bool send(PGconn* connection, const Statement& statement) {
  const int count = static_cast<int>(statement.values.size());
  if (statement.prepares) {
    return PQsendPrepare(connection, statement.name, statement.text, count,
                         statement.types.data()) == 1;
  }
  if (statement.name != nullptr) {
    return PQsendQueryPrepared(connection, statement.name, count, statement.values.data(),
                               statement.lengths.data(), statement.formats.data(),
                               statement.result_format) == 1;
  }
  return PQsendQueryParams(connection, statement.text, count, statement.types.data(),
                           statement.values.data(), statement.lengths.data(),
                           statement.formats.data(), statement.result_format) == 1;
}

}  // namespace

bool is_copy(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

bool has_succeeded(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE || status == PGRES_COMMAND_OK ||
         status == PGRES_EMPTY_QUERY;
}

// PQconsumeInput leaves in OpenSSL what it has no room for of a TLS record (seen with libpq 15),
// and no socket tells of that. PostgreSQL and pgweir send no records so long; other poolers do.
bool may_hide_input(PGconn* connection) { return PQsslInUse(connection) != 0; }

bool has_input(const PGconn* connection) {
  int waiting = 0;
  return ::ioctl(PQsocket(connection), FIONREAD, &waiting) == 0 && waiting > 0;
}

void receive(PGconn* connection) {
  PQconsumeInput(connection);
  if (may_hide_input(connection)) PQconsumeInput(connection);
}

void cut_off(PGconn* connection) {
  ::shutdown(PQsocket(connection), SHUT_RDWR);
  PQconsumeInput(connection);
}

Waited await(PGconn* connection, short events, const Patience& patience) {
  if (patience.deadline == kAtOnce) return Waited::TimedOut;
  const int socket = events == 0 ? -1 : PQsocket(connection);
  if (events != 0 && socket < 0) return Waited::Lost;
  // poll() passes over descriptors that are negative.
  std::array<pollfd, 3> polled{{{.fd = socket, .events = events, .revents = 0},
                                {.fd = patience.stop, .events = POLLIN, .revents = 0},
                                {.fd = patience.abort, .events = POLLIN, .revents = 0}}};
  while (true) {
    const int ready = ::poll(polled.data(), polled.size(), milliseconds_until(patience.deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (polled[0].revents != 0) return Waited::Ready;
    if (polled[1].revents != 0 || polled[2].revents != 0) return Waited::Stopped;
    if (patience.deadline <= precise_now()) return Waited::TimedOut;
  }
}

Waited read_some(PGconn* connection, const Patience& patience) {
  Patience before_looking = patience;
  const bool looks = may_hide_input(connection);
  if (looks) {
    before_looking.deadline = std::min(patience.deadline, precise_now() + kHiddenInputPeriod);
  }
  const Waited waited = await(connection, POLLIN, before_looking);
  const bool is_look = waited == Waited::TimedOut && before_looking.deadline < patience.deadline;
  if (waited != Waited::Ready && !is_look) return waited;
  receive(connection);
  return Waited::Ready;
}

Waited flush(PGconn* connection, const Patience& patience) {
  while (true) {
    switch (PQflush(connection)) {
      case 0: return Waited::Ready;
      case 1: break;
      // A FATAL may say why it was lost, and PQgetResult has it then.
      default: return Waited::Ready;
    }
    const Waited waited = await(connection, POLLIN | POLLOUT, patience);
    if (waited != Waited::Ready) return waited;
    // A server that cannot write does not read either.
    PQconsumeInput(connection);
  }
}

Waited Conversation::send(std::span<const Statement> statements, const Patience& patience) {
  is_pipeline_ = statements.size() > 1;
  index_ = 0;
  by_row_.reset();
  has_ended_ = false;
  if (is_pipeline_ && PQenterPipelineMode(connection_) != 1) return Waited::Lost;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (!client::send(connection_, statements[i])) return Waited::Lost;
    if (statements[i].comes_by_row) by_row_ = i;
  }
  if (is_pipeline_) PQpipelineSync(connection_);
  return flush(connection_, patience);
}

Waited Conversation::next(Result& result, const Patience& patience) {
  while (true) {
    // Before the first result of the statement; it holds for that one only.
    if (by_row_ == index_) {
      PQsetSingleRowMode(connection_);
      by_row_.reset();
    }
    const Waited waited = next_result(connection_, patience, result);
    if (waited != Waited::Ready) return waited;
    if (PQstatus(connection_) == CONNECTION_BAD) return Waited::Lost;
    if (result != nullptr && PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      result.reset();
      PQexitPipelineMode(connection_);
      return Waited::Ready;
    }
    if (result != nullptr) {
      has_ended_ = false;
      return Waited::Ready;
    }
    if (!is_pipeline_) return Waited::Ready;
    // Each statement of a pipeline ends with a null result, all of them with a sync. Twice in a
    // row: libpq expects nothing more.
    if (std::exchange(has_ended_, true)) return Waited::Lost;
    ++index_;
  }
}

Waited converse(PGconn* connection, const Statement& statement, const Patience& patience,
                Result& result) {
  Conversation conversation(connection);
  Waited waited = conversation.send({&statement, 1}, patience);
  if (waited == Waited::Ready) waited = conversation.next(result, patience);
  if (waited == Waited::Ready && result && !is_copy(result.get())) {
    waited = drain(connection, patience);
  }
  return PQstatus(connection) == CONNECTION_BAD ? Waited::Lost : waited;
}

Waited drain(PGconn* connection, const Patience& patience) {
  const bool is_pipeline = PQpipelineStatus(connection) != PQ_PIPELINE_OFF;
  for (int nulls = 0; nulls < 2;) {
    Result dropped;
    Waited waited = next_result(connection, patience, dropped);
    if (waited != Waited::Ready) return waited;
    if (PQstatus(connection) == CONNECTION_BAD) return Waited::Lost;
    if (dropped == nullptr && !is_pipeline) return Waited::Ready;
    nulls = dropped == nullptr ? nulls + 1 : 0;
    if (dropped == nullptr) continue;
    if (is_copy(dropped.get())) waited = end_copy(connection, patience, dropped.get());
    if (waited != Waited::Ready) return waited;
    if (PQresultStatus(dropped.get()) != PGRES_PIPELINE_SYNC) continue;
    PQexitPipelineMode(connection);
    return Waited::Ready;
  }
  return Waited::Lost;
}

}  // namespace pgweir::client
