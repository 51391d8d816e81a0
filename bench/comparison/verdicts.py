"""Who is ahead, as far as that may be said.

A peer that was measured as it comes and tuned is represented by the better of the two. Nothing is
said that the control, pgweir beside itself, could have said as well.
"""

import dataclasses

CONTROL = "pgweir again"
TUNED = ", tuned"
ROUNDS_MIN = 5  # With less, the interval is not worth its name.
CONTROL_SLACK = 0.01  # Of so many controls one in twenty misses 1 by chance, but not by much.


@dataclasses.dataclass(frozen=True)
class Verdict:
    workload: str
    metric: str
    peer: str
    beside: str  # The one of the peer's configurations that counts.
    ratio: float
    says: str


def verdicts(results):
    """Of each metric of each workload beside each peer that came to something."""
    told = [result for result in results if not result.problem]
    controls = {str(result.workload): result for result in told if result.b == CONTROL}
    found = []
    for (workload, peer), group in grouped(told).items():
        for metric in group[0].workload.kind.metrics:
            hardest = hardest_of(group, metric)
            found.append(Verdict(workload, metric.title, peer, hardest.b, hardest.ratio(metric),
                                 say(hardest, controls.get(workload), metric)))
    return found


def grouped(results):
    groups = {}
    for result in results:
        if result.b != CONTROL:
            peer = result.b.removesuffix(TUNED)
            groups.setdefault((str(result.workload), peer), []).append(result)
    return groups


def hardest_of(group, metric):
    """The one that leaves least of a lead."""
    pick = min if metric.is_higher_better else max
    return pick(group, key=lambda result: result.ratio(metric))


def resolution(control, metric):
    """How far from 1 a ratio may be for no reason; None where the control does not hold."""
    if control is None:
        return 0.0
    low, high = control.interval(metric)
    if not low - CONTROL_SLACK <= 1 <= high + CONTROL_SLACK:
        return None
    return max(abs(1 - low), abs(high - 1))


def say(result, control, metric):
    if len(result.ratios[metric.name]) < ROUNDS_MIN:
        return "too few rounds"
    low, high = result.interval(metric)
    least = resolution(control, metric)
    if least is None:
        return "no claim: the control is off"
    if low <= 1 <= high or abs(result.ratio(metric) - 1) <= least:
        return "even"
    return "ahead" if (result.ratio(metric) > 1) == metric.is_higher_better else "behind"
