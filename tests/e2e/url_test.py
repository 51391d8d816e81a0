"""DATABASE_URL: its parameters do what their users expect, and mistakes in it are named."""

import socket
import time
import unittest

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.pgweir import Pgweir, run_command
from support.ports import free_port
from support.postgres import APP_PASSWORD, make_url, quote

# Values where "x" would be a mistake.
VALUES = {
    "hostaddr": "127.0.0.1", "port": "5432", "connect_timeout": "3", "channel_binding": "prefer",
    "keepalives": "1", "keepalives_idle": "7", "keepalives_interval": "7", "keepalives_count": "7",
    "tcp_user_timeout": "700", "sslmode": "allow", "sslcompression": "0", "sslsni": "1",
    "ssl_min_protocol_version": "TLSv1.2", "ssl_max_protocol_version": "TLSv1.3",
    "gssencmode": "prefer", "replication": "database", "target_session_attrs": "read-write",
    "sslcertmode": "allow", "sslnegotiation": "postgres", "load_balance_hosts": "random",
    "require_auth": "scram-sha-256", "gssdelegation": "0", "sslrootcert": "/etc/hosts",
    "min_protocol_version": "3.0", "max_protocol_version": "3.2",
}


class ParameterTest(PgweirTest):
    url_parameters = {
        "schema": 'Odd "name', "options": "-c geqo=off -c work_mem=7MB",
        "application_name": "from-the-url", "statement_timeout": "300", "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "1min", "client_encoding": "LATIN1",
        "connection_limit": 3, "socket_timeout": "2"}

    def test_what_postgresql_knows_is_set(self):
        connection = self.connect()
        for name, expected in (
                ("search_path", '"Odd ""name"'), ("geqo", "off"), ("work_mem", "7MB"),
                ("application_name", "from-the-url"), ("statement_timeout", "300ms"),
                ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "1min")):
            with self.subTest(name):
                self.assertEqual(value(connection, f"show {name}"), expected)

    def test_a_client_may_say_otherwise(self):
        connection = self.connect(application_name="mine", options="-c statement_timeout=9s")
        self.assertEqual(value(connection, "show application_name"), "mine")
        self.assertEqual(value(connection, "show statement_timeout"), "9s")
        self.assertEqual(value(self.connect(), "show statement_timeout"), "300ms")

    def test_a_statement_is_ended_by_statement_timeout(self):
        with self.assertRaises(psycopg.errors.QueryCanceled):
            self.connect().execute("select pg_sleep(20)")

    def test_a_silent_server_is_given_up_after_socket_timeout(self):
        connection = self.connect(options="-c statement_timeout=0")
        started = time.monotonic()
        with self.assertRaisesRegex(psycopg.OperationalError, "socket_timeout"):
            connection.execute("select pg_sleep(60)")
        self.assertLess(time.monotonic() - started, 4)


class LifetimeTest(PgweirTest):
    url_parameters = {"max_connection_lifetime": "1s", "max_idle_connection_lifetime": "1"}

    def test_a_server_is_replaced_at_its_age_and_closed_when_nobody_needs_it(self):
        connection = self.connect()
        first = value(connection, "select pg_backend_pid()")
        processes.wait_until(lambda: value(connection, "select pg_backend_pid()") != first, 5,
                             "another server answers")
        processes.wait_until(lambda: self.pgweir.metric("pgweir_servers") == 0, 5, "none is left")


class AddressTest(PgweirTest):
    server_options = {
        "settings": {"listen_addresses": "localhost"},
        "hba": ["local all all scram-sha-256", "host all all 127.0.0.1/32 scram-sha-256",
                "host all all ::1/128 scram-sha-256"]}

    def assert_answers(self, url):
        with Pgweir(url) as pgweir, pgweir.connect() as connection:
            self.assertEqual(value(connection, "select current_user"), "app")
        done = run_command("check", database_url=url)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def url_of(self, authority):
        return f"postgresql://app:{quote(APP_PASSWORD)}@{authority}/app"

    def test_a_name(self):
        self.assert_answers(self.url_of(f"localhost:{self.server.port}"))

    def test_the_directory_of_a_unix_socket(self):
        directory = quote(str(self.server.directory))
        self.assert_answers(self.url_of(f"{directory}:{self.server.port}"))

    def test_ipv6(self):
        try:
            socket.create_connection(("::1", self.server.port), 1).close()
        except OSError:
            self.skipTest("this machine has no IPv6")
        self.assert_answers(self.url_of(f"[::1]:{self.server.port}"))

    def test_the_second_of_several_hosts_when_the_first_is_dead(self):
        self.assert_answers(
            self.url_of(f"127.0.0.1:{free_port()},127.0.0.1:{self.server.port}"))


class SilentServerTest(unittest.TestCase):
    def test_connect_timeout_is_how_long_a_server_may_take(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = make_url("app", APP_PASSWORD, "127.0.0.1", silent.getsockname()[1], "app",
                           {"connect_timeout": "1", "pool_timeout": "3"})
            with Pgweir(url) as pgweir:
                started = time.monotonic()
                with self.assertRaisesRegex(psycopg.OperationalError, "did not finish within 1 s"):
                    pgweir.connect()
                self.assertAlmostEqual(time.monotonic() - started, 3, delta=1)


class CommandLineTest(unittest.TestCase):
    URL = "postgresql://app:secret@127.0.0.1/app"

    def complaints(self, *arguments, url=None):
        done = run_command(*arguments, database_url=url)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("secret", done.stderr)
        return done.stderr.splitlines()

    def test_every_parameter_of_libpq_has_its_effect_or_a_word_about_it(self):
        for option in psycopg.pq.Conninfo.get_defaults():
            name = option.keyword.decode()
            if name in ("host", "user", "password", "dbname", "sslkey", "authtype"):
                continue
            with self.subTest(name):
                done = run_command("config", database_url=self.URL + "?" + name + "=" +
                                   quote(VALUES.get(name, "x")))
                self.assertEqual(done.returncode, 0, done.stderr)
                has_effect = any(line.endswith("DATABASE_URL") and not line.startswith((
                    "databases.app.host ", "databases.app.user ", "databases.app.password ",
                    "databases.app.dbname ")) for line in done.stdout.splitlines())
                has_word = f"DATABASE_URL: {name}: " in done.stderr
                self.assertTrue(has_effect or has_word, done.stdout + done.stderr)

    def test_all_mistakes_are_told_at_once_each_with_its_key_and_the_nearest_name(self):
        told = self.complaints("serve", url=self.URL.replace("127.0.0.1", "") +
                               "?connection_limt=3&pool_timeout=abc&sslmode=requre")
        self.assertEqual([line.split(": ")[2] for line in told],
                         ["connection_limt", "pool_timeout", "sslmode", "host"])
        self.assertIn("did you mean connection_limit?", told[0])
        self.assertIn("did you mean require?", told[2])

    def test_a_mistyped_command_or_option_is_told_the_nearest_one(self):
        self.assertEqual(self.complaints("serv"), [
            "pgweir: unknown command serv; did you mean serve?", "Try pgweir --help."])
        self.assertEqual(self.complaints("serve", "--lisen", "127.0.0.1:1"), [
            "pgweir: unknown option --lisen; did you mean --listen?", "Try pgweir --help."])
        self.assertEqual(self.complaints("config", "surplus"), [
            "pgweir: unexpected word surplus", "Try pgweir --help."])
