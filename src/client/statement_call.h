// StatementCall: one statement of the user's, with the BEGIN and the COMMIT that make one round
// trip with it, from its parameters to its rows. It may be waited for here, by this thread, or be
// brought on in steps by whoever has an event loop.
#pragma once

#include <cstddef>
#include <vector>

#include "client/row_limits.h"
#include "client/spelled_statement.h"
#include "client/statement_steps.h"
#include "pgweir/result.hpp"
#include "pgweir/rows.hpp"
#include "pgweir/sql.hpp"

namespace pgweir::client {

class StatementCall {
 public:
  // REQUIRES: as of StatementSteps.
  StatementCall(Database& database, Server& server, const sql& call);
  StatementCall(const StatementCall&) = delete;
  StatementCall& operator=(const StatementCall&) = delete;

  // Sends it. begin: the text that goes ahead of it, or nullptr. REQUIRES: what is borrowed
  // outlives this, unless keep_statements() is called.
  void begin(const Statement& statement, const char* begin, bool commits);
  // Only the first rows, and whether there are more.
  void begin_page(Statement statement, std::size_t size);
  void begin_commit();
  // What was borrowed may go now, but for the call's stop token.
  void keep_statements() { steps_.keep_statements(); }
  // Nothing is sent, and there are no rows.
  void begin_nothing() { steps_.finish_empty(); }
  // Without sending anything.
  void refuse(error_info why) { steps_.refuse(std::move(why)); }

  // Until it is over. `stop` ends it, and so does the end of the pool.
  void wait(const std::stop_token& stop);
  StatementSteps& steps() { return steps_; }
  const StatementSteps& steps() const { return steps_; }

  // The statement's own rows. Errors: also result_too_large and, with COMMIT, outcome_unknown. More
  // rows than the pool warns of are reported, unless somebody has said how many there may be.
  // REQUIRES: it is over; once.
  result<rows> take();
  // Of begin_page().
  bool has_more() const { return rows_.has_more(); }

 private:
  result<rows> adopt_rows(Result whole);

  Database& database_;
  Server& server_;
  const code_location where_;
  const bool is_bounded_by_call_;
  RowCollector rows_;
  StatementSteps steps_;
  std::size_t own_ = 0;  // Which of the results is the statement's.
  bool commits_ = false;
};

}  // namespace pgweir::client
