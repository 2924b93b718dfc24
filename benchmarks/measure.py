"""Run a piece of code in processes of its own; rows of a table and the page they stand in."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGE = HERE / "README.md"
RUNS = 3
LIMIT = 120.0  # [s] for what is measured beside mfa

_CODE = """
import json, sys, time
sys.path.insert(0, {here!r})
def peak():  # [MB] of this process alone; getrusage on Linux counts its parent's, too
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if "VmHWM" in line)
    except FileNotFoundError:
        import resource
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size / (1024 * 1024 if sys.platform == "darwin" else 1024)
{setup}
start = time.perf_counter()
{work}
seconds = time.perf_counter() - start
memory = peak()
print(json.dumps([seconds, memory, {report}]))
"""


@dataclass(frozen=True)
class Measured:
    """Median seconds and peak memory [MB] of some runs, and of what they reported.

    Where ``trouble`` says why there are none, they are nan.
    """

    seconds: float = float("nan")
    memory: float = float("nan")
    found: dict[str, float] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table: some work, what it took and what it was to take.

    ``reached`` is None where there was no goal.
    """

    work: str
    measured: Measured
    goal: str = ""
    reached: bool | None = None
    note: str = ""


def measure(
    setup: str,
    work: str,
    folder: Path,
    *,
    report: str = "{}",
    runs: int = RUNS,
    limit: float | None = None,
) -> Measured:
    """Measure code, each run in a process of its own.

    ``report`` is an expression for what a run found; ``limit`` is for a whole run with its setup.
    """
    code = _CODE.format(here=str(HERE), setup=setup, work=work, report=report)
    results = []
    for _ in range(runs):
        try:
            done = subprocess.run(
                [sys.executable, "-c", code],
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            return Measured(trouble=f"not within {limit:.0f} s")
        except subprocess.CalledProcessError as error:
            if limit is None:
                print(error.stderr, file=sys.stderr)
                raise
            return Measured(trouble=(error.stderr.strip().splitlines() or ["failed"])[-1][:120])
        results.append(json.loads(done.stdout.splitlines()[-1]))
    seconds, memory, found = zip(*results, strict=True)
    entries = {name: statistics.median([each[name] for each in found]) for name in found[0] or ()}
    return Measured(statistics.median(seconds), statistics.median(memory), entries)


def within(work: str, measured: Measured, seconds: float, memory: float = float("inf")) -> Row:
    """Return the row of a work that is to take no more than some seconds and memory [MB]."""
    goal = f"{seconds:g} s" + (f", {memory:,.0f} MB" if memory < float("inf") else "")
    return Row(work, measured, goal, measured.seconds <= seconds and measured.memory <= memory)


def table(rows: list[Row]) -> list[str]:
    """Return the lines of a table."""
    lines = [
        "| work | seconds | peak memory [MB] | goal | reached | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        found = row.measured
        seconds = found.trouble or (
            f"{found.seconds:.3g}" if found.seconds == found.seconds else ""
        )
        memory = f"{found.memory:.0f}" if found.memory == found.memory else ""
        reached = {None: "", True: "yes", False: "**no**"}[row.reached]
        cells = [row.work, seconds, memory, row.goal, reached, row.note]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def machine() -> str:
    """Return the words for what was measured on."""
    names = ["numpy", "scipy", "pandas", "clarabel"]
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores{load}; Python {platform.python_version()}, {packages}."


def write_page(sections: dict[str, list[str]], order: list[str]) -> None:
    """Write sections into the page; those that were not measured now stay as they are."""
    kept = {**_sections(), **sections}
    lines = [
        "# Benchmarks",
        "",
        "Made by `python benchmarks/run.py`, which needs the extra `bench`; by",
        f"`python benchmarks/run.py THEME` a theme alone ({', '.join(order)}).",
        f"Every run is a process of its own, figures are medians of {RUNS} runs unless a row says",
        "otherwise, and memory is the process's peak. Ratios are within one go.",
    ]
    for title in order:
        if title in kept:
            lines += ["", f"## {title}", "", *kept[title]]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _sections() -> dict[str, list[str]]:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = [part.strip().splitlines() for part in text.split("\n## ")[1:]]
    return {part[0].strip(): part[2:] for part in parts}
