"""What a comparison leaves behind: numbers as JSON, a table, and a picture."""

import dataclasses
import datetime
import html
import json
import math
import os
import pathlib
import platform
import re

from comparison import statistics
from comparison.verdicts import verdicts


def write(directory, results, versions, command):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "comparison.json").write_text(json.dumps({
        "date": today(), "command": command, "machine": machine(), "versions": versions,
        "results": [dataclasses.asdict(result) for result in results]}, indent=1) + "\n")
    (directory / "comparison.md").write_text(table(results, versions, command))
    (directory / "comparison.svg").write_text(picture(results))


def without_places(command):
    """Where things are on this machine is of no use on another."""
    return re.sub(r"(?<=[ =])/(\S*/)+", "…/", command)


def today():
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {"cpu": names[0] if names else platform.machine(), "cpus": os.cpu_count(),
            "kernel": platform.release()}


def typical(runs, name):
    return statistics.median([run[name] for run in runs])


def shown(results):
    """Each metric of each comparison that has come to something."""
    return [(result, metric) for result in results if not result.problem
            for metric in result.workload.kind.metrics]


def table(results, versions, command):
    about = machine()
    a = results[0].a
    lines = [f"`{command}`", "",
             f"{today()}; {about['cpu']}, {about['cpus']} CPUs, Linux {about['kernel']}; "
             + "; ".join(f"{name}: {version}" for name, version in versions.items()), "",
             *quiet(results), "",
             *leads(results),
             f"Ratios of {a} to the other: where lower is better, {a} is ahead below 1, where "
             "higher is better above 1. The interval is where the median of the rounds lies with "
             "95 % certainty.", "",
             f"| workload | beside | metric | better | ratio | 95 % | {a} | other | disturbed |",
             "|---|---|---|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(cells(result, metric)) + " |" for result, metric in shown(results)]
    lines += [f"| {result.workload} | {result.b} | – | | | | {result.problem} | | |"
              for result in results if result.problem]
    return "\n".join(lines) + "\n"


def leads(results):
    found = verdicts(results)
    if not found:
        return []
    lines = ["Who is ahead, beside the better of a peer's configurations and beyond what pgweir "
             "differs from itself:", "",
             "| workload | metric | beside | ratio | |", "|---|---|---|---|---|"]
    lines += [f"| {one.workload} | {one.metric} | {one.beside} | {one.ratio:.3f} | {one.says} |"
              for one in found]
    return [*lines, ""]


def quiet(results):
    """What else there was beside the poolers, at its worst."""
    rounds = [one for result in results for one in result.conditions]
    if not rounds:
        return ["How quiet the machine was has not been looked at."]
    most = max(rounds, key=lambda one: one.others)
    hidden = [one.hidden for one in rounds if one.hidden is not None]
    parts = [f"{sum(one.attempts - 1 for one in rounds)} rounds were repeated because of steal",
             f"other processes took up to {most.others:.1%} of a CPU"
             + (f" (most of it {most.other})" if most.other else ""),
             f"ksoftirqd up to {max(one.softirqs for one in rounds):.1%} of the poolers' CPU",
             "its speed varied within a round by up to "
             f"{max(one.speed_spread for one in rounds):.1%}",
             f"of a pooler's CPU time up to {max(hidden):.2%} was not its threads'" if hidden else
             "whether CPU time hides outside of a pooler's threads was not to be seen"]
    return [f"{sum(one.is_disturbed() for one in rounds)} of {len(rounds)} rounds were disturbed: "
            + "; ".join(parts) + "."]


def cells(result, metric):
    low, high = result.interval(metric)
    return [str(result.workload), result.b, metric.title, metric.better(),
            f"{result.ratio(metric):.3f}", f"{low:.3f}–{high:.3f}",
            *(number(typical(runs, metric.name)) for runs in (result.runs_a, result.runs_b)),
            f"{sum(one.is_disturbed() for one in result.conditions)} of {len(result.runs_a) // 2}"]


def number(value):
    """With three digits that say something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def picture(results):
    """A line for each ratio and its interval; half and double are as far from 1."""
    rows = shown(results)
    left, width, height_of_row = 470, 460, 22
    ends = [end for result, metric in rows for end in result.interval(metric)]
    least, most = min([0.5, *ends]), max([2, *ends])

    def x(ratio):
        return left + math.log(ratio / least) / math.log(most / least) * width

    height = height_of_row * (len(rows) + 2)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 80}" '
             f'height="{height}" font-family="sans-serif" font-size="12">',
             f'<line x1="{x(1):.1f}" y1="{height_of_row / 2}" x2="{x(1):.1f}" '
             f'y2="{height - height_of_row}" stroke="#888" stroke-dasharray="4 3"/>',
             f'<text x="{x(1):.1f}" y="{height - 6}" text-anchor="middle" fill="#555">'
             'as much as the other</text>']
    for place, (result, metric) in enumerate(rows):
        y = height_of_row * (place + 1)
        low, high = result.interval(metric)
        ratio = result.ratio(metric)
        name = html.escape(f"{result.workload} beside {result.b}: {metric.title}"
                           + (" (higher is better)" if metric.is_higher_better else ""))
        parts += [f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{name}</text>',
                  f'<line x1="{x(low):.1f}" y1="{y}" x2="{x(high):.1f}" y2="{y}" stroke="#246" '
                  'stroke-width="3"/>',
                  f'<circle cx="{x(ratio):.1f}" cy="{y}" r="4.5" fill="#246"/>',
                  f'<text x="{left + width + 12}" y="{y + 4}">{number(ratio)}</text>']
    return "\n".join([*parts, "</svg>"]) + "\n"
