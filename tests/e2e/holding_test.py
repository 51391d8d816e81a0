"""Clients that stop half-way, or do not read: they hold no server that somebody else waits for.

Each test plays several of them against a pool of two, and then demands an answer for a client that
does nothing wrong.
"""

import json
import time
from pathlib import Path

from support import processes
from support.case import PgweirTest, value
from support.pgweir import Pgweir
from support.wire import (
    FLUSH, SYNC, Wire, bind, execute, kinds, message, parse, query, sqlstate)


class HoldingTest(PgweirTest):
    settings = {"default_pool_size": 2, "query_wait_timeout": "3s"}

    @classmethod
    def make_pgweir(cls):
        settings = "".join(f"{name} = {json.dumps(each)}\n" for name, each in cls.settings.items())
        return Pgweir(config=f"""
            auth_type = "any"
            {settings}
            [databases.app]
            url = "{cls.server.url()}"
            """)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            connection.execute("create table numbers (i int)")

    def log_in(self):
        client = Wire(self.pgweir.port)
        self.addCleanup(client.socket.close)
        client.log_in()
        return client

    def assert_all_is_well(self):
        """Two at a time are answered, and nobody is refused."""
        others = [self.log_in() for _ in range(2)]
        for other in others:
            other.send(query("begin"))
        for other in others:
            self.assertEqual(kinds(other.read_until(b"Z")), "CZ")
        for other in others:
            self.assertEqual(kinds(other.ask("commit")), "CZ")

    def in_use(self):
        return self.pgweir.health()["pool"]["inUse"]


class PartialMessageTest(HoldingTest):
    def test_the_beginning_of_a_message_holds_nothing(self):
        for beginning in (query("select 1"), parse("select 1"), bind(), execute(),
                          message(b"D", b"S\0"), message(b"C", b"S\0"), message(b"F", bytes(14))):
            for bytes_sent in (5, len(beginning) - 1):
                with self.subTest(kind=beginning[:1], bytes_sent=bytes_sent):
                    for _ in range(2):
                        self.log_in().send(beginning[:bytes_sent])
                    self.assert_all_is_well()

    def test_what_was_begun_is_answered_once_it_is_whole(self):
        slow = self.log_in()
        text = query("select 1")
        slow.send(text[:5])
        self.assert_all_is_well()
        slow.send(text[5:])
        self.assertEqual(kinds(slow.read_until(b"Z")), "TDCZ")

    def test_one_that_ends_in_a_message_that_passes_already_costs_little(self):
        for _ in range(2):
            half = self.log_in()
            half.send(query("select 1" + " " * 300_000)[:100_000])
            half.socket.close()
        self.assert_all_is_well()


class LateCopyTest(HoldingTest):
    def refused_copy(self):
        client = self.log_in()
        client.send(query("copy numbers from stdin"))
        client.read_until(b"G")
        client.send(message(b"d", b"not a number\n"))
        answers = client.read_until(b"Z")
        self.assertEqual(kinds(answers), "EZ")
        self.assertEqual(sqlstate(answers[0][1]), "22P02")
        return client

    def test_data_after_the_copy_has_failed_holds_nothing(self):
        clients = [self.refused_copy() for _ in range(2)]
        for client in clients:
            client.send(message(b"d", b"1\n") + message(b"d", b"2\n"))
        self.assert_all_is_well()
        for client in clients:
            client.send(message(b"c") + query("select 1"))
            self.assertEqual(kinds(client.read_until(b"Z")), "TDCZ")

    def test_a_large_copy_that_fails_early_is_swallowed_to_its_end(self):
        clients = [self.log_in() for _ in range(2)]
        for client in clients:
            client.send(query("copy numbers from stdin"))
            client.read_until(b"G")
        for client in clients:
            client.send(message(b"d", b"not a number\n"))
            for _ in range(50):
                client.send(message(b"d", b"1\n" * 20_000))
            client.send(message(b"c"))
            self.assertEqual(kinds(client.read_until(b"Z")), "EZ")
        self.assert_all_is_well()
        self.assertEqual(value(self.direct(), "select count(*) from numbers"), 0)

    def test_data_cut_in_the_middle_when_the_copy_fails(self):
        client = self.log_in()
        client.send(query("copy numbers from stdin"))
        client.read_until(b"G")
        client.send(message(b"d", b"not a number\n") + message(b"d", b"1\n" * 1000)[:1000])
        # PostgreSQL reads on to the end of the message before it says anything else.
        self.assertEqual(kinds(client.read_until(b"Z")), "EZ")
        client.send(message(b"d", b"1\n" * 1000)[1000:] + message(b"c"))
        processes.wait_until(lambda: self.in_use() == 0, 5, "the server is back")
        self.assertEqual(kinds(client.ask("select 1")), "TDCZ")
        self.assert_all_is_well()


class LongReportTest(HoldingTest):
    TEXT = "repeat('x', 2000000)"

    def test_a_notice_of_two_megabytes_passes(self):
        answers = self.log_in().ask(f"do $$begin raise notice '%', {self.TEXT}; end$$")
        self.assertEqual(kinds(answers), "NCZ")
        self.assertIn(b"x" * 2_000_000, answers[0][1])

    def test_an_error_of_two_megabytes_passes_and_its_session_goes_on(self):
        client = self.log_in()
        answers = client.ask(f"do $$begin raise exception '%', {self.TEXT}; end$$")
        self.assertEqual(kinds(answers), "EZ")
        self.assertEqual(sqlstate(answers[0][1]), "P0001")
        self.assertIn(b"x" * 2_000_000, answers[0][1])
        self.assertEqual(kinds(client.ask("select 1")), "TDCZ")


class NeverReadingTest(HoldingTest):
    settings = {"default_pool_size": 2, "query_wait_timeout": "10s",
                "idle_transaction_timeout": "1s"}
    MEGABYTES_MAX = 12

    def resident_megabytes(self):
        status = Path(f"/proc/{self.pgweir.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def assert_memory_is_bounded_and_others_are_served(self, text):
        before = self.resident_megabytes()
        for _ in range(4):
            self.log_in().send(text)
        time.sleep(1)  # What is held for them is held by now.
        self.assert_all_is_well()
        self.assertLess(self.resident_megabytes() - before, self.MEGABYTES_MAX)

    def test_one_long_answer(self):
        self.assert_memory_is_bounded_and_others_are_served(
            query("select repeat('x', 7000) from generate_series(1, 100000)"))

    def test_many_answers(self):
        self.assert_memory_is_bounded_and_others_are_served(
            query("select repeat('x', 30000)") * 1500)

    def test_all_of_a_long_answer_is_there_once_it_is_read(self):
        client = self.log_in()
        client.send(query("select repeat('x', 7000) from generate_series(1, 5000)"))
        time.sleep(1)
        self.assertEqual(kinds(client.read_until(b"Z")), "T" + "D" * 5000 + "CZ")


class IdleBatchTest(HoldingTest):
    """Parse and Flush, no Sync: PostgreSQL is in an implicit transaction."""

    settings = {"default_pool_size": 2, "query_wait_timeout": "10s",
                "idle_transaction_timeout": "1s"}

    def hold(self):
        holders = [self.log_in() for _ in range(2)]
        for holder in holders:
            holder.send(parse("select 1") + FLUSH)
            self.assertEqual(holder.read()[0], b"1")
        return holders

    def test_it_is_ended_when_somebody_waits(self):
        holders = self.hold()
        self.assert_all_is_well()
        for holder in holders:
            kind, body = holder.read()
            self.assertEqual((kind, sqlstate(body)), (b"E", "25P03"))
            self.assertTrue(holder.is_closed())

    def test_it_may_stay_while_nobody_waits(self):
        holders = self.hold()
        time.sleep(2.5)
        for holder in holders:
            holder.send(bind() + execute() + SYNC)
            self.assertEqual(kinds(holder.read_until(b"Z")), "2DCZ")


class PoisonTest(HoldingTest):
    """Somebody drops what pgweir has prepared on a server, behind its back."""

    settings = {"default_pool_size": 1, "query_wait_timeout": "3s"}
    RUN = bind(name=b"s") + execute() + SYNC

    def prepare(self, sql):
        client = self.log_in()
        client.send(parse(sql, name=b"s") + self.RUN)
        self.assertEqual(kinds(client.read_until(b"Z")), "12DCZ")
        return client

    def run_again(self, client):
        client.send(self.RUN)
        return kinds(client.read_until(b"Z"))

    def poison(self, dropping):
        with Wire(self.pgweir.port) as poisoner:
            poisoner.log_in()
            self.assertEqual(kinds(poisoner.ask(dropping))[-2:], "CZ")

    def owner_hears(self, owner):
        owner.send(self.RUN)
        answers = owner.read_until(b"Z")
        if kinds(answers) != "2DCZ":  # The server was cleaned up meanwhile.
            self.assertEqual(kinds(answers), "EZ")
            self.assertEqual(sqlstate(answers[0][1]), "26000")

    def assert_healed(self, owner, sql):
        """Its owner hears of it once at most; whoever comes then is served, old or new."""
        self.owner_hears(owner)
        self.assertEqual(self.run_again(owner), "2DCZ")
        self.prepare(sql)
        self.assertEqual(self.run_again(owner), "2DCZ")

    def test_by_its_name(self):
        owner = self.prepare("select 11 as a")
        answers = self.log_in().ask("select name from pg_prepared_statements "
                                    "where statement = 'select 11 as a'")
        name = answers[1][1][6:].decode()
        self.assertTrue(name.startswith("pgweir_"), name)
        self.poison(f"deallocate {name}")
        self.assert_healed(owner, "select 11 as a")

    def test_from_inside_of_a_function(self):
        self.direct().execute("create function forget() returns void language plpgsql as "
                              "$$begin execute 'deallocate all'; end$$")
        owner = self.prepare("select 22 as b")
        self.poison("select forget()")
        self.assert_healed(owner, "select 22 as b")
