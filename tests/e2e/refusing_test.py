"""When there is no connection to be had: who waits, for how long, and what they are told."""

import threading
import time

import psycopg

from support import processes
from support.case import PgweirTest, value
from support.pgweir import Pgweir


class WaitingTest(PgweirTest):
    url_parameters = {"connection_limit": 1, "pool_timeout": 1}

    def refused(self, connection, sql="select 1"):
        started = time.monotonic()
        with self.assertRaises(psycopg.errors.TooManyConnections) as caught:
            connection.execute(sql)
        self.assertAlmostEqual(time.monotonic() - started, 1, delta=0.7)
        return caught.exception.diag

    def test_a_waiter_is_refused_after_pool_timeout_and_stays_connected(self):
        holder, waiter = self.connect(application_name="the-holder"), self.connect()
        holder.execute("begin")
        holder.execute("select 'a literal that is nobody else''s business'")
        told = self.refused(waiter)
        self.assertEqual(told.severity_nonlocalized, "ERROR")
        self.assertIn("the-holder", told.message_detail)
        self.assertNotIn("nobody else", told.message_detail)
        self.assertLessEqual(len(told.message_detail.encode()), 1024)
        self.assertTrue(told.message_hint)
        holder.execute("commit")
        self.assertEqual(value(waiter, "select 1"), 1)

    def test_a_refused_pipeline_is_skipped_to_its_sync(self):
        holder, waiter = self.connect(), self.connect()
        holder.execute("begin")
        with self.assertRaises(psycopg.errors.TooManyConnections):
            with waiter.pipeline():
                for _ in range(3):
                    waiter.execute("select 1")
        holder.execute("commit")
        self.assertEqual(value(waiter, "select 2"), 2)

    def test_a_waiter_gets_the_server_when_it_is_free(self):
        holder, waiter = self.connect(), self.connect()
        holder.execute("begin")
        self.later(0.3, lambda: holder.execute("commit"))
        self.assertEqual(value(waiter, "select 1"), 1)

    def test_the_server_never_heard_of_the_refused(self):
        holder, waiter = self.connect(), self.connect()
        holder.execute("begin")
        self.refused(waiter)
        holder.execute("commit")
        self.assertNotIn("too many", self.server.log())

    def test_connecting_needs_no_server(self):
        value(self.connect(), "select 1")
        holder = self.connect()
        holder.execute("begin")
        started = time.monotonic()
        self.connect()
        self.assertLess(time.monotonic() - started, 0.9)


class FirstComeFirstServedTest(PgweirTest):
    url_parameters = {"connection_limit": 1, "pool_timeout": 20}

    def test_waiters_are_served_in_the_order_of_arrival(self):
        holder = self.connect()
        holder.execute("begin")
        served, threads = [], []
        for number in range(8):
            connection = self.connect()
            threads.append(threading.Thread(
                target=lambda c=connection, n=number: served.append((value(
                    c, "select clock_timestamp()"), n))))
            threads[-1].start()
            processes.wait_until(
                lambda count=number + 1: self.pgweir.health()["pool"]["waiting"] == count, 5,
                f"{number + 1} wait")
        holder.execute("commit")
        for thread in threads:
            thread.join()
        self.assertEqual([number for _, number in sorted(served)], list(range(8)))


class UnreachableServerTest(PgweirTest):
    url_parameters = {"pool_timeout": 2}

    def test_an_unreachable_server_is_named_and_comes_back(self):
        connection = self.connect()
        self.assertEqual(value(connection, "select 1"), 1)
        self.server.stop("immediate")
        with self.assertRaises(psycopg.Error) as caught:
            connection.execute("select 1")
            connection.execute("select 1")
        self.assertIsNotNone(caught.exception.sqlstate)
        processes.wait_until(lambda: self.pgweir.health()["status"] == "error", 5, "health says so")
        self.assertEqual(self.pgweir.http_status("/readyz"), 200)
        self.server.start()
        processes.wait_until(self.answers, 15, "it recovers")
        processes.wait_until(lambda: self.pgweir.health()["status"] == "ok", 5, "health recovers")

    def answers(self):
        try:
            with self.pgweir.connect() as connection:
                return value(connection, "select 1") == 1
        except psycopg.Error:
            return False


class NoticeTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            query_wait_notify = "1s"
            [databases.app]
            url = "{cls.server.url(connection_limit=1)}"
            """)

    def test_who_waits_for_long_is_told_once_and_then_served(self):
        holder, waiter = self.connect(), self.connect()
        heard = []
        waiter.add_notice_handler(lambda diag: heard.append(
            (diag.severity_nonlocalized, diag.sqlstate, diag.message_primary)))
        holder.execute("begin")
        started = time.monotonic()
        self.later(2.5, lambda: holder.execute("commit"))
        self.assertEqual(value(waiter, "select 1"), 1)
        self.assertGreater(time.monotonic() - started, 2)
        self.assertEqual(heard, [
            ("NOTICE", "00000", 'waiting for a connection to database "app" since 1 s')])
