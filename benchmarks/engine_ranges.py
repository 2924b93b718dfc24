"""Ranges of undetermined flows and variances of all flows, beside the obvious way to each.

``python benchmarks/run.py engine_ranges``. mfa and the other way are timed in the same process,
each from equations to numbers.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from measure import Measured, Row, measure, within
from scipy.optimize import linprog

from mfa.balance.covariance import variances
from mfa.balance.equations import Equations
from mfa.balance.ranges import blocks, ranges
from mfa.balance.solve import estimate
from mfa.balance.structure import structure

SAMPLE = 50


def network(flows: int, blank: float, seed: int = 0) -> Equations:
    """Return flows between random processes, four to each; what they lack comes from outside.

    The data agree with each other, so that the undetermined flows have room; a share is blank.
    """
    rng = np.random.default_rng(seed)
    nodes = flows // 4
    tail = rng.integers(0, nodes, flows)
    head = (tail + rng.integers(1, nodes, flows)) % nodes
    x = rng.lognormal(3.0, 1.0, flows)
    gap = np.bincount(tail, x, nodes) - np.bincount(head, x, nodes)
    every = np.arange(nodes)
    tail = np.concatenate([tail, np.where(gap > 0, nodes, every)])
    head = np.concatenate([head, np.where(gap > 0, every, nodes)])
    x = np.concatenate([x, np.abs(gap)])
    n = len(x)
    measured = np.concatenate([rng.random(flows) >= blank, np.ones(nodes, dtype=bool)])
    return Equations(
        n_nodes=nodes,
        tail=tail,
        head=head,
        relations=sp.csr_array((0, n)),
        right=np.zeros(0),
        y=x,
        sd=0.1 * x + 1e-3,
        measured=measured,
        fixed=np.zeros(n, dtype=bool),
        lower=np.zeros(n),
        upper=np.full(n, np.inf),
        start=np.zeros(n),
    )


def ranges_case(flows: int = 10_000, blank: float = 0.38) -> dict[str, float]:
    """Return seconds for the ranges of all undetermined flows, and for one search for each end.

    ``one by one`` is scipy's linprog for a sample of flows, extrapolated to all of them.
    """
    equations = network(flows, blank)
    layout = structure(equations)
    x = estimate(layout, equations.y).x
    loose = ~(equations.measured | layout.determined)
    start = time.perf_counter()
    low, high = ranges(blocks(equations, loose, x), equations)
    seconds = time.perf_counter() - start
    numbers = np.flatnonzero(loose)
    rows = sp.csr_array(equations.matrix[:, numbers])
    used = np.flatnonzero(np.diff(rows.indptr))
    right = equations.constants(~loose, x)[used]
    picked = np.random.default_rng(1).choice(len(numbers), SAMPLE, replace=False)
    start, worst = time.perf_counter(), 0.0
    for k in picked:
        for sign, ends in ((1.0, low), (-1.0, high)):
            objective = np.zeros(len(numbers))
            objective[k] = sign
            found = linprog(objective, A_eq=rows[used], b_eq=right)
            wanted = sign * found.fun if found.status == 0 else -sign * np.inf
            if np.isfinite(wanted) or np.isfinite(ends[numbers[k]]):
                worst = max(worst, abs(ends[numbers[k]] - wanted) / np.abs(right).max())
    one_by_one = (time.perf_counter() - start) * len(numbers) / SAMPLE
    return {
        "undetermined flows": float(len(numbers)),
        "seconds": seconds,
        f"one by one, from {SAMPLE} of them": one_by_one,
        "largest difference, of the largest amount": worst,
    }


def variances_case(flows: int = 10_000) -> dict[str, float]:
    """Return seconds for the variances of all flows, and for the textbook's dense formula."""
    equations = network(flows, 0.0)
    rng = np.random.default_rng(1)
    noisy = replace(equations, y=equations.y + equations.sd * rng.normal(size=equations.n))
    start = time.perf_counter()
    found = variances(estimate(structure(noisy), noisy.y))
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    a, w = noisy.matrix.toarray(), noisy.sd**2
    q = np.einsum("ij,ij->j", a, np.linalg.solve((a * w) @ a.T, a))
    wanted = w - w**2 * q
    dense = time.perf_counter() - start
    return {
        "flows": float(noisy.n),
        "balances": float(noisy.n_nodes),
        "seconds": seconds,
        "dense": dense,
        "largest difference, relative": float(np.max(np.abs(found - wanted) / wanted)),
    }


def rows(folder: Path) -> list[Row]:
    """Return the rows of the theme."""
    out = []
    for case, work, goal in (("variances", "sd", 3.0), ("ranges", "[low, high]", 15.0)):
        run = measure(
            "import engine_ranges", f"found = engine_ranges.{case}_case()", folder, report="found"
        )
        found = run.found
        ours = Measured(found["seconds"], run.memory)
        other = "dense" if case == "variances" else next(k for k in found if k.startswith("one"))
        size = (
            f"of every flow, {found['flows']:,.0f} flows, {found['balances']:,.0f} balances"
            if case == "variances"
            else f"of {found['undetermined flows']:,.0f} undetermined flows"
        )
        off = next(value for key, value in found.items() if key.startswith("largest"))
        note = f"{found[other] / ours.seconds:.3g} times the time of mfa; differs by {off:.0e}"
        out.append(within(f"mfa: {work} {size}", ours, goal))
        name = "the textbook's dense formula" if case == "variances" else f"linprog {other}"
        out.append(Row(f"— {name}", Measured(seconds=found[other]), note=note))
    return out
