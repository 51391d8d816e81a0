#include "obs/wall_time.h"

#include <gtest/gtest.h>

namespace pgweir::obs {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

TEST(WallTimeTest, prints_utc_with_milliseconds_cut_off) {
  EXPECT_EQ(iso_text(system_clock::time_point{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_text(system_clock::time_point{seconds(1'795'341'600) + milliseconds(42)}),
            "2026-11-22T10:00:00.042Z");
  EXPECT_EQ(iso_text(system_clock::time_point{microseconds(999'999)}), "1970-01-01T00:00:00.999Z");
}

TEST(WallTimeTest, stays_right_before_the_epoch) {
  EXPECT_EQ(iso_text(system_clock::time_point{milliseconds(-1)}), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace pgweir::obs
