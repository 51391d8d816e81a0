"""Who may come in, over which transport, and what those hear who may not."""

import base64
import struct

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.certificates import make_certificate
from support.clients import psql
from support.pgweir import Pgweir, run_command
from support.postgres import APP_PASSWORD, make_url
from support.wire import SSL_REQUEST, Wire, message, request, sqlstate, startup

NONCE = base64.b64encode(bytes(16))  # Of a client, and salt of a verifier.


class PasswordTest(PgweirTest):
    def refusal(self, **options):
        with self.assertRaises(psycopg.OperationalError) as caught:
            self.pgweir.connect(**options)
        return str(caught.exception)

    def test_a_wrong_password_and_an_unknown_user_look_the_same(self):
        wrong = self.refusal(password="wrong")
        unknown = self.refusal(user="nobody", password="wrong")
        self.assertIn('password authentication failed for user "app"', wrong)
        self.assertEqual(unknown.replace('"nobody"', '"app"'), wrong)

    def test_an_unknown_database_is_only_told_to_who_knows_the_password(self):
        self.assertIn("password", self.refusal(database="nonsense", password="wrong"))
        self.assertIn("nonsense", self.refusal(database="nonsense"))

    def test_psql_tells_the_reason(self):
        done = psql(self.pgweir.url(password="wrong"), "-c", "select 1", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("password authentication failed", done.stderr)


class UnknownUserTest(PgweirTest):
    """Whoever does not know a password sees the same messages for every name."""

    KEY = base64.b64encode(bytes(32)).decode()
    SECRETS = {"plain": "its password",
               "md5": "md5" + 32 * "0",
               "verifier": f"SCRAM-SHA-256$4096:{NONCE.decode()}${KEY}:{KEY}"}

    @classmethod
    def start(cls, auth_type, secret):
        return Pgweir(config=f"""
            auth_type = "{auth_type}"
            [databases.app]
            url = "{cls.server.url()}"
            [users.app]
            password = "{secret}"
            [users.listed]
            password = "{secret}"
            """)

    def answers(self, pgweir, user, is_encrypted):
        """What pgweir says to somebody who guesses: kind, code and length of each message."""
        seen = []
        with Wire(pgweir.port) as wire:
            if is_encrypted:
                wire.send(request(SSL_REQUEST))
                self.assertEqual(wire.take(1), b"S")
                wire.start_tls()
            wire.send(startup(user=user))
            while True:
                kind, body = wire.read()
                code = struct.unpack("!i", body[:4])[0] if kind == b"R" else sqlstate(body)
                seen.append((kind, code, len(body.replace(user.encode(), b""))))
                if kind != b"R":
                    return seen
                wire.send(message(b"p", self.guess(code, body[4:])))

    @staticmethod
    def guess(code, body):
        if code == 10:
            first = b"n,,n=,r=" + NONCE
            return b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first
        if code == 11:
            nonce = body.split(b",")[0]
            return b"c=biws," + nonce + b",p=" + base64.b64encode(bytes(32))
        return b"a guess\0"

    def test_a_known_and_an_unknown_user_see_the_same_messages(self):
        for auth_type in ("scram-sha-256", "md5", "plain"):
            for form, secret in self.SECRETS.items():
                with self.subTest(auth_type, form=form), self.start(auth_type, secret) as pgweir:
                    is_encrypted = auth_type == "plain"
                    known = self.answers(pgweir, "listed", is_encrypted)
                    self.assertEqual(known[-1][:2], (b"E", "28P01"))
                    self.assertEqual(self.answers(pgweir, "nobody", is_encrypted), known)

    def test_a_password_in_clear_goes_nowhere_without_tls(self):
        with self.start("plain", self.SECRETS["plain"]) as pgweir:
            for user in ("listed", "nobody"):
                (refusal,) = self.answers(pgweir, user, is_encrypted=False)
                self.assertEqual(refusal[:2], (b"E", "28000"))
            with pgweir.connect("listed", self.SECRETS["plain"], sslmode="require") as connection:
                self.assertTrue(connection.pgconn.ssl_in_use)


class WrongServerPasswordTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(cls.server.url(password="wrong", pool_timeout=20))

    def test_the_servers_reason_reaches_the_client_at_once(self):
        with self.assertRaises(psycopg.Error) as caught:
            with self.pgweir.connect(password="wrong", connect_timeout=5) as connection:
                connection.execute("select 1")
        self.assertIn("password authentication failed", str(caught.exception))


class WrongStartupParameterTest(PgweirTest):
    """What the server says of a login that it will refuse again is told at once, and to whom."""

    def refusal(self, **parameters):
        with Pgweir(self.server.url(pool_timeout=20, **parameters)) as pgweir:
            with self.assertRaises(psycopg.Error) as caught:
                with pgweir.connect(connect_timeout=5) as connection:
                    connection.execute("select 1")
        return str(caught.exception)

    def test_an_unknown_parameter_and_a_wrong_value(self):
        for options, said in (("-c nonsense=1", 'unrecognized configuration parameter "nonsense"'),
                              ("-c work_mem=much", 'invalid value for parameter "work_mem"')):
            with self.subTest(options):
                text = self.refusal(options=options)
                self.assertIn(said, text)
                self.assertIn('pgweir could not log in as "app" to database "app" at 127.0.0.1',
                              text)
                self.assertIn("options", text)
                self.assertNotIn("reached", text)


class TlsToPgweirTest(PgweirTest):
    def tls_version(self, **parameters):
        return psql(self.pgweir.url(**parameters), "-c", "\\conninfo").stdout

    def test_require_works_with_the_certificate_that_pgweir_made(self):
        with psycopg.connect(self.pgweir.url(sslmode="require")) as connection:
            self.assertEqual(value(connection, "select 1"), 1)
            self.assertTrue(connection.pgconn.ssl_in_use)

    def test_prefer_gets_tls_and_disable_does_not(self):
        self.assertIn("SSL connection", self.tls_version(sslmode="prefer"))
        self.assertNotIn("SSL connection", self.tls_version(sslmode="disable"))

    def test_large_results_and_copies_pass_through_tls(self):
        sql = "select repeat(md5(g::text), 100) from generate_series(1, 5000) g"
        through = psql(self.pgweir.url(sslmode="require"), "-c", sql).stdout
        self.assertEqual(through, psql(self.server.url(), "-c", sql).stdout)
        done = psql(self.pgweir.url(sslmode="require"), input="create temp table t (a text);\n"
                    "copy t from stdin;\n" + "x" * 100 + "\n" + "y\n" * 50_000 + "\\.\n"
                    "select count(*) from t;\n")
        self.assertEqual(done.stdout, "50001\n")

    def test_cancel_works_over_tls(self):
        with psycopg.connect(self.pgweir.url(sslmode="require"), autocommit=True) as connection:
            connection.pgconn.send_query(b"select pg_sleep(60)")
            eye = self.superuser()
            processes.wait_until(lambda: value(
                eye, "select count(*) from pg_stat_activity where query like 'select pg_sleep%'"),
                10, "it runs")
            connection.cancel()
            result = connection.pgconn.get_result()
            self.assertIn(b"canceling statement due to user request", result.error_message)
            self.assertIsNone(connection.pgconn.get_result())


class OwnCertificateTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        directory = cls.server.directory
        cls.certificate, key = make_certificate(directory, "pgweir")
        return Pgweir(config=f"""
            client_tls_sslmode = "require"
            client_tls_cert_file = "{cls.certificate}"
            client_tls_key_file = "{key}"
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def test_verify_full_accepts_the_configured_certificate(self):
        url = self.pgweir.url(sslmode="verify-full", sslrootcert=self.certificate)
        with psycopg.connect(url) as connection:
            self.assertEqual(value(connection, "select 1"), 1)

    def test_without_tls_nobody_comes_in(self):
        with self.assertRaisesRegex(psycopg.OperationalError, "only encrypted connections"):
            psycopg.connect(self.pgweir.url(sslmode="disable"))


class ClientCertificateTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        directory = cls.server.directory
        certificate, key = make_certificate(directory, "pgweir")
        cls.mine = make_certificate(directory, "app", common_name="app")
        cls.strangers = make_certificate(directory, "stranger", common_name="app")
        return Pgweir(config=f"""
            auth_type = "cert"
            client_tls_sslmode = "verify-full"
            client_tls_cert_file = "{certificate}"
            client_tls_key_file = "{key}"
            client_tls_ca_file = "{cls.mine[0]}"
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def connect_with(self, certificate=None, user="app"):
        names = dict(zip(("sslcert", "sslkey"), certificate or ()))
        url = self.pgweir.url(user=user, password="", sslmode="require", **names)
        with psycopg.connect(url) as connection:
            return value(connection, "select current_user")

    def test_the_name_in_a_trusted_certificate_is_enough(self):
        self.assertEqual(self.connect_with(self.mine), "app")

    def test_another_name_or_no_trusted_certificate_is_not(self):
        for certificate, user in ((self.mine, "postgres"), (self.strangers, "app"), (None, "app")):
            with self.subTest(certificate=certificate, user=user):
                with self.assertRaises(psycopg.OperationalError):
                    self.connect_with(certificate, user)


class TlsToTheServerTest(PgweirTest):
    server_options = {"tls": True, "hba": ["hostssl all all 127.0.0.1/32 scram-sha-256",
                                           "local all all scram-sha-256"]}

    def assert_encrypted(self, **parameters):
        with Pgweir(self.server.url(**parameters)) as pgweir, pgweir.connect() as connection:
            self.assertTrue(value(
                connection, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"))

    def test_prefer_require_and_verify_full(self):
        certificate = self.server.directory / "server.crt"
        self.assert_encrypted(sslmode="prefer")
        self.assert_encrypted(sslmode="require")
        self.assert_encrypted(sslmode="verify-full", sslrootcert=certificate)

    def test_a_certificate_of_somebody_else_is_refused_at_once(self):
        stranger, _ = make_certificate(self.server.directory, "stranger")
        with Pgweir(self.server.url(sslmode="verify-full", sslrootcert=stranger,
                                    pool_timeout=30)) as pgweir:
            with self.assertRaises(psycopg.Error) as caught:
                with pgweir.connect(connect_timeout=5) as connection:
                    connection.execute("select 1")
        self.assertIn("certificate", str(caught.exception))

    def test_disable_hears_the_servers_refusal(self):
        done = run_command("check", database_url=self.server.url(sslmode="disable"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no encryption", done.stdout + done.stderr)


class UnixSocketTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            unix_socket_dir = "@DIRECTORY@"
            [databases.app]
            url = "{cls.server.socket_url()}"
            """)

    def test_both_sides_speak_over_unix_sockets(self):
        url = make_url("app", APP_PASSWORD, "", self.pgweir.port, "app",
                       {"host": str(self.pgweir.directory)})
        with psycopg.connect(url) as connection:
            self.assertEqual(value(connection, "select 1"), 1)
            self.assertIsNone(value(connection, "select inet_server_addr()"))

    def test_an_abstract_socket_needs_no_directory(self):
        name = f"@pgweir-e2e-{self.pgweir.port}"
        config = self.pgweir.config.replace("@DIRECTORY@", name)
        with Pgweir(config=config) as mine:
            url = make_url("app", APP_PASSWORD, "", mine.port, "app", {"host": name})
            with psycopg.connect(url) as connection:
                self.assertEqual(value(connection, "select 1"), 1)

    def test_the_socket_file_goes_with_pgweir(self):
        config = self.pgweir.config
        with Pgweir(config=config) as mine:
            path = mine.directory / f".s.PGSQL.{mine.port}"
            self.assertTrue(path.is_socket())
            mine.stop()
            self.assertFalse(path.exists())


class ServerAuthenticationTest(PgweirTest):
    """pgweir logs in to servers with whatever they ask for."""

    server_options = {"hba": [
        "host all by_md5       127.0.0.1/32 md5",
        "host all by_cleartext 127.0.0.1/32 password",
        "host all by_trust     127.0.0.1/32 trust",
        "host all all          127.0.0.1/32 scram-sha-256"]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.superuser() as connection:
            for name in ("by_cleartext", "by_trust"):
                connection.execute(f"create role {name} login password 'secret'")
            connection.execute("set password_encryption = 'md5'")
            connection.execute("create role by_md5 login password 'secret'")

    def test_require_auth_holds(self):
        with Pgweir(self.server.url("by_trust", "secret", require_auth="scram-sha-256")) as pgweir:
            with self.assertRaisesRegex(psycopg.OperationalError, "require_auth"):
                pgweir.connect("by_trust", "secret")

    def test_require_auth_holds_for_pgweirs_own_questions(self):
        before = len(self.server.log())
        url = self.server.url("by_cleartext", "secret", require_auth="md5,scram-sha-256")
        with Pgweir(url) as pgweir:
            with self.assertRaisesRegex(psycopg.OperationalError, "require_auth"):
                pgweir.connect("by_cleartext", "secret")
            processes.wait_until(lambda: "require_auth" in str(pgweir.health()), 10, "it says so")
        self.assertIn("not checked", run_command("check", database_url=url).stdout)
        self.assertNotIn("authorized: user=by_cleartext", self.server.log()[before:])

    def test_where_it_is_kept_pgweir_looks_at_the_database(self):
        with Pgweir(self.server.url(require_auth="scram-sha-256")) as pgweir:
            processes.wait_until(lambda: pgweir.health()["status"] == "ok", 10, "it has looked")
            with pgweir.connect() as connection:
                self.assertEqual(value(connection, "select 1"), 1)

    def test_each_method(self):
        for name in ("by_md5", "by_cleartext", "by_trust"):
            with self.subTest(name), Pgweir(self.server.url(name, "secret")) as pgweir:
                with pgweir.connect(name, "secret") as connection:
                    self.assertEqual(value(connection, "select current_user"), name)


class ConnectQueryTest(PgweirTest):
    CONFIG = """
        [databases.app]
        url = "{url}"
        connect_query = "{query}"
        """

    def start(self, query):
        config = self.CONFIG.format(url=self.server.url(pool_timeout=2), query=query)
        return self.enterContext(Pgweir(config=config))

    def test_it_runs_once_before_the_first_client(self):
        pgweir = self.start("set timezone to 'Europe/Prague'; select 1")
        with pgweir.connect() as connection:
            self.assertEqual(connection.info.parameter_status("TimeZone"), "Europe/Prague")
            self.assertEqual(value(connection, "show timezone"), "Europe/Prague")

    def test_a_mistake_in_it_is_told(self):
        with self.assertRaisesRegex(psycopg.OperationalError, "connect_query failed: syntax error"):
            self.start("nonsense").connect()


class PgbouncerIniTest(PgweirTest):
    INI = """
[databases]
app = host=127.0.0.1 port={port} dbname=app
renamed = host=127.0.0.1 port={port} dbname=app user=app password='{password}'

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = @PORT@
unix_socket_dir =
auth_type = {auth_type}
auth_file = {auth_file}
pool_mode = transaction
default_pool_size = 3
max_client_conn = 50
max_prepared_statements = 100
"""

    @classmethod
    def ini(cls, auth_type, secret=APP_PASSWORD):
        auth_file = cls.server.directory / f"users.{auth_type}"
        auth_file.write_text(f'"app" "{secret}"\n')
        return cls.INI.format(port=cls.server.port, password=APP_PASSWORD.replace("'", "''"),
                              auth_type=auth_type, auth_file=auth_file)

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=cls.ini("scram-sha-256"), config_suffix=".ini")

    def test_databases_of_the_file_are_served(self):
        for database in ("app", "renamed"):
            with self.subTest(database):
                connection = self.connect(database=database)
                self.assertEqual(value(connection, "select current_database()"), "app")

    def test_the_pool_size_holds(self):
        holders = [self.connect() for _ in range(3)]
        for holder in holders:
            holder.execute("begin")
        pids = {value(holder, "select pg_backend_pid()") for holder in holders}
        self.assertEqual(len(pids), 3)
        waiter = self.connect()
        waiter.pgconn.send_query(b"select 1")
        processes.wait_until(lambda: self.pgweir.metric("pgweir_waiting") == 1, 5, "the 4th waits")
        holders[0].execute("commit")
        self.assertEqual(waiter.pgconn.get_result().get_value(0, 0), b"1")

    def test_md5_and_trust(self):
        for auth_type in ("md5", "trust"):
            with self.subTest(auth_type):
                with Pgweir(config=self.ini(auth_type), config_suffix=".ini") as pgweir:
                    password = "" if auth_type == "trust" else APP_PASSWORD
                    with pgweir.connect(password=password) as connection:
                        self.assertEqual(value(connection, "select 1"), 1)

    def test_a_mistake_in_the_file_names_its_line(self):
        path = self.server.directory / "wrong.ini"
        path.write_text(self.ini("scram-sha-256") + "pool_mod = session\n")
        done = run_command("serve", "--config", str(path))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("pool_mod", done.stderr)


class SessionModeTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            pool_mode = "session"
            [databases.app]
            url = "{cls.server.url(connection_limit=5)}"
            """)

    def test_a_client_keeps_its_server_until_it_leaves(self):
        first, second = self.connect(), self.connect()
        pids = [{value(c, "select pg_backend_pid()") for _ in range(5)} for c in (first, second)]
        self.assertEqual([len(some) for some in pids], [1, 1])
        self.assertNotEqual(pids[0], pids[1])

    def test_nothing_leaks_to_the_next(self):
        connection = self.connect()
        connection.execute("set work_mem = '66MB'")
        connection.execute("create temp table leaky (id int)")
        connection.close()
        for _ in range(5):
            other = self.connect()
            self.assertNotEqual(value(other, "show work_mem"), "66MB")
            self.assertIsNone(value(other, "select to_regclass('pg_temp.leaky')"))
