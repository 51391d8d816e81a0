#include "client/conversation.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "client/clock.h"

namespace pgweir::client {
namespace {

constexpr auto kHiddenInputPeriod = std::chrono::milliseconds(100);

int milliseconds_until(base::Instant deadline) {
  if (deadline == base::kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - precise_now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

// PQconsumeInput leaves in OpenSSL what it has no room for of a TLS record (seen with libpq 15),
// and no socket tells of that. PostgreSQL and pgweir send no records so long; other poolers do.
bool may_hide_input(PGconn* connection) { return PQsslInUse(connection) != 0; }

Waited read_some(PGconn* connection, const Patience& patience) {
  Patience before_looking = patience;
  const bool looks = may_hide_input(connection);
  if (looks) {
    before_looking.deadline = std::min(patience.deadline, precise_now() + kHiddenInputPeriod);
  }
  const Waited waited = await(connection, POLLIN, before_looking);
  const bool is_look = waited == Waited::TimedOut && before_looking.deadline < patience.deadline;
  if (waited != Waited::Ready && !is_look) return waited;
  // What came before the connection was lost is still to be had by PQgetResult.
  PQconsumeInput(connection);
  if (looks) PQconsumeInput(connection);
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
  return PQsendQueryParams(connection, statement.text, static_cast<int>(statement.values.size()),
                           statement.types.data(), statement.values.data(),
                           statement.lengths.data(), statement.formats.data(),
                           statement.result_format) == 1;
}

// The answers to a pipeline: each ends with a null result, all of them with a sync. Two of the
// first kind in a row: libpq expects nothing more.
Waited read_pipeline(PGconn* connection, const Patience& patience, std::vector<Result>& results) {
  for (int nulls = 0; nulls < 2;) {
    Result result;
    const Waited waited = next_result(connection, patience, result);
    if (waited != Waited::Ready) return waited;
    if (PQstatus(connection) == CONNECTION_BAD) {
      if (result) results.push_back(std::move(result));
      return Waited::Lost;
    }
    nulls = result ? 0 : nulls + 1;
    if (!result) continue;
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) return Waited::Ready;
    results.push_back(std::move(result));
  }
  return Waited::Lost;
}

}  // namespace

bool is_copy(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

Waited await(PGconn* connection, short events, const Patience& patience) {
  std::array<pollfd, 2> polled{{{.fd = PQsocket(connection), .events = events, .revents = 0},
                                {.fd = patience.stop, .events = POLLIN, .revents = 0}}};
  if (polled[0].fd < 0) return Waited::Lost;
  while (true) {
    const int ready =
        ::poll(polled.data(), patience.stop < 0 ? 1 : 2, milliseconds_until(patience.deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (polled[0].revents != 0) return Waited::Ready;
    if (polled[1].revents != 0) return Waited::Stopped;
    if (patience.deadline <= precise_now()) return Waited::TimedOut;
  }
}

Replies converse(PGconn* connection, std::span<const Statement> statements,
                 const Patience& patience) {
  Replies replies;
  if (PQenterPipelineMode(connection) != 1) {
    replies.waited = Waited::Lost;
    return replies;
  }
  for (const Statement& statement : statements) send(connection, statement);
  PQpipelineSync(connection);
  replies.waited = flush(connection, patience);
  if (replies.waited == Waited::Ready) {
    replies.waited = read_pipeline(connection, patience, replies.results);
  }
  if (replies.waited == Waited::Ready) PQexitPipelineMode(connection);
  return replies;
}

Waited converse(PGconn* connection, const Statement& statement, const Patience& patience,
                Result& result) {
  if (!send(connection, statement)) return Waited::Lost;
  Waited waited = flush(connection, patience);
  if (waited == Waited::Ready) waited = next_result(connection, patience, result);
  if (waited == Waited::Ready && !is_copy(result.get())) waited = drain(connection, patience);
  return PQstatus(connection) == CONNECTION_BAD ? Waited::Lost : waited;
}

Waited drain(PGconn* connection, const Patience& patience) {
  if (PQpipelineStatus(connection) != PQ_PIPELINE_OFF) {
    std::vector<Result> dropped;
    const Waited waited = read_pipeline(connection, patience, dropped);
    if (waited == Waited::Ready) PQexitPipelineMode(connection);
    return waited;
  }
  while (true) {
    Result dropped;
    const Waited waited = next_result(connection, patience, dropped);
    if (waited != Waited::Ready || !dropped) return waited;
    if (is_copy(dropped.get())) return Waited::Lost;  // It would wait for ever.
  }
}

}  // namespace pgweir::client
