"""Bounds on networks with gaps: room for what is undetermined, and the bounds that hold."""

from __future__ import annotations

from dataclasses import replace

import clarabel
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from mfa.balance.bounds import bounded_estimate, misfit, tolerances
from mfa.balance.equations import Equations
from mfa.balance.room import no_room
from mfa.balance.solve import estimate
from mfa.balance.structure import structure

from .networks import network

SEEDS = range(40)


def gaps(seed: int, blank: float = 0.4) -> Equations:
    """Return a network in which gaps and noise are large: some flows of which may not exceed 5."""
    rng = np.random.default_rng(seed + 1000)
    equations = network(seed, 12, 40, blank, noise=2.0)
    upper = np.where(rng.random(equations.n) < 0.15, 5.0, np.inf)
    lower = np.where(rng.random(equations.n) < 0.1, -np.inf, 0.0)
    return replace(equations, lower=lower, upper=upper)


def has_room(equations: Equations, undetermined: np.ndarray, x: np.ndarray) -> bool:
    """Say by a plain linear programme whether undetermined flows can keep their bounds."""
    left = equations.constants(~undetermined, x)
    columns = equations.matrix[:, np.flatnonzero(undetermined)]
    used = np.flatnonzero(np.diff(sp.csr_array(columns).indptr))
    bounds = np.column_stack([equations.lower, equations.upper])[undetermined]
    found = linprog(
        np.zeros(columns.shape[1]), A_eq=sp.csr_array(columns)[used], b_eq=left[used], bounds=bounds
    )
    return found.status == 0


def loose(equations: Equations) -> tuple[np.ndarray, np.ndarray]:
    """Return what is undetermined without bounds, and a point."""
    found = structure(equations)
    point = estimate(found, equations.y).x
    return ~(found.fixed | equations.measured | found.determined), point


def test_room_as_a_plain_programme_says() -> None:
    outcomes = set()
    for seed in range(200):
        equations = gaps(seed)
        undetermined, x = loose(equations)
        cramped = no_room(equations, undetermined, x, tolerances(equations, x))
        assert not cramped[~undetermined].any()
        assert np.all((cramped != -1) | np.isfinite(equations.lower))
        assert np.all((cramped != 1) | np.isfinite(equations.upper))
        if undetermined.any():
            outcomes.add(has_room(equations, undetermined, x))
            assert cramped.any() != has_room(equations, undetermined, x)
    assert outcomes == {True, False}


def by_interior_point(equations: Equations) -> np.ndarray:
    """Return the bounded estimate of a network by Clarabel alone."""
    n = equations.n
    weight = np.where(equations.measured, 1.0 / equations.sd**2, 0.0)
    unit = sp.eye_array(n, format="csr")
    below, above = np.isfinite(equations.lower), np.isfinite(equations.upper)
    rows = sp.vstack([equations.matrix, -unit[below], unit[above]])
    right = np.concatenate(
        [np.zeros(equations.n_nodes), -equations.lower[below], equations.upper[above]]
    )
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
    cones = [
        clarabel.ZeroConeT(equations.n_nodes),
        clarabel.NonnegativeConeT(int(below.sum() + above.sum())),
    ]
    linear = -weight * np.where(equations.measured, equations.y, 0.0)
    solver = clarabel.DefaultSolver(
        sp.csc_matrix(sp.diags(weight)), linear, sp.csc_matrix(rows), right, cones, settings
    )
    return np.asarray(solver.solve().x)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_as_an_interior_point_says(seed: int) -> None:
    equations = gaps(seed, blank=0.25)
    found = bounded_estimate(equations)
    x = found.estimate.x
    best = by_interior_point(equations)
    assert misfit(equations, x) == pytest.approx(misfit(equations, best), rel=1e-6, abs=1e-6)
    size = np.abs(equations.matrix) @ np.abs(x)
    assert np.all(np.abs(equations.matrix @ x) <= 1e-9 * size + 1e-12)
    data = equations.measured
    assert np.abs(x - best)[data].max() <= 1e-3 * np.abs(best).max()
    slack = tolerances(equations, x)
    assert np.all(x[data] >= equations.lower[data] - slack[data])
    assert np.all(x[data] <= equations.upper[data] + slack[data])


def test_some_bounds_hold_and_many_do_not() -> None:
    """The networks above are worth the search: bounds hold data and gaps, below and above."""
    held = [
        (gaps(seed, blank=0.25), bounded_estimate(gaps(seed, blank=0.25)).held) for seed in SEEDS
    ]
    of_data = sum(int((h[e.measured] != 0).sum()) for e, h in held)
    of_gaps = sum(int((h[~e.measured] != 0).sum()) for e, h in held)
    above = sum(int((h > 0).sum()) for _, h in held)
    assert min(of_data, of_gaps, above) > 20
    assert sum(e.n for e, _ in held) > 3 * (of_data + of_gaps)


def side_by_side(parts: list[Equations]) -> Equations:
    """Put networks beside each other, with nothing but the outside in common."""
    total = sum(one.n_nodes for one in parts)
    offsets = np.cumsum([0, *(one.n_nodes for one in parts)])
    ends = [
        [np.where(end == one.n_nodes, total, end + offset) for end in (one.tail, one.head)]
        for one, offset in zip(parts, offsets, strict=False)
    ]
    tail, head = (np.concatenate(end) for end in zip(*ends, strict=True))
    names = ("y", "sd", "measured", "fixed", "lower", "upper", "start")
    data = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
    n = len(tail)
    return Equations(total, tail, head, sp.csr_array((0, n)), np.zeros(0), **data)


def test_large_networks_of_several_parts() -> None:
    """Some parts settle soon and drop out, and the others go on as if they were alone."""
    parts = [network(seed, 500, 2000, 0.02 + 0.07 * seed, 2.0) for seed in range(4)]
    whole = side_by_side(parts)
    assert whole.parts.max() == len(parts) - 1
    assert whole.n > 5000  # estimated roughly until the bounds that hold are known
    found = bounded_estimate(whole)
    x = found.estimate.x
    alone = [bounded_estimate(one) for one in parts]
    best = sum(misfit(one, by_interior_point(one)) for one in parts)
    assert misfit(whole, x) == pytest.approx(best, rel=1e-6)
    data = whole.measured
    apart = np.concatenate([one.estimate.x for one in alone])
    assert np.abs(x - apart)[data].max() <= 1e-7 * np.abs(apart).max()
    size = np.abs(whole.matrix) @ np.abs(x)
    assert np.all(np.abs(whole.matrix @ x) <= 1e-12 * size)
    held = np.concatenate([one.held for one in alone])
    np.testing.assert_array_equal(found.held[data], held[data])


def test_whole_parts_are_taken_out() -> None:
    parts = [network(seed, 6 + seed, 40, 0.3, 1.0) for seed in range(3)]
    whole = side_by_side(parts)
    labels = whole.parts
    for number, one in enumerate(parts):
        taken = whole.restricted(labels == labels[sum(p.n for p in parts[:number])])
        np.testing.assert_array_equal(taken.matrix.toarray(), one.matrix.toarray())
        for name in ("y", "sd", "measured", "lower", "upper"):
            np.testing.assert_array_equal(getattr(taken, name), getattr(one, name))
