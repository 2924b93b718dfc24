"""Random networks as equations, whose true point closes every balance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from mfa.balance.equations import Equations


def network(
    seed: int, n_nodes: int, n_flows: int, blank: float = 0.0, noise: float = 1.0
) -> Equations:
    """Return flows between random nodes, what each node lacks coming from or going outside.

    Amounts span some orders of magnitude, and so do their sd; a share of the flows is blank, never
    those from and to the outside.
    """
    rng = np.random.default_rng(seed)
    tail = rng.integers(0, n_nodes, n_flows)
    head = (tail + rng.integers(1, n_nodes, n_flows)) % n_nodes
    x = rng.lognormal(1.0, 1.5, n_flows)
    gap = np.bincount(tail, x, n_nodes) - np.bincount(head, x, n_nodes)
    nodes = np.arange(n_nodes)
    tail = np.concatenate([tail, np.where(gap > 0, n_nodes, nodes)])
    head = np.concatenate([head, np.where(gap > 0, nodes, n_nodes)])
    x = np.concatenate([x, np.abs(gap)])
    n = len(x)
    measured = np.concatenate([rng.random(n_flows) >= blank, np.ones(n_nodes, dtype=bool)])
    sd = (x + 0.1) * rng.uniform(0.01, 0.4, n)
    y = x + noise * sd * rng.normal(size=n)
    return Equations(
        n_nodes, tail, head, sp.csr_array((0, n)), np.zeros(0), y, sd,
        measured, np.zeros(n, dtype=bool), np.zeros(n), np.full(n, np.inf), np.zeros(n),
    )  # fmt: skip


def with_relations(equations: Equations, seed: int, count: int) -> Equations:
    """Add exact relations between three flows each, which the data may contradict."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, equations.n))
    for row in rows:
        row[rng.choice(equations.n, 3, replace=False)] = rng.choice([1.0, -0.6, 0.25, 1.1664], 3)
    right = rows @ equations.y
    return replace(equations, relations=sp.csr_array(rows), right=right)
