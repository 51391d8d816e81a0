"""What is said about the quiet of a machine."""

import os
import subprocess
import unittest

from comparison import account, conditions
from comparison.conditions import Conditions, Process


class OthersTest(unittest.TestCase):
    def test_the_bench_and_ksoftirqd_are_no_others(self):
        before = {1: Process("init", 5), 2: Process("pooler", 1), 3: Process("ksoftirqd/0", 1)}
        after = {1: Process("init", 5), 2: Process("pooler", 9), 3: Process("ksoftirqd/0", 2)}
        self.assertEqual(conditions.others_between(before, after, {2})[0], 0)

    def test_who_came_in_between_counts(self):
        after = {7: Process("compiler", 2), 8: Process("editor", 0.5)}
        self.assertEqual(conditions.others_between({}, after, set()), (2.5, "compiler"))

    def test_who_ended_in_between_counts_once_with_its_parent(self):
        before = {1: Process("make", 1), 2: Process("compiler", 3)}
        after = {1: Process("make", 5)}
        self.assertEqual(conditions.others_between(before, after, set()), (1, "make"))

    def test_a_name_may_hold_blanks_and_parentheses(self):
        stat = f"12 (a) (b c) S {' '.join('0' * 10)} 100 20 3 4 20 0 1"
        self.assertEqual(conditions.parse_process(stat),
                         Process("a) (b c", 127 / conditions.TICKS_PER_SECOND))

    def test_a_child_that_was_waited_for_is_its_parents(self):
        before = conditions.processes()[os.getpid()].seconds
        subprocess.run(["python3", "-c", "sum(range(3_000_000))"], check=True)
        self.assertGreater(conditions.processes()[os.getpid()].seconds, before)


class ConditionsTest(unittest.TestCase):
    def test_each_disturbance_is_one(self):
        self.assertFalse(Conditions(others=0.03, speed_spread=0.03, hidden=0.01).is_disturbed())
        for disturbed in (Conditions(others=0.04), Conditions(softirqs=0.02),
                          Conditions(speed_spread=0.04), Conditions(hidden=0.02)):
            self.assertTrue(disturbed.is_disturbed(), disturbed)

    def test_a_watch_sees_a_quiet_moment(self):
        watch = conditions.Watch(sorted(os.sched_getaffinity(0)))
        watch.begin_run()
        watch.begin_run()
        seen = watch.conditions({os.getpid()}, 2)
        self.assertGreaterEqual(seen.speed_spread, 0)
        self.assertIsNone(seen.hidden)
        self.assertEqual(seen.attempts, 2)


class AccountTest(unittest.TestCase):
    def test_what_the_threads_do_not_account_for_is_hidden(self):
        self.assertAlmostEqual(account.hidden_share(2, 1.5), 0.25)
        self.assertEqual(account.hidden_share(1, 1.1), 0)
        self.assertEqual(account.hidden_share(0, 0), 0)

    def test_a_child_does_not_escape_its_group(self):
        one = account.open_account(f"pgweir_account_test.{os.getpid()}")
        if one is None:
            self.skipTest("no cpuacct here, or no right to it")
        script = "import subprocess; subprocess.run(['python3', '-c', 'sum(range(3_000_000))'])"
        try:
            subprocess.run(["python3", "-c", script], preexec_fn=one.join, check=True)
            self.assertGreater(one.seconds(), 0.01)
        finally:
            one.close()
        self.assertFalse(one.group.exists())


if __name__ == "__main__":
    unittest.main()
