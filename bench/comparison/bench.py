"""The bench: the poolers that run, and the runs that are made with them."""

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

STEAL_MAX = 0.01  # Of the time of all CPUs: what the host took away from this machine.
RUN_EXTRA_MAX = 60  # Seconds for logins, warm-up and leaving; the sandwich gives up sooner.
ATTEMPTS_MAX = 5  # For a round without it.


@dataclasses.dataclass
class Workload:
    kind: str
    clients: int

    @classmethod
    def parse(cls, text):
        kind, _, clients = text.partition("/")
        if not clients.isdecimal():
            raise SystemExit(f"compare: \"{text}\" is no workload; an example is simple/100")
        return cls(kind, int(clients))

    def __str__(self):
        return f"{self.kind}/{self.clients}"


@dataclasses.dataclass
class Comparison:
    """Of one workload, A against B. Without ratios: `problem` says why."""

    workload: Workload
    a: str
    b: str
    ratios: list = dataclasses.field(default_factory=list)
    runs_a: list = dataclasses.field(default_factory=list)
    runs_b: list = dataclasses.field(default_factory=list)
    problem: str = ""

    def ratio(self):
        return statistics.median(self.ratios)

    def interval(self):
        return statistics.bootstrap_interval(self.ratios)


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
        self.poolers = []
        (self.server_port,) = free_ports(1)
        cpus = sorted(os.sched_getaffinity(0))
        self.pooler_cpus, self.other_cpus = (cpus[1:2], cpus[:1]) if len(cpus) > 1 else (cpus, cpus)

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="pgweir_bench_")
        pathlib.Path(self.directory.name).chmod(0o755)
        os.sched_setaffinity(0, self.other_cpus)
        return self

    def __exit__(self, *_):
        for pooler in self.poolers:
            pooler.stop()
        self.directory.cleanup()

    def start(self, pooler):
        ports = free_ports(2)
        pooler.start(ports, self.server_port, pathlib.Path(self.directory.name))
        self.poolers.append(pooler)
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
        return pooler

    def compare(self, workload, a, b, rounds):
        result = Comparison(workload, a.name, b.name)
        for number in range(rounds):
            self.say(f"{workload}  {a.name} : {b.name}  round {number + 1} of {rounds}")
            try:
                runs = self.round(workload, a, b)
            except Failed as failed:
                result.problem = str(failed)
                break
            result.runs_a += [runs[0], runs[3]]
            result.runs_b += [runs[1], runs[2]]
            cpu = [run["cpu_us_per_transaction"] for run in runs]
            result.ratios.append(statistics.ratio_of_round((cpu[0], cpu[3]), (cpu[1], cpu[2])))
        self.say("")
        if result.ratios and not result.problem:
            low, high = result.interval()
            print(f"{workload}  {a.name} : {b.name}  {result.ratio():.3f}  "
                  f"[{low:.3f}, {high:.3f}]", flush=True)
        else:
            print(f"{workload}  {a.name} : {b.name}  {result.problem}", flush=True)
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
        command = [self.sandwich, "--pooler-port", pooler.port, "--server-port", self.server_port,
                   "--workload", workload.kind, "--clients", workload.clients,
                   "--seconds", self.seconds, *options]
        for pid in pooler.pids():
            command += ["--pid", pid]
        try:
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                                  check=False, timeout=self.seconds + RUN_EXTRA_MAX)
        except subprocess.TimeoutExpired:
            raise Failed(f"{pooler.name}: the run did not end") from None
        if done.returncode != 0:
            raise Failed(f"{pooler.name}: {done.stderr.strip() or 'no answer'}")
        return json.loads(done.stdout)

    @staticmethod
    def say(text):
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
