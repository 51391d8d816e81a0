#include "session/parameters.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

ParameterValue plain(std::string text) { return {.text = std::move(text), .is_source = false}; }
ParameterValue source(std::string text) { return {.text = std::move(text), .is_source = true}; }

std::string difference(const ParameterTable& table, ParameterSetId from, ParameterSetId to) {
  std::string sql;
  table.append_difference(from, to, sql);
  return sql;
}

// The SQL that leads from the empty set to this one value.
std::string replay(std::string name, ParameterValue value) {
  ParameterTable table;
  const ParameterSetId id = table.intern({{std::move(name), std::move(value)}});
  std::string sql = difference(table, ParameterSetId::Empty, id);
  table.release(id);
  return sql;
}

TEST(ParameterTableTest, equal_sets_have_one_id) {
  ParameterTable table;
  const ParameterSetId a = table.intern({{"a", plain("1")}, {"b", plain("2")}});
  const ParameterSetId first = table.intern({{"a", plain("1")}});
  const ParameterSetId b = table.with(first, "b", plain("2"));
  EXPECT_EQ(a, b);
  EXPECT_EQ(table.intern({}), ParameterSetId::Empty);
  for (const ParameterSetId id : {a, b, first}) table.release(id);
}

TEST(ParameterTableTest, what_is_written_and_what_is_meant_are_not_the_same) {
  ParameterTable table;
  const ParameterSetId a = table.intern({{"a", plain("x")}});
  const ParameterSetId b = table.intern({{"a", source("x")}});
  EXPECT_NE(a, b);
  table.release(a);
  table.release(b);
}

TEST(ParameterTableTest, a_set_that_nobody_refers_to_is_forgotten) {
  ParameterTable table;
  const ParameterSetId id = table.intern({{"a", plain("1")}});
  table.retain(id);
  table.release(id);
  EXPECT_EQ(table.at(id).size(), 1U);
  EXPECT_EQ(table.size(), 2U);  // The empty one is for ever.
  table.release(id);
  EXPECT_EQ(table.size(), 1U);
  table.release(ParameterSetId::Empty);
  EXPECT_TRUE(table.at(ParameterSetId::Empty).empty());
}

TEST(ParameterTableTest, with_and_without_take_names_in_any_case) {
  ParameterTable table;
  const ParameterSetId zone = table.with(ParameterSetId::Empty, "TIMEZONE", plain("UTC"));
  ASSERT_NE(table.find(zone, "TimeZone"), nullptr);
  EXPECT_EQ(table.find(zone, "TimeZone")->text, "UTC");
  EXPECT_EQ(table.find(zone, "timezone"), nullptr);  // find() wants the canonical one.
  EXPECT_EQ(table.without(zone, "timezone"), ParameterSetId::Empty);
  const ParameterSetId other = table.with(zone, "timezone", plain("Asia/Tokyo"));
  EXPECT_EQ(table.at(other).size(), 1U);
  table.release(zone);
  table.release(other);
}

TEST(ParameterTableTest, what_a_server_spells_otherwise_is_found) {
  ParameterTable table;
  const ParameterSetId id = table.intern({{"DateStyle", plain("ISO")}, {"a.b", plain("1")}});
  ASSERT_NE(table.find_spelled(id, "datestyle"), nullptr);
  EXPECT_EQ(table.find_spelled(id, "datestyle")->text, "ISO");
  ASSERT_NE(table.find_spelled(id, "A.b"), nullptr);
  EXPECT_EQ(table.find_spelled(id, "A.b")->text, "1");
  EXPECT_EQ(table.find_spelled(id, "a"), nullptr);
  EXPECT_EQ(table.find_spelled(ParameterSetId::Empty, "a.b"), nullptr);
  table.release(id);
}

TEST(ParameterTableTest, canonical_names_are_those_that_servers_report) {
  EXPECT_EQ(canonical_name("datestyle"), "DateStyle");
  EXPECT_EQ(canonical_name("INTERVALSTYLE"), "IntervalStyle");
  EXPECT_EQ(canonical_name("timeZone"), "TimeZone");
  EXPECT_EQ(canonical_name("Work_Mem"), "work_mem");
  EXPECT_EQ(canonical_name("My.Setting"), "my.setting");
}

TEST(ParameterTableTest, plain_values_are_read_as_a_startup_packet_is) {
  EXPECT_EQ(replay("search_path", plain("a, \"B\"")),
            "SELECT pg_catalog.set_config('search_path','a, \"B\"',false);");
}

TEST(ParameterTableTest, nothing_in_a_value_ends_its_literal) {
  EXPECT_EQ(replay("a", plain("'; DROP TABLE t; --")),
            "SELECT pg_catalog.set_config('a','''; DROP TABLE t; --',false);");
  // With a backslash the meaning would hang on standard_conforming_strings.
  EXPECT_EQ(replay("a", plain("\\'")), "SELECT pg_catalog.set_config('a', E'\\\\''',false);");
  EXPECT_EQ(replay("a'b", plain("")), "SELECT pg_catalog.set_config('a''b','',false);");
}

TEST(ParameterTableTest, source_text_is_replayed_as_it_was_written) {
  EXPECT_EQ(replay("search_path", source("a, \"B\", 'c'")),
            "SET \"search_path\" TO a, \"B\", 'c';");
  EXPECT_EQ(replay("request.jwt", source("'x'")), "SET \"request\".\"jwt\" TO 'x';");
}

TEST(ParameterTableTest, a_difference_resets_what_is_not_wanted_and_sets_what_differs) {
  ParameterTable table;
  const ParameterSetId from =
      table.intern({{"a", source("1")}, {"b", source("2")}, {"c", source("3")}});
  const ParameterSetId to =
      table.intern({{"b", source("2")}, {"c", source("4")}, {"d", source("5")}});
  EXPECT_EQ(difference(table, from, to), "RESET \"a\";SET \"c\" TO 4;SET \"d\" TO 5;");
  EXPECT_EQ(difference(table, from, from), "");
  table.release(from);
  table.release(to);
}

TEST(ParameterTableTest, a_date_style_that_says_half_begins_with_the_servers_own) {
  ParameterTable table;
  const ParameterSetId german = table.intern({{"DateStyle", source("German")}});
  const ParameterSetId iso = table.intern({{"DateStyle", source("ISO")}});
  EXPECT_EQ(difference(table, german, iso), "RESET \"DateStyle\";SET \"DateStyle\" TO ISO;");
  EXPECT_EQ(difference(table, ParameterSetId::Empty, iso), "SET \"DateStyle\" TO ISO;");
  table.release(german);
  table.release(iso);
}

}  // namespace
}  // namespace pgweir::session
