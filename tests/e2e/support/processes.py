"""Small things about processes and waiting that both servers of a test need."""

import os
import pwd
import subprocess
import time
from pathlib import Path

DEBIAN_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
POSTGRES_PROGRAMS = Path(os.environ.get("PGWEIR_POSTGRES_PROGRAMS", DEBIAN_PROGRAMS))
POSTGRES_USER = "postgres"


def is_root():
    return os.geteuid() == 0


def postgres_program(name):
    """Of the version under test; what its package lacks (clients, that is) is Debian's."""
    program = POSTGRES_PROGRAMS / name
    return program if program.exists() else DEBIAN_PROGRAMS / name


def as_postgres_user(command):
    """PostgreSQL refuses to run as root, so that root runs it as the user of Debian's package."""
    return ["runuser", "-u", POSTGRES_USER, "--", *command] if is_root() else list(command)


def give_to_postgres_user(path):
    if is_root():
        user = pwd.getpwnam(POSTGRES_USER)
        os.chown(path, user.pw_uid, user.pw_gid)


def run(command, **options):
    """Runs a command to its end and returns it; its output is text. Fails the test if it hangs."""
    defaults = {"capture_output": True, "text": True, "timeout": 120}
    if "input" not in options:
        defaults["stdin"] = subprocess.DEVNULL
    return subprocess.run([str(word) for word in command], **{**defaults, **options})


def wait_until(condition, seconds, what):
    """Polls `condition` until it is true and returns its value; fails loudly after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.01)
