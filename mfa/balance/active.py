"""Which bounds hold where few unknowns move many variables, as an opening stock all its outflows.

To hold all that lies beyond a bound at once would then ask for too much: a few that are held carry
the others along. With x̂ the unbounded estimate and R the errors that checks leave of the variables
beyond their bounds, Cov = RᵀR, the bounded one is the least change z of the data, in sd, with
x̂ + Rᵀz within the bounds: least-distance programming (Lawson & Hanson 1974, chapter 23). Bounds
with a multiplier hold. What z brings beyond its bounds joins, until nothing does.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.linalg import qr
from scipy.optimize import nnls

from mfa.balance.network import Floats, Mask
from mfa.balance.sensitivities import sensitivities
from mfa.balance.solve import Estimate

_ROUNDS = 50
_AT_ONCE = 64  # what lies furthest beyond its bounds joins first, and carries others along
_HOLDS = 1e-9  # of the largest multiplier
_CLASH = 1e-9  # misfit of a programme without solution


def least_held(found: Estimate, slack: Floats) -> np.ndarray | None:
    """Return which bounds hold determined variables, given the estimate without them.

    Parameters
    ----------
    found : Estimate
    slack : array, shape (n,)
        How far rounding may carry each variable.

    Returns
    -------
    array of int8, shape (n,), or None
        −1 at a lower, +1 at an upper bound; None if there is no solution or it is not found.
    """
    equations, layout = found.structure.equations, found.structure
    known = ~layout.fixed & (equations.measured | layout.determined)
    x, joined = found.x, np.zeros(equations.n, dtype=np.int8)
    rows = sp.csr_array((0, len(layout.data)))
    numbers = np.zeros(0, dtype=np.int64)
    for _ in range(_ROUNDS):
        beyond = _beyond(found, x, known & (joined == 0), slack)
        new = np.flatnonzero(beyond)
        if not len(new):
            return joined
        far = np.maximum(equations.lower[new] - x[new], x[new] - equations.upper[new])
        new = new[np.argsort(-far, kind="stable")[:_AT_ONCE]]
        joined[new] = beyond[new]
        numbers = np.append(numbers, new)
        rows = sp.csr_array(sp.vstack([rows, sensitivities(found, new)], format="csr"))
        signs = -joined[numbers].astype(np.float64)  # + where the variable has to rise
        limits = np.where(signs > 0, equations.lower[numbers], equations.upper[numbers])
        left = found.errors_left(rows)
        multipliers = _least_distance(left * signs, signs * (limits - found.x[numbers]))
        if multipliers is None:
            return None
        x = _moved(found, left @ (signs * multipliers))
        holds = multipliers > _HOLDS * multipliers.max()
        joined[numbers[~holds]] = 0
        numbers, rows = numbers[holds], rows[np.flatnonzero(holds)]
    return None


def _beyond(found: Estimate, x: Floats, some: Mask, slack: Floats) -> np.ndarray:
    """Return −1 or +1 where some variables lie below or above their bounds."""
    equations = found.structure.equations
    out = np.zeros(equations.n, dtype=np.int8)
    out[some & (x < equations.lower - slack)] = -1
    out[some & (x > equations.upper + slack)] = 1
    return out


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
