"""The months of a shock as one programme: least unmet demand, as late as possible, evenly shared.

Unknowns of every month: each flow y_f, what each stockpile releases r_p, what each process adds to
its own stock g_p, what it puts aside because nobody takes it w_p, what stands in for what is lost
e_k, and the unmet demand u_q of each end. With b the usual month, T_p = Σ_in y + r_p − g_p − w_p
what process p passes on:

    Σ_out y = T_p                          nothing appears or disappears
    y_f = (b_f / T_p usual) T_p            losses and new scrap go with what is passed on
    0 ≤ y_f ≤ b_f (1 − lost_f)             nobody delivers more than usual, but for substitutes
    u_q = D_q − Σ_in y − r_q ≥ 0           unmet demand
    Σ_months r_p ≤ stock_p,  r_p ≤ release_p
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from mfa.balance.network import Floats, Ints, Mask
from mfa.errors import MFAError

_CLOSE = 1e-9
_TIE = 1e-6  # weight of staying near the usual beside even shares of what is unmet
_SPARE = 1e-4  # weight of what stocks release


def _sums(at: Ints, values: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(at, values, n), dtype=np.float64)


@dataclass(frozen=True)
class Task:
    """What the programme is made of; all amounts are per month.

    Attributes
    ----------
    usual : array, shape (flows,)
        b: the usual flows.
    tail, head : array of int, shape (flows,)
        Inner process that a flow leaves, −1 if none; node it enters: inner processes first, then
        ends, −1 if none.
    technical : array of bool, shape (flows,)
        Losses and new scrap.
    n_inner, n_ends : int
    lost : array, shape (months, flows)
        Share of each flow that is lost.
    down : array, shape (months, inner)
        Share of what each inner process passes on that is lost.
    capacity : array, shape (inner,)
        Largest intake, inf where there is none.
    stock : array, shape (inner + ends,)
        What is kept at the start.
    release : array, shape (inner + ends,)
        Largest release in a month.
    rules : list of Rule
        What may stand in for what.
    """

    usual: Floats
    tail: Ints
    head: Ints
    technical: Mask
    n_inner: int
    n_ends: int
    lost: Floats
    down: Floats
    capacity: Floats
    stock: Floats
    release: Floats
    rules: list[Rule] = field(default_factory=list)

    @property
    def months(self) -> int:
        """Number of months."""
        return len(self.lost)

    @cached_property
    def passed(self) -> Floats:
        """T: what each inner process usually passes on."""
        out = self.tail >= 0
        return _sums(self.tail[out], self.usual[out], self.n_inner)

    @cached_property
    def added(self) -> Floats:
        """What each inner process usually adds to its own stock."""
        into = (self.head >= 0) & (self.head < self.n_inner)
        return _sums(self.head[into], self.usual[into], self.n_inner) - self.passed

    @cached_property
    def raised(self) -> Mask:
        """Flows that may carry more than usual: substitutes, and all downstream of them."""
        free = np.zeros(len(self.usual), dtype=bool)
        for rule in self.rules:
            free[rule.to] = True
        while True:
            nodes = np.unique(self.head[free & (self.head >= 0) & (self.head < self.n_inner)])
            more = free | np.isin(self.tail, nodes)
            if (more == free).all():
                return free
            free = more

    @cached_property
    def demand(self) -> Floats:
        """D: what usually arrives at each end."""
        into = self.head >= self.n_inner
        return _sums(self.head[into] - self.n_inner, self.usual[into], self.n_ends)


@dataclass(frozen=True)
class Rule:
    """What may stand in: flows ``to`` may carry more, by a share of what ``of`` usually carry.

    ``ready`` says which share of each month the rule works.
    """

    of: Ints
    weight: Floats
    to: Ints
    share: float
    ready: Floats


@dataclass(frozen=True)
class Plan:
    """What comes out, by month: rows are months."""

    flows: Floats
    released: Floats
    added: Floats
    aside: Floats
    unmet: Floats


class _Columns:
    """Where each unknown stands: month by month, kind by kind."""

    def __init__(self, task: Task) -> None:
        pairs = [(k, j) for k, rule in enumerate(task.rules) for j in range(len(rule.to))]
        self.pairs = pairs
        nodes = task.n_inner + task.n_ends
        sizes = [len(task.usual), nodes, task.n_inner, task.n_inner, len(pairs), task.n_ends]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        self.width = int(self.starts[-1])
        self.n = self.width * task.months

    def at(self, kind: int, month: int) -> Ints:
        """Return the columns of a kind in a month: y, r, g, w, e, u."""
        base = month * self.width
        return np.arange(base + self.starts[kind], base + self.starts[kind + 1])

    def all(self, kind: int, x: Floats) -> Floats:
        """Return the values of a kind by month."""
        months = x.reshape(-1, self.width)
        return months[:, self.starts[kind] : self.starts[kind + 1]]


@dataclass(frozen=True)
class _Programme:
    columns: _Columns
    equal: sp.csr_array
    equal_to: Floats
    below: sp.csr_array
    below_to: Floats
    lower: Floats
    upper: Floats


class _Rows:
    """Rows of a sparse matrix as they are collected."""

    def __init__(self) -> None:
        self.parts: list[tuple[Ints, Floats]] = []
        self.right: list[float] = []

    def add(self, columns: Ints, factors: Floats, right: float) -> None:
        self.parts.append((columns, factors))
        self.right.append(right)

    def matrix(self, n: int) -> tuple[sp.csr_array, Floats]:
        sizes = [len(columns) for columns, _ in self.parts]
        row = np.repeat(np.arange(len(sizes)), sizes)
        column = np.concatenate([c for c, _ in self.parts]) if sizes else np.zeros(0, np.int64)
        factor = np.concatenate([f for _, f in self.parts]) if sizes else np.zeros(0)
        shape = (len(sizes), n)
        return sp.csr_array((factor, (row, column)), shape=shape), np.array(self.right)


def _one(*columns: Ints) -> Ints:
    return np.concatenate(columns).astype(np.int64)


def compile_task(task: Task) -> _Programme:
    """Return the rows and limits of a task's programme."""
    columns, equal, below = _Columns(task), _Rows(), _Rows()
    lower, upper = np.zeros(columns.n), np.zeros(columns.n)
    for month in range(task.months):
        _limits(task, columns, month, lower, upper)
        _balances(task, columns, month, equal)
        _capacities(task, columns, month, below)
        _rules(task, columns, month, below)
    for node in np.flatnonzero(task.stock > 0).tolist():
        drawn = np.array([columns.at(1, month)[node] for month in range(task.months)])
        below.add(drawn, np.ones(len(drawn)), float(task.stock[node]))
    A, b = equal.matrix(columns.n)
    G, h = below.matrix(columns.n)
    return _Programme(columns, A, b, G, h, lower, upper)


def _limits(task: Task, columns: _Columns, month: int, lower: Floats, upper: Floats) -> None:
    most = task.usual * (1 - task.lost[month])
    room = sum(
        rule.share * float(rule.weight @ task.usual[rule.of]) * rule.ready[month]
        for rule in task.rules
    )
    y, r, g, w, e, u = (columns.at(kind, month) for kind in range(6))
    upper[y] = np.where(task.raised, most + room, most)
    given = task.technical & (task.tail >= 0)  # by what their process passes on
    lower[y], upper[y] = np.where(given, -np.inf, 0.0), np.where(given, np.inf, upper[y])
    upper[r] = np.minimum(task.release, task.stock)
    lower[g], upper[g] = np.minimum(task.added, 0.0), np.maximum(task.added, 0.0)
    upper[w], upper[e], upper[u] = np.inf, np.inf, np.maximum(task.demand, 0.0)


def _balances(task: Task, columns: _Columns, month: int, equal: _Rows) -> None:
    y, r, g, w, _, u = (columns.at(kind, month) for kind in range(6))
    passed = task.passed
    for p in range(task.n_inner):
        into, out = np.flatnonzero(task.head == p), np.flatnonzero(task.tail == p)
        takes = _one(y[into], r[[p]], g[[p]], w[[p]])
        signs = np.concatenate([np.ones(len(into) + 1), [-1.0, -1.0]])
        equal.add(_one(takes, y[out]), np.concatenate([signs, -np.ones(len(out))]), 0.0)
        for f in out[task.technical[out]].tolist():
            share = task.usual[f] / passed[p] if passed[p] else 0.0
            equal.add(y[out], (out == f) - share, 0.0)
    for q in range(task.n_ends):
        into = np.flatnonzero(task.head == task.n_inner + q)
        node = r[[task.n_inner + q]]
        whole = np.ones(len(into) + 2)
        equal.add(_one(y[into], node, u[[q]]), whole, float(task.demand[q]))


def _capacities(task: Task, columns: _Columns, month: int, below: _Rows) -> None:
    y, passed = columns.at(0, month), task.passed
    for p in range(task.n_inner):
        into, out = np.flatnonzero(task.head == p), np.flatnonzero(task.tail == p)
        if np.isfinite(task.capacity[p]):
            most = max(float(task.capacity[p]), float(task.usual[into].sum()))
            below.add(y[into], np.ones(len(into)), most)
        if task.down[month, p] > 0:
            left = (1 - task.down[month, p]) * float(passed[p])
            below.add(y[out], np.ones(len(out)), left)


def _rules(task: Task, columns: _Columns, month: int, below: _Rows) -> None:
    """Let substitutes carry no more than their rule allows, and than what is missing."""
    if not task.rules:
        return
    y, e = columns.at(0, month), columns.at(4, month)
    owner = np.array([k for k, _ in columns.pairs])
    onto = np.array([task.rules[k].to[j] for k, j in columns.pairs])
    for f in np.unique(onto).tolist():
        mine = e[onto == f]
        most = float(task.usual[f] * (1 - task.lost[month, f]))
        below.add(_one(y[[f]], mine), np.concatenate([[1.0], -np.ones(len(mine))]), most)
    for k, rule in enumerate(task.rules):
        usual = float(rule.weight @ task.usual[rule.of])
        mine = e[owner == k]
        below.add(mine, np.ones(len(mine)), rule.share * usual * float(rule.ready[month]))
    for key in {tuple(rule.of.tolist()) for rule in task.rules}:
        same = [k for k, rule in enumerate(task.rules) if tuple(rule.of.tolist()) == key]
        mine, of = e[np.isin(owner, same)], np.array(key, dtype=np.int64)
        missing = float(task.usual[of].sum())
        factors = np.ones(len(mine) + len(of))
        below.add(_one(mine, y[of]), factors, missing)


def least_unmet(task: Task) -> float:
    """Return the least unmet demand of all months together."""
    program = compile_task(task)
    cost = np.zeros(program.columns.n)
    for month in range(task.months):
        cost[program.columns.at(5, month)] = 1.0
    return float(cost @ _linear(program, cost))


def solve(task: Task) -> Plan:
    """Return the plan with the least unmet demand, as late as possible, evenly shared."""
    program = compile_task(task)
    columns, months = program.columns, task.months
    total = np.zeros(columns.n)
    early = np.zeros(columns.n)
    for month in range(months):
        total[columns.at(5, month)] = 1.0
        early[columns.at(5, month)] = float(months - month)
    x = _linear(program, total)
    if months > 1 and float(total @ x) > _CLOSE * max(1.0, float(np.abs(task.usual).max())):
        slack = _CLOSE * max(float(total @ x), 1e-300)
        x = _linear(program, early, total, float(total @ x) + slack)
    x = _even(task, program, columns.all(5, x).sum(axis=1))
    kinds = [columns.all(kind, x) for kind in range(6)]
    return Plan(kinds[0], kinds[1], kinds[2], kinds[3], kinds[5])


def _linear(
    program: _Programme, cost: Floats, row: Floats | None = None, most: float = 0.0
) -> Floats:
    below, below_to = program.below, program.below_to
    if row is not None:
        below = sp.csr_array(sp.vstack([below, sp.csr_array(row[None, :])]))
        below_to = np.append(below_to, most)
    found = linprog(  # type: ignore[call-overload]
        cost,
        A_ub=below if below.shape[0] else None,
        b_ub=below_to if below.shape[0] else None,
        A_eq=program.equal,
        b_eq=program.equal_to,
        bounds=np.column_stack([program.lower, program.upper]),
        method="highs",
    )
    if found.x is None:
        raise MFAError(
            f"the months of the shock cannot be worked out: {found.message}; "
            "check the capacities and substitutions of the processes that it reaches"
        )
    return np.asarray(found.x)


def _even(task: Task, program: _Programme, unmet: Floats) -> Floats:
    """Return the plan that cuts deliveries to ends in proportion and spares the stocks.

    The sums of unmet demand by month are given; of all plans that reach them, the one that
    minimises ½ Σ (y − b)² / b over deliveries to ends + 1e-4 (Σ r + 10 Σ w) + ½ 1e-6 (Σ (y − b)² /
    b over other flows + Σ r² / stock + Σ (g − usual)² / T + Σ w² / T).
    """
    columns = program.columns
    scale = max(float(np.abs(task.usual).max(initial=0.0)), 1e-300)
    floor = 1e-6 * scale
    squares, linear = np.zeros(columns.n), np.zeros(columns.n)
    rows = _Rows()
    for month in range(task.months):
        y, r, g, w, e, u = (columns.at(kind, month) for kind in range(6))
        rank = np.where(task.head >= task.n_inner, 1.0, _TIE)
        weight = rank * scale / np.maximum(np.abs(task.usual), floor)
        squares[y], linear[y] = weight, -weight * task.usual
        squares[r] = _TIE * scale / np.maximum(task.stock, floor)
        weight = _TIE * scale / np.maximum(task.passed, floor)
        squares[g], linear[g] = weight, -weight * task.added
        squares[w], squares[e] = weight, _TIE
        linear[r], linear[w] = _SPARE * scale, 10 * _SPARE * scale
        rows.add(u, np.ones(len(u)), float(unmet[month]))
    sums, sums_to = rows.matrix(columns.n)
    return _quadratic(program, squares, linear, sums, sums_to, scale)


def _quadratic(
    program: _Programme,
    squares: Floats,
    linear: Floats,
    sums: sp.csr_array,
    sums_to: Floats,
    scale: float,
) -> Floats:
    """Minimise ½ Σ squares x² + linear x over the programme with some sums given."""
    import clarabel  # late: heavy, and only where something is unmet

    n = program.columns.n
    upper, lower = np.isfinite(program.upper), np.isfinite(program.lower)
    fixed = upper & lower & (program.upper - program.lower <= 0)
    upper, lower = upper & ~fixed, lower & ~fixed
    eye = sp.identity(n, format="csr")
    equal = sp.vstack([program.equal, sums, eye[np.flatnonzero(fixed)]])
    equal_to = np.concatenate([program.equal_to, sums_to, program.lower[fixed]])
    below = sp.vstack([program.below, eye[np.flatnonzero(upper)], -eye[np.flatnonzero(lower)]])
    below_to = np.concatenate([program.below_to, program.upper[upper], -program.lower[lower]])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
    settings.max_iter = 200
    solver = clarabel.DefaultSolver(
        sp.csc_matrix(sp.diags(squares)),
        linear / scale,
        sp.csc_matrix(sp.vstack([equal, below])),
        np.concatenate([equal_to, below_to]) / scale,
        [clarabel.ZeroConeT(len(equal_to)), clarabel.NonnegativeConeT(len(below_to))],
        settings,
    )
    found = solver.solve()
    if str(found.status) not in ("Solved", "AlmostSolved", "InsufficientProgress"):
        raise MFAError(f"the shortage cannot be shared out ({found.status}); report the workbook")
    x = np.asarray(found.x) * scale
    return np.clip(x, program.lower, program.upper)
