// StatementSteps: one call of the user's on a server, answered whole, in steps none of which waits.
// Who waits is its driver: a thread that polls (statement_call.h), or a program's event loop
// (pending.hpp). What brings its results one by one is a StatementRun instead.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/time.h"
#include "client/batch.h"
#include "client/conversation.h"
#include "client/database.h"
#include "client/kept_statement.h"
#include "client/row_limits.h"
#include "client/server.h"
#include "client/statement_error.h"
#include "pgweir/result.hpp"
#include "pgweir/sql.hpp"

namespace pgweir::client {

// Once it is over the server is at rest, or else its connection is cut, and then the error says so.
// Destroyed before, it leaves the server as it is: whoever ends the lease sees what is under way.
class StatementSteps {
 public:
  // REQUIRES: the database and the server outlive what is called here; the destructor asks nothing.
  // rows: takes those of the statement that comes by row, if any; outlives this.
  StatementSteps(Database& database, Server& server, const sql& call, RowCollector* rows);

  // Sends the statements, as far as the socket takes them, with what the server owes its last user
  // ahead. May be over at once. REQUIRES: what they borrow outlives this, unless keep_statements()
  // is called; at most Batch::kOwnMax.
  void begin(std::span<const Statement> statements);
  // What they borrow may go now.
  void keep_statements();
  // Over, with that error, and nothing is sent. Instead of begin().
  void refuse(error_info why) { fail(std::move(why)); }
  // Over, with no results.
  void finish_empty() { state_ = State::Over; }
  // Goes on as far as it can. To be called when the socket is ready for events(), and when
  // look_again_at() has come.
  void step();
  // Nobody waits for the answer any more: PostgreSQL is told to give it up. Goes on until it has,
  // until nothing was heard for two seconds, ten at most. Nothing when it is over.
  void stop();

  bool is_over() const { return state_ == State::Over; }
  // As poll() takes them. Zero: the socket is of no interest.
  short events() const;
  // By the precise clock; kNever: at no time.
  base::Instant look_again_at() const;

  // The results of the statements in their order, nothing in the place of one whose rows were
  // collected; or the error of the first that failed. REQUIRES: is_over(); once.
  result<std::vector<Result>> take();

 private:
  enum class State : std::uint8_t { Answering, Draining, Over };

  void send();
  void send_again();
  void hear();
  void take_in(Result heard, Waited waited);
  void place(Result heard);
  void drain_away();
  void give_up(std::optional<GivenUp> why);
  void fail(error_info info);
  void lose();
  void cut(std::optional<GivenUp> why);
  void finish(bool is_connection_lost);
  error_info explain(bool is_connection_lost) const;
  bool is_cancelling() const { return cancel_over_ != nullptr; }
  bool is_waiting_for_cancel() const;
  PGconn* connection() const { return server_.connection.get(); }

  Database& database_;
  Server& server_;
  const code_location where_;
  RowCollector* const rows_;
  base::Instant deadline_ = base::kNever;  // Of the call, or of its cancel.
  Conversation conversation_;
  State state_ = State::Answering;
  std::array<Statement, Batch::kOwnMax> own_;  // The user's.
  std::size_t count_ = 0;
  std::deque<KeptStatement> kept_;     // What they have borrowed, if that goes.
  std::optional<std::size_t> by_row_;  // Which of them comes so.
  std::optional<Batch> batch_;         // They, and what goes with them.
  bool may_repeat_ = false;            // Once, and nothing they did would be done twice.
  bool repeats_ = false;               // When all has come to its end.
  bool has_unsent_ = false;
  std::vector<Result> results_;
  std::optional<error_info> error_;  // Why there are no results, in the end.
  std::optional<GivenUp> end_;       // Why it was given up; nothing: its rows were too many.
  std::shared_ptr<std::atomic<bool>> cancel_over_;
  base::Instant drain_until_ = base::kNever;
};

}  // namespace pgweir::client
