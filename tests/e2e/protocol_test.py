"""The protocol byte by byte: versions, encryption requests, strange orders, and nonsense."""

import struct

from support import wire
from support.case import PgweirTest, value
from support.pgweir import Pgweir
from support.wire import Wire, kinds, sqlstate


class ProtocolTest(PgweirTest):
    @classmethod
    def make_pgweir(cls):
        return Pgweir(config=f"""
            auth_type = "trust"
            [databases.app]
            url = "{cls.server.url(connection_limit=3)}"
            """)

    def open(self):
        return self.enterContext(Wire(self.pgweir.port))

    def logged_in(self):
        connection = self.open()
        connection.log_in()
        return connection

    def assert_others_are_served(self):
        self.assertEqual(value(self.connect(), "select 1"), 1)

    # Startup

    def test_startup_ends_with_key_and_readiness(self):
        messages = self.open().log_in()
        self.assertEqual((messages[0], messages[-1]), ((b"R", b"\0\0\0\0"), (b"Z", b"I")))
        self.assertIn("K", kinds(messages))

    def test_protocol_3_2_is_answered_by_negotiation(self):
        connection = self.open()
        messages = connection.log_in(version=wire.PROTOCOL_3_2, **{"_pq_.strange": "1"})
        negotiation = dict(messages)[b"v"]
        newest, count = struct.unpack("!ii", negotiation[:8])
        self.assertEqual((newest & 0xFFFF, count), (0, 1))
        self.assertEqual(negotiation[8:], b"_pq_.strange\0")
        self.assertEqual(kinds(connection.ask("select 1")), "TDCZ")

    def test_protocol_2_and_4_are_refused(self):
        for version in (2 << 16, 4 << 16):
            connection = self.open()
            connection.send(wire.startup(version=version))
            self.assertEqual(connection.take(1), b"E")
            self.assertTrue(connection.is_closed())

    def test_startup_may_come_byte_by_byte(self):
        connection = self.open()
        connection.send_slowly(wire.startup())
        self.assertEqual(connection.read_until(b"Z")[-1], (b"Z", b"I"))

    def test_an_unknown_user_hears_a_refusal(self):
        connection = self.open()
        connection.send(wire.startup(user="nobody"))
        kind, body = connection.read_until(b"E")[-1]
        self.assertIn(sqlstate(body), ("28P01", "28000"))
        self.assertTrue(connection.is_closed())

    # Encryption

    def test_an_encryption_request_may_be_followed_by_the_next(self):
        connection = self.open()
        connection.send(wire.request(wire.GSSENC_REQUEST))
        self.assertEqual(connection.take(1), b"N")
        connection.send(wire.startup())
        self.assertEqual(connection.read_until(b"Z")[-1], (b"Z", b"I"))

    def test_tls_after_a_request(self):
        connection = self.open()
        connection.send(wire.request(wire.GSSENC_REQUEST))
        self.assertEqual(connection.take(1), b"N")
        connection.send(wire.request(wire.SSL_REQUEST))
        self.assertEqual(connection.take(1), b"S")
        connection.start_tls()
        self.assertEqual(connection.log_in()[-1], (b"Z", b"I"))

    def test_direct_tls_with_its_protocol_name(self):
        connection = self.open()
        connection.start_tls(["postgresql"])
        self.assertEqual(connection.socket.selected_alpn_protocol(), "postgresql")
        self.assertEqual(connection.log_in()[-1], (b"Z", b"I"))

    def test_direct_tls_without_its_protocol_name_is_refused(self):
        for protocols in ((), ["http/1.1"]):
            with self.subTest(protocols), self.assertRaises((OSError, EOFError)):
                connection = self.open()
                connection.start_tls(protocols)
                connection.log_in()
        self.assert_others_are_served()

    def test_plaintext_smuggled_behind_the_tls_request_is_refused(self):
        connection = self.open()
        connection.send(wire.request(wire.SSL_REQUEST) + wire.startup())
        received = b""
        try:
            while part := connection.socket.recv(4096):
                received += part
        except ConnectionResetError:
            pass
        self.assertNotIn(b"Z\0\0\0\5I", received)

    # Queries

    def test_a_query_may_come_byte_by_byte(self):
        connection = self.logged_in()
        connection.send_slowly(wire.query("select 'slow'"))
        self.assertEqual(kinds(connection.read_until(b"Z")), "TDCZ")

    def test_queries_may_come_ahead_of_their_answers(self):
        connection = self.logged_in()
        connection.send(b"".join(wire.query(f"select {i}") for i in range(50)))
        for i in range(50):
            messages = connection.read_until(b"Z")
            self.assertTrue(messages[1][1].endswith(str(i).encode()))

    def test_an_empty_query_is_answered(self):
        self.assertEqual(kinds(self.logged_in().ask("")), "IZ")

    def test_a_driver_that_only_flushes_gets_its_answers(self):
        connection = self.logged_in()
        connection.send(wire.parse("select 7") + wire.FLUSH)
        self.assertEqual(connection.read()[0], b"1")
        connection.send(wire.bind() + wire.execute() + wire.FLUSH)
        self.assertEqual(kinds(connection.read_until(b"C")), "2DC")
        connection.send(wire.SYNC)
        self.assertEqual(connection.read(), (b"Z", b"I"))

    def test_a_portal_is_read_in_parts(self):
        connection = self.logged_in()
        connection.send(wire.parse("select generate_series(1, 5)") + wire.bind() +
                        wire.execute(rows_max=2) + wire.execute(rows_max=2) + wire.execute() +
                        wire.SYNC)
        self.assertEqual(kinds(connection.read_until(b"Z")), "12DDsDDsDCZ")

    def test_an_error_skips_to_the_next_sync_and_no_further(self):
        connection = self.logged_in()
        connection.send(wire.parse("selec") + wire.bind() + wire.execute() + wire.SYNC +
                        wire.parse("select 1") + wire.bind() + wire.execute() + wire.SYNC)
        self.assertEqual(kinds(connection.read_until(b"Z")), "EZ")
        self.assertEqual(kinds(connection.read_until(b"Z")), "12DCZ")

    def test_a_lone_sync_is_answered(self):
        connection = self.logged_in()
        connection.send(wire.SYNC * 3)
        self.assertEqual([connection.read() for _ in range(3)], [(b"Z", b"I")] * 3)

    def test_a_named_statement_lives_on_over_other_clients_work(self):
        connection, other = self.logged_in(), self.logged_in()
        connection.send(wire.parse("select 'mine'", b"s") + wire.SYNC)
        connection.read_until(b"Z")
        other.send(wire.parse("select 'theirs'", b"s") + wire.SYNC)
        other.read_until(b"Z")
        for who, text in ((connection, b"mine"), (other, b"theirs")) * 3:
            who.send(wire.bind(name=b"s") + wire.execute() + wire.SYNC)
            self.assertTrue(dict(who.read_until(b"Z"))[b"D"].endswith(text))

    def test_a_closed_statement_is_unknown(self):
        connection = self.logged_in()
        connection.send(wire.parse("select 1", b"s") + wire.message(b"C", b"Ss\0") + wire.SYNC)
        self.assertEqual(kinds(connection.read_until(b"Z")), "13Z")
        connection.send(wire.bind(name=b"s") + wire.SYNC)
        kind, body = connection.read()
        self.assertEqual((kind, sqlstate(body)), (b"E", "26000"))

    def test_a_function_call_is_answered(self):
        connection = self.logged_in()
        # int4abs(-7) in binary: one format for all arguments, one argument, binary result.
        call = struct.pack("!ihhhiih", 1397, 1, 1, 1, 4, -7, 1)
        connection.send(wire.message(b"F", call))
        messages = connection.read_until(b"Z")
        self.assertEqual(kinds(messages), "VZ")
        self.assertEqual(messages[0][1], struct.pack("!ii", 4, 7))

    def test_terminate_closes(self):
        connection = self.logged_in()
        connection.send(wire.TERMINATE)
        self.assertTrue(connection.is_closed())

    # Nonsense

    def test_nonsense_instead_of_a_startup_is_cut_off(self):
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\0\0\4", b"\xff" * 100,
                     struct.pack("!ii", 3, 0), struct.pack("!ii", 1 << 30, wire.PROTOCOL_3_0),
                     b"\0" * 64):
            with self.subTest(data):
                connection = self.open()
                connection.send(data)
                self.assertTrue(connection.is_closed())
        self.assert_others_are_served()

    def test_an_unknown_message_is_a_protocol_violation(self):
        connection = self.logged_in()
        connection.send(wire.message(b"~", b"what?"))
        kind, body = connection.read()
        self.assertEqual((kind, sqlstate(body)), (b"E", "08P01"))
        self.assertTrue(connection.is_closed())
        self.assert_others_are_served()

    def test_a_length_below_four_is_a_protocol_violation(self):
        connection = self.logged_in()
        connection.send(b"Q" + struct.pack("!i", 3))
        self.assertTrue(connection.is_closed())
        self.assert_others_are_served()

    def test_a_cancel_with_nonsense_is_dropped(self):
        for body in (b"", b"\0" * 8, b"\xff" * 8, b"\0" * 300):
            connection = self.open()
            connection.send(wire.request(wire.CANCEL_REQUEST, body))
            self.assertTrue(connection.is_closed())
        self.assert_others_are_served()

    def test_a_client_that_reads_nothing_stops_nobody(self):
        greedy = self.logged_in()
        greedy.send(wire.query("select repeat('x', 1000) from generate_series(1, 200000)"))
        for _ in range(20):
            self.assert_others_are_served()
        self.assertEqual(len(greedy.read_until(b"Z")), 200_003)
