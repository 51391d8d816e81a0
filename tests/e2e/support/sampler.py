"""Counts the connections of role `app` every 10 ms, past pgweir, in a process of its own.

    sampler.py URL      until its stdin ends; then one line of JSON

Where it may (as root), it and the backend that it asks go ahead of the load that they watch.
"""

import json
import os
import select
import sys
import time

import psycopg

INTERVAL_S = 0.01
# The view's joins, which nothing here needs, are left out by the planner.
COUNT = b"select count(*) from pg_stat_activity where usesysid = 'app'::regrole"


class Sampler:
    def __init__(self, url):
        self.url = url
        self.connection = None
        self.samples = self.most = 0
        self.last = time.monotonic()
        self.longest_gap_s = 0

    def run(self):
        due = time.monotonic()
        while not select.select([sys.stdin], [], [], max(0, due - time.monotonic()))[0]:
            due = max(due + INTERVAL_S, time.monotonic())
            try:
                self.take()
            except psycopg.OperationalError:  # The server restarts.
                self.connection = None
        print(json.dumps({"samples": self.samples, "most": self.most,
                          "longest_gap_s": round(self.longest_gap_s, 3)}))

    def take(self):
        if self.connection is None:
            self.connection = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
            self.connection.pgconn.prepare(b"", COUNT)
            go_ahead(self.connection.info.backend_pid)
        answer = self.connection.pgconn.exec_prepared(b"", [])
        if answer.status != psycopg.pq.ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(answer.error_message.decode())
        now = time.monotonic()
        self.longest_gap_s = max(self.longest_gap_s, now - self.last)
        self.last = now
        self.most = max(self.most, int(answer.get_value(0, 0)))
        self.samples += 1


def go_ahead(pid):
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -15)
    except PermissionError:
        pass


if __name__ == "__main__":
    go_ahead(0)
    Sampler(sys.argv[1]).run()
