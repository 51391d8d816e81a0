// StatementWatch: what each word makes of what stands before it, and how what was noticed adds up.
// Source of truth: gram.y (OptTempTableName, into_clause, routine_body_stmt), and the functions of
// watched_names.h.

#include <gtest/gtest.h>

#include <map>

#include "base/matrix_test.h"
#include "session/statement_watch.h"
#include "session/tokens_test.h"

namespace pgweir::session {
namespace {

void read(StatementWatch& watch, std::string_view text) {
  for (const TextToken& token : tokens_of(std::string(text))) {
    watch.handle_token(token.kind, token.text);
  }
}
StatementWatch behind(std::string_view state, std::string_view event) {
  StatementWatch watch;
  read(watch, state);
  read(watch, event);
  return watch;
}

std::string word_of(PinReason reason) {
  static const std::map<PinReason, std::string> kWords{
      {PinReason::NotUnderstood, "?"},     {PinReason::TemporaryObject, "temp"},
      {PinReason::AdvisoryLock, "lock"},   {PinReason::SetConfig, "set"},
      {PinReason::SequenceValue, "value"}, {PinReason::RemoteConnection, "remote"},
      {PinReason::RandomSeed, "seed"},
  };
  return kWords.at(reason);
}

// All that it says of the statement by now.
std::string noticed(const StatementWatch& watch) {
  std::string text;
  if (watch.pin_reason()) text += "," + word_of(*watch.pin_reason());
  if (watch.taint_reason()) text += "," + word_of(*watch.taint_reason()) + "~";
  if (watch.leaves_locks_in_doubt()) text += ",doubt";
  if (watch.reads_otherwise()) text += ",reads";
  if (watch.has_atomic_body()) text += ",atomic";
  return text.empty() ? "-" : text.substr(1);
}

// Which words it would notice if they came next.
std::string expected(const StatementWatch& watch) {
  if (watch.reads_strings()) return "call";
  std::string letters;
  for (const std::string_view word : {"temp", "atomic", "into", "pg_settings"}) {
    StatementWatch then = watch;
    read(then, word);
    if (noticed(then) != noticed(watch)) letters += word.front();
  }
  return letters.empty() ? "-" : letters;
}

struct Text {
  std::string_view name;
  std::string_view text;
};
const std::vector<Text> kStates{
    {"New", ""},
    {"Select", "select a"},
    {"SelectLocal", "select local"},
    {"SelectBegin", "select begin"},
    {"SelectInsert", "select insert"},
    {"Insert", "insert a"},
    {"InsertLocal", "insert local"},
    {"InsertBegin", "insert begin"},
    {"InsertInsert", "insert"},
    {"Other", "with a"},
    {"OtherLocal", "with local"},
    {"OtherBegin", "with begin"},
    {"OtherInsert", "with insert"},
    {"Update", "update a"},
    {"Called", "with set_config"},
    {"Calling", "with set_config ("},
};
const std::vector<std::string_view> kWords{"x",      "create", "local",      "into",
                                           "insert", "merge",  "begin",      "atomic",
                                           "update", "(",      "\"create\"", "set_config"};
const std::vector<std::string_view> kNoticeable{"temp",    "\"temp\"",    "into",
                                                "atomic",  "pg_settings", "\"pg_settings\"",
                                                "lastval", "u&\"x\"",     "set_config"};

// Which of these words would be noticed next: t(emp), a(tomic), i(nto), p(g_settings). `call`: its
// tokens are those of a call of set_config.
TEST(StatementWatchMatrix, every_word_in_every_state_and_what_may_follow_it) {
  base::expect_matrix(
      R"(
                 x    create local into insert merge begin atomic update (    "create" set_config
    New          i    ti     ti    t    -      -     ai    i      ip     i    i        call
    Select       i    ti     ti    t    i      i     ai    i      ip     i    i        call
    SelectLocal  i    ti     ti    t    i      i     ai    i      ip     i    i        call
    SelectBegin  i    ti     ti    t    i      i     ai    i      ip     i    i        call
    SelectInsert i    ti     ti    t    i      i     ai    i      ip     i    i        call
    Insert       -    t      t     -    -      -     a     -      p      -    -        call
    InsertLocal  -    t      t     -    -      -     a     -      p      -    -        call
    InsertBegin  -    t      t     -    -      -     a     -      p      -    -        call
    InsertInsert -    t      t     -    -      -     a     -      p      -    -        call
    Other        i    ti     ti    t    -      -     ai    i      ip     i    i        call
    OtherLocal   i    ti     ti    t    -      -     ai    i      ip     i    i        call
    OtherBegin   i    ti     ti    t    -      -     ai    i      ip     i    i        call
    OtherInsert  i    ti     ti    ti   -      -     ai    i      ip     i    i        call
    Update       ip   tip    tip   tp   p      p     aip   ip     ip     ip   ip       call
    Called       i    ti     ti    t    -      -     ai    i      ip     call i        call
    Calling      call call   call  call call   call  call  call   call   call call     call
  )",
      base::names_of(kStates), kWords, [](std::size_t state, std::size_t word) {
        return expected(behind(kStates[state].text, kWords[word]));
      });
}

//   temp, value, ?   it pins for a temporary object, what a sequence has said, what nobody knows
//   set     it pins for a call of set_config        temp~    it may leave a temporary object
//   atomic  where it ends is unknown                -        nothing
TEST(StatementWatchMatrix, every_word_in_every_state_and_what_is_noticed) {
  base::expect_matrix(
      R"(
                 temp "temp" into      atomic pg_settings "pg_settings" lastval u&"x" set_config
    New          -    -      temp~     -      -           -             value   ?     -
    Select       -    -      temp~     -      -           -             value   ?     -
    SelectLocal  temp -      temp~     -      -           -             value   ?     -
    SelectBegin  -    -      temp~     atomic -           -             value   ?     -
    SelectInsert -    -      temp~     -      -           -             value   ?     -
    Insert       -    -      -         -      -           -             value   ?     -
    InsertLocal  temp -      -         -      -           -             value   ?     -
    InsertBegin  -    -      -         atomic -           -             value   ?     -
    InsertInsert -    -      -         -      -           -             value   ?     -
    Other        -    -      temp~     -      -           -             value   ?     -
    OtherLocal   temp -      temp~     -      -           -             value   ?     -
    OtherBegin   -    -      temp~     atomic -           -             value   ?     -
    OtherInsert  -    -      -         -      -           -             value   ?     -
    Update       -    -      temp~     -      ?           ?             value   ?     -
    Called       set  set    set,temp~ set    set         set           ?       ?     set
    Calling      -    -      temp~     -      -           -             value   ?     ?
  )",
      base::names_of(kStates), kNoticeable, [](std::size_t state, std::size_t word) {
        return noticed(behind(kStates[state].text, kNoticeable[word]));
      });
}

const std::vector<Text> kBefore{
    {"Nothing", "select a"},
    {"Lock", "select pg_advisory_lock"},
    {"Value", "select lastval"},
    {"Remote", "select dblink_connect"},
    {"Config", "select set_config('work_mem', a, false)"},
    {"Unlock", "select pg_advisory_unlock"},
    {"Into", "select into"},
    {"Asked", "select set_config($1, a, true)"},
    {"Reads", "select set_config('timezone', a, true)"},
    {"Atomic", "select begin atomic"},
};
const std::vector<Text> kPinning{
    {"Lock", "pg_advisory_lock"},
    {"TryLock", "pg_try_advisory_lock"},
    {"Remote", "dblink_connect"},
    {"Config", "set_config('work_mem', a, false)"},
};
const std::vector<Text> kOthers{
    {"Local", "set_config('work_mem', a, true)"},
    {"Unlock", "pg_advisory_unlock"},
    {"Into", "into"},
    {"Asked", "set_config($1, a, true)"},
    {"Reads", "set_config('timezone', a, true)"},
};

// As above; also `lock`, `remote`: it pins for an advisory lock, a connection of the server's own;
// `doubt`: it may leave a lock or not; `seed~`: it may have set the seed; `reads`: literals may
// mean something else meanwhile.
TEST(StatementWatchMatrix, every_pin_behind_whatever_was_noticed) {
  base::expect_matrix(
      R"(
            Lock        TryLock           Remote        Config
    Nothing lock        lock,doubt        remote        set
    Lock    lock        lock,doubt        remote        ?
    Value   ?           ?,doubt           remote        ?
    Remote  remote      remote,doubt      remote        remote
    Config  ?           ?,doubt           remote        set
    Unlock  lock,doubt  lock,doubt        remote,doubt  set,doubt
    Into    lock,temp~  lock,temp~,doubt  remote,temp~  set,temp~
    Asked   lock,seed~  lock,seed~,doubt  remote,seed~  set,seed~
    Reads   lock,reads  lock,doubt,reads  remote,reads  set,reads
    Atomic  lock,atomic lock,doubt,atomic remote,atomic set,atomic
  )",
      base::names_of(kBefore), base::names_of(kPinning), [](std::size_t before, std::size_t next) {
        return noticed(behind(kBefore[before].text, kPinning[next].text));
      });
}

TEST(StatementWatchMatrix, whatever_pins_nobody_behind_whatever_was_noticed) {
  base::expect_matrix(
      R"(
            Local  Unlock       Into         Asked        Reads
    Nothing -      doubt        temp~        seed~        reads
    Lock    lock   lock,doubt   lock,temp~   lock,seed~   lock,reads
    Value   value  value,doubt  value,temp~  value,seed~  value,reads
    Remote  remote remote,doubt remote,temp~ remote,seed~ remote,reads
    Config  set    set,doubt    set,temp~    set,seed~    set,reads
    Unlock  doubt  doubt        temp~,doubt  seed~,doubt  doubt,reads
    Into    temp~  temp~,doubt  temp~        ?~           temp~,reads
    Asked   seed~  seed~,doubt  ?~           seed~        seed~,reads
    Reads   reads  doubt,reads  temp~,reads  seed~,reads  reads
    Atomic  atomic doubt,atomic temp~,atomic seed~,atomic reads,atomic
  )",
      base::names_of(kBefore), base::names_of(kOthers), [](std::size_t before, std::size_t next) {
        return noticed(behind(kBefore[before].text, kOthers[next].text));
      });
}

}  // namespace
}  // namespace pgweir::session
