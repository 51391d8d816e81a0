"""The bench: the poolers that run, and the runs that are made with them."""

import contextlib
import dataclasses
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from comparison import statistics
from comparison.workloads import Workload

STEAL_MAX = 0.01  # Of the time of all CPUs: what the host took away from this machine.
RUN_EXTRA_MAX = 60  # Seconds for logins, warm-up and leaving; the sandwich gives up sooner.
ATTEMPTS_MAX = 5  # For a round without it.


@dataclasses.dataclass
class Comparison:
    """Of one workload, A against B. With a `problem` its figures say nothing."""

    workload: Workload
    a: str
    b: str
    ratios: dict = dataclasses.field(default_factory=dict)  # By metric: one of each round.
    runs_a: list = dataclasses.field(default_factory=list)
    runs_b: list = dataclasses.field(default_factory=list)
    problem: str = ""

    def add_round(self, runs):
        self.runs_a += [runs[0], runs[3]]
        self.runs_b += [runs[1], runs[2]]
        for metric in self.workload.kind.metrics:
            a1, b1, b2, a2 = (max(run[metric.name], metric.least) for run in runs)
            ratio = statistics.ratio_of_round((a1, a2), (b1, b2))
            self.ratios.setdefault(metric.name, []).append(ratio)

    def ratio(self, metric):
        return statistics.median(self.ratios[metric.name])

    def interval(self, metric):
        return statistics.bootstrap_interval(self.ratios[metric.name])


class Failed(Exception):
    """A run came to nothing."""


def steal_and_total():
    fields = list(map(int, pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]))
    return fields[7], sum(fields)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Bench:
    """A context; what runs when it ends is stopped."""

    def __init__(self, build, seconds):
        self.sandwich = str(build / "pgweir_sandwich")
        self.seconds = seconds
        self.poolers = {}  # What runs, by what it was made of and its setup.
        (self.server_port,) = free_ports(1)
        cpus = sorted(os.sched_getaffinity(0))
        self.pooler_cpus, self.other_cpus = (cpus[1:2], cpus[:1]) if len(cpus) > 1 else (cpus, cpus)

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="pgweir_bench_")
        pathlib.Path(self.directory.name).chmod(0o755)
        os.sched_setaffinity(0, self.other_cpus)
        return self

    def __exit__(self, *_):
        for pooler in self.poolers.values():
            pooler.stop()
        self.directory.cleanup()

    def running(self, pooler, setup):
        """The pooler with this setup; it stays for the runs to come."""
        key = (pooler, setup)
        if key not in self.poolers:
            prepared = pooler.prepared_for(setup)
            prepared.take_ports(free_ports(2), self.server_port)
            self.start(prepared)
            self.poolers[key] = prepared
        return self.poolers[key]

    def start(self, pooler):
        pooler.start(pathlib.Path(self.directory.name))
        os.sched_setaffinity(pooler.process.pid, self.pooler_cpus)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", pooler.port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline or pooler.process.poll() is not None:
                    log = pathlib.Path(self.directory.name) / f"{pooler.port}.log"
                    raise SystemExit(f"compare: {pooler.name} did not start:\n"
                                     f"{log.read_text(errors='replace')[-2000:]}") from None
                time.sleep(0.1)
        for task in os.listdir(f"/proc/{pooler.process.pid}/task"):
            os.sched_setaffinity(int(task), self.pooler_cpus)

    def compare(self, workload, a, b, rounds):
        result = Comparison(workload, a.name, b.name)
        title = f"{workload}  {a.name} : {b.name}"
        for number in range(rounds):
            self.say(f"{title}  round {number + 1} of {rounds}")
            try:
                result.add_round(self.round(workload, a, b))
            except Failed as failed:
                result.problem = str(failed)
                break
        self.say("")
        if result.problem:
            print(f"{title}  {result.problem}", flush=True)
            return result
        for metric in workload.kind.metrics:
            low, high = result.interval(metric)
            print(f"{title}  {metric.title}: {result.ratio(metric):.3f}  [{low:.3f}, {high:.3f}]",
                  flush=True)
        return result

    def round(self, workload, a, b):
        for _ in range(ATTEMPTS_MAX):
            before = steal_and_total()
            runs = [self.run(workload, pooler) for pooler in (a, b, b, a)]
            after = steal_and_total()
            if after[0] - before[0] <= STEAL_MAX * (after[1] - before[1]):
                return runs
        raise Failed("the host took the CPU away in every attempt")

    def run(self, workload, pooler, *options):
        """The figures of one run; `pooler` is started if it is not running yet."""
        if workload.kind.is_cold:
            return self.run_cold(pooler.prepared_for(workload.kind.setup), workload, options)
        pooler = self.running(pooler, workload.kind.setup)
        pids = [text for pid in pooler.pids() for text in ("--pid", pid)]
        with self.sandwich_for(pooler, workload, *options, *pids) as sandwich:
            return self.figures(pooler, sandwich)

    def run_cold(self, pooler, workload, options):
        """PostgreSQL is there first: a pooler that finds none when it starts may take its time to
        look again."""
        pooler.take_ports(free_ports(2), self.server_port)
        with self.sandwich_for(pooler, workload, *options, "--wait") as sandwich:
            sandwich.stdout.readline()
            try:
                self.start(pooler)
                return self.figures(pooler, sandwich, " ".join(map(str, pooler.pids())))
            finally:
                pooler.stop()

    @contextlib.contextmanager
    def sandwich_for(self, pooler, workload, *options):
        """The process; it ends with the context."""
        kind = workload.kind
        command = [self.sandwich, "--pooler-port", pooler.port, "--server-port", self.server_port,
                   "--workload", kind.scenario, "--clients", workload.clients,
                   "--seconds", self.seconds, *kind.options, *options]
        with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()

    def figures(self, pooler, sandwich, pids=None):
        try:
            output, complaint = sandwich.communicate(pids, timeout=self.seconds + RUN_EXTRA_MAX)
        except subprocess.TimeoutExpired:
            raise Failed(f"{pooler.name}: the run did not end") from None
        if sandwich.returncode != 0:
            raise Failed(f"{pooler.name}: {complaint.strip() or 'no answer'}")
        return json.loads(output)

    @staticmethod
    def say(text):
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
