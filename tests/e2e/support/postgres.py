"""A private PostgreSQL for one test class: a cluster of its own, a free port, its log at hand.

Roles: `postgres` (superuser) and `app` (plain, owns the database `app`); both have passwords and
log in with SCRAM unless `hba` says otherwise.
"""

import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from support import processes
from support.certificates import make_certificate
from support.ports import free_port

APP_PASSWORD = "an app's password: 100% & /odd?"
SUPERUSER_PASSWORD = "superuser-password"


def quote(text):
    """Percent-encodes everything that a URL might take for itself."""
    return "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text)


def make_url(user, password, host, port, database, parameters):
    query = urlencode(parameters)
    return f"postgresql://{user}:{quote(password)}@{host}:{port}/{database}" + (
        f"?{query}" if query else "")


class Postgres:
    def __init__(self, max_connections=20, settings=None, hba=None, tls=False):
        self.max_connections = max_connections
        self.settings = dict(settings or {})
        self.hba = hba or ["local all all scram-sha-256", "host all all 127.0.0.1/32 scram-sha-256"]
        self.tls = tls

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="pgweir-e2e-"))
        processes.give_to_postgres_user(self.directory)
        self.directory.chmod(0o755)
        self.data = self.directory / "data"
        self.log_path = self.directory / "log"
        self.port = free_port()
        self._make_cluster()
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop("immediate", check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _program(self, name, *arguments, check=True, **options):
        command = processes.as_postgres_user([processes.postgres_program(name), *arguments])
        done = processes.run(command, cwd="/", **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{name} failed: {done.stdout}{done.stderr}\n{self.log()}")
        return done

    def _make_cluster(self):
        self._program("initdb", "--pgdata", self.data, "--username", "postgres", "--auth", "trust",
                      "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
        self._program("postgres", "--single", "-D", self.data, "postgres", input="".join([
            f"ALTER ROLE postgres PASSWORD '{SUPERUSER_PASSWORD}'\n",
            f"CREATE ROLE app LOGIN PASSWORD '{APP_PASSWORD.replace(chr(39), chr(39) * 2)}'\n",
            "GRANT pg_signal_backend TO app\n",
            "CREATE DATABASE app OWNER app\n"]))
        settings = {
            "max_connections": self.max_connections, "listen_addresses": "127.0.0.1",
            "port": self.port, "unix_socket_directories": str(self.directory), "fsync": "off",
            "log_line_prefix": "%m [%p] ", "log_connections": "on", "log_statement": "none",
            **self.settings}
        if self.tls:
            certificate, key = make_certificate(self.directory, "server")
            processes.give_to_postgres_user(key)
            settings |= {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key}
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        (self.data / "pg_hba.conf").write_text("\n".join(self.hba) + "\n")

    def start(self):
        self._program("pg_ctl", "start", "--pgdata", self.data, "--log", self.log_path, "--wait",
                      capture_output=False, stdout=-3, stderr=-3)

    def stop(self, mode="fast", check=True):
        self._program("pg_ctl", "stop", "--pgdata", self.data, "--mode", mode, "--wait",
                      check=check)

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def refusals(self):
        """What the log says of connections that there was no room for."""
        return [line for line in self.log().splitlines()
                if "too many" in line or "remaining connection slots" in line]

    def url(self, user="app", password=APP_PASSWORD, database="app", **parameters):
        return make_url(user, password, "127.0.0.1", self.port, database, parameters)

    def socket_url(self, **parameters):
        """The same server over its Unix socket."""
        return make_url("app", APP_PASSWORD, "", self.port, "app",
                        {"host": str(self.directory), **parameters})

    def superuser_url(self, database="app"):
        return self.url("postgres", SUPERUSER_PASSWORD, database)

    def connect(self, **options):
        """A direct connection as the application's role."""
        return psycopg.connect(self.url(), **{"autocommit": True, **options})

    def superuser(self, **options):
        """A direct connection as the superuser: an eye that does not pass through pgweir."""
        return psycopg.connect(self.superuser_url(), **{"autocommit": True, **options})
