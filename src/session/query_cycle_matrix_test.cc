// QueryCycle in all its states: each request that is sent, and each reply that comes.
// Source of truth: PostgreSQL manual "Message Flow"; for what is ignored and skipped PostgresMain
// and SocketBackend in src/backend/tcop/postgres.c, CopyGetData in commands/copyfromparse.c.

#include <gtest/gtest.h>

#include "base/matrix_test.h"
#include "session/query_cycle.h"

namespace pgweir::session {
namespace {

using enum Request;

std::string_view name_of(Request request) {
  switch (request) {
    case Query: return "Query";
    case FunctionCall: return "FunctionCall";
    case Parse: return "Parse";
    case Bind: return "Bind";
    case Describe: return "Describe";
    case Execute: return "Execute";
    case Close: return "Close";
    case Sync: return "Sync";
    case CopyEnd: return "CopyEnd";
  }
  return {};
}

// How a state is reached. Small letters are replies; ReadyForQuery says idle unless a status
// follows it. In front of a word `-` says that it is ours.
struct State {
  std::string_view name;
  std::vector<std::string_view> way;
};

const std::vector<State> kStates{
    {"Fresh", {}},
    {"InBlock", {"Query", "C", "ZT"}},
    {"FailedBlock", {"Query", "C", "ZT", "Query", "E", "ZE"}},
    {"OpenBatch", {"Parse", "1"}},
    {"AwaitsQuery", {"Query"}},
    {"AwaitsCall", {"FunctionCall"}},
    {"AwaitsParse", {"Parse"}},
    {"AwaitsBind", {"Bind"}},
    {"AwaitsDescribe", {"Describe"}},
    {"AwaitsExecute", {"Execute"}},
    {"AwaitsClose", {"Close"}},
    {"AwaitsSync", {"Sync"}},
    {"TwoQueries", {"Query", "Query"}},
    {"TwoBatches", {"Execute", "Sync", "Bind", "Execute", "Sync"}},
    {"FailedQuery", {"Query", "E"}},
    {"Skipping", {"Parse", "E"}},
    {"SkippingToSent", {"Parse", "Execute", "Sync", "E"}},
    {"CopyIn", {"Query", "G"}},
    {"CopyInBatch", {"Execute", "G"}},
    {"SecondCopyIn", {"Query", "G", "CopyEnd", "C", "G"}},
    {"CopyEnded", {"Query", "G", "CopyEnd"}},
    {"CopyBeforeSync", {"Execute", "Sync", "G"}},
    {"CopyWithSync", {"Query", "G", "Sync"}},
    {"SyncBeforeCopy", {"Query", "Sync", "G", "CopyEnd", "C"}},
    {"AllOfCopySent", {"Execute", "Sync", "CopyEnd", "Sync", "G", "C"}},
    {"FailedCopy", {"Execute", "G", "E"}},
    {"DoubtfulBatch", {"Execute", "Sync", "G", "E"}},
    {"DoubtfulQuery", {"Query", "G", "Sync", "E"}},
    {"OurQuery", {"-Query", "Query"}},
    {"OurParse", {"-Parse", "Bind", "Sync"}},
};

// The letters of replies; behind that of ReadyForQuery its status, if it is not idle.
const std::vector<std::string_view> kFrequentReplies{"1", "2", "3", "C", "D", "E",  "G",
                                                     "H", "I", "T", "V", "Z", "ZT", "ZE"};
const std::vector<std::string_view> kOtherReplies{"c", "d", "n", "s", "t", "W", "R", "x"};

std::string send(QueryCycle& cycle, Request request, Origin origin) {
  const bool was_copying_in = cycle.is_copying_in();
  const std::size_t size = cycle.size();
  if (cycle.expect({.request = request, .origin = origin})) {
    EXPECT_EQ(cycle.size(), size + 1);
    EXPECT_FALSE(cycle.is_idle());
    return cycle.has_open_batch() ? "open" : "due";
  }
  if (was_copying_in && !cycle.is_copying_in()) return "over";
  return "lost";
}

std::string_view state_after(const QueryCycle& cycle) {
  if (!cycle.is_quiet()) return "next";
  if (cycle.is_idle()) return cycle.is_doubtful() ? "last" : "idle";
  return cycle.has_open_batch() ? "open" : "kept";
}

std::string receive(QueryCycle& cycle, std::string_view reply) {
  const auto step = cycle.handle_reply(reply[0], reply.size() == 2 ? reply[1] : 'I');
  if (!step) return ".";
  if (step->fate == QueryCycle::Fate::Swallow) return "ours";
  if (step->is_failed) return cycle.is_skipping() ? "skip" : "fail";
  if (!step->is_answered) return cycle.is_copying_in() ? "copy" : "part";
  return std::string(state_after(cycle));
}

std::string play(QueryCycle& cycle, std::string_view word) {
  const Origin origin = word.front() == '-' ? Origin::Ours : Origin::Client;
  if (origin == Origin::Ours) word.remove_prefix(1);
  const auto requests = base::names_of<Request>(name_of);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i] == word) return send(cycle, static_cast<Request>(i), origin);
  }
  return receive(cycle, word);
}

QueryCycle cycle_in(const State& state) {
  QueryCycle cycle;
  for (const std::string_view word : state.way) EXPECT_NE(play(cycle, word), ".") << word;
  return cycle;
}

std::string answer(std::size_t state, std::string_view reply) {
  QueryCycle cycle = cycle_in(kStates[state]);
  return receive(cycle, reply);
}

// What becomes of each request that a client sends.
//   due   it is answered          open  it is answered, and the batch lacks its Sync
//   lost  the server ignores it   over  COPY IN ends with it
// In COPY IN a request that has no place there is answered, too: by a FATAL.
TEST(QueryCycleMatrix, every_request_in_every_state) {
  base::expect_matrix(R"(
                   Query FunctionCall Parse Bind Describe Execute Close Sync CopyEnd
    Fresh          due   due          open  open open     open    open  due  lost
    InBlock        due   due          open  open open     open    open  due  lost
    FailedBlock    due   due          open  open open     open    open  due  lost
    OpenBatch      due   due          open  open open     open    open  due  lost
    AwaitsQuery    due   due          open  open open     open    open  due  lost
    AwaitsCall     due   due          open  open open     open    open  due  lost
    AwaitsParse    due   due          open  open open     open    open  due  lost
    AwaitsBind     due   due          open  open open     open    open  due  lost
    AwaitsDescribe due   due          open  open open     open    open  due  lost
    AwaitsExecute  due   due          open  open open     open    open  due  lost
    AwaitsClose    due   due          open  open open     open    open  due  lost
    AwaitsSync     due   due          open  open open     open    open  due  lost
    TwoQueries     due   due          open  open open     open    open  due  lost
    TwoBatches     due   due          open  open open     open    open  due  lost
    FailedQuery    due   due          open  open open     open    open  due  lost
    Skipping       lost  lost         lost  lost lost     lost    lost  due  lost
    SkippingToSent due   due          open  open open     open    open  due  lost
    CopyIn         due   due          open  open open     open    open  lost over
    CopyInBatch    due   due          open  open open     open    open  lost over
    SecondCopyIn   due   due          open  open open     open    open  lost over
    CopyEnded      due   due          open  open open     open    open  due  lost
    CopyBeforeSync due   due          open  open open     open    open  lost over
    CopyWithSync   due   due          open  open open     open    open  lost over
    SyncBeforeCopy due   due          open  open open     open    open  due  lost
    AllOfCopySent  due   due          open  open open     open    open  due  lost
    FailedCopy     lost  lost         lost  lost lost     lost    lost  due  lost
    DoubtfulBatch  lost  lost         lost  lost lost     lost    lost  due  lost
    DoubtfulQuery  due   due          open  open open     open    open  due  lost
    OurQuery       due   due          open  open open     open    open  due  lost
    OurParse       due   due          open  open open     open    open  due  lost
  )",
                      base::names_of(kStates), base::names_of<Request>(name_of),
                      [](std::size_t state, std::size_t request) {
                        QueryCycle cycle = cycle_in(kStates[state]);
                        return send(cycle, static_cast<Request>(request), Origin::Client);
                      });
}

// What each reply means.
//   .     nothing that was asked can have this reply now
//   part  of the answer that is due         copy  COPY IN has begun
//   next  it is complete, more is owed      open  … and the batch awaits its Sync
//   kept  … and a transaction is open       idle  … and the server may be lent
//   last  … and the server is not to be lent again: one more ReadyForQuery may come, for a Sync
//         which it has read after its COPY IN had failed, or else ignored before
//   fail  an error, ReadyForQuery is due    skip  an error, it will be due at the next Sync
//   ours  not for the client
TEST(QueryCycleMatrix, every_frequent_reply_in_every_state) {
  base::expect_matrix(
      R"(
                   1    2    3    C    D    E    G    H    I    T    V    Z    ZT   ZE
    Fresh          .    .    .    .    .    .    .    .    .    .    .    .    .    .
    InBlock        .    .    .    .    .    .    .    .    .    .    .    .    .    .
    FailedBlock    .    .    .    .    .    .    .    .    .    .    .    .    .    .
    OpenBatch      .    .    .    .    .    .    .    .    .    .    .    .    .    .
    AwaitsQuery    .    .    .    part part fail copy part part part .    idle kept kept
    AwaitsCall     .    .    .    .    .    fail .    .    .    .    part idle kept kept
    AwaitsParse    open .    .    .    .    skip .    .    .    .    .    .    .    .
    AwaitsBind     .    open .    .    .    skip .    .    .    .    .    .    .    .
    AwaitsDescribe .    .    .    .    .    skip .    .    .    open .    .    .    .
    AwaitsExecute  .    .    .    open part skip copy part open .    .    .    .    .
    AwaitsClose    .    .    open .    .    skip .    .    .    .    .    .    .    .
    AwaitsSync     .    .    .    .    .    fail .    .    .    .    .    idle kept kept
    TwoQueries     .    .    .    part part fail copy part part part .    next next next
    TwoBatches     .    .    .    next part fail copy part next .    .    .    .    .
    FailedQuery    .    .    .    .    .    fail .    .    .    .    .    idle kept kept
    Skipping       .    .    .    .    .    .    .    .    .    .    .    .    .    .
    SkippingToSent .    .    .    .    .    fail .    .    .    .    .    idle kept kept
    CopyIn         .    .    .    .    .    fail .    .    .    .    .    .    .    .
    CopyInBatch    .    .    .    .    .    skip .    .    .    .    .    .    .    .
    SecondCopyIn   .    .    .    .    .    fail .    .    .    .    .    .    .    .
    CopyEnded      .    .    .    part part fail copy part part part .    idle kept kept
    CopyBeforeSync .    .    .    .    .    skip .    .    .    .    .    .    .    .
    CopyWithSync   .    .    .    .    .    fail .    .    .    .    .    .    .    .
    SyncBeforeCopy .    .    .    part part fail copy part part part .    idle kept kept
    AllOfCopySent  .    .    .    .    .    fail .    .    .    .    .    idle kept kept
    FailedCopy     .    .    .    .    .    .    .    .    .    .    .    .    .    .
    DoubtfulBatch  .    .    .    .    .    .    .    .    .    .    .    last kept kept
    DoubtfulQuery  .    .    .    .    .    fail .    .    .    .    .    last kept kept
    OurQuery       .    .    .    ours ours ours ours ours ours ours .    ours ours ours
    OurParse       ours .    .    .    .    fail .    .    .    .    .    .    .    .
  )",
      base::names_of(kStates), kFrequentReplies,
      [](std::size_t state, std::size_t reply) { return answer(state, kFrequentReplies[reply]); });
}

TEST(QueryCycleMatrix, every_other_reply_in_every_state) {
  base::expect_matrix(
      R"(
                   c    d    n    s    t    W R x
    Fresh          .    .    .    .    .    . . .
    InBlock        .    .    .    .    .    . . .
    FailedBlock    .    .    .    .    .    . . .
    OpenBatch      .    .    .    .    .    . . .
    AwaitsQuery    part part .    .    .    . . .
    AwaitsCall     .    .    .    .    .    . . .
    AwaitsParse    .    .    .    .    .    . . .
    AwaitsBind     .    .    .    .    .    . . .
    AwaitsDescribe .    .    open .    part . . .
    AwaitsExecute  part part .    open .    . . .
    AwaitsClose    .    .    .    .    .    . . .
    AwaitsSync     .    .    .    .    .    . . .
    TwoQueries     part part .    .    .    . . .
    TwoBatches     part part .    next .    . . .
    FailedQuery    .    .    .    .    .    . . .
    Skipping       .    .    .    .    .    . . .
    SkippingToSent .    .    .    .    .    . . .
    CopyIn         .    .    .    .    .    . . .
    CopyInBatch    .    .    .    .    .    . . .
    SecondCopyIn   .    .    .    .    .    . . .
    CopyEnded      part part .    .    .    . . .
    CopyBeforeSync .    .    .    .    .    . . .
    CopyWithSync   .    .    .    .    .    . . .
    SyncBeforeCopy part part .    .    .    . . .
    AllOfCopySent  .    .    .    .    .    . . .
    FailedCopy     .    .    .    .    .    . . .
    DoubtfulBatch  .    .    .    .    .    . . .
    DoubtfulQuery  .    .    .    .    .    . . .
    OurQuery       ours ours .    .    .    . . .
    OurParse       .    .    .    .    .    . . .
  )",
      base::names_of(kStates), kOtherReplies,
      [](std::size_t state, std::size_t reply) { return answer(state, kOtherReplies[reply]); });
}

}  // namespace
}  // namespace pgweir::session
