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

// For how long somebody waits.
struct Patience {
  base::Instant deadline = base::kNever;  // By the precise clock.
  int stop = -1;                          // Readable: do not wait any longer. -1: nobody stops it.
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
};

// One result per statement, in their order; after one that failed PostgreSQL skips the others
// (PGRES_PIPELINE_ABORTED).
struct Replies {
  Waited waited = Waited::Ready;
  std::vector<Result> results;  // As many as have come.
};

// Has PostgreSQL carry out the statements, which make one round trip together, and waits for the
// answers. After anything but Ready an answer may be on its way still: see drain().
// REQUIRES: nothing is under way on this connection.
Replies converse(PGconn* connection, std::span<const Statement> statements,
                 const Patience& patience);

// The first result of a statement; what a text of several says after that is read and dropped.
// After a COPY it is still going on.
Waited converse(PGconn* connection, const Statement& statement, const Patience& patience,
                Result& result);

bool is_copy(const PGresult* result);

// Reads what is under way to its end, and drops it.
Waited drain(PGconn* connection, const Patience& patience);

// Waits until the socket is ready for one of these poll() events.
Waited await(PGconn* connection, short events, const Patience& patience);

}  // namespace pgweir::client
