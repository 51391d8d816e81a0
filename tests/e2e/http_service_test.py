"""A service on cpp-httplib: its health is 200 with the database, 503 without; Prometheus reads the
metrics of its pool."""

import json
import os
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from support.consumers import BUILD, install_library, run
from support.postgres import Postgres

PROJECT = Path(__file__).resolve().parent / "http_service"


def ask(url):
    """The response and the JSON."""
    try:
        response = urllib.request.urlopen(url, timeout=20)
    except urllib.error.HTTPError as refused:
        response = refused
    with response:
        return response, json.load(response)


@unittest.skipUnless((BUILD / "libpgweir.so").exists(), "the library is not built here")
class HttpServiceTest(unittest.TestCase):
    def test_its_health_and_its_metrics(self):
        server = self.enterContext(Postgres())
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="pgweir-e2e-")))
        install_library(folder / "installed")
        run("cmake", "-G", "Ninja", "-S", PROJECT, "-B", folder / "build",
            f"-DCMAKE_PREFIX_PATH={folder / 'installed'}")
        run("cmake", "--build", folder / "build")
        with subprocess.Popen([folder / "build/http_service"], text=True,
                              env=os.environ | {"DATABASE_URL": server.url()},
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            origin = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            url = origin + "/api/health"
            response, health = ask(url)
            self.assertEqual((response.status, health["status"]), (200, "ok"))
            self.assertEqual(response.headers["Content-Type"], "application/json")
            self.assertEqual(response.headers["Cache-Control"], "no-store")
            with urllib.request.urlopen(origin + "/metrics", timeout=20) as response:
                metrics = response.read().decode().splitlines()
            for expected in ("limit{database=\"shop\"} ", "opened_total{database=\"shop\"} 1",
                             "idle{database=\"shop\"} 1", "in_use{database=\"shop\"} 0",
                             "acquire_seconds_count{database=\"shop\"} 1",
                             "held_seconds_count{database=\"shop\"} 1"):
                self.assertTrue(any(line.startswith("pgweir_pool_" + expected) for line in metrics),
                                f"{expected} in {metrics}")
            server.stop("immediate")
            response, health = ask(url)
            self.assertEqual(response.status, 503)
            self.assertFalse(health["database"]["connected"])
            process.stdin.close()
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
