"""The workloads by their names: which scenario of the sandwich plays each, what it asks of the
poolers, and which of its figures are compared."""

import dataclasses

from comparison.poolers import Setup


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str  # In what the sandwich prints.
    title: str
    is_higher_better: bool = False
    least: float = 1e-9  # What the instrument can tell; less counts as that much.

    def better(self):
        return "higher" if self.is_higher_better else "lower"


@dataclasses.dataclass(frozen=True)
class Kind:
    scenario: str
    metrics: tuple
    options: tuple = ()  # Of the sandwich.
    setup: Setup = Setup()


CPU = Metric("cpu_us_per_transaction", "CPU per transaction, µs")
P99 = Metric("latency_p99_us", "p99 latency, µs")
LOGINS = Metric("logins_per_cpu_second", "logins per CPU second", is_higher_better=True)
PASSWORD = "what a bench says"

KINDS = {
    **{name: Kind(name, (CPU, P99))
       for name in ("simple", "prepared", "parsed", "pipelined", "bulk")},
    "churn": Kind("churn", (LOGINS,)),
    "churn-scram": Kind("churn", (LOGINS,), options=("--password", PASSWORD),
                        setup=Setup(password=PASSWORD)),
}


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    clients: int

    @classmethod
    def parse(cls, text):
        name, _, clients = text.partition("/")
        if name not in KINDS or not clients.isdecimal():
            raise SystemExit(f"compare: \"{text}\" is no workload; it is one of {', '.join(KINDS)} "
                             "with a count of clients, as simple/100")
        return cls(name, int(clients))

    @property
    def kind(self):
        return KINDS[self.name]

    def __str__(self):
        return f"{self.name}/{self.clients}"
