"""What is done to save a server whose client vanished in the middle of a large result."""

import os
import socket

from support import processes
from support.case import PgweirTest, value
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
        with socket.socket(fileno=os.dup(connection.fileno())) as underneath:
            underneath.shutdown(socket.SHUT_RDWR)
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
