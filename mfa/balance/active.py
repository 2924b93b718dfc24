"""Which bounds hold where few unknowns move many variables, as an opening stock all its outflows.

To hold all that lies beyond a bound at once would then ask for too much: a few that are held carry
the others along. With x̂ the unbounded estimate and R the errors that checks leave of the variables
beyond their bounds, Cov = RᵀR, the bounded one is the least change z of the data, in sd, with
x̂ + Rᵀz within the bounds: least-distance programming (Lawson & Hanson 1974, chapter 23). Bounds
with a multiplier hold. What z brings beyond its bounds joins, until nothing does.

Where the bounds of undetermined variables leave them no point, the combination of equations that
says so bounds the determined ones in it: a cut (Benders 1962), which joins like a bound. Where a
cut only just holds, so do all the bounds that it stems from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import qr
from scipy.optimize import nnls

from mfa.balance.network import Floats, Ints, Mask
from mfa.balance.room import cramped
from mfa.balance.sensitivities import sensitivities
from mfa.balance.solve import Estimate

_ROUNDS = 50
_AT_ONCE = 64  # what lies furthest beyond its bounds joins first, and carries others along
_HOLDS = 1e-9  # of the largest multiplier
_CLASH = 1e-9  # misfit of a programme without solution
_ROUNDING = 1e-8  # of what a cut adds up, and of how far it moves
_NO_PART = 1e-12  # of the largest coefficient of a cut


@dataclass(frozen=True, eq=False)
class _Demands:
    """What the estimate has to change by: rows · z ≥ least, z the change of the data.

    ``held`` has the bounds that hold where a demand is only just met, shape (demands, n).
    """

    rows: sp.csr_array
    least: Floats
    held: sp.csr_array

    def at(self, some: Ints) -> _Demands:
        """Return some of the demands."""
        return _Demands(
            sp.csr_array(self.rows[some]), self.least[some], sp.csr_array(self.held[some])
        )

    def with_(self, more: _Demands) -> _Demands:
        """Return these demands and more."""
        return _Demands(
            sp.csr_array(sp.vstack([self.rows, more.rows], format="csr")),
            np.append(self.least, more.least),
            sp.csr_array(sp.vstack([self.held, more.held], format="csr")),
        )


def least_held(found: Estimate, slack: Floats) -> tuple[np.ndarray, Floats] | None:
    """Return which bounds hold, given the estimate without them, and where that leads.

    Parameters
    ----------
    found : Estimate
    slack : array, shape (n,)
        How far rounding may carry each variable.

    Returns
    -------
    array of int8, shape (n,), and array, shape (n,); or None
        −1 at a lower, +1 at an upper bound; the bounded estimate, but for the undetermined
        variables. None if there is no solution or it is not found.
    """
    equations, layout = found.structure.equations, found.structure
    known = ~layout.fixed & (equations.measured | layout.determined)
    loose = ~(layout.fixed | known)
    x, demands = found.x, _none(found)
    for _ in range(_ROUNDS):
        held = np.asarray(demands.held.sum(axis=0)).ravel()
        more = _beyond(found, x, known & (held == 0), slack)
        if not len(more.least):
            more = _cuts(found, x, loose, slack)
        if not len(more.least):
            return np.sign(held).astype(np.int8), x
        demands = demands.with_(more)
        left = found.errors_left(demands.rows)
        multipliers = _least_distance(left, demands.least)
        if multipliers is None:
            return None
        x = _moved(found, left @ multipliers)
        demands = demands.at(np.flatnonzero(multipliers > _HOLDS * multipliers.max()))
    return None


def _none(found: Estimate) -> _Demands:
    layout = found.structure
    rows, held = (sp.csr_array((0, k)) for k in (len(layout.data), layout.equations.n))
    return _Demands(rows, np.zeros(0), held)


def _beyond(found: Estimate, x: Floats, some: Mask, slack: Floats) -> _Demands:
    """Return that some variables are to keep the bounds beyond which they lie furthest."""
    equations = found.structure.equations
    below, above = equations.lower - x, x - equations.upper
    far = np.where(some, np.maximum(below, above), -np.inf)
    new = np.flatnonzero(far > slack)
    if not len(new):
        return _none(found)
    new = new[np.argsort(-far[new], kind="stable")[:_AT_ONCE]]
    signs = np.where(below[new] > above[new], 1.0, -1.0)  # + where the variable has to rise
    limits = np.where(signs > 0, equations.lower[new], equations.upper[new])
    held = sp.coo_array((-signs, (np.arange(len(new)), new)), shape=(len(new), equations.n))
    rows = sp.csr_array(sp.diags_array(signs) @ sensitivities(found, new))
    return _Demands(rows, signs * (limits - found.x[new]), sp.csr_array(held))


def _cuts(found: Estimate, x: Floats, loose: Mask, slack: Floats) -> _Demands:
    """Return that the determined variables are to leave room for the undetermined ones.

    With y the multipliers of equations and c = Aᵀy, Σ c_j x_j over the undetermined is yᵀb less the
    sum over the others; it is at most Σ c_j × the bound that c_j pulls at.
    """
    equations = found.structure.equations
    tight = cramped(equations, loose, x, slack)
    if not tight.rows.shape[0]:
        return _none(found)
    rows = sp.csr_array(tight.rows @ equations.matrix)
    right = np.concatenate([np.zeros(equations.n_nodes), equations.right])
    bounds = np.where(np.isfinite(equations.lower), equations.lower, 0.0)
    most = tight.held.minimum(0).multiply(rows).multiply(-1.0) @ bounds
    bounds = np.where(np.isfinite(equations.upper), equations.upper, 0.0)
    most = most + tight.held.maximum(0).multiply(rows) @ bounds
    others = sp.csr_array(rows @ sp.diags_array((~loose).astype(np.float64)))
    least = tight.rows @ right - most
    change = least - others @ found.x  # far, where data hardly determine what they stand for
    size = abs(tight.rows) @ np.abs(right) + abs(others) @ np.abs(x) + np.abs(change)
    short = np.flatnonzero(least - others @ x > _ROUNDING * size)
    if not len(short):
        return _none(found)
    coo = sp.csr_array(others[short]).tocoo()
    part = np.abs(coo.data) > _NO_PART * np.abs(coo.data).max(initial=0.0)
    numbers, at = np.unique(coo.col[part], return_inverse=True)
    entries = (coo.data[part], (coo.row[part], at))
    picked = sp.csr_array(sp.coo_array(entries, shape=(len(short), len(numbers))))
    rows = sp.csr_array(picked @ sensitivities(found, numbers))
    return _Demands(rows, change[short], sp.csr_array(tight.held[short]))


def _moved(found: Estimate, z: Floats) -> Floats:
    """Return all variables once the data have changed by z sd."""
    layout, x = found.structure, found.x.copy()
    equations = layout.equations
    x[layout.data] += np.sqrt(found.weights) * z
    return layout.complete(x, np.concatenate([np.zeros(equations.n_nodes), equations.right]))


def _least_distance(columns: Floats, least: Floats) -> Floats | None:
    """Return μ ≥ 0 for which z = columns · μ is the shortest vector with columnsᵀ z ≥ least."""
    size = np.linalg.norm(columns, axis=0)
    if not (size > 0).all():
        return None
    triangle = np.asarray(qr(columns / size, mode="economic")[1])
    goal = least / size
    scale = float(np.abs(goal).max())
    right = np.zeros(len(triangle) + 1)
    right[-1] = 1.0
    try:
        dual, _ = nnls(np.vstack([triangle, goal / scale]), right)
    except RuntimeError:
        return None
    rest = 1.0 - float(goal @ dual) / scale
    return None if rest < _CLASH else np.asarray(dual / rest * scale / size)
