"""System calls per transaction, counted by strace.

pgweir is started under strace, because the kernel may refuse to attach to what is running already
(Yama); a parent may trace its child even in a container. Everything is traced, not summed up by
`strace -c`: so only the calls within a lap of the sandwich count, and only those of data reactors.
Between laps nothing is under way, so that the time of day separates them without a doubt, however
slow the machine. What other threads did for a transaction would begin with a call that wakes them.
"""

import collections
import re
import time

from ring.measured import Failed, Measured
from ring.sandwich import Sandwich
from ring.started import Started

FIGURES = ("syscalls", "sends", "epoll_ctl")
TOOL = ("strace", "--follow-forks", "--decode-pids=comm", "-ttt", "--string-limit=0",
        "--output=DIRECTORY/trace")
THREAD = "pgweir-data"
WAITS = {"epoll_wait", "epoll_pwait", "epoll_pwait2"}
SENDS = {"send", "sendto", "sendmsg", "sendmmsg", "write", "writev"}
TRANSACTIONS = 10_000
# 4711<pgweir-data> 1700000000.123456 sendto(12, ""..., 77, MSG_NOSIGNAL, NULL, 0) = 77
# A call that another thread interrupts has a second line, "<... sendto resumed>".
CALL = re.compile(r"\d+<(?P<thread>[^>]*)>\s+(?P<time>[\d.]+) (?P<name>\w+)\(")


def count_calls(lines, begin, end, threads=(THREAD,)):
    """By name, those of data reactors, or of these threads, between two times of day."""
    calls = collections.Counter()
    for line in lines:
        call = CALL.match(line)
        if call and call["thread"].startswith(threads) and begin <= float(call["time"]) <= end:
            calls[call["name"]] += 1
    return calls


def figures_of(calls, transactions):
    """From what count_calls() has found in a lap."""
    busy = {name: count for name, count in calls.items() if name not in WAITS}
    kinds = "; ".join(f"{name} {count / transactions:.4g}" for name, count in sorted(busy.items()))
    chosen = {"syscalls": busy, "sends": SENDS, "epoll_ctl": {"epoll_ctl"}}
    return {figure: Measured(sum(busy.get(name, 0) for name in names) / transactions, kinds)
            for figure, names in chosen.items()}


def measure(build, workloads):
    laps = {}
    with Started(build, *TOOL) as pgweir:
        for workload in workloads:
            with Sandwich(pgweir, workload) as sandwich:
                sandwich.warm_up()
                begin = time.time()
                transactions = sandwich.lap(TRANSACTIONS)
                laps[workload] = begin, time.time(), transactions
        trace = pgweir.directory / "trace"
        pgweir.end()  # The trace is whole when strace has ended.
        measured = {}
        for workload, (begin, end, transactions) in laps.items():
            with open(trace, errors="replace") as lines:
                calls = count_calls(lines, begin, end)
            if not calls:
                raise Failed(f"strace shows no call of a thread named {THREAD}")
            found = figures_of(calls, transactions)
            measured |= {(figure, workload): value for figure, value in found.items()}
        return measured
