"""Variances and covariances of any results, from the one factor of the estimate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mfa.balance.bounds import tolerances
from mfa.balance.network import Floats, Ints
from mfa.balance.sensitivities import sensitivities
from mfa.balance.solve import Estimate, estimate
from mfa.balance.structure import structure

_BLOCK = 256
_DOMINATED = 1e-6
_ROUNDING = 1e-3  # of the rounding that bounds allow: an sd below is 0


def covariance(found: Estimate, numbers: Ints) -> Floats:
    """Return the covariance of variables [mass per step, squared], shape (k, k)."""
    return found.propagate(sensitivities(found, numbers))


def variances(found: Estimate) -> Floats:
    """Return the variance of every variable, nan where it is undetermined; shape (n,).

    A datum so weak beside the rest that w q → 1 loses its digits in w − w² q; there the variance
    is taken from the rest alone and the datum added back, 1/var = 1/w + 1/var_rest. What exact data
    alone determine has variance 0, not the rounding of it.
    """
    layout = found.structure
    equations = layout.equations
    out = np.full(equations.n, np.nan)
    out[layout.fixed] = 0.0
    weights = found.weights
    share = weights * found.information
    out[layout.data] = weights * np.clip(1.0 - share, 0.0, 1.0)
    for k in np.flatnonzero(share > 1.0 - _DOMINATED):
        rest = _variance_without(found, int(layout.data[k]))
        out[layout.data[k]] = weights[k] * rest / (weights[k] + rest)
    determined = np.flatnonzero(layout.determined)
    out[determined] = found.variances(sensitivities(found, determined))
    rounding = tolerances(equations, found.x)
    rounding[layout.data] += 1e-9 * np.sqrt(weights)
    return np.where(out <= (_ROUNDING * rounding) ** 2, 0.0, out)


def _variance_without(found: Estimate, number: int) -> float:
    """Return the variance that the other data alone give a redundant datum."""
    layout = found.structure
    measured = layout.equations.measured.copy()
    measured[number] = False
    equations = replace(layout.equations, measured=measured)
    rest = estimate(structure(equations, layout.fixed), found.x)
    return max(float(covariance(rest, np.array([number]))[0, 0]), 0.0)


def shares_of_variance(found: Estimate, chosen: Ints) -> Floats:
    """Return what share of each variable's variance stems from the errors of some data.

    With C the covariance of the results and w the variance of the data, the share of data K in
    result i is Σ_{k in K} (C_ik²/w_k) / C_ii, since ∂x_i/∂y_k = C_ik / w_k.

    Parameters
    ----------
    found : Estimate
    chosen : array of int
        Variables that carry those data.

    Returns
    -------
    array, shape (n,)
        Between 0 and 1; 0 where the variance is 0; of no meaning where undetermined.
    """
    layout = found.structure
    data, weights = layout.data, found.weights
    place = np.full(layout.equations.n, -1, dtype=np.int64)
    place[data] = np.arange(len(data))
    picked = place[chosen]
    picked = picked[picked >= 0]
    determined = np.flatnonzero(layout.determined)
    rows = sensitivities(found, determined)
    part = np.zeros(layout.equations.n)
    for start in range(0, len(picked), _BLOCK):
        some = picked[start : start + _BLOCK]
        block = np.zeros((len(data), len(some)))
        block[some, np.arange(len(some))] = weights[some]
        if found.factor is not None:
            seen = layout.reduced @ block
            block -= weights[:, None] * (layout.reduced.T @ found.factor.solve(seen))
        scaled = block**2 / weights[some]
        part[data] += scaled.sum(axis=1)
        part[determined] += ((rows @ block) ** 2 / weights[some]).sum(axis=1)
    whole = variances(found)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, np.clip(part / whole, 0.0, 1.0), 0.0)
