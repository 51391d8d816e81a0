// PinSet: which statement ends which reason, and what a transaction and its savepoints make of it.
// Source of truth: the manual's pages of DISCARD, RESET, UNLISTEN, CLOSE and DEALLOCATE.

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "session/pin_set.h"

namespace pgweir::session {
namespace {

void run(PinSet& pins, std::string_view text) {
  const StatementEffects effects = analyse(text, true);
  for (const StatementEffect& effect : effects.entries()) pins.apply(effect);
}

std::string_view name_of(PinReason reason) {
  switch (reason) {
    case PinReason::SetRole: return "SetRole";
    case PinReason::SessionAuthorization: return "SessionAuthorization";
    case PinReason::Listen: return "Listen";
    case PinReason::TemporaryObject: return "TemporaryObject";
    case PinReason::HoldCursor: return "HoldCursor";
    case PinReason::SqlPrepare: return "SqlPrepare";
    case PinReason::AdvisoryLock: return "AdvisoryLock";
    case PinReason::SetConfig: return "SetConfig";
    case PinReason::TemporarySchema: return "TemporarySchema";
    case PinReason::AnonymousBlock: return "AnonymousBlock";
    case PinReason::NotUnderstood: return "NotUnderstood";
    case PinReason::RandomSeed: return "RandomSeed";
    case PinReason::Load: return "Load";
    case PinReason::RemoteConnection: return "RemoteConnection";
    case PinReason::SessionBoundFunction: return "SessionBoundFunction";
    case PinReason::SequenceValue: return "SequenceValue";
  }
  return {};
}

struct Statement {
  std::string_view name;
  std::string_view text;
};
const std::vector<Statement> kPinning{
    {"SetRole", "SET ROLE a"},
    {"SessionAuthorization", "SET SESSION AUTHORIZATION a"},
    {"Listen", "LISTEN a"},
    {"TemporaryObject", "CREATE TEMP TABLE t ()"},
    {"HoldCursor", "DECLARE c CURSOR WITH HOLD FOR SELECT 1"},
    {"SqlPrepare", "PREPARE p AS SELECT 1"},
    {"AdvisoryLock", "SELECT pg_advisory_lock(1)"},
    {"SetConfig", "SELECT set_config('a', 'b', false)"},
    {"TemporarySchema", "SET search_path = pg_temp"},
    {"AnonymousBlock", "DO 'begin end'"},
    {"NotUnderstood", "WHATEVER"},
    {"RandomSeed", "SELECT setseed(0.5)"},
    {"Load", "LOAD 'library'"},
    {"RemoteConnection", "SELECT dblink_connect('other')"},
    {"SessionBoundFunction", "SELECT pg_backup_start('label')"},
    {"SequenceValue", "SELECT lastval()"},
};
const std::vector<Statement> kEnding{
    {"Role", "RESET ROLE"},
    {"User", "SET SESSION AUTHORIZATION DEFAULT"},
    {"Listen", "UNLISTEN *"},
    {"Temp", "DISCARD TEMP"},
    {"Close", "CLOSE ALL"},
    {"Prep", "DEALLOCATE ALL"},
    {"Lock", "SELECT pg_advisory_unlock_all()"},
    {"Seq", "DISCARD SEQUENCES"},
    {"a", "UNLISTEN a; RESET a"},
    {"c", "CLOSE c"},
    {"p", "DEALLOCATE p"},
    {"All", "DISCARD ALL"},
    {"Plans", "DISCARD PLANS"},
    {"Reset", "RESET ALL"},
};

std::string play_ending(const Statement& pinning, const Statement& ending) {
  PinSet pins;
  run(pins, pinning.text);
  pins.handle_transaction_end(true);
  EXPECT_EQ(name_of(pins.first_reason().value()), pinning.name);
  run(pins, ending.text);
  pins.handle_transaction_end(true);
  return pins.empty() ? "gone" : "-";
}

const std::vector<Statement> kStates{
    {"Free", ""},
    {"Pinned", "LISTEN a"},
    {"Ended", "LISTEN a; UNLISTEN *"},
    {"EndedThenPoint", "LISTEN a; UNLISTEN *; SAVEPOINT s"},
    {"PointThenEnded", "LISTEN a; SAVEPOINT s; UNLISTEN *"},
    {"NamedThenPoint", "LISTEN a; UNLISTEN a; SAVEPOINT s"},
    {"PinnedAgain", "LISTEN a; UNLISTEN *; LISTEN a"},
    {"BothOneEnded", "LISTEN a; LISTEN b; UNLISTEN a"},
};
struct Event {
  std::string_view name;
  void (*happen)(PinSet&);
};
const std::vector<Event> kEvents{
    {"Nothing", [](PinSet&) {}},
    {"Pin", [](PinSet& pins) { run(pins, "LISTEN b"); }},
    {"EndA", [](PinSet& pins) { run(pins, "UNLISTEN a"); }},
    {"EndB", [](PinSet& pins) { run(pins, "UNLISTEN b"); }},
    {"End", [](PinSet& pins) { run(pins, "UNLISTEN *"); }},
    {"Savepoint", [](PinSet& pins) { run(pins, "SAVEPOINT t"); }},
    {"Release", [](PinSet& pins) { run(pins, "RELEASE s"); }},
    {"RollbackTo", [](PinSet& pins) { run(pins, "ROLLBACK TO s"); }},
    {"Commit", [](PinSet& pins) { pins.handle_transaction_end(true); }},
    {"Rollback", [](PinSet& pins) { pins.handle_transaction_end(false); }},
};

std::string play_event(const Statement& state, const Event& event) {
  PinSet pins;
  run(pins, state.text);
  event.happen(pins);
  const bool is_free = pins.empty();
  pins.handle_transaction_end(true);
  if (is_free) return pins.empty() ? "-" : "late";
  return pins.empty() ? "until" : "held";
}

// Each statement in a transaction of its own, which commits. `-`: the reason stays.
TEST(PinSetMatrix, every_reason_and_what_ends_it) {
  ASSERT_EQ(base::names_of(kPinning), base::names_of<PinReason>(name_of));
  base::expect_matrix(R"(
                         Role User Listen Temp Close Prep Lock Seq  a    c    p    All  Plans Reset
    SetRole              gone -    -      -    -     -    -    -    -    -    -    gone -     -
    SessionAuthorization -    gone -      -    -     -    -    -    -    -    -    gone -     -
    Listen               -    -    gone   -    -     -    -    -    gone -    -    gone -     -
    TemporaryObject      -    -    -      gone -     -    -    -    -    -    -    gone -     -
    HoldCursor           -    -    -      -    gone  -    -    -    -    gone -    gone -     -
    SqlPrepare           -    -    -      -    -     gone -    -    -    -    gone gone -     -
    AdvisoryLock         -    -    -      -    -     -    gone -    -    -    -    gone -     -
    SetConfig            -    -    -      -    -     -    -    -    gone -    -    gone -     gone
    TemporarySchema      -    -    -      -    -     -    -    -    -    -    -    gone -     -
    AnonymousBlock       -    -    -      -    -     -    -    -    -    -    -    gone -     -
    NotUnderstood        -    -    -      -    -     -    -    -    -    -    -    gone -     -
    RandomSeed           -    -    -      -    -     -    -    -    -    -    -    -    -     -
    Load                 -    -    -      -    -     -    -    -    -    -    -    -    -     -
    RemoteConnection     -    -    -      -    -     -    -    -    -    -    -    -    -     -
    SessionBoundFunction -    -    -      -    -     -    -    -    -    -    -    -    -     -
    SequenceValue        -    -    -      -    -     -    -    gone -    -    -    gone -     -
  )",
                      base::names_of(kPinning), base::names_of(kEnding),
                      [](std::size_t reason, std::size_t statement) {
                        return play_ending(kPinning[reason], kEnding[statement]);
                      });
}

// One reason in one transaction. `held`: also once that has committed; `until`: till then; `-`: not
// at all.
TEST(PinSetMatrix, every_event_of_a_transaction_in_every_state) {
  base::expect_matrix(R"(
                   Nothing Pin  EndA  EndB  End   Savepoint Release RollbackTo Commit Rollback
    Free           -       held -     -     -     -         -       -          -      -
    Pinned         held    held until held  until held      held    held       held   held
    Ended          until   held until until until until     until   held       -      held
    EndedThenPoint until   held until until until until     until   held       -      held
    PointThenEnded until   held until until until until     until   held       -      held
    NamedThenPoint until   held until until until until     until   held       -      held
    PinnedAgain    held    held until held  until held      held    held       held   held
    BothOneEnded   held    held held  until until held      held    held       held   held
  )",
                      base::names_of(kStates), base::names_of(kEvents),
                      [](std::size_t state, std::size_t event) {
                        return play_event(kStates[state], kEvents[event]);
                      });
}

}  // namespace
}  // namespace pgweir::session
