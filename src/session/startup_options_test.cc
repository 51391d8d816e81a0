#include "session/startup_options.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

// "a=1|b=2", or the refusal.
std::string parse(const std::vector<std::pair<std::string, std::string>>& parameters) {
  const auto set = parse_startup_options(parameters);
  if (!set) return "refused: " + set.error().context;
  std::string text;
  for (const auto& [name, value] : *set) {
    EXPECT_FALSE(value.is_source);
    if (!text.empty()) text += '|';
    text += name + "=" + value.text;
  }
  return text;
}
std::string options(const std::string& text) { return parse({{"options", text}}); }

TEST(StartupOptionsTest, parameters_are_sorted_under_their_canonical_names) {
  EXPECT_EQ(parse({{"timezone", "UTC"}, {"Work_Mem", "1MB"}, {"DATESTYLE", "ISO"}}),
            "DateStyle=ISO|TimeZone=UTC|work_mem=1MB");
  EXPECT_EQ(parse({}), "");
}

TEST(StartupOptionsTest, switches_are_taken_apart) {
  EXPECT_EQ(options("-c a=1 -cb=2 --c=3 --d-e=4"), "a=1|b=2|c=3|d_e=4");
  EXPECT_EQ(options("  -c \t a=1\n"), "a=1");
  EXPECT_EQ(options(""), "");
  EXPECT_EQ(options("-c a="), "a=");
  EXPECT_EQ(options("-c a=b=c"), "a=b=c");
}

TEST(StartupOptionsTest, a_backslash_takes_the_next_character_as_it_is) {
  EXPECT_EQ(options("-c search_path=a,\\ b"), "search_path=a, b");
  EXPECT_EQ(options("-c a=\\\\"), "a=\\");
  EXPECT_EQ(options("-c a=x\\"), "a=x\\");  // Nothing follows it.
}

TEST(StartupOptionsTest, the_last_switch_and_then_a_parameter_of_its_own_wins) {
  EXPECT_EQ(options("-c a=1 -c A=2"), "a=2");
  EXPECT_EQ(parse({{"a", "3"}, {"options", "-c a=1"}}), "a=3");
}

TEST(StartupOptionsTest, it_refuses_to_make_the_client_somebody_else) {
  for (const std::string name : {"role", "session_authorization", "ROLE"}) {
    EXPECT_TRUE(parse({{name, "postgres"}}).starts_with("refused: pgweir does not take")) << name;
    EXPECT_TRUE(options("-c " + name + "=postgres").starts_with("refused: ")) << name;
  }
  EXPECT_TRUE(options("--session-authorization=postgres").starts_with("refused: "));
}

TEST(StartupOptionsTest, it_refuses_switches_of_a_command_line) {
  for (const std::string text :
       {"-d 5", "-B 100", "a=1", "-", "-c", "--", "-c a", "--a", "-c =1"}) {
    EXPECT_TRUE(options(text).starts_with("refused: ")) << text;
  }
}

TEST(StartupOptionsTest, it_refuses_names_that_no_parameter_has) {
  for (const std::string name : {"", "a b", "a\"b", "a;b", "a'b"}) {
    EXPECT_TRUE(parse({{name, "1"}}).starts_with("refused: invalid name")) << name;
  }
  EXPECT_TRUE(parse({{std::string(201, 'a'), "1"}}).starts_with("refused: "));
  EXPECT_EQ(parse({{"my.app$x_1", "1"}}), "my.app$x_1=1");
}

}  // namespace
}  // namespace pgweir::session
