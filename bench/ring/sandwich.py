"""The sandwich by laps: clients and a canned PostgreSQL that work when they are told to.

Between two laps everybody is at rest, so what a pooler does in a lap can be counted exactly. This
starts no pooler.
"""

import socket
import subprocess

from ring.measured import Failed

PATIENCE = 120  # Seconds for all logins, or for a lap; under callgrind on a busy machine.
# So that all clients and servers have all statements, and what grows has grown.
WARM_UP_TRANSACTIONS = 2_000
WARM_UP_TRANSACTIONS_PER_CLIENT = 200
TLS = "-tls"  # Behind the name of a workload: the clients speak it.


class Sandwich:
    """A context; the clients are logged in within it, and leave in order at its end."""

    def __init__(self, pgweir, workload):
        kind, clients = workload.split("/")
        self.clients = int(clients)
        tls = ["--tls"] if kind.endswith(TLS) else []
        self.command = [pgweir.build / "pgweir_sandwich", "--pooler-port", pgweir.port,
                        "--server-port", pgweir.server_port,
                        "--workload", kind.removesuffix(TLS), "--clients", clients, *tls]
        self.listener = self.conductor = self.process = None

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        port = self.listener.getsockname()[1]
        self.process = subprocess.Popen([*map(str, self.command), "--conductor-port", str(port)],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            self.conductor = self.await_conductor()
            self.conductor.settimeout(PATIENCE)
            self.hear()
        except BaseException:
            self.end()
            raise
        return self

    def await_conductor(self):
        while self.process.poll() is None:
            try:
                return self.listener.accept()[0]
            except TimeoutError:
                continue
        raise Failed(self.last_words())

    def __exit__(self, kind, *_):
        self.conductor.close()
        try:
            if kind is None and self.process.wait(PATIENCE) != 0:
                raise Failed(self.last_words())
        except subprocess.TimeoutExpired:
            raise Failed("the sandwich does not end") from None
        finally:
            self.end()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.listener.close()

    def last_words(self):
        return self.process.stderr.read().strip() or "the sandwich ended without a word"

    def warm_up(self):
        self.lap(WARM_UP_TRANSACTIONS + self.clients * WARM_UP_TRANSACTIONS_PER_CLIENT)

    def lap(self, transactions):
        """Makes them, and returns how many it were: what is begun as a pipeline is ended."""
        self.conductor.sendall(f"{transactions}\n".encode())
        return self.hear()

    def hear(self):
        said = b""
        while not said.endswith(b"\n"):
            try:
                more = self.conductor.recv(100)
            except TimeoutError:
                raise Failed(f"the sandwich is not done within {PATIENCE} s") from None
            if not more:
                raise Failed(self.last_words())
            said += more
        return int(said)
