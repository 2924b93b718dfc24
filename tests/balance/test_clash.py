"""Statements that clash: irreducible in every case, and as few as any, against brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

import mfa
from mfa.balance.clash import clashing
from mfa.balance.equations import NO_EDGE, Equations

from .cases import Case, flow, processes

NONE = np.zeros(0, dtype=np.int64)


def random_statements(seed: int) -> tuple[Equations, np.ndarray]:
    """Return few balances with exact values, limits and products that mostly clash."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 6)), int(rng.integers(4, 10))
    tail, head = rng.integers(0, n + 1, size=(2, m))
    products = int(rng.integers(0, 3))
    size = m + products
    rows, shares = [], []
    for k in range(products):
        for _ in range(int(rng.integers(1, 3))):
            row = np.zeros(size)
            one, other = rng.choice(m, size=2, replace=False)
            row[one], row[other] = 1.0, -float(rng.integers(1, 5)) / 2
            rows.append(row)
            shares.append(m + k)
    kind = rng.random(size)
    fixed = (kind < 0.35) & (np.arange(size) < m)
    low, high = np.full(size, -np.inf), np.full(size, np.inf)
    some = (kind > 0.35) & (kind < 0.75) & (np.arange(size) < m)
    low[some & (kind < 0.6)] = rng.integers(0, 12, size=int((some & (kind < 0.6)).sum()))
    high[some & (kind >= 0.6)] = rng.integers(0, 9, size=int((some & (kind >= 0.6)).sum()))
    alone = np.full(products, NO_EDGE)
    equations = Equations(
        n_nodes=n,
        tail=np.concatenate([tail, alone]),
        head=np.concatenate([head, alone]),
        relations=sp.csr_array(np.array(rows).reshape(-1, size)),
        right=np.zeros(len(rows)),
        y=rng.integers(1, 20, size=size).astype(float),
        sd=np.zeros(size),
        measured=np.zeros(size, dtype=bool),
        fixed=fixed,
        lower=low,
        upper=high,
        start=np.zeros(size),
    )
    return equations, np.array(shares, dtype=np.int64)


Statement = tuple[str, int]


def statements(equations: Equations, shares: np.ndarray) -> list[Statement]:
    out = [("exact", int(i)) for i in np.flatnonzero(equations.fixed)]
    free = ~equations.fixed
    out += [("low", int(i)) for i in np.flatnonzero(np.isfinite(equations.lower) & free)]
    out += [("high", int(i)) for i in np.flatnonzero(np.isfinite(equations.upper) & free)]
    return out + [("share", int(i)) for i in np.unique(shares)]


def nearest(
    equations: Equations, shares: np.ndarray, kept: list[Statement], near: Statement | None = None
) -> float | None:
    """Return 0, or the possible value of a variable nearest to a statement; None if none is."""
    low, high = np.full(equations.n, -np.inf), np.full(equations.n, np.inf)
    for kind, number in kept:
        if kind in ("exact", "low"):
            low[number] = equations.y[number] if kind == "exact" else equations.lower[number]
        if kind in ("exact", "high"):
            high[number] = equations.y[number] if kind == "exact" else equations.upper[number]
    said = np.isin(shares, [number for kind, number in kept if kind == "share"])
    matrix = equations.matrix.toarray()
    matrix = np.vstack([matrix[: equations.n_nodes], matrix[equations.n_nodes :][said]])
    bounds = np.column_stack([low, high])
    ends = []
    for sign in (1.0, -1.0):
        cost = np.zeros(equations.n)
        if near is not None:
            cost[near[1]] = sign
        found = linprog(cost, A_eq=matrix, b_eq=np.zeros(len(matrix)), bounds=bounds)
        if found.status == 2 or (found.status == 4):
            return None
        ends.append(float(sign * found.fun) if found.status == 0 else -sign * np.inf)
    if near is None:
        return 0.0
    stated = {"exact": equations.y, "low": equations.lower, "high": equations.upper}[near[0]]
    return float(np.clip(stated[near[1]], *ends))


def test_random_statements() -> None:
    sizes = []
    for seed in range(120):
        equations, shares = random_statements(seed)
        every = statements(equations, shares)
        found = clashing(equations, shares)
        clash = list(zip(found.kind.tolist(), found.number.tolist(), strict=True))
        if nearest(equations, shares, every) is not None:
            assert clash == []
            continue
        assert set(clash) <= set(every)
        assert nearest(equations, shares, clash) is None
        for k, one in enumerate(clash):
            rest = [other for other in clash if other != one]
            assert nearest(equations, shares, rest) is not None, "one fewer would do"
            if one[0] != "share":
                wanted = nearest(equations, shares, rest, one)
                assert found.nearest[k] == pytest.approx(wanted, abs=1e-6)
        for fewer in combinations(every, len(clash) - 1):
            assert nearest(equations, shares, list(fewer)) is not None, "a smaller set clashes"
        sizes.append(len(clash))
    assert len(sizes) > 40
    assert set(sizes) >= {2, 3, 4}


def test_the_smallest_clash_is_named_with_how_far_off_it_is() -> None:
    """Four exact values round the Plant clash; so do two beside it, which are fewer."""
    case = Case(
        processes("Plant", "Shop"),
        flows=[
            flow("a", "Mine", "Plant", value=10.0, sd=0.0),
            flow("b", "Mine", "Plant", value=4.0, sd=0.0),
            flow("c", "Plant", "Market", value=3.0, sd=0.0),
            flow("d", "Plant", "Market", max=6.0),
            flow("in", "Mine", "Shop", value=7.0, sd=0.0),
            flow("out", "Shop", "Market", value=5.5, sd=0.0),
        ],
    )
    with pytest.raises(mfa.BalanceError) as caught:
        mfa.reconcile(case.system())
    message = str(caught.value)
    assert "these 2 statements" in message
    assert "flow 'in', Cu, 2018 = 7, the others leave at most 5.5" in message
    assert "flow 'out', Cu, 2018 = 5.5, the others leave at least 7" in message
    alone = Case(case.processes[:1] + case.processes[2:], case.flows[:4])
    with pytest.raises(mfa.BalanceError) as caught:
        mfa.reconcile(alone.system())
    message = str(caught.value)
    assert "these 4 statements" in message
    assert "flow 'd', Cu, 2018 ≤ 6, the others leave at least 11" in message
    assert "flow 'a', Cu, 2018 = 10, the others leave at most 5" in message


def test_an_observation_is_one_statement() -> None:
    """What an observation adds up is no statement of its own beside what it adds up to."""
    case = Case(
        processes(),
        flows=[flow("a", "Mine", "Market", value=2.0, sd=0.0), flow("b", "Mine", "Market")],
        observations=[
            {"observation": "both", "flow": "a", "factor": 1.0, "substance": "Cu", "year": 2018}
            | {"value": 1.5, "sd": 0.0, "relation": "="},
            {"observation": "both", "flow": "b", "factor": 1.0, "substance": "Cu", "year": 2018},
        ],
    )
    with pytest.raises(mfa.BalanceError) as caught:
        mfa.reconcile(case.system())
    message = str(caught.value)
    assert "these 3 statements" in message
    assert "observation 'both', Cu, 2018 = 1.5, the others leave at least 2" in message
    assert "flow 'b', Cu, 2018 ≥ 0, the others leave at most -0.5" in message
