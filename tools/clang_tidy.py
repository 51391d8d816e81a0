#!/usr/bin/env python3
"""Runs clang-tidy on what changed; never twice on the same text.

Changed is what differs from the merge base with origin/main (or, when that is here already, from
the last commit but one), and for a header one source that includes it. --full takes every source.
A source that passed is remembered in build/tidy-cache by a hash of itself, all of our headers that
it includes and .clang-tidy. Needs a build in build/clang, whose compiler recorded the includes.

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
BUILD = ROOT / "build/clang"
CACHE = ROOT / "build/tidy-cache"
NOISE = re.compile(r"^(\d+ warnings? .*generated\.|Suppressed .*|Use -header-filter.*)$", re.M)


def parse_dependencies(listing, root):
    """`ninja -t deps` output → for each of our sources the set of our files that it is made of."""
    made_of = {}
    for block in listing.split("\n\n"):
        paths = [os.path.normpath(os.path.join(root, "build/clang", line.strip()))
                 for line in block.splitlines()[1:]]
        ours = [path[len(root) + 1:] for path in paths
                if path.startswith(root + "/") and not path.startswith(root + "/build/")]
        if ours and ours[0].endswith(".cc"):
            made_of[ours[0]] = set(ours)
    return made_of


def choose(changed, made_of):
    """The sources to check so that each changed file is seen at least once."""
    chosen = {path for path in changed if path in made_of}
    for header in sorted(path for path in changed if path.endswith(".h")):
        users = [source for source in sorted(made_of) if header in made_of[source]]
        if not users or chosen.intersection(users):
            continue
        own = header[:-2] + ".cc"
        chosen.add(own if own in users else users[0])
    return chosen


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def list_changed():
    head = git("rev-parse", "HEAD")
    base = git("merge-base", "HEAD", "origin/main")
    if base in ("", head):
        base = git("rev-parse", "--verify", "--quiet", "HEAD~1") or git("hash-object", "-t", "tree",
                                                                        "/dev/null")
    return set((git("diff", "--name-only", base) + "\n"
                + git("ls-files", "--others", "--exclude-standard")).split())


def key_of(source, made_of, version):
    digest = hashlib.sha256(version)
    for path in [".clang-tidy", *sorted(made_of[source])]:
        digest.update(path.encode() + b"\0" + (ROOT / path).read_bytes())
    return digest.hexdigest()


def check(source):
    """Runs clang-tidy; returns what it complains about, or an empty text."""
    done = subprocess.run(["clang-tidy", "-p", str(BUILD), "--quiet", source], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    return NOISE.sub("", done.stdout + done.stderr).strip()


def main(arguments):
    listing = subprocess.run(["ninja", "-C", str(BUILD), "-t", "deps"], check=True,
                             capture_output=True, text=True).stdout
    made_of = parse_dependencies(listing, str(ROOT))
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
    files = {argument for argument in arguments if not argument.startswith("--")}
    chosen = set(made_of) if "--full" in arguments else choose(files or list_changed(), made_of)
    CACHE.mkdir(parents=True, exist_ok=True)
    stamps = {source: CACHE / key_of(source, made_of, version) for source in sorted(chosen)}
    todo = [source for source, stamp in stamps.items() if not stamp.exists()]
    print(f"{len(chosen)} files of {len(made_of)}, {len(chosen) - len(todo)} of them known good")
    print_lock = threading.Lock()

    def check_one(source):
        started = time.monotonic()
        complaints = check(source)
        if not complaints:
            stamps[source].touch()
        with print_lock:
            print(f"{source} {time.monotonic() - started:.1f} s", complaints, sep="\n", flush=True)
        return not complaints

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        return 0 if all(list(workers.map(check_one, todo))) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
