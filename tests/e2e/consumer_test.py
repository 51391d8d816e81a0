"""libpgweir in somebody else's project: installed and found by CMake, by pkg-config, or as a part
of the project, with libpqxx and Asio and without; the program works, and the library shows nothing
but what its headers say, and asks of libpq only what version 14 has, too."""

import os
import re
import tempfile
import unittest
from pathlib import Path

from support.consumers import BUILD, SOURCE, install_library, run
from support.pgweir import Pgweir
from support.postgres import Postgres

PROJECT = Path(__file__).resolve().parent / "consumer"
# What libpq 14 exports of what its public headers declare; made by nm of a libpq.so.5.14.
LIBPQ_14 = Path(__file__).resolve().parent / "support/libpq_14_functions.txt"
LIBPQ_HEADERS = {"libpq-fe.h", "libpq-events.h"}


def names_of(library, *which):
    """The dynamic symbols of it, without their versions."""
    listed = run("nm", "--dynamic", "--format=posix", *which, library)
    return {line.split()[0].split("@")[0] for line in listed.splitlines()}


@unittest.skipUnless((BUILD / "libpgweir.so").exists(), "the library is not built here")
class ConsumerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Postgres())
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="pgweir-e2e-")))
        cls.prefix = cls.folder / "installed"
        install_library(cls.prefix)
        cls.libraries = next(cls.prefix.glob("lib*/**/libpgweir.so")).parent

    def configure_and_build(self, name, *settings):
        folder = self.folder / name
        run("cmake", "-G", "Ninja", "-S", PROJECT, "-B", folder, *settings)
        run("cmake", "--build", folder)
        return folder

    def said_by(self, program, **environment):
        return run(program, env=os.environ | {"DATABASE_URL": self.server.url()} | environment)

    def expect_to_work(self, program, **environment):
        self.assertEqual(self.said_by(program, **environment), "sum 42\nrefused 42703\n")

    def expect_limits(self, program):
        direct = min(max(2 * os.cpu_count() + 1, 4), 20)
        self.assertEqual(self.said_by(program), f"{direct} behind nothing\n")
        with Pgweir(self.server.url()) as daemon:
            behind = f"behind {run(BUILD / 'pgweir', '--version').split()[1]}\n"
            self.assertEqual(self.said_by(program, DATABASE_URL=daemon.url()), f"4 {behind}")
            told = daemon.url(connection_limit=7)
            self.assertEqual(self.said_by(program, DATABASE_URL=told), f"7 {behind}")

    def test_cmake_finds_the_package(self):
        folder = self.configure_and_build("found", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.expect_to_work(folder / "consumer")
        # What has not asked for libpqxx is not given it.
        self.assertNotIn("libpqxx", run("ldd", folder / "consumer"))
        self.assertEqual(self.said_by(folder / "pqxx_consumer"), "sum 42\nover\n")
        self.assertEqual(self.said_by(folder / "asio_consumer"), "sum 420\n")
        self.expect_limits(folder / "limit_consumer")

    def test_pkg_config_finds_it(self):
        environment = os.environ | {"PKG_CONFIG_PATH": str(self.libraries / "pkgconfig")}
        flags = run("pkg-config", "--define-prefix", "--cflags", "--libs", "pgweir",
                    env=environment).split()
        program = self.folder / "by_pkg_config"
        run("g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", PROJECT / "main.cc", "-o", program,
            *flags)
        self.expect_to_work(program, LD_LIBRARY_PATH=str(self.libraries))

    def test_it_can_be_a_part_of_the_project(self):
        # As the release is built, so that the compiler's cache has it.
        cache = (BUILD / "CMakeCache.txt").read_text().splitlines()
        same = [f"-D{line}" for line in cache
                if line.startswith(("CMAKE_BUILD_TYPE:", "CMAKE_CXX_FLAGS_RELEASE:",
                                    "CMAKE_CXX_COMPILER:"))]
        folder = self.configure_and_build("part", f"-DPGWEIR_SOURCE={SOURCE}", *same)
        self.expect_to_work(folder / "consumer")

    def test_nothing_but_the_public_names_can_be_seen(self):
        names = run("nm", "--dynamic", "--defined-only", "--demangle", "--format=posix",
                    self.libraries / "libpgweir.so").splitlines()
        strong = [name for name in names if name.rsplit(maxsplit=3)[1] in "TDB"]
        self.assertTrue(strong)
        self.assertEqual([name for name in strong if not name.startswith("pgweir::v1::")], [])

    def test_D22_no_libpq_internals(self):
        library = self.libraries / "libpgweir.so"
        libpq = re.search(r"libpq\.so\.5 => (\S+)", run("ldd", library))[1]
        used = names_of(library, "--undefined-only") & names_of(libpq, "--defined-only")
        self.assertIn("PQconnectStartParams", used)
        self.assertEqual(used - set(LIBPQ_14.read_text().split()), set())
        for file in sorted([*SOURCE.glob("src/**/*.*"), *SOURCE.glob("include/**/*.*")]):
            for header in re.findall(r'^\s*#\s*include\s*["<](.+)[">]', file.read_text(), re.M):
                if re.search(r"libpq|postgres|pg_config|pqexpbuffer|^internal/|^c\.h$", header):
                    is_ours = (SOURCE / "src" / header).exists()
                    self.assertTrue(is_ours or header in LIBPQ_HEADERS, f"{file}: {header}")


if __name__ == "__main__":
    unittest.main()
