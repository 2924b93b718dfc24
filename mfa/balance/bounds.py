"""Estimates under bounds: least squares with the bounds that hold as constants.

An unbounded estimate stands only if every determined value keeps its bounds and every undetermined
block can. Otherwise the bounds that hold are found by exchanging them, each time with the
least-squares engine on what is left, so that the answer closes to rounding, and with it comes
everything that is conditional on the bounds. Where that does not settle, an interior-point solver
says which bounds hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import clarabel
import numpy as np
import scipy.sparse as sp

from mfa.balance.active import least_held
from mfa.balance.equations import Equations
from mfa.balance.interior import inside
from mfa.balance.network import Floats, Mask
from mfa.balance.progress import Progress
from mfa.balance.room import no_room
from mfa.balance.solve import Estimate, estimate
from mfa.balance.structure import Structure, structure
from mfa.errors import BalanceError

_TOLERANCE = 1e-9
_EXCHANGES = 400
_FEW_EXCHANGES = 40  # where years are tied, each is dear and the interior point says more
_SMALL = 0.8
_LARGE = 5000
_ROUGH = 100.0
_NO_LIMITS = "see whether some numbers or sd are in another unit, or an sd is far too small"


@dataclass(frozen=True, eq=False)
class Bounded:
    """An estimate that keeps all bounds.

    Attributes
    ----------
    classified : Structure
        Without any bound: what statuses follow from.
    estimate : Estimate
        With ``held`` variables taken as constants.
    held : array of int8, shape (n,)
        −1 where the lower, +1 where the upper bound holds the variable, else 0.
    """

    classified: Structure
    estimate: Estimate
    held: np.ndarray


class Infeasible(Exception):  # noqa: N818
    """No values keep exact data, relations and bounds at once."""


def turnover(equations: Equations, x: Floats) -> Floats:
    """Return for each variable the most that it and the balances it is part of turn over."""
    largest = np.abs(x)
    of_row = equations.sizes @ largest
    edge = equations.is_edge
    at_node = np.append(of_row[: equations.n_nodes], 0.0)
    ends = np.maximum(at_node[equations.tail[edge]], at_node[equations.head[edge]])
    largest[edge] = np.maximum(largest[edge], ends)
    others = np.flatnonzero(~edge)
    rows = equations.sizes[:, others].tocoo()
    np.maximum.at(largest, others[rows.col], of_row[rows.row] / rows.data)
    return largest


def tolerances(equations: Equations, x: Floats) -> Floats:
    """Return how far rounding may carry each variable: relative to what its balances turn over.

    Beside that 1e-18 of the largest number: far below what it leaves of its own rounding, but above
    0 where all that a balance turns over is rounding.
    """
    least = 1e-18 * np.abs(x).max(initial=0.0) + 1e-300
    return np.asarray(_TOLERANCE * turnover(equations, x) + least)


def _breaks(equations: Equations, x: Floats, where: Mask, slack: Floats) -> np.ndarray:
    """Return −1 or +1 where a variable lies below or above its bounds."""
    out = np.zeros(equations.n, dtype=np.int8)
    out[where & (x < equations.lower - slack)] = -1
    out[where & (x > equations.upper + slack)] = 1
    return out


def _undetermined(found: Structure) -> Mask:
    return ~(found.fixed | found.equations.measured | found.determined)


def _constants_agree(found: Structure, values: Floats, tangent: Mask | None) -> bool:
    """Return whether equations between constants alone add up; tangents need not."""
    equations = found.equations
    if not found.checks.shape[0]:
        return True
    strict = np.ones(found.checks.shape[0], dtype=bool)
    if tangent is not None:
        strict = abs(found.checks[:, equations.n_nodes :]) @ tangent.astype(float) == 0.0
    constants = equations.constants(found.fixed, values)
    known = np.where(found.fixed, np.abs(values), 0.0)
    size = np.concatenate([np.zeros(equations.n_nodes), np.abs(equations.right)])
    size = abs(found.checks) @ (size + equations.sizes @ known)
    off = np.abs(found.checks @ constants)
    return not np.any(strict & (off > _TOLERANCE * size + 1e-300))


def bounded_estimate(equations: Equations, tangent: Mask | None = None) -> Bounded:
    """Return the least-squares estimate that keeps all exact data, relations and bounds.

    Parameters
    ----------
    equations : Equations
    tangent : array of bool, shape (relations,), optional
        Relations that are only approximate: those that follow from others need not agree with them.

    Raises
    ------
    Infeasible
        If there is none.
    BalanceError
        If the solver does not converge.
    """
    classified = structure(equations)
    if not _constants_agree(classified, equations.y, tangent):
        raise Infeasible
    first = estimate(classified, equations.y)
    found = _by_few(equations, tangent, first) if equations.by_few else None
    if found is None:
        large = _is_large(equations) and tangent is None
        nothing = np.zeros(equations.n, dtype=np.int8)
        start = _near(equations, first) if large else (first, nothing)
        found = _settle(equations, tangent, *start, rough=large)
    if found is None:
        point, held = _interior_point(equations)
        goal = misfit(equations, point)
        found = _settle(equations, tangent, _with_held(equations, held), held, goal)
    if found is None:
        floors = np.isfinite(equations.lower) & (equations.lower != 0)
        given = floors.any() or np.isfinite(equations.upper).any()
        advice = "widen limits (min, max) that lie very close together" if given else _NO_LIMITS
        raise BalanceError(
            "the bounded estimate did not converge: which flows are at 0 or at a limit could not "
            f"be told apart; {advice}"
        )
    return Bounded(classified, *found)


def _settle(
    equations: Equations,
    tangent: Mask | None,
    found: Estimate,
    held: np.ndarray,
    goal: float = -np.inf,
    *,
    exact: bool = True,
    rough: bool = False,
) -> tuple[Estimate, np.ndarray] | None:
    """Exchange the bounds that hold until all are kept and none is pulled inwards, part by part.

    Block principal pivoting: what lies beyond a bound is held there, what is held and pulled
    inwards is let go, all at once as long as they get fewer, then a random half at a time, which
    breaks every circle in which such exchanges may run. Only when none is left does a linear
    programme look for blocks of undetermined variables without room. The problem is convex: where
    it settles, no other point is better.

    Parameters
    ----------
    equations, tangent
        As for `bounded_estimate`.
    found, held
        Where to start.
    goal : float, optional
        Least misfit, if known: a point that reaches it stands whatever the multipliers are, which
        are not unique where bounds depend on each other.
    exact : bool, default: True
        Whether ``found`` is, or only rough.
    rough : bool, default: False
        Whether to estimate roughly until the bounds are known, and to let parts drop out that have
        settled, as large systems do.

    Returns
    -------
    Estimate and bounds that hold, or None if it does not settle.
    """
    part = equations.parts
    progress = Progress(part)
    done = np.zeros(progress.n_parts, dtype=bool)
    firm: Mask | None = None
    for _ in range(_FEW_EXCHANGES if equations.by_few else _EXCHANGES):
        loose = _undetermined(found.structure)
        give = 1.0 if exact else _ROUGH
        slack = give * tolerances(equations, found.x)
        broken = _breaks(equations, found.x, ~loose, slack)
        if not broken.any() and misfit(equations, found.x) <= goal + 1e-7 * max(1.0, goal):
            wrong = np.zeros(equations.n, dtype=bool)
        else:
            wrong = _pulls_inwards(found, held, give * _TOLERANCE)
        some = progress.exchanged((broken != 0) | wrong)
        if broken.any() and firm is None:
            firm = settled(equations)
        if some is None or (firm is not None and (broken * firm).any()):
            return None
        waiting = (progress.quiet & ~done)[part]
        cramped = no_room(equations, loose & waiting, found.x, slack)
        done = progress.quiet & (np.bincount(part[cramped != 0], minlength=len(done)) == 0)
        if done.all() and exact:
            return found, held
        held = np.where(some & (broken != 0), broken, np.where(some & wrong, 0, held + cramped))
        held = held.astype(np.int8)
        if rough and 0 < np.count_nonzero(~done[part]) < _SMALL * equations.n:
            ends = _settle_rest(equations, ~done[part], held)
            if ends is None:
                return None
            held, done = ends, np.ones_like(done)
        exact = not rough or bool(done.all())
        found = _with_held(equations, held, rough=not exact)
        if not _constants_agree(found.structure, found.x, tangent):
            return None
    return None


def _by_few(
    equations: Equations, tangent: Mask | None, first: Estimate
) -> tuple[Estimate, np.ndarray] | None:
    """Return the estimate by least-distance programming, None if it finds none or not all."""
    found = least_held(first, tolerances(equations, first.x))
    if found is None:
        return None
    held, goal = found[0], misfit(equations, found[1])
    start = _with_held(equations, held) if held.any() else first
    return _settle(equations, tangent, start, held, goal)


def _near(equations: Equations, found: Estimate) -> tuple[Estimate, np.ndarray]:
    """Return an estimate to start from, and the bounds that hold there.

    Where large parts of balances alone break bounds, those are looked for in each by itself, from
    a point inside all of them; in the others none holds.
    """
    held, start = np.zeros(equations.n, dtype=np.int8), equations.start.copy()
    part = equations.parts
    everything = np.ones(equations.n, dtype=bool)
    broken = _breaks(equations, found.x, everything, tolerances(equations, found.x))
    large = np.bincount(part) > _LARGE
    for number in np.unique(part[(broken != 0) & large[part]]).tolist():
        members = part == number
        inner = equations.restricted(members)
        guess = inside(inner)
        if guess is None:
            continue
        inner = inner.starting_at(guess.x)
        settled_there = _settle(inner, None, _with_held(inner, guess.held), guess.held)
        if settled_there is not None:
            held[members], start[members] = settled_there[1], settled_there[0].x
    if not held.any():
        return found, held
    return _with_held(equations.starting_at(start), held), held


def _settle_rest(equations: Equations, rest: Mask, held: np.ndarray) -> np.ndarray | None:
    """Return the bounds that hold once those in some parts have settled; None if they do not."""
    inner = equations.restricted(rest)
    rough = _is_large(inner)
    start = _with_held(inner, held[rest], rough=rough)
    found = _settle(inner, None, start, held[rest], exact=not rough, rough=rough)
    if found is None:
        return None
    out = held.copy()
    out[rest] = found[1]
    return out


def _is_large(equations: Equations) -> bool:
    """Whether estimates need not be exact until the bounds that hold are known."""
    return equations.n > _LARGE


def settled(equations: Equations) -> Mask:
    """Return the variables that equations and exact data alone determine: no bound holds them."""
    nothing = np.zeros(equations.n, dtype=bool)
    return structure(replace(equations, measured=nothing)).determined


def _with_held(equations: Equations, held: np.ndarray, *, rough: bool = False) -> Estimate:
    """Return the estimate with held variables as constants at their bounds."""
    values = np.where(held < 0, equations.lower, np.where(held > 0, equations.upper, equations.y))
    return estimate(structure(equations, equations.fixed | (held != 0)), values, rough=rough)


def misfit(equations: Equations, x: Floats) -> float:
    """Return Σ ((x − y)/sd)² over all data."""
    data = equations.measured
    return float((((x - equations.y)[data] / equations.sd[data]) ** 2).sum())


def _pulls_inwards(found: Estimate, held: np.ndarray, tolerance: float) -> Mask:
    """Return the held variables that the data pull away from their bound into the inside.

    The gradient of the Lagrangian, (x − y)/sd² + Aᵀμ, is at least 0 at a lower bound that holds.
    """
    equations = found.structure.equations
    multipliers = found.equation_multipliers()
    gradient = equations.matrix.T @ multipliers
    size = equations.sizes.T @ np.abs(multipliers)
    data = equations.measured
    own = (found.x - equations.y)[data] / equations.sd[data] ** 2
    gradient[data] += own
    size[data] += np.abs(own)
    return np.asarray((held != 0) & (-held * gradient < -tolerance * size))


def _widths(equations: Equations, scale: float) -> Floats:
    """Return the size of each variable: masses share one, shares have that of their start.

    Beside masses of thousands of tonnes a share would look as if its bounds held it.
    """
    own = np.abs(np.nan_to_num(equations.start))
    return np.asarray(np.where(equations.is_edge | (own == 0), scale, own))


def _interior_point(equations: Equations) -> tuple[Floats, np.ndarray]:
    """Solve the bounded problem with Clarabel; return a point and the bounds that hold there.

    Raises
    ------
    Infeasible
        If there is no point.
    """
    free = np.flatnonzero(~equations.fixed)
    n = len(free)
    data = equations.measured[free]
    y, sd = equations.y[free], equations.sd[free]
    right = equations.constants(equations.fixed, equations.y)
    low, high = equations.lower[free], equations.upper[free]
    numbers = np.abs(np.concatenate([y[data], right[right != 0], low[np.isfinite(low)]]))
    scale = float(np.median(numbers[numbers > 0])) if (numbers > 0).any() else 1.0
    width = _widths(equations, scale)[free]
    weight = np.where(data, (width / np.where(data, sd, 1.0)) ** 2, 0.0)
    relief = max(float(np.median(weight[data])), 1e-300) if data.any() else 1.0
    below, above = np.flatnonzero(np.isfinite(low)), np.flatnonzero(np.isfinite(high))
    unit = sp.eye_array(n, format="csc")
    rows = sp.csr_array(equations.matrix[:, free]) @ sp.diags_array(width)
    size = abs(rows).max(axis=1).toarray().ravel()
    size = np.where(size > 0, size, scale)  # only constants: 0 = rounding
    rows = sp.csr_array(sp.diags_array(1 / size) @ rows)
    matrix = sp.vstack([rows, -unit[below], unit[above]], format="csc")
    limits = np.concatenate([right / size, (-low / width)[below], (high / width)[above]])
    cones = [
        clarabel.ZeroConeT(len(right)),
        clarabel.NonnegativeConeT(len(below) + len(above)),
    ]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    quadratic = sp.csc_matrix(sp.diags(weight / relief))
    linear = np.where(data, -weight * np.where(data, y, 0.0) / width / relief, 0.0)
    solver = clarabel.DefaultSolver(
        quadratic, linear, sp.csc_matrix(matrix), limits, cones, settings
    )
    result = solver.solve()
    status = str(result.status)
    if "Infeasible" in status:
        raise Infeasible
    if "Solved" not in status and "Insufficient" not in status:
        raise BalanceError(f"the bounded estimate did not converge (solver status {status})")
    slack, dual = np.asarray(result.s)[len(right) :], np.asarray(result.z)[len(right) :]
    tight = dual > slack
    held = np.zeros(equations.n, dtype=np.int8)
    held[free[above[tight[len(below) :]]]] = 1
    held[free[below[tight[: len(below)]]]] = -1
    held[settled(equations)] = 0
    point = np.where(equations.fixed, equations.y, 0.0)
    point[free] = np.asarray(result.x) * width
    return point, held
