"""Several hosts, of which only one is what target_session_attrs asks for."""

import unittest

from support import processes
from support.case import value
from support.pgweir import Pgweir
from support.postgres import Postgres


class TargetSessionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reader = cls.enterClassContext(Postgres(settings={
            "default_transaction_read_only": "on", "log_min_messages": "debug1",
            "log_disconnections": "on"}))
        cls.writer = cls.enterClassContext(Postgres())

    def url(self, **parameters):
        hosts = f"127.0.0.1:{self.reader.port},127.0.0.1:{self.writer.port}"
        return self.reader.url(target_session_attrs="read-write", **parameters).replace(
            f"127.0.0.1:{self.reader.port}", hosts)

    def test_the_wrong_one_is_left_in_order_before_the_next_is_tried(self):
        with Pgweir(self.url(connection_limit=2)) as pgweir, pgweir.connect() as connection:
            self.assertEqual(value(connection, "show port"), str(self.writer.port))
            processes.wait_until(lambda: "disconnection" in self.reader.log(), 5, "it is left")
            self.assertIn("connection authorized: user=app", self.reader.log())
            self.assertNotIn("unexpected EOF", self.reader.log())

    def test_none_that_fits_is_said(self):
        url = self.reader.url(target_session_attrs="read-write", pool_timeout="2")
        with Pgweir(url) as pgweir, self.assertRaisesRegex(Exception, "target_session_attrs"):
            pgweir.connect()
