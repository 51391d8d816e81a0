#!/usr/bin/env python3
"""Breaks pgweir on purpose, and demands that the simulation notices.

Each tests/sim/mutants/NAME.patch is one mistake that somebody could make. It is applied to a copy
of the tree in build/mutants. There the simulation is built as a release, so that ccache knows all
but the changed source, and run until a seed fails. A mutant that survives every seed is a hole in
the simulation; a patch that no longer applies, or no longer compiles, shows nothing. Both fail.

Most of a mutant's time goes into compiling one source and linking, which keeps one processor busy.
So there is a copy for each processor, and as many mutants are tried at the same time.

    tools/mutants.py [--seeds N] [NAME…]    these mutants or all of them, with 2,000 seeds at most
"""

import argparse
import fcntl
import os
import queue
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "tests/sim/mutants"
COPIES = ROOT / "build/mutants"
PROCESSORS = os.cpu_count() or 1
# What the simulation is built of.
PARTS = ["CMakeLists.txt", "CMakePresets.json", "cmake", "src", "tests/CMakeLists.txt",
         "tests/sim/*.cc", "tests/sim/*.h", "tests/sim/CMakeLists.txt"]
SEEDS = 2000
FIRST_PORTION = 50  # Most mutants are caught by these; each next portion is three times as large.
BUILD_SECONDS_MAX = 900
RUN_SECONDS_MAX = 120  # For one part of a portion, which takes a fifth of that.
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


def simulate(copy, first, count):
    command = [copy / "build/release/pgweir_sim", "--first", str(first), "--seeds", str(count)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                              timeout=RUN_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{count} seeds from {first} on take more than {RUN_SECONDS_MAX} s") from None
    return read_outcome(done.returncode, done.stderr, first)


def hunt(copy, count, processors):
    """Runs seeds 1…count in growing portions, on so many processors, up to the first that fails."""
    with ThreadPoolExecutor(processors) as workers:
        for first, size in portions(count):
            runs = workers.map(lambda part: simulate(copy, *part), slices(first, size, processors))
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


def synchronise(copy, sources):
    """Makes the copy as the tree is, touching only what differs: the rest need not be rebuilt."""
    there = {str(path.relative_to(copy)) for folder in ("src", "cmake", "tests")
             for path in (copy / folder).rglob("*") if path.is_file()}
    for path in there - sources:
        (copy / path).unlink()
    for path in sources:
        file, text = copy / path, (ROOT / path).read_bytes()
        if file.is_file() and file.read_bytes() == text:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)


def apply(patch, folder, *options):
    """git takes no patch whose context differs. Beyond the ceiling is the repository around us."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    status, output = run(["git", "apply", *options, str(patch)], cwd=folder, env=environment)
    if status != 0:
        raise Trouble(f"does not apply any more:\n{output.strip()}")


def build(copy):
    try:
        status, output = run(["cmake", "--build", "--preset", "release", "--target", "pgweir_sim"],
                             cwd=copy, timeout=BUILD_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Trouble(f"building takes more than {BUILD_SECONDS_MAX} s") from None
    if status != 0:
        raise Trouble("does not compile:\n" + "\n".join(output.splitlines()[-30:]))


def prepare(copies, seeds):
    """Builds the tree as it is; what its own simulation finds is no mutant's doing."""
    sources = list_sources()
    for copy in copies:
        synchronise(copy, sources)
        status, output = run(["cmake", "--preset", "release"], cwd=copy)
        if status != 0:
            raise Trouble(output)
        build(copy)
    if (catch := hunt(copies[0], seeds, PROCESSORS)) is not None:
        raise Trouble(f"without any mutant, seed {catch.seed} fails: {catch.reason}")


def try_mutant(copy, patch, seeds, processors):
    """The line to print about it. Leaves the copy broken: the next one starts from the tree."""
    synchronise(copy, list_sources())
    apply(patch, copy)
    build(copy)
    catch = hunt(copy, seeds, processors)
    if catch is None:
        raise Trouble(f"SURVIVED {seeds} seeds. {describe(patch.read_text())}")
    return f"seed {catch.seed}: {catch.reason}"


def report_mutant(free_copies, patch, seeds, processors):
    """Tries it in a copy that nobody has: whether it was caught, and the line to print about it."""
    copy, begun, is_caught = free_copies.get(), time.monotonic(), True
    try:
        outcome = try_mutant(copy, patch, seeds, processors)
    except Trouble as trouble:
        is_caught = False
        outcome = f"{trouble}\n    To repeat: tools/mutants.py {patch.stem}"
    finally:
        free_copies.put(copy)
    return is_caught, f"{patch.stem:28} {outcome}, {time.monotonic() - begun:.0f} s"


def try_all(copies, patches, seeds):
    """As many at a time as there are copies, told in order: the names of those that failed."""
    free_copies, failed = queue.SimpleQueue(), []
    for copy in copies:
        free_copies.put(copy)
    processors = PROCESSORS // len(copies)
    with ThreadPoolExecutor(len(copies)) as workers:
        reports = workers.map(
            lambda patch: report_mutant(free_copies, patch, seeds, processors), patches)
        for patch, (is_caught, line) in zip(patches, reports):
            print(line, flush=True)
            if not is_caught:
                failed.append(patch.stem)
    return failed


def check(patches, seeds):
    started = time.monotonic()
    copies = [COPIES / str(number + 1) for number in range(max(1, min(PROCESSORS, len(patches))))]
    for copy in copies:
        copy.mkdir(exist_ok=True)
    prepare(copies, seeds)
    print(f"{'the tree as it is':28} holds for {seeds} seeds, {time.monotonic() - started:.0f} s",
          flush=True)
    failed = try_all(copies, patches, seeds)
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
        COPIES.mkdir(parents=True, exist_ok=True)
        with open(COPIES / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # Nobody else changes the copies meanwhile.
            return check(patches, options.seeds)
    except Trouble as trouble:
        print(f"mutants: {trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
