// StatementRun: one call of the user's on a server whose results are had one by one, by a thread
// that waits for each: within its time, with whatever it may be ended by, and with an error that
// says what PostgreSQL said and where the program asked. What is answered whole is a StatementCall.
#pragma once

#include <optional>
#include <span>

#include "client/conversation.h"
#include "client/database.h"
#include "client/server.h"
#include "client/stop_sign.h"
#include "pgweir/result.hpp"
#include "pgweir/sql.hpp"

namespace pgweir::client {

// After an error, and after the null result that ends it, the server is at rest, or else its
// connection is cut, and then the error says so.
class StatementRun {
 public:
  // REQUIRES: the database and the server outlive this.
  StatementRun(Database& database, Server& server, const sql& call);

  // Sends the statements. What the server owes its last user goes ahead of them.
  std::optional<error_info> begin(std::span<const Statement> statements);
  // The next result; null: all is said.
  result<Result> next();
  // A result may be the beginning of a COPY, which the caller goes on with. Before begin().
  void expect_copy() { expects_copy_ = true; }
  // Of which of the statements that result was, from 0.
  std::size_t index() const { return conversation_.index() - (has_rollback_ ? 1 : 0); }

  // Nobody wants the rest: PostgreSQL is told to give it up. False: it did not answer, and the
  // connection is cut.
  bool abandon();
  // What a Waited that is not Ready means; the server is brought to rest.
  error_info give_up(Waited waited);

  const code_location& where() const { return where_; }
  const Patience& patience() const { return patience_; }
  PGconn* connection() const { return server_.connection.get(); }

 private:
  error_info refuse_copy();

  Database& database_;
  Server& server_;
  const code_location where_;
  const StopSign stop_;
  Patience patience_;
  Conversation conversation_;
  bool has_rollback_ = false;
  bool expects_copy_ = false;
};

}  // namespace pgweir::client
