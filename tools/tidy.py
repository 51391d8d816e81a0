#!/usr/bin/env python3
"""Checks what a compiler cannot: who may include whom, bans that name the replacement, lengths.

The floors are read from the add_floor() and add_program() lines of CMakeLists.txt, their one copy.
Prints `file:line: message` for each finding and exits with 1 if there is any.

    tools/tidy.py [ROOT]
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

COLUMNS_MAX = 100
LINES_MAX = 400
# Files that may be longer, and why. An entry may shrink or go, not grow.
LINES_MAX_OF = {
    # "src/floor/file.cc": 450,  # One reason in one sentence.
}

SHELLS = {"net", "loop", "control", "gateway", "client", "server", "cli"}
TOPS = {"server", "cli"}
TEST_SUFFIXES = ("_test.cc", "_test.h")

# Libraries that throw. Only the .cc files that include them may catch.
THROWING = re.compile(r'#include\s+<(toml\+\+|CLI|boost|nlohmann|prometheus)[/.>]')


@dataclass(frozen=True)
class Ban:
    """Something that code must not say, and what to say instead."""

    pattern: re.Pattern
    instead: str
    allowed_on: frozenset = frozenset()  # Floors.
    in_tests: bool = False  # Whether tests are held to it too.


def ban(pattern, instead, allowed_on=frozenset(), in_tests=False):
    return Ban(re.compile(pattern), instead, frozenset(allowed_on), in_tests)


SYSTEM_HEADERS = (r"#include\s+<(sys/|netinet/|arpa/|net/|thread|unistd\.h|fcntl\.h|poll\.h|"
                  r"pthread\.h|netdb\.h|signal\.h|csignal|ctime|time\.h|fstream|filesystem)")
BANS = [
    ban(r"\bthrow\b(?!\()", "return a base::Error"),
    ban(r"\bassert\(", "ASSERT (base/assert.h), which stays on in release", in_tests=True),
    ban(r"(steady|system|high_resolution)_clock::now|\bclock_gettime\b|\bgettimeofday\b",
        "take `now` as a parameter", SHELLS),
    ban(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "the loop's timers (Io::wake_at)", {"cli"},
        in_tests=True),
    ban(r"\b(s?rand|random)\(|\brandom_device\b|\bmt19937", "base::Rng, seeded by the caller",
        {"net"}, in_tests=True),
    ban(r"\b(f|v|vf)?printf\(|std::(cout|cerr|clog)\b", "an event of obs::Log", TOPS),
    ban(r"\bgetenv\b", "config, which the top floor gives the environment", TOPS),
    ban(SYSTEM_HEADERS, "Io (base/io.h): only the shells speak to the system", SHELLS),
]
# Places where a ban does not hold, and why.
NOT_BANNED = {
    ("src/client/database_pool.cc", "sleep_for"): "the caller's own thread pauses before a retry",
    ("src/client/options.cc", "getenv"): "the library is its own top floor",
    ("src/client/database.cc", "getenv"): "the library is its own top floor",
    ("src/client/error.cc", "throw"): "users of the library get exceptions, all of them from here",
    ("src/base/assert.cc", "printf"): "the last words of a process that is about to abort",
    ("src/server/daemon.cc", "sleep_for"): "the main thread has no loop and awaits a first look",
}

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(home|root|work)/\w")
INCLUDE = re.compile(r'\s*#include\s+"([^"]+)"')
PUBLIC = "pgweir"  # The folder below include/.
FLOOR_LINE = re.compile(r"^\s*add_(floor|program)\(([^)]*)\)", re.MULTILINE)
QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'')


@dataclass
class Floor:
    name: str
    line: int
    depends: list = field(default_factory=list)
    options: list = field(default_factory=list)  # Floors of which only options.h is visible.
    visible: set = field(default_factory=set)  # `depends`, closed transitively, and itself.


def read_floors(cmake):
    """The floors of a CMakeLists.txt by name, and complaints about their order."""
    floors, problems = {}, []
    for match in FLOOR_LINE.finditer(cmake):
        words = match[2].split()
        name = words[1] if match[1] == "program" else words[0]
        floor = Floor(name, cmake.count("\n", 0, match.start()) + 1)
        lists = {"DEPENDS": floor.depends, "OPTIONS": floor.options}
        into = []
        for word in words[1:]:
            into = lists.get(word, [] if word.isupper() else into)
            if not word.isupper():
                into.append(word)
        floor.visible = {name}
        for below in floor.depends + floor.options:
            if below not in floors:
                problems.append((f"CMakeLists.txt:{floor.line}",
                                 f"floor {name} needs {below}, which is not declared above it"))
            elif below in floor.depends:
                floor.visible |= floors[below].visible
        floors[name] = floor
    return floors, problems


def check_include(header, floor, floors, headers):
    """Why `floor` may not include `header`, or None."""
    folder = header.split("/")[0]
    if header not in headers:
        return f'there is no "{header}" below src/ or include/; includes are "folder/file.h"'
    if folder == PUBLIC:
        folder = "client"  # What users of the library see is its part of the house.
    if folder not in floors or folder in floor.visible:
        return None
    if folder in floor.options and header.endswith("/options.h"):
        return None
    what = "more of it than options.h" if folder in floor.options else folder
    return f"floor {floor.name} may not include {what}"


def without_text(line):
    """The line without string literals and comments: what the compiler would act on."""
    return QUOTED.sub('""', line).split("//")[0]


def check_bans(path, floor, line):
    is_test = path.endswith(TEST_SUFFIXES)
    for rule in BANS:
        found = rule.pattern.search(line)
        if not found or floor in rule.allowed_on or (is_test and not rule.in_tests):
            continue
        if any(path == file and word in found[0] for file, word in NOT_BANNED):
            continue
        yield f"`{found[0].strip()}` is not used here: {rule.instead}"


def check_source(path, lines, floors, headers):
    """Findings about one C++ file as (line number, message)."""
    parts = path.split("/")
    floor = floors.get(parts[1]) if parts[0] == "src" else None
    limit = LINES_MAX_OF.get(path, LINES_MAX)
    if floor and not path.endswith(TEST_SUFFIXES) and len(lines) > limit:
        yield limit + 1, f"{len(lines)} lines, more than {limit}: which noun is missing?"
    if path.endswith(".h"):
        if not lines or not lines[0].startswith("//"):
            yield 1, "a header opens with what it is, what it is not, and the source of truth"
        if "#pragma once" not in lines:
            yield 1, "a header has `#pragma once`"
    may_catch = path.endswith(".cc") and any(THROWING.match(line) for line in lines)
    for number, line in enumerate(lines, 1):
        if floor is None:
            continue
        included = INCLUDE.match(line)
        if included and path.endswith(TEST_SUFFIXES) and "tests/support/" in included[1]:
            continue
        if included:
            why = check_include(included[1], floor, floors, headers)
            if why:
                yield number, why
            continue
        code = without_text(line)
        for why in check_bans(path, floor.name, code):
            yield number, why
        if re.search(r"\b(try|catch)\b\s*[{(]", code) and not may_catch:
            yield number, "only the one .cc file that includes a throwing library may catch"


def check_text(path, lines):
    """Findings about any text file of ours."""
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and path.endswith(CODE):
            yield number, f"{len(line)} columns, more than {COLUMNS_MAX}"
        unfinished = UNFINISHED.search(line)
        if unfinished:
            yield number, f"{unfinished[0]}: finish it before it lands, or file an issue"
        if MACHINE_PATH.search(line):
            yield number, "a path of one machine"


def check_tree(files, read):
    """All findings about `files` (paths relative to the root), as `(place, message)`."""
    floors, problems = read_floors(read("CMakeLists.txt"))
    headers = {path.split("/", 1)[1] for path in files if path.startswith(("src/", "include/"))}
    folders = {path.split("/")[1] for path in files if re.match(r"src/\w+/", path)}
    for folder in sorted(folders - set(floors)):
        problems.append((f"src/{folder}:1", "no add_floor() line in CMakeLists.txt names it"))
    for path in files:
        lines = read(path).splitlines()
        found = list(check_text(path, lines))
        if path.endswith((".cc", ".h")):
            found += check_source(path, lines, floors, headers)
        problems += [(f"{path}:{number}", message) for number, message in sorted(found)]
    return problems


CODE = (".cc", ".h", ".hpp", ".py", ".sh", ".mjs", ".ts", "run", "test")
TEXT = (".cc", ".h", ".hpp", ".py", ".sh", ".md", ".cmake", ".txt", ".json", ".toml", ".ini",
        ".mjs", ".ts", ".sql", ".prisma", "/run", "/test")
GENERATED = ("package-lock.json",)


def list_files(root):
    """The text files that git tracks or would track, without fuzz corpora."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, check=True,
                            capture_output=True, text=True).stdout.splitlines()
    return sorted(path for path in listed
                  if ("/" + path).endswith(TEXT) and not path.endswith(GENERATED)
                  and "/corpus/" not in path and (root / path).is_file())


def main(arguments):
    root = Path(arguments[1] if len(arguments) > 1 else Path(__file__).parent.parent).resolve()
    problems = check_tree(list_files(root), lambda path: (root / path).read_text(encoding="utf-8"))
    for place, message in problems:
        print(f"{place}: {message}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
