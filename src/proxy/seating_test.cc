#include "proxy/seating.h"

#include <gtest/gtest.h>

#include <vector>

namespace pgweir::proxy {
namespace {

TEST(SeatingTest, no_more_seats_than_the_limit_and_a_given_back_one_is_free) {
  Seating seating;
  auto first = seating.take("app", 2);
  auto second = seating.take("app", 2);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(seating.take("app", 2));
  EXPECT_TRUE(seating.take("other", 2));
  first.reset();
  EXPECT_TRUE(seating.take("app", 2));
}

TEST(SeatingTest, a_limit_of_zero_lets_nobody_in) { EXPECT_FALSE(Seating().take("app", 0)); }

TEST(SeatingTest, a_moved_seat_is_given_back_once) {
  Seating seating;
  {
    Seat seat = *seating.take("app", 1);
    Seat moved = std::move(seat);
    EXPECT_FALSE(seating.take("app", 1));
    Seat assigned;
    assigned = std::move(moved);
    EXPECT_FALSE(seating.take("app", 1));
  }
  auto one = seating.take("app", 1);
  EXPECT_TRUE(one);
  EXPECT_FALSE(seating.take("app", 1));
}

TEST(SeatingTest, a_seat_outlives_its_seating) {
  auto seating = std::make_unique<Seating>();
  const auto seat = seating->take("app", 1);
  seating.reset();
  EXPECT_TRUE(seat);
}

TEST(SeatingTest, names_of_strangers_do_not_pile_up) {
  Seating seating;
  const auto seat = seating.take("stays", 1);
  for (int i = 0; i < 10'000; ++i) seating.take("stranger " + std::to_string(i), 1);
  EXPECT_LE(seating.name_count(), 64U);
  EXPECT_FALSE(seating.take("stays", 1));
}

}  // namespace
}  // namespace pgweir::proxy
