#!/usr/bin/env python3
"""The sandwich goes through pgweir with every workload and notices a byte that is wrong; what it
measures is reported."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from comparison import conditions, report  # noqa: E402
from comparison.bench import Bench, Comparison  # noqa: E402
from comparison.conditions import Conditions  # noqa: E402
from comparison.poolers import Pgweir  # noqa: E402
from comparison.workloads import KINDS, Workload  # noqa: E402
from support.ports import free_port  # noqa: E402

BUILD = pathlib.Path(os.environ["PGWEIR_BUILD"])
MARKERS = ("<!-- figures: begin -->", "<!-- figures: end -->")


class Corrupter(threading.Thread):
    """A relay for one client that changes the byte at `at` of what the server says."""

    def __init__(self, server_port, at):
        super().__init__(daemon=True)
        self.server_port, self.at = server_port, at
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        with (self.listener, self.listener.accept()[0] as client,
              socket.create_connection(("127.0.0.1", self.server_port)) as server):
            there = threading.Thread(target=self.pump, args=(client, server))
            there.start()
            self.pump(server, client, self.at)
            there.join()

    @staticmethod
    def pump(source, target, at=None):
        passed = 0
        try:
            while data := bytearray(source.recv(65536)):
                if at is not None and passed <= at < passed + len(data):
                    data[at - passed] ^= 1
                passed += len(data)
                target.sendall(data)
        except OSError:
            pass  # The other side has hung up.


class Passage(threading.Thread):
    """A relay for any number of clients, with a server for each. Nothing comes back while `gate`
    is taken, and every client leaves `litter` behind."""

    def __init__(self, server_port):
        super().__init__(daemon=True)
        self.server_port = server_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.gate = threading.Lock()
        self.litter = None
        self.left = []

    def run(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return  # The test is over.
            if self.litter:
                self.left.append(self.litter())
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with (client, socket.create_connection(("127.0.0.1", self.server_port)) as server):
            there = threading.Thread(target=self.pump, args=(client, server))
            there.start()
            self.pump(server, client)
            there.join()

    def pump(self, source, target):
        try:
            while data := source.recv(65536):
                with self.gate:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The other side has hung up.

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class ScenarioTest(unittest.TestCase):
    def setUp(self):
        self.server_port = free_port()
        self.passage = Passage(self.server_port)
        self.passage.start()
        self.addCleanup(self.passage.close)

    def figures(self, *options):
        done = subprocess.run(
            [BUILD / "pgweir_sandwich", "--pooler-port", str(self.passage.port), "--server-port",
             str(self.server_port), "--pid", str(os.getpid()), *map(str, options)],
            capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    def test_what_falls_due_while_nothing_comes_back_counts(self):
        # Four clients in a closed loop would see four long waits among hundreds of short ones.
        stall = threading.Timer(1.2, self.hold_gate)
        stall.start()
        figures = self.figures("--workload", "rate", "--rate", 200, "--clients", 4,
                               "--warm-up", 0.5, "--seconds", 2)
        stall.join()
        self.assertGreater(figures["latency_p99_us"], 300_000)
        self.assertAlmostEqual(figures["transactions_per_second"], 200, delta=20)

    def hold_gate(self):
        with self.passage.gate:
            threading.Event().wait(0.5)

    def test_a_soak_shows_what_leaks(self):
        self.passage.litter = lambda: (open(os.devnull, "rb"), b"x" * 100_000)
        self.addCleanup(lambda: [one[0].close() for one in self.passage.left])
        figures = self.figures("--workload", "soak", "--clients", 3, "--warm-up", 0.1,
                               "--seconds", 0.6)
        self.assertGreater(figures["descriptors_more"], 5)
        self.assertGreater(figures["memory_bytes_per_second"], 100_000)

    def test_a_soak_shows_no_leak_where_there_is_none(self):
        figures = self.figures("--workload", "soak", "--clients", 3, "--warm-up", 0.1,
                               "--seconds", 0.6)
        self.assertGreater(figures["logins"], 10)
        self.assertLess(figures["descriptors_more"], 5)


class RoundTest(unittest.TestCase):
    def test_a_round_says_how_quiet_it_was_and_finds_all_cpu_time(self):
        busy_host = unittest.mock.patch.object(conditions, "STEAL_MAX", 1)
        with busy_host, Bench(BUILD, seconds=0.3) as bench:
            one, other = (Pgweir(BUILD / "pgweir", name) for name in ("one", "other"))
            runs, seen = bench.round(Workload("simple", 8), one, other)
            accounts = [pooler.account for pooler in bench.poolers.values()]
        self.assertEqual(len(runs), 4)
        self.assertGreater(seen.speed_spread, 0)
        if None in accounts:
            self.skipTest("no cpuacct here, or no right to it")
        self.assertLess(seen.hidden, 0.05)


class SandwichTest(unittest.TestCase):
    def test_every_workload_passes_through_pgweir_byte_by_byte(self):
        with Bench(BUILD, seconds=0.3) as bench:
            pgweir = Pgweir(BUILD / "pgweir")
            for name, kind in KINDS.items():
                with self.subTest(name):
                    figures = bench.run(Workload(name, 40), pgweir, "--rows", 50,
                                        "--row-bytes", 1000, "--warm-up", 0.2)
                    for metric in kind.metrics:
                        self.assertGreaterEqual(figures[metric.name], 0, metric.title)
                    self.assertGreater(figures[kind.metrics[0].name], 0)

    def test_a_wrong_byte_is_noticed(self):
        server_port = free_port()
        relay = Corrupter(server_port, at=5000)
        relay.start()
        done = subprocess.run(
            [BUILD / "pgweir_sandwich", "--pooler-port", str(relay.port), "--server-port",
             str(server_port), "--clients", "1", "--seconds", "5"],
            capture_output=True, text=True, timeout=30, check=False)
        relay.join(10)
        self.assertEqual(done.returncode, 1)
        self.assertIn("client 0 heard another answer than is due", done.stderr)


class ReportTest(unittest.TestCase):
    def test_each_metric_has_a_row_that_says_what_is_better(self):
        fairness = Comparison(Workload("fairness", 10), "pgweir", "other")
        for _ in range(3):
            fairness.add_round([{"jain": 1, "p99_by_p50": 1, "cpu_us_per_transaction": cpu}
                                for cpu in (10, 20, 20, 10)],
                               Conditions(others=0.2, other="compiler", attempts=2))
        lost = Comparison(Workload("cold", 10), "pgweir", "other", problem="it did not end")
        with tempfile.TemporaryDirectory() as directory:
            report.write(pathlib.Path(directory), [fairness, lost], {"pgweir": "1"}, "compare")
            numbers = json.loads((pathlib.Path(directory) / "comparison.json").read_text())
            table = (pathlib.Path(directory) / "comparison.md").read_text()
            picture = (pathlib.Path(directory) / "comparison.svg").read_text()
        self.assertIn("| Jain index | higher | 1.000 |", table)
        self.assertIn("| CPU per transaction, µs | lower | 0.500 | 0.500–0.500 | 10.0 | 20.0 | "
                      "3 of 3 |", table)
        self.assertIn("| cold/10 | other | – | | | | it did not end | | |", table)
        self.assertIn("3 of 3 rounds were disturbed: 3 rounds were repeated because of steal; "
                      "other processes took up to 20.0% of a CPU (most of it compiler);", table)
        self.assertEqual(numbers["results"][0]["conditions"][2]["others"], 0.2)
        self.assertEqual(picture.count("<circle"), 3)

    def test_a_command_is_shown_without_the_places_of_this_machine(self):
        self.assertEqual(report.without_places("bench/compare --peer one=/usr/sbin/one "
                                               "--peer two=build/two --output /srv/figures"),
                         "bench/compare --peer one=…/one --peer two=build/two --output …/figures")

    def test_a_page_gets_the_new_figures_for_the_old(self):
        with tempfile.TemporaryDirectory() as directory:
            page = pathlib.Path(directory) / "page.md"
            page.write_text(f"before\n{MARKERS[0]}\n\nold\n\n{MARKERS[1]}\nafter\n")
            for name in ("one", "two"):
                (pathlib.Path(directory) / name).mkdir()
                (pathlib.Path(directory) / name / "comparison.md").write_text(f"{name}\n")
            publish = [HERE / "publish", page, page.parent / "one", page.parent / "two"]
            subprocess.run(publish, check=True)
            self.assertEqual(page.read_text(), f"before\n{MARKERS[0]}\n\none\n\ntwo\n\n"
                                               f"{MARKERS[1]}\nafter\n")
            page.write_text("no place for them\n")
            refused = subprocess.run(publish, capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("has no <!-- figures", refused.stderr)

    def test_the_page_has_a_place_for_figures(self):
        page = (HERE.parent / "docs/benchmarks.md").read_text()
        for marker in MARKERS:
            self.assertEqual(page.count(marker), 1)

    def test_the_page_says_what_each_workload_is(self):
        page = (HERE.parent / "docs/benchmarks.md").read_text()
        for name in KINDS:
            self.assertIn(f"`{name}`", page)

    def test_what_the_instrument_cannot_tell_is_a_tie(self):
        storm = Comparison(Workload("storm", 10), "pgweir", "other")
        storm.add_round([{"storm_p99_us": 1, "last_login_ms": 1, "refused": refused}
                         for refused in (0, 1, 0, 0)])
        self.assertEqual(storm.ratios["refused"], [1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
