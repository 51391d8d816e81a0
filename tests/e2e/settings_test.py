"""Settings of the process: each does what it says, seen from outside."""

import grp
import os
import shutil
import signal
import stat

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
