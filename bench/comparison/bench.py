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

from comparison import conditions, statistics
from comparison.account import hidden_share, thread_seconds
from comparison.poolers import make_certificate
from comparison.workloads import Workload
from support.ports import free_port, free_ports

RUN_EXTRA_MAX = 60  # Seconds for logins, warm-up and leaving; the sandwich gives up sooner.
ATTEMPTS_MAX = 5  # For a round without steal.


@dataclasses.dataclass
class Comparison:
    """Of one workload, A against B. With a `problem` its figures say nothing."""

    workload: Workload
    a: str
    b: str
    ratios: dict = dataclasses.field(default_factory=dict)  # By metric: one of each round.
    runs_a: list = dataclasses.field(default_factory=list)
    runs_b: list = dataclasses.field(default_factory=list)
    conditions: list = dataclasses.field(default_factory=list)  # Of each round.
    problem: str = ""

    def add_round(self, runs, under=None):
        """under: its conditions, where they were looked at."""
        self.conditions += [under] if under else []
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


class Bench:
    """A context; what runs when it ends is stopped."""

    def __init__(self, build, seconds=None):
        """seconds: of a run; None: as its workload has it."""
        self.sandwich = str(build / "pgweir_sandwich")
        self.seconds = seconds
        self.poolers = {}  # What runs, by what it was made of and its setup.
        self.watch = None  # While a round is under way.
        self.server_port = free_port()
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

    def seconds_of(self, kind):
        return self.seconds or kind.seconds

    def compare(self, workload, a, b, rounds=None):
        """rounds: None: as the workload has it."""
        rounds = rounds or workload.kind.rounds
        result = Comparison(workload, a.name, b.name)
        title = f"{workload}  {a.name} : {b.name}"
        for number in range(rounds):
            self.say(f"{title}  round {number + 1} of {rounds}")
            try:
                result.add_round(*self.round(workload, a, b))
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
        """Its four runs and its conditions."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            self.watch = conditions.Watch(self.pooler_cpus)
            runs = [self.run(workload, pooler) for pooler in (a, b, b, a)]
            own = {os.getpid(), *(pid for pooler in self.poolers.values() for pid in pooler.pids())}
            seen = self.watch.conditions(own, attempt)
            if seen.steal <= conditions.STEAL_MAX:
                return runs, seen
        raise Failed("the host took the CPU away in every attempt")

    def run(self, workload, pooler, *options):
        """The figures of one run; `pooler` is started if it is not running yet."""
        if self.watch:
            self.watch.begin_run()
        if workload.kind.is_cold:
            return self.run_cold(pooler.prepared_for(workload.kind.setup), workload, options)
        pooler = self.running(pooler, workload.kind.setup)
        pids = [text for pid in pooler.pids() for text in ("--pid", pid)]
        with (self.audit(pooler),
              self.sandwich_for(pooler, workload, *options, *pids) as sandwich):
            return self.figures(pooler, workload, sandwich)

    def run_cold(self, pooler, workload, options):
        """PostgreSQL is there first: a pooler that finds none when it starts may take its time to
        look again."""
        pooler.take_ports(free_ports(2), self.server_port)
        with self.sandwich_for(pooler, workload, *options, "--wait") as sandwich:
            sandwich.stdout.readline()
            try:
                self.start(pooler)
                with self.audit(pooler):
                    return self.figures(pooler, workload, sandwich,
                                        " ".join(map(str, pooler.pids())))
            finally:
                pooler.stop()

    @contextlib.contextmanager
    def audit(self, pooler):
        """Looks whether all CPU time of the pooler is in sight, where there is an account of it."""
        if pooler.account is None or self.watch is None:
            yield
            return
        group, threads = pooler.account.seconds(), thread_seconds(pooler.pids())
        yield
        self.watch.add_hidden(hidden_share(pooler.account.seconds() - group,
                                           thread_seconds(pooler.pids()) - threads))

    def server_tls(self, kind):
        """The options of the sandwich for it."""
        if not kind.setup.has_server_tls:
            return ()
        key, certificate = make_certificate(pathlib.Path(self.directory.name), kind.setup.key)
        return "--server-certificate", certificate, "--server-key", key

    @contextlib.contextmanager
    def sandwich_for(self, pooler, workload, *options):
        """The process; it ends with the context."""
        kind = workload.kind
        command = [self.sandwich, "--pooler-port", pooler.port, "--server-port", self.server_port,
                   "--workload", kind.scenario, "--clients", workload.clients,
                   "--seconds", self.seconds_of(kind), *kind.options, *self.server_tls(kind),
                   *options]
        with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()

    def figures(self, pooler, workload, sandwich, pids=None):
        seconds = self.seconds_of(workload.kind) + RUN_EXTRA_MAX
        try:
            output, complaint = sandwich.communicate(pids, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{pooler.name}: the run did not end") from None
        if sandwich.returncode != 0:
            raise Failed(f"{pooler.name}: {complaint.strip() or 'no answer'}")
        return json.loads(output)

    @staticmethod
    def say(text):
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
