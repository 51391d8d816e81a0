"""Clients that leave without a word: their servers come back clean, and soon."""

import psycopg

from support import processes
from support.case import PgweirTest, value, vanish


class VanishingTest(PgweirTest):
    url_parameters = {"connection_limit": 1, "pool_timeout": 20}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            connection.execute("create table ledger (id int)")

    def setUp(self):
        self.direct().execute("truncate ledger")

    def assert_all_is_well(self, seconds=8):
        """The one server answers somebody else, outside of a transaction, within `seconds`."""
        with self.pgweir.connect(options=f"-c statement_timeout={seconds}s") as connection:
            self.assertEqual(value(connection, "select count(*) from ledger"), 0)
        eye = self.superuser()
        processes.wait_until(
            lambda: value(eye, "select count(*) from pg_stat_activity where usename = 'app' and "
                               "state <> 'idle'") == 0, seconds, "all rest")

    def test_in_an_idle_transaction_it_costs_a_rollback_and_no_server(self):
        connection = self.connect()
        pid = value(connection, "select pg_backend_pid()")
        connection.execute("begin")
        connection.execute("insert into ledger values (1)")
        vanish(connection)
        self.assert_all_is_well()
        self.assertEqual(value(self.connect(), "select pg_backend_pid()"), pid)

    def test_while_a_statement_runs(self):
        connection = self.connect()
        connection.pgconn.send_query(b"insert into ledger select 1 from pg_sleep(100)")
        self.wait_until_active("pg_sleep")
        vanish(connection)
        self.assert_all_is_well()

    def test_in_the_middle_of_a_large_result(self):
        connection = self.connect()
        connection.pgconn.send_query(b"select repeat('x', 1000) from generate_series(1, 10000000)")
        self.wait_until_active("generate_series")
        vanish(connection)
        self.assert_all_is_well()

    def test_in_the_middle_of_copy_in(self):
        connection = self.connect()
        connection.pgconn.exec_(b"copy ledger from stdin")
        connection.pgconn.put_copy_data(b"1\n2\n")
        vanish(connection)
        self.assert_all_is_well()

    def test_while_it_waits_for_a_server(self):
        holder, waiter = self.connect(), self.connect()
        holder.execute("begin")
        waiter.pgconn.send_query(b"insert into ledger values (1)")
        processes.wait_until(lambda: self.pgweir.health()["pool"]["waiting"] == 1, 5, "it waits")
        vanish(waiter)
        processes.wait_until(lambda: self.pgweir.health()["pool"]["waiting"] == 0, 5, "it left")
        holder.execute("commit")
        self.assert_all_is_well()

    def test_hundreds_at_once(self):
        for _ in range(300):
            connection = self.connect()
            connection.pgconn.send_query(b"select 1")
            vanish(connection)
        self.assert_all_is_well()

    def wait_until_active(self, text):
        eye = self.superuser()
        processes.wait_until(
            lambda: value(eye, "select count(*) from pg_stat_activity where state = 'active' and "
                               "usename = 'app' and query like %s", (f"%{text}%",)), 10, "it runs")


class GoodByeTest(PgweirTest):
    url_parameters = {"connection_limit": 5}

    def test_what_was_asked_before_a_good_bye_is_done(self):
        eye = self.direct()
        eye.execute("create table ledger (id int)")
        for count in range(1, 6):
            connection = self.connect()
            connection.pgconn.send_query(b"insert into ledger select 1 from pg_sleep(0.05)")
            connection.pgconn.finish()
            processes.wait_until(
                lambda: value(eye, "select count(*) from ledger") == count,  # noqa: B023
                8, f"{count} rows are there")


class IdleInTransactionTest(PgweirTest):
    url_parameters = {"connection_limit": 1, "pool_timeout": 20,
                      "idle_in_transaction_session_timeout": "2s"}

    def test_the_servers_own_timeout_frees_the_server(self):
        sleeper = self.connect()
        sleeper.execute("begin")
        self.assertEqual(value(self.connect(), "select 1"), 1)
        # libpq reads the reason and the end together, and keeps no SQLSTATE then.
        with self.assertRaisesRegex(psycopg.Error, "idle-in-transaction timeout"):
            sleeper.execute("select 1")
