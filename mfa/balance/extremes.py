"""The least and the greatest value of every column of a linear programme, without one search each.

A vertex answers for many columns at once. With B its basic columns, a basic variable changes by
−(B⁻¹a_k) per unit of a variable k that stands at a bound, and can only move off it to one side: if
no such move raises it, the vertex is where it is greatest, whatever the search was after. So the
programme is searched for sums of many columns, and every vertex found is asked whom it settles;
what sums leave over is searched for one by one.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from mfa.balance.network import Floats, Mask
from mfa.balance.programme import Programme, Solution

_SIGNS = (1.0, -1.0)
_ROUNDING = 1e-12
_NO_EFFECT = 1e-9
_WORTH = 10
_BLOCK = 256


def extremes(programme: Programme, low: Mask, high: Mask) -> tuple[Floats, Floats]:
    """Return the least and greatest values that are asked for, nan for the others.

    Parameters
    ----------
    programme : Programme
        It has a point.
    low, high : array of bool, shape (columns,)
        Which to find; each has a limit.
    """
    ends = np.full((2, len(low)), np.nan)
    left = np.array([low, high])
    draw = np.random.default_rng(20240229).uniform
    for side, sign in enumerate(_SIGNS):
        settled = _WORTH
        while settled >= _WORTH and left[side].any():
            weights = np.where(left[side], 10.0 ** draw(-3.0, 0.0, len(low)), 0.0)
            before = left[side].sum()
            _settle(programme, programme.minimise(sign * weights), ends, left)
            settled = int(before - left[side].sum())
    for side, sign in enumerate(_SIGNS):
        while left[side].any():
            k = int(np.argmax(left[side]))
            objective = np.zeros(len(low))
            objective[k] = sign
            found = programme.minimise(objective)
            ends[side, k], left[side, k] = found.x[k], False
            _settle_at_bounds(programme, found.x, ends, left)
    return ends[0], ends[1]


def _settle_at_bounds(programme: Programme, x: Floats, ends: Floats, left: np.ndarray) -> None:
    """Take the bounds at which variables stand as the ends of their ranges."""
    low, high = programme.low, programme.high
    stands = (low, x <= low + _ROUNDING), (high, x >= high - _ROUNDING)
    for side, (bound, there) in enumerate(stands):
        some = left[side] & there
        ends[side, some] = bound[some]
        left[side, some] = False


def _settle(programme: Programme, found: Solution, ends: Floats, left: np.ndarray) -> None:
    """Take the values at a vertex where it is the least or the greatest that there is."""
    x = found.x
    _settle_at_bounds(programme, x, ends, left)
    n_rows, n = programme.matrix.shape
    basis = programme.basis()
    columns = sp.csc_array(sp.hstack([programme.matrix, sp.eye_array(n_rows)], format="csc"))
    is_basic = np.zeros(n + n_rows, dtype=bool)
    is_basic[basis] = True
    moves = _moves(programme, x, ~is_basic[:n])
    asked = np.flatnonzero((basis < n) & (left[0] | left[1])[np.minimum(basis, n - 1)])
    if not len(asked):
        return
    factor = splu(sp.csc_array(columns[:, basis].T))
    for start in range(0, len(asked), _BLOCK):
        some = asked[start : start + _BLOCK]
        units = np.zeros((n_rows, len(some)))
        units[some, np.arange(len(some))] = 1.0
        effects = moves @ factor.solve(units)
        least, most = effects.min(axis=0, initial=0.0), effects.max(axis=0, initial=0.0)
        small = _NO_EFFECT * np.maximum(-least, most)
        for side, done in enumerate((most <= small, least >= -small)):
            mine = basis[some][done]
            mine = mine[left[side, mine]]
            ends[side, mine], left[side, mine] = x[mine], False


def _moves(programme: Programme, x: Floats, nonbasic: Mask) -> sp.csr_array:
    """Return, as rows, the columns of nonbasic variables, each the way in which it can move."""
    low, high = programme.low, programme.high
    can = nonbasic & (low < high)
    up = can & (np.abs(x - low) <= np.abs(high - x))
    down = can & (~up | np.isinf(low) & np.isinf(high))
    rows = sp.csr_array(programme.matrix.T)
    return sp.csr_array(
        sp.vstack([rows[np.flatnonzero(up)], -rows[np.flatnonzero(down)]], format="csr")
    )
