"""What clients cost that do nothing: memory, and how often pgweir wakes all the same.

They are plain sockets here, not clients of the sandwich, which would ask. Memory is what pgweir has
written to (Private_Dirty and what of it is swapped), as a difference between few and many clients.
A wake-up is a voluntary context switch, which a thread makes when it goes to sleep again.
"""

import contextlib
import itertools
import pathlib
import re
import resource
import socket
import ssl
import struct
import time

from ring.measured import Failed, Measured
from ring.sandwich import Sandwich
from ring.started import Started

FIGURES = ("memory", "wake-ups")
CLIENTS = 10_000
CLIENTS_FEW = 2_000  # By then what grows in steps, such as a table, matters little to each.
CLIENTS_MIN = 3 * CLIENTS_FEW
TLS_CLIENTS, TLS_CLIENTS_FEW = 3_000, 500  # Ours need memory, too.
PREPARED_CLIENTS, PREPARED_CLIENTS_FEW = 5_000, 1_000
STATEMENTS = 20
LOGINS_AT_ONCE = 50
DESCRIPTORS_SPARE = 500
QUIET_SECONDS = 10  # Clients are at rest for pgweir some seconds after they did anything.
WATCHED_SECONDS = 15
PROTOCOL = 3 << 16
READY = b"Z\0\0\0\5I"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Crowd:
    """A context: clients that log in and then say nothing."""

    def __init__(self, port):
        parameters = struct.pack("!i", PROTOCOL) + b"user\0bench\0database\0bench\0\0"
        self.startup = struct.pack("!i", len(parameters) + 4) + parameters
        self.port = port
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()

    def grow_to(self, count):
        while len(self.clients) < count:
            new = [self.connect() for _ in range(min(LOGINS_AT_ONCE, count - len(self.clients)))]
            self.clients += new
            for client in new:
                client.sendall(self.startup)
            for client in new:
                self.await_welcome(client)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    @staticmethod
    def await_welcome(client):
        heard = b""
        while not heard.endswith(READY):
            more = client.recv(4096)
            if not more:
                raise Failed(f"an idle client was not welcomed: {heard}")
            heard += more


class TlsCrowd(Crowd):
    def __init__(self, port):
        super().__init__(port)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    def connect(self):
        client = super().connect()
        client.sendall(SSL_REQUEST)
        if client.recv(1) != b"S":
            raise Failed("pgweir does not offer TLS")
        return self.tls.wrap_socket(client)


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


def prepared_execution(number):
    """Parse, Bind, Execute and Sync of one statement, whose text all clients share."""
    name = b"s%d\0" % number
    return (message(b"P", name + b"SELECT 1 /* %d */\0" % number + b"\0\0")
            + message(b"B", b"\0" + name + b"\0\0" * 3) + message(b"E", b"\0" + b"\0" * 4)
            + message(b"S", b""))


class PreparedCrowd(Crowd):
    """Each has prepared and executed STATEMENTS of them."""

    def grow_to(self, count):
        before = len(self.clients)
        super().grow_to(count)
        new = self.clients[before:]
        for begin in range(0, len(new), LOGINS_AT_ONCE):
            some = new[begin:begin + LOGINS_AT_ONCE]
            for number, client in itertools.product(range(STATEMENTS), some):
                client.sendall(prepared_execution(number))
                self.await_welcome(client)  # It ends as an answer does.


def client_count():
    """As many as descriptors and ports allow."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ports = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    count = min(CLIENTS, hard - DESCRIPTORS_SPARE, (int(ports[1]) - int(ports[0])) // 2)
    if count < CLIENTS_MIN:
        raise Failed(f"only {count} clients are possible here, and the figures need {CLIENTS_MIN}: "
                     f"raise the hard limit of descriptors (ulimit -Hn) or ip_local_port_range")
    return count


def memory_of(pid):
    """Bytes."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(re.search(rf"^{key}: +(\d+) kB", rollup, re.MULTILINE)[1]) * 1024
               for key in ("Private_Dirty", "SwapPss"))


def wake_ups_of(pid):
    """So far, by thread."""
    counts = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        name = re.search(r"^Name:\s*(.*)", status)[1]
        count = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)[1]
        counts[f"{name} {task.name}"] = int(count)
    return counts


def watch_wake_ups(pid):
    time.sleep(QUIET_SECONDS)
    began, before = time.monotonic(), wake_ups_of(pid)
    time.sleep(WATCHED_SECONDS)
    seconds, after = time.monotonic() - began, wake_ups_of(pid)
    rates = {name: (after[name] - before.get(name, 0)) / seconds for name in after}
    threads = "; ".join(f"{name.split()[0]} {rate:.1f}" for name, rate in rates.items() if rate)
    return Measured(sum(rates.values()), threads)


@contextlib.contextmanager
def resting_crowd(build, kind, few, count):
    """pgweir with so many clients, and what those beyond the few cost."""
    with Started(build) as pgweir, Sandwich(pgweir, "simple/1") as sandwich:
        sandwich.warm_up()  # From now on there is a server, whose settings the welcome tells.
        with kind(pgweir.port) as crowd:
            crowd.grow_to(few)
            before = memory_of(pgweir.pid)
            crowd.grow_to(count)
            per_client = (memory_of(pgweir.pid) - before) / (count - few)
            yield pgweir, Measured(per_client, f"{count - few} clients beside {few}")


def measure(build, workloads):
    measured = {}
    if "idle" in workloads:
        with resting_crowd(build, Crowd, CLIENTS_FEW, client_count()) as (pgweir, memory):
            measured |= {("memory", "idle"): memory,
                         ("wake-ups", "idle"): watch_wake_ups(pgweir.pid)}
    if "idle-prepared" in workloads:
        with resting_crowd(build, PreparedCrowd, PREPARED_CLIENTS_FEW,
                           PREPARED_CLIENTS) as (_, memory):
            measured["memory", "idle-prepared"] = memory
    if "idle-tls" in workloads:
        with resting_crowd(build, TlsCrowd, TLS_CLIENTS_FEW, TLS_CLIENTS) as (_, memory):
            measured["memory", "idle-tls"] = memory
    return measured
