"""The search for a target along one number, against grids a hundred times as fine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfa.scenarios.scan import FINEST, WIDEST, Scan


def brute(function, low, high, start, target, n=20001):
    """Return the crossing nearest to the start on a dense grid, None if there is none."""
    values = np.union1d(np.linspace(low, high, n), [start])
    off = np.array([function(float(v)) for v in values]) - target
    signs = off[:-1] * off[1:] <= 0
    if not signs.any():
        return None
    a, b = values[:-1][signs], values[1:][signs]
    with np.errstate(invalid="ignore", divide="ignore"):
        roots = a - off[:-1][signs] * (b - a) / (off[1:][signs] - off[:-1][signs])
    roots = np.where(np.isfinite(roots), roots, a)
    return float(roots[np.argmin(np.abs(roots - start))])


# ratios of quadratics without poles on [0, 1]: what a share does through a stock and two loops
NUMBERS = st.floats(-2, 2).map(lambda v: round(v, 3))
SMOOTH = st.tuples(NUMBERS, NUMBERS, NUMBERS, st.floats(0.05, 3).map(lambda v: round(v, 3)))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(SMOOTH, st.floats(0, 1), st.floats(0.02, 0.98))
def test_smooth_curves(numbers, start, height):
    a, b, c, d = numbers

    def curve(v: float) -> float:
        return (a + b * v + c * v * v) / (1 + d * v + 0.5 * v * v)

    ends = [curve(float(v)) for v in np.linspace(0, 1, 501)]
    target = min(ends) + height * (max(ends) - min(ends))
    if max(ends) - min(ends) < 1e-6:
        return
    expected = brute(curve, 0, 1, start, target)
    scan = Scan(curve, (0.0, 1.0), start, target)
    found, value = scan.nearest()
    assert value == pytest.approx(target, abs=1e-9)
    assert abs(found - start) <= abs(expected - start) + 1e-4
    assert len(scan.tried) < 120


@pytest.mark.parametrize("width", [0.3, 0.1, 0.03, 2.5 * FINEST])
@pytest.mark.parametrize("middle", [0.13, 0.437, 0.71])
@pytest.mark.parametrize("start", [0.0, 0.31, 1.0])
def test_tents_are_crossed_twice(width, middle, start):
    """A kink, as where a capacity begins to hold: the target is reached on both of its sides."""

    def tent(v: float) -> float:
        return 1 - 2 * abs(v - middle)

    target = 1 - width  # reached at middle ± width/2
    found, value = Scan(tent, (0.0, 1.0), start, target).nearest()
    roots = [middle - width / 2, middle + width / 2]
    assert value == pytest.approx(target, abs=1e-9)
    inside = [v for v in roots if 0 <= v <= 1]
    assert found == pytest.approx(min(inside, key=lambda v: abs(v - start)), abs=1e-9)


def test_the_top_of_a_tent_that_stays_below():
    found, value = Scan(lambda v: 1 - 2 * abs(v - 0.437), (0.0, 1.0), 0.2, 1.5).nearest()
    assert found == pytest.approx(0.437, abs=1e-6)
    assert value == pytest.approx(1.0, abs=1e-6)


def test_three_crossings_within_an_interval_of_the_grid():
    """The nearest is taken, not the one a bisection would fall on."""

    def wave(v: float) -> float:
        return v + 0.08 * np.sin(2 * np.pi * v / 0.1)

    for start in (0.0, 0.5, 1.0):
        expected = brute(wave, 0, 1, start, 0.57)
        found, _ = Scan(wave, (0.0, 1.0), start, 0.57).nearest()
        assert found == pytest.approx(expected, abs=1e-4)


def test_what_is_not_defined_at_a_limit():
    def ratio(v: float) -> float:
        return 0.2 if v > 0 else np.nan

    found, value = Scan(ratio, (0.0, 1.0), 0.5, 0.4).nearest()
    assert value == pytest.approx(0.2)
    assert found == 0.5


def test_a_spike_narrower_than_it_looks_is_not_seen():
    """What the docs admit: no search sees everything; here is what it does not see."""

    def spike(v: float) -> float:
        return 1.0 if abs(v - 0.3333) < FINEST / 10 else 0.1

    scan = Scan(spike, (0.0, 1.0), 0.5, 0.8)
    assert scan.nearest() == (0.5, 0.1)
    assert FINEST < np.diff(sorted(scan.tried)).max() <= WIDEST
