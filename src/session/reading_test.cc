#include "session/reading.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

std::string reading(ParameterTable& table, ParameterSet set) {
  const ParameterSetId id = table.intern(std::move(set));
  std::string out;
  append_reading(table.at(id), out);
  table.release(id);
  return out;
}

TEST(ReadingTest, it_is_what_a_literal_depends_on_in_any_spelling) {
  EXPECT_TRUE(decides_reading("DateStyle"));
  EXPECT_TRUE(decides_reading("datestyle"));
  EXPECT_TRUE(decides_reading("TimeZone"));
  EXPECT_TRUE(decides_reading("TIMEZONE"));
  EXPECT_TRUE(decides_reading("client_encoding"));
  EXPECT_FALSE(decides_reading("application_name"));
  EXPECT_FALSE(decides_reading("statement_timeout"));
  EXPECT_FALSE(decides_reading("search_path")) << "a plan is made anew when it changes";
  EXPECT_FALSE(decides_reading(""));
}

TEST(ReadingTest, those_who_read_alike_have_it_in_common) {
  ParameterTable table;
  EXPECT_EQ(reading(table, {}), "");
  EXPECT_EQ(reading(table, {{"application_name", {.text = "a", .is_source = false}}}), "");
  const std::string tokyo = reading(table, {{"TimeZone", {.text = "Asia/Tokyo"}}});
  EXPECT_NE(tokyo, "");
  EXPECT_EQ(
      reading(table, {{"TimeZone", {.text = "Asia/Tokyo"}}, {"application_name", {.text = "b"}}}),
      tokyo);
  EXPECT_NE(reading(table, {{"TimeZone", {.text = "UTC"}}}), tokyo);
}

}  // namespace
}  // namespace pgweir::session
