#include "pool/ask_board.h"

#include <gtest/gtest.h>

namespace pgweir::pool {
namespace {

using std::chrono::seconds;

base::Instant at(int second) { return base::Instant{seconds(second)}; }

AskedSince since(int second) {
  AskedSince asked;
  asked.fill(base::kNever);
  asked.front() = at(second);
  return asked;
}

TEST(AskBoardTest, counts_the_others_who_came_before) {
  AskBoard board;
  EXPECT_EQ(board.count_before(base::kNever, 0, at(0)), 0U) << "nobody asks";
  board.ask(0, since(1), 1, at(8));
  board.ask(1, since(3), 1, at(8));
  board.ask(2, since(5), 1, at(8));
  EXPECT_EQ(board.count_before(at(4), 0, at(0)), 1U) << "not oneself, not the younger one";
  EXPECT_EQ(board.count_before(at(3), 0, at(0)), 0U);
  EXPECT_EQ(board.count_before(base::kNever, 3, at(0)), 3U);
}

TEST(AskBoardTest, counts_who_was_answered_and_not_who_asks_no_more) {
  AskBoard board;
  board.ask(1, since(3), 1, at(8));
  ASSERT_TRUE(board.try_answer(1));
  EXPECT_EQ(board.count_before(at(4), 0, at(0)), 1U) << "the permit is on its way to this one";
  board.withdraw(1);
  EXPECT_EQ(board.count_before(at(4), 0, at(0)), 0U);
  EXPECT_EQ(board.since(1), base::kNever);
}

TEST(AskBoardTest, counts_nobody_who_has_not_asked_again) {
  AskBoard board;
  board.ask(1, since(3), 1, at(8));
  EXPECT_EQ(board.count_before(at(4), 0, at(7)), 1U);
  EXPECT_EQ(board.count_before(at(4), 0, at(8)), 0U);
  board.ask(1, since(3), 1, at(9));
  EXPECT_EQ(board.count_before(at(4), 0, at(8)), 1U);
}

TEST(AskBoardTest, tells_since_when_the_oldest_waits) {
  AskBoard board;
  board.ask(1, since(3), 1, at(8));
  EXPECT_EQ(board.since(1), at(3));
  board.renew(1, since(4));
  EXPECT_EQ(board.since(1), at(4));
}

}  // namespace
}  // namespace pgweir::pool
