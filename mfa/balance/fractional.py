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
    unit = sp.csr_array(sp.eye_array(n))
    sides = sp.csr_array(sp.vstack([-unit[below], unit[above]], format="csr"))
    limits = np.concatenate([low[below], -high[above]])
    k = len(limits)
    upper = sp.hstack([matrix, sp.csr_array(known[:, None]), sp.csr_array((rows, k))])
    middle = sp.hstack([sides, sp.csr_array(limits[:, None]), sp.csr_array(sp.eye_array(k))])
    one = np.concatenate([bottom, [constant], np.zeros(k)])
    stacked = sp.vstack([sp.csr_array(upper), sp.csr_array(middle), sp.csr_array(one[None, :])])
    free = np.where(np.isfinite(low) & (low >= 0), 0.0, -np.inf)
    return Programme(
        sp.csr_array(stacked),
        np.concatenate([np.zeros(rows + k), [1.0]]),
        np.concatenate([free, np.zeros(1 + k)]),
        np.full(n + 1 + k, np.inf),
    )
