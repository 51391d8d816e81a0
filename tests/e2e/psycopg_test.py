"""psycopg 3 through pgweir: the driver with the most of the protocol in use."""

import threading
import time

import psycopg
from psycopg import pq

from support import processes
from support.case import PgweirTest, value


class PsycopgTest(PgweirTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            connection.execute("create table items (id int primary key, name text)")

    def setUp(self):
        self.connection = self.connect()
        self.connection.execute("truncate items")

    def test_parameters_and_types_survive(self):
        row = self.connection.execute("select %s::int, %s::text, %s::bytea, %s::float8, %s::jsonb",
                                      (7, "é", b"\0\xff", 0.5, '{"a": [1, null]}')).fetchone()
        self.assertEqual(row, (7, "é", b"\0\xff", 0.5, {"a": [1, None]}))

    def test_a_client_sees_what_is_in_between(self):
        status = self.connection.pgconn.parameter_status
        self.assertRegex(status(b"pgweir.version").decode(), r"^\d+\.\d+\.\d+$")
        self.assertTrue(status(b"server_version").startswith(b"15"))

    def test_binary_results_survive(self):
        cursor = self.connection.cursor(binary=True)
        self.assertEqual(cursor.execute("select 1.25::float8, b'101'").fetchone()[0], 1.25)

    def test_prepared_statements_survive_a_change_of_server(self):
        others = [self.connect() for _ in range(5)]
        connections = [self.connection, *others]
        for connection in connections:
            connection.prepare_threshold = 0
        seen = set()
        for turn in range(30):
            blocked = [connections[turn % 6], connections[(turn + 1) % 6]]
            for connection in blocked:  # Hold servers, so that the next ones get different ones.
                connection.execute("begin")
            for connection in connections:
                seen.add(value(connection, "select pg_backend_pid() where %s > 0", (turn + 1,)))
            for connection in blocked:
                connection.execute("commit")
        self.assertGreater(len(seen), 1, "there was no change of server to survive")

    def test_the_same_name_may_mean_different_texts_for_different_clients(self):
        first, second = self.connection.pgconn, self.connect().pgconn
        first.prepare(b"s", b"select 1")
        second.prepare(b"s", b"select 2")
        for _ in range(3):
            self.assertEqual(first.exec_prepared(b"s", []).get_value(0, 0), b"1")
            self.assertEqual(second.exec_prepared(b"s", []).get_value(0, 0), b"2")

    def test_a_name_cannot_be_prepared_twice(self):
        connection = self.connection.pgconn
        connection.prepare(b"twice", b"select 1")
        result = connection.prepare(b"twice", b"select 2")
        self.assertEqual(result.error_field(pq.DiagnosticField.SQLSTATE), b"42P05")

    def test_errors_name_statements_as_the_client_does(self):
        messages = []
        for connection in (self.connection.pgconn, self.direct().pgconn):
            connection.prepare(b"mine", b"select $1::int, $2::int")
            results = (connection.prepare(b"mine", b"select 2"),
                       connection.exec_prepared(b"mine", [b"1"]),
                       connection.exec_prepared(b"other", []),
                       connection.exec_(b"deallocate other"))
            messages.append([result.error_message for result in results])
        self.assertEqual(*messages)
        self.assertEqual(self.connection.pgconn.exec_prepared(b"mine", [b"1", b"2"]).status,
                         pq.ExecStatus.TUPLES_OK)

    def test_deallocate_takes_a_statement_from_nobody_else(self):
        first, second = self.connection, self.connect()
        for connection in (first, second):
            connection.pgconn.prepare(b"shared", b"select 'shared'")
        first.execute("begin")
        with self.assertRaises(psycopg.errors.DivisionByZero):
            first.execute("select 1/0")
        with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
            first.execute("deallocate shared")
        first.execute("rollback")
        self.assertEqual(first.pgconn.exec_prepared(b"shared", []).get_value(0, 0), b"shared")
        first.execute("begin")
        first.execute("deallocate shared")
        first.execute("rollback")
        self.assertEqual(first.pgconn.exec_prepared(b"shared", []).error_field(
            pq.DiagnosticField.SQLSTATE), b"26000")
        for _ in range(5):
            self.assertEqual(second.pgconn.exec_prepared(b"shared", []).get_value(0, 0), b"shared")

    def test_a_statement_whose_table_is_gone_fails_and_the_session_goes_on(self):
        self.connection.execute("create table going (a int)")
        self.connection.pgconn.prepare(b"s", b"select a from going")
        self.connection.execute("drop table going")
        holders = [self.connect() for _ in range(3)]
        for turn in range(4):  # On the server that has the statement, and on those that have not.
            result = self.connection.pgconn.exec_prepared(b"s", [])
            self.assertEqual(result.error_field(pq.DiagnosticField.SQLSTATE), b"42P01")
            self.assertEqual(value(self.connection, "select 1"), 1)
            if turn < 3:
                holders[turn].execute("begin")

    def test_an_unknown_statement_is_refused(self):
        result = self.connection.pgconn.exec_prepared(b"never", [])
        self.assertEqual(result.error_field(pq.DiagnosticField.SQLSTATE), b"26000")

    def test_a_statement_with_an_error_is_not_remembered(self):
        connection = self.connection.pgconn
        self.assertEqual(connection.prepare(b"s", b"selec 1").status, pq.ExecStatus.FATAL_ERROR)
        self.assertEqual(connection.prepare(b"s", b"select 1").status, pq.ExecStatus.COMMAND_OK)
        self.assertEqual(connection.exec_prepared(b"s", []).get_value(0, 0), b"1")

    def test_deallocate_all_forgets_the_clients_statements(self):
        connection = self.connection.pgconn
        connection.prepare(b"s", b"select 1")
        self.connection.execute("deallocate all")
        self.assertEqual(connection.exec_prepared(b"s", []).status, pq.ExecStatus.FATAL_ERROR)

    def test_discard_all_forgets_the_clients_statements(self):
        connection = self.connection.pgconn
        connection.prepare(b"s", b"select 1")
        self.connection.execute("discard all")
        self.assertEqual(connection.exec_prepared(b"s", []).status, pq.ExecStatus.FATAL_ERROR)

    def test_describe_of_a_prepared_statement_names_parameters_and_columns(self):
        connection = self.connection.pgconn
        connection.prepare(b"s", b"select id, name from items where id = $1")
        described = connection.describe_prepared(b"s")
        self.assertEqual((described.nparams, described.nfields), (1, 2))
        self.assertEqual(described.fname(1), b"name")

    def test_a_statement_follows_a_changed_table(self):
        self.connection.prepare_threshold = 0
        self.connection.execute("create table changing (a int)")
        self.connection.execute("insert into changing values (%s)", (1,))
        self.assertEqual(value(self.connection, "select a from changing where a = %s", (1,)), 1)
        self.connection.execute("alter table changing add b int")
        self.assertEqual(value(self.connection, "select a from changing where a = %s", (1,)), 1)

    def test_a_pipeline_answers_in_order(self):
        with self.connection.pipeline():
            cursors = [self.connection.execute("select %s::int", (i,)) for i in range(300)]
        self.assertEqual([cursor.fetchone()[0] for cursor in cursors], list(range(300)))

    def test_an_error_in_a_pipeline_skips_to_its_sync(self):
        with self.assertRaises(psycopg.errors.DivisionByZero):
            with self.connection.pipeline():
                self.connection.execute("insert into items values (1, 'kept?')")
                self.connection.execute("select 1/0")
                self.connection.execute("insert into items values (2, 'skipped')")
        self.assertEqual(value(self.connection, "select count(*) from items where id = 2"), 0)
        self.assertEqual(value(self.connection, "select 1"), 1)

    def test_a_prepared_pipeline_goes_on_after_an_error(self):
        self.connection.prepare_threshold = 0
        value(self.connection, "select %s::int + 2", (0,))
        for turn in range(5):
            with self.assertRaises(psycopg.Error):
                with self.connection.pipeline():
                    self.connection.execute("select %s::int + 1", (turn,))
                    self.connection.execute("select 1/(%s::int - %s::int)", (turn, turn))
                    self.connection.execute("select %s::int + 2", (turn,))
            self.assertEqual(value(self.connection, "select %s::int + 2", (turn,)), turn + 2)

    def test_transactions_commit_roll_back_and_nest(self):
        with self.connection.transaction():
            self.connection.execute("insert into items values (1, 'outer')")
            with self.assertRaises(ZeroDivisionError):
                with self.connection.transaction():
                    self.connection.execute("insert into items values (2, 'inner')")
                    raise ZeroDivisionError
        self.assertEqual(self.connection.execute("select id from items").fetchall(), [(1,)])

    def test_a_transaction_stays_on_one_server(self):
        others = [self.connect() for _ in range(4)]
        with self.connection.transaction():
            pids = set()
            for _ in range(10):
                pids.add(value(self.connection, "select pg_backend_pid()"))
                for other in others:
                    self.assertNotIn(value(other, "select pg_backend_pid()"), pids)
        self.assertEqual(len(pids), 1)

    def test_a_failed_transaction_says_so_until_rollback(self):
        self.connection.execute("begin")
        with self.assertRaises(psycopg.errors.UndefinedColumn):
            self.connection.execute("select nonsense")
        with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
            self.connection.execute("select 1")
        self.connection.execute("rollback")
        self.assertEqual(value(self.connection, "select 1"), 1)

    def test_copy_in_and_out(self):
        cursor = self.connection.cursor()
        with cursor.copy("copy items from stdin") as copy:
            for i in range(5000):
                copy.write_row((i, f"name {i}"))
        with cursor.copy("copy (select id from items order by id) to stdout") as copy:
            rows = list(copy.rows())
        self.assertEqual((len(rows), rows[-1]), (5000, ("4999",)))

    def test_a_copy_given_up_by_the_client_leaves_nothing(self):
        with self.assertRaises(psycopg.errors.QueryCanceled):
            with self.connection.cursor().copy("copy items from stdin") as copy:
                copy.write_row((1, "x"))
                raise ZeroDivisionError
        self.assertEqual(value(self.connection, "select count(*) from items"), 0)

    def test_a_cancelled_copy_out_ends(self):
        with self.assertRaises(psycopg.errors.QueryCanceled):
            with self.connection.cursor().copy(
                    "copy (select generate_series(1, 100000000)) to stdout") as copy:
                copy.read()
                self.connection.cancel()
                for _ in copy:
                    pass
        self.assertEqual(value(self.connection, "select 1"), 1)

    def test_a_server_side_cursor_fetches_in_parts(self):
        with self.connection.transaction():
            with self.connection.cursor("named") as cursor:
                cursor.itersize = 100
                cursor.execute("select generate_series(1, 1000)")
                self.assertEqual(sum(row[0] for row in cursor), 500500)

    def test_a_row_by_row_reader_that_stops_early_does_no_harm(self):
        for row in self.connection.cursor().stream("select generate_series(1, 100000)"):
            if row[0] == 10:
                break
        self.assertEqual(value(self.connection, "select 1"), 1)

    def test_notices_reach_the_client_that_caused_them(self):
        other = self.connect()
        heard, overheard = [], []
        self.connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        other.add_notice_handler(lambda notice: overheard.append(notice.message_primary))
        self.connection.execute("do $$ begin raise warning 'for one'; end $$")
        other.execute("select 1")
        self.assertEqual((heard, overheard), (["for one"], []))

    def test_parameter_status_is_the_servers(self):
        direct = self.direct()
        for name in ("server_version", "server_encoding", "client_encoding", "DateStyle",
                     "TimeZone", "integer_datetimes", "standard_conforming_strings",
                     "is_superuser", "session_authorization"):
            with self.subTest(name):
                self.assertEqual(self.connection.pgconn.parameter_status(name.encode()),
                                 direct.pgconn.parameter_status(name.encode()))

    def test_statements_behind_a_failed_one_are_known_when_they_follow_a_sync(self):
        connection = self.connection.pgconn
        connection.enter_pipeline_mode()
        connection.send_prepare(b"bad", b"selec")
        connection.pipeline_sync()
        connection.send_prepare(b"good", b"select 7")
        connection.pipeline_sync()
        connection.send_query_prepared(b"good", [])
        connection.pipeline_sync()
        connection.flush()
        rows = []
        syncs = 0
        while syncs < 3:
            result = connection.get_result()
            if result is None:
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                syncs += 1
            elif result.status == pq.ExecStatus.TUPLES_OK:
                rows.append(result.get_value(0, 0))
        connection.exit_pipeline_mode()
        self.assertEqual(rows, [b"7"])
        self.assertEqual(connection.exec_prepared(b"good", []).get_value(0, 0), b"7")

    def test_a_function_call_answers(self):
        result = self.connection.execute("select lo_creat(-1)").fetchone()
        self.assertGreater(result[0], 0)

    def test_many_threads_share_few_servers(self):
        failures = []

        def work(number):
            try:
                with self.pgweir.connect() as connection:
                    for turn in range(20):
                        got = value(connection, "select %s::int * 1000 + %s::int", (number, turn))
                        if got != number * 1000 + turn:
                            raise AssertionError(f"{number}, {turn}: got {got}")
            except Exception as error:  # Told below, in the thread of the test.
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class CancelTest(PgweirTest):
    url_parameters = {"connection_limit": 3}

    def run_in_thread(self, connection, sql):
        """Starts a statement; returns a function that waits for it and returns its error."""
        outcome = []

        def work():
            try:
                connection.execute(sql)
                outcome.append(None)
            except psycopg.Error as error:
                outcome.append(error)

        thread = threading.Thread(target=work)
        thread.start()

        def finish():
            thread.join(30)
            return outcome[0]

        return finish

    def wait_for_statement(self, text):
        eye = self.superuser()
        processes.wait_until(
            lambda: value(eye, "select count(*) from pg_stat_activity where state = 'active' and "
                               "query like %s and pid <> pg_backend_pid()", (f"%{text}%",)),
            10, f"{text} runs")

    def test_cancel_ends_the_statement_and_not_the_session(self):
        connection = self.connect()
        finish = self.run_in_thread(connection, "select pg_sleep(60), 'to be cancelled'")
        self.wait_for_statement("to be cancelled")
        connection.cancel()
        self.assertIsInstance(finish(), psycopg.errors.QueryCanceled)
        self.assertEqual(value(connection, "select 1"), 1)

    def test_a_late_cancel_hits_nobody(self):
        sleeper, idle = self.connect(), self.connect()
        finish = self.run_in_thread(sleeper, "select pg_sleep(2), 'innocent'")
        self.wait_for_statement("innocent")
        for _ in range(50):
            value(idle, "select 1")  # On some server, perhaps one that the sleeper had before.
            idle.cancel()
        self.assertIsNone(finish())
        self.assertEqual(value(idle, "select 1"), 1)

    def test_a_cancel_with_a_wrong_secret_hits_nobody(self):
        sleeper = self.connect()
        finish = self.run_in_thread(sleeper, "select pg_sleep(1), 'guessed at'")
        self.wait_for_statement("guessed at")
        stranger = self.connect()
        stranger.close()
        self.assertIsNone(finish())

    def test_a_storm_of_cancels_hits_only_its_own_client(self):
        victim, bystanders = self.connect(), [self.connect() for _ in range(4)]
        stop = threading.Event()
        failures = []

        def stand_by(connection):
            while not stop.is_set():
                try:
                    connection.execute("select pg_sleep(0.001)")
                except psycopg.Error as error:
                    failures.append(error)

        threads = [threading.Thread(target=stand_by, args=(c,)) for c in bystanders]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            finish = self.run_in_thread(victim, "select pg_sleep(0.005)")
            victim.cancel()
            error = finish()
            self.assertIsInstance(error, (psycopg.errors.QueryCanceled, type(None)))
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
