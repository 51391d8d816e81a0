// Where statements begin and end in a text: quotes, comments, escapes, parentheses, and the bounds
// of what is looked at.

#include "session/statement_effect_test.h"

namespace pgweir::session {
namespace {

TEST(StatementLexerTest, empty_statements_count_as_none) {
  expect_effects({
      {"", "0"},
      {";", "0"},
      {" ; ;; ", "0"},
      {"-- nothing", "0"},
      {"/* nothing */;", "0"},
      {";;SELECT 1;;SELECT 2;;", "2"},
      {"SELECT 1; -- end", "1"},
      {";SET a TO 1;;RESET b;", "2: set a = 1 | reset b"},
      {"SELECT 1; SELECT 2; SET a TO 1; SELECT 3", "4: none | none | set a = 1"},
  });
}

TEST(StatementLexerTest, the_zero_byte_behind_a_text_is_no_part_of_it) {
  const std::string zero(1, '\0');
  expect_effects({
      {zero, "0"},
      {"SELECT 1;" + zero, "1"},
      {"RESET a" + zero, "1: reset a"},
      {"SET a TO 'b'" + zero, "1: set a = 'b'"},
      {"SELECT pg_advisory_unlock_all()" + zero, "1: unpin advisory_lock"},
  });
}

TEST(StatementLexerTest, quotes_and_comments_hide_nothing_and_invent_nothing) {
  expect_effects({
      {"SELECT '; SET ROLE a'", "1"},
      {"SELECT 'a''; SET ROLE b'", "1"},
      {"SELECT '\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT E'\\'; SET ROLE a; --'", "1"},
      {"SELECT E'\\\\'; SET ROLE a", "2: none | pin set_role"},
      {"SELECT E'a'\n'\\'; SET ROLE a; --'", "1"},
      {"SELECT E'a' -- b\n '\\'; SET ROLE a; --'", "1"},
      {"SELECT E'a' '\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT E'a'/*\n*/'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT E'a'\n/**/'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT E'a'; \n'\\'; SET ROLE a; --'", "3: none | pin not_understood | pin set_role"},
      {"SELECT fe'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT 1e'\\'; SET ROLE a; --'", "1"},
      {"SELECT $1e'\\'; SET ROLE a; --'", "1"},
      {"SELECT 1e5e'\\'; SET ROLE a; --'", "1"},
      {"SELECT 1.5E05E'\\''; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT 1e+5e'\\'; SET ROLE a; --'", "1"},
      {"SELECT 1ee'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT $1e5e'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT $1.5e5e'\\'; SET ROLE a; --'", "1"},
      {"SELECT U&'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT u & '\\'; SET ROLE a", "2: none | pin set_role"},
      {"SELECT u&a; SET ROLE a", "2: none | pin set_role"},
      {"SELECT b'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT n'\\'; SET ROLE a; --'", "2: none | pin set_role"},
      {"SELECT \"a;b\"", "1"},
      {"SELECT \"a\"\";SET ROLE b\"", "1"},
      {"SELECT \"a\\\"; SET ROLE b; --\"", "2: none | pin set_role"},
      {"SELECT U&\"a;b\"", "1: pin not_understood"},
      {"SELECT $$; SET ROLE a$$", "1"},
      {"SELECT $a$ $$; $b$ ; SET ROLE b $a$", "1"},
      {"SELECT $a$;$b$a$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT $$;$a$$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT $a$;$A$;$a$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT $a$;$ab$;$a$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT $ab$;$a$;$ab$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT a$b$; SET ROLE b --$", "2: none | pin set_role"},
      {"SELECT $1$a$;$a$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT 1$a$;$a$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT $é$;$é$; SET ROLE b", "2: none | pin set_role"},
      {"SELECT $1; SET ROLE b", "2: none | pin set_role"},
      {"-- SET ROLE a\nSELECT 1", "1"},
      {"-- SET ROLE a\rSET ROLE b", "1: pin set_role"},
      {"SELECT 1 --; SET ROLE a", "1"},
      {"SELECT 1 - -1; SET ROLE a", "2: none | pin set_role"},
      {"SELECT 1 *-- x\n2; SET ROLE a", "2: none | pin set_role"},
      {"/* ; /* ; */ SET ROLE a; */ SELECT 1", "1"},
      {"/*/**/*/SET ROLE a", "1: pin set_role"},
      {"/*/*/ */ SET ROLE a */SELECT 1", "1"},
      {"/***/SET ROLE a", "1: pin set_role"},
      {"/* * / */SET ROLE a", "1: pin set_role"},
      {"SELECT 4 / 2; SET ROLE a", "2: none | pin set_role"},
      {"/**/SET/**/ROLE/**/a", "1: pin set_role"},
      {"SELECT/*'*/1;SET ROLE a--'", "2: none | pin set_role"},
      {"SELECT 'pg_advisory_lock(1)', \"set_config \"", "1"},
      {"SELECT $$set_config('a','b',false)$$ -- setseed(1)", "1"},
      {"SELECT 'open; SET ROLE a", "1"},
      {"SELECT \"open; SET ROLE a", "1"},
      {"SELECT $x$open; SET ROLE a", "1"},
      {"SELECT /*open; SET ROLE a", "1"},
      {"\xEF\xBB\xBFSELECT 1", "1: pin not_understood"},
      {std::string("SELECT \0 1; SET ROLE a", 22), "2: none | pin set_role"},
  });
}

TEST(StatementLexerTest, escapes_count_in_plain_strings_when_they_are_not_standard) {
  expect_effects(
      {
          {"SELECT '\\'; SET ROLE a; --'", "1"},
          {"SELECT n'\\'; SET ROLE a; --'", "1"},
          {"SELECT 'a\\\\'; SET ROLE a", "2: none | pin set_role"},
          {"SELECT b'\\'; SET ROLE a; --'", "2: none | pin set_role"},
          {"SELECT b'1'\n'\\'; SET ROLE a; --'", "2: none | pin set_role"},
          {"SET a TO 'b\\'c'", "1: set a = E'b\\'c'"},
          {"SET a TO 'b'", "1: set a = 'b'"},
          {"SET standard_conforming_strings = on", "1: pin not_understood"},
      },
      kEscapes);
}

TEST(StatementLexerTest, semicolons_in_parentheses_end_nothing) {
  expect_effects({
      {"CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b); SET ROLE c",
       "2: taint temporary_object | pin set_role"},
      {"SELECT ')'; SET ROLE a", "2: none | pin set_role"},
      {"SELECT 1); SET ROLE a", "2: none | pin set_role"},
      {"SELECT (1", "1"},
  });
}

TEST(StatementLexerTest, gives_up_where_the_end_of_a_statement_is_unknown) {
  expect_effects({
      {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SET ROLE a",
       "1: pin not_understood …"},
      {"SELECT 1; SET a TO 1; CREATE PROCEDURE p() BEGIN/**/ATOMIC END",
       "3: none | set a = 1 | pin not_understood …"},
      {"SELECT $" + std::string(65, 'a') + "$;$" + std::string(65, 'a') + "$; SET ROLE a",
       "1: pin not_understood …"},
  });
}

TEST(StatementLexerTest, bounds_the_entries_of_a_text) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "SELECT 1;";
  EXPECT_EQ(describe(analyse(text, kStandard)), "1000");

  const StatementEffects late = analyse(text + "SET a TO 1", kStandard);
  EXPECT_FALSE(late.is_complete());
  EXPECT_EQ(late.entries().size(), StatementEffects::kEntryCountMax);
  EXPECT_EQ(describe(late.entries().back()), "pin not_understood");

  const StatementEffects early = analyse("SET a TO 1;" + text, kStandard);
  EXPECT_TRUE(early.is_complete());
  EXPECT_EQ(describe(early), "1001: set a = 1");

  std::string sets;
  for (int i = 0; i < 300; ++i) sets += "SET a TO 1;";
  const StatementEffects many = analyse(sets, kStandard);
  EXPECT_FALSE(many.is_complete());
  EXPECT_EQ(many.entries().size(), StatementEffects::kEntryCountMax);
  EXPECT_EQ(describe(many.entries()[254]), "set a = 1");
  EXPECT_EQ(describe(many.entries()[255]), "pin not_understood");
}

TEST(StatementLexerTest, an_analyser_forgets_the_text_before) {
  EffectAnalyser analyser;
  analyser.reset(kStandard);
  analyser.feed("SELECT 'open (( /* $x$");
  analyser.finish();
  analyser.reset(kStandard);
  analyser.feed("SET a TO 1; SELECT 1");
  EXPECT_EQ(describe(analyser.finish()), "2: set a = 1");
}

}  // namespace
}  // namespace pgweir::session
