// What SQL statements do to the state of their session, read from their text alone: parameters to
// repeat on other servers, transaction control, and what ties the client to its server.
// It does not see what functions do inside; an effect counts only when its CommandComplete arrives.
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

struct StatementEffect {
  enum class Kind : std::uint8_t {
    None,
    SetParameter,    // name, value.
    SetLocal,        // SET LOCAL, SET TRANSACTION, SET CONSTRAINTS: over with the transaction.
    ResetParameter,  // name.
    ResetAll,
    ResetRole,
    ResetSessionAuthorization,
    DiscardAll,
    DiscardTemp,
    DiscardPlans,
    DiscardSequences,
    Deallocate,  // name.
    DeallocateAll,
    UnlistenAll,
    CloseAll,
    UnlockAllAdvisory,
    Begin,
    Commit,
    CommitAndChain,
    Rollback,
    RollbackAndChain,
    Savepoint,   // name.
    RollbackTo,  // name.
    Release,     // name.
    PrepareTransaction,
    Pin  // reason.
  };

  Kind kind = Kind::None;
  PinReason reason = PinReason::NotUnderstood;  // Meaningful for Pin only.
  // A parameter in lower case, its parts ([a-z_][a-z0-9_$]*) joined by dots; or the name of a
  // savepoint or prepared statement as PostgreSQL folds it.
  std::string name;
  // What follows TO in the statement that sets the parameter again: the source text without
  // comments, rewritten where needed so that it reads the same whatever
  // standard_conforming_strings is. Its bytes are in the client_encoding of the moment.
  std::string value;

  friend bool operator==(const StatementEffect&, const StatementEffect&) = default;
};

// `"myapp"."tenant"` for myapp.tenant, so that `SET … TO value` is right for keywords too.
std::string quote_parameter(std::string_view name);

// The effects of one text. Moving it keeps it usable; one that is_trivial() or holds only one
// effect without a name has allocated nothing.
class StatementEffects {
 public:
  static constexpr std::size_t kEntryCountMax = 64;

  // Only statements that do something are listed.
  struct Entry {
    std::uint32_t statement = 0;  // From 0, empty statements not counted.
    StatementEffect effect;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // No statement has an effect.
  bool is_trivial() const { return entry_count_ == 0; }

  // How many CommandComplete (or PortalSuspended, for Parse) the text ends in if all goes well; the
  // n-th belongs to at(n). Empty statements answer nothing but, all together, EmptyQueryResponse.
  std::size_t statement_count() const { return statement_count_; }

  // False if the text was not followed to its end: the last entry is a Pin for NotUnderstood, which
  // stands for its own statement and all after it, and statement_count() is a lower bound.
  bool is_complete() const { return is_complete_; }

  // The effect of one statement. Beyond the last: no effect, or the final Pin.
  const StatementEffect& at(std::size_t statement) const;

  // In order.
  std::span<const Entry> entries() const;

  // For EffectAnalyser.
  void add(StatementEffect effect);
  void give_up();

 private:
  void append(StatementEffect effect);

  bool is_complete_ = true;
  std::uint32_t statement_count_ = 0;
  std::size_t entry_count_ = 0;
  Entry only_;               // The entry while there is one.
  std::vector<Entry> many_;  // All of them as soon as there are two.
};

// Reads one text that arrives in pieces.
class EffectAnalyser {
 public:
  // REQUIRES: is_ascii_superset(client_encoding) of the client; texts in other encodings pin it.
  void reset(bool standard_conforming_strings);
  void feed(std::string_view part);
  // The text is over (its terminating zero byte not included). Call reset() before the next one.
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
