"""The promise: 2,000 clients with mixed work on a server with 20 slots, and nobody is refused.

Watched from outside while the load runs: pg_stat_activity every 10 ms, the server's log, and how
evenly the clients were served. Then the same while servers are killed and PostgreSQL restarts.

Served evenly: within each class of load the client with the fewest turns has at least half of the
median. A turn is an operation that ended, well or not: whoever is struck while it has a server has
had its turn, and pgweir cannot give it another one. Without the storm no operation may fail, so
that turns are answers.
"""

import json
import os
import subprocess
import sys
import time

from support import processes
from support.case import PgweirTest, value
from support.pgweir import ROOT

LOAD_BINARY = os.environ.get("PGWEIR_LOAD_BINARY", str(ROOT / "build/release/pgweir_load"))
CLIENTS = int(os.environ.get("PGWEIR_PROMISE_CLIENTS", "2000"))
SECONDS = int(os.environ.get("PGWEIR_PROMISE_SECONDS", "30"))
SAMPLES_PER_S_MIN = 2000 / 30  # Of the 100 that are asked for; a restart of the server costs some.
# What a client may be told when its server was taken away under a running statement.
BROKEN = {"57P01", "57P02", "57P03", "08006", "08003"}


class Load:
    """pgweir_load as a process; `report` is there after `finish`."""

    def __init__(self, url):
        self.process = subprocess.Popen(
            [LOAD_BINARY, "--clients", str(CLIENTS), "--seconds", str(SECONDS), url],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_until_begun(self):
        if self.process.stderr.readline() != "begun\n":
            raise AssertionError(f"the load did not begin: {self.process.communicate()}")

    def finish(self):
        output, errors = self.process.communicate(timeout=SECONDS + 120)
        if self.process.returncode != 0:
            raise AssertionError(f"the load ended with {self.process.returncode}: {errors}")
        return json.loads(output)


class Watcher:
    """Counts pgweir's connections every 10 ms, past pgweir, until it is stopped."""

    def __init__(self, server):
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/e2e/support/sampler.py", server.superuser_url()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        """The most connections that were seen, how many samples a second, and the longest gap."""
        seen = json.loads(self.process.communicate("", timeout=30)[0])
        rate = seen["samples"] / (time.monotonic() - self.begun)
        return seen["most"], rate, seen["longest_gap_s"]


class PromiseTest(PgweirTest):
    server_options = {"max_connections": 20, "settings": {"log_connections": "off"}}
    # How long 2,000 wait for 13 is the machine's business; a turn for each is what is promised.
    url_parameters = {"pool_timeout": 60}

    def setUp(self):
        with self.server.connect() as connection:
            connection.execute("drop table if exists load_counters, load_sink")
            # Logged, since commits have to survive the restart.
            connection.execute("create table load_counters (id int primary key, n int)")
            connection.execute("insert into load_counters select g, 0 from "
                               "generate_series(0, %s) g", (CLIENTS,))
            connection.execute("create unlogged table load_sink (token text, line int)")
        self.log_start = len(self.server.log())
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "it has looked")
        self.limit = self.pgweir.health()["pool"]["limit"]

    def run_load(self, disturb=None):
        watcher = Watcher(self.server)
        load = Load(self.pgweir.url())
        try:
            load.wait_until_begun()
            if disturb:
                disturb()
            report = load.finish()
        finally:
            load.process.kill()
            most, samples_per_s, longest_gap_s = watcher.stop()
        print(json.dumps(report["classes"]), json.dumps(report["errors"]),
              f"most connections: {most}; {samples_per_s:.0f} samples a second, the longest gap "
              f"{longest_gap_s} s", flush=True)
        self.assertGreater(samples_per_s, SAMPLES_PER_S_MIN, "the watcher slept")
        self.assertLessEqual(most, self.limit)
        return report

    def assert_served_evenly(self, report):
        for name, counts in report["classes"].items():
            with self.subTest(name):
                self.assertGreater(counts["slowest"], 0)
                self.assertGreaterEqual(counts["least_turns"], counts["median_turns"] / 2)

    def assert_server_was_never_full(self):
        log = self.server.log()[self.log_start:]
        self.assertNotIn("too many", log)
        self.assertNotIn("remaining connection slots", log)

    def count_updates(self):
        with self.server.connect() as connection:
            return value(connection, "select sum(n) from load_counters")

    def test_2000_clients_on_20_slots_see_no_error(self):
        self.assertLess(self.limit, 20)
        report = self.run_load()
        self.assertEqual(report["errors"], [])
        self.assertEqual(report["stuck"], 0)
        self.assert_served_evenly(report)
        self.assert_server_was_never_full()
        self.assertEqual(self.count_updates(), report["commits"], "a commit was lost or done twice")

    def test_killed_servers_and_a_restart_cost_only_what_was_running(self):
        killed = []

        def storm_and_restart():
            begun = time.monotonic()
            while time.monotonic() < begun + SECONDS / 3:
                with self.server.superuser() as eye:
                    killed.append(value(eye, "select count(pg_terminate_backend(pid)) from "
                                             "pg_stat_activity where usename = 'app'"))
                time.sleep(1)
            self.server.restart("immediate")
            killed.append(self.limit)
            self.restarted_at = time.monotonic() - begun

        report = self.run_load(storm_and_restart)
        errors = report["errors"]
        self.assertEqual(report["stuck"], 0)
        self.assertEqual([error for error in errors if error["sqlstate"] not in BROKEN], [])
        self.assertLessEqual(sum(error["count"] for error in errors), sum(killed))
        for error in errors:
            self.assertLess(error["last_at_s"], self.restarted_at + 5, "it did not recover")
        self.assert_served_evenly(report)
        self.assert_server_was_never_full()
        self.assertGreaterEqual(self.count_updates(), report["commits"], "a commit was lost")
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 10, "health recovers")
