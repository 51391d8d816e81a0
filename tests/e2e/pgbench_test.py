"""pgbench through pgweir, in each of its three protocols."""

import re

from support.case import PgweirTest
from support.clients import pgbench, pgbench_sums

CLIENTS = 40  # Twice what the server has.


class PgbenchTest(PgweirTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pgbench(cls.pgweir.url(), "-i", "-q", "-s", "2")

    def bench(self, *arguments, clients=CLIENTS, transactions=50):
        output = pgbench(self.pgweir.url(), "-n", "-c", str(clients), "-j", "2", "-t",
                         str(transactions), *arguments)
        done = int(re.search(r"actually processed: (\d+)/", output)[1])
        self.assertEqual(done, clients * transactions, output)
        self.assertRegex(output, r"failed transactions: 0 ")

    def assert_books_balance(self):
        sums = pgbench_sums(self.server)
        self.assertEqual(len(set(sums)), 1, f"a transaction was lost or done twice: {sums}")

    def test_simple(self):
        self.bench("-M", "simple")
        self.assert_books_balance()

    def test_extended(self):
        self.bench("-M", "extended")
        self.assert_books_balance()

    def test_prepared(self):
        self.bench("-M", "prepared")
        self.assert_books_balance()

    def test_select_only_in_each_protocol(self):
        for mode in ("simple", "extended", "prepared"):
            with self.subTest(mode):
                self.bench("-S", "-M", mode, transactions=200)

    def test_a_new_connection_for_every_transaction(self):
        for mode in ("simple", "extended", "prepared"):
            with self.subTest(mode):
                self.bench("-C", "-S", "-M", mode, clients=20, transactions=20)

    def test_pipelines(self):
        script = self.pgweir.directory / "pipeline.sql"
        script.write_text("\\startpipeline\n" + "select 1;\n" * 20 + "\\endpipeline\n")
        self.bench("-M", "extended", "-f", str(script))
        self.bench("-M", "prepared", "-f", str(script))
