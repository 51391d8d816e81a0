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

from comparison.account import open_account

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
    has_tls: bool = False  # TLS 1.3 is required of the clients.
    has_server_tls: bool = False  # TLS 1.3 is required of the servers; else they refuse it.
    key: str = "ecdsa"  # Of all certificates: "ecdsa" (P-256) or "rsa" (2048 bits).

    def verifier(self):
        """As PostgreSQL stores it: nobody has to derive it from the password again."""
        salt, iterations = b"salt of a bench.", 4096
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, iterations)
        stored, server = (hmac.digest(salted, key, "sha256") for key in (b"Client Key",
                                                                         b"Server Key"))
        texts = [base64.b64encode(one).decode()
                 for one in (salt, hashlib.sha256(stored).digest(), server)]
        return f"SCRAM-SHA-256${iterations}:{texts[0]}${texts[1]}:{texts[2]}"


KEYS = {"ecdsa": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",)}


def make_certificate(directory, kind):
    """Key and certificate of this kind for all of this directory; their paths."""
    key, certificate = directory / f"{kind}.key", directory / f"{kind}.crt"
    if not certificate.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", *KEYS[kind], "-nodes", "-days", "2",
                        "-subj", "/CN=bench", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        key.chmod(0o644)  # PgBouncer runs as somebody else; the directory goes with the bench.
    return key, certificate


class Pooler:
    """A program and, once it is prepared and started, a process. `setup` is the default one until
    `prepared_for` has made a copy for another."""

    name = ""
    setup = Setup()

    def __init__(self, program):
        self.program = str(program)
        self.process = self.account = None
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
        self.account = open_account(f"pgweir_bench.{os.getpid()}.{self.port}")
        with open(directory / f"{self.port}.log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(directory), env={**os.environ, **self.environment(directory)},
                preexec_fn=self.account.join if self.account else None,
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
        if self.account:
            self.account.close()

    def write_users(self, directory):
        """The file of users, in the format that PgBouncer has made known; its path."""
        path = directory / f"users.{self.port}.txt"
        path.write_text(f'"{USER}" "{self.setup.verifier()}"\n')
        path.chmod(0o644)
        return path

    def client_tls(self, directory):
        """Its settings for TLS by name, whose names and words PgBouncer has made known."""
        if not self.setup.has_tls:
            return {}
        key, certificate = make_certificate(directory, self.setup.key)
        return {"client_tls_sslmode": "require", "client_tls_key_file": key,
                "client_tls_cert_file": certificate, "client_tls_protocols": "tlsv1.3"}

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
        return self.setup.password or self.setup.has_many_databases or self.setup.has_tls

    def url(self):
        """Its limit counts the connection by which it watches over the server, too."""
        pools = MANY_POOLS_MAX if self.setup.has_many_databases else 1
        database = "" if self.setup.has_many_databases else "bench"
        return (f"postgresql://{USER}@127.0.0.1:{self.server_port}/{database}"
                f"?pool_size={self.setup.server_count}"
                f"&connection_limit={pools * self.setup.server_count + 1}"
                f"{'&sslmode=require' if self.setup.has_server_tls else ''}")

    def write_config(self, directory):
        path = directory / f"pgweir.{self.port}.toml"
        tls = "\n".join(f'{name} = "{value}"'
                        for name, value in self.client_tls(directory).items())
        path.write_text(f"""{self.authentication(directory)}
{tls}
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
        # No other pooler takes another way to 127.0.0.1 than TCP.
        return {**url, "STATE_DIRECTORY": str(directory), "PGWEIR_PREFER_UNIX_SOCKET": "off"}


class PgBouncer(Pooler):
    """As it comes, or with the settings that its documentation names for speed."""

    TUNED = "pkt_buf = 65536\nlisten_backlog = 4096\ntcp_defer_accept = 0\n"

    def __init__(self, program, is_tuned):
        super().__init__(program)
        self.is_tuned = is_tuned
        self.name = "PgBouncer, tuned" if is_tuned else "PgBouncer"

    def command(self, directory):
        config = directory / f"pgbouncer.{self.port}.ini"
        tls = "".join(f"{name} = {value}\n" for name, value in self.client_tls(directory).items())
        if self.setup.has_server_tls:
            tls += "server_tls_sslmode = require\nserver_tls_protocols = tlsv1.3\n"
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
{self.TUNED if self.is_tuned else ""}{self.prepared()}{tls}""")
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


class Odyssey(Pooler):
    """One worker, so that CPU compares; as it comes, or with the sizes that its documentation
    recommends where there are many clients."""

    TUNED = (f"readahead 65536\ncache_coroutine {CLIENT_COUNT_MAX + SERVER_COUNT}\n"
             f"cache_msg_gc_size {CLIENT_COUNT_MAX}\n")

    def __init__(self, program, is_tuned):
        super().__init__(program)
        self.is_tuned = is_tuned
        self.name = "Odyssey, tuned" if is_tuned else "Odyssey"

    def command(self, directory):
        config = directory / f"odyssey.{self.port}.conf"
        config.write_text(f"""
daemonize no
workers 1
log_format "%p %t %l [%i %s] (%c) %m\\n"
log_to_stdout yes
log_config no
log_session no
log_stats no
enable_online_restart no
bindwith_reuseport no
{self.TUNED if self.is_tuned else ""}listen {{
  host "127.0.0.1"
  port {self.port}
  {"backlog 4096" if self.is_tuned else ""}
  {self.tls(directory)}
}}
storage "postgres" {{
  type "remote"
  host "127.0.0.1"
  port {self.server_port}
  {'tls "require"' if self.setup.has_server_tls else ""}
}}
database default {{
  user default {{
    {self.authentication()}
    storage "postgres"
    storage_user "{USER}"
    pool "transaction"
    pool_size {self.setup.server_count}
    pool_discard no
    pool_reserve_prepared_statement yes
  }}
}}
""")
        return [self.program, str(config)]

    def tls(self, directory):
        """Its version is the clients' to choose."""
        if not self.setup.has_tls:
            return ""
        key, certificate = make_certificate(directory, self.setup.key)
        return f'tls "require"\n  tls_key_file "{key}"\n  tls_cert_file "{certificate}"'

    def authentication(self):
        if not self.setup.password:
            return 'authentication "none"'
        return f'authentication "scram-sha-256"\n    password "{self.setup.verifier()}"'


class Relay(Pooler):
    """The floor: it moves bytes and has none of a pooler's duties (bench/relay)."""

    name = "bare relay"

    def command(self, _directory):
        return [self.program, "--port", str(self.port), "--server-port", str(self.server_port)]

    def version(self):
        return "as built"


PEERS = {"relay": lambda path: [Relay(path)],
         "pgbouncer": lambda path: [PgBouncer(path, False), PgBouncer(path, True)],
         "odyssey": lambda path: [Odyssey(path, False), Odyssey(path, True)]}
