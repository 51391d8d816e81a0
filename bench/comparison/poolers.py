"""The poolers that are compared: how each is configured, started and asked for its version.

All stand in front of one PostgreSQL on this machine with ten servers, trust their clients, and log
neither connections nor statements.
"""

import os
import pathlib
import re
import subprocess

SERVER_COUNT = 10
CLIENT_COUNT_MAX = 6000


class Pooler:
    name = ""

    def __init__(self, program):
        self.program = str(program)
        self.process = None
        self.port = self.http_port = self.server_port = None

    def start(self, ports, server_port, directory):
        """On the first of `ports`; does not wait until it listens."""
        port, self.http_port = ports
        self.port, self.server_port = port, server_port
        with open(directory / f"{port}.log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(directory), env={**os.environ, **self.environment(directory)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def command(self, directory):
        raise NotImplementedError

    def environment(self, _directory):
        return {}

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=40)

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

    def command(self, _directory):
        return [self.program, "serve", "--listen", f"127.0.0.1:{self.port}",
                "--http", f"127.0.0.1:{self.http_port}"]

    def environment(self, directory):
        return {"DATABASE_URL": f"postgresql://bench@127.0.0.1:{self.server_port}/bench"
                                f"?connection_limit={SERVER_COUNT}",
                "STATE_DIRECTORY": str(directory)}


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
bench = host=127.0.0.1 port={self.server_port} user=bench pool_size={SERVER_COUNT}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
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
