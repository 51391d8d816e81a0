"""examples/clinic as its README starts it: 500 requests at once on a PostgreSQL of 20 connections,
good manners at the end, and with --broken the lines that are to blame."""

import concurrent.futures
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from support import processes
from support.consumers import BUILD, install_library, run

CLINIC = Path(__file__).resolve().parents[2] / "examples/clinic"


class Clinic:
    """A context: `start`, until it listens; ended by SIGTERM."""

    def __init__(self, build, *arguments, settings=""):
        self.command = [CLINIC / "start", "--port", "0", *arguments]
        self.environment = os.environ | {"CLINIC_BUILD": str(build), "CLINIC_SETTINGS": settings}

    def __enter__(self):
        self.log_file = tempfile.NamedTemporaryFile("w+", prefix="pgweir-e2e-")
        self.process = subprocess.Popen(self.command, env=self.environment, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log_file)
        for line in self.process.stdout:
            if found := re.fullmatch(r"clinic: (http://\S+)/api/health\n", line):
                self.url = found[1]
                return self
        raise AssertionError(f"it ended with {self.process.wait()}:\n{self.log()}")

    def __exit__(self, *_):
        self.process.terminate()
        self.status = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.log_file.close()

    def log(self):
        return Path(self.log_file.name).read_text()

    def ask(self, path, body=None):
        """The status and the JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)


@unittest.skipUnless((BUILD / "libpgweir.so").exists(), "the library is not built here")
class ClinicTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="pgweir-e2e-")))
        install_library(folder / "installed")
        cls.build = folder / "clinic"
        run("cmake", "-G", "Ninja", "-S", CLINIC, "-B", cls.build, "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_PREFIX_PATH={folder / 'installed'}")
        run("cmake", "--build", cls.build)

    def test_it_does_what_its_readme_says(self):
        with Clinic(self.build) as clinic:
            status, health = clinic.ask("/api/health")
            self.assertEqual((status, health["status"]), (200, "ok"))
            status, today = clinic.ask("/api/doctors/1/appointments/today")
            self.assertEqual(status, 200)
            self.assertEqual(len(today["appointments"]), 48)
            self.assertEqual(today["appointments"][0]["details"], 2)
            upcoming = clinic.ask("/api/doctors/2/appointments/upcoming")[1]["appointments"]
            self.assertEqual(len(upcoming), 200)
            self.assertEqual(upcoming, sorted(upcoming, key=lambda one: one["startsAt"]))
            first = clinic.ask("/api/users")[1]
            second = clinic.ask(f"/api/users?after={first['next']}")[1]
            self.assertEqual([one["id"] for one in first["users"] + second["users"]],
                             list(range(1, 101)))

    def test_an_appointment_is_made_with_its_details_or_not_at_all(self):
        wanted = {"doctor": 1, "patient": 2, "startsAt": "2099-01-31 14:30+00",
                  "reason": "a tooth", "details": ["left", "it's \"that\" one"]}
        with Clinic(self.build) as clinic:
            status, made = clinic.ask("/api/appointments", wanted)
            self.assertEqual(status, 201)
            self.assertGreater(made["id"], 24_000)
            self.assertEqual(clinic.ask("/api/appointments", wanted)[0], 409)
            self.assertEqual(clinic.ask("/api/appointments", wanted | {"doctor": 99})[0], 404)
            self.assertEqual(clinic.ask("/api/appointments", wanted | {"startsAt": "late"})[0], 400)
            self.assertEqual(clinic.ask("/api/appointments", {"doctor": "x"})[0], 400)
            self.assertEqual(clinic.ask("/api/doctors/x/appointments/today")[0], 400)
            self.assertEqual(clinic.ask("/api/nothing")[0], 404)

    def test_five_hundred_at_once_are_all_answered(self):
        paths = ["/api/doctors/1/appointments/today", "/api/doctors/3/appointments/upcoming",
                 "/api/users", "/api/health"]
        with (Clinic(self.build) as clinic,
              concurrent.futures.ThreadPoolExecutor(500) as visitors):
            answers = list(visitors.map(clinic.ask, paths * 125))
            self.assertEqual({status for status, _ in answers}, {200})
            self.assertEqual(clinic.log(), "")

    def test_what_was_asked_before_the_end_is_answered(self):
        with Clinic(self.build) as clinic, concurrent.futures.ThreadPoolExecutor(40) as visitors:
            answers = [visitors.submit(clinic.ask, "/api/doctors/1/appointments/upcoming")
                       for _ in range(40)]
            processes.wait_until(lambda: any(one.done() for one in answers), 20, "one is answered")
            clinic.process.terminate()
            for one in answers:
                try:
                    self.assertEqual(one.result()[0], 200)
                except (urllib.error.URLError, ConnectionError):
                    pass  # Came too late.
        self.assertEqual(clinic.status, 128 + signal.SIGTERM)

    def test_the_reports_name_the_lines_of_what_is_broken(self):
        source = (CLINIC / "mistakes.cc").read_text().splitlines()

        def line_of(text):
            return next(number for number, line in enumerate(source, 1) if text in line)

        blamed = {"second_pool": line_of("database_pool pool;"),
                  "many_rows": line_of("select * from appointments"),
                  "lease_overdue": line_of("database().acquire()")}
        with Clinic(self.build, "--broken", settings="leak_threshold=1") as clinic:
            for _ in range(6):
                clinic.ask("/")
            for event, line in blamed.items():
                report = rf"event={event} .*at=\S*mistakes\.cc:{line}\b"
                processes.wait_until(lambda: re.search(report, clinic.log()), 10,
                                     f"{event} names line {line}:\n{clinic.log()}")


if __name__ == "__main__":
    unittest.main()
