#include "session/pin_set.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

void run(PinSet& pins, std::string_view text) {
  const StatementEffects effects = analyse(text, true);
  for (const StatementEffect& effect : effects.entries()) pins.apply(effect);
}

// In a transaction of its own.
void run_and_commit(PinSet& pins, std::string_view text) {
  run(pins, text);
  pins.handle_transaction_end(true);
}

TEST(PinSetTest, begins_empty) {
  const PinSet pins;
  EXPECT_TRUE(pins.empty());
  EXPECT_EQ(pins.first_reason(), std::nullopt);
  EXPECT_FALSE(pins.needs_close());
}

TEST(PinSetTest, discard_all_ends_what_it_can) {
  for (std::uint8_t i = 0; i < kPinReasonCount; ++i) {
    const auto reason = static_cast<PinReason>(i);
    PinSet pins;
    pins.add(reason);
    EXPECT_TRUE(pins.contains(reason));
    EXPECT_EQ(pins.first_reason(), reason);
    EXPECT_EQ(pins.needs_close(), needs_close(reason));
    run_and_commit(pins, "DISCARD ALL");
    EXPECT_EQ(pins.empty(), !survives_discard_all(reason)) << to_text(reason);
  }
}

TEST(PinSetTest, other_statements_end_nothing) {
  for (const std::string_view text :
       {"RESET a", "UNLISTEN a", "CLOSE c", "DEALLOCATE p", "SELECT pg_advisory_unlock(1)",
        "SET ROLE NONE", "DISCARD PLANS", "DROP TABLE t", "SELECT pg_advisory_unlock_all(), 1"}) {
    PinSet pins;
    for (std::uint8_t i = 0; i < kPinReasonCount; ++i) pins.add(static_cast<PinReason>(i));
    run_and_commit(pins, text);
    for (std::uint8_t i = 0; i < kPinReasonCount; ++i) {
      EXPECT_TRUE(pins.contains(static_cast<PinReason>(i))) << text;
    }
  }
}

TEST(PinSetTest, the_last_of_its_names_ends_a_reason) {
  struct Case {
    std::string_view begin_a, begin_b, end_a, end_b;
  };
  for (const Case& c :
       {Case{"LISTEN a", "LISTEN \"B\"", "UNLISTEN A", "UNLISTEN \"B\""},
        Case{"PREPARE a AS SELECT 1", "PREPARE b (int) AS SELECT $1", "DEALLOCATE a",
             "DEALLOCATE PREPARE b"},
        Case{"DECLARE a CURSOR WITH HOLD FOR SELECT 1",
             "DECLARE b NO SCROLL CURSOR WITH HOLD FOR SELECT 1", "CLOSE a", "CLOSE b"},
        Case{"SELECT set_config('a', $1, false)", "SELECT set_config('B.c', '', false)", "RESET A",
             "SET b.c TO 1"}}) {
    PinSet pins;
    for (const std::string_view text : {c.begin_a, c.begin_b, c.end_a}) run_and_commit(pins, text);
    EXPECT_FALSE(pins.empty()) << c.begin_b;
    run(pins, c.end_b);
    pins.handle_transaction_end(false);
    EXPECT_FALSE(pins.empty()) << c.end_b << " was rolled back";
    run_and_commit(pins, c.end_b);
    EXPECT_TRUE(pins.empty()) << c.end_b;
  }
}

TEST(PinSetTest, no_name_ends_what_came_without_one_or_beyond_the_last_that_is_kept) {
  PinSet pins;
  pins.add(PinReason::SqlPrepare);
  run_and_commit(pins, "PREPARE a AS SELECT 1");
  run_and_commit(pins, "DEALLOCATE a");
  EXPECT_FALSE(pins.empty());
  run_and_commit(pins, "DEALLOCATE ALL");
  EXPECT_TRUE(pins.empty());
  for (int i = 0; i < 65; ++i) run_and_commit(pins, "LISTEN c" + std::to_string(i));
  for (int i = 0; i < 65; ++i) run_and_commit(pins, "UNLISTEN c" + std::to_string(i));
  EXPECT_FALSE(pins.empty());
  run_and_commit(pins, "UNLISTEN *");
  EXPECT_TRUE(pins.empty());
}

TEST(PinSetTest, a_pin_counts_at_once_and_outlives_a_rollback) {
  PinSet pins;
  run(pins, "LISTEN a");
  EXPECT_FALSE(pins.empty());
  pins.handle_transaction_end(false);
  EXPECT_EQ(pins.first_reason(), PinReason::Listen);
}

TEST(PinSetTest, an_undoing_counts_once_committed) {
  PinSet pins;
  pins.add(PinReason::Listen);
  run(pins, "UNLISTEN *");
  EXPECT_FALSE(pins.empty());
  pins.handle_transaction_end(false);
  pins.handle_transaction_end(true);
  EXPECT_FALSE(pins.empty());
  run_and_commit(pins, "UNLISTEN *");
  EXPECT_TRUE(pins.empty());
}

TEST(PinSetTest, rollback_to_a_savepoint_takes_undoings_back) {
  PinSet pins;
  pins.add(PinReason::SetRole);
  run_and_commit(pins, "SAVEPOINT s; RESET ROLE; ROLLBACK TO s");
  EXPECT_FALSE(pins.empty());
  run_and_commit(pins, "SAVEPOINT s; RESET ROLE; RELEASE s");
  EXPECT_TRUE(pins.empty());
}

TEST(PinSetTest, what_may_have_ended_is_to_be_asked) {
  struct Case {
    std::string_view begin, end;
    bool is_in_doubt;
  };
  for (const auto& [begin, end, is_in_doubt] :
       {Case{"SELECT pg_advisory_lock(1)", "SELECT 1", false},
        Case{"SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)", true},
        Case{"SELECT pg_try_advisory_lock(1)", "SELECT 1", true},
        Case{"SET ROLE a", "SELECT pg_advisory_unlock(1)", false},
        Case{"SET ROLE a", "SET ROLE NONE", true},
        Case{"CREATE TEMP TABLE t () ON COMMIT DROP", "COMMIT", true},
        Case{"LISTEN a", "COMMIT", false},
        Case{"SET SESSION AUTHORIZATION a", "SET ROLE NONE", false}}) {
    PinSet pins;
    run(pins, begin);
    EXPECT_FALSE(pins.empty()) << begin;
    run_and_commit(pins, end);
    EXPECT_EQ(pins.is_in_doubt(), is_in_doubt) << begin << "; " << end;
    EXPECT_FALSE(pins.empty()) << begin;
  }
}

TEST(PinSetTest, what_was_rolled_back_is_to_be_asked) {
  PinSet pins;
  run(pins, "LISTEN a");
  pins.handle_transaction_end(false);
  EXPECT_TRUE(pins.is_in_doubt());
  pins.take_question();
  EXPECT_FALSE(pins.is_in_doubt());
  run(pins, "SAVEPOINT s; PREPARE p AS SELECT 1; ROLLBACK TO s");
  pins.handle_transaction_end(true);
  EXPECT_TRUE(pins.is_in_doubt());
}

TEST(PinSetTest, nobody_is_asked_about_what_does_not_show) {
  PinSet pins;
  run(pins, "SELECT pg_try_advisory_lock(1)");
  run_and_commit(pins, "SELECT set_config('a', 'b', false)");
  EXPECT_FALSE(pins.is_in_doubt());
  run_and_commit(pins, "RESET a");
  EXPECT_TRUE(pins.is_in_doubt());
}

TEST(PinSetTest, the_question_is_about_all_that_is_there_and_the_answer_ends_it) {
  PinSet pins;
  run_and_commit(pins, "LISTEN a");
  run_and_commit(pins, "SELECT pg_try_advisory_lock(1)");
  const std::string question = pins.take_question();
  EXPECT_NE(question.find("pg_listening_channels"), std::string::npos);
  EXPECT_NE(question.find("pg_locks"), std::string::npos);
  EXPECT_EQ(question.find("pg_cursors"), std::string::npos);
  EXPECT_TRUE(pins.contains(PinReason::Listen));
  pins.settle_doubt();
  EXPECT_TRUE(pins.empty());
  run_and_commit(pins, "LISTEN b");
  run_and_commit(pins, "UNLISTEN b");
  EXPECT_TRUE(pins.empty()) << "of the name `a` nothing is left";
}

TEST(PinSetTest, what_is_added_behind_the_question_stays) {
  PinSet pins;
  run_and_commit(pins, "LISTEN a; SELECT pg_try_advisory_lock(1)");
  pins.take_question();
  pins.add(PinReason::AdvisoryLock);
  pins.settle_doubt();
  EXPECT_FALSE(pins.contains(PinReason::Listen));
  EXPECT_TRUE(pins.contains(PinReason::AdvisoryLock));
}

TEST(PinReasonTest, every_reason_has_its_own_text) {
  for (std::uint8_t i = 0; i < kPinReasonCount; ++i) {
    const std::string_view text = to_text(static_cast<PinReason>(i));
    EXPECT_NE(text, "unknown");
    for (std::uint8_t j = 0; j < i; ++j) EXPECT_NE(text, to_text(static_cast<PinReason>(j)));
  }
}

TEST(PinReasonTest, a_server_is_closed_behind_what_discard_all_does_not_prove_gone) {
  for (const PinReason reason : {PinReason::NotUnderstood, PinReason::AnonymousBlock,
                                 PinReason::RandomSeed, PinReason::RemoteConnection}) {
    EXPECT_TRUE(needs_close(reason)) << to_text(reason);
  }
  for (const PinReason reason : {PinReason::SetConfig, PinReason::TemporarySchema,
                                 PinReason::SequenceValue, PinReason::Listen}) {
    EXPECT_FALSE(needs_close(reason)) << to_text(reason);
  }
}

TEST(PinReasonTest, a_combined_reason_ends_no_earlier_than_its_parts) {
  EXPECT_EQ(combine(PinReason::Listen, PinReason::Listen), PinReason::Listen);
  EXPECT_EQ(combine(PinReason::Listen, PinReason::SetRole), PinReason::NotUnderstood);
  EXPECT_EQ(combine(PinReason::Listen, PinReason::SetConfig), PinReason::NotUnderstood);
  EXPECT_EQ(combine(PinReason::SetConfig, PinReason::TemporarySchema), PinReason::TemporarySchema);
  EXPECT_EQ(combine(PinReason::Load, PinReason::SetConfig), PinReason::Load);
  EXPECT_EQ(combine(PinReason::SetConfig, PinReason::AnonymousBlock), PinReason::AnonymousBlock);
}

}  // namespace
}  // namespace pgweir::session
