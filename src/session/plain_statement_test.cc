#include "session/plain_statement.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/rng.h"
#include "session/statement_effect.h"

namespace pgweir::session {
namespace {

// What EffectAnalyser finds, which takes its time.
StatementEffects look_closely(std::string_view text, bool standard_conforming_strings) {
  EffectAnalyser analyser;
  analyser.reset(standard_conforming_strings);
  analyser.feed(text);
  return analyser.finish();
}

TEST(PlainStatementTest, what_applications_send_is_plain) {
  for (const char* text : {
           "select 1",
           "  SELECT 'a', 'b''c' FROM t WHERE a = $1 AND b <> -2 / 3.5e10;\n",
           R"(SELECT "public"."User"."id", "email" FROM "public"."User" WHERE 1=1 OFFSET $1)",
           "INSERT INTO \"t\" (a, b) VALUES (1, E'x') ON CONFLICT DO NOTHING RETURNING id",
           "update t set a = a + 1, b = array[1, 2] where c::text like '%;--%'",
           "WITH a AS (SELECT 1) SELECT * FROM a",
           "VALUES (1, 'é')",
           "BEGIN",
           "delete from t where a in (1, 2) and b @> $2",
           "begin isolation level serializable;",
           "COMMIT",
           "select u&'d!0061t' uescape '!'",
           "select a$b, currvalue, coalesce(c, 1), Set_Confit, character from très",
           "select 1 -",
       }) {
    EXPECT_TRUE(is_plain_statement(text)) << text;
  }
}

TEST(PlainStatementTest, what_takes_a_closer_look_is_not) {
  for (const char* text : {
           "",
           ";",
           "select 1; select 2",
           "select 1;;",
           "(select 1)",
           "set a = 1",
           "rollback to a",
           "select 1 -- a",
           "select /* a */ 1",
           "select 'a\\'",
           "select 'a",
           "select \"a",
           "select \"a\"\"b\"",
           "select u&\"a\"",
           "select $$a$$",
           "select $a$a$a$",
           "select {fn a}",
           "select 1 into a",
           "select 1into a",
           "select 1e5into a",
           "insert a",
           "insert /* */ into a",
           "insert into temp values (1)",
           "with a as (insert into b default values) select 1",
           "select pg_advisory_lock(1)",
           "select PG_TRY_ADVISORY_LOCK(1)",
           "select \"pg_advisory_lock\"(1)",
           "select Set_Config('a', 'b', false)",
           "select CurrVal('a')",
           "select lastval()",
           "begin atomic",
       }) {
    EXPECT_FALSE(is_plain_statement(text)) << text;
  }
}

// Texts of any pieces that mean something to either of the two.
TEST(PlainStatementTest, what_is_plain_has_no_effect_at_a_closer_look) {
  constexpr std::array kPieces{
      "select",  "insert",  "into",     "update", "delete",     "with", "values",  "begin",
      "commit",  "SELECT",  "Insert",   "temp",   "temporary",  "TEMP", "atomic",  "create",
      "replace", "local",   "global",   "merge",  "set_config", "pg_a", "pg_temp", "lastval",
      "currval", "SETSEED", "isn_weak", "a",      "b",          "e",    "u",       "x",
      "n",       "u&",      "'",        "''",     "'a'",        "\"",   "\"a\"",   "\"lastval\"",
      "\\",      "$",       "$$",       "$a$",    "$1",         "1",    "1e",      "1e5",
      ".",       ";",       "(",        ")",      "-",          "--",   "/",       "*",
      "/*",      "*/",      "&",        ",",      "=",          "\n",   " ",       " ",
      " ",       "é",       "declare",  "hold",   "set",        "to",   "false",   "pg_settings"};
  base::Rng rng(20261122);
  std::size_t plain_count = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text(kPieces[rng.below(11)]);
    if (text == "insert" && rng.chance(0.5)) text += " into";
    for (auto left = rng.below(8); left > 0; --left) {
      if (rng.chance(0.5)) text += ' ';
      text += kPieces[rng.below(kPieces.size())];
    }
    if (!is_plain_statement(text)) continue;
    ++plain_count;
    for (const bool is_standard : {true, false}) {
      const StatementEffects effects = look_closely(text, is_standard);
      ASSERT_TRUE(effects.is_trivial() && effects.is_complete()) << text;
      ASSERT_EQ(effects.statement_count(), 1U) << text;
    }
  }
  EXPECT_GT(plain_count, 10'000U);
}

}  // namespace
}  // namespace pgweir::session
