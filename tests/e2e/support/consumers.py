"""What the tests of the library share that build somebody else's project with it."""

import os
import shlex
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("PGWEIR_BINARY", SOURCE / "build/release/pgweir")).resolve().parent


def run(*command, **options):
    """What the command prints; if it fails, that is in the error."""
    done = subprocess.run(list(map(str, command)), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def install_library(prefix):
    run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "library")
