"""Estimates under bounds: a quadratic programme, then a polish on the bounds that hold.

An unbounded estimate stands only if every determined value keeps its bounds and every undetermined
block can. Otherwise an interior-point solver finds which bounds hold; with those variables taken
as constants the least-squares engine gives the same answer with closure to rounding, and with it
everything that is conditional on the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import clarabel
import numpy as np
import scipy.sparse as sp

from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Mask
from mfa.balance.ranges import Block, blocks, is_feasible, no_room
from mfa.balance.solve import Estimate, estimate
from mfa.balance.structure import Structure, structure
from mfa.errors import BalanceError

_TOLERANCE = 1e-9
_POLISHES = 60
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
    matrix = sp.csc_array(abs(equations.matrix))
    of_row = matrix @ np.abs(x)
    largest = np.abs(x)
    columns = np.repeat(np.arange(equations.n), np.diff(matrix.indptr))
    of_balance = matrix.indices < equations.n_nodes
    for some in (of_balance, ~of_balance & ~equations.is_edge[columns]):
        reach = of_row[matrix.indices[some]] / matrix.data[some]
        np.maximum.at(largest, columns[some], reach)
    return largest


def tolerances(equations: Equations, x: Floats) -> Floats:
    """Return how far rounding may carry each variable: relative to what its balances turn over."""
    return np.asarray(_TOLERANCE * np.maximum(turnover(equations, x), 1e-300))


def _breaks(equations: Equations, x: Floats, where: Mask) -> np.ndarray:
    """Return −1 or +1 where a variable lies below or above its bounds."""
    slack = tolerances(equations, x)
    out = np.zeros(equations.n, dtype=np.int8)
    out[where & (x < equations.lower - slack)] = -1
    out[where & (x > equations.upper + slack)] = 1
    return out


def _undetermined(found: Structure) -> Mask:
    return ~(found.fixed | found.equations.measured | found.determined)


def _can_stand(found: Estimate) -> bool:
    """Return whether the undetermined blocks can keep their bounds beside the determined values."""
    parts, tolerance = _open_blocks(found)
    return is_feasible(parts, found.x, tolerance)


def _open_blocks(found: Estimate) -> tuple[list[Block], Floats]:
    """Return the blocks of undetermined variables, and the rounding of every variable."""
    equations = found.structure.equations
    parts = blocks(equations, _undetermined(found.structure), found.x)
    return parts, tolerances(equations, found.x)


def _check_constants(found: Structure, values: Floats, tangent: Mask | None) -> None:
    """Raise if equations between constants alone do not add up; tangents need not."""
    equations = found.equations
    strict = np.ones(found.checks.shape[0], dtype=bool)
    if tangent is not None:
        strict = abs(found.checks[:, equations.n_nodes :]) @ tangent.astype(float) == 0.0
    constants = equations.constants(found.fixed, values)
    known = np.where(found.fixed, np.abs(values), 0.0)
    size = np.concatenate([np.zeros(equations.n_nodes), np.abs(equations.right)])
    size = abs(found.checks) @ (size + abs(equations.matrix) @ known)
    off = np.abs(found.checks @ constants)
    if np.any(strict & (off > _TOLERANCE * size + 1e-300)):
        raise Infeasible


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
    _check_constants(classified, equations.y, tangent)
    first = estimate(classified, equations.y)
    known = ~_undetermined(classified)
    held = np.zeros(equations.n, dtype=np.int8)
    if not _breaks(equations, first.x, known).any() and _can_stand(first):
        return Bounded(classified, first, held)
    point, held = _interior_point(equations)
    goal = misfit(equations, point)
    for _ in range(_POLISHES):
        found = _with_held(equations, held)
        broken = _breaks(equations, found.x, ~_undetermined(found.structure))
        wrong = _pulls_inwards(found, held)
        if not broken.any() and _can_stand(found):
            better = misfit(equations, found.x) <= goal * (1 + 1e-7) + 1e-7
            if better or not wrong.any():
                return Bounded(classified, found, held)
        if not broken.any() and not wrong.any():
            without_room = no_room(_open_blocks(found)[0], equations.n)
            if not (without_room * (held == 0)).any():
                break
            held = np.where(held == 0, without_room, held).astype(np.int8)
            continue
        held = np.where(broken != 0, broken, np.where(wrong, 0, held)).astype(np.int8)
    floors = np.isfinite(equations.lower) & (equations.lower != 0)
    given = floors.any() or np.isfinite(equations.upper).any()
    advice = "widen limits (min, max) that lie very close together" if given else _NO_LIMITS
    raise BalanceError(
        "the bounded estimate did not converge: which flows are at 0 or at a limit could not be "
        f"told apart; {advice}"
    )


def _settled(equations: Equations) -> Mask:
    """Return the variables that equations and exact data alone determine: no bound holds them."""
    nothing = np.zeros(equations.n, dtype=bool)
    return structure(replace(equations, measured=nothing)).determined


def _with_held(equations: Equations, held: np.ndarray) -> Estimate:
    """Return the estimate with held variables as constants at their bounds."""
    values = np.where(held < 0, equations.lower, np.where(held > 0, equations.upper, equations.y))
    return estimate(structure(equations, equations.fixed | (held != 0)), values)


def misfit(equations: Equations, x: Floats) -> float:
    """Return Σ ((x − y)/sd)² over all data."""
    data = equations.measured
    return float((((x - equations.y)[data] / equations.sd[data]) ** 2).sum())


def _pulls_inwards(found: Estimate, held: np.ndarray) -> Mask:
    """Return the held variables that the data pull away from their bound into the inside.

    The gradient of the Lagrangian, (x − y)/sd² + Aᵀμ, is at least 0 at a lower bound that holds.
    """
    equations = found.structure.equations
    gradient = equations.matrix.T @ found.equation_multipliers()
    data = equations.measured
    gradient[data] += (found.x - equations.y)[data] / equations.sd[data] ** 2
    size = np.abs(gradient).max(initial=1e-300)
    return np.asarray((held != 0) & (-held * gradient < -_TOLERANCE * size))


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
    held[_settled(equations)] = 0
    point = np.where(equations.fixed, equations.y, 0.0)
    point[free] = np.asarray(result.x) * width
    return point, held
