"""Debian's own pgbouncer.ini in front of a server: it is read as it is and serves psql."""

import hashlib
import re
import tempfile
import unittest
from pathlib import Path

from support import processes
from support.case import PgweirTest
from support.clients import psql
from support.pgweir import Pgweir, run_command
from support.postgres import APP_PASSWORD, quote

EXAMPLE = Path("/usr/share/doc/pgbouncer/examples/pgbouncer.ini")
SETTINGS = """
logfile = @DIRECTORY@/pgbouncer.log
pidfile = @DIRECTORY@/pgbouncer.pid
listen_port = @PORT@
unix_socket_dir = @DIRECTORY@
"""


def md5_of(user, password):
    return "md5" + hashlib.md5((password + user).encode()).hexdigest()


@unittest.skipUnless(EXAMPLE.exists(), "Debian's package pgbouncer is not installed")
class DebianExampleTest(PgweirTest):
    server_options = {"hba": ["local all all md5", "host all all 127.0.0.1/32 md5"]}

    @classmethod
    def make_pgweir(cls):
        with cls.server.superuser() as eye:
            eye.execute("set password_encryption = 'md5'; "
                        "create role old login password 'old password'")
            cls.verifier = eye.execute(
                "select rolpassword from pg_authid where rolname = 'app'").fetchone()[0]
        return Pgweir(config=cls.ini("md5"), config_suffix=".ini")

    @classmethod
    def ini(cls, auth_type, **secrets):
        """Debian's text with databases of ours, and paths that are ours to write."""
        secrets = {"app": APP_PASSWORD, "old": md5_of("old", "old password"), **secrets}
        auth_file = cls.server.directory / f"userlist.{auth_type}"
        auth_file.write_text("".join(f'"{user}" "{secret}"\n'
                                     for user, secret in secrets.items()))
        server = f"host=127.0.0.1 port={cls.server.port}"
        password = APP_PASSWORD.replace("'", "''")
        text = EXAMPLE.read_text()
        for name in ("logfile", "pidfile", "listen_port", "unix_socket_dir", "auth_type",
                     "auth_file"):
            text = re.sub(rf"^{name} =.*\n", "", text, flags=re.M)
        text = text.replace("[databases]\n", "[databases]\n" + f"""
app = {server}
renamed = {server} dbname=app
forced = {server} dbname=app user=app password='{password}' pool_size=2 reserve_pool=1
* = {server}
""")
        return text.replace("[pgbouncer]\n", "[pgbouncer]\n" + SETTINGS +
                            f"auth_type = {auth_type}\nauth_file = {auth_file}\n")

    def ask(self, pgweir, **who):
        url = pgweir.url(**who)
        return psql(url, "-c", "select current_user || '@' || current_database()").stdout.strip()

    def check(self, pgweir):
        for database, expected in (("app", "app"), ("renamed", "app"), ("forced", "app"),
                                   ("postgres", "postgres")):
            with self.subTest(database=database):
                self.assertEqual(self.ask(pgweir, database=database), "app@" + expected)
        done = psql(pgweir.url(password="wrong"), "-c", "select 1", check=False)
        self.assertIn("password authentication failed", done.stderr)

    def test_md5(self):
        self.check(self.pgweir)
        self.assertEqual(self.ask(self.pgweir, user="old", password="old password"), "old@app")

    def test_md5_over_the_unix_socket(self):
        done = psql(f"postgresql://app:{quote(APP_PASSWORD)}@/app?host={self.pgweir.directory}"
                    f"&port={self.pgweir.port}", "-c", "select 1")
        self.assertEqual(done.stdout, "1\n")

    def test_scram(self):
        with Pgweir(config=self.ini("scram-sha-256"), config_suffix=".ini") as pgweir:
            self.check(pgweir)

    def test_a_scram_verifier_lets_clients_in_where_the_database_has_a_password(self):
        config = self.ini("scram-sha-256", app=self.verifier)
        with Pgweir(config=config, config_suffix=".ini") as pgweir:
            self.assertEqual(self.ask(pgweir, database="forced"), "app@app")

    def test_session_mode_is_the_default_as_in_pgbouncer(self):
        done = psql(self.pgweir.url(), input="create temp table t as select 1 as a;\n"
                    "select a from t;\n")
        self.assertEqual(done.stdout, "1\n")

    def test_the_log_goes_to_its_file_with_logins_and_ends(self):
        self.ask(self.pgweir)
        log = self.pgweir.directory / "pgbouncer.log"
        for event in ("client_logged_in", "client_closed"):
            processes.wait_until(lambda e=event: f"event={e}" in log.read_text(), 5, event)
        self.assertNotIn(APP_PASSWORD, log.read_text())


@unittest.skipUnless(EXAMPLE.exists(), "Debian's package pgbouncer is not installed")
class EverySettingTest(unittest.TestCase):
    def test_each_line_of_the_example_can_be_taken_out_of_its_comment(self):
        text = re.sub(r"^; ?(?=[a-z_0-9*]+ *=)", "", EXAMPLE.read_text(), flags=re.M)
        text = re.sub(r"^(auth_file|resolv_conf|auth_hba_file) =.*\n", "", text, flags=re.M)
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "pgbouncer.ini"
            path.write_text(text)
            done = run_command("config", "--config", str(path))
        self.assertEqual(done.stderr.replace("Note: ", "").count("unknown"), 0, done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
