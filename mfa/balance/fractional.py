"""Ratios over all that equations and bounds allow: linear programmes (Charnes & Cooper 1962).

The smallest and largest (top·x + a) / (bottom·x + b) under A x + known = 0, low ≤ x ≤ high with a
denominator above 0 are those of top·u + a t, where u = t x, t = 1/(bottom·x + b): a linear
programme in u and t.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats
from mfa.balance.programme import Programme


def homogeneous(
    matrix: sp.csr_array, known: Floats, low: Floats, high: Floats, bottom: Floats, constant: float
) -> Programme:
    """Return the programme in u = t x (first), t (next) and slacks, with the denominator 1.

    Parameters
    ----------
    matrix : sparse array, shape (rows, n)
    known : array, shape (rows,)
        What the held variables add to each row.
    low, high : array, shape (n,)
    bottom : array, shape (n,)
    constant : float
        The denominator is bottom·x + constant.
    """
    rows, n = matrix.shape
    below = np.flatnonzero(np.isfinite(low) & (low != 0))
    above = np.flatnonzero(np.isfinite(high))
    limits = np.concatenate([low[below], -high[above]])
    k, coo, chosen = len(limits), matrix.tocoo(), np.flatnonzero(bottom)
    sides, slacks = rows + np.arange(k), n + 1 + np.arange(k)
    entries = (
        (coo.row, coo.col, coo.data),
        (np.arange(rows), np.full(rows, n), known),
        (sides, np.concatenate([below, above]), np.repeat([-1.0, 1.0], [len(below), len(above)])),
        (sides, np.full(k, n), limits),
        (sides, slacks, np.ones(k)),
        (np.full(len(chosen), rows + k), chosen, bottom[chosen]),
        (np.array([rows + k]), np.array([n]), np.array([constant])),
    )
    row, column, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    some = np.flatnonzero(value)
    shape = rows + k + 1, n + 1 + k
    stacked = sp.coo_array((value[some], (row[some], column[some])), shape=shape)
    free = np.where(np.isfinite(low) & (low >= 0), 0.0, -np.inf)
    return Programme(
        sp.csr_array(stacked),
        np.concatenate([np.zeros(rows + k), [1.0]]),
        np.concatenate([free, np.zeros(1 + k)]),
        np.full(n + 1 + k, np.inf),
    )
