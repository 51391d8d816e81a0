"""What is done to save a server whose client vanished: for how long, and for how many bytes."""

import time

from support import processes
from support.case import PgweirTest, value, vanish
from support.pgweir import Pgweir

ENDLESS = b"select repeat('x', 1000), generate_series(1, 1000000000)"


class DiscardingTest(PgweirTest):
    """One connection in all, so that whoever comes next waits for its end."""

    settings = ""

    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            {cls.settings}
            connection_limit = 1
            query_wait_timeout = "20s"
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def vanish_in_the_middle(self):
        """Returns the server's pid; it is in a transaction and cannot get rid of its rows."""
        connection = self.connect()
        connection.execute("begin")
        pid = value(connection, "select pg_backend_pid()")
        connection.pgconn.send_query(ENDLESS)
        eye = self.superuser()
        processes.wait_until(
            lambda: value(eye, "select wait_event from pg_stat_activity where pid = %s",
                          [pid]) == "ClientWrite", 10, "nobody reads")
        vanish(connection)
        return pid

    def next_pid(self):
        """Of the server that the next client is given: the only one, and in no transaction."""
        connection = self.connect()
        self.assertEqual(value(connection, "select count(*) from pg_stat_activity "
                                           "where usename = 'app'"), 1)
        return value(connection, "select pg_backend_pid() where now() = statement_timestamp()")


class LittleTest(DiscardingTest):
    settings = 'max_discard = "64MB"'

    def test_the_rest_is_discarded_and_the_server_lent_again(self):
        pid = self.vanish_in_the_middle()
        self.assertEqual(self.next_pid(), pid)


class MuchTest(DiscardingTest):
    settings = 'max_discard = "1kB"'

    def test_a_server_with_more_to_say_is_closed_before_another_is_opened(self):
        pid = self.vanish_in_the_middle()
        self.assertNotEqual(self.next_pid(), pid)


class StubbornTest(DiscardingTest):
    """A statement that takes no notice of its cancel, for longer than a discard may take."""

    SECONDS = 9  # The discard ends after 5, and pgweir waits 10 more for the server's end.

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            connection.execute("""
                create function stubborn(seconds float) returns void language plpgsql as $$
                declare
                  over timestamptz := clock_timestamp() + make_interval(secs => seconds);
                begin
                  while clock_timestamp() < over loop
                    begin
                      perform pg_sleep_until(over);
                    exception when query_canceled then raise log 'a cancel is ignored';
                    end;
                  end loop;
                end $$""")

    def test_its_server_is_closed_and_counts_until_it_has_ended(self):
        connection, eye = self.connect(), self.superuser()
        pid = value(connection, "select pg_backend_pid()")
        begun = time.monotonic()
        connection.pgconn.send_query(f"select stubborn({self.SECONDS})".encode())
        processes.wait_until(lambda: self.is_active(eye, pid), 5, "it runs")
        vanish(connection)
        processes.wait_until(lambda: "event=server_closed" in self.pgweir.log(), 8, "it is closed")
        self.assertGreater(time.monotonic() - begun, 5, "it was given up too soon")
        self.assertTrue(self.is_active(eye, pid), "it should have gone on")
        self.assertIn("a cancel is ignored", self.server.log())
        self.assertNotEqual(self.next_pid(), pid)
        self.assertGreater(time.monotonic() - begun, self.SECONDS, "two servers at a time")

    def is_active(self, eye, pid):
        return value(eye, "select count(*) from pg_stat_activity where pid = %s and "
                          "state = 'active' and query like '%%stubborn%%'", [pid]) == 1
