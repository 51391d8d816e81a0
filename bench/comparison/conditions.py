"""How quiet the machine was: what, other than a pooler, may have made a figure of a round.

All are shares, mostly of the time of one CPU. Steal spoils a round; the rest is said beside it.
Source of truth: proc(5).
"""

import dataclasses
import hashlib
import os
import pathlib
import time

STEAL_MAX = 0.01  # Of the time of all CPUs: what the host took away from this machine.
OTHERS_MAX = 0.03
SOFTIRQS_MAX = 0.01
SPEED_SPREAD_MAX = 0.03
HIDDEN_MAX = 0.01
PROBES = 3
PROBE_ITERATIONS = 15_000  # Some 5 ms of arithmetic.
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


@dataclasses.dataclass
class Conditions:
    """Of one round."""

    steal: float = 0
    others: float = 0  # What neither a pooler nor the bench was.
    other: str = ""  # The one that took most of that.
    softirqs: float = 0  # ksoftirqd on the poolers' CPU, of that CPU's time.
    speed_spread: float = 0  # Of the same piece of arithmetic before each run: most : least - 1.
    hidden: float | None = None  # What of a pooler's CPU time its threads do not account for.
    attempts: int = 1  # Rounds made for this one; those before had too much steal.

    def is_disturbed(self):
        return (self.others > OTHERS_MAX or self.softirqs > SOFTIRQS_MAX
                or self.speed_spread > SPEED_SPREAD_MAX or (self.hidden or 0) > HIDDEN_MAX)


@dataclasses.dataclass(frozen=True)
class Process:
    name: str
    seconds: float  # Of CPU, with those of children that have ended and were waited for.


def parse_process(stat):
    """Of /proc/PID/stat; a name may hold anything."""
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return Process(name, sum(map(int, rest.split()[11:15])) / TICKS_PER_SECOND)


def processes():
    """All by pid."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            try:
                found[int(entry.name)] = parse_process((entry / "stat").read_text())
            except OSError:
                pass  # It has just ended.
    return found


def others_between(before, after, own):
    """CPU seconds of those that are not `own`, and the name of the one that took most.

    What ends in between is not lost: its parent is charged when it hears of it.
    """
    def is_other(pid, process):
        return pid not in own and not process.name.startswith("ksoftirqd/")

    took = {pid: process.seconds - (before[pid].seconds if pid in before else 0)
            for pid, process in after.items() if is_other(pid, process)}
    lost = sum(process.seconds for pid, process in before.items()
               if pid not in after and is_other(pid, process))
    most = max(took, key=took.get, default=None)
    return max(sum(took.values()) - lost, 0), after[most].name if most else ""


def softirq_seconds(found, cpus):
    """Of ksoftirqd on these CPUs."""
    names = {f"ksoftirqd/{cpu}" for cpu in cpus}
    return sum(int((PROC / str(pid) / "schedstat").read_text().split()[0]) / 1e9
               for pid, process in found.items() if process.name in names)


def steal_and_total():
    fields = list(map(int, (PROC / "stat").read_text().split("\n")[0].split()[1:9]))
    return fields[7], sum(fields)


def probe_speed(cpus):
    """Seconds that a piece of arithmetic takes on these CPUs."""
    at_home = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        taken = []
        for _ in range(PROBES):
            start = time.thread_time()
            hashlib.pbkdf2_hmac("sha256", b"speed", b"of a CPU", PROBE_ITERATIONS)
            taken.append(time.thread_time() - start)
        return min(taken)
    finally:
        os.sched_setaffinity(0, at_home)


class Watch:
    """Over one round, from when it is made."""

    def __init__(self, cpus):
        """cpus: on which the poolers run."""
        self.cpus = cpus
        self.speeds = []
        self.hidden = []
        self.since = time.monotonic()
        self.steal = steal_and_total()
        self.processes = processes()
        self.softirqs = softirq_seconds(self.processes, cpus)

    def begin_run(self):
        self.speeds.append(probe_speed(self.cpus))

    def add_hidden(self, share):
        """share: None where that cannot be known."""
        if share is not None:
            self.hidden.append(share)

    def conditions(self, own, attempts):
        """own: the pids of the poolers and the bench."""
        seconds = time.monotonic() - self.since
        steal = [after - before for before, after in zip(self.steal, steal_and_total())]
        found = processes()
        others, other = others_between(self.processes, found, own)
        softirqs = softirq_seconds(found, self.cpus) - self.softirqs
        return Conditions(
            steal=steal[0] / max(steal[1], 1), others=others / seconds, other=other,
            softirqs=softirqs / seconds / len(self.cpus),
            speed_spread=max(self.speeds) / min(self.speeds) - 1 if self.speeds else 0,
            hidden=max(self.hidden, default=None), attempts=attempts)
