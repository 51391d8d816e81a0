"""PgweirTest: a test class with a PostgreSQL of its own and a pgweir in front of it.

A class says what is special about them in the attributes below. After its last test pgweir has to
end in order, and its log must hold neither a password nor a failed assertion.
"""

import os
import socket
import threading
import unittest

from support.pgweir import Pgweir
from support.postgres import APP_PASSWORD, SUPERUSER_PASSWORD, Postgres, quote


class PgweirTest(unittest.TestCase):
    server_options = {}  # Keyword arguments of Postgres.
    url_parameters = {}  # Parameters of DATABASE_URL, say {"connection_limit": 1}.
    pgweir_options = {}  # Keyword arguments of Pgweir.

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Postgres(**cls.server_options))
        cls.pgweir = cls.enterClassContext(cls.make_pgweir())
        cls.addClassCleanup(cls.check_log)

    @classmethod
    def make_pgweir(cls):
        return Pgweir(cls.server.url(**cls.url_parameters), **cls.pgweir_options)

    @classmethod
    def check_log(cls):
        log = cls.pgweir.log()
        for word in (APP_PASSWORD, quote(APP_PASSWORD), SUPERUSER_PASSWORD, "assertion failed"):
            if word in log:
                raise AssertionError(f"pgweir's log holds {word!r}:\n{log[-4000:]}")

    def connect(self, **options):
        """A connection through pgweir that the test's end closes."""
        connection = self.pgweir.connect(**options)
        self.addCleanup(connection.close)
        return connection

    def direct(self, **options):
        """A connection past pgweir that the test's end closes."""
        connection = self.server.connect(**options)
        self.addCleanup(connection.close)
        return connection

    def superuser(self):
        connection = self.server.superuser()
        self.addCleanup(connection.close)
        return connection

    def later(self, seconds, action):
        """Runs `action` in a thread; the test's end waits for it before it closes connections.

        libpq frees what the thread still reads when a connection is closed under it.
        """
        timer = threading.Timer(seconds, action)
        timer.start()
        self.addCleanup(timer.join)


def value(connection, query, parameters=None):
    """The first column of the first row."""
    return connection.execute(query, parameters).fetchone()[0]


def vanish(connection):
    """Closes the socket without Terminate, as a killed process does."""
    with socket.socket(fileno=os.dup(connection.fileno())) as underneath:
        underneath.shutdown(socket.SHUT_RDWR)
    connection.close()
