#include "client/usage.h"

#include <gtest/gtest.h>

namespace pgweir::client {
namespace {

using namespace std::chrono_literals;

TEST(UsageTest, D23_the_peak_is_of_those_lent_at_the_same_time) {
  Usage usage;
  EXPECT_EQ(usage.report().lent_max, 0U);
  usage.note_lent();
  usage.note_returned();
  usage.note_lent();
  usage.note_lent();
  usage.note_returned();
  usage.note_lent();
  EXPECT_EQ(usage.report().lent_max, 2U);
}

TEST(UsageTest, D23_who_did_not_wait_counts_as_a_wait_of_nothing) {
  Usage usage;
  EXPECT_EQ(usage.report().wait_p99, 0s);
  for (int i = 0; i < 990; ++i) usage.note_no_wait();
  for (int i = 0; i < 9; ++i) usage.note_wait(2s);
  usage.note_wait(80ms);
  EXPECT_EQ(usage.report().wait_p99, 0s);  // The 990th of 1000.
  usage.note_wait(60s);  // Now it is the 991st of 1001, the shortest of the waits.
  EXPECT_GE(usage.report().wait_p99, 80ms);
  EXPECT_LE(usage.report().wait_p99, 90ms);
  usage.note_wait(60s);
  EXPECT_GE(usage.report().wait_p99, 2s);
  EXPECT_LE(usage.report().wait_p99, 2250ms);
}

TEST(UsageTest, D23_where_all_waited_the_longest_is_found) {
  Usage usage;
  for (int i = 0; i < 98; ++i) usage.note_wait(1ms);
  usage.note_wait(1s);
  usage.note_wait(1h);
  EXPECT_GE(usage.report().wait_p99, 1s);
  EXPECT_LE(usage.report().wait_p99, 1125ms);
}

}  // namespace
}  // namespace pgweir::client
