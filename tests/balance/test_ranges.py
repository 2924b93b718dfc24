"""What undetermined variables can be, against one linear programme per end with another solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from mfa.balance.equations import NO_EDGE, Equations
from mfa.balance.ranges import blocks, ranges

from .networks import network

SEEDS = range(60)


def random_equations(
    seed: int, n_nodes: int = 7, n_flows: int = 18
) -> tuple[Equations, np.ndarray]:
    """Return equations that a known point keeps, with loops, parallel flows and several parts."""
    rng = np.random.default_rng(seed)
    n_nodes, n_flows = 7, 18
    part = rng.integers(0, 1 + seed % 3, n_nodes + 1)  # the environment belongs to one of them
    tail = rng.integers(0, n_nodes + 1, n_flows)
    same = [np.flatnonzero(part == part[t]) for t in tail]
    head = np.array([rng.choice(some) for some in same])
    for _ in range(3):  # parallel and opposite flows
        i, j = rng.integers(0, n_flows, 2)
        tail[i], head[i] = (tail[j], head[j]) if rng.random() < 0.5 else (head[j], tail[j])
    k = 3 * int(seed % 2)
    tail = np.concatenate([tail, np.full(k, NO_EDGE)])
    head = np.concatenate([head, np.full(k, NO_EDGE)])
    n = n_flows + k
    x = np.where(rng.random(n) < 0.2, 0.0, rng.lognormal(1.0, 1.5, n))
    lower = np.where(rng.random(n) < 0.15, x * rng.uniform(0.2, 1.0, n), 0.0)
    lower[rng.random(n) < 0.2] = -np.inf
    upper = np.where(rng.random(n) < 0.25, x * rng.uniform(1.0, 2.5, n) + 0.1, np.inf)
    relations = np.zeros((k, n))
    for row in relations:
        some = rng.choice(n, 3, replace=False)
        row[some] = rng.choice([1.0, -0.6, 0.25, 1.1664], 3)
    measured = rng.random(n) < 0.35
    bare = Equations(
        n_nodes, tail, head, sp.csr_array(relations), relations @ x, x, np.ones(n),
        measured, np.zeros(n, bool), lower, upper, np.zeros(n),
    )  # fmt: skip
    lacking = bare.matrix @ x - np.concatenate([np.zeros(n_nodes), relations @ x])
    rows = np.flatnonzero(lacking[:n_nodes])
    return _fed(bare, rows, -lacking[rows]), np.concatenate([measured, np.ones(len(rows), bool)])


def _fed(bare: Equations, nodes: np.ndarray, amounts: np.ndarray) -> Equations:
    """Add one known flow from outside to each node that lacks something."""
    k, n = len(nodes), bare.n
    return replace(
        bare,
        tail=np.concatenate([bare.tail, np.full(k, bare.n_nodes)]),
        head=np.concatenate([bare.head, nodes]),
        relations=sp.csr_array(sp.hstack([bare.relations, sp.csr_array((len(bare.right), k))])),
        y=np.concatenate([bare.y, amounts]),
        sd=np.ones(n + k),
        measured=np.concatenate([bare.measured, np.ones(k, bool)]),
        fixed=np.zeros(n + k, bool),
        lower=np.concatenate([bare.lower, np.full(k, -np.inf)]),
        upper=np.concatenate([bare.upper, np.full(k, np.inf)]),
        start=np.zeros(n + k),
    )


def one_by_one(equations: Equations, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ranges by one linear programme for each end, of the whole system at once."""
    loose = np.flatnonzero(~known)
    matrix = equations.matrix.toarray()
    right = np.concatenate([np.zeros(equations.n_nodes), equations.right])
    right = right - matrix[:, known] @ equations.y[known]
    touched = np.abs(matrix[:, loose]).max(axis=1, initial=0.0) > 0
    out = np.full((2, equations.n), np.nan)
    for place, number in enumerate(loose):
        for side, sign in enumerate((1.0, -1.0)):
            found = linprog(
                sign * np.eye(len(loose))[place],
                A_eq=matrix[touched][:, loose],
                b_eq=right[touched],
                bounds=np.column_stack([equations.lower[loose], equations.upper[loose]]),
                options={"presolve": False},
            )
            assert found.status in (0, 3), found.message
            out[side, number] = found.x[place] if found.status == 0 else -sign * np.inf
    return out[0], out[1]


def found(equations: Equations, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return ranges(blocks(equations, ~known, equations.y), equations)


def assert_same(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...], scale: float) -> None:
    for mine, wanted in zip(one, other, strict=True):
        np.testing.assert_array_equal(np.isinf(mine), np.isinf(wanted))
        np.testing.assert_allclose(mine, wanted, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("seed", SEEDS)
def test_ends_are_those_of_linear_programmes(seed: int) -> None:
    equations, known = random_equations(seed)
    scale = float(np.abs(equations.y).max())
    assert_same(found(equations, known), one_by_one(equations, known), scale)


@pytest.mark.parametrize("seed", range(3))
def test_ends_in_larger_networks(seed: int) -> None:
    equations = network(seed, n_nodes=60, n_flows=170, blank=0.5 + 0.1 * seed, noise=0.0)
    known = equations.measured
    scale = float(np.abs(equations.y).max())
    assert_same(found(equations, known), one_by_one(equations, known), scale)


@pytest.mark.parametrize("seed", range(0, 60, 7))
def test_order_and_unit_change_nothing(seed: int) -> None:
    equations, known = random_equations(seed)
    low, high = found(equations, known)
    rng = np.random.default_rng(seed)
    order, nodes = rng.permutation(equations.n), rng.permutation(equations.n_nodes)
    nodes = np.concatenate([nodes, [equations.n_nodes, NO_EDGE]])  # −1 stays last
    lines = rng.permutation(len(equations.right))
    unit = 453.59237e-6
    other = replace(
        equations,
        tail=nodes[equations.tail[order]],
        head=nodes[equations.head[order]],
        relations=sp.csr_array(equations.relations[lines][:, order]),
        right=equations.right[lines] * unit,
        y=equations.y[order] * unit,
        measured=equations.measured[order],
        lower=equations.lower[order] * unit,
        upper=equations.upper[order] * unit,
    )
    scale = float(np.abs(equations.y).max())
    again = tuple(end / unit for end in found(other, known[order]))
    assert_same((low[order], high[order]), again, scale)


def test_the_random_systems_have_every_kind() -> None:
    """What is not in them is not tested."""
    ends = [(found(*random_equations(seed)), random_equations(seed)[0]) for seed in SEEDS]
    kinds = {"endless below": 0, "endless above": 0, "at a bound": 0, "between": 0, "determined": 0}
    for (low, high), equations in ends:
        kinds["endless below"] += int(np.isneginf(low).sum())
        kinds["endless above"] += int(np.isposinf(high).sum())
        kinds["at a bound"] += int((low == equations.lower).sum())
        finite = np.isfinite(low) & np.isfinite(high)
        inside = finite & (low > equations.lower + 1e-6) & (high < equations.upper - 1e-6)
        kinds["determined"] += int((inside & (high - low < 1e-9)).sum())
        kinds["between"] += int((inside & (high - low > 1e-6)).sum())
    assert min(kinds.values()) > 30, kinds


def test_a_cycle_that_no_limit_stops() -> None:
    """Worked by hand: 4 comes into A, 1 into B, all leaves from C; C sends some back to A."""
    flows = {"ab": (0, 1), "bc": (1, 2), "ca": (2, 0), "bc2": (1, 2), "in": (3, 0), "in2": (3, 1)}
    flows["out"] = (2, 3)
    amounts = np.array([np.nan, np.nan, np.nan, np.nan, 4.0, 1.0, 5.0])
    known = ~np.isnan(amounts)
    tail, head = np.array(list(flows.values())).T
    lower, upper = np.zeros(7), np.full(7, np.inf)
    upper[3] = 3.5
    equations = Equations(
        3, tail, head, sp.csr_array((0, 7)), np.zeros(0), amounts, np.ones(7), known,
        np.zeros(7, bool), lower, upper, np.zeros(7),
    )  # fmt: skip
    low, high = found(equations, known)
    np.testing.assert_allclose(low[:4], [4.0, 1.5, 0.0, 0.0], rtol=1e-12)
    np.testing.assert_allclose(high[:4], [np.inf, np.inf, np.inf, 3.5], rtol=1e-12)


def test_a_flow_without_bounds_is_no_cycle_of_its_own() -> None:
    """10 come in and leave by one flow with limits and one without any."""
    tail, head = np.array([1, 0, 0]), np.array([0, 1, 1])
    known = np.array([True, False, False])
    equations = Equations(
        1, tail, head, sp.csr_array((0, 3)), np.zeros(0), np.array([10.0, np.nan, np.nan]),
        np.ones(3), known, np.zeros(3, bool), np.array([0.0, 2.0, -np.inf]),
        np.array([np.inf, 7.0, np.inf]), np.zeros(3),
    )  # fmt: skip
    low, high = found(equations, known)
    np.testing.assert_allclose(low[1:], [2.0, 3.0], rtol=1e-12)
    np.testing.assert_allclose(high[1:], [7.0, 8.0], rtol=1e-12)


def test_blocks_of_very_different_size_keep_their_digits() -> None:
    """A thousandth of a gram beside a million tonnes."""
    tail = np.array([2, 0, 0, 2, 1, 1])
    head = np.array([0, 2, 2, 1, 2, 2])
    known = np.array([True, False, False] * 2)
    amounts = np.array([3e6, np.nan, np.nan, 7e-9, np.nan, np.nan])
    upper = np.array([np.inf, 1e6, np.inf, np.inf, 2e-9, np.inf])
    equations = Equations(
        2, tail, head, sp.csr_array((0, 6)), np.zeros(0), amounts, np.ones(6), known,
        np.zeros(6, bool), np.zeros(6), upper, np.zeros(6),
    )  # fmt: skip
    low, high = found(equations, known)
    np.testing.assert_allclose(low[[1, 2, 4, 5]], [0.0, 2e6, 0.0, 5e-9], rtol=1e-9)
    np.testing.assert_allclose(high[[1, 2, 4, 5]], [1e6, 3e6, 2e-9, 7e-9], rtol=1e-9)


@pytest.mark.parametrize("share", [3e-4, 3e-8, 3e-11])
def test_traces_keep_their_digits(share: float) -> None:
    """A trace metal in two flows of goods that share 100: it is 3 parts and 7 parts in these."""
    shares = np.array([share, share * 7 / 3])
    relations = sp.csr_array(np.array([[shares[0], 0, -1, 0, 0], [0, shares[1], 0, -1, 0]]))
    known = np.array([False] * 4 + [True])
    equations = Equations(
        1, np.array([0, 0, NO_EDGE, NO_EDGE, 1]), np.array([1, 1, NO_EDGE, NO_EDGE, 0]),
        relations, np.zeros(2), np.array([np.nan] * 4 + [100.0]), np.ones(5), known,
        np.zeros(5, bool), np.array([20.0, 0, 0, 0, 0]),
        np.array([np.inf, np.inf, np.inf, 35 * shares[1], np.inf]), np.zeros(5),
    )  # fmt: skip
    low, high = found(equations, known)
    np.testing.assert_allclose(low[2:4], [65 * shares[0], 0.0], rtol=1e-9, atol=1e-9 * share)
    np.testing.assert_allclose(high[2:4], [100 * shares[0], 35 * shares[1]], rtol=1e-9)
