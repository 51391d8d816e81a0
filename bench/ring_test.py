#!/usr/bin/env python3
"""The deterministic ring: what pgweir spends, counted and held to limits.

    bench/ring_test.py                      everything
    bench/ring_test.py allocations simple   only figures with these words in their names

Measures pgweir alone, with clients and a canned PostgreSQL around it that check every byte. Counts
and no times, so that a busy machine comes to the same figures. Fails if one is above its limit
(bench/ring/limits.py), or could not be measured; where only the kernel refuses to let a process be
traced, it says so and ends with 77, which ctest shows as skipped.
"""

import argparse
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from ring import arriving, profiling, resting, tracing  # noqa: E402
from ring.limits import LIMITS, MEANINGS  # noqa: E402
from ring.measured import Failed, Refused  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent
SKIPPED = 77  # The exit status of a test that cannot be run here.
SLACK_SHARE = 0.97  # Of what was measured once; a figure below that asks for a lower limit.


def choose(words):
    """The limit of this name; or all with each of the words in their names."""
    return ([limit for limit in LIMITS if limit.name == words]
            or [limit for limit in LIMITS if all(word in limit.name for word in words.split())])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD",
                        help="names: " + ", ".join(limit.name for limit in LIMITS))
    parser.add_argument("--build", type=pathlib.Path,
                        default=os.environ.get("PGWEIR_BUILD", ROOT / "build/release"))
    parser.add_argument("--explain", action="store_true", help="what each figure is made of")
    arguments = parser.parse_args()
    arguments.limits = choose(" ".join(arguments.words))
    if not arguments.limits:
        parser.error("no figure has these words in its name")
    for program in ("pgweir", "pgweir_sandwich"):
        if not os.access(arguments.build / program, os.X_OK):
            parser.error(f"{arguments.build / program} is missing; build it with: cmake --preset "
                         f"release && cmake --build --preset release --target {program}")
    return arguments


def measure(build, limits):
    """What is known of their figures, what went wrong with others, and what may not be seen."""
    measured, problems, refusals = {}, [], []
    for tool in (tracing, arriving, profiling, resting):
        mine = [limit for limit in limits if limit.figure in tool.FIGURES]
        workloads = dict.fromkeys(limit.workload for limit in mine)  # Each once, in their order.
        if not mine:
            continue
        print(f"ring: {', '.join(dict.fromkeys(limit.figure for limit in mine))} …", flush=True)
        try:
            measured |= tool.measure(build, workloads)
        except (Failed, OSError) as error:
            kind = refusals if isinstance(error, Refused) else problems
            kind.append(f"{', '.join(limit.name for limit in mine)}: not measured: {error}")
    return measured, problems, refusals


def explain(found):
    return "\n    ".join(["  of it:", *found.detail.split("; ")])


def describe_excess(limit, found):
    return (f"{limit.name}: {found.value:.2f} is more than {limit.most:g} "
            f"({MEANINGS[limit.figure]})\n{explain(found)}\n"
            f"  To repeat it alone: bench/ring_test.py '{limit.name}'")


def report(limits, measured, is_explained):
    """Prints the table; returns what is above its limit."""
    print(f"\n{'figure':27}{'now':>10}{'limit':>8}{'once':>10}")
    problems = []
    for limit in limits:
        found = measured.get((limit.figure, limit.workload))
        now = f"{found.value:.2f}" if found else "?"
        note = ""
        if found and not limit.holds(found.value):
            note = "  TOO MUCH"
            problems.append(describe_excess(limit, found))
        elif found and limit.measured and found.value < SLACK_SHARE * limit.measured:
            note = "  less than once: lower both in bench/ring/limits.py"
        print(f"{limit.name:27}{now:>10}{limit.most:>8g}{limit.measured:>10.2f}{note}")
        if found and is_explained:
            print(explain(found))
    return problems


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # What was started ends with us.
    measured, problems, refusals = measure(arguments.build, arguments.limits)
    problems += report(arguments.limits, measured, arguments.explain)
    for problem in problems + refusals:
        print(f"\n{problem}")
    sys.exit(1 if problems else SKIPPED if refusals else 0)


if __name__ == "__main__":
    main()
