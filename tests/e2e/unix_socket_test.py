"""A server on this machine is reached over its Unix socket where that leads to the same server."""

import re
import unittest
from contextlib import contextmanager

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.pgweir import Pgweir
from support.postgres import SUPERUSER_PASSWORD, Postgres

HAS_COME_OVER = "select case when inet_server_addr() is null then 'socket' else 'tcp' end"
USUAL = {"unix_socket_directories": "/tmp"}


def hba(local, host="scram-sha-256"):
    return [f"local all all {local}", f"host all all 127.0.0.1/32 {host}"]


def count_events(pgweir, name):
    return len(re.findall(rf"event={name}\b", pgweir.log()))


def await_event(pgweir, name, count=1):
    processes.wait_until(lambda: count_events(pgweir, name) >= count, 10, f"{name} is logged")


@contextmanager
def pgweir_before(server, **parameters):
    with Pgweir(server.url(**parameters)) as pgweir:
        await_event(pgweir, "limit_changed")
        yield pgweir


def way_of(pgweir):
    with pgweir.connect() as connection:
        return value(connection, HAS_COME_OVER)


class SameServerTest(PgweirTest):
    server_options = {"settings": USUAL, "tls": True}

    def setUp(self):
        await_event(self.pgweir, "unix_socket_found")

    def test_the_socket_is_used(self):
        self.assertEqual(value(self.connect(), HAS_COME_OVER), "socket")
        self.assertIn(f"path=/tmp/.s.PGSQL.{self.server.port}", self.pgweir.log())

    def test_a_cancel_goes_the_same_way(self):
        connection = self.connect()
        self.assertEqual(value(connection, HAS_COME_OVER), "socket")
        self.later(0.3, connection.cancel)
        with self.assertRaises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(30)")
        self.assertEqual(value(connection, "select 1"), 1)

    def test_a_large_result_and_a_large_query_pass(self):
        connection = self.connect()
        self.assertEqual(value(connection, "select length(repeat('x', 5000000))"), 5_000_000)
        self.assertEqual(len(value(connection, "select repeat('x', 5000000)")), 5_000_000)
        self.assertEqual(value(connection, "select length(%s)", ["y" * 5_000_000]), 5_000_000)

    def test_a_server_that_starts_anew_is_proved_anew(self):
        found = count_events(self.pgweir, "unix_socket_found")
        keeper = self.connect()  # Without clients nobody looks whether it is there again.
        self.assertEqual(value(keeper, "select 1"), 1)
        self.server.restart("fast")
        await_event(self.pgweir, "unix_socket_found", found + 1)
        self.assertEqual(way_of(self.pgweir), "socket")
        self.assertEqual(count_events(self.pgweir, "unix_socket_given_up"), 0)

    def test_its_connections_are_within_the_limit(self):
        limit = int(re.findall(r"event=limit_changed .*?limit=(\d+)", self.pgweir.log())[-1])
        self.assertEqual(limit, 20 - 3 - 1, "no connection of its own is taken for a stranger's")
        self.assertEqual(self.server.refusals(), [])


class NotUsedTest(unittest.TestCase):
    def test_sslmode_require_stays_encrypted(self):
        with Postgres(settings=USUAL, tls=True) as server:
            with pgweir_before(server, sslmode="require") as pgweir:
                self.assertEqual(way_of(pgweir), "tcp")
                self.assertNotIn("event=unix_socket", pgweir.log())
                self.assertNotIn("[local]", server.log())

    def test_it_can_be_switched_off(self):
        with Postgres(settings={**USUAL, "log_line_prefix": "%m [%p] %r "}) as server:
            with pgweir_before(server, prefer_unix_socket="off") as pgweir:
                self.assertEqual(way_of(pgweir), "tcp")
                self.assertNotIn("event=unix_socket", pgweir.log())
                self.assertNotIn("[local]", server.log())

    def test_another_server_behind_the_socket_is_left_alone(self):
        with Postgres(settings={"unix_socket_directories": ""}) as server:
            other = Postgres(settings={**USUAL, "listen_addresses": ""})
            with self.with_port(other, server.port):
                with pgweir_before(server) as pgweir:
                    await_event(pgweir, "unix_socket_unused")
                    self.assertIn("is another server", pgweir.log())
                    self.assertEqual(way_of(pgweir), "tcp")
                    self.assertEqual(count_events(pgweir, "unix_socket_found"), 0)

    @contextmanager
    def with_port(self, server, port):
        server.settings["port"] = port
        with server:
            yield


class PeerRuleTest(unittest.TestCase):
    """Debian's pg_hba.conf lets nobody in over the socket but the user of the same name."""

    def test_everything_works_over_tcp_and_the_log_says_it_once(self):
        with Postgres(settings=USUAL, hba=hba("peer")) as server:
            with pgweir_before(server) as pgweir:
                await_event(pgweir, "unix_socket_unused")
                for _ in range(3):
                    self.assertEqual(way_of(pgweir), "tcp")
                with pgweir.connect() as keeper:
                    self.assertEqual(value(keeper, "select 1"), 1)
                    server.restart("fast")
                    await_event(pgweir, "node_answers", 2)
                self.assertEqual(way_of(pgweir), "tcp")
                self.assertEqual(count_events(pgweir, "unix_socket_unused"), 1)
                self.assertEqual(count_events(pgweir, "server_login_failed"), 0)
                self.assertEqual(server.log().count("Peer authentication failed"), 1)

    def test_a_user_who_is_not_let_in_comes_in_over_tcp(self):
        rules = hba("scram-sha-256")
        rules.insert(0, "local all postgres peer")
        with Postgres(settings=USUAL, hba=rules) as server:
            config = f"""
                [databases.app]
                url = "{server.url()}"
                [databases.postgres]
                url = "{server.superuser_url("postgres")}"
                """
            with Pgweir(config=config) as pgweir:
                await_event(pgweir, "unix_socket_found")
                for _ in range(2):
                    with pgweir.connect("postgres", SUPERUSER_PASSWORD, "postgres") as connection:
                        self.assertEqual(value(connection, HAS_COME_OVER), "tcp")
                self.assertEqual(count_events(pgweir, "unix_socket_given_up"), 1)
                self.assertEqual(count_events(pgweir, "server_login_failed"), 0)
                self.assertEqual(way_of(pgweir), "tcp")
