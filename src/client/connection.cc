#include "pgweir/connection.hpp"

#include <string>

#include "client/copy_run.h"
#include "client/row_stream.h"
#include "client/spelled_statement.h"
#include "client/statement_call.h"
#include "pgweir/lease.hpp"
#include "pgweir/pending.hpp"

namespace pgweir {
inline namespace v1 {

result<rows> connection::run(const sql& statement, const parameter_view& values) {
  client::StatementCall call(*database_, *server_, statement);
  const client::SpelledStatement spelled(statement, values);
  begin(call, spelled);
  call.wait(statement.stop());
  return call.take();
}

pending_rows connection::begin_run(const sql& statement, const parameter_view& values) {
  pending_rows pending(*database_, *server_, statement);
  const client::SpelledStatement spelled(statement, values);
  begin(*pending.call_, spelled);
  pending.call_->keep_statements();
  return pending;
}

void connection::begin(client::StatementCall& call, const client::SpelledStatement& spelled) {
  if (auto mistake = spelled.mistake()) return call.refuse(std::move(*mistake));
  call.begin(spelled.statement(), nullptr, false);
}

result<page> connection::run_page(const sql& statement, std::size_t size,
                                  const parameter_view& values) {
  if (size == 0) {
    return error_info{.kind = error_kind::value,
                      .text = "a page of no rows was asked for" + client::at(statement.where()),
                      .where = statement.where()};
  }
  const client::SpelledStatement spelled(statement, values);
  if (auto mistake = spelled.mistake()) return std::move(*mistake);
  std::string text(statement.text());
  text.erase(text.find_last_not_of("; \t\r\n") + 1);
  text += "\nlimit " + std::to_string(size + 1);  // A comment may be in the last line.
  client::Statement one = spelled.statement();
  one.text = text.c_str();
  client::StatementCall call(*database_, *server_, statement);
  call.begin_page(one, size);
  call.wait(statement.stop());
  auto items = call.take();
  if (!items) return std::move(items).error();
  return page{.items = std::move(*items), .has_more = call.has_more()};
}

row_stream connection::open_stream(const sql& statement, const parameter_view& values) {
  const client::SpelledStatement spelled(statement, values);
  if (auto mistake = spelled.mistake()) throw_error(std::move(*mistake));
  const client::Statement one = spelled.statement();
  return client::open_stream(*database_, *server_, {&one, 1}, statement).value();
}

copy_in connection::copy_from(const sql& statement) {
  const client::SpelledStatement spelled(statement, {});
  if (auto mistake = spelled.mistake()) throw_error(std::move(*mistake));
  return client::CopyRun::begin_in(*database_, *server_, spelled.statement(), statement).value();
}

copy_out connection::copy_to(const sql& statement) {
  const client::SpelledStatement spelled(statement, {});
  if (auto mistake = spelled.mistake()) throw_error(std::move(*mistake));
  return client::CopyRun::begin_out(*database_, *server_, spelled.statement(), statement).value();
}

pg_conn* connection::native_handle() noexcept {
  server_->is_touched = true;
  return server_->connection.get();
}

int connection::backend_pid() const noexcept { return PQbackendPID(server_->connection.get()); }

void connection_lease::give_back() noexcept {
  connection_.database_->give_back(*connection_.server_);
}

void connection_lease::give_up() noexcept { connection_.database_->discard(*connection_.server_); }

void connection_lease::disown() noexcept {
  static_cast<void>(connection_.server_->connection.release());
  discard();
}

}  // namespace v1
}  // namespace pgweir
