"""The poolers that are compared: how each is configured, started and asked for its version.

All stand in front of one PostgreSQL on this machine and log neither connections nor statements; the
rest is their Setup's to say.
"""

import base64
import copy
import dataclasses
import hashlib
import hmac
import os
import pathlib
import re
import subprocess

SERVER_COUNT = 10
CLIENT_COUNT_MAX = 12000
MANY_POOLS_MAX = 2000
USER = "bench"


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a workload asks of a pooler's configuration."""

    server_count: int = SERVER_COUNT
    password: str = ""  # Of the clients, by SCRAM; empty: they are trusted.
    has_many_databases: bool = False  # Any that a client names, each with server_count servers.

    def verifier(self):
        """As PostgreSQL stores it: nobody has to derive it from the password again."""
        salt, iterations = b"salt of a bench.", 4096
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, iterations)
        stored, server = (hmac.digest(salted, key, "sha256") for key in (b"Client Key",
                                                                         b"Server Key"))
        texts = [base64.b64encode(one).decode()
                 for one in (salt, hashlib.sha256(stored).digest(), server)]
        return f"SCRAM-SHA-256${iterations}:{texts[0]}${texts[1]}:{texts[2]}"


class Pooler:
    """A program and, once it is prepared and started, a process. `setup` is the default one until
    `prepared_for` has made a copy for another."""

    name = ""
    setup = Setup()

    def __init__(self, program):
        self.program = str(program)
        self.process = None
        self.port = self.http_port = self.server_port = None

    def prepared_for(self, setup):
        prepared = copy.copy(self)
        prepared.setup = setup
        return prepared

    def take_ports(self, ports, server_port):
        """It will listen on the first of `ports`."""
        self.port, self.http_port = ports
        self.server_port = server_port

    def start(self, directory):
        """Does not wait until it listens."""
        with open(directory / f"{self.port}.log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(directory), env={**os.environ, **self.environment(directory)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def command(self, directory):
        raise NotImplementedError

    def environment(self, _directory):
        return {}

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(timeout=40)

    def write_users(self, directory):
        """The file of users, in the format that PgBouncer has made known; its path."""
        path = directory / f"users.{self.port}.txt"
        path.write_text(f'"{USER}" "{self.setup.verifier()}"\n')
        path.chmod(0o644)
        return path

    def pids(self):
        """Its processes; a pooler that forks has more than one."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, children.read_text().split())]

    def version(self):
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True,
                              check=False)
        return done.stdout.splitlines()[0] if done.stdout else "unknown"


class Pgweir(Pooler):
    def __init__(self, program, name="pgweir"):
        super().__init__(program)
        self.name = name

    def command(self, directory):
        config = ["--config", str(self.write_config(directory))] if self.is_configured() else []
        return [self.program, "serve", *config, "--listen", f"127.0.0.1:{self.port}",
                "--http", f"127.0.0.1:{self.http_port}"]

    def is_configured(self):
        """By a file; else by the URL alone."""
        return self.setup.password or self.setup.has_many_databases

    def url(self):
        """Its limit counts the connection by which it watches over the server, too."""
        pools = MANY_POOLS_MAX if self.setup.has_many_databases else 1
        database = "" if self.setup.has_many_databases else "bench"
        return (f"postgresql://{USER}@127.0.0.1:{self.server_port}/{database}"
                f"?pool_size={self.setup.server_count}"
                f"&connection_limit={pools * self.setup.server_count + 1}")

    def write_config(self, directory):
        path = directory / f"pgweir.{self.port}.toml"
        path.write_text(f"""{self.authentication(directory)}
[databases.{'"*"' if self.setup.has_many_databases else "bench"}]
url = "{self.url()}"
""")
        path.chmod(0o644)
        return path

    def authentication(self, directory):
        if not self.setup.password:
            return 'auth_type = "any"'
        return f'auth_type = "scram-sha-256"\nauth_file = "{self.write_users(directory)}"'

    def environment(self, directory):
        url = {} if self.is_configured() else {"DATABASE_URL": self.url()}
        return {**url, "STATE_DIRECTORY": str(directory)}


class PgBouncer(Pooler):
    """As it comes, or with the settings that its documentation names for speed."""

    TUNED = "pkt_buf = 65536\nlisten_backlog = 4096\ntcp_defer_accept = 0\n"

    def __init__(self, program, is_tuned):
        super().__init__(program)
        self.is_tuned = is_tuned
        self.name = "PgBouncer, tuned" if is_tuned else "PgBouncer"

    def command(self, directory):
        config = directory / f"pgbouncer.{self.port}.ini"
        config.write_text(f"""
[databases]
{self.database()}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
{self.authentication(directory)}
pool_mode = transaction
max_client_conn = {CLIENT_COUNT_MAX}
log_connections = 0
log_disconnections = 0
log_stats = 0
server_login_retry = 1
{self.TUNED if self.is_tuned else ""}{self.prepared()}""")
        config.chmod(0o644)
        # It refuses to run as root.
        unprivileged = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
        return [*(unprivileged if os.getuid() == 0 else []), self.program, str(config)]

    def database(self):
        name = "*" if self.setup.has_many_databases else "bench"
        return (f"{name} = host=127.0.0.1 port={self.server_port} user={USER} "
                f"pool_size={self.setup.server_count}")

    def authentication(self, directory):
        if not self.setup.password:
            return "auth_type = any"
        return f"auth_type = scram-sha-256\nauth_file = {self.write_users(directory)}"

    def prepared(self):
        """Named statements are followed from 1.21 on."""
        numbers = re.search(r"(\d+)\.(\d+)", self.version())
        return "max_prepared_statements = 100\n" if numbers and (
            int(numbers[1]), int(numbers[2])) >= (1, 21) else ""


class Relay(Pooler):
    """The floor: it moves bytes and has none of a pooler's duties (bench/relay)."""

    name = "bare relay"

    def command(self, _directory):
        return [self.program, "--port", str(self.port), "--server-port", str(self.server_port)]

    def version(self):
        return "as built"


PEERS = {"relay": lambda path: [Relay(path)],
         "pgbouncer": lambda path: [PgBouncer(path, False), PgBouncer(path, True)]}
