"""More clients than this process may have files open: each is told, none is dropped in silence."""

from support import processes
from support.case import PgweirTest, value
from support.pgweir import Pgweir
from support.wire import Wire, sqlstate, startup


class TightPgweir(Pgweir):
    """One that may have only so many files open, whatever it asks for."""

    def __init__(self, descriptors, **options):
        super().__init__(**options)
        self.descriptors = descriptors

    def command(self):
        return ["prlimit", f"--nofile={self.descriptors}:{self.descriptors}", *super().command()]


class DescriptorsTest(PgweirTest):
    descriptors = 80
    settings = ""

    @classmethod
    def make_pgweir(cls):
        return TightPgweir(cls.descriptors, config=f"""
            {cls.settings}
            connection_limit = 4
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def knock(self):
        """What a client hears first: a question for its password, or why it may not come in."""
        client = Wire(self.pgweir.port)
        self.addCleanup(client.socket.close)
        client.send(startup())
        kind, body = client.read()
        return client, "let in" if kind == b"R" else sqlstate(body)

    def test_each_client_is_let_in_or_told(self):
        established = self.connect()
        self.assertEqual(value(established, "select 1"), 1)
        knocks = [self.knock() for _ in range(2 * self.descriptors)]
        answers = [answer for _, answer in knocks]
        self.assertEqual(set(answers), {"let in", "53300"})
        self.assertGreater(answers.count("let in"), 10)
        self.assertEqual(value(established, "select 1"), 1)
        for client, _ in knocks:
            client.socket.close()
        processes.wait_until(lambda: self.knock()[1] == "let in", 5, "there is room again")
        self.assertEqual(value(self.connect(), "select 1"), 1)


class NoDescriptorTest(DescriptorsTest):
    """max_client_conn promises more than the process may have."""

    settings = "max_client_conn = 1000"
