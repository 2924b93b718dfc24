"""Tracing: 50 sources through 100,000 flows, and all that recycling says of a shipped case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from measure import ROOT, Row, measure, within
from networks import Floats, Ints, closed_flows

SOURCES = 50
_SETUP = """
import sys
sys.path.insert(0, {here!r})
import mfa
from tracing import system
balance = mfa.reconcile(mfa.System.from_tables(system({kind!r})))
"""


def ends(kind: str, flows: int, seed: int = 0) -> tuple[Ints, Ints, int]:
    """Return tail and head of flows between flows/4 processes; the number after them is outside."""
    rng = np.random.default_rng(seed)
    n = flows // 4
    if kind == "random":
        tail, head = rng.integers(0, n, flows), rng.integers(0, n, flows)
        tail[:n], head[n : 2 * n] = np.arange(n), np.arange(n)
        head = np.where(head == tail, (head + 1) % n, head)
    else:  # 25 layers, each sends to the next; every fiftieth flow goes back
        width = n // 25
        tail = rng.integers(0, n - width, flows)
        head = (tail // width + 1) * width + rng.integers(0, width, flows)
        back = rng.random(flows) < 0.02
        tail, head = np.where(back, head, tail), np.where(back, tail, head)
    tail[-n // 10 :] = n
    head[-n // 5 : -n // 10] = n
    if kind == "layered":
        head[-n // 10 :] = rng.integers(0, n // 25, n // 10)
        tail[-n // 5 : -n // 10] = rng.integers(n - n // 25, n, n // 10)
    return tail, head, n


def system(kind: str, flows: int = 100_000) -> dict[str, object]:
    """Return the tables of a closed network that 50 import processes feed."""
    import pandas as pd

    tail, head, n = ends(kind, flows)
    rng = np.random.default_rng(1)
    value: Floats = closed_flows(tail, head, rng.lognormal(0, 1, flows), rng.lognormal(3, 1, n))
    names = np.array([*(f"P{k}" for k in range(n)), "Sink"], dtype=object)
    imports = np.array([f"C{k}" for k in range(SOURCES)], dtype=object)
    from_ = np.where(tail == n, imports[rng.integers(0, SOURCES, flows)], names[tail])
    table = {"flow": [f"F{k}" for k in range(flows)], "from": from_, "to": names[head]}
    kinds = ["process"] * n + ["sink"] + ["import"] * SOURCES
    settings = [("unit", "kt/yr"), ("substances", "Cu"), ("default_cv", 0.1)]
    return {
        "system": pd.DataFrame(settings, columns=["key", "value"]),
        "processes": pd.DataFrame({"process": [*names, *imports], "kind": kinds}),
        "flows": pd.DataFrame(table | {"year": 2020, "value": value}),
    }


def rows(folder: Path) -> list[Row]:
    """Return tracing at size, and everything that recycling says of Japan's copper."""
    found_rows = []
    here = str(ROOT / "benchmarks")
    for kind in ("layered", "random"):
        ready = _SETUP.format(here=here, kind=kind)
        found = measure(ready, "mfa.trace(balance, by='process')", folder)
        found_rows.append(
            within(f"trace {SOURCES} sources through 100,000 flows, {kind}", found, 5.0)
        )
    copper = str(ROOT / "flows" / "copper-japan.xlsx")
    ready = f"import mfa; b = mfa.reconcile(mfa.read_workbook({copper!r})); b.flows"
    work = "mfa.indicators(b); mfa.trace(b); mfa.bottlenecks(b); mfa.survey(b)"
    name = "indicators, tracing, bottlenecks and survey of `copper-japan`"
    return [*found_rows, within(name, measure(ready, work, folder), 1.0)]
