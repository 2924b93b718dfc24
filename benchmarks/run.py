"""Measure all that the project claims: ``python benchmarks/run.py [THEME ...]``.

Beside it, in the same run, what a user would otherwise take. Prints the tables and writes them to
README.md; with themes named, only their part is measured and replaced.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from measure import ROOT, Measured, Row, machine, measure, table, within, write_page

THEMES = ("engine", "engine_ranges", "files", "stocks", "joint", "projection", "tracing", "chart")


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


def command(arguments: list[str], folder: Path) -> Measured:
    """Measure a whole command, start-up included, but not its memory."""
    script = f"import subprocess\narguments = [sys.executable, '-m', 'mfa', *{arguments!r}]\n"
    work = "subprocess.run(arguments, check=True, capture_output=True)"
    return replace(measure(script, work, folder), memory=float("nan"))


def files(folder: Path) -> list[Row]:
    """Return reading, and the copper case from its workbook."""
    write_book(folder / "big.xlsx", 10_000, 10)
    copper = str(ROOT / "flows" / "copper-japan.xlsx")
    read = measure("import mfa; mfa.read_workbook", "mfa.read_workbook('big.xlsx')", folder)
    plain = measure(
        "import openpyxl",
        "b = openpyxl.load_workbook('big.xlsx', read_only=True)\n"
        "for s in b:\n    rows = list(s.values)\nb.close()",
        folder,
    )
    ready = f"import mfa; s = mfa.read_workbook({copper!r}); mfa.reconcile(s)"
    solve = measure(ready, "mfa.reconcile(s)", folder)
    longer = f"{plain.seconds / read.seconds:.3g} times the time of mfa"
    return [
        Row("mfa: read 100,000 flow rows of a workbook, checked", read),
        Row("— the same rows with openpyxl, unchecked", plain, note=longer),
        within("reconcile `copper-japan`, after reading", solve, 0.2),
        Row("`mfa --help`", command(["--help"], folder)),
        Row("`mfa report flows/copper-japan.xlsx`", command(["report", copper], folder)),
    ]


def main(themes: list[str]) -> None:
    """Run the themes and write their part of the page."""
    unknown = [theme for theme in themes if theme not in THEMES]
    if unknown:
        sys.exit(f"unknown theme {unknown[0]!r}; there are {', '.join(THEMES)}")
    for theme in themes or THEMES:
        where = machine()
        with tempfile.TemporaryDirectory() as name:
            call = files if theme == "files" else importlib.import_module(theme).rows
            lines = [where, "", *table(call(Path(name)))]
        print("\n".join([theme, *lines, ""]), flush=True)
        write_page({theme: lines}, list(THEMES))


if __name__ == "__main__":
    main(sys.argv[1:])
