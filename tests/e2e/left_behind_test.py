"""Whatever one client leaves on a server in ways that are easily overlooked, the next never finds.

One connection to the server: the next client gets the server that the one before left behind.
"""

import psycopg

from support import processes, wire
from support.case import PgweirTest, value
from support.pgweir import Pgweir
from support.wire import Wire, kinds, sqlstate


class LeftBehindTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            auth_type = "trust"
            query_wait_timeout = "5s"
            [databases.app]
            url = "{cls.server.url(connection_limit=1)}"
            """)

    def expect_no_table(self, name):
        with self.pgweir.connect() as connection:
            with self.assertRaises(psycopg.errors.UndefinedTable):
                connection.execute(f"select * from {name}")

    def leave(self, *statements, **options):
        """A client that comes, says these and goes."""
        with self.pgweir.connect(**options) as connection:
            for statement in statements:
                connection.execute(statement)

    def open(self, **parameters):
        connection = self.enterContext(Wire(self.pgweir.port))
        connection.log_in(**parameters)
        return connection

    # Settings.

    def test_a_setting_changed_by_update(self):
        before = value(self.connect(), "show work_mem")
        update = "update pg_settings set setting = '5MB' where name = 'work_mem'"
        connection = self.connect()
        connection.execute(update)
        self.assertEqual(value(connection, "show work_mem"), "5MB")
        connection.close()
        self.assertEqual(value(self.connect(), "show work_mem"), before)
        self.leave("explain analyze " + update)
        self.assertEqual(value(self.connect(), "show work_mem"), before)

    def test_settings_that_a_procedure_has_committed(self):
        owner = self.direct()
        owner.execute("create procedure commits() language plpgsql as 'begin commit; end'")
        owner.execute("create procedure fails() language plpgsql as "
                      "'begin commit; perform 1 / 0; end'")
        before = value(self.connect(), "show search_path")
        # Since PostgreSQL 18 a pipeline is a transaction block for procedures, too.
        committed = b"evil" if owner.info.server_version < 180000 else before.encode()
        for rest in (("call public.commits()", "select 1/0"), ("call public.fails()",)):
            with self.subTest(rest):
                connection = self.open()
                for text in ("set search_path = evil", *rest):
                    connection.send(wire.parse(text) + wire.bind() + wire.execute())
                connection.send(wire.SYNC)
                self.assertIn("E", kinds(connection.read_until(b"Z")))
                # As a direct connection would: the procedure has made it last, where it may.
                self.assertIn(committed, dict(connection.ask("show search_path"))[b"D"])
                connection.socket.close()
                self.assertEqual(value(self.connect(), "show search_path"), before)

    # Temporary objects.

    def test_temporary_objects_by_way_of_search_path(self):
        create = "create table secrets as select 'mine' as secret"
        ways = {
            "set_config": ["begin", "select set_config('search_path', 'pg_temp,public', true)",
                           create, "commit"],
            "computed": ["begin", "select set_config('search_path', 'pg' || '_temp', true)",
                         create, "commit"],
            "select into": ["begin", "select set_config('search_path', 'pg' || '_temp', true)",
                            "select 'mine' as secret into secrets", "commit"],
            "set": ["set search_path to pg_temp", create],
            "set local": ["begin", "set local search_path to pg_temp", create, "commit"],
        }
        for way, statements in ways.items():
            with self.subTest(way):
                self.leave(*statements)
                self.expect_no_table("pg_temp.secrets")

    def test_temporary_objects_by_way_of_startup(self):
        connection = self.connect(options="-c search_path=pg_temp")
        connection.execute("create table secrets (id int)")
        self.assertEqual(value(connection, "select count(*) from secrets"), 0)
        connection.execute("discard all")
        connection.execute("create table secrets (id int)")
        self.assertEqual(value(connection, "select count(*) from secrets"), 0)
        connection.close()
        self.expect_no_table("pg_temp.secrets")

    def test_temporary_objects_by_way_of_a_default(self):
        self.superuser().execute("alter role app set search_path = pg_temp")
        try:
            self.end_servers()
            self.leave("create table secrets (id int)")
            self.expect_no_table("secrets")
        finally:
            self.superuser().execute("alter role app reset search_path")
            self.end_servers()

    def end_servers(self):
        superuser = self.superuser()
        pids = [pid for (pid,) in superuser.execute(
            "select pid from pg_stat_activity where usename = 'app'").fetchall()]
        superuser.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", (pids,))
        processes.wait_until(lambda: value(
            superuser, "select count(*) from pg_stat_activity where pid = any(%s::int[])",
            (pids,)) == 0, 5, "they are gone")

    # What runs SQL that pgweir does not read.

    def test_locks_taken_by_sql_in_a_string(self):
        with self.pgweir.connect() as connection:
            self.assertIsNotNone(value(connection, "select query_to_xml("
                                       "'select pg_advisory_lock(99)', false, false, '')"))
        processes.wait_until(lambda: value(self.direct(), "select pg_try_advisory_lock(99)"), 5,
                             "the lock is free")

    def test_a_block_may_do_anything(self):
        connection = self.connect()
        connection.execute("do $$ begin perform setseed(0.5); end $$")
        pid = value(connection, "select pg_backend_pid()")
        # Its tie ends, but no DISCARD ALL proves such a server clean.
        connection.execute("discard all")
        other = self.connect()
        self.assertNotEqual(value(other, "select pg_backend_pid()"), pid)
        self.assertNotEqual(value(other, "select random()"), self.random_after_seed())

    def random_after_seed(self):
        direct = self.direct()
        direct.execute("select setseed(0.5)")
        return value(direct, "select random()")

    def test_a_seed_by_another_name(self):
        expected = self.random_after_seed()
        for name in ("'seed'", "'se' || 'ed'"):
            with self.subTest(name):
                self.leave(f"select set_config({name}, '0.5', true)")
                self.assertNotEqual(value(self.connect(), "select random()"), expected)
        connection = self.connect()
        connection.execute("select set_config(%s, %s, true)", ("seed", "0.5"), prepare=True)
        # Nothing pins who says such things, though.
        self.assertNotEqual(value(self.connect(), "select random()"), expected)

    # Sequences.

    def test_a_sequence_is_where_its_own_session_has_left_it(self):
        self.direct().execute("create sequence ids")
        self.direct().execute("create table things (id int default nextval('ids'))")
        first, second = self.connect(), self.connect()
        for ask in ("select lastval()", "select currval('ids')"):
            for begin in (False, True):
                with self.subTest(ask, begin=begin):
                    first.execute("insert into things default values")
                    if begin:
                        second.execute("begin")
                    with self.assertRaises(psycopg.errors.ObjectNotInPrerequisiteState):
                        second.execute(ask)
                    second.execute("rollback")
                    second.execute("discard sequences")
        mine = value(first, "insert into things default values returning id")
        self.assertEqual(value(first, "select lastval()"), mine)
        for statement in ("begin", "insert into things default values"):
            first.execute(statement)
        self.assertEqual(value(first, "select lastval()"), mine + 1)
        first.execute("commit")
        self.assertEqual(value(first, "select currval('ids')"), mine + 1)
        first.close()
        second.execute("insert into things default values")
        self.assertEqual(value(second, "select lastval()"), mine + 2)

    def test_nextval_ties_nobody(self):
        self.direct().execute("create sequence free_ids")
        connections = [self.connect() for _ in range(3)]
        for _ in range(2):
            for connection in connections:
                connection.execute("select nextval('free_ids')")

    # Prepared statements.

    def test_a_name_of_the_protocol_deallocated_among_other_statements(self):
        connection = self.open()
        prepare = wire.parse("select 42", b"mine") + wire.SYNC
        run = wire.bind(name=b"mine") + wire.execute() + wire.SYNC
        for text, answer, is_gone in (("deallocate mine; select 1", "CTDCZ", True),
                                      ("select 1; deallocate mine", "TDCCZ", True),
                                      ("deallocate mine; select 1/0", "CTEZ", True),
                                      ("select 1/0; deallocate mine", "TEZ", False)):
            with self.subTest(text):
                connection.send(prepare)
                self.assertEqual(kinds(connection.read_until(b"Z")), "1Z")
                self.assertEqual(kinds(connection.ask(text)).replace("TE", "E"),
                                 answer.replace("TE", "E"))
                connection.send(run)
                answers = connection.read_until(b"Z")
                self.assertEqual(kinds(answers), "EZ" if is_gone else "2DCZ")
                if not is_gone:
                    self.assertEqual(kinds(connection.ask("deallocate mine")), "CZ")
        # Nothing of that is left for others.
        self.assertEqual(kinds(self.open().ask("prepare mine as select 1")), "CZ")

    def test_what_pgweir_has_prepared_is_no_others_to_spoil(self):
        connection, other = self.open(), self.open()
        connection.send(wire.parse("select 43", b"mine") + wire.SYNC)
        self.assertEqual(kinds(connection.read_until(b"Z")), "1Z")
        run = wire.bind(name=b"mine") + wire.execute() + wire.SYNC
        name = other.ask("select name from pg_prepared_statements "
                         "where statement = 'select 43'")[1][1][6:].decode()
        self.assertTrue(name.startswith("pgweir_"))
        other.ask(f"deallocate {name}")
        other.socket.close()
        connection.send(run)
        self.assertEqual(kinds(connection.read_until(b"Z")), "2DCZ")


class WithoutNamesTest(PgweirTest):
    """max_prepared_statements = 0: named statements go to the server as they are."""

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            auth_type = "trust"
            max_prepared_statements = 0
            [databases.app]
            url = "{cls.server.url(connection_limit=1)}"
            """)

    def test_what_a_named_statement_does_is_seen(self):
        pids = []
        for _ in range(2):
            with Wire(self.pgweir.port) as connection:
                connection.log_in()
                pids.append(connection.ask("select pg_backend_pid()")[1][1])
                connection.send(wire.parse("select setseed(0.5)", b"s") + wire.bind(name=b"s") +
                                wire.execute() + wire.SYNC)
                self.assertEqual(kinds(connection.read_until(b"Z")), "12DCZ")
        self.assertNotEqual(*pids)


class FunctionsTest(PgweirTest):
    """What functions do inside nobody sees; there is a way out for those who have such."""

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            auth_type = "trust"
            server_reset_query_always = true
            [databases.app]
            url = "{cls.server.url(connection_limit=1)}"
            """)

    def test_server_reset_query_always_cleans_behind_functions(self):
        self.direct().execute("create function quiet() returns void language plpgsql as "
                              "$$ begin perform set_config('work_mem', '5MB', false); end $$")
        before = value(self.connect(), "show work_mem")
        self.connect().execute("select quiet()")
        self.assertEqual(value(self.connect(), "show work_mem"), before)
