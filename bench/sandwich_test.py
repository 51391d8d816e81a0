#!/usr/bin/env python3
"""The sandwich goes through pgweir with every workload and notices a byte that is wrong; what it
measures is reported."""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from comparison import report  # noqa: E402
from comparison.bench import Bench, Comparison, free_ports  # noqa: E402
from comparison.poolers import Pgweir  # noqa: E402
from comparison.workloads import KINDS, Workload  # noqa: E402

BUILD = pathlib.Path(os.environ["PGWEIR_BUILD"])


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


class SandwichTest(unittest.TestCase):
    def test_every_workload_passes_through_pgweir_byte_by_byte(self):
        with Bench(BUILD, seconds=0.3) as bench:
            pgweir = Pgweir(BUILD / "pgweir")
            for name, kind in KINDS.items():
                with self.subTest(name):
                    figures = bench.run(Workload(name, 40), pgweir, "--rows", 50, "--warm-up", 0.2)
                    for metric in kind.metrics:
                        self.assertGreaterEqual(figures[metric.name], 0, metric.title)
                    self.assertGreater(figures[kind.metrics[0].name], 0)

    def test_a_wrong_byte_is_noticed(self):
        (server_port,) = free_ports(1)
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
                                for cpu in (10, 20, 20, 10)])
        lost = Comparison(Workload("cold", 10), "pgweir", "other", problem="it did not end")
        with tempfile.TemporaryDirectory() as directory:
            report.write(pathlib.Path(directory), [fairness, lost], {"pgweir": "1"}, "compare")
            table = (pathlib.Path(directory) / "comparison.md").read_text()
            picture = (pathlib.Path(directory) / "comparison.svg").read_text()
        self.assertIn("| Jain index | higher | 1.000 |", table)
        self.assertIn("| CPU per transaction, µs | lower | 0.500 | 0.500–0.500 | 10.0 | 20.0 |",
                      table)
        self.assertIn("| cold/10 | other | – | | | | it did not end | |", table)
        self.assertEqual(picture.count("<circle"), 3)

    def test_what_the_instrument_cannot_tell_is_a_tie(self):
        storm = Comparison(Workload("storm", 10), "pgweir", "other")
        storm.add_round([{"storm_p99_us": 1, "last_login_ms": 1, "refused": refused}
                         for refused in (0, 1, 0, 0)])
        self.assertEqual(storm.ratios["refused"], [1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
