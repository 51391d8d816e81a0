// Statements that pin their client to its server, and those that end a pin.

#include "session/statement_effect_test.h"

namespace pgweir::session {
namespace {

TEST(StatementPinsTest, state_that_cannot_be_repeated_pins) {
  expect_effects({
      {"SET ROLE app", "1: pin set_role"},
      {"SET SESSION ROLE 'app'", "1: pin set_role"},
      {"SET \"Role\" TO app", "1: pin set_role"},
      {"SET SESSION AUTHORIZATION app", "1: pin session_authorization"},
      {"SET SESSION SESSION AUTHORIZATION app", "1: pin session_authorization"},
      {"SET session_authorization = app", "1: pin session_authorization"},
      {"LISTEN a", "1: pin listen"},
      {"CREATE TEMP TABLE t (a int)", "1: pin temporary_object"},
      {"create temporary view v as select 1", "1: pin temporary_object"},
      {"CREATE LOCAL TEMP TABLE t (a int)", "1: pin temporary_object"},
      {"CREATE GLOBAL TEMPORARY TABLE t (a int)", "1: pin temporary_object"},
      {"CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "1: pin temporary_object"},
      {"CREATE/*x*/TEMP--y\nSEQUENCE s", "1: pin temporary_object"},
      {"EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1", "1: pin temporary_object"},
      {"SELECT 1 INTO TEMP t", "1: pin temporary_object"},
      {"SELECT 1e5INTO TEMP t", "1: pin temporary_object"},
      {"SELECT 1 AS insert INTO LOCAL TEMPORARY TABLE t", "1: pin temporary_object"},
      {"WITH a AS (SELECT 1) SELECT * INTO TEMP t FROM a", "1: pin temporary_object"},
      {"CREATE TABLE pg_temp.t (a int)", "1: pin temporary_object"},
      {"CREATE FUNCTION \"pg_temp\".f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
       "1: pin temporary_object"},
      {"CREATE TABLE PG_TEMP_3.t (a int)", "1: pin temporary_object"},
      {"SET search_path TO pg_temp, public", "1: pin temporary_schema"},
      {"SET search_path TO 'PG_TEMP'", "1: pin temporary_schema"},
      {"SET LOCAL search_path TO 'pg_temp'", "1: pin temporary_schema"},
      {"SET SCHEMA 'pg_temp'", "1: pin temporary_schema"},
      {"SET search_path TO E'pg\\x5ftemp'", "1: pin temporary_schema"},
      {"SET search_path TO 'pg_'\n'temp'", "1: pin temporary_schema"},
      {"SELECT set_config('search_path', 'pg_temp,public', true)", "1: pin temporary_schema"},
      {"SELECT set_config('Search_Path', 'PG_TEMP', true)", "1: pin temporary_schema"},
      {"SELECT set_config('search_path', 'a,' || 'pg_temp', true)", "1: pin temporary_schema"},
      {"SELECT set_config('search_path', E'pg_temp', true)", "1: pin temporary_schema"},
      {"SELECT set_config('search_path', 'pg_temp', false)", "1: pin temporary_schema"},
      {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", "1: pin hold_cursor"},
      {"DECLARE \"c\" BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT 1", "1: pin hold_cursor"},
      {"DECLARE c BINARY BINARY BINARY BINARY BINARY BINARY BINARY BINARY BINARY BINARY CURSOR "
       "WITH HOLD FOR SELECT 1",
       "1: pin hold_cursor"},
      {"PREPARE p AS SELECT 1", "1: pin sql_prepare"},
      {"PREPARE transaction AS SELECT 1", "1: pin sql_prepare"},
      {"PREPARE transaction (int) AS SELECT 1", "1: pin sql_prepare"},
      {"SELECT pg_advisory_lock(1)", "1: pin advisory_lock"},
      {"SELECT PG_TRY_ADVISORY_LOCK_SHARED (1, 2)", "1: may pin advisory_lock"},
      {"SELECT 1 FROM t WHERE \"pg_try_advisory_lock\"(id)", "1: may pin advisory_lock"},
      {"SELECT set_config('a', 'b', false)", "1: pin set_config"},
      {"SELECT set_config('a', 'b', $1)", "1: pin set_config"},
      {"SELECT set_config('a', 'b', not true)", "1: pin set_config"},
      {"SELECT set_config('a', 'b', is_local => false)", "1: pin set_config"},
      {"SELECT set_config('a', set_config('b', 'c', false), true)", "1: pin not_understood"},
      {"SELECT set_config($1, 'b', false)", "1: pin not_understood"},
      {"SELECT set_config('seed', '0.5', true)", "1: pin random_seed"},
      {"SELECT set_config('SEED', '0.5', false)", "1: pin random_seed"},
      {"UPDATE pg_settings SET setting = 'b' WHERE name = 'a'", "1: pin not_understood"},
      {"update only \"pg_catalog\".\"pg_settings\" as s set setting = 1", "1: pin not_understood"},
      {"WITH a AS (UPDATE pg_settings SET setting = 'b' RETURNING 1) TABLE a",
       "1: pin not_understood"},
      {"SELECT currval('s')", "1: pin sequence_value"},
      {"INSERT INTO t VALUES (pg_catalog.LastVal ())", "1: pin sequence_value"},
      {"SELECT query_to_xml('select 1', true, true, '')", "1: pin not_understood"},
      {"SELECT * FROM ts_stat('select x from t')", "1: pin not_understood"},
      {"SELECT * FROM crosstab($1) AS t (a int)", "1: pin not_understood"},
      {"SELECT hypopg_create_index('…')", "1: pin session_bound_function"},
      {"EXECUTE pgweir_0123456789abcdef(1)", "1: pin not_understood"},
      {"EXPLAIN EXECUTE \"pgweir_0123456789abcdef\"", "1: pin not_understood"},
      {"DEALLOCATE pgweir_0123456789abcdef", "1: pin not_understood"},
      {"SELECT set_config('a', 'b', true), set_config('a', 'b', false)", "1: pin set_config"},
      {"SELECT set_config('a', (1, true)::text, false)", "1: pin set_config"},
      {"SELECT set_limit(0.5)", "1: pin set_config"},
      {"COPY (SELECT set_config('a', 'b', false)) TO STDOUT", "1: pin set_config"},
      {"SET a TO b c", "1: pin set_config"},
      {"SET a TO 'b' 'c'", "1: pin set_config"},
      {"SET a TO 'b', DEFAULT, $1", "1: pin set_config"},
      {"SET a TO $$b$$", "1: pin set_config"},
      {"SET a TO U&'b'", "1: pin set_config"},
      {"SET a TO '" + std::string(2000, 'x') + "'", "1: pin set_config"},
      {"SELECT setseed(0.5)", "1: pin random_seed"},
      {"SET seed TO 0.5", "1: pin random_seed"},
      {"SET LOCAL seed TO 0.5", "1: pin random_seed"},
      {"SELECT dblink_connect('a', 'b')", "1: pin remote_connection"},
      {"SELECT pg_backup_start('x')", "1: pin session_bound_function"},
      {"LOAD 'age'", "1: pin load"},
      {"DO $$ BEGIN END $$", "1: pin anonymous_block"},
      {"SELECT U&\"set\\005fconfig\"('a', 'b', false)", "1: pin not_understood"},
      {"SELECT pg_advisory_lock(1), dblink_connect('a')", "1: pin remote_connection"},
      {"CREATE TEMP TABLE t AS SELECT pg_advisory_lock(1)", "1: pin not_understood"},
  });
}

TEST(StatementPinsTest, what_is_not_understood_pins) {
  expect_effects({
      {"FROBNICATE", "1: pin not_understood"},
      {"\"select\" 1", "1: pin not_understood"},
      {"1", "1: pin not_understood"},
      {"()", "1: pin not_understood"},
      {"SET", "1: pin not_understood"},
      {"SET a", "1: pin not_understood"},
      {"SET a FROM CURRENT", "1: pin not_understood"},
      {"SET \"a b\" TO 1", "1: pin not_understood"},
      {"SET \"a;b\".c TO 1", "1: pin not_understood"},
      {"SET \"\".x TO 1", "1: pin not_understood"},
      {"SET é.x TO 1", "1: pin not_understood"},
      {"SET standard_conforming_strings = off", "1: pin not_understood"},
      {"SET LOCAL standard_conforming_strings = off", "1: pin not_understood"},
      {"DISCARD", "1: pin not_understood"},
  });
}

TEST(StatementPinsTest, some_statements_end_a_pin) {
  expect_effects({
      {"UNLISTEN *", "1: unpin listen"},
      {"CLOSE ALL", "1: unpin hold_cursor"},
      {"DISCARD TEMP", "1: unpin temporary_object"},
      {"DISCARD SEQUENCES", "1: unpin sequence_value"},
      {"DISCARD TEMPORARY", "1: unpin temporary_object"},
      {"DISCARD ALL", "1: discard all"},
      {"SELECT pg_advisory_unlock_all()", "1: unpin advisory_lock"},
      {"select pg_catalog.pg_advisory_unlock_all ( );", "1: unpin advisory_lock"},
      {"SELECT pg_advisory_unlock_all(), f()", "1: may unpin advisory_lock"},
      {"SELECT pg_advisory_unlock_all() FROM pg_advisory_lock(1)", "1: may pin advisory_lock"},
      {"SELECT public.pg_advisory_unlock_all()", "1: may unpin advisory_lock"},
  });
}

TEST(StatementPinsTest, of_some_statements_only_the_server_knows_what_is_left) {
  expect_effects({
      {"SET ROLE NONE", "1: may pin set_role"},
      {"set session role 'none'", "1: pin set_role"},
      {"set role to none", "1: may pin set_role"},
      {"SET LOCAL ROLE NONE", "1"},
      {"SELECT pg_try_advisory_lock(1)", "1: may pin advisory_lock"},
      {"SELECT pg_try_advisory_lock_shared(1, 2)", "1: may pin advisory_lock"},
      {"SELECT pg_advisory_lock(1), pg_advisory_unlock(1)", "1: may pin advisory_lock"},
      {"SELECT pg_try_advisory_lock(1), currval('s')", "1: pin not_understood"},
      {"SELECT pg_advisory_unlock(1)", "1: may unpin advisory_lock"},
      {"select * from pg_catalog.pg_advisory_unlock_shared(1, 2)", "1: may unpin advisory_lock"},
      {"SELECT pg_advisory_unlock(1) INTO t", "1: taint temporary_object"},
      {"DROP TABLE t", "1: may unpin temporary_object"},
      {"drop table if exists a, b cascade", "1: may unpin temporary_object"},
      {"DROP TABLE pg_temp.t", "1: may pin temporary_object"},
  });
}

TEST(StatementPinsTest, what_a_cursor_does_later_is_not_understood) {
  expect_effects({
      {"DECLARE c CURSOR FOR SELECT pg_advisory_lock(1)", "1: pin not_understood"},
      {"DECLARE c CURSOR WITH HOLD FOR SELECT pg_advisory_lock(1)", "1: pin not_understood"},
      {"DECLARE c CURSOR FOR SELECT pg_advisory_xact_lock(1)", "1"},
  });
}

TEST(StatementPinsTest, set_config_of_a_role_is_what_set_role_is) {
  expect_effects({
      {"SELECT set_config('role', 'app', false)", "1: pin set_role"},
      {"SELECT set_config('ROLE', $1, false)", "1: pin set_role"},
      {"SELECT set_config('session_authorization', 'app', false)", "1: pin session_authorization"},
      {"SELECT set_config('role', $1, false), set_config('a', $1, false)", "1: pin not_understood"},
      {"SELECT set_config('role', $1, true)", "1"},
  });
}

// Of the parameter that RESET leads back to where it was.
TEST(StatementPinsTest, a_set_config_that_is_alone_is_known_by_its_name) {
  struct Named {
    std::string_view text, name;
  };
  for (const auto& [text, name] : {
           Named{"SELECT set_config('a', 'b', false)", "a"},
           Named{"select pg_catalog.set_config ('My.App', $1, FALSE);", "my.app"},
           Named{"SELECT set_config('search_path', 'x', false)", "search_path"},
           Named{"SET a TO 'é'", "a"},
           Named{"SELECT set_config('a', 'b', false) FROM t", ""},
           Named{"SELECT set_config('a', 'b' || 'c', false)", ""},
           Named{"SELECT set_config('a', 'b', false), 1", ""},
           Named{"SELECT set_config('a', 'b', f())", ""},
           Named{"SELECT set_config('a b', 'b', false)", ""},
           Named{"SELECT set_config('a''b', 'b', false)", ""},
           Named{"SELECT set_config('a.', 'b', false)", ""},
       }) {
    const StatementEffects effects = analyse(text, kStandard);
    ASSERT_EQ(describe(effects), "1: pin set_config") << text;
    EXPECT_EQ(effects.entries()[0].name, name) << text;
  }
}

}  // namespace
}  // namespace pgweir::session
