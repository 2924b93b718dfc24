"""Measure mfa against what it stands on, in one run: ``python benchmarks/run.py``.

Every figure is the median of several runs, each in a process of its own, so that time includes
what a user waits for and memory is the process's peak. Prints a table and writes it to README.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
RUNS = 5

_MEASURE = """
import json, resource, sys, time
{setup}
start = time.perf_counter()
{work}
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def measure(setup: str, work: str, folder: Path) -> tuple[float, float]:
    """Return median seconds and median peak memory [MB] of a piece of code."""
    code = _MEASURE.format(setup=setup, work=work)
    results = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
        )
        results.append(json.loads(done.stdout.splitlines()[-1]))
    seconds, memory = zip(*results, strict=True)
    return statistics.median(seconds), statistics.median(memory)


def command(arguments: list[str], folder: Path) -> tuple[float, float]:
    """Return median seconds of a whole command, start-up included; its memory is not measured."""
    script = f"import subprocess, sys\narguments = [sys.executable, '-m', 'mfa', *{arguments!r}]\n"
    work = "subprocess.run(arguments, check=True, capture_output=True)"
    return measure(script, work, folder)[0], float("nan")


def write_book(path: Path, flows: int, years: int) -> None:
    """Write a workbook of random flows between 500 processes, a tenth of them blank."""
    import numpy as np
    from openpyxl import Workbook

    rng = np.random.default_rng(0)
    book = Workbook(write_only=True)
    system = book.create_sheet("system")
    for row in (("key", "value"), ("unit", "kt/yr"), ("substances", "Cu"), ("default_cv", 0.1)):
        system.append(row)
    processes = book.create_sheet("processes")
    processes.append(["process", "kind"])
    kinds = ["import"] * 20 + ["export"] * 20 + [None] * 460
    for number, kind in enumerate(kinds):
        processes.append([f"P{number}", kind])
    sheet = book.create_sheet("flows")
    sheet.append(["flow", "from", "to", "substance", "year", "role", "value", "unit", "reference"])
    senders = np.setdiff1d(np.arange(500), np.arange(20, 40))
    tail, head = rng.choice(senders, flows), rng.integers(20, 500, flows)
    for flow in range(flows):
        for year in range(years):
            value = None if rng.random() < 0.1 else round(float(rng.lognormal(3, 1)), 3)
            ends = [f"P{tail[flow]}", f"P{head[flow]}"]
            source = f"source {flow % 50}"
            sheet.append([f"F{flow}", *ends, "Cu", 2000 + year, "product", value, "kt/yr", source])
    book.save(path)


def main() -> None:
    """Run every benchmark and write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_book(folder / "big.xlsx", 10_000, 10)
        copper = str(ROOT / "flows" / "copper-japan.xlsx")
        read = measure("import mfa; mfa.read_workbook", "mfa.read_workbook('big.xlsx')", folder)
        plain = measure(
            "import openpyxl",
            "b = openpyxl.load_workbook('big.xlsx', read_only=True)\n"
            "for s in b:\n    rows = list(s.values)\nb.close()",
            folder,
        )
        rows.append(("read 100,000 flow rows, checked", *read))
        rows.append(("the same rows with openpyxl, unchecked", *plain))
        solve = measure(
            f"import mfa; s = mfa.read_workbook({copper!r}); mfa.reconcile(s)",
            "mfa.reconcile(s)",
            folder,
        )
        rows.append(("reconcile `copper-japan`, after reading", *solve))
        rows.append(("`mfa --help`", *command(["--help"], folder)))
        rows.append(("`mfa report flows/copper-japan.xlsx`", *command(["report", copper], folder)))
    lines = [
        "# Benchmarks",
        "",
        f"Made by `python benchmarks/run.py`: medians of {RUNS} runs,",
        f"Python {platform.python_version()}, {os.cpu_count()} cores.",
        "",
        "| work | seconds | peak memory [MB] |",
        "|---|---|---|",
    ]
    for work, seconds, memory in rows:
        shown = "" if memory != memory else f"{memory:.0f}"
        lines.append(f"| {work} | {seconds:.2f} | {shown} |")
    ratio = rows[1][1] / rows[0][1]
    lines += ["", f"Reading with all checks takes 1/{ratio:.1f} of openpyxl's time without any."]
    (HERE / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
