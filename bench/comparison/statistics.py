"""Ratios of rounds, their median, and how far it can be trusted."""

import math
import random


def ratio_of_round(a, b):
    """Of A B B A: two runs of each, so that a drift of the machine cancels out."""
    return math.sqrt(a[0] * a[1] / (b[0] * b[1]))


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def bootstrap_interval(values, share=0.95, draws=4000, seed=1):
    """Within which the median lies with that certainty (percentile bootstrap)."""
    chance = random.Random(seed)
    medians = sorted(median(chance.choices(values, k=len(values))) for _ in range(draws))
    edge = (1 - share) / 2
    return medians[int(edge * draws)], medians[min(int((1 - edge) * draws), draws - 1)]
