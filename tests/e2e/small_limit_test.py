"""Limits below 4: no connection is left for pgweir itself, and yet it knows how the server is."""

import threading
import time

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.clients import pgbench
from support.pgweir import Pgweir
from support.postgres import APP_PASSWORD


class Watch:
    """Looks at the server past pgweir until the block ends: the most connections ever seen."""

    def __init__(self, superuser, user="app"):
        self.superuser, self.user, self.most, self.is_over = superuser, user, 0, False

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()

    def look(self):
        while not self.is_over:
            self.most = max(self.most, value(
                self.superuser, "select count(*) from pg_stat_activity where usename = %s",
                [self.user]))
            time.sleep(0.005)


class SmallLimit:
    """What holds for each of the small limits."""

    def ages_until(self, is_over):
        ages = []
        while not is_over():
            health = self.pgweir.health()
            self.assertEqual(health["status"], "ok", health)
            self.assertLessEqual(health["pool"]["open"], self.limit)
            ages.append(health["ageSeconds"])
            time.sleep(0.1)
        return ages

    def assert_healthy_under(self, *pgbench_arguments):
        load = threading.Thread(target=lambda: pgbench(self.pgweir.url(), "-n", "-c", "20",
                                                       *pgbench_arguments))
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "it has looked")
        with Watch(self.superuser()) as watch:
            load.start()
            ages = self.ages_until(lambda: not load.is_alive())
            load.join()
        self.assertLess(max(ages), 3)
        self.assertLessEqual(watch.most, self.limit)
        self.assertGreaterEqual(watch.most, 1)
        self.assertFalse(self.server.refusals())

    def script(self, text):
        path = self.pgweir.directory / "script.sql"
        path.write_text(text)
        return str(path)

    def test_health_stays_fresh_under_short_transactions(self):
        self.assert_healthy_under("-T", "5", "-M", "prepared", "-f",
                                  self.script("begin;\nselect 1;\nend;\n"))

    def test_health_stays_fresh_under_transactions_that_last(self):
        self.assert_healthy_under("-t", "2", "-f",
                                  self.script("begin;\nselect pg_sleep(0.1);\nend;\n"))

    def test_the_limit_was_discovered_all_the_same(self):
        processes.wait_until(lambda: self.pgweir.health()["server"]["maxConnections"] == 20, 10,
                             "it has looked")
        self.assertEqual(self.pgweir.health()["pool"]["limit"], self.limit)

    def wait_for_a_look(self):
        before = time.monotonic()
        processes.wait_until(
            lambda: self.pgweir.health()["ageSeconds"] < time.monotonic() - before, 10, "a look")

    def test_what_a_client_has_set_neither_hinders_nor_suffers(self):
        connection = self.connect(application_name="mine")
        connection.execute("create schema if not exists odd")
        connection.execute("create or replace function odd.more(bigint) returns bigint "
                           "language sql as 'select 77::bigint'")
        connection.execute("create or replace aggregate odd.count(*) (sfunc = odd.more, "
                           "stype = bigint, initcond = '0')")
        connection.execute("set search_path to odd, pg_catalog")
        connection.execute("set statement_timeout to '20ms'")
        connection.execute("select 42", prepare=True)
        self.wait_for_a_look()
        self.assertEqual(self.pgweir.health()["status"], "ok")
        self.assertLess(self.pgweir.health()["database"]["activeConnections"], 20)
        self.assertEqual(value(connection, "show search_path"), "odd, pg_catalog")
        self.assertEqual(value(connection, "show statement_timeout"), "20ms")
        self.assertEqual(value(connection, "show application_name"), "mine")
        self.assertEqual(connection.execute("select 42", prepare=True).fetchone()[0], 42)

    def test_a_transaction_that_does_not_end_leaves_the_last_answer_with_its_age(self):
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "it has looked")
        holders = [self.connect() for _ in range(self.limit)]
        for holder in holders:
            holder.execute("begin")
        time.sleep(2)
        health = self.pgweir.health()
        self.assertEqual(health["status"], "ok")
        self.assertGreater(health["ageSeconds"], 1)
        for holder in holders:
            self.assertEqual(value(holder, "select 1"), 1)
            holder.execute("commit")
        processes.wait_until(lambda: self.pgweir.health()["ageSeconds"] < 1, 5, "it is fresh again")

    def test_a_backend_that_is_ended_in_the_middle_is_replaced(self):
        self.connect()
        superuser = self.superuser()
        for _ in range(20):
            superuser.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
            time.sleep(0.1)
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "it is back")
        self.wait_for_a_look()


class LimitOfOneTest(SmallLimit, PgweirTest):
    limit = 1
    url_parameters = {"connection_limit": 1}


class LimitOfTwoTest(SmallLimit, PgweirTest):
    limit = 2
    url_parameters = {"connection_limit": 2}


class StoppedServerTest(PgweirTest):
    url_parameters = {"connection_limit": 1, "pool_timeout": 2}

    def test_health_says_why_and_recovers(self):
        connection = self.connect()
        self.assertEqual(value(connection, "select 1"), 1)
        self.server.stop("immediate")
        processes.wait_until(lambda: self.pgweir.health()["status"] == "error", 10, "it is noticed")
        self.assertIn("could not connect", self.pgweir.health()["database"]["reason"])
        self.server.start()
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 20, "it is back")


class WrongPasswordTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(cls.server.url(password="wrong", connection_limit=1))

    def test_health_names_the_reason(self):
        reason = "check user and password"
        processes.wait_until(lambda: reason in self.pgweir.health()["database"].get("reason", ""),
                             10, "it is told")


class OtherUserTest(PgweirTest):
    """The clients log in to the server as somebody else than pgweir itself would."""

    CONFIG = """
        connection_limit = 1
        [databases.app]
        url = "{app}"
        [databases.other]
        url = "{other}"
        [users.app]
        password = "{password}"
        """

    @classmethod
    def make_pgweir(cls):
        with cls.server.superuser() as superuser:
            superuser.execute("create role other login password 'secret'")
            superuser.execute("create database other owner other")
        return Pgweir(config=cls.CONFIG.format(
            app=cls.server.url(), other=cls.server.url("other", "secret", "other"),
            password=APP_PASSWORD))

    def test_it_gets_its_turn_among_them(self):
        stop = threading.Event()

        def load():
            with self.pgweir.connect(database="other") as connection:
                while not stop.is_set():
                    connection.execute("select pg_sleep(0.01)")

        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "a look")
            for _ in range(30):
                self.assertLess(self.pgweir.health()["ageSeconds"], 3)
                time.sleep(0.1)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertFalse(self.server.refusals())


class ManyServersTest(PgweirTest):
    """One limit for several servers: pgweir's own connections must not use it up."""

    CONFIG = "connection_limit = 4\n" + "".join(
        f"[databases.app{i}]\nurl = \"{{url{i}}}\"\n" for i in range(4))

    @classmethod
    def make_pgweir(cls):
        # As many servers as there are names for this one.
        url = cls.server.url(database="app")
        names = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "localhost"]
        return Pgweir(config=cls.CONFIG.format(
            **{f"url{i}": url.replace("127.0.0.1", name) for i, name in enumerate(names)}))

    server_options = {"settings": {"listen_addresses": "*"},
                      "hba": ["host all all all scram-sha-256"]}

    def test_each_pool_is_served(self):
        with Watch(self.superuser()) as watch:
            for _ in range(3):
                for i in range(4):
                    connection = self.connect(database=f"app{i}")
                    self.assertEqual(value(connection, "select 1"), 1)
            holders = [self.connect(database=f"app{i}") for i in range(4)]
            for holder in holders:
                holder.execute("begin")
            for holder in holders:
                holder.execute("commit")
        self.assertLessEqual(watch.most, 4)
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "all are known")


class BehindAPoolerTest(PgweirTest):
    """What another pooler says of its server cannot be used."""

    SIZES = """
        [databases]
        app = host=127.0.0.1 port={port} user=app password='{password}' pool_size=6
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = @PORT@
        auth_type = any
        """

    def test_the_configured_sizes_hold(self):
        password = APP_PASSWORD.replace("'", "''")
        config = self.SIZES.format(port=self.pgweir.port, password=password)
        with Pgweir(config=config, config_suffix=".ini") as outer:
            processes.wait_until(lambda: "discovery_unusable" in outer.log(), 10, "it is reported")
            load = threading.Thread(target=lambda: pgbench(
                outer.url(), "-n", "-c", "10", "-t", "4", "-f", self.script))
            load.start()
            try:
                processes.wait_until(lambda: outer.health()["pool"]["inUse"] == 6, 10, "six work")
            finally:
                load.join()

    @property
    def script(self):
        path = self.pgweir.directory / "script.sql"
        path.write_text("select pg_sleep(0.2);\n")
        return str(path)
