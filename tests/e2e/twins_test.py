"""The same words through pgweir and directly, and every byte of the answers compared.

    PGWEIR_TWINS_SEEDS=1000-1999 tests/e2e/run twins_test.py     other conversations, or more
"""

import os
import time
import unittest

from support.conversation import SCHEMA, make_conversation
from support.pgweir import Pgweir
from support.postgres import Postgres
from support.twins import compare, shorten
from support.wire import Wire

FIRST, _, LAST = os.environ.get("PGWEIR_TWINS_SEEDS", "1-40").partition("-")
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)
SHORTENING_SECONDS = 60


class TwinsTest(unittest.TestCase):
    """Each twin has a PostgreSQL of its own, since they would see each other's rows in one."""

    @classmethod
    def setUpClass(cls):
        cls.servers = [cls.enterClassContext(Postgres(hba=["host all all 127.0.0.1/32 trust"]))
                       for _ in range(2)]
        for server in cls.servers:
            with server.connect() as connection:
                for statement in SCHEMA:
                    connection.execute(statement)

    # Somebody else through pgweir says this first.
    said_before = None

    def difference(self, startups, turns, settings):
        direct, pooled = self.servers
        config = f"""
            auth_type = "any"
            {settings}
            [databases.app]
            url = "{pooled.url()}"
            """
        with Pgweir(config=config) as pgweir:
            if self.said_before:
                with Wire(pgweir.port) as other:
                    other.log_in()
                    other.ask(self.said_before)
            return compare([direct.port, pgweir.port], startups, turns)

    def assert_no_difference(self, settings):
        for seed in SEEDS:
            startups, turns = make_conversation(seed)
            if self.difference(startups, turns, settings):
                self.fail(self.story(seed, startups, turns, settings))

    def story(self, seed, startups, turns, settings):
        deadline = time.monotonic() + SHORTENING_SECONDS

        def still_differs(shorter):
            return time.monotonic() < deadline and self.difference(startups, shorter, settings)

        turns = shorten(turns, still_differs)
        difference = self.difference(startups, turns, settings)
        lines = [f"seed {seed}, clients brought along {startups}"]
        lines += [f"client {turn.client}{' slowly' if turn.is_slow else ''}: {turn.messages}"
                  for turn in turns]
        if difference:
            lines += [f"PostgreSQL answers: {difference.direct}",
                      f"pgweir answers:     {difference.through_pgweir}"]
        name = self.id().rsplit(".", 1)[1]
        lines.append("To repeat it: "
                     f"PGWEIR_TWINS_SEEDS={seed} tests/e2e/run twins_test.py -k {name}")
        return "\n".join(lines)

    def test_answers_are_postgresqls_own(self):
        self.assert_no_difference("")

    def test_answers_are_the_same_with_hardly_any_room_for_statements(self):
        self.assert_no_difference("max_prepared_statements = 2")

    def test_answers_are_the_same_where_sequences_are_cleaned_for_everybody(self):
        self.said_before = "select lastval()"
        self.assert_no_difference("")
