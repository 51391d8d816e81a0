"""Databases that come, go and change places while clients are there."""

import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.certificates import make_certificate
from support.pgweir import Pgweir
from support.postgres import Postgres


class SlowDoor:
    """In front of a server: whoever comes is let through only when it opens."""

    def __init__(self, port):
        self.port, self.has_visitor, self.is_open = port, threading.Event(), threading.Event()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.is_open.set()
        self.listener.close()

    def serve(self):
        while True:
            try:
                visitor, _ = self.listener.accept()
            except OSError:
                return
            self.has_visitor.set()
            threading.Thread(target=self.lead, args=[visitor], daemon=True).start()

    def lead(self, visitor):
        self.is_open.wait()
        with visitor, socket.create_connection(("127.0.0.1", self.port)) as server:
            back = threading.Thread(target=self.carry, args=[server, visitor], daemon=True)
            back.start()
            self.carry(visitor, server)
            back.join()

    @staticmethod
    def carry(here, there):
        try:
            while data := here.recv(65536):
                there.sendall(data)
            there.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class ReloadTest(PgweirTest):
    server_options = {"tls": True}

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=cls.config(app=cls.server.url()))

    @staticmethod
    def config(**urls):
        return "connection_limit = 8\n" + "".join(
            f'[databases.{name}]\nurl = "{url}"\n' for name, url in urls.items())

    def setUp(self):
        self.mine = self.enterContext(Pgweir(config=self.both()))

    def both(self):
        return self.config(first=self.server.url(), second=self.server.url())

    def reload(self, config):
        self.mine.write_config(config)
        before = len(self.mine.log())
        self.mine.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: "event=reload" in self.mine.log()[before:], 5, "it says so")
        self.assertNotIn("reload_failed", self.mine.log()[before:])

    def open(self, database):
        connection = self.mine.connect(database=database)
        self.addCleanup(connection.close)
        return connection

    def assert_told_to_go(self, error):
        self.assertRegex(str(error), "due to administrator command")
        self.assertRegex(str(error), 'Database "second" is no longer in pgweir')

    def test_an_idle_client_of_a_removed_database_is_told_why_it_has_to_go(self):
        stays, goes = self.open("first"), self.open("second")
        value(goes, "select 1")
        self.reload(self.config(first=self.server.url()))
        with self.assertRaises(psycopg.OperationalError) as caught:
            goes.execute("select 1")
        self.assert_told_to_go(caught.exception)
        self.assertEqual(value(stays, "select 1"), 1)
        with self.assertRaisesRegex(psycopg.OperationalError, 'database "second" does not exist'):
            self.open("second")

    def test_a_transaction_in_a_removed_database_may_end_first(self):
        goes = self.open("second")
        goes.execute("begin")
        self.reload(self.config(first=self.server.url()))
        self.assertEqual(value(goes, "select 42"), 42)
        goes.execute("commit")
        # It is told with the answer to that; libpq, which asked for nothing more, drops the reason.
        with self.assertRaises(psycopg.OperationalError):
            goes.execute("select 1")

    def test_a_client_that_waits_in_a_removed_database_is_told_at_once(self):
        holders = [self.open("second") for _ in range(7)]  # One is pgweir's own.
        for holder in holders:
            holder.execute("begin")
        waiter = self.open("second")
        errors = []

        def wait():
            try:
                waiter.execute("select 1")
            except psycopg.OperationalError as error:
                errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        processes.wait_until(lambda: self.mine.health()["pool"]["waiting"] == 1, 5, "it waits")
        self.reload(self.config(first=self.server.url()))
        thread.join(5)
        self.assert_told_to_go(errors[0])

    def test_a_database_that_comes_back_is_served_again(self):
        value(self.open("second"), "select 1")
        self.reload(self.config(first=self.server.url()))
        self.reload(self.both())
        self.assertEqual(value(self.open("second"), "select 1"), 1)

    def test_a_server_that_is_named_later_is_not_asked_for_more_than_it_has(self):
        with Postgres(max_connections=10) as another:
            config = self.both().removeprefix("connection_limit = 8\n")
            self.mine = self.enterContext(Pgweir(config=config))
            self.reload(config + f'[databases.third]\nurl = "{another.url()}"\n')
            with ThreadPoolExecutor(30) as clients:
                answers = list(clients.map(
                    lambda _: value(self.open("third"), "select 1 from pg_sleep(0.1)"), range(60)))
            self.assertEqual(answers, [1] * 60)
            self.assertEqual(another.refusals(), [])

    def test_a_database_that_moves_keeps_to_the_limit_of_where_it_is_then(self):
        with Postgres(max_connections=10) as another:
            config = self.config(first=self.server.url()).removeprefix("connection_limit = 8\n")
            self.mine = self.enterContext(Pgweir(config=config))
            stays = self.open("first")
            stays.execute("begin")
            rests = self.open("first")
            ports = [value(connection, "show port") for connection in (stays, rests)]
            self.assertEqual(ports, [str(self.server.port)] * 2)
            self.reload(f'[databases.first]\nurl = "{another.url()}"\n')
            self.assertEqual(value(stays, "show port"), str(self.server.port))
            self.assertEqual(value(rests, "show port"), str(another.port))
            with ThreadPoolExecutor(30) as clients:
                answers = list(clients.map(
                    lambda _: value(self.open("first"), "select 1 from pg_sleep(0.1)"), range(60)))
            self.assertEqual(answers, [1] * 60)
            self.assertEqual(another.refusals(), [])
            stays.execute("commit")
            self.assertEqual(value(stays, "show port"), str(another.port))

    def verified_url(self, port):
        return self.server.url(sslmode="verify-ca", sslrootcert=self.server.directory / "server.crt"
                               ).replace(f":{self.server.port}/", f":{port}/")

    def log_in_across(self, before, after):
        """A reload while the login to `second`'s server is under way."""
        with SlowDoor(self.server.port) as door:
            # What holds for the one would not do for the other.
            stranger = make_certificate(self.mine.directory, "stranger")[0]
            urls = {"first": self.server.url(sslmode="verify-ca", sslrootcert=stranger),
                    "second": self.verified_url(door.listener.getsockname()[1])}
            self.reload(self.config(**{name: urls[name] for name in before}))
            results = []
            thread = threading.Thread(target=lambda: results.append(value(
                self.open("second"),
                "select ssl from pg_stat_ssl where pid = pg_backend_pid()")))
            thread.start()
            self.assertTrue(door.has_visitor.wait(5))
            self.reload(self.config(**{name: urls[name] for name in after}))
            door.is_open.set()
            thread.join(20)
        return results

    def test_a_login_with_tls_survives_that_another_database_goes(self):
        self.assertEqual(self.log_in_across(["first", "second"], ["second"]), [True])

    def test_a_login_with_tls_survives_that_another_database_comes_before_its_own(self):
        self.assertEqual(self.log_in_across(["second"], ["first", "second"]), [True])
