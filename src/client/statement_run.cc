#include "client/statement_run.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <utility>

#include "client/cancelling.h"
#include "client/clock.h"
#include "client/events.h"
#include "client/statement_error.h"

namespace pgweir::client {
namespace {

// For the answer to a cancel.
constexpr base::Duration kCancelMax = std::chrono::seconds(2);

bool has_succeeded(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE || status == PGRES_COMMAND_OK ||
         status == PGRES_EMPTY_QUERY;
}

// Nobody knows what is still to come: the connection is of no more use.
void cut_off(PGconn* connection) {
  ::shutdown(PQsocket(connection), SHUT_RDWR);
  PQconsumeInput(connection);
}

error_info refuse_late(const code_location& where) {
  return {.kind = error_kind::cancelled,
          .text = "the pool was shut down meanwhile" + at(where),
          .where = where};
}

error_info refuse_busy(const code_location& where) {
  return {.kind = error_kind::value,
          .text =
              "another statement is under way on this connection: read its stream or end its "
              "COPY before the next one, or take another connection" +
              at(where),
          .where = where};
}

error_info too_large(const RowCollector& rows, std::string_view end, const code_location& where) {
  return {.kind = error_kind::result_too_large,
          .text = fmt::format("the statement brought {}, which is too much; {}: bound it by LIMIT, "
                              "read it as a stream, or allow more{}",
                              rows.excess(), end, at(where)),
          .where = where};
}

}  // namespace

StatementRun::StatementRun(Database& database, Server& server, const sql& call)
    : database_(database),
      server_(server),
      where_(call.where()),
      stop_(call.stop()),
      patience_{.stop = stop_.descriptor(), .abort = database.aborted().descriptor()},
      conversation_(server.connection.get()) {
  if (call.timeout()) patience_.deadline = precise_now() + *call.timeout();
}

std::optional<error_info> StatementRun::begin(std::span<const Statement> statements) {
  if (database_.is_of_parent()) return explain_fork(where_);
  if (database_.is_aborted()) return refuse_late(where_);
  const bool is_busy = PQtransactionStatus(connection()) == PQTRANS_ACTIVE ||
                       PQpipelineStatus(connection()) != PQ_PIPELINE_OFF;
  if (is_busy) return refuse_busy(where_);
  std::vector<Statement> all;
  has_rollback_ = std::exchange(server_.must_roll_back, false);
  if (has_rollback_ && expects_copy_) {  // No COPY in a pipeline.
    has_rollback_ = false;
    Result dropped;
    const Waited waited = converse(connection(), {.text = "rollback"}, patience_, dropped);
    if (waited != Waited::Ready) return give_up(waited);
  }
  if (has_rollback_) {
    all.push_back({.text = "rollback"});
    all.insert(all.end(), statements.begin(), statements.end());
    statements = all;
  }
  const Waited waited = conversation_.send(statements, patience_);
  if (waited == Waited::Ready) return std::nullopt;
  return give_up(waited);
}

result<Result> StatementRun::next() {
  while (true) {
    Result heard;
    Waited waited = conversation_.next(heard, patience_);
    if (heard == nullptr) {
      if (waited == Waited::Ready) return heard;
      return give_up(waited);
    }
    const bool is_own = !has_rollback_ || conversation_.index() > 0;
    if (has_succeeded(heard.get())) {
      if (waited != Waited::Ready) return give_up(waited);
      if (is_own) return heard;
      continue;
    }
    if (is_copy(heard.get())) {
      if (expects_copy_) return heard;
      return refuse_copy();
    }
    error_info info = explain_error(heard.get(), where_);
    if (waited == Waited::Ready) waited = drain(connection(), patience_);
    if (waited == Waited::TimedOut || waited == Waited::Stopped) return give_up(waited);
    info.is_connection_lost = waited == Waited::Lost;
    return info;
  }
}

bool StatementRun::abandon() {
  const base::Instant until = precise_now() + kCancelMax;
  if (cancel_and_wait(database_.blocking_work(), connection(), kCancelMax) &&
      drain(connection(), {.deadline = until}) == Waited::Ready) {
    return true;
  }
  cut_off(connection());
  return false;
}

// In a pipeline nobody can tell where it ends.
error_info StatementRun::refuse_copy() {
  const bool is_pipeline = PQpipelineStatus(connection()) != PQ_PIPELINE_OFF;
  if (is_pipeline) cut_off(connection());
  const bool is_lost = is_pipeline || !abandon();
  return {.kind = error_kind::value,
          .text = fmt::format("COPY from or to the client is no query, it is copy_from() and "
                              "copy_to(){}{}",
                              is_lost ? "; the connection was cut" : "", at(where_)),
          .is_connection_lost = is_lost,
          .where = where_};
}

error_info StatementRun::give_up(Waited waited) {
  if (waited == Waited::Lost) {
    error_info info = explain_loss(connection(), where_);
    cut_off(connection());
    return info;
  }
  const bool is_late = waited == Waited::TimedOut;
  error_info info{.kind = error_kind::cancelled,
                  .text = is_late                  ? "the statement took longer than it may"
                          : database_.is_aborted() ? "the pool was shut down meanwhile"
                                                   : "it was stopped",
                  .sqlstate = sqlstate::query_canceled,
                  .where = where_};
  info.is_connection_lost = !abandon();
  info.text += info.is_connection_lost ? "; PostgreSQL did not answer, and the connection was cut"
                                       : "; PostgreSQL was told to give it up";
  info.text += at(where_);
  return info;
}

result<std::vector<Result>> run_statements(Database& database, Server& server,
                                           std::span<const Statement> statements, const sql& call,
                                           RowCollector* rows) {
  StatementRun run(database, server, call);
  if (auto failed = run.begin(statements)) return std::move(*failed);
  std::vector<Result> results;
  results.reserve(statements.size());
  while (true) {
    auto next = run.next();
    if (!next) return std::move(next).error();
    if (*next == nullptr) break;
    const bool is_new = run.index() == results.size();
    if (rows == nullptr || !statements[run.index()].comes_by_row) {
      if (is_new) results.push_back(std::move(*next));
      continue;
    }
    if (is_new) results.emplace_back();
    rows->add(std::move(*next));
    if (!rows->is_too_large() || run.index() + 1 < statements.size()) continue;
    const bool is_at_rest = run.abandon();
    error_info info = too_large(
        *rows, is_at_rest ? "PostgreSQL was told to give it up" : "the connection was cut",
        call.where());
    info.is_connection_lost = !is_at_rest;
    return info;
  }
  if (results.size() != statements.size()) return run.give_up(Waited::Lost);
  return results;
}

result<rows> take_rows(Database& database, Result whole, RowCollector& collected, const sql& call) {
  if (collected.is_too_large()) return too_large(collected, "nobody has it", call.where());
  if (whole == nullptr) whole = collected.take();
  if (whole == nullptr) {
    return error_info{.kind = error_kind::result_too_large,
                      .text = "no memory is left for the result" + at(call.where()),
                      .where = call.where()};
  }
  rows result = rows::adopt(whole.release());
  const config::LibraryOptions& options = database.settings().library;
  // Who has said how many there may be has thought about it.
  const bool is_meant = call.max_rows().has_value() || options.row_count_max != 0;
  if (!is_meant && options.row_count_warned != 0 && result.size() > options.row_count_warned) {
    database.log().event(kManyRows,
                         {obs::kv("at", text_of(call.where())), obs::kv("rows", result.size())});
  }
  return result;
}

}  // namespace pgweir::client
