"""Packages of npm below build/, as a package-lock.json pins them."""

import fcntl
import hashlib
import os
import shutil

from support import processes
from support.pgweir import ROOT


def install(source, name, finish):
    """Copies the files of `source` to build/`name` and has npm install there what they ask for.

    Then `finish(place)` is called. What is there already is left alone; one process does it for
    all that wait.
    """
    place = ROOT / "build" / name
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = "".join(hashlib.sha256(file.read_bytes()).hexdigest()
                         for file in sorted(source.iterdir()) if file.is_file())
        stamp = place / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.copytree(source, place, dirs_exist_ok=True)
            # No package may run code of its own here.
            run(place, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                        "--prefer-offline"])
            finish(place)
            stamp.write_text(wanted)
    return place


def run(place, command, **environment):
    done = processes.run(command, cwd=place, env={**os.environ, **environment}, timeout=280)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-6000:]}"
                             f"{done.stderr[-3000:]}")
