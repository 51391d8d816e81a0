// The kinds of work that a client of the load does over and over, as steps that are sent one by
// one. Every answer carries a token that only this client can expect at this moment, so that an
// answer meant for somebody else is noticed. The tables are made by promise_test.py.
#pragma once

#include <libpq-fe.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::load {

enum class Kind : std::uint8_t {
  Simple,       // One simple query.
  Prepared,     // A prepared statement, made once per connection.
  Transaction,  // BEGIN, UPDATE, SELECT, COMMIT.
  Copy,         // COPY in, then COPY out.
  Connect,      // Connect, one query, disconnect.
};
inline constexpr std::array kKinds{Kind::Simple, Kind::Prepared, Kind::Transaction, Kind::Copy,
                                   Kind::Connect};
inline constexpr std::size_t kKindCount = kKinds.size();

std::string_view name_of(Kind kind);

// Where a client stands: which operation it is and how far.
struct Progress {
  Kind kind = Kind::Simple;
  std::size_t client = 0;
  std::uint64_t turn = 0;    // Counts operations of this client.
  unsigned step = 0;         // Within the operation.
  bool is_prepared = false;  // Prepared: the statement was made on this connection.
};

enum class Sent : std::uint8_t { Yes, NothingLeft, Failed };

// Sends the current step. NothingLeft: the operation is complete.
Sent send_step(PGconn* connection, const Progress& progress);

// The token that the current step's only row has to hold, or nullopt where any answer will do.
std::optional<std::string> expected_token(const Progress& progress);

// The rows of COPY in.
std::string copy_rows(const Progress& progress);
inline constexpr int kCopyOutRows = 200;

}  // namespace pgweir::load
