"""Variances as systems grow: the same from every factor, and as dense algebra has them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.linalg import pinv, svd

from mfa.balance import solve
from mfa.balance.covariance import covariance, variances
from mfa.balance.equations import Equations
from mfa.balance.solve import Estimate, estimate
from mfa.balance.structure import structure
from mfa.balance.suspects import leak_tests

from .networks import network, with_relations

FACTORS = {
    "orthogonal": {},
    "cholesky": {"_ORTHOGONAL": 0},
    "sparse": {"_ORTHOGONAL": 0, "_DENSE": 0, "_FEW": 0},
    "conjugate gradients": {"_ORTHOGONAL": 0, "_DENSE": 0, "_FEW": 10_000},
}
SEEDS = range(8)


def solved(equations: Equations) -> Estimate:
    return estimate(structure(equations), equations.y)


def random_system(seed: int) -> Equations:
    equations = network(seed, n_nodes=9, n_flows=24, blank=0.3)
    return with_relations(equations, seed, count=2 * (seed % 2))


def dense_covariance(equations: Equations) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariance of all variables, and which of them are determined.

    With the columns of N spanning what the equations leave free, x = N u, and u is estimated from
    the data by ordinary least squares on the rows divided by their sd.
    """
    _, size, right = svd(equations.matrix.toarray())
    free = right[int((size > 1e-9 * size.max()).sum()) :].T
    data = equations.measured
    rows = free[data] / equations.sd[data, None]
    inverse = pinv(rows, rcond=1e-11)
    determined = np.abs(free - free @ inverse @ rows).max(axis=1) < 1e-7
    out = free @ inverse
    return out @ out.T, determined


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("seed", SEEDS)
def test_variances(seed: int, factor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FACTORS[factor].items():
        monkeypatch.setattr(solve, name, value)
    equations = random_system(seed)
    wanted, determined = dense_covariance(equations)
    found = solved(equations)
    known = np.flatnonzero(determined)
    by_item = variances(found)
    np.testing.assert_array_equal(~np.isnan(by_item), determined)
    np.testing.assert_allclose(by_item[known], np.diag(wanted)[known], rtol=1e-8)
    scale = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))[np.ix_(known, known)]
    off = np.abs(covariance(found, known) - wanted[np.ix_(known, known)])
    assert (off <= 1e-8 * scale).all()


@pytest.mark.parametrize("factor", FACTORS)
def test_leaks(factor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leak at a balance is what its sum says against the sd of that sum without it."""
    for name, value in FACTORS[factor].items():
        monkeypatch.setattr(solve, name, value)
    equations = network(11, n_nodes=9, n_flows=24)
    a = equations.matrix.toarray()
    inverse = np.linalg.inv((a * equations.sd**2) @ a.T)
    pull = inverse @ (a @ equations.y)
    found = leak_tests(solved(equations))
    np.testing.assert_array_equal(found.items, np.arange(9))
    np.testing.assert_allclose(found.z, pull / np.sqrt(np.diag(inverse)), rtol=1e-8)
    np.testing.assert_allclose(found.distance, pull / np.diag(inverse), rtol=1e-8)


def test_a_few_results_of_a_large_system_need_no_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """More balances than a dense factor is meant for."""
    equations = network(3, n_nodes=3_050, n_flows=12_000)
    found = solved(equations)
    monkeypatch.setattr(solve, "splu", None)  # to reach for it would fail
    numbers = np.array([17, 4_001, 11_998, 14_000])
    rows = sp.csr_array(equations.matrix)
    weights = equations.sd**2
    shared = rows[:, numbers].toarray() * weights[numbers]
    normal = (rows @ sp.diags_array(weights) @ rows.T).toarray()
    wanted = np.diag(weights[numbers]) - shared.T @ np.linalg.solve(normal, shared)
    np.testing.assert_allclose(covariance(found, numbers), wanted, rtol=1e-8, atol=1e-12)
