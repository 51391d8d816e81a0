"""What a client does to its session is there when it looks again, and nowhere else.

One connection to the server: whoever comes next gets the server that the one before left behind.
"""

import select
import time

import psycopg

from support import processes
from support.case import PgweirTest, value


class OneServerTest(PgweirTest):
    url_parameters = {"connection_limit": 1, "pool_timeout": 10}

    def show(self, connection, name):
        return value(connection, f"show {name}")

    def test_two_clients_share_the_one_server(self):
        pids = {value(self.connect(), "select pg_backend_pid()") for _ in range(3)}
        self.assertEqual(len(pids), 1)

    def test_set_stays_with_its_client(self):
        for name, mine in (("work_mem", "77MB"), ("search_path", "pg_catalog"),
                           ("TimeZone", "Asia/Tokyo"), ("statement_timeout", "54s"),
                           ("DateStyle", "German, DMY"), ("lock_timeout", "9s"),
                           ("application_name", "me")):
            with self.subTest(name):
                first, second = self.connect(), self.connect()
                before = self.show(second, name)
                first.execute(f"set {name} to {mine if name == 'DateStyle' else repr(mine)}")
                self.assertEqual(self.show(second, name), before)
                self.assertEqual(self.show(first, name), mine)
                self.assertEqual(self.show(second, name), before)
                first.close()
                self.assertEqual(self.show(self.connect(), name), before)

    def test_reset_undoes_set(self):
        connection, other = self.connect(), self.connect()
        before = self.show(connection, "work_mem")
        connection.execute("set work_mem = '66MB'")
        self.show(other, "work_mem")
        connection.execute("reset work_mem")
        self.show(other, "work_mem")
        self.assertEqual(self.show(connection, "work_mem"), before)

    def test_set_local_ends_with_its_transaction(self):
        connection = self.connect()
        before = self.show(connection, "work_mem")
        with connection.transaction():
            connection.execute("set local work_mem = '66MB'")
            self.assertEqual(self.show(connection, "work_mem"), "66MB")
        self.assertEqual(self.show(connection, "work_mem"), before)

    def test_a_set_that_was_rolled_back_is_forgotten(self):
        connection, other = self.connect(), self.connect()
        before = self.show(connection, "work_mem")
        connection.execute("begin")
        connection.execute("set work_mem = '66MB'")
        connection.execute("rollback")
        self.show(other, "work_mem")
        self.assertEqual(self.show(connection, "work_mem"), before)

    def test_savepoints_are_honoured(self):
        connection, other = self.connect(), self.connect()
        connection.execute("begin")
        connection.execute("set work_mem = '11MB'")
        connection.execute("savepoint s")
        connection.execute("set work_mem = '22MB'")
        connection.execute("rollback to s")
        connection.execute("commit")
        self.show(other, "work_mem")
        self.assertEqual(self.show(connection, "work_mem"), "11MB")

    def test_set_config_for_the_session_does_not_leak(self):
        before = self.show(self.connect(), "work_mem")
        connection = self.connect()
        connection.execute("select set_config('work_mem', '66MB', false)")
        self.assertEqual(self.show(connection, "work_mem"), "66MB")
        connection.close()
        self.assertEqual(self.show(self.connect(), "work_mem"), before)

    def test_startup_parameters_stay_with_their_client(self):
        plain = self.connect()
        special = self.connect(application_name="special", client_encoding="latin1",
                               options="-c search_path=pg_catalog -c work_mem=5MB")
        for _ in range(2):
            self.assertEqual(self.show(special, "application_name"), "special")
            self.assertEqual(self.show(special, "client_encoding"), "LATIN1")
            self.assertEqual(self.show(special, "search_path"), "pg_catalog")
            self.assertEqual(self.show(special, "work_mem"), "5MB")
            self.assertNotEqual(self.show(plain, "application_name"), "special")
            self.assertEqual(self.show(plain, "client_encoding"), "UTF8")
            self.assertNotEqual(self.show(plain, "search_path"), "pg_catalog")
            self.assertNotEqual(self.show(plain, "work_mem"), "5MB")

    def test_a_temporary_table_is_gone_with_its_client(self):
        connection = self.connect()
        connection.execute("create temp table secrets (id int)")
        connection.execute("insert into secrets values (1)")
        self.assertEqual(value(connection, "select count(*) from secrets"), 1)
        connection.close()
        with self.assertRaises(psycopg.errors.UndefinedTable):
            self.connect().execute("select * from secrets")

    def test_a_prepared_statement_of_sql_is_gone_with_its_client(self):
        connection = self.connect()
        connection.execute("prepare mine as select 1")
        self.assertEqual(value(connection, "execute mine"), 1)
        connection.close()
        with self.assertRaises(psycopg.errors.InvalidSqlStatementName):
            self.connect().execute("execute mine")

    def test_an_advisory_lock_is_gone_with_its_client(self):
        connection = self.connect()
        connection.execute("select pg_advisory_lock(42)")
        connection.close()
        processes.wait_until(lambda: value(self.direct(), "select pg_try_advisory_lock(42)"), 5,
                             "the lock is free")

    def test_a_cursor_with_hold_is_gone_with_its_client(self):
        connection = self.connect()
        connection.execute("declare held cursor with hold for select generate_series(1, 10)")
        self.assertEqual(value(connection, "fetch 1 from held"), 1)
        self.assertEqual(value(connection, "fetch 1 from held"), 2)
        connection.close()
        with self.assertRaises(psycopg.errors.InvalidCursorName):
            self.connect().execute("fetch 1 from held")

    def test_listening_ends_with_its_client(self):
        connection = self.connect()
        connection.execute("listen gossip")
        connection.close()
        self.assertIsNone(self.connect().execute("select pg_listening_channels()").fetchone())

    def test_a_role_is_given_back_with_its_client(self):
        self.superuser().execute("create role other_role; grant other_role to app")
        connection = self.connect()
        connection.execute("set role other_role")
        self.assertEqual(value(connection, "select current_user"), "other_role")
        connection.close()
        self.assertEqual(value(self.connect(), "select current_user"), "app")


class ListenTest(PgweirTest):
    url_parameters = {"connection_limit": 3}

    def test_a_listener_hears_while_others_work(self):
        listener, speaker = self.connect(), self.connect()
        listener.execute("listen gossip")
        speaker.execute("notify gossip, 'have you heard'")
        heard = []
        listener.add_notify_handler(lambda notification: heard.append(notification.payload))
        deadline = time.monotonic() + 5
        while not heard and time.monotonic() < deadline:
            select.select([listener.fileno()], [], [], 0.1)
            listener.execute("select 1")
        self.assertEqual(heard, ["have you heard"])

    def test_a_session_lock_holds_between_transactions(self):
        holder, other = self.connect(), self.connect()
        holder.execute("select pg_advisory_lock(7)")
        for _ in range(5):
            self.assertFalse(value(other, "select pg_try_advisory_lock(7)"))
        self.assertTrue(value(holder, "select pg_advisory_unlock(7)"))
        self.assertTrue(value(other, "select pg_try_advisory_lock(7)"))
