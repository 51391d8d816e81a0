// Why a client must keep its server: state of a PostgreSQL session that pgweir can neither see nor
// repeat on another server. The reasons are log fields and metric labels.
// Source of truth for what ends each of them: the manual's page of DISCARD.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgweir::session {

enum class PinReason : std::uint8_t {
  SetRole,
  SessionAuthorization,
  Listen,
  TemporaryObject,
  HoldCursor,
  SqlPrepare,
  AdvisoryLock,
  SetConfig,             // set_config(…) that is not certainly local to its transaction.
  TemporarySchema,       // search_path names pg_temp: any later CREATE may make a temporary object.
  AnonymousBlock,        // DO: its body is not read.
  NotUnderstood,         // Anything that this reader does not know.
  RandomSeed,            // setseed(…), SET seed.
  Load,                  // LOAD: a library stays loaded.
  RemoteConnection,      // dblink_connect(…).
  SessionBoundFunction,  // Such as a base backup, a temporary replication slot, a hypothetical
                         // index.
  SequenceValue          // currval(…), lastval(): of this session's own nextval.
};

inline constexpr std::uint8_t kPinReasonCount = 16;

std::string_view to_text(PinReason reason);

// True for state that not even DISCARD ALL takes away: it ties the client until it disconnects.
bool survives_discard_all(PinReason reason);

// True if DISCARD ALL does not prove the server clean, either because some of the state survives it
// or because nobody knows what there is: such a server is closed, never lent again.
bool needs_close(PinReason reason);

// A condition in SQL that is true while a session has such state, outside of a transaction; it
// means the same whatever search_path is. Empty if the server cannot tell.
std::string_view sign_of(PinReason reason);

// The one reason that stands for both: it ends no earlier than either of them.
PinReason combine(PinReason a, PinReason b);

}  // namespace pgweir::session
