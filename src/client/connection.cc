#include "pgweir/connection.hpp"

#include "client/spelled_statement.h"
#include "client/statement_run.h"
#include "pgweir/lease.hpp"

namespace pgweir {
inline namespace v1 {

result<rows> connection::run(const sql& statement, const parameter_view& values) {
  const client::SpelledStatement spelled(statement, values);
  if (auto mistake = spelled.mistake()) return std::move(*mistake);
  const client::Statement one = spelled.statement();
  auto results = client::run_statements(*database_, *server_, {&one, 1}, statement);
  if (!results) return std::move(results).error();
  return client::check_size(*database_, rows::adopt(results->front().release()), statement);
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

}  // namespace v1
}  // namespace pgweir
