#include "session/statement_effect.h"

#include <gtest/gtest.h>

namespace pgweir::session {
namespace {

std::string describe(const StatementEffect& effect) {
  switch (effect.kind) {
    case EffectKind::None: return "none";
    case EffectKind::SetParameter: return "set " + effect.name + " = " + effect.value;
    case EffectKind::ResetParameter: return "reset " + effect.name;
    case EffectKind::ResetAll: return "RESET ALL";
    case EffectKind::DiscardAll: return "discard all";
    case EffectKind::Deallocate: return "deallocate " + effect.name;
    case EffectKind::DeallocateAll: return "DEALLOCATE ALL";
    case EffectKind::Savepoint: return "savepoint " + effect.name;
    case EffectKind::RollbackTo: return "rollback to " + effect.name;
    case EffectKind::Release: return "release " + effect.name;
    case EffectKind::Pin: return "pin " + std::string(to_text(effect.reason));
    case EffectKind::Unpin: return "unpin " + std::string(to_text(effect.reason));
    case EffectKind::Taint: return "taint " + std::string(to_text(effect.reason));
    case EffectKind::ReadOtherwise: return "read otherwise";
    case EffectKind::MayEndTransaction: return "may end";
  }
  return "?";
}

// "2: none | set a = 1"; without the colon if nothing has an effect; "…" if not understood further.
std::string describe(const StatementEffects& effects) {
  std::string text = std::to_string(effects.statement_count());
  const char* separator = ": ";
  for (const StatementEffect& effect : effects.entries()) {
    text += separator + describe(effect);
    separator = " | ";
  }
  return effects.is_complete() ? text : text + " …";
}

struct Case {
  std::string text;
  std::string expected;
};

constexpr bool kStandard = true;
constexpr bool kEscapes = false;

void expect_effects(const std::vector<Case>& cases, bool standard_conforming_strings = kStandard) {
  for (const Case& one : cases) {
    EXPECT_EQ(describe(analyse(one.text, standard_conforming_strings)), one.expected) << one.text;
    EffectAnalyser analyser;
    for (std::size_t cut = 0; cut <= one.text.size(); ++cut) {
      analyser.reset(standard_conforming_strings);
      analyser.feed(std::string_view(one.text).substr(0, cut));
      analyser.feed(std::string_view(one.text).substr(cut));
      ASSERT_EQ(describe(analyser.finish()), one.expected) << one.text << " cut at " << cut;
    }
    analyser.reset(standard_conforming_strings);
    for (const char c : one.text) analyser.feed({&c, 1});
    EXPECT_EQ(describe(analyser.finish()), one.expected) << one.text << " byte by byte";
  }
}

TEST(StatementEffectTest, statements_that_leave_no_trace_are_trivial) {
  expect_effects({
      {"SELECT 1", "1"},
      {"select * from t where a = $1 and b = $2", "1"},
      {"INSERT INTO t VALUES (1, 'x')", "1"},
      {"insert into temp (a) values (1)", "1"},
      {"merge into temp using s on a = b when matched then delete", "1"},
      {"UPDATE t SET a = 1", "1"},
      {"DELETE FROM t", "1"},
      {"WITH hold AS (SELECT 1) SELECT * FROM hold", "1"},
      {"VALUES (1), (2)", "1"},
      {"TABLE t", "1"},
      {"(SELECT 1)", "1"},
      {"((SELECT 1) UNION (SELECT 2))", "1"},
      {"COPY t FROM STDIN", "1"},
      {"EXPLAIN ANALYZE EXECUTE p(1)", "1"},
      {"EXECUTE p(1)", "1"},
      {"SHOW ALL", "1"},
      {"ALTER ROLE app SET search_path TO a", "1"},
      {"ALTER SYSTEM SET work_mem TO '1MB'", "1"},
      {"DROP TABLE t", "1"},
      {"TRUNCATE t", "1"},
      {"GRANT ALL ON t TO app", "1"},
      {"REVOKE ALL ON t FROM app", "1"},
      {"COMMENT ON TABLE t IS 'x'", "1"},
      {"SECURITY LABEL ON TABLE t IS 'x'", "1"},
      {"ANALYZE t", "1"},
      {"CHECKPOINT", "1"},
      {"REFRESH MATERIALIZED VIEW v", "1"},
      {"LOCK TABLE t", "1"},
      {"DECLARE c CURSOR FOR SELECT 1", "1"},
      {"DECLARE c SCROLL CURSOR WITHOUT HOLD FOR WITH hold AS (SELECT 1) TABLE hold", "1"},
      {"FETCH 1 FROM c", "1"},
      {"MOVE 1 FROM c", "1"},
      {"CLOSE c", "1"},
      {"NOTIFY a, 'b'", "1"},
      {"UNLISTEN a", "1"},
      {"REASSIGN OWNED BY a TO b", "1"},
      {"DISCARD PLANS", "1"},
      {"SELECT pg_advisory_xact_lock(1)", "1"},
      {"SELECT pg_try_advisory_xact_lock_shared(1)", "1"},
      {"SELECT pg_advisory_unlock(1)", "1"},
      {"SELECT a.pg_temperature, pg_temp_files FROM a", "1"},
      {"SELECT replace(a, 'b', 'c') FROM t", "1"},
      {"SELECT nextval('s'), setval('s', 1)", "1"},
      {"WITH a AS (INSERT INTO t DEFAULT VALUES RETURNING id) SELECT * FROM a", "1"},
      {"EXPLAIN ANALYZE INSERT INTO t VALUES (1)", "1"},
      {"SELECT name, setting FROM pg_settings WHERE name = 'work_mem'", "1"},
      {"INSERT INTO a SELECT * FROM pg_settings ON CONFLICT DO NOTHING", "1"},
      {"SELECT pgweir_0123456789abcdex, pgweir_0123456789abcde FROM pgweir_forgotten", "1"},
      {"SELECT crosstab5, currvalue, lastvalue FROM query_to_xmls", "1"},
  });
}

TEST(StatementEffectTest, what_may_be_left_behind_without_use_to_the_client_taints) {
  expect_effects({
      {"CREATE TABLE t (a int)", "1: taint temporary_object"},
      {"CREATE UNLOGGED TABLE temp (a int)", "1: taint temporary_object"},
      {"CREATE TABLE t AS EXECUTE p", "1: taint temporary_object"},
      {"CREATE OR REPLACE VIEW v AS SELECT 1", "1: taint temporary_object"},
      {"CREATE INDEX CONCURRENTLY i ON t (a)", "1: taint temporary_object"},
      {"SELECT 1 INTO t", "1: taint temporary_object"},
      {"SELECT 1 AS insert INTO t", "1: taint temporary_object"},
      {"WITH a AS (SELECT 1) SELECT * INTO t FROM a", "1: taint temporary_object"},
      {"IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y", "1: taint temporary_object"},
      {"CREATE EXTENSION IF NOT EXISTS dblink", "1: taint not_understood"},
      {"ALTER EXTENSION dblink UPDATE", "1: taint not_understood"},
      {"SELECT set_config($1, $2, true)", "1: taint random_seed"},
      {"SELECT set_config('se' || 'ed', '0.5', true)", "1: taint random_seed"},
      {"SELECT set_config('se'\n'ed', '0.5', true)", "1: taint random_seed"},
      {"SELECT set_config(E'seed', '0.5', true)", "1: taint random_seed"},
      {"SELECT set_config($$seed$$, '0.5', true)", "1: taint random_seed"},
      {"select set_config(el->>0, el->>1, true) from json_array_elements($1::json) el",
       "1: taint random_seed"},
      {"CREATE TABLE t AS SELECT set_config($1, $2, true)", "1: taint not_understood"},
      {"SELECT set_config($1, $2, true) INTO t", "1: taint not_understood"},
      {"CREATE TEMP TABLE t AS SELECT set_config($1, $2, true)", "1: pin random_seed"},
      {"CALL p(set_config($1, $2, true))", "1: pin not_understood"},
      {"CREATE TABLE a (); SELECT 1; CREATE TABLE b ()",
       "3: taint temporary_object | none | taint temporary_object"},
  });
}

TEST(StatementEffectTest, procedures_and_what_commits_by_itself_may_end_the_transaction) {
  expect_effects({
      {"CALL p()", "1: may end"},
      {"VACUUM t", "1: may end"},
      {"REINDEX TABLE t", "1: may end"},
      {"CLUSTER t", "1: may end"},
      {"SET a TO 1; CALL p()", "2: set a = 1 | may end"},
  });
}

TEST(StatementEffectTest, whole_transactions_are_left_to_the_answers) {
  expect_effects({
      {"BEGIN", "1"},
      {"begin isolation level serializable read only", "1"},
      {"START TRANSACTION", "1"},
      {"COMMIT", "1"},
      {"COMMIT AND CHAIN", "1"},
      {"END", "1"},
      {"ROLLBACK", "1"},
      {"ROLLBACK WORK AND CHAIN", "1"},
      {"ABORT", "1"},
      {"ROLLBACK PREPARED 'x'", "1"},
      {"COMMIT PREPARED 'x'", "1"},
      {"PREPARE TRANSACTION 'x'", "1"},
      {"PREPARE TRANSACTION $$x$$", "1"},
      {"BEGIN; INSERT INTO t VALUES (1); COMMIT", "3"},
  });
}

TEST(StatementEffectTest, empty_statements_count_as_none) {
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

TEST(StatementEffectTest, the_zero_byte_behind_a_text_is_no_part_of_it) {
  const std::string zero(1, '\0');
  expect_effects({
      {zero, "0"},
      {"SELECT 1;" + zero, "1"},
      {"RESET a" + zero, "1: reset a"},
      {"SET a TO 'b'" + zero, "1: set a = 'b'"},
      {"SELECT pg_advisory_unlock_all()" + zero, "1: unpin advisory_lock"},
  });
}

TEST(StatementEffectTest, set_names_its_parameter_and_value) {
  expect_effects({
      {"SET work_mem TO '1MB'", "1: set work_mem = '1MB'"},
      {"set work_mem = 1024", "1: set work_mem = 1024"},
      {"SET SESSION work_mem = 1024;", "1: set work_mem = 1024"},
      {"SET a=-1", "1: set a = -1"},
      {"SET a TO +1.5", "1: set a = 1.5"},
      {"SET a TO on", "1: set a = on"},
      {"SET Statement_Timeout = 0", "1: set statement_timeout = 0"},
      {"SET \"Statement_Timeout\" = 0", "1: set statement_timeout = 0"},
      {"SET search_path TO a, \"B\", 'c'", "1: set search_path = a, \"B\", 'c'"},
      {"SET search_path = ''", "1: set search_path = ''"},
      {"SET search_path TO \"$user\",public", "1: set search_path = \"$user\", public"},
      {"SET myapp.tenant = '42'", "1: set myapp.tenant = '42'"},
      {"SET my . app.\"Tenant\" TO x", "1: set my.app.tenant = x"},
      {"SET \"user\".id = 5", "1: set user.id = 5"},
      {"SET/**/a/*b*/TO--c\n'd'", "1: set a = 'd'"},
      {"SET a TO 'it''s'", "1: set a = 'it''s'"},
      {"SET a TO ';'", "1: set a = ';'"},
      {"SET a TO 'b\\c'", "1: set a = E'b\\\\c'"},
      {"SET a TO '\\'", "1: set a = E'\\\\'"},
      {"SET a TO E'b\\'c'", "1: set a = E'b\\'c'"},
      {"SET a TO e'b'", "1: set a = e'b'"},
      {"SET local.x = 1", "1: set local.x = 1"},
      {"SET LOCAL application_name = 'x'", "1"},
      {"SET LOCAL TimeZone TO 'UTC'", "1: read otherwise"},
      {"SET LOCAL TIME ZONE 'UTC'; SELECT 1", "2: read otherwise"},
      {"BEGIN; SET LOCAL xmloption TO DEFAULT", "2: none | read otherwise"},
      {"SET session.x = 1", "1: set session.x = 1"},
      {"SET SESSION session.x = 1", "1: set session.x = 1"},
      {"SET transaction.x = 1", "1: set transaction.x = 1"},
      {"SET role.x = 1", "1: set role.x = 1"},
      {"SET time.zone = 1", "1: set time.zone = 1"},
      {"SET standard_conforming_strings = on", "1: set standard_conforming_strings = on"},
      // Another client_encoding would read it as something else.
      {"SET a TO 'é'", "1: pin set_config"},
  });
}

TEST(StatementEffectTest, set_has_special_spellings) {
  expect_effects({
      {"SET TIME ZONE 'Europe/Berlin'", "1: set timezone = 'Europe/Berlin'"},
      {"SET TIME ZONE UTC", "1: set timezone = UTC"},
      {"SET SESSION TIME ZONE -7", "1: set timezone = -7"},
      {"SET TIME ZONE LOCAL", "1: reset timezone"},
      {"SET TIME ZONE DEFAULT", "1: reset timezone"},
      {"SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE", "1: pin set_config"},
      {"SET NAMES 'UTF8'", "1: set client_encoding = 'UTF8'"},
      {"SET NAMES 'sjis'", "1: pin not_understood"},
      {"SET LOCAL client_encoding TO GBK", "1: pin not_understood"},
      {"SET client_encoding TO E'\\x53JIS'", "1: pin not_understood"},
      {"SET LOCAL client_encoding TO latin1", "1: read otherwise"},
      {"SET NAMES", "1: reset client_encoding"},
      {"SET NAMES DEFAULT", "1: reset client_encoding"},
      {"SET SCHEMA 'x'", "1: set search_path = 'x'"},
      {"SET XML OPTION DOCUMENT", "1: set xmloption = DOCUMENT"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
       "1: set default_transaction_read_only = on"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
       "1: set default_transaction_read_only = off"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
       "1: set default_transaction_isolation = 'read committed'"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
       "1: set default_transaction_isolation = 'read uncommitted'"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
       "1: set default_transaction_isolation = 'repeatable read'"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
       "1: set default_transaction_isolation = 'serializable'"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION NOT DEFERRABLE",
       "1: set default_transaction_deferrable = off"},
      {"SET LOCAL SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
       "1: set default_transaction_read_only = on"},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, DEFERRABLE", "1: pin set_config"},
  });
}

TEST(StatementEffectTest, what_ends_with_the_transaction_is_left_alone) {
  expect_effects({
      {"SET LOCAL work_mem TO 1", "1"},
      {"SET LOCAL ROLE app", "1"},
      {"SET LOCAL SESSION AUTHORIZATION app", "1"},
      {"SET LOCAL search_path TO a, b", "1"},
      {"SET LOCAL request.jwt.claims TO '" + std::string(3000, 'x') + "'", "1"},
      {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "1"},
      {"SET SESSION TRANSACTION READ ONLY", "1"},
      {"SET LOCAL TRANSACTION READ ONLY", "1"},
      {"SET TRANSACTION SNAPSHOT 'x'", "1"},
      {"SET transaction_read_only = on", "1"},
      {"SET CONSTRAINTS ALL DEFERRED", "1"},
      {"RESET transaction_isolation", "1"},
      {"RESET TRANSACTION ISOLATION LEVEL", "1"},
      {"SELECT set_config('a', 'b', true)", "1"},
      {"select set_config('a', $1, true), set_config('b', f(1, 2), TRUE)", "1"},
      {"SELECT pg_catalog.set_config ( 'a' , 'b' , true )", "1"},
      {"SELECT set_config('search_path', $1, true), set_config('role', $2, true)", "1"},
      {"SELECT set_config('search_path', 'a, b', true)", "1"},
      {"SELECT set_config('request.jwt.claims', '" + std::string(3000, 'x') + "', true)", "1"},
  });
}

TEST(StatementEffectTest, reset_and_default_give_parameters_back) {
  expect_effects({
      {"RESET work_mem", "1: reset work_mem"},
      {"RESET MyApp.Tenant", "1: reset myapp.tenant"},
      {"SET work_mem TO DEFAULT", "1: reset work_mem"},
      {"SET work_mem = default", "1: reset work_mem"},
      {"SET a TO \"default\"", "1: set a = \"default\""},
      {"RESET TIME ZONE", "1: reset timezone"},
      {"RESET ALL", "1: RESET ALL"},
      {"RESET \"all\"", "1: reset all"},
      {"RESET ROLE", "1: unpin set_role"},
      {"SET ROLE TO DEFAULT", "1: unpin set_role"},
      {"RESET SESSION AUTHORIZATION", "1: unpin session_authorization"},
      {"SET SESSION AUTHORIZATION DEFAULT", "1: unpin session_authorization"},
      {"RESET a b", "1: pin not_understood"},
      {"RESET", "1: pin not_understood"},
  });
}

TEST(StatementEffectTest, savepoints_and_prepared_statements_have_names) {
  expect_effects({
      {"SAVEPOINT A", "1: savepoint a"},
      {"SAVEPOINT \"A\"\"b\"", "1: savepoint A\"b"},
      {"ROLLBACK TO a", "1: rollback to a"},
      {"ROLLBACK TO SAVEPOINT a", "1: rollback to a"},
      {"ROLLBACK TRANSACTION TO SAVEPOINT a", "1: rollback to a"},
      {"ROLLBACK WORK TO savepoint", "1: rollback to savepoint"},
      {"RELEASE a", "1: release a"},
      {"RELEASE SAVEPOINT a", "1: release a"},
      {"RELEASE savepoint", "1: release savepoint"},
      {"DEALLOCATE a", "1: deallocate a"},
      {"DEALLOCATE PREPARE \"S_1\"", "1: deallocate S_1"},
      {"DEALLOCATE prepare", "1: deallocate prepare"},
      {"DEALLOCATE ALL", "1: DEALLOCATE ALL"},
      {"DEALLOCATE PREPARE ALL", "1: DEALLOCATE ALL"},
      {"DEALLOCATE \"all\"", "1: deallocate all"},
      {"SAVEPOINT " + std::string(64, 'a'), "1: pin not_understood"},
      {"SAVEPOINT U&\"a\"", "1: pin not_understood"},
  });
}

TEST(StatementEffectTest, state_that_cannot_be_repeated_pins) {
  expect_effects({
      {"SET ROLE app", "1: pin set_role"},
      {"SET SESSION ROLE 'app'", "1: pin set_role"},
      {"SET \"Role\" TO app", "1: pin set_role"},
      {"SET ROLE NONE", "1: pin set_role"},
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
      {"SELECT PG_TRY_ADVISORY_LOCK_SHARED (1, 2)", "1: pin advisory_lock"},
      {"SELECT 1 FROM t WHERE \"pg_try_advisory_lock\"(id)", "1: pin advisory_lock"},
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

TEST(StatementEffectTest, what_is_not_understood_pins) {
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

TEST(StatementEffectTest, some_statements_end_a_pin) {
  expect_effects({
      {"UNLISTEN *", "1: unpin listen"},
      {"CLOSE ALL", "1: unpin hold_cursor"},
      {"DISCARD TEMP", "1: unpin temporary_object"},
      {"DISCARD SEQUENCES", "1: unpin sequence_value"},
      {"DISCARD TEMPORARY", "1: unpin temporary_object"},
      {"DISCARD ALL", "1: discard all"},
      {"SELECT pg_advisory_unlock_all()", "1: unpin advisory_lock"},
      {"select pg_catalog.pg_advisory_unlock_all ( );", "1: unpin advisory_lock"},
      {"SELECT pg_advisory_unlock_all(), f()", "1"},
      {"SELECT pg_advisory_unlock_all() FROM pg_advisory_lock(1)", "1: pin advisory_lock"},
      {"SELECT public.pg_advisory_unlock_all()", "1"},
  });
}

TEST(StatementEffectTest, quotes_and_comments_hide_nothing_and_invent_nothing) {
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

TEST(StatementEffectTest, escapes_count_in_plain_strings_when_they_are_not_standard) {
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

TEST(StatementEffectTest, semicolons_in_parentheses_end_nothing) {
  expect_effects({
      {"CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b); SET ROLE c",
       "2: taint temporary_object | pin set_role"},
      {"SELECT ')'; SET ROLE a", "2: none | pin set_role"},
      {"SELECT 1); SET ROLE a", "2: none | pin set_role"},
      {"SELECT (1", "1"},
  });
}

TEST(StatementEffectTest, gives_up_where_the_end_of_a_statement_is_unknown) {
  expect_effects({
      {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SET ROLE a",
       "1: pin not_understood …"},
      {"SELECT 1; SET a TO 1; CREATE PROCEDURE p() BEGIN/**/ATOMIC END",
       "3: none | set a = 1 | pin not_understood …"},
      {"SELECT $" + std::string(65, 'a') + "$;$" + std::string(65, 'a') + "$; SET ROLE a",
       "1: pin not_understood …"},
  });
}

TEST(StatementEffectTest, bounds_the_entries_of_a_text) {
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

TEST(StatementEffectTest, an_analyser_forgets_the_text_before) {
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
