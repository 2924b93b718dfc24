"""Which data look wrong: measurement tests, serial elimination, and leaks of single balances.

For datum i with reduced column g_i: z_i = g_iᵀλ / √q_i is the standardised distance between the
datum and what the others say of it, and g_iᵀλ / q_i that distance itself (Mah & Tamhane 1982).
A leak L at balance j adds L times column ζ_j of Z to the residuals: z = ζ_jᵀλ / √(ζ_jᵀS⁻¹ζ_j)
(Narasimhan & Mah 1987).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.special import chdtrc, ndtr, ndtri

from mfa.balance.network import Floats, Ints
from mfa.balance.solve import Estimate

LEVEL = 0.05
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class Outcome:
    """Outcome of one test for each of several items.

    Attributes
    ----------
    items : array of int
        Variables (of data) or balances (of leaks).
    z : array
        Standard normal if nothing is wrong.
    distance : array
        How much the datum exceeds what the others say, or how much leaves the balance unseen
        [mass per step].
    alike : array of int
        Items with the same number cannot be told apart.
    """

    items: Ints
    z: Floats
    distance: Floats
    alike: Ints


def p_value(z: Floats) -> Floats:
    """Return the two-sided probability of a larger |z|."""
    return np.asarray(2.0 * ndtr(-np.abs(z)))


def detectable(found: Estimate) -> Floats:
    """Return the error of each datum that would just reach |z| = 1.96; inf where none could.

    Returns
    -------
    array, shape (data,)
    """
    with np.errstate(divide="ignore"):
        error = -ndtri(LEVEL / 2) / np.sqrt(found.information)
    return np.where(_is_checked(found), error, np.inf)


def _is_checked(found: Estimate) -> np.ndarray:
    return np.asarray(found.information * found.weights > _NEGLIGIBLE)


def measurement_tests(found: Estimate) -> Outcome:
    """Return the measurement test of every redundant datum."""
    reduced = sp.csc_array(found.structure.reduced)
    checked = np.flatnonzero(_is_checked(found))
    pull = np.asarray(reduced.T @ found.multipliers)[checked]
    q = found.information[checked]
    return Outcome(
        items=found.structure.data[checked],
        z=pull / np.sqrt(q),
        distance=pull / q,
        alike=_alike(reduced[:, checked]),
    )


def leak_tests(found: Estimate) -> Outcome:
    """Return the leak test of every balance that data check.

    Where exact data alone already check a balance, they rule a leak out.
    """
    nodes = found.structure.equations.n_nodes
    columns, exact = (
        sp.csc_array(rows)[:, :nodes] for rows in (found.structure.rows, found.structure.checks)
    )
    seen = np.flatnonzero((np.diff(columns.indptr) > 0) & (np.diff(exact.indptr) == 0))
    columns = columns[:, seen]
    q = found.quadratic(columns)
    pull = np.asarray(columns.T @ found.multipliers)
    return Outcome(seen, pull / np.sqrt(q), pull / q, _alike(columns))


def _alike(columns: sp.csc_array) -> Ints:
    """Give columns that are proportional to each other one number.

    Proportional columns have proportional products with any vectors: three random ones give two
    ratios that agree to rounding only within a group.
    """
    if not columns.shape[1]:
        return np.zeros(0, dtype=np.int64)
    directions = np.random.default_rng(20240229).normal(size=(3, columns.shape[0]))
    products = directions @ columns
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.nan_to_num(products[1:] / products[0])
    order = np.argsort(ratios[0], kind="stable")
    near = np.isclose(ratios[:, order[1:]], ratios[:, order[:-1]], rtol=1e-8, atol=1e-10)
    groups = np.concatenate([[0], np.cumsum(~near.all(axis=0))])
    out = np.empty(len(order), dtype=np.int64)
    out[order] = groups
    return out


def eliminate(found: Estimate, names: list[tuple[object, ...]], misfit: float, dof: int) -> Ints:
    """Take out the datum with the largest |z|, again and again, until the rest agree.

    Without datum k, with v = S⁻¹g_k: S⁻¹ becomes S⁻¹ − vvᵀ/q_k, so that only products with v are
    needed to update every other test.

    Parameters
    ----------
    found : Estimate
    names : list of tuple, one per datum
        Breaks ties between equal |z|.
    misfit, dof : float, int
        Global test with all data.

    Returns
    -------
    array of int
        Positions among the data, in the order in which they were taken out.
    """
    reduced = sp.csc_array(found.structure.reduced)
    pull = np.asarray(reduced.T @ found.multipliers)
    q, weights = found.information.copy(), found.weights
    taken: list[int] = []
    steps: list[tuple[Floats, float]] = []
    while dof > 0 and found.factor is not None and chdtrc(dof, misfit) < LEVEL:
        checked = q * weights > _NEGLIGIBLE
        checked[taken] = False
        z = np.where(checked, np.abs(pull) / np.sqrt(np.where(checked, q, 1.0)), -1.0)
        if z.max() <= 0:
            break
        ties = np.flatnonzero(z >= z.max() * (1 - _NEGLIGIBLE))
        k = int(min(ties, key=lambda i: names[i]))
        column = reduced[:, [k]].toarray().ravel()
        v = found.factor.solve(column)
        for before, size in steps:
            v -= before * (before @ column) / size
        along, size = np.asarray(reduced.T @ v), float(q[k])
        misfit -= float(pull[k] ** 2 / size)
        pull = pull - along * pull[k] / size
        q = q - along**2 / size
        dof -= 1
        taken.append(k)
        steps.append((v, size))
    return np.array(taken, dtype=np.int64)
