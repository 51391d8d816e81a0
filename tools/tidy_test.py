#!/usr/bin/env python3
"""Unit tests of tidy.py: each rule finds its sin and leaves its neighbour alone."""

import unittest

import tidy

CMAKE = """\
add_floor(base)
add_floor(wire DEPENDS base)
add_floor(pool DEPENDS base)
add_floor(session DEPENDS wire LIBRARIES xxhash)
add_floor(config DEPENDS base OPTIONS pool)
add_floor(net DEPENDS base LIBRARIES ssl fmt)
add_floor(client DEPENDS base pool)
#add_floor(gone DEPENDS session)
add_program(pgweir cli DEPENDS session config LIBRARIES cli11)
"""
FILES = {
    "CMakeLists.txt": CMAKE,
    "src/base/result.h": "// Result.\n#pragma once\n",
    "src/wire/frame.h": "// Frame.\n#pragma once\n",
    "src/pool/options.h": "// Options.\n#pragma once\n",
    "src/pool/pool.h": "// Pool.\n#pragma once\n",
    "include/pgweir/rows.hpp": "/// Rows.\n#pragma once\n",
}


def findings(path, text):
    files = {**FILES, path: text}
    return [f"{place}: {message}" for place, message in tidy.check_tree(list(files), files.get)]


class TidyTest(unittest.TestCase):
    def assert_found(self, path, text, place, words):
        found = findings(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{place}: "), found)
        self.assertIn(words, found[0])

    def assert_clean(self, path, text):
        self.assertEqual(findings(path, text), [])

    def test_the_clean_tree_is_clean(self):
        self.assertEqual(findings("src/base/result.h", FILES["src/base/result.h"]), [])

    def test_a_sibling_may_not_be_included(self):
        self.assert_found("src/pool/pool.cc", '// x\n#include "wire/frame.h"\n', 2,
                          "floor pool may not include wire")

    def test_permissions_add_up(self):
        self.assert_clean("src/session/a.cc", '#include "wire/frame.h"\n#include "base/result.h"\n')
        self.assert_clean("src/cli/a.cc", '#include "wire/frame.h"\n')

    def test_a_floor_of_options_shows_only_its_options(self):
        self.assert_clean("src/config/a.cc", '#include "pool/options.h"\n')
        self.assert_found("src/config/a.cc", '#include "pool/pool.h"\n', 1, "than options.h")

    def test_options_are_not_inherited(self):
        self.assert_found("src/cli/a.cc", '#include "pool/options.h"\n', 1, "may not include pool")

    def test_public_headers_are_of_the_client(self):
        self.assert_clean("src/client/a.cc", '#include "pgweir/rows.hpp"\n')
        self.assert_found("src/pool/a.cc", '#include "pgweir/rows.hpp"\n', 1, "may not include")

    def test_an_include_names_its_folder(self):
        self.assert_found("src/pool/a.cc", '#include "pool.h"\n', 1, '"folder/file.h"')

    def test_only_tests_include_what_supports_tests(self):
        text = '#include "../tests/support/clock.h"\n'
        self.assert_clean("src/pool/pool_test.cc", text)
        self.assert_found("src/pool/pool.cc", text, 1, "there is no")

    def test_a_folder_needs_a_floor(self):
        self.assertEqual(findings("src/gone/a.cc", ""),
                         ["src/gone:1: no add_floor() line in CMakeLists.txt names it"])

    def test_a_floor_stands_on_floors_above_its_line(self):
        _, problems = tidy.read_floors("add_floor(a DEPENDS b)\nadd_floor(b)\n")
        self.assertEqual([place for place, _ in problems], ["CMakeLists.txt:1"])

    def test_system_headers_are_for_shells_and_tests(self):
        self.assert_found("src/pool/a.cc", "#include <sys/socket.h>\n", 1, "only the shells")
        self.assert_found("src/pool/a.cc", "#include <thread>\n", 1, "only the shells")
        self.assert_clean("src/net/a.cc", "#include <sys/socket.h>\n")
        self.assert_clean("src/pool/a_test.cc", "#include <thread>\n")

    def test_bans_name_the_replacement(self):
        for line, words in [
            ("auto t = std::chrono::steady_clock::now();", "take `now` as a parameter"),
            ("std::cout << 1;", "obs::Log"),
            ("throw Oops();", "base::Error"),
            ("assert(x);", "ASSERT"),
            ("std::this_thread::sleep_for(d);", "timers"),
            ("int x = rand();", "base::Rng"),
        ]:
            with self.subTest(line):
                self.assert_found("src/pool/a.cc", line + "\n", 1, words)

    def test_what_only_looks_like_a_ban_is_fine(self):
        self.assert_clean("src/pool/a.cc", "static_assert(true);\n")
        self.assert_clean("src/pool/a.cc", 'log("throw assert(1)");  // rand()\n')

    def test_tests_do_not_sleep_either(self):
        self.assert_found("src/net/a_test.cc", "usleep(1);\n", 1, "timers")

    def test_only_wrappers_of_throwing_libraries_catch(self):
        text = "try { f(); }\n"
        self.assert_found("src/pool/a.cc", text, 1, "may catch")
        self.assert_clean("src/config/a.cc", "#include <toml++/toml.h>\n" + text)

    def test_a_header_opens_with_words_and_is_included_once(self):
        self.assert_found("src/pool/a.h", "#pragma once\n", 1, "a header opens")
        self.assert_found("src/pool/a.h", "// What it is.\n", 1, "pragma once")

    def test_lengths(self):
        self.assert_found("src/pool/a.cc", "\n" * 401, 401, "which noun")
        self.assert_clean("src/pool/a_test.cc", "\n" * 401)
        self.assert_found("src/pool/a.cc", "x" * 101 + "\n", 1, "columns")

    def test_nothing_unfinished_lands(self):
        self.assert_found("src/pool/a.cc", "// TO" "DO: later\n", 1, "finish it")

    def test_paths_of_one_machine_do_not_land(self):
        self.assert_found("README.md", "see /ho" "me/me/x\n", 1, "a path of one machine")
        self.assert_clean("README.md", "see https://example.org/home/x and src/work/x\n")


if __name__ == "__main__":
    unittest.main()
