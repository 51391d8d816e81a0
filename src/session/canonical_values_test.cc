#include "session/canonical_values.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

TEST(CanonicalValuesTest, a_value_is_spelled_as_it_is_until_the_server_has_said_otherwise) {
  CanonicalValues values;
  EXPECT_EQ(values.spell("DateStyle", "ISO"), "ISO");
  values.learn("DateStyle", "ISO", "ISO, MDY");
  EXPECT_EQ(values.spell("DateStyle", "ISO"), "ISO, MDY");
  EXPECT_EQ(values.spell("DateStyle", "German"), "German");
  EXPECT_EQ(values.spell("IntervalStyle", "ISO"), "ISO");
}

TEST(CanonicalValuesTest, the_last_answer_counts) {
  CanonicalValues values;
  values.learn("DateStyle", "ISO", "ISO, MDY");
  values.learn("DateStyle", "ISO", "ISO, DMY");
  EXPECT_EQ(values.spell("DateStyle", "ISO"), "ISO, DMY");
  values.learn("DateStyle", "ISO", "ISO");
  EXPECT_EQ(values.spell("DateStyle", "ISO"), "ISO");
}

TEST(CanonicalValuesTest, clients_cannot_fill_it) {
  CanonicalValues values;
  for (int i = 0; i < 2000; ++i) values.learn("TimeZone", std::to_string(i), "UTC");
  EXPECT_EQ(values.spell("TimeZone", "0"), "UTC");
  EXPECT_EQ(values.spell("TimeZone", "1999"), "1999");
  values.learn("TimeZone", "0", "GMT");  // What is known is kept up to date.
  EXPECT_EQ(values.spell("TimeZone", "0"), "GMT");
}

TEST(CanonicalValuesTest, it_knows_what_servers_report) {
  CanonicalValues values;
  EXPECT_FALSE(values.is_reported("TimeZone"));
  values.note_reported("TimeZone");
  EXPECT_TRUE(values.is_reported("TimeZone"));
  EXPECT_FALSE(values.is_reported("work_mem"));
}

}  // namespace
}  // namespace pgweir::session
