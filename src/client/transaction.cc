#include "pgweir/transaction.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "client/clock.h"
#include "client/row_stream.h"
#include "client/spelled_statement.h"
#include "client/statement_call.h"
#include "pgweir/pending.hpp"

namespace pgweir {
inline namespace v1 {
namespace {

using client::Statement;

constexpr unsigned kAttemptsWhereConflictsAreNormal = 5;
constexpr base::Duration kRetryPauseMin = std::chrono::milliseconds(2);
constexpr base::Duration kRetryPauseMax = std::chrono::milliseconds(500);

std::string_view text_of(isolation level) {
  switch (level) {
    case isolation::server_default: return "";
    case isolation::read_committed: return " isolation level read committed";
    case isolation::repeatable_read: return " isolation level repeatable read";
    case isolation::serializable: return " isolation level serializable";
  }
  return "";
}

std::string_view text_of(access_mode mode) {
  switch (mode) {
    case access_mode::server_default: return "";
    case access_mode::read_write: return " read write";
    case access_mode::read_only: return " read only";
  }
  return "";
}

std::string begin_of(const transaction_options& options) {
  std::string text = "begin";
  text += text_of(options.level);
  text += text_of(options.mode);
  if (options.is_deferrable) text += " deferrable";
  return text;
}

error_info over(const code_location& where) {
  return {.kind = error_kind::value,
          .text = "this transaction has been committed or rolled back already",
          .where = where};
}

}  // namespace

std::optional<std::chrono::nanoseconds> transaction_options::pause_after(const error_info& failed,
                                                                         unsigned attempt) const {
  const bool are_normal = level == isolation::serializable || level == isolation::repeatable_read;
  const unsigned attempt_max = attempts.value_or(are_normal ? kAttemptsWhereConflictsAreNormal : 1);
  const bool may_have_happened = failed.outcome == transaction_outcome::unknown;
  if (!failed.is_retryable() || may_have_happened || attempt >= attempt_max) return std::nullopt;
  // Full jitter: who collided once shall not do so again.
  base::Rng rng(static_cast<std::uint64_t>(client::precise_now().time_since_epoch().count()));
  const base::Duration longest =
      std::min(kRetryPauseMax, kRetryPauseMin * (1 << std::min(attempt, 8U)));
  return base::Duration(
      static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(longest.count()))));
}

transaction::transaction(connection& in, const transaction_options& options)
    : connection_(in), begin_(begin_of(options)) {}

// Whoever uses the server next has the ROLLBACK sent ahead.
transaction::~transaction() {
  if (state_ == state::begun) connection_.server_->must_roll_back = true;
}

result<rows> transaction::run(const sql& statement, const parameter_view& values, ending how) {
  client::StatementCall call(*connection_.database_, *connection_.server_, statement);
  const client::SpelledStatement spelled(statement, values);
  begin(call, spelled, statement.where(), how);
  call.wait(statement.stop());
  return call.take();
}

pending_rows transaction::begin_run(const sql& statement, const parameter_view& values,
                                    ending how) {
  pending_rows pending(*connection_.database_, *connection_.server_, statement);
  const client::SpelledStatement spelled(statement, values);
  begin(*pending.call_, spelled, statement.where(), how);
  pending.call_->keep_statements();
  return pending;
}

pending_rows transaction::begin_commit(code_location where) {
  pending_rows pending(*connection_.database_, *connection_.server_, sql("commit", where));
  if (!begin_ending(*pending.call_, where)) pending.call_->begin_nothing();
  return pending;
}

pending_rows transaction::begin_rollback(code_location where) {
  pending_rows pending(*connection_.database_, *connection_.server_, sql("rollback", where));
  if (state_ == state::over) {
    pending.call_->refuse(over(where));
  } else if (std::exchange(state_, state::over) == state::unbegun) {
    pending.call_->begin_nothing();
  } else {
    pending.call_->begin({.text = "rollback"}, nullptr, false);
  }
  return pending;
}

void transaction::begin(client::StatementCall& call, const client::SpelledStatement& spelled,
                        const code_location& where, ending how) {
  if (state_ == state::over) return call.refuse(over(where));
  if (auto mistake = spelled.mistake()) return call.refuse(std::move(*mistake));
  const char* const ahead = state_ == state::unbegun ? begin_.c_str() : nullptr;
  state_ = how == ending::commit ? state::over : state::begun;
  call.begin(spelled.statement(), ahead, how == ending::commit);
}

row_stream transaction::open_stream(const sql& statement, const parameter_view& values) {
  if (state_ == state::over) throw_error(over(statement.where()));
  const client::SpelledStatement spelled(statement, values);
  if (auto mistake = spelled.mistake()) throw_error(std::move(*mistake));
  std::vector<Statement> statements;
  if (state_ == state::unbegun) statements.push_back({.text = begin_.c_str()});
  statements.push_back(spelled.statement());
  state_ = state::begun;
  return client::open_stream(*connection_.database_, *connection_.server_, statements, statement)
      .value();
}

void transaction::begin_by_itself(const code_location& where) {
  if (state_ == state::over) throw_error(over(where));
  if (state_ == state::begun) return;
  run_command(begin_, where);
  state_ = state::begun;
}

copy_in transaction::copy_from(const sql& statement) {
  begin_by_itself(statement.where());
  return connection_.copy_from(statement);
}

copy_out transaction::copy_to(const sql& statement) {
  begin_by_itself(statement.where());
  return connection_.copy_to(statement);
}

result<bool> transaction::try_commit(code_location where) {
  client::StatementCall call(*connection_.database_, *connection_.server_, sql("commit", where));
  if (!begin_ending(call, where)) return true;
  call.wait({});
  auto answer = call.take();
  if (!answer) return std::move(answer).error();
  return true;
}

bool transaction::begin_ending(client::StatementCall& call, const code_location& where) {
  if (state_ == state::over) {
    call.refuse(over(where));
    return true;
  }
  if (std::exchange(state_, state::over) == state::unbegun) return false;
  call.begin_commit();
  return true;
}

void transaction::rollback(code_location where) {
  if (state_ == state::over) throw_error(over(where));
  if (std::exchange(state_, state::over) == state::unbegun) return;
  run_command("rollback", where);
}

void transaction::run_command(const std::string& text, const code_location& where) {
  client::StatementCall call(*connection_.database_, *connection_.server_, sql(text, where));
  call.begin({.text = text.c_str()}, nullptr, false);
  call.wait({});
  static_cast<void>(call.take().value());
}

transaction::savepoint::savepoint(transaction& in, code_location where)
    : transaction_(in), where_(where), name_("pgweir_" + std::to_string(++in.savepoint_count_)) {
  const std::string text = "savepoint " + name_;
  transaction_.query(sql(text, where));
  is_set_ = true;
}

void transaction::savepoint::release() {
  const std::string text = "release savepoint " + name_;
  is_set_ = false;
  transaction_.query(sql(text, where_));
}

// Left by an exception: that one says what was wrong, and goes on.
transaction::savepoint::~savepoint() {
  if (!is_set_ || !transaction_.is_open()) return;
  const std::string text = "rollback to savepoint " + name_;
  static_cast<void>(transaction_.try_query(sql(text, where_)));
}

}  // namespace v1
}  // namespace pgweir
