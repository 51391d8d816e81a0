#include "client/statement_run.h"

#include <utility>
#include <vector>

#include "client/cancelling.h"
#include "client/clock.h"
#include "client/statement_error.h"
#include "client/statement_refusal.h"

namespace pgweir::client {
namespace {

// For a cancel, and for reading what was sent before it.
constexpr base::Duration kCancelMax = std::chrono::seconds(2);
constexpr base::Duration kDrainMax = std::chrono::seconds(2);

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
  if (auto refused = refuse_statement(database_, connection(), where_)) return refused;
  database_.report_blocking(where_);
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
  if (cancel_and_wait(database_.blocking_work(), connection(), kCancelMax) &&
      drain(connection(), {.deadline = precise_now() + kDrainMax}) == Waited::Ready) {
    return true;
  }
  cut_off(connection());
  return false;
}

// In a pipeline nobody can tell where it ends.
error_info StatementRun::refuse_copy() {
  const bool is_pipeline = PQpipelineStatus(connection()) != PQ_PIPELINE_OFF;
  if (is_pipeline) cut_off(connection());
  return explain_given_up(GivenUp::Copy, is_pipeline || !abandon(), where_);
}

error_info StatementRun::give_up(Waited waited) {
  if (waited == Waited::Lost) {
    error_info info = explain_loss(connection(), where_);
    cut_off(connection());
    return info;
  }
  const GivenUp why = waited == Waited::TimedOut ? GivenUp::Late
                      : database_.is_aborted()   ? GivenUp::Closed
                                                 : GivenUp::Stopped;
  return explain_given_up(why, !abandon(), where_);
}

}  // namespace pgweir::client
