#!/usr/bin/env python3
"""Unit tests of mutants.py: which seeds are run, and when a mutant counts as caught."""

import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import mutants

ABORTED = -6
FAILED_CHECK = """\
simulation: client 3 was never answered
simulation failed: seed 42; replay: build/dev/pgweir_sim --seed 42 --verbose
"""
FAILED_ASSERTION = """\
../../src/pool/shard.cc:12: release: assertion failed: server.state_ == ServerState::Leased
simulation failed: seed 7; replay: build/dev/pgweir_sim --seed 7 --verbose
"""
PATCH = """\
A permit is
forgotten.
--- a/x.txt
+++ b/x.txt
@@ -2,3 +2,2 @@
 one
-two
 three
"""


class SeedsTest(unittest.TestCase):
    def test_portions_grow_and_leave_no_seed_out(self):
        cut = list(mutants.portions(2000))
        self.assertEqual(cut[0], (1, mutants.FIRST_PORTION))
        self.assertEqual(sum(count for _, count in cut), 2000)
        for (first, count), (following, _) in zip(cut, cut[1:]):
            self.assertEqual(first + count, following)

    def test_slices_share_a_portion_and_leave_no_seed_out(self):
        self.assertEqual(list(mutants.slices(51, 5, 2)), [(51, 2), (53, 3)])
        self.assertEqual(list(mutants.slices(9, 1, 4)), [(9, 1)])

    def test_the_lowest_seed_of_the_first_portion_that_fails_is_told(self):
        failing = {70: "b", 60: "a", 300: "c"}

        def simulate(_, first, count):
            seeds = [seed for seed in range(first, first + count) if seed in failing]
            return mutants.Catch(seeds[0], failing[seeds[0]]) if seeds else None

        with mock.patch.object(mutants, "simulate", simulate):
            self.assertEqual(mutants.hunt(Path(), 2000, 2), mutants.Catch(60, "a"))
            self.assertIsNone(mutants.hunt(Path(), 59, 2))


class TryAllTest(unittest.TestCase):
    COPIES = [Path("1"), Path("2")]
    PATCHES = [Path(f"{name}.patch") for name in ("a", "b", "c", "d", "e")]

    def test_no_copy_is_lent_to_two_mutants_and_those_that_fail_are_named(self):
        taken, both_taken = set(), threading.Barrier(2, timeout=10)

        def try_mutant(copy, patch, *_):
            self.assertNotIn(copy, taken)
            taken.add(copy)
            if patch.stem in "ab":
                both_taken.wait()  # The second does not wait until the first is through.
            taken.remove(copy)
            if patch.stem in "bd":
                raise mutants.Trouble("SURVIVED")
            return "seed 1: caught"

        with (mock.patch.object(mutants, "try_mutant", try_mutant),
              mock.patch("builtins.print") as told):
            self.assertEqual(mutants.try_all(self.COPIES, self.PATCHES, 2000), ["b", "d"])
        self.assertEqual([call.args[0].split()[0] for call in told.call_args_list], list("abcde"))


class OutcomeTest(unittest.TestCase):
    def test_a_run_without_a_failure_catches_nothing(self):
        self.assertIsNone(mutants.read_outcome(0, "", 1))

    def test_a_failed_check_is_a_catch(self):
        self.assertEqual(mutants.read_outcome(ABORTED, FAILED_CHECK, 1),
                         mutants.Catch(42, "client 3 was never answered"))

    def test_a_failed_assertion_is_a_catch(self):
        catch = mutants.read_outcome(ABORTED, FAILED_ASSERTION, 1)
        self.assertEqual(catch.seed, 7)
        self.assertTrue(catch.reason.startswith("assertion failed: server.state_"))

    def test_a_crash_that_names_no_seed_is_told_with_the_first_one(self):
        self.assertEqual(mutants.read_outcome(-11, "", 51),
                         mutants.Catch(51, "killed by signal 11"))

    def test_a_program_that_refuses_its_arguments_catches_nothing(self):
        with self.assertRaisesRegex(mutants.Trouble, "status 2: usage"):
            mutants.read_outcome(2, "usage: pgweir_sim", 1)


class PatchTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()), "tree")
        self.folder.mkdir()
        self.patch = self.folder / "permit.patch"
        self.patch.write_text(PATCH)

    def test_what_is_broken_stands_in_front(self):
        self.assertEqual(mutants.describe(PATCH), "A permit is forgotten.")

    def test_a_patch_applies_where_its_lines_are(self):
        (self.folder / "x.txt").write_text("0\n0\n0\none\ntwo\nthree\n")
        mutants.apply(self.patch, self.folder)
        self.assertEqual((self.folder / "x.txt").read_text(), "0\n0\n0\none\nthree\n")

    def test_a_patch_whose_lines_have_changed_does_not_apply(self):
        (self.folder / "x.txt").write_text("0\none\ntwo\nfour\n")
        with self.assertRaisesRegex(mutants.Trouble, "does not apply any more"):
            mutants.apply(self.patch, self.folder)


class SynchroniseTest(unittest.TestCase):
    def setUp(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.root, self.copy = folder / "tree", folder / "copy"
        for path, text in {"tree/src/a.cc": "new", "copy/src/a.cc": "broken",
                           "tree/src/b.cc": "same", "copy/src/b.cc": "same",
                           "copy/src/gone.cc": "old"}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        self.enterContext(mock.patch.object(mutants, "ROOT", self.root))

    def test_the_copy_becomes_as_the_tree_is(self):
        mutants.synchronise(self.copy, {"src/a.cc", "src/b.cc"})
        self.assertEqual((self.copy / "src/a.cc").read_text(), "new")
        self.assertFalse((self.copy / "src/gone.cc").exists())

    def test_what_is_the_same_is_not_touched(self):
        before = (self.copy / "src/b.cc").stat().st_mtime_ns
        mutants.synchronise(self.copy, {"src/a.cc", "src/b.cc"})
        self.assertEqual((self.copy / "src/b.cc").stat().st_mtime_ns, before)


class TreeTest(unittest.TestCase):
    def test_every_patch_says_what_it_breaks_and_applies(self):
        for patch in mutants.find_patches([]):
            with self.subTest(patch.stem):
                self.assertTrue(mutants.describe(patch.read_text()))
                mutants.apply(patch, mutants.ROOT, "--check")

    def test_an_unknown_name_is_refused(self):
        with self.assertRaisesRegex(mutants.Trouble, "no nonsense"):
            mutants.find_patches(["nonsense"])


if __name__ == "__main__":
    unittest.main()
