// Statements that leave nothing behind, or something that only their server is to be rid of, and
// those that have to do with transactions.

#include "session/statement_effect_test.h"

namespace pgweir::session {
namespace {

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
      {"NOTIFY a, 'b'", "1"},
      {"REASSIGN OWNED BY a TO b", "1"},
      {"DISCARD PLANS", "1"},
      {"SELECT pg_advisory_xact_lock(1)", "1"},
      {"SELECT pg_try_advisory_xact_lock_shared(1)", "1"},
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
      {"SELECT set_config($1, $2, true), set_config('timezone', 'UTC', true)",
       "1: taint random_seed"},
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

}  // namespace
}  // namespace pgweir::session
