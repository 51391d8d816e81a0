"""What it takes to let a client in: system calls, counted by strace.

One client after another connects, is trusted, is welcomed, says goodbye and hangs up. Those of the
login reactor and of the data reactor count, but for the waits for events. As in tracing.py all is
traced, and the time of day tells what belongs to the logins.
"""

import socket
import time

from ring.measured import Failed
from ring.resting import Crowd
from ring.sandwich import Sandwich
from ring.started import Started
from ring.tracing import THREAD, TOOL, count_calls, figures_of

FIGURES = ("login calls",)
THREADS = (THREAD, "pgweir-login")
LOGINS = 1_000
TERMINATE = b"X\0\0\0\4"


def come_and_go(crowd):
    with socket.create_connection(("127.0.0.1", crowd.port), timeout=30) as client:
        client.sendall(crowd.startup)
        crowd.await_welcome(client)
        # Goodbye and end in one segment: whether they come together is not left to chance.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        client.sendall(TERMINATE)


def measure(build, workloads):
    with Started(build, *TOOL) as pgweir:
        with Sandwich(pgweir, "simple/1") as sandwich:
            sandwich.warm_up()  # From now on there is a server, whose settings the welcome tells.
            crowd = Crowd(pgweir.port)
            begin = time.time()
            for _ in range(LOGINS):
                come_and_go(crowd)
            end = time.time()
        trace = pgweir.directory / "trace"
        pgweir.end()  # The trace is whole when strace has ended.
        with open(trace, errors="replace") as lines:
            calls = count_calls(lines, begin, end, THREADS)
        if not calls:
            raise Failed(f"strace shows no call of a thread named {' or '.join(THREADS)}")
        found = figures_of(calls, LOGINS)["syscalls"]
        return {("login calls", workload): found for workload in workloads}
