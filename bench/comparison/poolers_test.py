"""How the peers are configured."""

import pathlib
import tempfile
import unittest

from comparison import poolers

SECRET = poolers.Setup(password="of a test")


def configured(pooler, setup=poolers.Setup()):
    """The text of its configuration."""
    prepared = pooler.prepared_for(setup)
    prepared.take_ports((6001, 6002), 6003)
    with tempfile.TemporaryDirectory() as directory:
        return pathlib.Path(prepared.command(pathlib.Path(directory))[-1]).read_text()


class PeersTest(unittest.TestCase):
    def setUp(self):
        self.peers = {name: poolers.PEERS[name]("/bin/true") for name in ("pgbouncer", "odyssey")}

    def test_each_is_there_as_it_comes_and_tuned(self):
        for pair in self.peers.values():
            plain, tuned = map(configured, pair)
            self.assertNotEqual(plain, tuned)
            self.assertEqual(pair[1].name, pair[0].name + ", tuned")

    def test_all_lend_as_many_servers_by_transaction_at_the_ports_they_are_told(self):
        for pooler in sum(self.peers.values(), []):
            text = configured(pooler, poolers.Setup(server_count=7))
            self.assertRegex(text, r"pool_size[ =]7\b")
            self.assertRegex(text, r'pool(_mode = | ")transaction')
            self.assertIn("6001", text)
            self.assertIn("6003", text)

    def test_one_worker_so_that_cpu_compares(self):
        for pooler in self.peers["odyssey"]:
            self.assertIn("workers 1\n", configured(pooler))

    def test_those_with_tls_require_it_with_a_certificate(self):
        for pooler in sum(self.peers.values(), []):
            self.assertNotIn(".crt", configured(pooler))
            for key in poolers.KEYS:
                text = configured(pooler, poolers.Setup(has_tls=True, key=key))
                self.assertRegex(text, r'tls(_sslmode =)? "?require\b')
                self.assertRegex(text, rf"tls_key_file.*{key}\.key")
                self.assertRegex(text, rf"tls_cert_file.*{key}\.crt")

    def test_those_whose_servers_have_tls_require_it_of_them(self):
        for pooler in sum(self.peers.values(), []):
            text = configured(pooler, poolers.Setup(has_server_tls=True))
            self.assertRegex(text, r'tls(_sslmode =)? "?require\b')
            self.assertNotIn(".crt", text)
        pgweir = poolers.Pgweir("/bin/true").prepared_for(poolers.Setup(has_server_tls=True))
        pgweir.take_ports((6001, 6002), 6003)
        self.assertIn("sslmode=require", pgweir.url())

    def test_no_password_is_written_down(self):
        for pooler in sum(self.peers.values(), []):
            text = configured(pooler, SECRET)
            self.assertIn("scram-sha-256", text)
            self.assertNotIn(SECRET.password, text)


if __name__ == "__main__":
    unittest.main()
