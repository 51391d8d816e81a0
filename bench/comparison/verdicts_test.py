"""What may be claimed."""

import unittest

from comparison import verdicts
from comparison.bench import Comparison
from comparison.workloads import Workload


def result(b, *ratios, kind="simple", metric="cpu_us_per_transaction"):
    made = Comparison(Workload(kind, 8), "pgweir", b)
    others = [one.name for one in made.workload.kind.metrics if one.name != metric]
    rounds = verdicts.ROUNDS_MIN
    made.ratios = {metric: list(ratios) * rounds, **{name: [1.0] * rounds for name in others}}
    return made


def said(*results, title="CPU per transaction, µs"):
    return {(one.peer, one.beside): one.says
            for one in verdicts.verdicts(results) if one.metric == title}


class VerdictTest(unittest.TestCase):
    def test_ahead_only_of_the_better_of_two_configurations(self):
        self.assertEqual(said(result("Peer", 0.5), result("Peer, tuned", 1.2)),
                         {("Peer", "Peer, tuned"): "behind"})
        self.assertEqual(said(result("Peer", 0.8), result("Peer, tuned", 0.7)),
                         {("Peer", "Peer"): "ahead"})

    def test_where_more_is_better_the_better_one_leaves_least(self):
        logins = {"kind": "churn", "metric": "logins_per_cpu_second"}
        self.assertEqual(said(result("Peer", 2.0, **logins),
                              result("Peer, tuned", 1.5, **logins),
                              title="logins per CPU second"),
                         {("Peer", "Peer, tuned"): "ahead"})

    def test_an_interval_with_one_in_it_says_nothing(self):
        self.assertEqual(said(result("Peer", 0.7, 1.1, 0.9)), {("Peer", "Peer"): "even"})

    def test_no_lead_that_the_control_has_too(self):
        control = result("pgweir again", 0.9, 1.0, 1.1)
        self.assertEqual(said(control, result("Peer", 0.95)), {("Peer", "Peer"): "even"})
        self.assertEqual(said(control, result("Peer", 0.8)), {("Peer", "Peer"): "ahead"})

    def test_no_claim_where_pgweir_differs_from_itself(self):
        self.assertEqual(said(result("pgweir again", 0.9), result("Peer", 0.5)),
                         {("Peer", "Peer"): "no claim: the control is off"})

    def test_a_control_that_misses_one_by_a_hair_only_widens_the_doubt(self):
        control = result("pgweir again", 0.993)
        self.assertEqual(said(control, result("Peer", 0.9)), {("Peer", "Peer"): "ahead"})
        self.assertEqual(said(control, result("Peer", 0.994)), {("Peer", "Peer"): "even"})

    def test_few_rounds_say_nothing(self):
        hasty = result("Peer", 0.5)
        hasty.ratios["cpu_us_per_transaction"] = [0.5] * (verdicts.ROUNDS_MIN - 1)
        self.assertEqual(said(hasty), {("Peer", "Peer"): "too few rounds"})

    def test_what_came_to_nothing_is_not_counted(self):
        lost = result("Peer, tuned", 1.0)
        lost.problem = "it did not end"
        self.assertEqual(said(result("Peer", 0.5), lost), {("Peer", "Peer"): "ahead"})


if __name__ == "__main__":
    unittest.main()
