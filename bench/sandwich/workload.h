// Workload: what a client of a sandwich asks over and over, and the bytes that it must hear.
// Each request carries a mark that only one client can expect at that moment, and the canned server
// gives it back, so that an answer for somebody else is noticed.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "copy_data.h"

namespace pgweir::bench {

enum class Kind : std::uint8_t {
  Simple,     // One simple query, one row.
  Prepared,   // Bind, Execute, Sync of one of 20 named statements; all clients have the same texts.
  Parsed,     // Parse, Bind, Describe, Execute, Sync of the unnamed statement.
  Pipelined,  // Ten of Prepared in one send.
  Bulk,       // One simple query, many rows.
  CopyOut,    // As many by COPY …
  CopyIn      // … in either direction.
};

struct Workload {
  Kind kind = Kind::Simple;
  // Of Bulk and COPY.
  std::size_t row_count = 10'000;
  std::size_t row_bytes = 1'000;
};

inline constexpr std::size_t kStatementCount = 20;
inline constexpr std::size_t kPipelineDepth = 10;

// Where a client stands.
struct Progress {
  std::size_t client = 0;
  std::uint64_t turn = 0;                 // Counts its requests.
  std::bitset<kStatementCount> prepared;  // What its session has.
};

// A request and its answer.
struct Turn {
  base::ByteBuffer answer;
  std::size_t cue = 0;    // How much of the answer has to be there …
  base::ByteBuffer rest;  // … before the rest of the request is sent.
  std::size_t transaction_count = 0;
};

// Appends the next request, and overwrites `turn` with the one that it begins. One call, so that
// the two cannot be at odds about what is prepared.
void encode_turn(const Workload& workload, Progress& progress, base::ByteBuffer& request,
                 Turn& turn);

// What a COPY from the client brings, if that is what the query wants.
std::optional<CopyData> copied_in(std::string_view query);
// What the canned server says to a simple query that encode_turn() made; false if none of its.
bool encode_answer(std::string_view query, base::ByteBuffer& out);
// Whether encode_turn() prepares this text.
bool is_statement(std::string_view text);
// What it says to Execute: a row with the one parameter.
void encode_execution(std::string_view parameter, base::ByteBuffer& out);
void encode_columns(base::ByteBuffer& out);

}  // namespace pgweir::bench
