// ClientSession: the session state of a client that goes beyond its startup parameters: prepared
// statements, SETs, and what pins it to its server. Made with the first of them; most idle clients
// of a simple driver have none.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "session/parameter_tracker.h"
#include "session/pin_set.h"
#include "session/prepared_statements.h"
#include "session/statement_effect.h"

namespace pgweir::proxy {

// What a request that is under way will have done once its statements have completed.
struct PendingEffects {
  std::uint32_t tag = 0;      // Of its Expectation.
  std::size_t completed = 0;  // Statements of it that have reported CommandComplete.
  session::StatementEffects effects;

  // The effect of the statement that completes next; nullptr: none.
  const session::StatementEffect* next() const {
    return completed < effects.entries().size() ? &effects.entries()[completed] : nullptr;
  }
  // Whether that one is alone and a CALL.
  bool may_end_transaction() const {
    return effects.statement_count() == 1 && next() != nullptr &&
           next()->kind == session::EffectKind::MayEndTransaction;
  }
};

struct ClientSession {
  ClientSession(session::StatementTable& statement_table, session::ParameterTable& table,
                session::ParameterSetId startup)
      : statements(statement_table), parameters(table, startup) {}

  session::ClientStatements statements;
  session::ParameterTracker parameters;
  session::PinSet pins;
  std::list<PendingEffects> pending;                  // Oldest request first; seldom any.
  std::unique_ptr<session::EffectAnalyser> analyser;  // While a long Query passes in pieces …
  // Of what the unnamed portal executes; none for most statements.
  std::unique_ptr<session::StatementEffects> portal_effects;
  // Of a DEALLOCATE that the server is told in other words (deallocation.h).
  std::unique_ptr<session::StatementEffects> deallocation;
  // What the server reported since the last ReadyForQuery.
  std::vector<std::pair<std::string, std::string>> reported;
  std::uint32_t analysed_tag = 0;  // Of what the analyser reads.
  std::uint32_t last_tag = 0;      // Of a request; rises. 0 is none.
  std::uint32_t last_end = 0;      // The tag of the last Sync or Query: what is behind it stands or
                                   // falls by itself.
  // Its names are the server's, too: max_prepared_statements was 0 at its first one.
  std::optional<bool> keeps_own_names;
  // What was sent decides what the next request needs (Client::awaits_quiet): DISCARD ALL, RESET.
  bool holds_back_next = false;
  bool reads_otherwise = false;  // SET LOCAL, for the transaction that is open or about to be.
  bool is_rolled_back = false;   // The transaction that ends at the next idle ReadyForQuery failed.
  bool has_left_block = false;   // Since the last ReadyForQuery a transaction block has ended.
  bool may_have_ended = false;   // A CALL may have ended the transaction that its SETs were in.
};

}  // namespace pgweir::proxy
