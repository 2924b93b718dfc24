"""Bounds of large parts: from a point inside all of them, as from exchanges and from Clarabel."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from mfa.balance import bounds
from mfa.balance.bounds import bounded_estimate, misfit
from mfa.balance.equations import Equations
from mfa.balance.interior import inside
from mfa.balance.network import spanning_forest

from .networks import network, with_relations

SEEDS = range(24)


def bounded_network(seed: int) -> Equations:
    """Return a network with a third of it blank, limits above and below, exact and fixed data."""
    rng = np.random.default_rng([seed, 7])
    equations = network(seed, n_nodes=40, n_flows=260, blank=0.35, noise=2.5)
    n = equations.n
    blank = ~equations.measured
    equations = replace(
        equations,
        upper=np.where(blank & (rng.random(n) < 0.3), rng.uniform(1.0, 6.0, n), np.inf),
        lower=np.where(blank & (rng.random(n) < 0.1), -np.inf, 0.0),
    )
    exact = blank & (rng.random(n) < 0.05)
    values = np.where(exact, np.minimum(equations.upper, 0.7), equations.y)
    closed = blank & ~exact & (rng.random(n) < 0.03)  # no room between its limits
    limit = np.where(closed, 0.4, equations.lower)
    return replace(
        equations,
        y=values,
        fixed=exact,
        lower=limit,
        upper=np.where(closed, limit, equations.upper),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_point_lies_near_the_estimate(seed: int) -> None:
    equations = bounded_network(seed)
    wanted = bounded_estimate(equations)
    found = inside(equations)
    assert found is not None
    free = equations.upper > equations.lower
    assert (found.x[free] >= equations.lower[free]).all()
    assert (found.x[free] <= equations.upper[free]).all()
    least = misfit(equations, wanted.estimate.x)
    assert least > 20
    assert misfit(equations, found.x) == pytest.approx(least, rel=1e-4)
    data = equations.measured
    off = np.abs(found.x - wanted.estimate.x)[data] / equations.sd[data]
    assert off.max() < 1e-2


@pytest.mark.parametrize("seed", SEEDS)
def test_large_parts_end_where_exchanges_do(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    equations = bounded_network(seed)
    wanted = bounded_estimate(equations)
    monkeypatch.setattr(bounds, "_LARGE", 10)
    found = bounded_estimate(equations)
    data = equations.measured
    off = np.abs(found.estimate.x - wanted.estimate.x)[data] / equations.sd[data]
    assert off.max() < 1e-7
    x = found.estimate.x
    slack = bounds.tolerances(equations, x)
    closed = np.abs(equations.matrix @ x) <= 1e-9 * (equations.sizes @ np.abs(x))
    assert closed.all()
    determined = data | found.estimate.structure.determined
    assert (x >= equations.lower - slack)[determined].all()
    assert (x <= equations.upper + slack)[determined].all()


def test_they_are_looked_for_in_large_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would compare exchanges with exchanges."""
    seen = []

    def watched(equations: Equations) -> object:
        found = inside(equations)
        seen.append(found)
        return found

    monkeypatch.setattr(bounds, "_LARGE", 10)
    monkeypatch.setattr(bounds, "inside", watched)
    settled_at = [np.count_nonzero(bounded_estimate(bounded_network(k)).held) for k in SEEDS]
    assert sum(one is not None for one in seen) > 20
    assert sum(count > 3 for count in settled_at) > 20


def test_not_for_relations_nor_where_factors_fill_up() -> None:
    equations = network(5, n_nodes=30, n_flows=90, blank=0.3)
    assert inside(with_relations(equations, 5, 2)) is None
    assert inside(network(2, n_nodes=400, n_flows=4_000, blank=0.9)) is None
    assert inside(network(2, n_nodes=400, n_flows=4_000, blank=0.05)) is not None


@pytest.mark.parametrize("seed", range(6))
def test_forest_of_the_largest_edges(seed: int) -> None:
    """No edge outside the trees is larger than any on the way between its ends."""
    rng = np.random.default_rng(seed)
    tail, head = rng.integers(0, 12, (2, 40))
    size = rng.lognormal(size=40)
    forest = spanning_forest(12, tail, head, 0, size)
    trees = nx.Graph()
    for edge in forest.tree.tolist():
        trees.add_edge(int(tail[edge]), int(head[edge]), size=size[edge])
    for edge in np.flatnonzero(~forest.is_tree & (tail != head)).tolist():
        way = nx.shortest_path(trees, int(tail[edge]), int(head[edge]))
        assert min(trees.edges[pair]["size"] for pair in pairwise(way)) >= size[edge]
