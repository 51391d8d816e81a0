#!/usr/bin/env python3
"""Breaks pgweir on purpose, and demands that the simulation notices.

Each tests/sim/mutants/NAME.patch is one mistake that somebody could make. It is applied to a copy
of the tree in build/mutants. There the simulation is built as a release, so that ccache knows all
but the changed source, and run until a seed fails. A mutant that survives every seed is a hole in
the simulation; a patch that no longer applies, or no longer compiles, shows nothing. Both fail.

    tools/mutants.py [--seeds N] [NAME…]    these mutants or all of them, with 2,000 seeds at most
"""

import argparse
import fcntl
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "tests/sim/mutants"
COPY = ROOT / "build/mutants"
SIMULATION = COPY / "build/release/pgweir_sim"
# What the simulation is built of.
PARTS = ["CMakeLists.txt", "CMakePresets.json", "cmake", "src", "tests/CMakeLists.txt",
         "tests/sim/*.cc", "tests/sim/*.h", "tests/sim/CMakeLists.txt"]
SEEDS = 2000
FIRST_PORTION = 50  # Most mutants are caught by these; each next portion is three times as large.
BUILD_SECONDS_MAX = 900
RUN_SECONDS_MAX = 120  # For one part of a portion, which takes a tenth of that.
FAILED_SEED = re.compile(r"^simulation failed: seed (\d+)", re.M)
REASON = re.compile(r"^(?:simulation: (?P<check>.*)|.*(?P<assertion>assertion failed: .*)"
                    r"|(?P<throw>terminate called.*))$", re.M)
REASON_LENGTH_MAX = 110


class Trouble(Exception):
    """Neither caught nor survived: the reader is told why, and the run fails."""


@dataclass
class Catch:
    seed: int
    reason: str


def portions(count):
    """Cuts 1…count into (first, count), small ones first."""
    first, size = 1, FIRST_PORTION
    while first <= count:
        part = min(size, count - first + 1)
        yield first, part
        first, size = first + part, size * 3


def slices(first, count, parts):
    """Cuts `count` seeds from `first` on into at most `parts` runs of consecutive ones."""
    for i in range(parts):
        begin, end = count * i // parts, count * (i + 1) // parts
        if begin < end:
            yield first + begin, end - begin


def read_outcome(status, output, first):
    """What a run of pgweir_sim says: None, or the seed that failed and why."""
    if status == 0:
        return None
    if status > 0:
        raise Trouble(f"pgweir_sim ends with status {status}: {output.strip()[-500:]}")
    seed = FAILED_SEED.search(output)
    reason = REASON.search(output)
    words = next(filter(None, reason.groups()), "") if reason else f"killed by signal {-status}"
    if len(words) > REASON_LENGTH_MAX:
        words = words[:REASON_LENGTH_MAX] + "…"
    return Catch(int(seed[1]) if seed else first, words)


def describe(patch):
    """The lines in front of the first file: what is broken, and what should notice it."""
    return " ".join(patch.partition("\n--- ")[0].split())


def simulate(first, count):
    command = [SIMULATION, "--first", str(first), "--seeds", str(count)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                              timeout=RUN_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{count} seeds from {first} on take more than {RUN_SECONDS_MAX} s") from None
    return read_outcome(done.returncode, done.stderr, first)


def hunt(count):
    """Runs seeds 1…count in growing portions, on all processors, up to the first that fails."""
    processors = os.cpu_count() or 1
    with ThreadPoolExecutor(processors) as workers:
        for first, size in portions(count):
            runs = workers.map(lambda part: simulate(*part), slices(first, size, processors))
            caught = [catch for catch in runs if catch is not None]
            if caught:
                return min(caught, key=lambda catch: catch.seed)
    return None


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options)
    return done.returncode, done.stdout


def list_sources():
    listing = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard", *PARTS],
                             cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {path for path in listing.split("\0") if path and (ROOT / path).is_file()}


def synchronise(sources):
    """Makes the copy as the tree is, touching only what differs: the rest need not be rebuilt."""
    there = {str(path.relative_to(COPY)) for folder in ("src", "cmake", "tests")
             for path in (COPY / folder).rglob("*") if path.is_file()}
    for path in there - sources:
        (COPY / path).unlink()
    for path in sources:
        copy, text = COPY / path, (ROOT / path).read_bytes()
        if copy.is_file() and copy.read_bytes() == text:
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(text)


def apply(patch, folder, *options):
    """git takes no patch whose context differs. Beyond the ceiling is the repository around us."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    status, output = run(["git", "apply", *options, str(patch)], cwd=folder, env=environment)
    if status != 0:
        raise Trouble(f"does not apply any more:\n{output.strip()}")


def build():
    try:
        status, output = run(["cmake", "--build", "--preset", "release", "--target", "pgweir_sim"],
                             cwd=COPY, timeout=BUILD_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Trouble(f"building takes more than {BUILD_SECONDS_MAX} s") from None
    if status != 0:
        raise Trouble("does not compile:\n" + "\n".join(output.splitlines()[-30:]))


def prepare(seeds):
    """Builds the tree as it is; what its own simulation finds is no mutant's doing."""
    synchronise(list_sources())
    status, output = run(["cmake", "--preset", "release"], cwd=COPY)
    if status != 0:
        raise Trouble(output)
    build()
    if (catch := hunt(seeds)) is not None:
        raise Trouble(f"without any mutant, seed {catch.seed} fails: {catch.reason}")


def try_mutant(patch, seeds):
    """The line to print about it. Leaves the copy broken: the next one starts from the tree."""
    sources = list_sources()
    synchronise(sources)
    apply(patch, COPY)
    build()
    catch = hunt(seeds)
    if catch is None:
        raise Trouble(f"SURVIVED {seeds} seeds. {describe(patch.read_text())}")
    return f"seed {catch.seed}: {catch.reason}"


def check(patches, seeds):
    started = time.monotonic()
    prepare(seeds)
    print(f"{'the tree as it is':28} holds for {seeds} seeds, {time.monotonic() - started:.0f} s",
          flush=True)
    failed = []
    for patch in patches:
        begun = time.monotonic()
        try:
            outcome = try_mutant(patch, seeds)
        except Trouble as trouble:
            failed.append(patch.stem)
            outcome = f"{trouble}\n    To repeat: tools/mutants.py {patch.stem}"
        print(f"{patch.stem:28} {outcome}, {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{len(patches) - len(failed)} of {len(patches)} mutants caught, "
          f"{time.monotonic() - started:.0f} s")
    if failed:
        print("To repeat: tools/mutants.py " + " ".join(failed))
    return 1 if failed else 0


def find_patches(names):
    patches = sorted(MUTANTS.glob("*.patch"))
    unknown = set(names) - {patch.stem for patch in patches}
    if unknown:
        raise Trouble(f"tests/sim/mutants holds no {', '.join(sorted(unknown))}")
    return [patch for patch in patches if not names or patch.stem in names]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    try:
        patches = find_patches(options.names)
        COPY.mkdir(parents=True, exist_ok=True)
        with open(COPY / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # There is one copy of the tree.
            return check(patches, options.seeds)
    except Trouble as trouble:
        print(f"mutants: {trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
