"""What a comparison makes of its rounds."""

import random
import unittest

from comparison import statistics


class StatisticsTest(unittest.TestCase):
    def test_a_steady_drift_cancels_out(self):
        drift = [1.0, 1.1, 1.21, 1.331]
        ratio = statistics.ratio_of_round((10 * drift[0], 10 * drift[3]),
                                          (20 * drift[1], 20 * drift[2]))
        self.assertAlmostEqual(ratio, 0.5)

    def test_the_median_is_in_the_middle(self):
        self.assertEqual(statistics.median([3, 1, 2]), 2)
        self.assertEqual(statistics.median([4, 1, 2, 3]), 2.5)

    def test_the_interval_holds_the_median_and_narrows_with_rounds(self):
        chance = random.Random(7)
        few = [chance.gauss(0.8, 0.05) for _ in range(7)]
        many = [chance.gauss(0.8, 0.05) for _ in range(70)]
        for values in (few, many):
            low, high = statistics.bootstrap_interval(values)
            self.assertLessEqual(low, statistics.median(values))
            self.assertGreaterEqual(high, statistics.median(values))
        widths = [high - low for low, high in map(statistics.bootstrap_interval, (few, many))]
        self.assertLess(widths[1], widths[0])

    def test_equal_rounds_leave_no_doubt(self):
        self.assertEqual(statistics.bootstrap_interval([0.5] * 9), (0.5, 0.5))


if __name__ == "__main__":
    unittest.main()
