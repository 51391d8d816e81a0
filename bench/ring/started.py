"""A pgweir of its own for one measurement, by itself or under a tool that watches it."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from comparison.poolers import Pgweir
from ring.measured import Failed, Refused
from support.ports import free_ports

LOG_SHOWN_CHARACTERS = 2_000
PATIENCE = 60  # Seconds to start or to end; under callgrind on a busy machine.


class Started(Pgweir):
    """A context. Until its end pgweir serves, for a PostgreSQL at `server_port` that may come."""

    def __init__(self, build, *tool):
        super().__init__(build / "pgweir")
        self.build, self.tool = build, list(tool)
        self.pid = None  # Of pgweir itself.

    def command(self, directory):
        return [*(word.replace("DIRECTORY", str(directory)) for word in self.tool),
                *super().command(directory)]

    def __enter__(self):
        if self.tool and not shutil.which(self.tool[0]):
            raise Failed(f"{self.tool[0]} is missing; tools/install_dependencies.sh test "
                         f"installs it")
        self.temporary = tempfile.TemporaryDirectory(prefix="pgweir_ring_")
        self.directory = pathlib.Path(self.temporary.name)
        *own, server_port = free_ports(3)
        self.take_ports(own, server_port)
        self.start(self.directory)
        try:
            self.await_listening()
            self.pid = self.find_pid()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        self.temporary.cleanup()

    def await_listening(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise self.false_start() from None
                time.sleep(0.05)

    def false_start(self):
        what = f"{' '.join(self.command(self.directory))} does not start:\n{self.log()}"
        if "ptrace" not in what:
            return Failed(what)
        return Refused(what + "The kernel refuses to let a process be traced. A container may "
                              "need: docker run --cap-add=SYS_PTRACE\n")

    def log(self):
        log = self.directory / f"{self.port}.log"
        return log.read_text(errors="replace")[-LOG_SHOWN_CHARACTERS:]

    def find_pid(self):
        """strace runs what it watches as its child; valgrind becomes it."""
        name = pathlib.Path(f"/proc/{self.process.pid}/comm").read_text().strip()
        return self.pids()[-1] if name == "strace" else self.process.pid

    def stop(self):
        """Ends pgweir itself; strace takes no signals, and ends with what it watches."""
        if self.process.poll() is None:
            os.kill(self.pid or self.find_pid(), signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("pgweir does not end") from None

    def end(self):
        self.stop()
        if self.process.returncode != 0:
            raise Failed(f"pgweir ended with status {self.process.returncode}:\n{self.log()}")
