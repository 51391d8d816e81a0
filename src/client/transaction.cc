#include "pgweir/transaction.hpp"

#include <utility>
#include <vector>

#include "client/row_stream.h"
#include "client/spelled_statement.h"
#include "client/statement_run.h"

namespace pgweir {
inline namespace v1 {
namespace {

using client::Result;
using client::Statement;

bool is_at_rest(const client::Server& server) {
  return PQtransactionStatus(server.connection.get()) == PQTRANS_IDLE;
}

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

// COMMIT of a transaction that has failed says ROLLBACK, and is no error to PostgreSQL.
bool has_committed(const Result& result) {
  return std::string_view(PQcmdStatus(result.get())) == "COMMIT";
}

error_info not_committed(const code_location& where) {
  return {.kind = error_kind::server,
          .text = "a statement of this transaction had failed, so nothing of it has happened",
          .sqlstate = sqlstate::in_failed_transaction,
          .outcome = transaction_outcome::rolled_back,
          .where = where};
}

// Of a COMMIT that was sent. Only a transaction that is seen to be still there has not happened.
error_info explain_lost_commit(error_info info, const client::Server& server) {
  const bool is_still_open = PQtransactionStatus(server.connection.get()) == PQTRANS_INERROR;
  info.outcome = transaction_outcome::rolled_back;
  if (is_still_open || (info.kind == error_kind::server && !info.is_connection_lost)) return info;
  info.kind = error_kind::outcome_unknown;
  info.outcome = transaction_outcome::unknown;
  info.text =
      "COMMIT was sent and its answer did not come, so the transaction may have happened "
      "or not: look before you repeat it; " +
      info.text;
  return info;
}

}  // namespace

transaction::transaction(connection& in, const transaction_options& options)
    : connection_(in), begin_(begin_of(options)) {}

// Whoever uses the server next has the ROLLBACK sent ahead.
transaction::~transaction() {
  if (state_ == state::begun) connection_.server_->must_roll_back = true;
}

result<rows> transaction::run(const sql& statement, const parameter_view& values, ending how) {
  if (state_ == state::over) return over(statement.where());
  const client::SpelledStatement spelled(statement, values);
  if (auto mistake = spelled.mistake()) return std::move(*mistake);
  client::Server& server = *connection_.server_;
  std::vector<Statement> statements;
  if (state_ == state::unbegun) statements.push_back({.text = begin_.c_str()});
  const std::size_t own = statements.size();
  client::Database& database = *connection_.database_;
  client::RowCollector collected(client::RowLimits::of(statement, database.settings().library));
  statements.push_back(spelled.statement());
  statements.back().comes_by_row = collected.is_bounded();
  if (how == ending::commit) statements.push_back({.text = "commit"});
  auto results = client::run_statements(database, server, statements, statement, &collected);
  state_ = how == ending::commit ? state::over : state::begun;
  if (how == ending::commit) server.must_roll_back = !is_at_rest(server);
  if (!results) {
    if (how == ending::commit) return explain_lost_commit(std::move(results).error(), server);
    return std::move(results).error();
  }
  if (how == ending::commit && !has_committed(results->back())) {
    return not_committed(statement.where());
  }
  auto brought = client::take_rows(database, std::move((*results)[own]), collected, statement);
  if (!brought && how == ending::commit) {
    brought.error().text += "; the transaction has been committed all the same";
  }
  return brought;
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
  const Statement begin{.text = begin_.c_str()};
  auto results = client::run_statements(*connection_.database_, *connection_.server_, {&begin, 1},
                                        sql(begin_, where));
  if (!results) throw_error(std::move(results).error());
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
  if (state_ == state::over) return over(where);
  if (std::exchange(state_, state::over) == state::unbegun) return true;
  client::Server& server = *connection_.server_;
  const Statement commit{.text = "commit"};
  auto results =
      client::run_statements(*connection_.database_, server, {&commit, 1}, sql("commit", where));
  if (!results) return explain_lost_commit(std::move(results).error(), server);
  if (!has_committed(results->front())) return not_committed(where);
  return true;
}

void transaction::rollback(code_location where) {
  if (state_ == state::over) throw_error(over(where));
  if (std::exchange(state_, state::over) == state::unbegun) return;
  const Statement rollback{.text = "rollback"};
  auto results = client::run_statements(*connection_.database_, *connection_.server_,
                                        {&rollback, 1}, sql("rollback", where));
  if (!results) throw_error(std::move(results).error());
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
