"""The least change of several numbers with which a function of them reaches a target.

Each number is tried alone, then all together, each the way that helps, and where none reaches the
target alone, one after the other. From every point that reaches it, the least Σ |change| ÷ scale is
sought along the target. That finds the least change near these points; a smaller one elsewhere is
not ruled out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from mfa.balance.network import Floats
from mfa.scenarios.scan import Scan

CLOSE = 1e-7
_STEP = 1e-6
_ROUNDS = 4
_STEPS = 12


class LeastChange:
    """A function of several numbers, where they stand and how far they can go.

    Parameters
    ----------
    function : callable
    start : array
    value : float
        The function there.
    limits : sequence of tuple of float
    scale : array
        What changes are relative to.
    target : float

    Examples
    --------
    >>> import numpy as np
    >>> search = LeastChange(
    ...     lambda v: float(v[0] * v[1]), np.array([0.5, 0.4]), 0.2, [(0, 1), (0, 1)],
    ...     np.array([0.5, 0.4]), 0.24,
    ... )
    >>> values, found = search.best()  # both by √1.2 − 1
    >>> round(float(np.abs(values / [0.5, 0.4] - 1).sum()), 6), round(found, 9)
    (0.19089, 0.24)
    """

    def __init__(
        self,
        function: Callable[[Floats], float],
        start: Floats,
        value: float,
        limits: Sequence[tuple[float, float]],
        scale: Floats,
        target: float,
    ) -> None:
        self._function, self._start, self._value = function, start, value
        self._limits, self._scale, self._target = limits, scale, target

    def best(self) -> tuple[Floats, float]:
        """Return the least change that reaches the target, or else what gets nearest to it."""
        points = [self._along(k, self._start, self._value) for k in range(len(self._start))]
        together = self._on_line(self._start + self._room(points))
        if not any(self._reaches(value) for _, value in points):
            points.append(self._climb(*min(points, key=self._off)))
        points.append(together)
        reached = [point for point, value in points if self._reaches(value)]
        if not reached:
            return min(points, key=self._off)
        found = [self._least(point) for point in reached]
        best = min(found, key=self._cost)
        return best, self._function(best)

    def _off(self, found: tuple[Floats, float]) -> float:
        return abs(found[1] - self._target)

    def _reaches(self, value: float) -> bool:
        return abs(value - self._target) <= CLOSE * max(1.0, abs(self._target))

    def _cost(self, point: Floats) -> float:
        return float((np.abs(point - self._start) / self._scale).sum())

    def _along(self, k: int, point: Floats, value: float) -> tuple[Floats, float]:
        """Return the point at the target, or nearest to it, along one number."""

        def moved(to: float) -> Floats:
            return np.where(np.arange(len(point)) == k, to, point)

        scan = Scan(
            lambda to: self._function(moved(to)), self._limits[k], float(point[k]), self._target
        )
        scan.tried[float(point[k])] = value
        to, found = scan.nearest()
        return moved(to), found

    def _room(self, alone: list[tuple[Floats, float]]) -> Floats:
        """Return how far each number can move the way that helps, 0 if none does."""
        room = np.zeros(len(self._start))
        for k, (point, _) in enumerate(alone):
            low, high = self._limits[k]
            if point[k] != self._start[k]:
                room[k] = (high if point[k] > self._start[k] else low) - self._start[k]
        return room

    def _on_line(self, end: Floats) -> tuple[Floats, float]:
        """Return the first point from the start to an end that reaches the target."""
        scan = Scan(
            lambda share: self._function(self._start + share * (end - self._start)),
            (0.0, 1.0),
            0.0,
            self._target,
        )
        scan.tried[0.0] = self._value
        share, value = scan.nearest()
        return self._start + share * (end - self._start), value

    def _climb(self, point: Floats, value: float) -> tuple[Floats, float]:
        """Return what gets nearest to the target from a point on, one number after the other."""
        for _ in range(_ROUNDS):
            before = abs(value - self._target)
            for k in range(len(point)):
                point, value = self._along(k, point, value)
                if self._reaches(value):
                    return point, value
            if abs(value - self._target) >= before * (1 - 1e-6):
                break
        return point, value

    def _least(self, start: Floats) -> Floats:
        """Return the cheapest point that reaches the target, from a start that does."""
        low, high = np.array(self._limits).T
        up = start >= self._start
        reach = np.where(up, high, low) - self._start
        cost = np.abs(reach) / self._scale

        def point(share: Floats) -> Floats:
            return np.asarray(self._start + np.clip(share, 0.0, 1.0) * reach)

        with np.errstate(invalid="ignore", divide="ignore"):
            first = np.where(reach != 0, (start - self._start) / reach, 0.0)
        found = minimize(  # type: ignore[call-overload]
            lambda share: float(cost @ share),
            first,
            jac=lambda _: cost,
            bounds=[(0.0, 1.0)] * len(cost),
            constraints=[{"type": "eq", "fun": lambda s: self._function(point(s)) - self._target}],
            method="SLSQP",
            options={"eps": _STEP, "ftol": 1e-10, "maxiter": _STEPS},
        )
        near = point(found.x)
        ends = [(near, self._function(near))]
        if not self._reaches(ends[0][1]):  # a kink: back to the target along one number
            ends = [self._along(k, *ends[0]) for k in np.flatnonzero(reach).tolist()]
        sound = [end for end, value in ends if self._reaches(value)]
        return min([start, *sound], key=self._cost)
