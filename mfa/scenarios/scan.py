"""Where a function of one number reaches a target, nearest to where it stands.

Values of its range are tried on a grid, from where it stands outwards, and between two of them as
long as the function bends enough there to reach the target in between. That is a search, no proof:
a spike between two neighbours tried, ``WIDEST`` of the range apart at most, is not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq, minimize_scalar

_POINTS = 9
_HALVINGS = 3
WIDEST = 1 / (2 * (_POINTS - 1))
FINEST = WIDEST / 2**_HALVINGS
_SAFELY = 4.0  # the bend at half an interval, and how much more there may be elsewhere in it
_STRAIGHT = 8.0

Bracket = tuple[float, float]


class Scan:
    """A function of one number, and what was tried of it.

    Parameters
    ----------
    function : callable
    limits : tuple of float
    start : float
        Where the number stands.
    target : float

    Attributes
    ----------
    tried : dict of float to float
        Values of the function.

    Examples
    --------
    >>> scan = Scan(lambda v: v * (1 - v), (0.0, 1.0), 0.9, 0.16)
    >>> found, value = scan.nearest()
    >>> round(found, 9), round(value, 9)
    (0.8, 0.16)
    >>> found, value = Scan(lambda v: v * (1 - v), (0.0, 1.0), 0.9, 0.3).nearest()
    >>> round(found, 6), round(value, 9)
    (0.5, 0.25)
    """

    def __init__(
        self, function: Callable[[float], float], limits: Bracket, start: float, target: float
    ) -> None:
        self._function, self.limits, self.start, self.target = function, limits, start, target
        self.tried: dict[float, float] = {}

    def at(self, value: float) -> float:
        """Return the function at a value, worked out once."""
        if value not in self.tried:
            self.tried[value] = self._function(value)
        return self.tried[value]

    def off(self, value: float) -> float:
        """Return by how much the function lies above the target."""
        return self.at(value) - self.target

    def nearest(self) -> tuple[float, float]:
        """Return the value nearest to the start at the target, or that gets nearest to it."""
        found = self.bracket()
        if found is None:
            best, found = self._best()
            if found is None:
                return best, self.at(best)
        root = float(brentq(self.off, *found, xtol=1e-13, rtol=1e-12))
        return root, self.at(root)

    def bracket(self) -> Bracket | None:
        """Return two values with the target between them, nearest to the start; None if none is."""
        grid = np.linspace(*self.limits, _POINTS)
        pairs = list(pairwise(sorted({*map(float, grid), float(self.start)})))
        best: Bracket | None = None
        for pair in sorted(pairs, key=self._distance):
            if best is not None and self._distance(pair) >= self._reach(best):
                break
            found = self._within(*pair, _HALVINGS)
            if found and (best is None or self._reach(found) < self._reach(best)):
                best = found
        return best

    def _distance(self, pair: Bracket) -> float:
        return min(abs(value - self.start) for value in pair)

    def _reach(self, pair: Bracket) -> float:
        return max(abs(value - self.start) for value in pair)

    def _within(self, low: float, high: float, halvings: int) -> Bracket | None:
        """Return the nearest pair with the target between them within an interval."""
        middle = 0.5 * (low + high)
        below, here, above = self.off(low), self.off(middle), self.off(high)
        bend = abs(here - 0.5 * (below + above))
        crossed = below * above <= 0
        if crossed and bend <= abs(above - below) / _STRAIGHT:
            return low, high
        least = min(abs(below), abs(here), abs(above))
        if not crossed and here * below > 0 and least > _SAFELY * bend:
            return None
        halves = sorted([(low, middle), (middle, high)], key=self._distance)
        for pair in halves:
            if halvings:
                found = self._within(*pair, halvings - 1)
                if found:
                    return found
            elif self.off(pair[0]) * self.off(pair[1]) <= 0:
                return pair
        return None

    def _best(self) -> tuple[float, Bracket | None]:
        """Return what gets nearest to the target, and a bracket if its surroundings cross it."""
        order = sorted(v for v in self.tried if not np.isnan(self.tried[v]))  # 0 ÷ 0 at some limit
        best = min(order, key=lambda v: (abs(self.off(v)), abs(v - self.start)))
        at = order.index(best)
        if not 0 < at < len(order) - 1:
            return best, None
        side = np.sign(self.off(best))
        fine = minimize_scalar(
            lambda v: side * self.off(float(v)),
            bounds=(order[at - 1], order[at + 1]),
            method="bounded",
            options={"xatol": 1e-7 * (order[-1] - order[0])},
        )
        value = float(fine.x)
        if fine.fun < 0:
            ends = sorted([order[at - 1], order[at + 1]], key=lambda v: abs(v - self.start))
            return value, (min(ends[0], value), max(ends[0], value))
        return (value if fine.fun < abs(self.off(best)) * (1 - 1e-9) else best), None
