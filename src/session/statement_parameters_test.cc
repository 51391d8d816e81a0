// SET, RESET and their kin, and what has a name: savepoints and prepared statements.

#include "session/statement_effect_test.h"

namespace pgweir::session {
namespace {

TEST(StatementParametersTest, set_names_its_parameter_and_value) {
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

TEST(StatementParametersTest, set_has_special_spellings) {
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

TEST(StatementParametersTest, what_ends_with_the_transaction_is_left_alone) {
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

TEST(StatementParametersTest, a_local_set_config_of_what_decides_the_meaning_of_literals_is_noted) {
  expect_effects({
      {"SELECT set_config('TimeZone', $1, true)", "1: read otherwise"},
      {"SELECT set_config('role', $1, true), set_config('datestyle', $2, true)",
       "1: read otherwise"},
      {"SELECT set_config('xmloption', 'content', true); SELECT 1", "2: read otherwise"},
      {"SELECT set_config('TimeZone', $1, false)", "1: pin set_config"},
      {"SELECT set_config('TimeZone', $1, true), set_config('a', $1, false)", "1: pin set_config"},
      {"CALL p(set_config('TimeZone', $1, true))", "1: pin not_understood"},
      {"SELECT set_config('TimeZone', $1, true) INTO t", "1: pin not_understood"},
  });
}

TEST(StatementParametersTest, reset_and_default_give_parameters_back) {
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

TEST(StatementParametersTest, savepoints_and_prepared_statements_have_names) {
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

}  // namespace
}  // namespace pgweir::session
