"""TLS as its clients use it once the handshake is over: new keys, every cipher, and goodbyes."""

import asyncio
import fcntl
import select
import struct
import subprocess
import sys
import termios

import psycopg

from support import processes, wire
from support.case import PgweirTest, value
from support.pgweir import Pgweir
from support.wire import Wire

SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_AES_128_CCM_SHA256")


class SClient(Wire):
    """OpenSSL's own client. It takes a chunk of its input that begins with k or K as an order to
    change its keys, the latter on both sides; Q would end it."""

    def __init__(self, port, *options):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-no_ign_eof", "-starttls", "postgres",
             "-connect", f"127.0.0.1:{port}", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def send(self, data):
        """As a chunk of its own."""
        self.process.stdin.write(data)
        processes.wait_until(lambda: self.unread() == 0, 10, "s_client has taken it")

    def unread(self):
        pending = fcntl.ioctl(self.process.stdin, termios.FIONREAD, bytes(4))
        return int.from_bytes(pending, sys.byteorder)

    def take(self, count):
        data = b""
        while len(data) < count:
            if not select.select([self.process.stdout], [], [], 10)[0]:
                raise TimeoutError(f"nothing more after {data!r}")
            part = self.process.stdout.read(count - len(data))
            if not part:
                raise EOFError(f"closed after {data!r}")
            data += part
        return data

    def answer_of(self, sql):
        """Not by a Query, whose first letter it would take for an order."""
        self.send(wire.parse(sql) + wire.bind() + wire.execute() + wire.SYNC)
        row = next(body for kind, body in self.read_until(b"Z") if kind == b"D")
        (length,) = struct.unpack("!i", row[2:6])
        return row[6:6 + length].decode()


class TlsTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            auth_type = "trust"
            client_tls13_ciphers = "{":".join(SUITES)}"
            [databases.app]
            url = "{cls.server.url()}"
            """)

    def test_new_keys_in_every_cipher(self):
        for suite in SUITES:
            with (self.subTest(suite),
                  SClient(self.pgweir.port, "-ciphersuites", suite) as client):
                client.send(wire.startup())
                client.read_until(b"Z")
                for order in (b"k\n", b"K\n", b"K\n"):
                    client.send(order)
                    rows = client.answer_of("select repeat('x', 40000)")
                    self.assertEqual(rows, "x" * 40000)

    def test_who_only_says_goodbye_is_answered(self):
        for at_rest in (True, False):
            with self.subTest(at_rest=at_rest), Wire(self.pgweir.port) as client:
                client.send(wire.request(wire.SSL_REQUEST))
                self.assertEqual(client.take(1), b"S")
                client.start_tls()
                if at_rest:
                    client.log_in()
                # Says it, and waits for the other side's. The socket stays open.
                self.assertIsNotNone(client.socket.unwrap())

    def test_tls_1_2_is_served(self):
        url = self.pgweir.url(sslmode="require", ssl_max_protocol_version="TLSv1.2")
        with psycopg.connect(url) as connection:
            self.assertEqual(value(connection, "select repeat('y', 100000)"), "y" * 100000)

    def test_who_waits_for_the_socket_has_all_there_is(self):
        # psycopg waits for its socket, and libpq 15 leaves in OpenSSL what it has no room
        # for: with records of 16 KB some of these answers never came to their end.
        async def ask():
            connection = await psycopg.AsyncConnection.connect(
                self.pgweir.url(sslmode="require"), autocommit=True)
            async with connection:
                for size in range(1, 70_000, 1_021):
                    with self.subTest(size):
                        cursor = await asyncio.wait_for(connection.execute(
                            "select repeat('x', %s) from generate_series(1, 3)", [size]), 20)
                        self.assertEqual(await cursor.fetchall(), [("x" * size,)] * 3)
        asyncio.run(ask())
