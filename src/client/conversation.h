// Conversation: what is sent to one PostgreSQL and what comes back, by libpq in non-blocking mode,
// so that a deadline and whoever wants to stop it are heeded. It knows nothing of the pool. Source
// of truth: PostgreSQL 15 manual, sections 34.4 (asynchronous) and 34.5 (pipeline mode).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "client/libpq.h"

namespace pgweir::client {

// A deadline that has passed: what is not there yet is not waited for.
inline constexpr base::Instant kAtOnce = base::Instant::min();

// For how long somebody waits.
struct Patience {
  base::Instant deadline = base::kNever;  // By the precise clock.
  int stop = -1;                          // Readable: do not wait any longer. -1: nobody stops it.
  int abort = -1;                         // The same, for everybody.
};

enum class Waited : std::uint8_t {
  Ready,
  TimedOut,
  Stopped,
  Lost,  // The connection is gone; PQerrorMessage says why.
};

// A statement with its parameters, as PQsendQueryParams takes them. Everything is borrowed.
struct Statement {
  const char* text = "";
  std::span<const Oid> types = {};
  std::span<const char* const> values = {};
  std::span<const int> lengths = {};
  std::span<const int> formats = {};
  int result_format = 0;  // 0: text, 1: binary.
  // A result for each row (PGRES_SINGLE_TUPLE), then one without rows. One of those sent together.
  bool comes_by_row = false;
  // Of what is prepared, or is to be by this: then nothing else is done, and no values go.
  const char* name = nullptr;
  bool prepares = false;
  // Whether the user's program may ask for it again; see StatementCache.
  bool may_be_prepared = false;
};

// Statements that make one round trip together, and their results as they come.
class Conversation {
 public:
  // REQUIRES: nothing is under way on the connection, which outlives this.
  explicit Conversation(PGconn* connection) : connection_(connection) {}

  // Once more when all of it has come to its end.
  Waited send(std::span<const Statement> statements, const Patience& patience);
  // The next result; null when all is said. After a statement that failed PostgreSQL skips the
  // others (PGRES_PIPELINE_ABORTED). Lost may come with a result: the server's last words. After
  // TimedOut and Stopped the answer may be on its way still: see drain().
  Waited next(Result& result, const Patience& patience);
  // Of which statement that result was, from 0.
  std::size_t index() const { return index_; }

 private:
  PGconn* const connection_;
  bool is_pipeline_ = false;
  std::size_t index_ = 0;
  std::optional<std::size_t> by_row_;  // The statement that comes so, until it was asked for.
  bool has_ended_ = false;             // The last thing heard was the end of a statement.
};

// One statement and its result; what else it says is read and dropped. After a COPY it is still
// going on.
Waited converse(PGconn* connection, const Statement& statement, const Patience& patience,
                Result& result);

bool is_copy(const PGresult* result);
// Neither an error nor a COPY.
bool has_succeeded(const PGresult* result);

// Brings what is under way to its end and drops what it says. A COPY from the client is failed.
Waited drain(PGconn* connection, const Patience& patience);

// Until all that was given to libpq is on its way.
Waited flush(PGconn* connection, const Patience& patience);
// Until libpq has read something more, or might have.
Waited read_some(PGconn* connection, const Patience& patience);
// Whether something has come that was not taken yet.
bool has_input(const PGconn* connection);
// Takes what has come, and sends what waits to be sent, without waiting. A loss shows in PQstatus;
// what came before it is still to be had.
void receive(PGconn* connection);
// Whether there may be input that the socket does not tell of; it is to be looked for now and then.
bool may_hide_input(PGconn* connection);
inline constexpr base::Duration kHiddenInputPeriod = std::chrono::milliseconds(100);
// Nobody knows what is still to come: the connection is of no more use.
void cut_off(PGconn* connection);

// Waits until the socket is ready for one of these poll() events; zero: until patience ends.
Waited await(PGconn* connection, short events, const Patience& patience);

}  // namespace pgweir::client
