"""Sums and ratios of results: dense algebra, examples by hand, other linear programmes."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

import mfa

from . import dense
from .cases import Case, Wishes, flow, processes, random_case
from .results import near
from .textbook import Problem, pose

SEEDS = range(20)
HELD = {0, 6, 18}  # with limits, a bound moves data, of which the dense answer does not know


@cache
def both(seed: int) -> tuple[mfa.Balance, dense.Answer]:
    case = random_case(seed, Wishes(blank=0.45))
    return mfa.reconcile(case.system()), dense.solve(pose(case))


def flow_sums(answer: dense.Answer, seed: int) -> list[dict[int, float]]:
    """Return combinations of flows: random ones, and balances with one flow left out."""
    rng = np.random.default_rng(seed)
    flows = [i for i, key in enumerate(answer.problem.keys) if key[0] == "flow"]
    out = []
    for _ in range(4):
        some = rng.choice(flows, size=min(len(flows), int(rng.integers(1, 4))), replace=False)
        out.append({int(i): float(rng.choice([1.0, -1.0, 0.4, 2.5])) for i in some})
    for row in answer.problem.hard[:6]:
        some = np.flatnonzero(row)
        if len(some) > 2 and set(some) <= set(flows):
            out.append({int(i): float(row[i]) for i in some[1:]})
    return out


def items(problem: Problem, factors: dict[int, float]) -> dict[tuple[str, str, int], float]:
    return {problem.keys[i][1:]: factor for i, factor in factors.items()}  # type: ignore[misc]


@pytest.mark.parametrize("seed", SEEDS)
def test_sums(seed: int) -> None:
    balance, answer = both(seed)
    free = dense.null_space(np.vstack([*answer.problem.hard, *answer.problem.rows]))
    for factors in flow_sums(answer, seed):
        row = np.zeros(len(answer.x))
        row[list(factors)] = list(factors.values())
        found = balance.linear(items(answer.problem, factors))
        if np.abs(row @ free).max(initial=0.0) > 1e-7:
            assert found.status == "undetermined"
            assert np.isnan([found.value, found.sd]).all()
            continue
        value, sd = row @ answer.x, np.sqrt(max(row @ answer.covariance @ row, 0.0))
        assert near(found.value, value)
        assert near(found.sd**2, sd**2)
        assert found.status == ("calculated" if sd > 1e-6 else "fixed")


def test_some_sums_are_determined_although_their_terms_are_not() -> None:
    seen = 0
    for seed in SEEDS:
        balance, answer = both(seed)
        for factors in flow_sums(answer, seed):
            found = balance.linear(items(answer.problem, factors))
            seen += found.status != "undetermined" and not answer.determined[list(factors)].all()
    assert seen > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_ratios(seed: int) -> None:
    """A ratio moves with the data: each datum in turn is shifted, and the dense answer anew."""
    balance, answer = both(seed)
    problem = answer.problem
    spread = answer.covariance
    sums = flow_sums(answer, seed)
    for above, below in pairwise(sums):
        rows = np.zeros((2, len(answer.x)))
        for row, factors in zip(rows, (above, below), strict=True):
            row[list(factors)] = list(factors.values())
        parts = [balance.linear(items(problem, factors)) for factors in (above, below)]
        if any(part.status == "undetermined" for part in parts) or abs(parts[1].value) < 1e-3:
            continue
        top, bottom = rows @ answer.x
        found = balance.ratio(items(problem, above), items(problem, below))
        assert near(found.value, top / bottom)
        gradient = rows[0] / bottom - rows[1] * top / bottom**2
        sd = np.sqrt(max(gradient @ spread @ gradient, 0.0))
        assert near(found.sd, sd, size=1.0, tolerance=1e-7)
        assert near(found.low, top / bottom - 1.96 * found.sd)


SHED = Case(
    processes("Shed", "Plant"),
    flows=[
        flow("heap", "Mine", "Shed", value=10.0, sd=1.0),
        flow("left", "Shed", "Market", max=8.0),
        flow("moved", "Shed", "Plant"),
        flow("ore", "Mine", "Plant", value=20.0, sd=2.0),
        flow("metal", "Plant", "Market"),
    ],
    coefficients=[{"coefficient": "part", "flow": "left", "of": "inputs", "value": None}],
)


def test_ranges_by_hand() -> None:
    """heap = left + moved, left ≤ 8, metal = moved + ore."""
    balance = mfa.reconcile(SHED.system())
    assert balance.linear({"left": 1.0, "metal": 1.0}).value == pytest.approx(30.0)
    assert balance.linear({"left": 1.0, "metal": 1.0}).sd == pytest.approx(np.sqrt(5.0))
    found = balance.linear({"left": 2.0, "moved": -1.0})
    assert (found.low, found.high) == pytest.approx((-10.0, 14.0))
    found = balance.ratio("left", {"metal": 1.0, "left": 0.5})
    assert (found.low, found.high) == pytest.approx((0.0, 8.0 / (22.0 + 4.0)))
    found = balance.ratio("metal", "left")
    assert found.low == pytest.approx(22.0 / 8.0)
    assert found.high == np.inf
    found = balance.ratio("left", {"metal": -1.0})
    assert (found.low, found.high) == pytest.approx((-8.0 / 22.0, 0.0))
    with pytest.raises(mfa.MFAError, match="can only be 0"):
        balance.ratio("heap", {"left": 1.0, "moved": 1.0, "heap": -1.0})


def test_a_ratio_may_be_known_where_its_parts_are_not() -> None:
    """left = part × what enters the Shed, which nobody measures; part = 0.3 ± 0.02."""
    case = Case(
        SHED.processes,
        flows=[
            row | ({"value": None, "sd": None} if row["flow"] == "heap" else {})
            for row in SHED.flows
        ],
        coefficients=[SHED.coefficients[0] | {"value": 0.3, "sd": 0.02}],
    )
    balance = mfa.reconcile(case.system())
    found = balance.ratio("left", "heap")
    assert found.value == pytest.approx(0.3)
    assert found.sd == pytest.approx(0.02)
    assert balance.ratio("moved", "heap").value == pytest.approx(0.7)
    assert balance.linear("left").status == "undetermined"


def test_coefficients_and_compositions_have_a_covariance() -> None:
    """part = left/heap with left = 4 ± 0.4 and heap = 10 ± 1: the delta method by hand."""
    case = Case(
        SHED.processes,
        flows=[
            row | ({"value": 4.0, "sd": 0.4} if row["flow"] == "left" else {}) for row in SHED.flows
        ],
        coefficients=SHED.coefficients,
    )
    balance = mfa.reconcile(case.system())
    found = balance.covariance(["part", "left", ("heap", 2018)])
    by = np.array([[1 / 10.0, -4.0 / 100.0], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(found, by @ np.diag([0.16, 1.0]) @ by.T, atol=1e-9)
    assert balance.covariance([("part", 2018)]).iat[0, 0] == pytest.approx(found.iat[0, 0])
    assert balance.linear("part").sd == pytest.approx(np.sqrt(found.iat[0, 0]))


@pytest.mark.parametrize("seed", sorted(set(SEEDS) - HELD))
def test_ranges_of_sums_and_ratios(seed: int) -> None:
    """The ends from linear programmes over all variables, ratios by their level sets."""
    case = random_case(seed, Wishes(free=False, noise=0.0, blank=0.5, limits=True, stocks=False))
    balance, problem = mfa.reconcile(case.system()), pose(case)
    answer = dense.solve(problem)
    n = len(problem.keys)
    known = np.vstack([np.eye(n)[answer.determined], *problem.rows])
    # Repeated equations that differ by rounding are "infeasible" to a presolve: a basis of them.
    stacked = np.vstack([*problem.hard, known])
    left, size, equations = np.linalg.svd(stacked, full_matrices=False)
    rank = np.linalg.matrix_rank(stacked)
    right = left.T[:rank] @ np.concatenate([problem.right, known @ answer.x]) / size[:rank]
    equations = equations[:rank]
    limits, caps = np.array(problem.limits), np.array(problem.caps)

    def end(row: np.ndarray, sign: float) -> float:
        found = linprog(sign * row, limits, caps + 1e-7, equations, right, (None, None))
        assert found.status in (0, 3)
        return float(sign * found.fun) if found.status == 0 else -sign * np.inf

    for factors in flow_sums(answer, seed)[:4]:
        row = np.zeros(n)
        row[list(factors)] = list(factors.values())
        found = balance.linear(items(problem, factors))
        if found.status != "undetermined":
            continue
        for mine, wanted in ((found.low, end(row, 1.0)), (found.high, end(row, -1.0))):
            assert mine == pytest.approx(wanted, rel=1e-6, abs=1e-5)
        whole = np.zeros(n)
        whole[[i for i, key in enumerate(problem.keys) if key[0] == "flow"]] = 1.0
        every = {problem.keys[i][1:]: 1.0 for i in np.flatnonzero(whole)}
        share = balance.ratio(items(problem, factors), every)  # type: ignore[arg-type]
        if share.status != "undetermined" or not np.isfinite([share.low, share.high]).all():
            continue
        # top − r·whole has one sign for all x exactly if r is beyond the end.
        for sign, ratio in ((1.0, share.low), (-1.0, share.high)):
            assert sign * end(row - ratio * whole, sign) >= -1e-4
            assert sign * end(row - (ratio + sign * 1e-3) * whole, sign) <= 1e-4


def test_items() -> None:
    balance, _ = both(3)
    with pytest.raises(mfa.MFAError, match="there is no flow"):
        balance.linear("nothing of the kind")
    with pytest.raises(mfa.MFAError, match="at least one"):
        balance.linear({})
    shed = mfa.reconcile(SHED.system())
    with pytest.raises(mfa.MFAError, match="have to be numbers"):
        shed.linear({"left": np.nan})
