"""Settings of the process: each does what it says, seen from outside."""

import grp
import os
import pwd
import re
import shutil
import signal
import stat
import unittest
from pathlib import Path

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.certificates import make_certificate
from support.pgweir import Pgweir


class SocketTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        cls.group = grp.getgrgid(os.getegid() if not processes.is_root() else 1).gr_name
        return Pgweir(config=f"""
            so_reuseport = true
            unix_socket_dir = "@DIRECTORY@"
            unix_socket_mode = "0770"
            unix_socket_group = "{cls.group}"
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def test_the_unix_socket_has_its_mode_and_group(self):
        path = self.pgweir.directory / f".s.PGSQL.{self.pgweir.port}"
        found = path.stat()
        self.assertEqual(stat.S_IMODE(found.st_mode), 0o770)
        self.assertEqual(grp.getgrgid(found.st_gid).gr_name, self.group)
        with self.connect(host=str(self.pgweir.directory)) as connection:
            self.assertEqual(value(connection, "select 1"), 1)

    def test_a_second_process_may_share_the_port(self):
        second = Pgweir(config=f"""
            so_reuseport = true
            [databases.app]
            url = "{self.server.url()}"
            """)
        second.__enter__()
        self.addCleanup(second.__exit__)
        second.stop()
        second.port = self.pgweir.port
        second.start()
        for _ in range(8):
            with self.pgweir.connect() as connection:
                self.assertEqual(value(connection, "select 1"), 1)


class ResetAlwaysTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            server_reset_query_always = true
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def test_the_reset_query_runs_behind_each_transaction(self):
        connection, eye = self.connect(), self.superuser()
        for number in range(3):
            self.assertEqual(value(connection, f"select {number}"), number)
            processes.wait_until(lambda: value(eye, """
                select count(*) from pg_stat_activity
                where usename = 'app' and query = 'DISCARD ALL' and state = 'idle'"""), 5, "it ran")


class ScramIterationsTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            scram_iterations = 10000
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def test_a_plain_password_is_hashed_as_often_as_told(self):
        self.assertEqual(value(self.connect(), "select 1"), 1)


class LogTest(PgweirTest):
    """The log says what it was asked to say, and no more."""

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=cls.config("true"))

    @classmethod
    def config(cls, switch):
        return f"""
            pidfile = "@DIRECTORY@/pid"
            log_connections = {switch}
            log_disconnections = {switch}
            log_pooler_errors = {switch}
            stats_period = "1s"
            [databases.app]
            url = "{cls.server.url()}"
            """

    def come_and_go(self):
        with self.pgweir.connect(application_name="visitor") as connection:
            value(connection, "select 1")
        with self.assertRaises(psycopg.OperationalError):
            self.pgweir.connect(database="nonsense")

    def test_logins_ends_and_errors_are_logged_when_asked_for(self):
        self.come_and_go()
        for event in ("client_logged_in", "client_closed", "client_error sqlstate=3D000"):
            processes.wait_until(lambda e=event: f"event={e}" in self.pgweir.log(), 5, event)
        self.pgweir.write_config(self.config("false"))
        self.pgweir.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: "event=reloaded" in self.pgweir.log(), 5, "it has reloaded")
        known = len(self.pgweir.log())
        self.come_and_go()
        processes.wait_until(lambda: "reason=database" in self.pgweir.log()[known:], 5, "refusal")
        for event in ("client_logged_in", "client_closed", "client_error"):
            self.assertNotIn(f"event={event}", self.pgweir.log()[known:])

    def test_a_line_of_totals_each_stats_period(self):
        connection = self.connect()
        def has_line():
            value(connection, "select 1")
            return re.search(r"event=statistics leases=[1-9]\d* leases_per_second=\d+ "
                             r"hold_us=\S+ wait_us=\S+ clients=1 ", self.pgweir.log())
        processes.wait_until(has_line, 10, "the line is there")

    def test_the_pidfile_names_the_process_and_keeps_a_second_one_out(self):
        path = self.pgweir.directory / "pid"
        self.assertEqual(int(path.read_text()), self.pgweir.process.pid)
        second = Pgweir(config=self.config("true").replace("@DIRECTORY@", str(path.parent)))
        with self.assertRaisesRegex(AssertionError, "is running and has the pidfile"):
            second.__enter__()
        self.assertEqual(int(path.read_text()), self.pgweir.process.pid)

    def test_the_pidfile_goes_with_the_process(self):
        path = self.pgweir.directory / "pid"
        self.pgweir.stop()
        self.assertFalse(path.exists())
        path.write_text("999999999\n")  # Left by somebody who died.
        self.pgweir.start()
        self.assertEqual(int(path.read_text()), self.pgweir.process.pid)


@unittest.skipUnless(processes.is_root(), "only root can become somebody else")
class RunAsTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            run_as = "{processes.POSTGRES_USER}"
            state_dir = "{cls.server.directory}/state"
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def test_it_serves_as_that_user_with_no_rights_of_root_left(self):
        self.assertEqual(value(self.connect(), "select 1"), 1)
        user = pwd.getpwnam(processes.POSTGRES_USER)
        status = Path(f"/proc/{self.pgweir.process.pid}/status").read_text()
        for name, number in (("Uid", user.pw_uid), ("Gid", user.pw_gid)):
            self.assertEqual(re.search(rf"{name}:\s+(.*)", status)[1].split(), [str(number)] * 4)
        self.assertRegex(status, r"CapEff:\s+0+\n")
        self.assertNotIn(" 0 ", re.search(r"Groups:(.*)", status)[1] + " ")


class TlsReloadTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        cls.directory = cls.server.directory
        cls.certificate, cls.key = make_certificate(cls.directory, "pgweir")
        return Pgweir(config=cls.config("prefer"))

    @classmethod
    def config(cls, mode):
        return f"""
            client_tls_sslmode = "{mode}"
            client_tls_cert_file = "{cls.certificate}"
            client_tls_key_file = "{cls.key}"
            [databases.app]
            url = "{cls.server.url()}"
            """

    def reload(self, mode):
        self.pgweir.write_config(self.config(mode))
        before = self.pgweir.log().count("event=reloaded")
        self.pgweir.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: self.pgweir.log().count("event=reloaded") > before, 5,
                             "it has reloaded")

    def is_encrypted(self, sslmode, **parameters):
        url = self.pgweir.url(sslmode=sslmode, **parameters)
        with psycopg.connect(url) as connection:
            return connection.pgconn.ssl_in_use

    def test_a_new_certificate_is_shown_and_bound_to(self):
        self.assertTrue(self.is_encrypted("require", channel_binding="require"))
        for fresh, path in zip(make_certificate(self.directory, "fresh"),
                               (self.certificate, self.key)):
            shutil.copy(fresh, path)
        self.reload("prefer")
        self.assertTrue(self.is_encrypted("verify-full", sslrootcert=self.directory / "fresh.crt",
                                          channel_binding="require"))

    def test_a_new_mode_holds_for_those_who_come_next(self):
        self.addCleanup(self.reload, "prefer")
        self.reload("require")
        with self.assertRaisesRegex(psycopg.OperationalError, "only encrypted connections"):
            self.is_encrypted("disable")
        self.reload("disable")
        self.assertFalse(self.is_encrypted("prefer"))
