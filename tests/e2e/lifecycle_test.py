"""From start to end: mistakes that keep pgweir from starting, reload, drain."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.pgweir import BINARY, ROOT, Pgweir, run_command
from support.ports import free_port
from support.postgres import APP_PASSWORD, Postgres, make_url, quote


class MistakesTest(unittest.TestCase):
    """Exit status 2 and one clear line for each mistake; nothing is started."""

    def assert_refused(self, url, *words):
        done = run_command("serve", "--listen", f"127.0.0.1:{free_port()}", "--http",
                           f"127.0.0.1:{free_port()}", database_url=url)
        self.assertEqual(done.returncode, 2, done.stderr)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def test_an_unknown_parameter_is_named_with_its_nearest_neighbour(self):
        self.assert_refused("postgresql://a:b@localhost/x?conection_limit=5", "conection_limit",
                            "connection_limit", "DATABASE_URL")

    def test_a_bad_number_is_named(self):
        self.assert_refused("postgresql://a:b@localhost/x?connection_limit=many",
                            "connection_limit")

    def test_a_bad_choice_is_named(self):
        self.assert_refused("postgresql://a:b@localhost/x?sslmode=perhaps", "sslmode")

    def test_what_is_no_url_is_refused_without_being_quoted(self):
        done = run_command("serve", database_url="mysql://user:terrible-secret@localhost/x")
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("terrible-secret", done.stderr + done.stdout)

    def test_no_database_at_all_says_what_to_set(self):
        done = run_command("serve")
        self.assertEqual(done.returncode, 2)
        self.assertIn("DATABASE_URL", done.stderr)

    def test_an_unknown_option_is_a_usage_mistake(self):
        self.assertEqual(run_command("serve", "--no-such-option").returncode, 2)
        self.assertEqual(run_command("no-such-command").returncode, 2)

    def test_help_and_version_need_no_database(self):
        self.assertEqual(run_command("--help").returncode, 0)
        self.assertEqual(run_command("--version").returncode, 0)

    def test_a_port_in_use_is_status_1_and_names_it(self):
        with Postgres() as server:
            done = run_command("serve", "--listen", f"127.0.0.1:{server.port}", "--http",
                               f"127.0.0.1:{free_port()}", database_url=server.url())
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(server.port), done.stderr)


class CommandsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Postgres())

    def test_check_prints_what_it_found(self):
        done = run_command("check", database_url=self.server.url())
        self.assertEqual(done.returncode, 0, done.stderr)
        with self.server.connect() as connection:
            version = value(connection, "show server_version")
        for word in (version.split()[0], "20", "app"):
            self.assertIn(word, done.stdout)
        self.assertNotIn(APP_PASSWORD, done.stdout)

    def test_check_fails_with_the_servers_reason(self):
        done = run_command("check", database_url=self.server.url(password="wrong"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("password authentication failed", done.stdout + done.stderr)

    def test_config_prints_the_settings_without_secrets(self):
        done = run_command("config", database_url=self.server.url(connection_limit=7))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"connection_limit.*7")
        for secret in (APP_PASSWORD, quote(APP_PASSWORD)):
            self.assertNotIn(secret, done.stdout)


class StartMessageTest(PgweirTest):
    def test_it_says_what_to_change_without_the_password(self):
        processes.wait_until(lambda: "Slots:" in self.pgweir.log(), 10, "it has looked")
        text = self.pgweir.log()
        self.assertRegex(text, r"20 connections at most, pgweir uses up to \d+")
        self.assertIn(f"127.0.0.1:{self.pgweir.port}", text)
        self.assertIn("****", text)
        self.assertIn(f"http://127.0.0.1:{self.pgweir.http_port}/api/health", text)


class DrainTest(PgweirTest):
    def setUp(self):
        self.mine = self.enterContext(Pgweir(self.server.url()))

    def test_idle_clients_are_told_and_it_ends_with_0(self):
        connection = self.mine.connect()
        self.addCleanup(connection.close)
        value(connection, "select 1")
        started = time.monotonic()
        self.assertEqual(self.mine.stop(), 0)
        self.assertLess(time.monotonic() - started, 1.9)
        # libpq reads the reason and the end together, and keeps no SQLSTATE then.
        with self.assertRaisesRegex(psycopg.OperationalError, "due to administrator command"):
            connection.execute("select 1")

    def test_a_transaction_may_end_first(self):
        connection = self.mine.connect()
        self.addCleanup(connection.close)
        connection.execute("begin")
        self.mine.process.send_signal(signal.SIGTERM)
        processes.wait_until(lambda: self.mine.http_status("/readyz") == 503, 5, "draining")
        self.assertEqual(self.mine.http_status("/livez"), 200)
        with self.assertRaises(psycopg.OperationalError):
            self.mine.connect(connect_timeout=2)
        self.assertEqual(value(connection, "select 1"), 1)
        connection.execute("commit")
        self.assertEqual(self.mine.process.wait(10), 0)

    def test_who_is_busy_ends_one_transaction_and_begins_no_other(self):
        connection = self.mine.connect()
        self.addCleanup(connection.close)
        connection.execute("begin")
        self.mine.process.send_signal(signal.SIGTERM)
        processes.wait_until(lambda: self.mine.http_status("/readyz") == 503, 5, "draining")
        connection.execute("commit")
        with self.assertRaises(psycopg.OperationalError):
            connection.execute("begin")
        self.assertEqual(self.mine.process.wait(10), 0)

    def test_a_running_statement_may_end_first(self):
        with self.mine.connect() as connection:
            results = []
            thread = threading.Thread(
                target=lambda: results.append(value(connection, "select 1 from pg_sleep(1)")))
            thread.start()
            time.sleep(0.3)
            self.assertEqual(self.mine.stop(), 0)
            thread.join()
        self.assertEqual(results, [1])

    def test_a_signal_before_the_first_look_at_the_database_is_enough(self):
        # Nobody answers there, and nobody refuses.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = make_url("app", "x", "127.0.0.1", silent.getsockname()[1], "app", {})
            with Pgweir(url) as mine:
                started = time.monotonic()
                self.assertEqual(mine.stop(), 0)
                self.assertLess(time.monotonic() - started, 3)

    def test_a_second_signal_ends_it_at_once(self):
        connection = self.mine.connect()
        self.addCleanup(connection.close)
        connection.execute("begin")
        self.mine.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        self.assertIsNone(self.mine.process.poll())
        started = time.monotonic()
        self.mine.process.send_signal(signal.SIGINT)
        self.assertEqual(self.mine.process.wait(5), 1)
        self.assertLess(time.monotonic() - started, 2)
        with self.assertRaisesRegex(psycopg.OperationalError, "due to administrator command"):
            connection.execute("select 1")

    def test_what_does_not_end_in_time_is_cancelled_on_the_server(self):
        config = f"""
            shutdown_timeout = "1s"
            [databases.app]
            url = "{self.server.url()}"
            """
        with Pgweir(config=config) as mine, mine.connect() as connection:
            pid = value(connection, "select pg_backend_pid()")
            errors = []

            def run():
                try:
                    connection.execute("select pg_sleep(60)")
                except psycopg.Error as error:
                    errors.append(str(error))

            thread = threading.Thread(target=run)
            thread.start()
            superuser = self.superuser()
            active = ("select count(*) from pg_stat_activity "
                      "where query ~ 'pg_sleep.60' and pid = %s")
            processes.wait_until(lambda: value(superuser, active, [pid]) == 1, 5, "it runs")
            started = time.monotonic()
            mine.process.send_signal(signal.SIGTERM)
            self.assertEqual(mine.process.wait(10), 1)
            self.assertGreater(time.monotonic() - started, 0.9)
            self.assertLess(time.monotonic() - started, 4)
            thread.join(5)
            self.assertIn("due to administrator command", errors[0])
            processes.wait_until(lambda: value(superuser, active, [pid]) == 0, 2, "it is cancelled")

    def test_answers_are_owed_until_they_are_read_or_time_is_up(self):
        config = f"""
            shutdown_timeout = "2s"
            [databases.app]
            url = "{self.server.url()}"
            """
        for reads in (True, False):
            with self.subTest(reads=reads), Pgweir(config=config) as mine:
                connection = mine.connect()
                self.addCleanup(connection.close)
                connection.pgconn.send_query(
                    b"select repeat('x', 1000000) from generate_series(1, 50)")
                processes.wait_until(lambda: mine.health()["pool"]["inUse"] == 1, 5, "it runs")
                started = time.monotonic()
                mine.process.send_signal(signal.SIGTERM)
                if reads:
                    time.sleep(0.5)
                    self.assertEqual(connection.pgconn.get_result().ntuples, 50)
                # Who had to be cut off has not had all it was owed: that is not clean.
                self.assertEqual(mine.process.wait(10), 0 if reads else 1)
                if not reads:
                    self.assertGreater(time.monotonic() - started, 1.9)

    def test_nothing_is_left_on_the_server(self):
        pids = {value(self.mine.connect(), "select pg_backend_pid()") for _ in range(3)}
        self.assertEqual(self.mine.stop(), 0)
        left = {pid for (pid,) in self.superuser().execute("select pid from pg_stat_activity")}
        self.assertEqual(pids & left, set())


class ReloadTest(PgweirTest):
    CONFIG = """
        query_wait_timeout = "{wait}"
        [databases.app]
        url = "{url}"
        """

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=cls.config("10s"))

    @classmethod
    def config(cls, wait):
        return cls.CONFIG.format(wait=wait, url=cls.server.url(connection_limit=1))

    def reload(self, config):
        self.pgweir.write_config(config)
        before = len(self.pgweir.log())
        self.pgweir.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: "reload" in self.pgweir.log()[before:], 5, "it says so")

    def seconds_until_refused(self):
        with self.pgweir.connect() as holder, self.pgweir.connect() as waiter:
            holder.execute("begin")
            started = time.monotonic()
            with self.assertRaises(psycopg.errors.TooManyConnections):
                waiter.execute("select 1")
            return time.monotonic() - started

    def test_a_changed_setting_takes_effect_and_clients_stay(self):
        connection = self.connect()
        self.reload(self.config("1s"))
        self.assertLess(self.seconds_until_refused(), 3)
        self.assertEqual(value(connection, "select 1"), 1)

    def test_a_mistake_changes_nothing(self):
        self.reload(self.config("1s"))
        self.reload("nonsense = 1\n" + self.config("9s"))
        self.assertLess(self.seconds_until_refused(), 3)
        self.assertIn("nonsense", self.pgweir.log())


class HttpTest(PgweirTest):
    def setUp(self):
        # It is ready from listening on, whatever the database does.
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "it has looked")

    def test_health_has_its_fields_in_their_order(self):
        status, body = self.pgweir.http("/api/health")
        self.assertEqual(status, 200)
        health = json.loads(body)
        self.assertEqual(list(health)[:3], ["status", "database", "timestamp"])
        self.assertEqual(health["status"], "ok")
        self.assertIs(health["database"]["connected"], True)
        self.assertGreaterEqual(health["database"]["activeConnections"], 1)
        self.assertRegex(health["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertLessEqual({"limit", "open", "inUse", "waiting"}, set(health["pool"]))

    def test_the_pool_follows_what_clients_do(self):
        holder = self.connect()
        holder.execute("begin")
        processes.wait_until(lambda: self.pgweir.health()["pool"]["inUse"] == 1, 5, "one is in use")
        holder.execute("commit")
        processes.wait_until(lambda: self.pgweir.health()["pool"]["inUse"] == 0, 5, "none is")

    def test_the_limit_leaves_room_for_the_reserved(self):
        self.assertLess(self.pgweir.health()["pool"]["limit"], 18)
        self.assertGreater(self.pgweir.health()["pool"]["limit"], 10)

    def test_probes_answer(self):
        self.assertEqual(self.pgweir.http_status("/livez"), 200)
        self.assertEqual(self.pgweir.http_status("/readyz"), 200)

    def test_metrics_count_clients(self):
        for count in (1, 2):
            self.connect()
            processes.wait_until(lambda n=count: self.pgweir.metric("pgweir_clients") == n, 5, "n")

    def test_other_paths_are_404_in_json(self):
        status, body = self.pgweir.http("/nonsense")
        self.assertEqual(status, 404)
        self.assertIn("error", json.loads(body))

    def test_a_foreign_host_is_421(self):
        self.assertEqual(self.pgweir.http("/api/health", host="evil.example")[0], 421)


class HangingServerTest(PgweirTest):
    """PostgreSQL is there and does nothing, as on a disk or in a machine that hangs."""

    def hang(self):
        eye = self.superuser()
        pids = [int((self.server.data / "postmaster.pid").read_text().split()[0])]
        pids += [pid for pid, in eye.execute(
            "select pid from pg_stat_activity where pid <> pg_backend_pid()")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            self.addCleanup(os.kill, pid, signal.SIGCONT)

    def test_health_says_so_within_seconds(self):
        self.connect()
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "it has looked")
        self.hang()
        for _ in range(35):
            health = self.pgweir.health()
            if health["status"] != "ok":
                break
            self.assertLess(health["ageSeconds"], 2.1)
            time.sleep(0.1)
        self.assertEqual(health["status"], "error")
        self.assertRegex(health["database"]["reason"], "its last word is [23] s old")
        self.doCleanups()
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 20, "it answers again")


class FirstLookTest(unittest.TestCase):
    """What is said of a database that nobody has seen yet."""

    def health(self, **parameters):
        # Nobody answers there, and nobody refuses.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = make_url("app", "x", "127.0.0.1", silent.getsockname()[1], "app", parameters)
            with Pgweir(url) as mine:
                status, body = mine.http("/api/health")
        self.assertEqual(status, 503)
        health = json.loads(body)
        self.assertEqual(health["status"], "error")
        self.assertIs(health["database"]["connected"], False)
        self.assertIn("not looked", health["database"]["reason"])
        self.assertIsNone(health["database"]["activeConnections"])
        return health

    def test_it_has_no_limit_yet(self):
        self.assertIsNone(self.health()["pool"]["limit"])

    def test_a_set_limit_is_known(self):
        self.assertEqual(self.health(connection_limit=7)["pool"]["limit"], 7)


@unittest.skipUnless(BINARY == str(ROOT / "build/release/pgweir"),
                     "NOT TESTED: ./run starts build/release/pgweir, which is not under test")
class RunTest(PgweirTest):
    """./run, once everything is built."""

    def seconds_until_ready(self):
        port, http_port = free_port(), free_port()
        environment = self.pgweir.environment() | {"DATABASE_URL": self.server.url()}
        started = time.monotonic()
        process = subprocess.Popen(
            [ROOT / "run", "--listen", f"127.0.0.1:{port}", "--http", f"127.0.0.1:{http_port}"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            processes.wait_until(lambda: self.listens(port), 120, "it listens")
            return time.monotonic() - started
        finally:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(10), 0)

    @staticmethod
    def listens(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def test_the_second_start_takes_less_than_5_seconds(self):
        self.seconds_until_ready()
        self.assertLess(self.seconds_until_ready(), 5)


class TryoutTest(unittest.TestCase):
    """The PostgreSQL of ./run."""

    def setUp(self):
        self.state = self.enterContext(tempfile.TemporaryDirectory(prefix="pgweir-e2e-"))
        Path(self.state).chmod(0o755)

    def start(self, owner):
        # Not through pipes to their end: the watcher lives longer than the script.
        done = processes.run([ROOT / "tools/tryout_postgres.sh", self.state, str(owner.pid)])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def answers(self, url):
        try:
            with psycopg.connect(url) as connection:
                return value(connection, "show max_connections")
        except psycopg.OperationalError:
            return None

    def test_it_ends_with_its_owner_and_is_kept(self):
        urls = []
        for _ in range(2):
            owner = subprocess.Popen(["sleep", "1000"])
            try:
                urls.append(self.start(owner))
                self.assertEqual(self.answers(urls[-1]), "20")
            finally:
                owner.kill()
                owner.wait()
            processes.wait_until(lambda: self.answers(urls[-1]) is None, 10, "it stopped")
        self.assertEqual(urls[0].split("@")[0], urls[1].split("@")[0], "the password is kept")
