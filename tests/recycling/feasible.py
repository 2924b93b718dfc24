"""Everything that undetermined flows can be, worked out apart from the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from mfa.balance import Balance

from .reference import Cycle

CAP = 20.0  # of the largest determined flow: stands in for "unlimited"


@dataclass(frozen=True)
class Feasible:
    """A y = b, low ≤ y ≤ high over the undetermined flows, the others held at their results."""

    names: tuple[str, ...]
    known: Mapping[str, float]
    matrix: np.ndarray
    right: np.ndarray
    bounds: tuple[tuple[float, float], ...]

    def point(self, objective: np.ndarray) -> np.ndarray:
        if not self.names:
            return np.zeros(0)
        found = linprog(
            objective,
            A_eq=self.matrix if len(self.matrix) else None,
            b_eq=self.right if len(self.matrix) else None,
            bounds=self.bounds,
            method="highs",
        )
        assert found.status == 0, found.message
        return np.asarray(found.x)

    def flows(self, y: np.ndarray) -> dict[str, float]:
        return dict(self.known) | dict(zip(self.names, np.maximum(y, 0.0).tolist(), strict=True))

    def samples(self, seed: int, vertices: int, inner: int) -> list[dict[str, float]]:
        """Return vertices and random points between them."""
        rng = np.random.default_rng(seed)
        corners = [self.point(rng.normal(size=len(self.names))) for _ in range(vertices)]
        mixes = rng.dirichlet(np.full(vertices, 0.4), size=inner)
        return [self.flows(y) for y in [*corners, *(mixes @ np.array(corners))]]

    def row(self, weights: Mapping[str, float]) -> tuple[np.ndarray, float]:
        """Return coefficients of the undetermined flows, and what the known ones add."""
        c = np.array([weights.get(name, 0.0) for name in self.names])
        return c, sum(w * self.known[name] for name, w in weights.items() if name in self.known)

    def extremes(self, top: Mapping[str, float], below: Mapping[str, float]) -> tuple[float, float]:
        """Return the least and the greatest ratio of two sums, by Dinkelbach's iteration."""
        (a, a0), (b, b0) = self.row(top), self.row(below)
        ends = []
        for sign in (1.0, -1.0):
            y = self.point(-b)
            ratio = (a @ y + a0) / (b @ y + b0)
            for _ in range(50):
                y = self.point(sign * (a - ratio * b))
                better = (a @ y + a0) / (b @ y + b0)
                if abs(better - ratio) < 1e-13:
                    break
                ratio = better
            ends.append(float(ratio))
        return ends[0], ends[1]


def feasible(
    cycle: Cycle, balance: Balance, limits: Sequence[tuple[str, float, float]] = ()
) -> Feasible:
    """Return what a balance of one year leaves open; stocks may change as they like."""
    table = balance.flows.set_index("flow")
    open_ = table["status"] == "undetermined"
    names = tuple(table.index[open_])
    known = {str(name): float(value) for name, value in table["value"][~open_].items()}
    cap = CAP * max(known.values(), default=1.0)
    given = {name: (low, high) for name, low, high in limits}
    rows, right = [], []
    for process in cycle.processes:
        if process.kind != "process" or process.stock:
            continue
        sign = {f.name: 0.0 for f in cycle.flows}
        for f in cycle.flows:
            sign[f.name] += (f.target == process.name) - (f.source == process.name)
        row = np.array([sign[name] for name in names])
        if row.any():
            rows.append(row)
            right.append(-sum(sign[name] * value for name, value in known.items()))
    matrix = np.array(rows).reshape(len(rows), len(names))
    return Feasible(
        names, known, matrix, np.array(right), tuple(given.get(n, (0.0, cap)) for n in names)
    )
