"""A service on libpgweir whose database moves: its host's name means another address from then on.
New connections go there, without a restart of the service."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support.consumers import BUILD, install_library, run
from support.postgres import APP_PASSWORD, Postgres, make_url
from support.processes import wait_until

PROJECT = Path(__file__).resolve().parent / "moved_host"
# The system's resolver, with a file of ours instead of /etc/hosts (libnss-wrapper).
RESOLVER = "libnss_wrapper.so"
HOST = "database.example"
HERE, THERE = "127.0.0.1", "127.0.0.2"


class Hosts:
    """The file that says where the host is."""

    def __init__(self, path):
        self.path = path
        self.changes = 0

    def move_to(self, address):
        """At a time of its own: the resolver reads the file anew when that has changed, in whole
        seconds."""
        self.path.write_text(f"{address} {HOST}\n")
        self.changes += 1
        os.utime(self.path, times=(self.changes * 60, self.changes * 60))


class Service:
    def __init__(self, program, url, hosts):
        environment = os.environ | {"DATABASE_URL": url, "LD_PRELOAD": RESOLVER,
                                    "NSS_WRAPPER_HOSTS": str(hosts.path)}
        self.process = subprocess.Popen([program], text=True, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def ask(self):
        print("where", file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()


@unittest.skipUnless((BUILD / "libpgweir.so").exists(), "the library is not built here")
class MovedHostTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="pgweir-e2e-")))
        install_library(cls.folder / "installed")
        run("cmake", "-G", "Ninja", "-S", PROJECT, "-B", cls.folder / "build",
            f"-DCMAKE_PREFIX_PATH={cls.folder / 'installed'}")
        run("cmake", "--build", cls.folder / "build")

    def setUp(self):
        anybody = {"hba": ["local all all scram-sha-256", "host all all 127.0.0.0/8 scram-sha-256"]}
        self.here = self.enterContext(Postgres(**anybody))
        self.there = self.enterContext(Postgres(
            settings={"listen_addresses": THERE, "port": self.here.port}, **anybody))
        self.hosts = Hosts(self.folder / "hosts")
        self.hosts.move_to(HERE)

    def serve(self, **parameters):
        url = make_url("app", APP_PASSWORD, HOST, self.here.port, "app", parameters)
        return self.enterContext(Service(self.folder / "build/moved_host", url, self.hosts))

    def test_the_pool_follows_when_the_old_server_has_ended(self):
        service = self.serve(connection_limit=2)
        self.assertEqual(service.ask(), HERE)
        self.hosts.move_to(THERE)
        self.assertEqual(service.ask(), HERE)  # A connection that works is kept.
        self.here.stop("immediate")
        answers = [service.ask(), service.ask()]
        # One statement may meet the end of its connection.
        self.assertIn(answers[0].split(":")[0], (THERE, "error"))
        self.assertEqual(answers[1], THERE)

    def test_the_pool_follows_in_time_while_the_old_server_goes_on(self):
        service = self.serve(connection_limit=2, max_connection_lifetime=1)
        self.assertEqual(service.ask(), HERE)
        self.hosts.move_to(THERE)
        wait_until(lambda: service.ask() == THERE, 30, "the connections were replaced")


if __name__ == "__main__":
    unittest.main()
