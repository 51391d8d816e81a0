"""What a refused client is told about who holds the connections, and what it never is."""

import re

import psycopg

from support.case import PgweirTest
from support.pgweir import Pgweir
from support.postgres import APP_PASSWORD

SECRET = "s3cret"
# Each is run as it is, in a transaction of its own; what is secret must not come out.
STATEMENTS = (
    f"select '{SECRET}'",
    f"select E'\\'{SECRET}'",
    f"select $${SECRET}$$",
    f"select $tag${SECRET}$tag$",
    f"select 1 as a$b, x\"id\"$${SECRET}$$ from (select 1) t(x)",
    f"select U&'\\0041{SECRET}'",
    f"select 'it''s', '{SECRET}'",
    f"set app.token = {SECRET}",
    f"set app.token to \"{SECRET}\"",
    f"select 1 /* {SECRET} */",
    f"select 1 -- {SECRET}",
    "select 4711",
    "select '" + "x" * 300 + f"{SECRET}'",
    f"select '\n{SECRET}'",
)


class RefusalDetailTest(PgweirTest):
    error_detail = "full"
    server_options = {"settings": {"standard_conforming_strings": "on"}}

    @classmethod
    def make_pgweir(cls):
        with cls.server.superuser() as eye:
            eye.execute("create role stranger login password 'stranger'")
        return Pgweir(config=f"""
            error_detail = "{cls.error_detail}"
            query_wait_timeout = "200ms"
            connection_limit = 6
            [databases.app]
            host = "127.0.0.1"
            port = {cls.server.port}
            pool_size = 1
            [users.app]
            password = "{APP_PASSWORD}"
            [users.stranger]
            password = "stranger"
            """)

    def told(self, *statements, name="the-holder", parameters=None):
        """What a client hears that comes while another holds the only server."""
        holder = self.connect(application_name=name)
        waiter = self.connect()
        try:
            with holder.transaction():
                for sql in statements:
                    try:
                        with holder.transaction():
                            holder.execute(sql, parameters)
                    except psycopg.Error:
                        pass  # It was said, whether the server liked it or not.
                with self.assertRaises(psycopg.errors.TooManyConnections) as caught:
                    waiter.execute("select 1")
        finally:
            holder.close()
            waiter.close()
        return caught.exception.diag


class FullTest(RefusalDetailTest):
    def test_the_holder_is_named_with_what_it_does(self):
        stranger = self.connect(user="stranger", password="stranger", application_name="stranger")
        stranger.execute("begin")
        detail = self.told("select 42, name from (select 'x' as name) t").message_detail
        self.assertRegex(detail, r"1 of this database and user are in use: the-holder at "
                         r"127\.0\.0\.1:\d+, idle in transaction, \d+\.\d s")
        self.assertIn("Other users hold 1.", detail)
        self.assertNotIn("stranger", detail)

    def test_no_literal_comes_out_whatever_it_is_quoted_with(self):
        for sql in STATEMENTS:
            with self.subTest(sql=sql):
                holder, waiter = self.connect(), self.connect()
                try:
                    holder.execute("begin")
                    try:
                        holder.execute(sql)
                    except psycopg.Error:
                        pass
                    with self.assertRaises(psycopg.errors.TooManyConnections) as caught:
                        waiter.execute("select 1")
                    said = str(caught.exception.diag.message_detail)
                    self.assertRegex(said, ": (select|set) ")
                    self.assertNotIn(SECRET, said)
                    self.assertNotIn("4711", said)
                finally:
                    holder.close()
                    waiter.close()

    def test_values_of_parameters_do_not_come_out(self):
        holder, waiter = self.connect(), self.connect()
        with holder.pipeline():
            holder.execute("begin")
            holder.execute("select %s::text", [SECRET])
            holder.execute("select %s::text", [SECRET], prepare=True)
        with self.assertRaises(psycopg.errors.TooManyConnections) as caught:
            waiter.execute("select 1")
        self.assertIn("select ?::text", caught.exception.diag.message_detail)
        self.assertNotIn(SECRET, caught.exception.diag.message_detail)

    def test_a_hostile_name_is_harmless_and_short(self):
        for name in ("x" * 5000, "new\nline\ttab", "ümläut", "\x1b[31mred"):
            with self.subTest(name=name[:20]):
                detail = self.told("select 1", name=name).message_detail
                self.assertLessEqual(len(detail.encode()), 1024)
                self.assertTrue(re.fullmatch(r"[ -~]*", detail), detail)


class ManyHoldersTest(RefusalDetailTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(cls.server.url(connection_limit=12, pool_timeout=1))

    def test_no_more_than_a_kilobyte_is_said_and_the_rest_is_counted(self):
        holders = []
        for number in range(16):
            holders.append(self.connect(application_name=f"{number:02d}-" + "n" * 60))
            try:
                holders[-1].execute("select length(repeat('x', 10)) as " + "c" * 60)
                holders[-1].execute("begin")
            except psycopg.errors.TooManyConnections as error:
                detail = error.diag.message_detail
                break
        self.assertLessEqual(len(detail.encode()), 1024)
        self.assertGreater(len(detail.encode()), 700)
        self.assertRegex(detail, r"; and \d+ more\.$")


class OwnTest(RefusalDetailTest):
    error_detail = "own"

    def test_others_are_not_even_counted(self):
        stranger = self.connect(user="stranger", password="stranger")
        stranger.execute("begin")
        detail = self.told("select 1").message_detail
        self.assertIn("the-holder", detail)
        self.assertNotIn("ther users", detail)


class NoneTest(RefusalDetailTest):
    error_detail = "none"

    def test_nothing_is_told(self):
        told = self.told("select 1")
        self.assertIsNone(told.message_detail)
        self.assertTrue(told.message_hint)
