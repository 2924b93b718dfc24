"""Cohort stocks beside flodym: ``python benchmarks/run.py stocks``.

Seconds are those from the numbers to inflow, outflow and stock. What the two sides find is compared
in the same run.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
from measure import Measured, Row, measure

N_YEAR, N_SERIES = 300, 1000
ROUNDING = 1e-9  # of the largest value; flodym's own solver leaves less

_SETUP = f"""
import numpy as np

N, M = {N_YEAR}, {N_SERIES}
rng = np.random.default_rng(0)
years = np.arange(1721, 1721 + N)
inflow = rng.lognormal(2.0, 0.5, (N, M))
shape, scale = 2.5, 28.0
by_cohort = np.linspace(20.0, 35.0, N)[:, None]
by_all = rng.uniform(15.0, 40.0, (N, M))
stock = np.cumsum(inflow, axis=0)
"""
_READY = """
mfa.inflow_driven, mfa.stock_driven, mfa.Weibull
"""
_OURS = """
run = mfa.{call}(years, {given}, mfa.Weibull(shape=shape, scale={scale}))
"""
_FLODYM_READY = """
import flodym as f
time_ = f.Dimension(name="Time", letter="t", items=[int(year) for year in years], dtype=int)
series = f.Dimension(name="Series", letter="s", items=[str(i) for i in range(M)], dtype=str)
dims = f.DimensionSet(dim_list=[time_, series])
full = np.broadcast_to({scale}, (N, M)).copy()
"""
_FLODYM = """
life = f.WeibullLifetime(dims=dims, weibull_shape=shape, weibull_scale=full)
array = f.StockArray(dims=dims, values={given}.copy())
model = f.{model}(dims=dims, {given}=array, lifetime_model=life)
model.compute()
"""
_REPORT = "np.savez('{side}.npz', inflow={0}, outflow={1}, stock={2})"
_WORKS = (
    ("constant lifetimes", "inflow_driven", "InflowDrivenDSM", "inflow", "scale"),
    ("constant lifetimes, stock-driven", "stock_driven", "StockDrivenDSM", "stock", "scale"),
    ("lifetimes by cohort", "inflow_driven", "InflowDrivenDSM", "inflow", "by_cohort"),
    ("lifetimes by cohort and series", "inflow_driven", "InflowDrivenDSM", "inflow", "by_all"),
    ("the same, stock-driven", "stock_driven", "StockDrivenDSM", "stock", "by_all"),
)


def _compare(work: str, folder: Path) -> None:
    with np.load(folder / "ours.npz") as ours, np.load(folder / "flodym.npz") as theirs:
        for name in ours.files:
            size = np.abs(theirs[name]).max()
            off = np.abs(ours[name] - theirs[name]).max() / size
            if not off < ROUNDING:
                raise AssertionError(f"{work}: {name} differ by {off:.1e} of the largest value")


def _run(ready: str, work: str, side: str, results: list[str], folder: Path) -> Measured:
    report = _REPORT.format(*results, side=side)
    return measure(_SETUP + ready, work, folder, report=report)


def rows(folder: Path) -> list[Row]:
    """Return every work, measured on both sides and compared."""
    out = []
    for work, call, model, given, scale in _WORKS:
        names = ["inflow", "outflow", "stock"]
        code = _OURS.format(call=call, given=given, scale=scale)
        here = _run("import mfa" + _READY, code, "ours", [f"run.{name}" for name in names], folder)
        code = _FLODYM.format(model=model, given=given)
        ready = _FLODYM_READY.format(scale=scale)
        results = [f"model.{name}.values" for name in names]
        there = _run(ready, code, "flodym", results, folder)
        _compare(work, folder)
        faster = f"{there.seconds / here.seconds:.3g} times the time of mfa"
        out.append(Row(f"mfa: {N_YEAR} years × {N_SERIES:,} series, {work}", here))
        out.append(Row(f"— flodym {version('flodym')}", there, note=faster))
    return out
