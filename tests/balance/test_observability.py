"""Why numbers are unknown and what checks them: graph rules and elimination against dense algebra.

With N an orthonormal basis of the null vectors of A_U, P = N Nᵀ: a variable is undetermined if its
entry on the diagonal is not 0, tangled with those that chains of entries of P lead to, and one
measurement frees two variables together if their rows are parallel, P_ij² = P_ii P_jj.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

import mfa
from mfa.balance.circuits import two_connected
from mfa.balance.equations import NO_EDGE, Equations
from mfa.balance.network import spanning_forest
from mfa.balance.observability import checked_by, checks, nodal_tests, tangles
from mfa.balance.structure import Structure, structure

from .cases import Case, Wishes, flow, processes, random_case
from .goods import random_goods

SYSTEMS = range(300)
CASES = range(24)


def random_equations(seed: int) -> Equations:
    """Return balances with loops, parallel edges and islands; in two of three, relations, too."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 9)), int(rng.integers(1, 22))
    alone = int(rng.integers(0, 4)) * (seed % 3 != 0)
    tail, head = rng.integers(0, n + 1, size=(2, m))
    size = m + alone
    rows = int(rng.integers(1, 5)) if seed % 3 else 0
    relations = np.zeros((rows, size))
    for row in relations:
        some = rng.choice(size, size=min(size, int(rng.integers(1, 5))), replace=False)
        row[some] = rng.choice([1.0, -0.37, 2.3, 1000.0, -1.0], size=len(some))
    kind = rng.random(size)
    truth = rng.uniform(1.0, 9.0, size=size)
    return Equations(
        n_nodes=n,
        tail=np.concatenate([tail, np.full(alone, NO_EDGE)]),
        head=np.concatenate([head, np.full(alone, NO_EDGE)]),
        relations=sp.csr_array(relations),
        right=relations @ truth,
        y=truth + rng.normal(size=size),
        sd=rng.uniform(0.1, 2.0, size=size),
        measured=kind < 0.35,
        fixed=kind > 0.93,
        lower=np.full(size, -np.inf),
        upper=np.full(size, np.inf),
        start=np.zeros(size),
    )


@cache
def layout_of(seed: int) -> Structure:
    return structure(random_equations(seed))


@cache
def balance_of(seed: int) -> mfa.Balance:
    if seed < 0:
        return mfa.reconcile(random_goods(-seed)[0].system())
    return mfa.reconcile(random_case(seed, Wishes(blank=0.55, stocks=seed % 2 == 0)).system())


def dense(matrix: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the null space, in columns scaled so that none is small."""
    row, column = np.ones(matrix.shape[0]), np.ones(matrix.shape[1])
    for _ in range(8):
        for axis, factor in ((1, row), (0, column)):
            largest = np.abs(row[:, None] * matrix * column).max(axis=axis, initial=0.0)
            factor /= np.sqrt(np.where(largest > 0, largest, 1.0))
    _, size, right = np.linalg.svd(row[:, None] * matrix * column, full_matrices=True)
    return right[int((size > 1e-8 * max(size.max(initial=0.0), 1e-300)).sum()) :].T


def unmeasured(layout: Structure) -> np.ndarray:
    return np.flatnonzero(~(layout.fixed | layout.equations.measured))


def agree(layout: Structure) -> int:
    """Compare with dense algebra; return the number of undetermined variables."""
    found, free = tangles(layout), unmeasured(layout)
    null = dense(layout.equations.matrix.toarray()[:, free])
    projector = null @ null.T
    loose = np.diag(projector) > 1e-12
    assert free[loose].tolist() == found.members.tolist()
    projector = projector[np.ix_(loose, loose)]
    size = np.sqrt(np.outer(np.diag(projector), np.diag(projector)))
    groups = nx.from_numpy_array((np.abs(projector) > 1e-9 * size).astype(int))
    parts = [sorted(part) for part in nx.connected_components(groups)]
    assert len(parts) == len(found.dimension)
    for part in parts:
        assert np.flatnonzero(found.tangle == found.tangle[part[0]]).tolist() == part
        dimension = np.trace(projector[np.ix_(part, part)])
        assert found.dimension[found.tangle[part[0]]] == round(dimension)
    parallel = projector**2 > (1.0 - 1e-9) * size**2
    assert (parallel == (found.series[:, None] == found.series)).all()
    return len(found.members)


def test_random_equations_agree_with_dense_algebra() -> None:
    seen = [agree(layout_of(seed)) for seed in SYSTEMS]
    assert sum(count > 5 for count in seen) > 50
    assert any(count == 0 for count in seen)


@pytest.mark.parametrize("seed", [*CASES, *range(-8, -2)])
def test_systems_agree_with_dense_algebra(seed: int) -> None:
    agree(balance_of(seed).bounded.classified)


def test_a_measurement_frees_what_is_said() -> None:
    """Each undetermined variable in turn is measured, and everything classified anew."""
    seen = 0
    for seed in range(0, 300, 6):
        layout = layout_of(seed)
        found, equations = tangles(layout), layout.equations
        for k, number in enumerate(found.members):
            measured = equations.measured.copy()
            measured[number] = True
            again = structure(replace(equations, measured=measured))
            freed = found.members[(again.determined | measured)[found.members]]
            assert freed.tolist() == found.members[found.series == found.series[k]].tolist()
            assert len(freed) == found.frees[k]
            seen += len(freed) > 1
    assert seen > 50


@pytest.mark.parametrize("seed", range(60))
def test_edges_on_common_cycles(seed: int) -> None:
    """Against networkx's biconnected components; of parallel edges and loops by hand."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 30))
    tail, head = rng.integers(0, n, size=(2, int(rng.integers(1, 45))))
    found = two_connected(spanning_forest(n, tail, head, n - 1), tail, head)
    ends = [frozenset(pair) for pair in zip(tail.tolist(), head.tolist(), strict=True)]
    graph = nx.Graph([tuple(pair) for pair in ends if len(pair) == 2])
    block = {
        frozenset(edge): k
        for k, edges in enumerate(nx.biconnected_component_edges(graph))
        for edge in edges
    }
    for i, one in enumerate(ends):
        for j, other in enumerate(ends):
            same = i == j or (len(one) == 2 == len(other) and block[one] == block[other])
            assert (found[i] == found[j]) == same


@pytest.mark.parametrize("seed", [*range(0, 300, 3), *range(1, 300, 7)])
def test_checks(seed: int) -> None:
    """They hold no unmeasured variable, no equation too many, and every redundant datum."""
    layout = layout_of(seed)
    found, matrix = checks(layout), layout.equations.matrix.toarray()
    rows, free = found.rows.toarray(), unmeasured(layout)
    largest = np.abs(rows) @ np.abs(matrix)
    assert (np.abs(rows @ matrix)[:, free] <= 1e-9 * largest[:, free] + 1e-12).all()
    for row in rows:
        some = np.flatnonzero(row)
        block = matrix[np.ix_(some, free)]
        assert dense(block.T).shape[1] == 1, "fewer of these equations would do"
    parts = checked_by(found)
    redundant = [k for k, own in enumerate(parts) if len(own)]
    assert redundant == np.flatnonzero(layout.redundant[layout.data]).tolist()
    for k in redundant:
        assert (np.abs((rows @ matrix)[parts[k], layout.data[k]]) > 1e-9).all()
        assert len(parts[k]) <= 2


@pytest.mark.parametrize("seed", range(0, 300, 4))
def test_nodal_tests(seed: int) -> None:
    """Of graphs alone: merge what unmeasured edges join, then add up the data by hand."""
    layout = layout_of(seed)
    equations = layout.equations
    found = nodal_tests(layout, checks(layout))
    merged = nx.Graph()
    merged.add_nodes_from(range(equations.n_nodes + 1))
    blocked = {equations.n_nodes}
    for number in unmeasured(layout):
        if not equations.is_edge[number]:
            continue
        tail, head = int(equations.tail[number]), int(equations.head[number])
        if number in layout.plain:
            merged.add_edge(tail, head)
        elif tail != head:
            blocked |= {tail, head}
    for part in nx.connected_components(merged):
        if part & blocked:
            continue
        total, variance = 0.0, 0.0
        for number in np.flatnonzero(equations.is_edge & (equations.measured | layout.fixed)):
            sign = (int(equations.head[number]) in part) - (int(equations.tail[number]) in part)
            total += sign * equations.y[number]
            variance += abs(sign) * equations.sd[number] ** 2 * equations.measured[number]
        for node in part:
            assert found.imbalance[node] == pytest.approx(total, abs=1e-12)
            assert found.sd[node] == pytest.approx(np.sqrt(variance), abs=1e-12)


@pytest.mark.parametrize("seed", [*range(1, 300, 9), *range(2, 300, 9)])
def test_nodal_tests_with_relations(seed: int) -> None:
    """The one combination of the equations named without anything unmeasured, by least squares."""
    layout = layout_of(seed)
    equations, found = layout.equations, checks(layout)
    matrix, free = equations.matrix.toarray(), unmeasured(layout)
    nodal = nodal_tests(layout, found)
    right = np.concatenate([np.zeros(equations.n_nodes), equations.right])
    known = np.where(equations.measured | equations.fixed, equations.y, 0.0)
    for node in np.flatnonzero(nodal.row >= 0):
        some = np.flatnonzero(found.rows.toarray()[nodal.row[node]])
        others = some[some != node]
        weights = np.linalg.lstsq(matrix[np.ix_(others, free)].T, -matrix[node, free], rcond=None)
        combined = matrix[node] + weights[0] @ matrix[others]
        total = combined @ known - right[node] - weights[0] @ right[others]
        sd = np.sqrt(((combined * equations.sd)[equations.measured] ** 2).sum())
        assert nodal.imbalance[node] == pytest.approx(total, rel=1e-7, abs=1e-7)
        assert nodal.sd[node] == pytest.approx(sd, rel=1e-7, abs=1e-7)


BY_HAND = Case(
    processes("Plant", "Shop", "Shed", "Yard", stocks=("Shop",)),
    flows=[
        # Plant and Shop: what goes from one to the other is unmeasured, so only both are checked.
        flow("ore", "Mine", "Plant", value=100.0, sd=3.0),
        flow("metal", "Plant", "Shop"),
        flow("goods", "Shop", "Market", value=88.0, sd=4.0),
        # Shed and Yard: heap leaves for the Market by the Yard, or straight.
        flow("heap", "Mine", "Shed", value=10.0, sd=1.0),
        flow("moved", "Shed", "Yard"),
        flow("sold", "Yard", "Market"),
        flow("left", "Shed", "Market"),
    ],
    stocks=[
        {"process": "Shop", "substance": "Cu", "year": 2018, "quantity": "change"}
        | {"value": 2.0, "sd": 0.0},
    ],
)


def test_by_hand() -> None:
    balance = mfa.reconcile(BY_HAND.system())
    rows = balance.observability.set_index("item")
    assert (rows.loc[["moved", "sold", "left"], "status"] == "undetermined").all()
    for name in ("moved", "sold", "left"):
        assert rows.at[name, "tangled_with"] == ("moved", "sold", "left")
        assert rows.at[name, "checked_by"] == ()
    assert rows.at["moved", "freed_by"] == rows.at["left", "freed_by"] == ("moved", "sold", "left")
    assert rows.at["ore", "checked_by"] == ("Plant + Shop",)
    assert rows.at["ore", "freed_by"] == ()
    levels = rows[rows["kind"] == "level"]
    assert levels["freed_by"].tolist() == [("Shop level 2017", "Shop level")] * 2
    assert balance.tangles[["numbers", "measurements", "best", "frees"]].to_numpy().tolist() == [
        [3, 1, "moved", 3],
        [2, 1, "Shop level 2017", 2],
    ]
    nodal = balance.processes.set_index("process")
    assert nodal.loc["Plant", "imbalance"] == pytest.approx(100.0 - 88.0 - 2.0)
    assert nodal.loc["Shop", "nodal_z"] == pytest.approx(10.0 / 5.0)
    assert nodal.loc["Shop", "nodal_p"] == pytest.approx(0.0455003)
    assert nodal["merged_with"].to_dict() == {
        "Plant": "Shop",
        "Shop": "Plant",
        "Shed": "",
        "Yard": "",
    }
    assert np.isnan(nodal.loc["Shed", "nodal_z"])
    assert balance.why(["left", "ore", "metal"])["item"].tolist() == ["left", "ore"]


def test_labels_name_the_quantities_they_show() -> None:
    for seed in CASES[:8]:
        balance = balance_of(seed)
        table = balance.observability
        by_status = table.set_index("status")
        for status, column in (("reconciled", "checked_by"), ("undetermined", "freed_by")):
            named = by_status[column].map(len) > 0
            assert (named == (by_status.index == status)).all()
        for column in ("tangled_with", "freed_by"):
            for number, row in table.iterrows():
                if row["status"] == "undetermined":
                    some = balance.why(row[column])
                    assert number in table.index[table["tangle"] == row["tangle"]]
                    assert (some["tangle"] == row["tangle"]).all()
                    assert len(some) == len(row[column])


def test_nothing_unknown_and_nothing_checked() -> None:
    known = flow("ore", "Mine", "Market", value=3.0, sd=0.5)
    balance = mfa.reconcile(Case(processes(), [known]).system())
    assert balance.observability.empty
    assert balance.tangles.empty
    assert balance.why(["ore"]).empty
    assert balance.processes.empty
    checked = Case(processes("Plant"), [known | {"to": "Plant"}, flow("metal", "Plant", "Market")])
    assert mfa.reconcile(checked.system()).observability.empty
    assert mfa.reconcile(checked.system()).processes["nodal_z"].isna().all()
