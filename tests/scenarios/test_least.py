"""The least change of two numbers that reaches a target, against every pair on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfa.scenarios.least import LeastChange

START, SCALE = np.array([0.4, 0.55]), np.array([0.4, 0.55])
LIMITS = [(0.0, 1.0), (0.1, 0.9)]


def search(function, target):
    """Return the point that is found, and the function there."""
    start = float(function(START))
    return LeastChange(lambda v: float(function(v)), START, start, LIMITS, SCALE, target).best()


def cost(point) -> float:
    return float((np.abs(np.asarray(point) - START) / SCALE).sum())


def grid(function, target, n=801):
    """Return the least cost of all points at which a line of the grid crosses the target."""
    a, b = (np.linspace(*limits, n) for limits in LIMITS)
    x, y = np.meshgrid(a, b, indexing="ij")
    off = function(np.array([x, y])) - target
    price = np.abs(x - START[0]) / SCALE[0] + np.abs(y - START[1]) / SCALE[1]
    best = np.inf
    for axis in (0, 1):
        one, two = np.delete(off, -1, axis), np.delete(off, 0, axis)
        costs = np.maximum(np.delete(price, -1, axis), np.delete(price, 0, axis))
        if (one * two <= 0).any():
            best = min(best, float(costs[one * two <= 0].min()))
    return best, off


NUMBERS = st.floats(-1.5, 1.5).map(lambda v: round(v, 2))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.tuples(NUMBERS, NUMBERS, NUMBERS), st.floats(0.1, 2), st.floats(0.05, 0.95))
def test_bilinear_over_linear(numbers, below, height):
    a, b, c = numbers

    def share(v):
        return (a * v[0] + b * v[1] + c * v[0] * v[1]) / (1 + below * v[0])

    _, values = grid(share, 0.0)
    if np.ptp(values) < 0.05:
        return
    target = float(values.min() + height * np.ptp(values))
    expected, _ = grid(share, target)
    search = LeastChange(
        lambda v: float(share(v)), START, float(share(START)), LIMITS, SCALE, target
    )
    point, found = search.best()
    assert found == pytest.approx(target, abs=1e-6)
    assert cost(point) <= expected + 1e-3
    assert all(
        low - 1e-12 <= v <= high + 1e-12 for v, (low, high) in zip(point, LIMITS, strict=True)
    )


def hill(v):
    """Highest inside, at (0.7, 0.35): neither limit of either number is best."""
    return 1 - 1.5 * np.abs(v[0] - 0.7) - (v[1] - 0.35) ** 2


@pytest.mark.parametrize("target", [0.7, 0.9, 0.98])
def test_a_hill_whose_top_lies_inside(target):
    expected, _ = grid(hill, target)
    point, found = search(hill, target)
    assert found == pytest.approx(target, abs=1e-6)
    assert cost(point) <= expected + 2e-3
    far = np.array([1.0, 0.1])  # the way that helps, to its end
    assert hill(far) < target


def test_a_hill_that_is_too_low():
    point, found = search(hill, 1.2)
    assert found == pytest.approx(1.0, abs=1e-4)
    assert point == pytest.approx([0.7, 0.35], abs=2e-2)


def test_a_number_that_does_nothing_stays():
    point, _ = search(lambda v: v[0] ** 2, 0.25)
    assert point == pytest.approx([0.5, 0.55], abs=1e-7)
