"""Bounds: the engine against a quadratic programme, its conditions, and linear programmes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import mfa

from . import dense
from .cases import Case, Wishes, flow, processes, random_case
from .quadratic import Bounded, completed, pull_left, ranges, solve_bounded
from .results import near, results
from .textbook import Problem, pose

WISHES = Wishes(free=False, limits=True, noise=2.5, exact=0.03, parts=1)
SEEDS = range(50)


@cache
def solved(seed: int) -> tuple[mfa.Balance, Problem, Bounded, np.ndarray]:
    """Return the balance, the problem, what Clarabel says, and which variables are determined."""
    case = random_case(seed, WISHES)
    problem = pose(case)
    determined = dense.solve(problem).determined  # follows from equations and data alone
    return mfa.reconcile(case.system()), problem, solve_bounded(problem), determined


def point(
    balance: mfa.Balance, problem: Problem, determined: np.ndarray
) -> tuple[np.ndarray, Problem]:
    """Return the results, and the problem that is left once they are held.

    Undetermined variables stand at some value that keeps equations and limits. What a measured sum
    came out as is held, too, though its terms may be undetermined.
    """
    variables = balance.model.variables  # with opening levels that no table shows
    names = [variables[name] for name in ("kind", "item", "substance", "year")]
    values = dict(zip(zip(*names, strict=True), balance.values, strict=True))
    x = np.array([values[key] for key in problem.keys])
    assert (np.isnan(x) == ~determined).all()
    sums = [(row, values[label]) for label, row in zip(problem.labels, problem.rows, strict=True)]
    rest = replace(
        problem,
        hard=[*problem.hard, *(row for row, _ in sums)],
        right=[*problem.right, *(value for _, value in sums)],
    )
    return completed(rest, np.nan_to_num(x), determined), rest


@pytest.mark.parametrize("seed", SEEDS)
def test_values(seed: int) -> None:
    balance, problem, bounded, determined = solved(seed)
    x, _ = point(balance, problem, determined)
    assert balance.chi2 == pytest.approx(bounded.goal, rel=1e-6, abs=1e-6)
    off = np.abs(x - bounded.point)[determined]
    assert off.max(initial=0.0) < 1e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_better_keeps_the_bounds(seed: int) -> None:
    balance, problem, _, determined = solved(seed)
    x, _ = point(balance, problem, determined)
    size = np.abs(problem.hard) @ np.abs(x) + np.abs(problem.right)
    assert (np.abs(problem.hard @ x - problem.right) <= 1e-8 * (1.0 + size)).all()
    size = np.abs(problem.limits) @ np.abs(x) + np.abs(problem.caps)
    assert (problem.limits @ x - problem.caps <= 1e-8 * (1.0 + size)).all()
    assert pull_left(problem, x) < 1e-7


@pytest.mark.parametrize("seed", SEEDS)
def test_sd_given_the_bounds_that_hold(seed: int) -> None:
    balance, problem, bounded, determined = solved(seed)
    if bounded.answer is None:
        return  # which bounds hold is within rounding
    answer = bounded.answer
    table = results(balance)
    held = set(bounded.held)
    sds = np.sqrt(np.diag(answer.covariance))
    for i in np.flatnonzero(determined):
        key = problem.keys[i]
        if key not in table:
            continue
        row, (low, high) = table[key], problem.bounds(key)
        assert near(row["value"], answer.x[i]), key
        assert near(row["sd"], sds[i], tolerance=1e-7), key
        assert near(row["low"], min(max(answer.x[i] - 1.96 * sds[i], low), answer.x[i])), key
        assert near(row["high"], max(min(answer.x[i] + 1.96 * sds[i], high), answer.x[i])), key
        unit = np.eye(len(problem.keys))[i]
        sides = {"min": -unit, "max": unit}
        for side, line in sides.items():
            if any((problem.limits[k] == line).all() for k in held):
                assert row["at_bound"] == side, key
    assert balance.dof == answer.dof
    assert near(balance.chi2, answer.chi2)
    assert balance.is_approximate == bool(held)


@pytest.mark.parametrize("seed", SEEDS)
def test_ranges_of_undetermined(seed: int) -> None:
    balance, problem, _, determined = solved(seed)
    x, rest = point(balance, problem, determined)
    table = results(balance)
    wanted = ranges(rest, x, determined)
    for i in np.flatnonzero(~determined):
        row = table.get(problem.keys[i])
        if row is None:
            continue
        for side, limit in zip(("low", "high"), wanted[i], strict=True):
            if np.isfinite(limit):
                assert near(row[side], limit, tolerance=1e-6), (problem.keys[i], side)
            else:
                assert np.isnan(row[side]), (problem.keys[i], side)


def test_many_of_them_have_bounds_that_hold() -> None:
    clear = [solved(seed)[2] for seed in SEEDS if solved(seed)[2].answer is not None]
    assert len(clear) >= 30
    assert sum(bool(bounded.held) for bounded in clear) >= 25


def test_unmeasured_outflows_pull_back_what_is_measured() -> None:
    """In 5 ± 1, out 8 ± 1 and two unmeasured outs: 5 − 8 would leave −3 for the two."""
    rows = [
        flow("in", "Mine", "Plant", value=5.0, sd=1.0),
        flow("out", "Plant", "Market", value=8.0, sd=1.0),
        flow("a", "Plant", "Market"),
        flow("b", "Plant", "Market"),
    ]
    balance = mfa.reconcile(Case(processes("Plant"), rows).system())
    table = balance.flows.set_index("flow")
    np.testing.assert_allclose(table.loc[["in", "out"], "value"], 6.5, rtol=1e-9)
    assert list(table["status"]) == ["measured", "measured", "undetermined", "undetermined"]
    np.testing.assert_allclose(table.loc[["a", "b"], ["low", "high"]], 0.0, atol=1e-8)
    assert balance.chi2 == pytest.approx(2 * 1.5**2, rel=1e-9)


def test_a_limit_far_away_changes_nothing() -> None:
    """A flow held at 0, and its limit moved away: the two answers differ as they should."""
    for least, wanted in ((0.0, 0.0), (-100.0, -2.8)):
        rows = [
            flow("in", "Mine", "Plant", value=4.0, sd=1.0),
            flow("out", "Plant", "Market", value=9.0, sd=2.0),
            flow("rest", "Plant", "Market", value=1.0, sd=2.0, min=least),
        ]
        balance = mfa.reconcile(Case(processes("Plant"), rows).system())
        # 6 too much goes out; variances 1, 4, 4: the rest takes 4/9 of it, 1 − 24/9 < 0
        free = 1.0 - 6.0 * 4.0 / 9.0
        row = balance.flows.set_index("flow").loc["rest"]
        assert row["value"] == pytest.approx(max(free, wanted), abs=1e-9)
        assert row["at_bound"] == ("min" if least == 0.0 else "")


def test_no_bound_holds_what_equations_determine() -> None:
    """What enters a process without a way out is 0 by its balance, not by the bound beside it."""
    rows = [
        flow("lost", "Mine", "Cellar", value=24.0, sd=3.0),
        flow("in", "Mine", "Plant", value=5.0, sd=1.0),
        flow("out", "Plant", "Market", value=8.0, sd=1.0),
        flow("rest", "Plant", "Market"),
    ]
    balance = mfa.reconcile(Case(processes("Plant", "Cellar"), rows).system())
    assert balance.is_approximate  # the rest is held at 0
    table = balance.flows.set_index("flow")
    assert table.at["lost", "value"] == pytest.approx(0.0, abs=1e-12)
    assert table.at["lost", "at_bound"] == ""
    assert balance.suspects["item"].iat[0] == "lost"
    assert balance.suspects["z"].iat[0] == pytest.approx(8.0)
