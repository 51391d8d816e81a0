#include "pool/timeouts.h"

#include <gtest/gtest.h>

namespace pgweir::pool {
namespace {

using base::Instant;
using std::chrono::seconds;

struct InTest;
struct Item : base::ListHook<InTest> {
  explicit Item(int second) : started(seconds(second)) {}
  Instant since() const { return started; }
  Instant started;
};

TEST(TimeoutsTest, finds_due_items_of_each_duration) {
  Timeouts<Item, InTest> timeouts;
  Item slow(0), quick(1), later(2);
  timeouts.start(slow, seconds(10));
  timeouts.start(quick, seconds(1));
  timeouts.start(later, seconds(1));
  EXPECT_EQ(timeouts.next(), Instant(seconds(2)));
  EXPECT_EQ(timeouts.take_due(Instant(seconds(1))), nullptr);
  EXPECT_EQ(timeouts.take_due(Instant(seconds(2))), &quick);
  EXPECT_EQ(timeouts.take_due(Instant(seconds(2))), nullptr);
  EXPECT_EQ(timeouts.next(), Instant(seconds(3)));
  later.unlink();
  EXPECT_EQ(timeouts.next(), Instant(seconds(10)));
  EXPECT_EQ(timeouts.take_due(Instant(seconds(10))), &slow);
  EXPECT_EQ(timeouts.next(), base::kNever);
}

TEST(TimeoutsTest, never_ends_what_has_no_timeout) {
  Timeouts<Item, InTest> timeouts;
  Item item(0);
  timeouts.start(item, base::Duration::zero());
  EXPECT_EQ(timeouts.next(), base::kNever);
  EXPECT_FALSE(item.is_linked());
}

}  // namespace
}  // namespace pgweir::pool
