#!/usr/bin/env python3
"""Unit tests of clang_tidy.py: which sources are checked for which changes."""

import unittest

import clang_tidy

DEPS = """\
CMakeFiles/pool.dir/src/pool/pool.cc.o: #deps 3, deps mtime 1 (VALID)
    /tree/src/pool/pool.cc
    /tree/src/pool/pool.h
    /tree/src/base/result.h
    /usr/include/string.h

CMakeFiles/wire.dir/src/wire/frame.cc.o: #deps 2, deps mtime 1 (VALID)
    ../../src/wire/frame.cc
    /tree/src/base/result.h

CMakeFiles/v.dir/base_verify_interface_header_sets/result.h.cxx.o: #deps 1, deps mtime 1 (VALID)
    /tree/build/dev/base_verify_interface_header_sets/result.h.cxx
"""
MADE_OF = {
    "src/pool/pool.cc": {"src/pool/pool.cc", "src/pool/pool.h", "src/base/result.h"},
    "src/wire/frame.cc": {"src/wire/frame.cc", "src/base/result.h"},
}


class ClangTidyTest(unittest.TestCase):
    def test_dependencies_are_ours_and_relative_to_the_root(self):
        self.assertEqual(clang_tidy.parse_dependencies(DEPS, "/tree"), MADE_OF)

    def test_a_changed_source_is_checked(self):
        self.assertEqual(clang_tidy.choose(["src/wire/frame.cc", "README.md"], MADE_OF),
                         ["src/wire/frame.cc"])

    def test_a_changed_header_is_checked_through_its_own_source(self):
        self.assertEqual(clang_tidy.choose(["src/pool/pool.h"], MADE_OF), ["src/pool/pool.cc"])

    def test_a_changed_header_without_a_source_is_checked_once(self):
        self.assertEqual(clang_tidy.choose(["src/base/result.h"], MADE_OF), ["src/pool/pool.cc"])
        self.assertEqual(clang_tidy.choose(["src/base/result.h", "src/wire/frame.cc"], MADE_OF),
                         ["src/wire/frame.cc"])

    def test_the_newest_is_checked_first_and_nothing_twice(self):
        changed = ["src/wire/frame.cc", "src/pool/pool.cc", "src/wire/frame.cc"]
        self.assertEqual(clang_tidy.choose(changed, MADE_OF), changed[:2])

    def test_what_was_begun_too_late_is_left_out_and_no_failure(self):
        checker = clang_tidy.Checker(stamps={}, deadline=0)
        checker("src/wire/frame.cc")
        self.assertEqual((checker.left_out, checker.failed), (["src/wire/frame.cc"], []))


if __name__ == "__main__":
    unittest.main()
