"""All years together: cohorts as statements of the estimate, beside dense algebra and the truth."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import mfa

from . import dense
from .aged import Aged, aged
from .quadratic import solve_bounded
from .results import near, results

SEEDS = range(24)


@cache
def exactly(seed: int) -> tuple[Aged, mfa.Balance, dense.Answer]:
    case = aged(seed)
    return case, mfa.reconcile(case.system()), dense.solve(case.problem())


def compare(balance: mfa.Balance, answer: dense.Answer) -> None:
    table = results(balance)
    assert not balance.is_approximate
    sds = np.sqrt(np.diag(answer.covariance))
    faint = _faint(answer)
    columns = zip(answer.problem.keys, dense.statuses(answer), answer.x, sds, strict=True)
    for key, status, value, sd in columns:
        row = table[key]
        if key in faint and status in ("measured", "reconciled"):
            assert row["status"] in ("measured", "reconciled"), key
        else:
            assert row["status"] == status, key
        if status == "undetermined":
            assert np.isnan(row["value"])
        else:
            assert near(row["value"], value, tolerance=1e-7), (key, row["value"], value)
            assert near(row["sd"], sd, tolerance=1e-6), (key, row["sd"], sd)
    assert balance.dof == answer.dof
    assert near(balance.chi2, answer.chi2, tolerance=1e-7)


def _faint(answer: dense.Answer) -> set[tuple[str, str, str, int]]:
    """Return what is checked so faintly that rounding decides: survival fades and never ends."""
    spare = np.diag(answer.pattern)
    labels = {k for k, left in zip(answer.problem.labels, spare, strict=True) if left < 1e-7}
    within = (keys for name, keys in answer.problem.stated.items() if name in labels)
    return labels.union(*within)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_statuses_are_those_of_the_textbook(seed: int) -> None:
    _, balance, answer = exactly(seed)
    compare(balance, answer)


@pytest.mark.parametrize("seed", range(40, 60))
def test_bounds_that_many_outflows_break_are_those_of_a_quadratic_programme(seed: int) -> None:
    case = aged(seed, least=0.0, noise=0.3, exact=False)
    balance = mfa.reconcile(case.system())
    other = solve_bounded(case.problem())
    assert balance.chi2 == pytest.approx(other.goal, rel=1e-5, abs=1e-5)
    equations, x = balance.model.equations, balance.bounded.estimate.x
    known = balance.status != "undetermined"
    assert (x >= equations.lower - 1e-7 * np.abs(x).max())[known].all()
