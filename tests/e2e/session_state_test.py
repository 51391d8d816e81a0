"""What a client does to its session is there when it looks again, and nowhere else.

One connection to the server: whoever comes next gets the server that the one before left behind.
"""

import select
import struct
import time

import psycopg

from support import processes, wire
from support.case import PgweirTest, value
from support.pgweir import Pgweir
from support.wire import Wire, kinds


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

    def test_a_set_in_a_transaction_stays_with_its_client(self):
        connection, other = self.connect(), self.connect()
        before = self.show(other, "work_mem")
        for mine, end, kept in (("33MB", "commit", "33MB"), ("44MB", "rollback", "33MB"),
                                ("44MB", "commit", "44MB")):
            connection.execute("begin")
            connection.execute(f"set work_mem = '{mine}'")
            connection.execute(end)
            self.assertEqual(self.show(other, "work_mem"), before)
            self.assertEqual(self.show(connection, "work_mem"), kept)

    def test_effects_of_a_pipeline_are_all_remembered(self):
        connection, other = self.connect(), self.connect()
        with connection.pipeline() as pipeline:
            connection.execute("set work_mem = '21MB'")
            connection.execute("set lock_timeout = '21s'")
            pipeline.sync()
            connection.execute("set statement_timeout = '21s'")
        self.show(other, "work_mem")
        for name, mine in (("work_mem", "21MB"), ("lock_timeout", "21s"),
                           ("statement_timeout", "21s")):
            self.assertEqual(self.show(connection, name), mine)
            self.assertNotEqual(self.show(other, name), mine)

    def test_a_reset_leads_back_to_what_the_client_brought(self):
        for reset in ("reset all", "reset timezone", "discard all", "set timezone to default"):
            with self.subTest(reset):
                connections = self.connect(options="-c timezone=Asia/Tokyo"), self.direct(
                    options="-c timezone=Asia/Tokyo")
                for connection in connections:
                    connection.execute("set timezone to 'Asia/Seoul'")
                    connection.execute(reset)
                    self.assertEqual(connection.pgconn.parameter_status(b"TimeZone"), b"Asia/Tokyo")
                    self.assertEqual(self.show(connection, "timezone"), "Asia/Tokyo")
                self.assertEqual(self.show(self.connect(), "timezone"), self.show(
                    self.direct(), "timezone"))
                for connection in connections:
                    connection.close()

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

    def test_a_startup_list_is_a_list_and_may_be_beyond_ascii(self):
        self.direct().execute('create schema if not exists "Ärger"')
        other = self.connect(client_encoding="latin1")
        for path in ('"$user", public', 'pg_catalog,public', '"Ärger", public'):
            self.show(other, "search_path")
            # A backslash takes a space or a quote as it is.
            option = "-c search_path=" + path.replace(" ", "\\ ")
            self.assertEqual(self.show(self.connect(options=option), "search_path"), path)

    def test_a_bad_startup_value_is_refused_at_login_as_directly(self):
        for options in ("-c timezone=Nowhere/Town", "-c work_mem=much", "-c nonsense=1",
                        "-c DateStyle=Martian"):
            with self.subTest(options):
                errors = []
                for connect in (self.connect, self.direct):
                    with self.assertRaises(psycopg.OperationalError) as caught:
                        connect(options=options)
                    errors.append(str(caught.exception).split("FATAL:")[1])
                self.assertEqual(*errors)

    def test_a_client_whose_encoding_hides_quotes_is_understood_by_the_server(self):
        connection, other = self.connect(client_encoding="SJIS"), self.direct(
            client_encoding="SJIS")
        # The second byte of this character is a backslash in ASCII.
        text = "select '\u30bd', 1 as \"\u8868\""
        self.assertEqual(connection.execute(text).fetchone(), other.execute(text).fetchone())
        connection.close()
        self.assertEqual(self.show(self.connect(), "client_encoding"), "UTF8")

    def test_backslashes_are_read_as_the_client_reads_them(self):
        connection = self.connect()
        connection.execute("set standard_conforming_strings = off")
        # One string, in which whoever knows no better sees a SET.
        self.assertEqual(value(connection, "select '\\'; set work_mem = 5500; --'"),
                         "'; set work_mem = 5500; --")
        self.assertNotEqual(self.show(connection, "work_mem"), "5500kB")
        connection.close()
        self.assertEqual(self.show(self.connect(), "standard_conforming_strings"), "on")

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


    def test_a_role_that_every_login_has_is_back_after_a_reset(self):
        self.superuser().execute("create role login_role; grant login_role to app; "
                                 "grant all on schema public to login_role; "
                                 "alter role app set role = 'login_role'")
        self.addCleanup(lambda: self.superuser().execute("alter role app reset role"))
        self.superuser().execute("select pg_terminate_backend(pid) from pg_stat_activity "
                                 "where usename = 'app'")
        self.assertEqual(value(self.direct(), "select current_user"), "login_role")
        for statement in ("select 1", "listen x", "set role none", "discard all"):
            with self.subTest(statement):
                connection = self.connect()
                connection.execute(statement)
                connection.close()
                connection = self.connect()
                self.assertEqual(value(connection, "select current_user"), "login_role")
                connection.close()


class WireTest(PgweirTest):
    """What drivers send without waiting, on one server for all."""

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            auth_type = "trust"
            [databases.app]
            url = "{cls.server.url(connection_limit=1)}"
            """)

    def open(self):
        connection = self.enterContext(Wire(self.pgweir.port))
        connection.log_in()
        return connection

    def test_a_function_may_do_anything_to_its_session(self):
        before = value(self.connect(), "show work_mem")
        oid = value(self.direct(), "select 'set_config(text,text,bool)'::regprocedure::oid::int")
        arguments = b"".join(struct.pack("!i", len(text)) + text for text in (b"work_mem", b"9MB"))
        call = struct.pack("!ihh", oid, 0, 3) + arguments + struct.pack("!i", 1) + b"f" + b"\0\0"
        with Wire(self.pgweir.port) as connection:
            connection.log_in()
            connection.send(wire.message(b"F", call))
            self.assertEqual(kinds(connection.read_until(b"Z")), "VZ")
            self.assertIn(b"9MB", connection.ask("show work_mem")[1][1])
        self.assertEqual(value(self.connect(), "show work_mem"), before)

    def test_statements_behind_a_discard_all_are_new_ones(self):
        # As Npgsql does: the reset of the last user travels with the next one's first statement.
        other = self.open()
        for _ in range(3):
            connection = self.open()
            connection.send(wire.parse("select 1", b"s") + wire.bind(name=b"s") + wire.execute() +
                            wire.SYNC)
            self.assertEqual(kinds(connection.read_until(b"Z")), "12DCZ")
            connection.send(wire.query("discard all") + wire.parse("select 1", b"s") +
                            wire.bind(name=b"s") + wire.execute() + wire.SYNC)
            self.assertEqual(kinds(connection.read_until(b"Z")), "CZ")
            self.assertEqual(kinds(connection.read_until(b"Z")), "12DCZ")
            other.send(wire.parse("select 1", b"") + wire.bind() + wire.execute() + wire.SYNC)
            self.assertEqual(kinds(other.read_until(b"Z")), "12DCZ")
            other.send(wire.parse("select 1", b"t") + wire.bind(name=b"t") + wire.execute() +
                       wire.message(b"C", b"St\0") + wire.SYNC)
            self.assertEqual(kinds(other.read_until(b"Z")), "12DC3Z")


class LoginParametersTest(PgweirTest):
    """What a client is told at login is what a direct connection would have been told."""

    COMBINATIONS = (
        {},
        {"application_name": "x"},
        {"application_name": "n\u00e4me \u2603 " + "long " * 20},
        {"client_encoding": "latin1"},
        {"client_encoding": "utf-8"},
        {"options": "-c DateStyle=German"},
        {"options": "-c datestyle=ISO"},
        {"options": "-c TimeZone=asia/tokyo"},
        {"options": "-c timezone=utc -c intervalstyle=ISO_8601"},
        {"options": "-c search_path=pg_catalog,public"},
        {"options": "-c standard_conforming_strings=off"},
        {"options": "-c default_transaction_read_only=yes"},
        {"options": "-c work_mem=77MB --lock-timeout=3s"},
    )
    NAMES = (b"server_version", b"server_encoding", b"client_encoding", b"application_name",
             b"is_superuser", b"session_authorization", b"DateStyle", b"IntervalStyle",
             b"TimeZone", b"integer_datetimes", b"standard_conforming_strings",
             b"default_transaction_read_only", b"in_hot_standby")

    def statuses(self, connection):
        return {name: connection.pgconn.parameter_status(name) for name in self.NAMES}

    def test_parameter_statuses_are_those_of_a_direct_connection(self):
        for turn in range(2):
            for options in self.COMBINATIONS:
                with self.subTest(turn=turn, **options):
                    direct, connection = self.direct(**options), self.connect(**options)
                    self.assertEqual(self.statuses(connection), self.statuses(direct))
                    for name in self.NAMES:
                        shown = value(connection, f"show {name.decode()}")
                        self.assertEqual(shown, value(direct, f"show {name.decode()}"))
                    self.assertEqual(self.statuses(connection), self.statuses(direct))
                    direct.close()
                    connection.close()


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

    def in_use(self):
        return self.pgweir.health()["pool"]["inUse"]

    def test_who_closes_what_it_began_gives_its_server_back(self):
        for begin, end in (("declare c cursor with hold for select 1", "close c"),
                           ("prepare p as select 1", "deallocate p"),
                           ("listen gossip", "unlisten gossip")):
            with self.subTest(begin):
                connection = self.connect()
                connection.execute(begin)
                processes.wait_until(lambda: self.in_use() == 1, 5, "it has a server")
                connection.execute(end)
                processes.wait_until(lambda: self.in_use() == 0, 5, "it has none")
                self.assertEqual(value(connection, "select 1"), 1)

    def begin_and_end(self, *statements):
        connection = self.connect()
        for statement in statements:
            connection.execute(statement)
        return connection

    def test_who_has_nothing_left_gives_its_server_back(self):
        self.superuser().execute("create role manager; grant manager to app")
        for statements in (("select pg_advisory_lock(5)", "select pg_advisory_unlock(5)"),
                           ("create temp table t (i int)", "drop table t"),
                           ("create temp view v as select 1", "drop view v"),
                           ("begin; create temp table t (i int) on commit drop", "commit"),
                           ("set role manager", "set role none"),
                           ("select set_config('my.name', 'me', false)", "reset my.name"),
                           ("select set_config('my.name', 'me', false)", "reset all"),
                           ("begin; listen gossip; prepare p as select 1", "rollback"),
                           ("begin; declare c cursor with hold for select 1", "rollback")):
            with self.subTest(statements[0]):
                connection = self.begin_and_end(*statements)
                processes.wait_until(lambda: self.in_use() == 0, 5, "it has none")
                self.assertEqual(value(connection, "select 1"), 1)
                connection.close()

    def test_who_has_anything_left_keeps_its_server(self):
        for statements, look in (
                (("select pg_advisory_lock(6), pg_advisory_lock(6)",
                  "select pg_advisory_unlock(6)"), "select pg_advisory_unlock(6)"),
                (("create temp table t (i int); create temp table u (i int)", "drop table t"),
                 "select count(*) = 0 from u"),
                (("create function pg_temp.f() returns bool language sql as 'select true'",
                  "drop table if exists nothing"), "select pg_temp.f()"),
                (("listen gossip", "begin; listen more", "rollback"),
                 "select 'gossip' = pg_listening_channels()"),
                (("begin; create temp table t (i int)", "commit"), "select count(*) = 0 from t"),
                (("prepare p as select true", "begin; prepare q as select 1", "rollback"),
                 "execute p")):
            with self.subTest(statements[0]):
                connection = self.begin_and_end(*statements)
                for _ in range(3):
                    value(self.connect(), "select 1")
                self.assertTrue(value(connection, look))
                connection.close()

    def test_who_is_denied_a_lock_gives_its_server_back(self):
        self.direct().execute("select pg_advisory_lock(8)")
        connection = self.connect()
        self.assertFalse(value(connection, "select pg_try_advisory_lock(8)"))
        processes.wait_until(lambda: self.in_use() == 0, 5, "it has none")

    def test_a_session_lock_holds_between_transactions(self):
        holder, other = self.connect(), self.connect()
        holder.execute("select pg_advisory_lock(7)")
        for _ in range(5):
            self.assertFalse(value(other, "select pg_try_advisory_lock(7)"))
        self.assertTrue(value(holder, "select pg_advisory_unlock(7)"))
        self.assertTrue(value(other, "select pg_try_advisory_lock(7)"))
