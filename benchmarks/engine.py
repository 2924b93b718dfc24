"""Estimates of large networks beside other solvers: ``python benchmarks/run.py engine``.

The others get the equations ready made and are timed on the solution alone, mfa from a System (of
the large network: from tables) to values and statuses. All solve the same problem, and each row
says how far its misfit Σ((x − y)/sd)² lies from that of mfa.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import networks
import numpy as np
import scipy.sparse as sp
from measure import LIMIT, Measured, Row, measure, within
from numpy.typing import NDArray

import mfa
from mfa.balance.bounds import misfit
from mfa.balance.compile import compile_system
from mfa.balance.equations import Equations

Floats = NDArray[np.float64]
LARGE, SMALL = 44_000, 4_400
BLANKS = (0.0, 0.1, 0.3)
_FAR = 1e-5  # relative: a misfit that lies further away is no equal answer
_TIMES = 10


def system(flows: int, blank: float, free: bool) -> mfa.System:
    """Return a random network; with ``free``, flows have no bounds at all."""
    tail, head, flow = networks.random_network(flows)
    values = networks.seen(flow, blank)
    return mfa.System.from_tables(networks.network_tables(tail, head, values, either_way=free))


class Problem(NamedTuple):
    """Minimise ½ zᵀPz + qᵀz under Az = b, z ≥ 0 if ``bounded``; x = width · z.

    Variables are in units of their sd, rows of A have entries up to 1.
    """

    equations: Equations
    free: NDArray[np.int64]
    width: Floats
    p: Any
    q: Floats
    a: Any
    b: Floats
    bounded: bool

    def report(self, z: Floats) -> dict[str, float]:
        """Return the misfit of a solution and the largest gap it leaves, of the largest flow."""
        x = np.where(self.equations.fixed, self.equations.y, 0.0)
        x[self.free] = self.width * z
        gap = np.abs(self.equations.matrix @ x).max() / np.abs(x).max()
        return {"misfit": misfit(self.equations, x), "gap": float(gap)}


def problem(flows: int, blank: float, free: bool) -> Problem:
    """Return the estimate of a system as a scaled quadratic programme."""
    equations = compile_system(system(flows, blank, free)).equations
    assert bool(np.isinf(equations.lower).all()) == free
    kept = np.flatnonzero(~equations.fixed)
    data = equations.measured[kept]
    width = np.where(data, equations.sd[kept], np.median(equations.sd[kept][data]))
    rows = sp.csr_array(equations.matrix[:, kept]) @ sp.diags_array(width)
    size = abs(rows).max(axis=1).toarray().ravel()
    size = np.where(size > 0, size, 1.0)
    target = np.where(data, equations.y[kept] / width, 0.0)
    return Problem(
        equations,
        kept,
        width,
        sp.csc_matrix(sp.diags_array(data.astype(float))),
        -target,
        sp.csc_matrix(sp.diags_array(1 / size) @ rows),
        equations.constants(equations.fixed, equations.y) / size,
        not free,
    )


def by_clarabel(given: Problem) -> Floats:
    """Solve with Clarabel, nothing around it."""
    import clarabel

    n, a, b = len(given.q), given.a, given.b
    cones = [clarabel.ZeroConeT(len(b))]
    if given.bounded:
        a = sp.csc_matrix(sp.vstack([a, -sp.eye_array(n)]))
        b = np.concatenate([b, np.zeros(n)])
        cones.append(clarabel.NonnegativeConeT(n))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    found = clarabel.DefaultSolver(given.p, given.q, a, b, cones, settings).solve()
    assert str(found.status) in ("Solved", "AlmostSolved"), f"status {found.status}"
    return np.asarray(found.x)


def by_cvxpy(given: Problem, solver: str) -> Floats:
    """Solve with cvxpy as its users write it."""
    import cvxpy as cp

    z = cp.Variable(len(given.q))
    data = np.flatnonzero(given.p.diagonal())
    goal = cp.Minimize(cp.sum_squares(z[data] + given.q[data]))
    limits = [given.a @ z == given.b, *([z >= 0] if given.bounded else [])]
    task = cp.Problem(goal, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task.solve(solver=solver)
    assert z.value is not None, f"status {task.status}"
    return np.asarray(z.value)


def by_numpy(given: Problem) -> Floats:
    """Solve a network in which everything is measured with dense matrices."""
    a = given.a.toarray()
    y = -given.q
    return np.asarray(y - a.T @ np.linalg.solve(a @ a.T, a @ y - given.b))


def by_lsq_linear(given: Problem) -> Floats:
    """Solve with scipy's bounded least squares, balances as data that weigh much."""
    from scipy.optimize import lsq_linear

    heavy, data = 1e3, np.flatnonzero(given.p.diagonal())
    rows = sp.csr_matrix(sp.vstack([given.p.tocsr()[data], heavy * given.a]))
    right = np.concatenate([-given.q[data], heavy * given.b])
    found = lsq_linear(rows, right, (0.0, np.inf), max_iter=200)
    assert found.success, found.message
    return np.asarray(found.x)


def _ours(flows: int, blank: float, free: bool, folder: Path) -> Measured:
    return measure(
        f"import engine, mfa; s = engine.system({flows}, {blank}, {free}); mfa.reconcile",
        "b = mfa.reconcile(s); b.values; b.status",
        folder,
        report="{'misfit': b.chi2}",
    )


def _other(call: str, case: tuple[int, float, bool], folder: Path, runs: int = 1) -> Measured:
    packages = "import clarabel, scipy.optimize"
    if "cvxpy" in call:
        packages = "import cvxpy, osqp"
    return measure(
        f"import engine; p = engine.problem(*{case!r}); {packages}",
        f"z = engine.{call}",
        folder,
        report="p.report(z)",
        runs=runs,
        limit=LIMIT,
    )


def _said(other: Measured, ours: Measured, runs: int) -> str:
    """Return the note of another solver: ratio and how far its answer is from ours."""
    if other.trouble:
        return ""
    wanted = ours.found["misfit"]
    off = abs(other.found["misfit"] - wanted) / wanted
    words = [
        f"{other.seconds / ours.seconds:.3g} times the time of mfa",
        f"misfit {off:.0e} off, balances {other.found['gap']:.0e} open",
    ]
    words += ["**less exact**"] if off > _FAR else []
    return "; ".join(words + (["one run"] if runs == 1 else []))


def network_rows(flows: int, free: bool, folder: Path) -> list[Row]:
    """Return mfa against Clarabel alone, for every share of blanks."""
    rows, bounds = [], "without bounds" if free else "flows ≥ 0"
    runs, least = (3, _TIMES) if free else (1, 1)
    for blank in BLANKS:
        name = f"{flows:,} flows, {blank:.0%} unmeasured, {bounds}"
        ours = _ours(flows, blank, free, folder)
        other = _other("by_clarabel(p)", (flows, blank, free), folder, runs)
        faster = (LIMIT if other.trouble else other.seconds) / ours.seconds
        goal = f"≥ {least} times faster than Clarabel" if free else "no slower than Clarabel"
        rows.append(Row(f"mfa: {name}", ours, goal, faster >= least))
        rows.append(Row("— Clarabel alone", other, note=_said(other, ours, runs)))
    return rows


def other_rows(folder: Path) -> list[Row]:
    """Return mfa against what else a user would take."""
    rows = []
    both = (
        ("cvxpy with OSQP", "by_cvxpy(p, 'OSQP')"),
        ("cvxpy with Clarabel", "by_cvxpy(p, 'CLARABEL')"),
    )
    dense = ("numpy, dense", "by_numpy(p)")
    bounded = ("scipy's lsq_linear", "by_lsq_linear(p)")
    cases = (
        ((SMALL, 0.0, True), (*both, dense)),
        ((SMALL, 0.1, False), (*both, bounded)),
        ((LARGE, 0.1, True), both),
        ((LARGE, 0.1, False), both),
    )
    for (flows, blank, free), others in cases:
        ours = _ours(flows, blank, free, folder)
        bounds = "without bounds" if free else "flows ≥ 0"
        rows.append(Row(f"mfa: {flows:,} flows, {blank:.0%} unmeasured, {bounds}", ours))
        for name, call in others:
            other = _other(call, (flows, blank, free), folder)
            rows.append(Row(f"— {name}", other, note=_said(other, ours, 1)))
    return rows


def world_rows(folder: Path, years: int = 30) -> list[Row]:
    """Return the large network, from tables in memory, and a tenth of it."""
    found = {}
    for some in (years // 10, years):
        tables = networks.world_tables(years=some)
        number = len(tables["flows"])
        np.save(folder / "tables.npy", np.array([tables], dtype=object), allow_pickle=True)
        del tables
        found[number] = measure(
            "import numpy as np, mfa; mfa.reconcile, mfa.System\n"
            "tables = np.load('tables.npy', allow_pickle=True)[0]",
            "b = mfa.reconcile(mfa.System.from_tables(tables)); b.values; b.status",
            folder,
        )
    (few, small), (many, large) = found.items()
    longer, more = large.seconds / small.seconds, large.memory / small.memory
    growth = Row(
        f"growth from {few:,} to {many:,} flows",
        Measured(),
        "13 times the time, 11 times the memory",
        longer <= 13 and more <= 11,
        f"{longer:.3g} times the time, {more:.3g} times the memory",
    )
    name = "mfa, from tables: {:,} flows, {:,} balances"
    return [
        Row(name.format(few, 3000 * (years // 10)), small),
        within(name.format(many, 3000 * years), large, 10, 3000),
        growth,
    ]


def rows(folder: Path) -> list[Row]:
    """Return all rows of the theme."""
    return [
        *network_rows(LARGE, True, folder),
        *network_rows(LARGE, False, folder),
        *network_rows(SMALL, False, folder),
        *world_rows(folder),
        *other_rows(folder),
    ]
