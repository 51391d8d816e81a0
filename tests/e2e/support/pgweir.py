"""A pgweir process for one test class: free ports, its log at hand, a clean end demanded."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from support import processes
from support.ports import free_port
from support.postgres import APP_PASSWORD, make_url

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("PGWEIR_BINARY", str(ROOT / "build/release/pgweir"))
# How many every pgweir has whose configuration does not say it; empty: its own default.
DATA_REACTORS = os.environ.get("PGWEIR_TEST_DATA_REACTORS", "")


class Pgweir:
    """`database_url` alone, or `config`, the text of a file whose ending is `config_suffix`.

    In `config` the words @PORT@, @HTTP_PORT@ and @DIRECTORY@ are replaced.
    """

    def __init__(self, database_url=None, config=None, config_suffix=".toml", arguments=()):
        self.database_url = database_url
        self.config = config
        self.config_suffix = config_suffix
        self.arguments = list(arguments)

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="pgweir-e2e-"))
        self.directory.chmod(0o755)
        self.log_path = self.directory / "log"
        self.port, self.http_port = free_port(), free_port()
        try:
            self.start()
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, exception_type=None, *_):
        try:
            if self.process.poll() is None and exception_type is None:
                status = self.stop()
                if status != 0:
                    raise AssertionError(f"pgweir ended with {status}:\n{self.log()[-4000:]}")
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.directory, ignore_errors=True)

    def environment(self):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("PG") and name != "DATABASE_URL"}
        environment["STATE_DIRECTORY"] = str(self.directory)
        if DATA_REACTORS:
            environment["PGWEIR_DATA_REACTORS"] = DATA_REACTORS
        if self.database_url is not None:
            environment["DATABASE_URL"] = self.database_url
        return environment

    def command(self):
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}",
                   "--http", f"127.0.0.1:{self.http_port}", *self.arguments]
        if self.config is not None:
            command += ["--config", str(self.write_config(self.config))]
        return command

    def write_config(self, text):
        path = self.directory / ("config" + self.config_suffix)
        for word, value in (("PORT", self.port), ("HTTP_PORT", self.http_port),
                            ("DIRECTORY", self.directory)):
            text = text.replace(f"@{word}@", str(value))
        path.write_text(text)
        return path

    def start(self):
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), env=self.environment(), cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        processes.wait_until(self._is_ready_or_dead, 20, "pgweir is ready")
        if self.process.poll() is not None:
            raise AssertionError(f"pgweir ended with {self.process.returncode}:\n{self.log()}")

    def _is_ready_or_dead(self):
        return self.process.poll() is not None or self.http_status("/readyz") == 200

    def stop(self, seconds=40):
        """Ends it in order and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def url(self, user="app", password=APP_PASSWORD, database="app", **parameters):
        parameters = {"sslmode": "disable", **parameters}
        return make_url(user, password, "127.0.0.1", self.port, database, parameters)

    def connect(self, user="app", password=APP_PASSWORD, database="app", **options):
        """A connection through pgweir."""
        options = {"autocommit": True, "connect_timeout": 20, **options}
        return psycopg.connect(self.url(user, password, database), **options)

    def http(self, path, host=None):
        """GET: the status and the body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}")
        if host:
            request.add_header("Host", host)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def http_status(self, path):
        try:
            return self.http(path)[0]
        except OSError:
            return None

    def health(self):
        return json.loads(self.http("/api/health")[1])

    def metric(self, name):
        """The sum over all labels of one metric of /metrics."""
        lines = self.http("/metrics")[1].splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines
                  if line.split("{")[0].split(" ")[0] == name]
        if not values:
            raise AssertionError(f"/metrics has no {name}")
        return sum(values)


def run_command(*arguments, database_url=None):
    """Runs `pgweir ARGUMENTS` to its end, away from the caller's environment."""
    environment = {"PATH": os.environ["PATH"]}
    if database_url is not None:
        environment["DATABASE_URL"] = database_url
    return processes.run([BINARY, *arguments], env=environment, timeout=30)


def host_and_port(url):
    parts = urlsplit(url)
    return parts.hostname, parts.port
