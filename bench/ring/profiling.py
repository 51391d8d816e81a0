"""User instructions and allocations per transaction, counted by callgrind.

It executes every instruction itself, so the figures are exact, whatever else the machine does.
Allocations come from the same run: callgrind knows who called malloc how often, and so can say
where an allocation comes from, which a counting library under LD_PRELOAD could not. Thread by
thread, so that what the control thread does by the clock is left out. The counts are dumped before
and behind a lap of the sandwich, while nothing is under way.
"""

import collections
import re
import subprocess

from ring.measured import Failed, Measured
from ring.sandwich import Sandwich
from ring.started import Started

FIGURES = ("allocations", "instructions")
TOOL = ("valgrind", "--quiet", "--tool=callgrind", "--separate-threads=yes",
        "--compress-strings=no", "--compress-pos=no", "--callgrind-out-file=DIRECTORY/counts",
        "--vgdb-prefix=DIRECTORY/vgdb")
TRANSACTIONS = 10_000
DUMP_SECONDS_MAX = 60
FUNCTIONS_SHOWN = 8
NAME_SHOWN_CHARACTERS = 90  # Of a template only the beginning says something.
ALLOCATOR = re.compile(r"(malloc|calloc|realloc|reallocarray|memalign|aligned_alloc|"
                       r"posix_memalign|operator new(\[\])?\(.*\))$")


class Profile:
    """What one thread did between two dumps. Source of truth: valgrind's "Callgrind Format"."""

    def __init__(self, lines):
        self.instructions = collections.Counter()  # Of each function, without those it calls.
        self.allocations = collections.Counter()  # By the function that asked for them.
        function = callee = ""
        is_of_callee = False  # The line behind a call says what the callee needed.
        for line in lines:
            key, _, value = line.rstrip("\n").partition("=")
            if key == "fn":
                function = value
            elif key == "cfn":
                callee = value
            elif key == "calls":
                is_of_callee = True
                if ALLOCATOR.match(callee) and not ALLOCATOR.match(function):
                    self.allocations[function] += int(value.split()[0])
            elif key[:1].isdigit():
                if not is_of_callee:
                    self.instructions[function] += int(key.split()[1])
                is_of_callee = False

    def figures(self, transactions):
        return {"allocations": per_transaction(self.allocations, transactions),
                "instructions": per_transaction(self.instructions, transactions)}


def per_transaction(counts, transactions):
    most = "; ".join(f"{count / transactions:.4g} in {function[:NAME_SHOWN_CHARACTERS]}"
                     for function, count in counts.most_common(FUNCTIONS_SHOWN))
    return Measured(counts.total() / transactions, most)


def dump(pgweir, number):
    """Ends the period that is counted, the `number`th; returns the profile of its busiest thread,
    which is the data reactor."""
    done = subprocess.run(
        ["vgdb", f"--vgdb-prefix={pgweir.directory}/vgdb", f"--pid={pgweir.pid}",
         f"--cmd-time-out={DUMP_SECONDS_MAX}", "dump"],
        capture_output=True, text=True, check=False, timeout=2 * DUMP_SECONDS_MAX)
    files = list(pgweir.directory.glob(f"counts.{number}-*"))
    if done.returncode != 0 or not files:
        raise Failed(f"callgrind does not dump its counts:\n{done.stdout}{done.stderr}")
    profiles = []
    for file in files:
        with open(file, errors="replace") as lines:
            profiles.append(Profile(lines))
    return max(profiles, key=lambda profile: profile.instructions.total())


def measure(build, workloads):
    measured = {}
    with Started(build, *TOOL) as pgweir:
        for number, workload in enumerate(workloads):
            with Sandwich(pgweir, workload) as sandwich:
                sandwich.warm_up()
                if not dump(pgweir, 2 * number + 1).allocations:
                    raise Failed("callgrind shows no allocation where clients have logged in")
                transactions = sandwich.lap(TRANSACTIONS)
                found = dump(pgweir, 2 * number + 2).figures(transactions)
            measured |= {(figure, workload): value for figure, value in found.items()}
    return measured
