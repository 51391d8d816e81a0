"""What /metrics tells: in Prometheus's text format, and true."""

import math
import re

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.pgweir import Pgweir

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*,?)?\}})? (\S+)")
HOSTILE = 'we"ird\\ \n{name}'


def unescape(text):
    return re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), text)


class Exposition:
    """A text in format 0.0.4, held against its rules."""

    def __init__(self, text):
        assert text.endswith("\n")
        self.types, self.helps, self.samples = {}, {}, {}
        family = None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                family, self.helps[family] = self.begin(line, self.helps)
            elif line.startswith("# TYPE "):
                name, self.types[name] = self.begin(line, self.types)
                assert name == family or name not in self.helps, line
                family = name
            elif line and not line.startswith("#"):
                self.add_sample(line, family)
        for name, kind in self.types.items():
            assert name in self.helps, name
            if kind == "histogram":
                self.check_histogram(name)

    @staticmethod
    def begin(line, seen):
        name, _, rest = line[7:].partition(" ")
        assert re.fullmatch(NAME, name) and name not in seen, line
        return name, rest

    def add_sample(self, line, family):
        match = SAMPLE.fullmatch(line)
        assert match, line
        kind = self.types[family]
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        assert match[1] in [family + end for end in ends], line
        assert kind != "counter" or family.endswith("_total"), line
        labels = {name: unescape(text) for name, text in re.findall(LABEL, match[2] or "")}
        key = (match[1], frozenset(labels.items()))
        assert key not in self.samples, line
        self.samples[key] = float(match[match.lastindex])

    def check_histogram(self, name):
        series = {}
        for (sample, labels), number in self.samples.items():
            if sample == name + "_bucket":
                labels = dict(labels)
                bound = float(labels.pop("le"))
                series.setdefault(frozenset(labels.items()), []).append((bound, number))
        assert series, name
        for labels, buckets in series.items():
            counts = [count for _, count in sorted(buckets)]
            assert counts == sorted(counts), name
            assert max(buckets)[0] == math.inf, name
            assert counts[-1] == self.samples[(name + "_count", labels)], name

    def get(self, name, **labels):
        return self.samples.get((name, frozenset(labels.items())))


class MetricsTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            max_user_client_connections = 5
            query_wait_timeout = "300ms"
            connection_limit = 2
            [databases.app]
            url = "{cls.server.url()}"
            pool_size = 1
            [databases.other]
            url = "{cls.server.url()}"
            [users."we\\"ird\\\\ \\n{{name}}"]
            password = "secret"
            """)

    def scrape(self):
        status, text = self.pgweir.http("/metrics")
        self.assertEqual(status, 200)
        return Exposition(text)

    def until(self, expected, name, **labels):
        processes.wait_until(lambda: self.scrape().get(name, **labels) == expected, 5,
                             f"{name}{labels} is {expected}")

    def test_everything_that_is_promised_is_there_and_true(self):
        before = self.scrape()
        refused = before.get("pgweir_client_error_total", sqlstate="53300") or 0
        holder, waiter = self.connect(), self.connect()
        holder.execute("begin")
        self.until(2, "pgweir_clients", pool="app/app")
        self.until(1, "pgweir_servers", pool="app/app", state="leased")
        with self.assertRaises(psycopg.errors.TooManyConnections):
            waiter.execute("select 1")
        holder.execute("commit")
        self.until(1, "pgweir_servers", pool="app/app", state="idle")
        after = self.scrape()
        for name in ("clients", "waiting", "servers"):
            self.assertEqual(after.types["pgweir_" + name], "gauge")
        for name in ("wait_seconds", "hold_seconds"):
            self.assertEqual(after.types["pgweir_" + name], "histogram")
            self.assertGreaterEqual(after.get(f"pgweir_{name}_count", pool="app/app"), 1)
        self.assertGreaterEqual(after.get("pgweir_client_logged_in_total"), 2)
        self.assertEqual(after.get("pgweir_client_error_total", sqlstate="53300"), refused + 1)
        self.assertEqual(after.get("pgweir_waiting", pool="app/app"), 0)

    def test_refused_logins_are_counted_by_reason_and_by_code(self):
        for wrong in ({"password": "wrong"}, {"database": "nonsense"}):
            with self.assertRaises(psycopg.OperationalError):
                self.pgweir.connect(**wrong)
        shown = self.scrape()
        self.assertGreaterEqual(shown.get("pgweir_login_refused_total", reason="authentication"), 1)
        self.assertGreaterEqual(shown.get("pgweir_login_refused_total", reason="database"), 1)
        self.assertGreaterEqual(shown.get("pgweir_client_error_total", sqlstate="28P01"), 1)
        self.assertGreaterEqual(shown.get("pgweir_client_error_total", sqlstate="3D000"), 1)

    def test_errors_of_the_server_are_counted_by_code(self):
        with self.assertRaises(psycopg.errors.DivisionByZero):
            self.connect().execute("select 1/0")
        self.assertEqual(self.scrape().get("pgweir_server_error_total", sqlstate="22012"), 1)

    def test_numbers_follow_although_no_server_is_there(self):
        connections = [self.connect(database="other") for _ in range(3)]
        self.until(3, "pgweir_clients", pool="other/app")
        for connection in connections:
            connection.close()
        self.until(0, "pgweir_clients", pool="other/app")

    def test_a_hostile_name_stays_inside_its_label(self):
        connection = psycopg.connect(
            host="127.0.0.1", port=self.pgweir.port, user=HOSTILE, password="secret",
            dbname="other", sslmode="disable")
        self.addCleanup(connection.close)
        self.assertEqual(value(connection, "select 1"), 1)
        self.until(1, "pgweir_clients", pool="other/" + HOSTILE)
