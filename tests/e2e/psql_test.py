"""psql through pgweir."""

import hashlib
import subprocess

from support import processes
from support.case import PgweirTest
from support.clients import psql


class PsqlTest(PgweirTest):
    def query(self, sql):
        return psql(self.pgweir.url(), "-c", sql).stdout

    def digest(self, url, sql):
        """A hash of all that psql prints, without holding it."""
        psql_program = processes.postgres_program("psql")
        with subprocess.Popen([psql_program, url, "-XAtc", sql], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE) as process:
            digest = hashlib.file_digest(process.stdout, "sha256").hexdigest()
        self.assertEqual(process.returncode, 0)
        return digest

    def assert_same_bytes(self, sql):
        self.assertEqual(self.digest(self.pgweir.url(), sql), self.digest(self.server.url(), sql))

    def test_select_1_answers(self):
        self.assertEqual(self.query("select 1"), "1\n")

    def test_the_session_is_the_applications(self):
        self.assertEqual(self.query("select current_user, current_database()"), "app|app\n")

    def test_an_error_arrives_whole(self):
        done = psql(self.pgweir.url(), "-c", "select 1/0", check=False)
        direct = psql(self.server.url(), "-c", "select 1/0", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("22012: division by zero", done.stderr)
        self.assertEqual(done.stderr, direct.stderr)

    def test_an_error_names_its_position(self):
        done = psql(self.pgweir.url(), "-c", "select nonsense from pg_class", check=False)
        self.assertIn("42703", done.stderr)
        self.assertIn("LINE 1", done.stderr)

    def test_the_session_goes_on_after_an_error(self):
        done = psql(self.pgweir.url(), input="select nonsense;\nselect 2;\n")
        self.assertEqual(done.stdout, "2\n")

    def test_several_statements_in_one_message_answer_in_order(self):
        self.assertEqual(self.query("select 1; select 2; select 3"), "1\n2\n3\n")

    def test_a_transaction_sees_itself_and_rolls_back(self):
        done = psql(self.pgweir.url(), input="""
            create table rolled_back (id int);
            begin; insert into rolled_back values (1); select count(*) from rolled_back; rollback;
            select count(*) from rolled_back;""")
        self.assertEqual(done.stdout, "1\n0\n")

    def test_notices_arrive(self):
        done = psql(self.pgweir.url(), "-c", "do $$ begin raise notice 'mind the weir'; end $$")
        self.assertIn("mind the weir", done.stderr)

    def test_backslash_d_lists_a_table(self):
        done = psql(self.pgweir.url(), input="create table listed (id int);\n\\d listed\n")
        self.assertIn("id|integer", done.stdout)

    def test_copy_in_and_out_is_a_round_trip(self):
        path = self.pgweir.directory / "rows.csv"
        path.write_text("".join(f"{i},row {i}\n" for i in range(10_000)))
        done = psql(self.pgweir.url(), input=f"""
            create table copied (id int, name text);
            \\copy copied from {path} csv
            \\copy copied to {path}.out csv
            select count(*), sum(id) from copied;""")
        self.assertIn("10000|49995000", done.stdout)
        self.assertEqual((path.parent / "rows.csv.out").read_bytes(), path.read_bytes())

    def test_copy_from_bad_rows_fails_and_the_session_goes_on(self):
        done = psql(self.pgweir.url(), input="""
            create table strict (id int);
            \\copy strict from stdin
nonsense
\\.
            select count(*) from strict;""")
        self.assertIn("22P02", done.stderr)
        self.assertEqual(done.stdout, "0\n")

    def test_a_large_result_has_the_same_bytes_as_directly(self):
        self.assert_same_bytes(
            "select g, repeat(md5(g::text), 32) from generate_series(1, 40000) g")

    def test_one_huge_row_has_the_same_bytes_as_directly(self):
        self.assert_same_bytes("select repeat(md5('x'), 2000000)")

    def test_copy_binary_has_the_same_bytes_as_directly(self):
        self.assert_same_bytes("copy (select g, g::text, g::float8, now() - now() from "
                               "generate_series(1, 50000) g) to stdout (format binary)")

    def test_a_query_larger_than_any_buffer_arrives(self):
        text = "x" * 3_000_000
        done = psql(self.pgweir.url(), input=f"select length('{text}');\n")
        self.assertEqual(done.stdout, "3000000\n")

    def test_a_cursor_in_a_transaction_fetches(self):
        done = psql(self.pgweir.url(), input="""
            begin; declare c cursor for select generate_series(1, 10);
            fetch 2 from c; move 5 from c; fetch 1 from c; commit;""")
        self.assertEqual(done.stdout, "1\n2\n8\n")
