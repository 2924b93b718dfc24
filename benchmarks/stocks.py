"""Measure cohort stocks against flodym, in one run: ``python benchmarks/stocks.py``.

Needs the extra `bench`. Every figure is the median of several runs, each side in a process of its
own: seconds from the numbers to inflow, outflow and stock, memory the process's peak. What the two
sides find is compared in the same run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

RUNS = 3
N_YEAR, N_SERIES = 300, 1000
ROUNDING = 1e-9  # of the largest value; flodym's own solver leaves less

_SETUP = f"""
import json, time
import numpy as np

N, M = {N_YEAR}, {N_SERIES}
rng = np.random.default_rng(0)
years = np.arange(1721, 1721 + N)
inflow = rng.lognormal(2.0, 0.5, (N, M))
shape, scale = 2.5, 28.0
by_cohort = np.linspace(20.0, 35.0, N)[:, None]
by_all = rng.uniform(15.0, 40.0, (N, M))
stock = np.cumsum(inflow, axis=0)

def peak():  # [MB] of this process alone; getrusage on Linux counts its parent's, too
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if "VmHWM" in line)
    except FileNotFoundError:
        import resource, sys
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size / (1024 * 1024 if sys.platform == "darwin" else 1024)
"""
_REPORT = """
print(json.dumps([seconds, peak()]))
np.savez("{side}.npz", inflow=found[0], outflow=found[1], stock=found[2])
"""
_OURS = """
import mfa
mfa.inflow_driven, mfa.stock_driven, mfa.Weibull
start = time.perf_counter()
run = mfa.{call}(years, {given}, mfa.Weibull(shape=shape, scale={scale}))
seconds = time.perf_counter() - start
found = run.inflow, run.outflow, run.stock
"""
_FLODYM = """
import flodym as f
time_ = f.Dimension(name="Time", letter="t", items=[int(year) for year in years], dtype=int)
series = f.Dimension(name="Series", letter="s", items=[str(i) for i in range(M)], dtype=str)
dims = f.DimensionSet(dim_list=[time_, series])
full = np.broadcast_to({scale}, (N, M)).copy()
start = time.perf_counter()
life = f.WeibullLifetime(dims=dims, weibull_shape=shape, weibull_scale=full)
array = f.StockArray(dims=dims, values={given}.copy())
model = f.{model}(dims=dims, {given}=array, lifetime_model=life)
model.compute()
seconds = time.perf_counter() - start
found = model.inflow.values, model.outflow.values, model.stock.values
"""


class Row(NamedTuple):
    """One work: seconds and peak memory [MB] on either side."""

    work: str
    seconds: float
    flodym_seconds: float
    memory: float
    flodym_memory: float


def _run(code: str, side: str, folder: Path) -> tuple[float, float]:
    whole = _SETUP + code + _REPORT.format(side=side)
    results = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", whole], cwd=folder, capture_output=True, text=True, check=True
        )
        results.append(json.loads(done.stdout.splitlines()[-1]))
    seconds, memory = zip(*results, strict=True)
    return statistics.median(seconds), statistics.median(memory)


def _compare(work: str, folder: Path) -> None:
    with np.load(folder / "ours.npz") as ours, np.load(folder / "flodym.npz") as theirs:
        for name in ours.files:
            size = np.abs(theirs[name]).max()
            off = np.abs(ours[name] - theirs[name]).max() / size
            if not off < ROUNDING:
                raise AssertionError(f"{work}: {name} differ by {off:.1e} of the largest value")


def rows() -> list[Row]:
    """Return every work, measured on both sides and compared."""
    works = [
        ("constant lifetimes", "inflow_driven", "InflowDrivenDSM", "inflow", "scale"),
        ("stock-driven", "stock_driven", "StockDrivenDSM", "stock", "scale"),
        ("lifetimes by cohort", "inflow_driven", "InflowDrivenDSM", "inflow", "by_cohort"),
        ("lifetimes by cohort and series", "inflow_driven", "InflowDrivenDSM", "inflow", "by_all"),
        ("the same, stock-driven", "stock_driven", "StockDrivenDSM", "stock", "by_all"),
    ]
    out = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for work, call, model, given, scale in works:
            ours = _OURS.format(call=call, given=given, scale=scale)
            theirs = _FLODYM.format(model=model, given=given, scale=scale)
            here, there = _run(ours, "ours", folder), _run(theirs, "flodym", folder)
            _compare(work, folder)
            out.append(Row(work, here[0], there[0], here[1], there[1]))
    return out


def table(rows: list[Row]) -> list[str]:
    """Return the lines of a table."""
    lines = [
        f"Stocks of {N_YEAR} years × {N_SERIES:,} series against flodym {version('flodym')}:",
        "",
        "| work | mfa [s] | flodym [s] | times faster | mfa [MB] | flodym [MB] |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        faster = row.flodym_seconds / row.seconds
        lines.append(
            f"| {row.work} | {row.seconds:.3f} | {row.flodym_seconds:.2f} | {faster:.0f} "
            f"| {row.memory:.0f} | {row.flodym_memory:.0f} |"
        )
    return lines


if __name__ == "__main__":
    print("\n".join(table(rows())))
