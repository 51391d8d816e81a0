"""What a comparison leaves behind: numbers as JSON, a table, and a picture."""

import dataclasses
import html
import json
import os
import platform

from comparison import statistics


def write(directory, results, versions, command):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "comparison.json").write_text(json.dumps({
        "command": command, "machine": machine(), "versions": versions,
        "results": [dataclasses.asdict(result) for result in results]}, indent=1) + "\n")
    (directory / "comparison.md").write_text(table(results, versions, command))
    (directory / "comparison.svg").write_text(picture(results))


def machine():
    names = [line.partition(":")[2].strip() for line in open("/proc/cpuinfo")
             if line.startswith("model name")]
    return {"cpu": names[0] if names else platform.machine(), "cpus": os.cpu_count(),
            "kernel": platform.release()}


def typical(runs, name):
    return statistics.median([run[name] for run in runs])


def table(results, versions, command):
    about = machine()
    lines = [f"CPU time per transaction; below 1 {results[0].a} needs less.", "",
             f"`{command}`", "",
             f"{about['cpu']}, {about['cpus']} CPUs, Linux {about['kernel']}; "
             + "; ".join(f"{name}: {version}" for name, version in versions.items()), "",
             f"| workload | beside | ratio | 95 % | {results[0].a}, µs | other, µs | p99 | Jain |",
             "|---|---|---|---|---|---|---|---|"]
    for result in results:
        if result.problem or not result.ratios:
            lines.append(f"| {result.workload} | {result.b} | – | {result.problem} | | | | |")
            continue
        low, high = result.interval()
        cpu = [typical(runs, "cpu_us_per_transaction") for runs in (result.runs_a, result.runs_b)]
        p99 = [typical(runs, "latency_p99_us") for runs in (result.runs_a, result.runs_b)]
        jain = [typical(runs, "jain") for runs in (result.runs_a, result.runs_b)]
        cells = [result.workload, result.b, f"{result.ratio():.3f}", f"{low:.3f}–{high:.3f}",
                 f"{cpu[0]:.1f}", f"{cpu[1]:.1f}", f"{p99[0] / p99[1]:.2f}",
                 f"{jain[0]:.3f} : {jain[1]:.3f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def picture(results):
    """A line for each result: the ratio and its interval, on a scale that shows 1."""
    shown = [result for result in results if result.ratios and not result.problem]
    left, width, row = 300, 460, 22
    most = max([1.1, *(result.interval()[1] for result in shown)])

    def x(ratio):
        return left + ratio / most * width

    height = row * (len(shown) + 2)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 80}" '
             f'height="{height}" font-family="sans-serif" font-size="12">',
             f'<line x1="{x(1):.1f}" y1="{row / 2}" x2="{x(1):.1f}" y2="{height - row}" '
             'stroke="#888" stroke-dasharray="4 3"/>',
             f'<text x="{x(1):.1f}" y="{height - 6}" text-anchor="middle" fill="#555">'
             'CPU per transaction as much as the other</text>']
    for number, result in enumerate(shown):
        y = row * (number + 1)
        low, high = result.interval()
        name = html.escape(f"{result.workload} beside {result.b}")
        parts += [f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{name}</text>',
                  f'<line x1="{x(low):.1f}" y1="{y}" x2="{x(high):.1f}" y2="{y}" stroke="#246" '
                  'stroke-width="3"/>',
                  f'<circle cx="{x(result.ratio()):.1f}" cy="{y}" r="4.5" fill="#246"/>',
                  f'<text x="{left + width + 12}" y="{y + 4}">{result.ratio():.2f}</text>']
    return "\n".join([*parts, "</svg>"]) + "\n"
