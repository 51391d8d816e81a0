// What SQL statements do to the state of their session, read from their text alone: parameters to
// repeat on other servers, savepoints, and what ties the client to its server. It does not see what
// functions do inside, nor whether a transaction commits: the server's answers tell that. An effect
// counts only when the CommandComplete of its statement arrives.
// Source of truth: the manual's SQL Commands and gram.y (VariableSetStmt, TransactionStmt).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/pin_reason.h"
#include "session/statement_lexer.h"

namespace pgweir::session {

enum class EffectKind : std::uint8_t {
  None,  // Also all that begins or ends a whole transaction, and SET LOCAL of others than …
  ReadOtherwise,  // … what decides what a literal means (reading.h), while the transaction lasts.
  SetParameter,   // name, value.
  ResetParameter,  // name.
  ResetAll,
  DiscardAll,
  Deallocate,  // name.
  DeallocateAll,
  Savepoint,   // name.
  RollbackTo,  // name.
  Release,     // name.
  Pin,         // reason, and the name of what it is about, if that can be ended by its name.
  Unpin,       // reason: all state of this kind is gone; with a name, only that of the name.
  // The same, but only the server knows: pg_try_advisory_lock(1) and SET ROLE NONE may have left
  // nothing that is the session's own, DROP TABLE and pg_advisory_unlock(1) may have ended the
  // last.
  MayPin,
  MayUnpin,
  // reason: what may be left on the server, of no use to this client and hidden from the next one:
  // the server is cleaned behind the client, which is not tied to it.
  Taint,
  MayEndTransaction  // CALL: outside of a block the procedure may commit what came before it.
};

struct StatementEffect {
  EffectKind kind = EffectKind::None;
  PinReason reason = PinReason::NotUnderstood;  // Meaningful for pins and taints only.
  // A parameter in lower case, its parts ([a-z_][a-z0-9_$]*, possibly keywords: quote them) joined
  // by dots; or the name of a savepoint, prepared statement, channel or cursor as PostgreSQL folds
  // it.
  std::string name;
  // What follows TO in a SET that sets the parameter again: source text, without comments, which
  // reads the same whatever standard_conforming_strings is. In the client_encoding of the moment.
  std::string value;

  friend bool operator==(const StatementEffect&, const StatementEffect&) = default;
};

// The effects of one text. One that is_trivial(), or whose only statement has an effect without
// name and value, has allocated nothing.
class StatementEffects {
 public:
  // Bounds the memory of a text; those whose last effect comes later are not complete.
  static constexpr std::size_t kEntryCountMax = 256;

  // No statement has an effect.
  bool is_trivial() const { return entry_count_ == 0; }

  // How many CommandCompletes the text ends in if all goes well: one for each statement, none for
  // an empty one (";;"), whose EmptyQueryResponse comes only if the whole text is empty.
  std::size_t statement_count() const { return statement_count_; }

  // The n-th entry belongs to the n-th CommandComplete. Statements after the last entry have no
  // effect; a trivial text has no entries at all.
  std::span<const StatementEffect> entries() const;

  // False if the text could not be followed to its end: the last entry is then a Pin for
  // NotUnderstood in the place of its own statement and all after it, and statement_count() is too
  // low. That pin must be taken at once: no certain CommandComplete belongs to it.
  bool is_complete() const { return is_complete_; }

  // For EffectAnalyser: the next statement of the text; the text is understood no further.
  void add(StatementEffect effect);
  void give_up();

 private:
  bool is_complete_ = true;
  std::size_t statement_count_ = 0;
  std::size_t entry_count_ = 0;
  StatementEffect first_;              // The entry while there is one.
  std::vector<StatementEffect> many_;  // All of them as soon as there are two.
};

// Reads one text that arrives in pieces. About 2 KiB.
class EffectAnalyser {
 public:
  // Begins a text. REQUIRES: is_ascii_superset() of the client_encoding (client_encoding.h); for
  // others the caller pins the client instead.
  void reset(bool standard_conforming_strings);
  void feed(std::string_view part);
  // The text is over; its terminating zero byte may have been fed or not. reset() before the next.
  StatementEffects finish();

 private:
  void handle_statement();

  bool standard_conforming_strings_ = true;
  StatementLexer lexer_;
  StatementEffects effects_;
};

// A text that is there as a whole.
StatementEffects analyse(std::string_view text, bool standard_conforming_strings);

}  // namespace pgweir::session
