"""Several data reactors: pgbench in each protocol over pools that they share, cancels, and the one
limit that they have together."""

import pathlib
import re
import threading
import time

import psycopg

from support.case import PgweirTest, value
from support.clients import pgbench, pgbench_sums
from support.pgweir import Pgweir

REACTORS = 3
LIMIT = 13  # A pool of it is spread over all of them.
CLIENTS = 40


class ReactorsTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            data_reactors = {REACTORS}
            connection_limit = {LIMIT}
            [databases.app]
            url = "{cls.server.url()}"
            """)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pgbench(cls.pgweir.url(), "-i", "-q", "-s", "2")

    def threads(self):
        tasks = pathlib.Path(f"/proc/{self.pgweir.process.pid}/task")
        names = [path.read_text().strip() for path in tasks.glob("*/comm")]
        return sorted(name for name in names if name.startswith("pgweir-data"))

    def most_backends(self, stop):
        most = 0
        with self.superuser() as watcher:
            while not stop.is_set():
                most = max(most, value(watcher, "select count(*) from pg_stat_activity "
                                                "where usename = 'app'"))
                time.sleep(0.02)
        self.most = most

    def bench(self, *arguments):
        output = pgbench(self.pgweir.url(), "-n", "-c", str(CLIENTS), "-j", "2", "-t", "50",
                         *arguments)
        done = int(re.search(r"actually processed: (\d+)/", output)[1])
        self.assertEqual(done, CLIENTS * 50, output)
        self.assertRegex(output, r"failed transactions: 0 ")

    def test_there_are_as_many_as_are_configured(self):
        self.assertEqual(self.threads(), ["pgweir-data", "pgweir-data-2", "pgweir-data-3"])

    def test_one_limit_holds_for_all_and_servers_go_where_somebody_waits(self):
        stop = threading.Event()
        watching = threading.Thread(target=self.most_backends, args=(stop,))
        watching.start()
        try:
            for mode in ("simple", "extended", "prepared"):
                self.bench("-M", mode)
                self.bench("-S", "-M", mode)
        finally:
            stop.set()
            watching.join()
        self.assertLessEqual(self.most, LIMIT)
        self.assertGreater(self.pgweir.metric("pgweir_server_moved_total"), 0)
        sums = pgbench_sums(self.server)
        self.assertEqual(len(set(sums)), 1, f"a transaction was lost or done twice: {sums}")

    def test_a_cancel_finds_its_client_on_each_of_them(self):
        clients = [self.connect() for _ in range(2 * REACTORS)]
        for client in clients:
            cancel = threading.Timer(0.2, client.cancel)
            cancel.start()
            with self.assertRaises(psycopg.errors.QueryCanceled):
                client.execute("select pg_sleep(30)")
            cancel.join()
        for client in clients:
            self.assertEqual(value(client, "select 1"), 1)

    def test_settings_follow_a_client_whichever_server_it_gets(self):
        clients = [self.connect(autocommit=True) for _ in range(3 * LIMIT)]
        for number, client in enumerate(clients):
            client.execute(f"set work_mem = {1100 + number}")
        for _ in range(3):
            for number, client in enumerate(clients):
                self.assertEqual(value(client, "show work_mem"), f"{1100 + number}kB")

    def change_and_run(self, client, stop, odd):
        """Runs a statement whose result changes meanwhile; notes what PostgreSQL would not say."""
        while not stop.is_set():
            try:
                client.execute("select * from changing", prepare=True)
            except psycopg.errors.FeatureNotSupported:
                pass  # "cached plan must not change result type"
            except psycopg.Error as error:
                odd.append(f"{error.sqlstate} {error}")
                return

    def test_a_statement_whose_result_changes_keeps_its_name_to_itself(self):
        stop, odd = threading.Event(), []
        with self.server.connect() as owner:
            owner.autocommit = True
            owner.execute("create table changing (a0 int)")
            clients = [self.connect(autocommit=True) for _ in range(2 * LIMIT)]
            threads = [threading.Thread(target=self.change_and_run, args=(client, stop, odd))
                       for client in clients]
            for thread in threads:
                thread.start()
            try:
                for number in range(1, 8):
                    time.sleep(0.3)
                    owner.execute(f"alter table changing add column a{number} int")
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
        self.assertEqual(odd, [])
