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
    is_cold: bool = False  # Each run has a pooler that has just been started.
    seconds: float = 3  # Of one run, where nobody says otherwise.
    rounds: int = 9


CPU = Metric("cpu_us_per_transaction", "CPU per transaction, µs")
P50 = Metric("latency_p50_us", "p50 latency, µs")
P99 = Metric("latency_p99_us", "p99 latency, µs")
P999 = Metric("latency_p999_us", "p99.9 latency, µs")
LOGINS = Metric("logins_per_cpu_second", "logins per CPU second", is_higher_better=True)
STORM_P99 = Metric("storm_p99_us", "p99 of the established, µs")
LAST_LOGIN = Metric("last_login_ms", "time until the last login, ms")
REFUSED = Metric("refused", "turned away", least=1)
ALL_SERVE = Metric("all_serve_ms", "time until all servers serve, ms")
JAIN = Metric("jain", "Jain index", is_higher_better=True)
SPREAD = Metric("p99_by_p50", "p99 : p50 of latency")
MEMORY = Metric("bytes_per_client", "memory per idle client, bytes", least=1)
IDLE_CPU = Metric("cpu_ms_per_second", "CPU while all rest, ms per s", least=0.01)
WAKEUPS = Metric("wakeups_per_second", "wake-ups per s while all rest", least=0.1)

THROUGHPUT = Metric("transactions_per_second", "transactions of the others per s",
                    is_higher_better=True, least=1)
GROWTH = Metric("memory_growth_bytes", "most memory beyond that at rest, bytes", least=65536)
LATE_WAIT = Metric("latency_max_us", "longest wait of those who come after, µs")
WASTED = Metric("wasted_requests", "requests of nobody that were served", least=1)
MEMORY_MAX = Metric("memory_bytes_max", "most memory, bytes", least=1)
MEMORY_SLOPE = Metric("memory_bytes_per_second", "growth of memory, bytes per s", least=1024)
LEFT_OPEN = Metric("descriptors_more", "descriptors that were left open", least=1)

SERVERS_PER_POOL = 2  # Where there are many pools.
COLD_SERVERS = 40
PASSWORD = "what a bench says"
TLS = {"options": ("--tls",), "setup": Setup(has_tls=True)}
TLS_OF_SERVERS = {"setup": Setup(has_server_tls=True)}
TLS_OF_BOTH = {"options": ("--tls",), "setup": Setup(has_tls=True, has_server_tls=True)}

KINDS = {
    **{name: Kind(name, (CPU, P99))
       for name in ("simple", "prepared", "parsed", "pipelined", "bulk", "copy-out",
                     "copy-in")},
    **{f"rate-{rate}": Kind("rate", (CPU, P50, P99, P999), options=("--rate", rate))
       for rate in (1000, 10000)},
    # What leaks does so in every round alike.
    "soak": Kind("soak", (MEMORY_MAX, MEMORY_SLOPE, LEFT_OPEN), is_cold=True, seconds=60, rounds=1),
    "simple-late": Kind("simple", (CPU, P99), options=("--service-ms", 0.1)),
    "bulk-short": Kind("bulk", (CPU, P99), options=("--rows", 100_000, "--row-bytes", 100)),
    "bulk-one": Kind("bulk", (CPU, P99), options=("--rows", 2, "--row-bytes", 50_000_000)),
    **{f"{name}-{where}": Kind(name, (CPU, P99), **tls)
       for name in ("simple", "prepared", "bulk")
       for where, tls in (("tls", TLS), ("server-tls", TLS_OF_SERVERS), ("both-tls", TLS_OF_BOTH))},
    "churn": Kind("churn", (LOGINS,)),
    "churn-scram": Kind("churn", (LOGINS,), options=("--password", PASSWORD),
                        setup=Setup(password=PASSWORD)),
    **{name: Kind("churn", (LOGINS,), options=("--password", PASSWORD, "--tls"),
                  setup=Setup(password=PASSWORD, has_tls=True, key=key))
       for name, key in (("churn-tls", "ecdsa"), ("churn-rsa", "rsa"))},
    "storm": Kind("storm", (STORM_P99, LAST_LOGIN, REFUSED)),
    "storm-scram": Kind("storm", (STORM_P99, LAST_LOGIN, REFUSED), setup=Setup(password=PASSWORD),
                        options=("--password", PASSWORD)),
    "cold": Kind("cold", (ALL_SERVE,), is_cold=True, setup=Setup(server_count=COLD_SERVERS),
                 options=("--servers", COLD_SERVERS, "--login-delay-ms", 5, "--service-ms", 1)),
    "fairness": Kind("simple", (JAIN, SPREAD, CPU), options=("--service-ms", 1)),
    "idle": Kind("idle", (MEMORY, IDLE_CPU, WAKEUPS), is_cold=True),
    "idle-prepared": Kind("idle-prepared", (MEMORY, IDLE_CPU, WAKEUPS), is_cold=True),
    "idle-bulk": Kind("idle-bulk", (MEMORY, IDLE_CPU, WAKEUPS), is_cold=True,
                      options=("--rows", 1000)),
    "idle-tls": Kind("idle", (MEMORY, IDLE_CPU, WAKEUPS), is_cold=True, **TLS),
    # Small reads, so that slowness is even; what the kernel's buffers take is not the pooler's.
    "slow-readers": Kind("slow-readers", (THROUGHPUT, GROWTH), is_cold=True,
                         options=("--receive-bytes", 4096)),
    "desertion": Kind("desertion", (LATE_WAIT, WASTED), is_cold=True, options=("--service-ms", 50)),
    "pools": Kind("simple", (CPU, P99), options=("--clients-per-database", SERVERS_PER_POOL),
                  setup=Setup(server_count=SERVERS_PER_POOL, has_many_databases=True)),
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
