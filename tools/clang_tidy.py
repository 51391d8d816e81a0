#!/usr/bin/env python3
"""Runs clang-tidy on what changed; never twice on the same text.

On a branch, changed is what differs from the merge base with origin/main. On main itself there is
no such base, and it is what is not committed and what the last commits touched, the newest first,
for at most two and a half minutes: the rest has been checked when it was the newest. --full takes
every source. A changed header is checked through one source that includes it.

A source that passed is remembered in build/tidy-cache by a hash of itself, all of our headers that
it includes and .clang-tidy. Needs a build in build/dev, whose compiler recorded the includes.

    tools/clang_tidy.py [--full] [FILE…]
"""

import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/dev"
CACHE = ROOT / "build/tidy-cache"
COMMITS_MAX = 20
SECONDS_MAX = 150  # No source of an older commit is begun after that.
# How far the analyzer follows one function: a tenth of what it would, in a third of the time.
ANALYZER = [f"--extra-arg={word}"
            for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=20000")]
NOISE = re.compile(r"^(\d+ warnings? .*generated\.|Suppressed .*|Use -header-filter.*)$", re.M)


def parse_dependencies(listing, root):
    """`ninja -t deps` output → for each of our sources the set of our files that it is made of."""
    made_of = {}
    for block in listing.split("\n\n"):
        paths = [os.path.normpath(os.path.join(root, "build/dev", line.strip()))
                 for line in block.splitlines()[1:]]
        ours = [path[len(root) + 1:] for path in paths
                if path.startswith(root + "/") and not path.startswith(root + "/build/")]
        if ours and ours[0].endswith(".cc"):
            made_of[ours[0]] = set(ours)
    return made_of


def choose(changed, made_of):
    """The sources to check so that each changed file is seen at least once, in that order."""
    chosen = {path: None for path in changed if path in made_of}  # A set that keeps its order.
    for header in (path for path in changed if path.endswith(".h")):
        users = [source for source in sorted(made_of) if header in made_of[source]]
        if not users or not chosen.keys().isdisjoint(users):
            continue
        own = header[:-2] + ".cc"
        chosen[own if own in users else users[0]] = None
    return list(chosen)


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def list_changed():
    """What changed, the newest first, and whether that must be checked whatever it takes."""
    uncommitted = (git("diff", "--name-only", "HEAD") + "\n"
                   + git("ls-files", "--others", "--exclude-standard")).split()
    base = git("merge-base", "HEAD", "origin/main")
    if base not in ("", git("rev-parse", "HEAD")):
        return uncommitted + git("diff", "--name-only", base, "HEAD").split(), True
    recent = git("log", f"--max-count={COMMITS_MAX}", "--name-only", "--format=").split()
    return uncommitted + recent, False


def key_of(source, made_of, version):
    digest = hashlib.sha256(version)
    for path in [".clang-tidy", *sorted(made_of[source])]:
        digest.update(path.encode() + b"\0" + (ROOT / path).read_bytes())
    return digest.hexdigest()


def check(source):
    """Runs clang-tidy; returns what it complains about, or an empty text."""
    command = ["clang-tidy", "-p", str(BUILD), "--quiet", *ANALYZER, source]
    if not source.startswith("src/") or source.endswith("_test.cc"):
        # Walking the paths through GoogleTest's macros takes longer than all other checks together.
        command.append("--checks=-clang-analyzer-*")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    return NOISE.sub("", done.stdout + done.stderr).strip() or f"exit status {done.returncode}"


class Checker:
    """Checks sources until the time is up, remembers those that pass and prints the others."""

    def __init__(self, stamps, deadline):
        self.stamps = stamps
        self.deadline = deadline
        self.failed = []
        self.left_out = []
        self.lock = threading.Lock()

    def __call__(self, source):
        started = time.monotonic()
        if started > self.deadline:
            self.left_out.append(source)
            return
        complaints = check(source)
        if complaints:
            self.failed.append(source)
        else:
            self.stamps[source].touch()
        with self.lock:
            print(f"{source} {time.monotonic() - started:.1f} s", flush=True)
            if complaints:
                print(complaints, flush=True)


def main(arguments):
    listing = subprocess.run(["ninja", "-C", str(BUILD), "-t", "deps"], check=True,
                             capture_output=True, text=True).stdout
    made_of = parse_dependencies(listing, str(ROOT))
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
    files = [argument for argument in arguments if not argument.startswith("--")]
    if "--full" in arguments:
        chosen, is_complete = sorted(made_of), True
    else:
        changed, is_complete = (files, True) if files else list_changed()
        chosen = choose(changed, made_of)
    CACHE.mkdir(parents=True, exist_ok=True)
    stamps = {source: CACHE / key_of(source, made_of, version) for source in chosen}
    todo = [source for source, stamp in stamps.items() if not stamp.exists()]
    print(f"{len(chosen)} files of {len(made_of)}, {len(chosen) - len(todo)} of them known good")
    checker = Checker(stamps, float("inf") if is_complete else time.monotonic() + SECONDS_MAX)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(checker, todo))
    if checker.left_out:
        print(f"{len(checker.left_out)} files of older commits left out; --full checks them too")
    if checker.failed:
        print("To repeat: tools/clang_tidy.py " + " ".join(sorted(checker.failed)))
    return 1 if checker.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
