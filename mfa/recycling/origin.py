"""Where the metal in a flow stems from, inside a lane of processes that mix what they take in.

Every flow that enters the lane, or whose role says so, has a definite share of the origin asked
for: 0 or 1. What leaves a process of the lane has the share of the mixture there. Often that is
definite, too, because only one origin ever reaches the process.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.sets import Sets

UNKNOWN = -1.0
MIXED = -2.0


@dataclass(frozen=True, eq=False)
class Origin:
    """Shares of one origin in every flow.

    Attributes
    ----------
    name : str
        What is asked for; traces of one lane exclude each other.
    lane : array of bool, shape (processes,)
        Processes inside which the origin is traced.
    share : array, shape (flows,)
        0 or 1; ``UNKNOWN``; or ``MIXED``: the share in the process that the flow leaves.
    """

    name: str
    lane: Mask
    share: Floats

    @property
    def is_mixed(self) -> Mask:
        """Flows whose share is that of the mixture in the process that they leave."""
        return np.asarray(self.share == MIXED)


def old_scrap(sets: Sets) -> Origin:
    """Trace what was in use through the scrap lane."""
    return _in_lane(sets, "old_scrap", ("old_scrap", "end_of_life"))


def new_scrap(sets: Sets) -> Origin:
    """Trace what fell off in manufacturing through the scrap lane."""
    return _in_lane(sets, "new_scrap", ("new_scrap",))


def _in_lane(sets: Sets, name: str, roles: tuple[str, ...]) -> Origin:
    share = np.full(len(sets.tail), UNKNOWN)
    share[sets.lane[sets.tail]] = MIXED
    share[sets.flows(("scrap",), sets.imports)] = 0.0
    share[sets.role("old_scrap", "end_of_life", "new_scrap")] = 0.0
    share[sets.role(*roles)] = 1.0
    return _settle(sets, Origin(name, sets.lane, share))


def scrap(sets: Sets) -> Origin:
    """Trace scrap of any origin through smelting and refining."""
    share = np.full(len(sets.tail), UNKNOWN)
    share[sets.role("primary")] = 0.0
    share[sets.smelting[sets.tail]] = MIXED
    share[sets.role("scrap", "new_scrap", "old_scrap", "end_of_life")] = 1.0
    return _settle(sets, Origin("scrap", sets.smelting, share))


def _settle(sets: Sets, origin: Origin) -> Origin:
    """Give mixed flows a definite share where only one origin can reach the process."""
    n = len(origin.lane)
    reached = {value: np.zeros(n, dtype=bool) for value in (0.0, 1.0, UNKNOWN)}
    for value, mask in reached.items():
        enters = (origin.share == value) & origin.lane[sets.head]
        mask[sets.head[enters]] = True
    mixed = np.flatnonzero(origin.is_mixed)
    tail, head = sets.tail[mixed], sets.head[mixed]
    for mask in reached.values():
        while True:
            more = head[mask[tail] & origin.lane[head] & ~mask[head]]
            if not len(more):
                break
            mask[more] = True
    share = origin.share.copy()
    for value in (0.0, 1.0):
        others = np.any([mask for key, mask in reached.items() if key != value], axis=0)
        pure = reached[value] & ~others
        share[mixed[pure[tail]]] = value
    return Origin(origin.name, origin.lane, share)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Shares under perfect mixing: s_p Σ_in x = Σ_in (share × x) at every process p of the lane.

    Attributes
    ----------
    share : array, shape (flows,)
        Share of the origin in each flow, what is of unknown origin counted as none.
    unknown : array, shape (flows,)
        Share of unknown origin: the share asked for is between ``share`` and their sum.
    """

    share: Floats
    unknown: Floats
    _sets: Sets
    _origin: Origin
    _x: Floats
    _matrix: Floats
    _place: Ints

    def gradient(self, counted: Mask) -> Floats:
        """Return how Σ share × x over the counted flows changes with every flow.

        With c_p the counted flow that leaves process p as mixture and a = M⁻ᵀ c, the derivative is
        the share itself where the flow is counted, plus a_p (share − s_p) where it enters p.
        """
        sets, through = self._sets, np.flatnonzero(counted & self._origin.is_mixed)
        weight = np.zeros(len(self._matrix))
        np.add.at(weight, self._place[sets.tail[through]], self._x[through])
        adjoint = np.linalg.solve(self._matrix.T, weight)
        out = np.where(counted, self.share, 0.0)
        enters = np.flatnonzero(_enters(sets, self._origin))
        to = self._place[sets.head[enters]]
        level = np.zeros(len(self._matrix))
        mixed = np.flatnonzero(self._origin.is_mixed)
        level[self._place[sets.tail[mixed]]] = self.share[mixed]
        out[enters] += adjoint[to] * (self.share[enters] - level[to])
        return out


def _enters(sets: Sets, origin: Origin) -> Mask:
    """Flows that count in what a process of the lane mixes."""
    return np.asarray(origin.lane[sets.head] & (sets.tail != sets.head) & sets.counted)


def mix(sets: Sets, origin: Origin, x: Floats) -> Mixture:
    """Return the shares of an origin, given every flow of the lane.

    Parameters
    ----------
    x : array, shape (flows,)
        Values, 0 where there is no row.
    """
    inside = np.flatnonzero(origin.lane)
    place = np.full(len(origin.lane), -1, dtype=np.int64)
    place[inside] = np.arange(len(inside))
    enters = np.flatnonzero(_enters(sets, origin))
    matrix = np.zeros((len(inside), len(inside)))
    right = np.zeros((len(inside), 2))
    np.add.at(matrix, (place[sets.head[enters]], place[sets.head[enters]]), x[enters])
    some = enters[origin.is_mixed[enters]]
    np.add.at(matrix, (place[sets.head[some]], place[sets.tail[some]]), -x[some])
    for column, value in enumerate((1.0, UNKNOWN)):
        definite = enters[origin.share[enters] == value]
        np.add.at(right[:, column], place[sets.head[definite]], x[definite])
    idle = np.abs(matrix).sum(axis=1) == 0
    matrix[idle, idle] = 1.0
    shares = np.linalg.solve(matrix, right)
    share = np.where(origin.share == 1.0, 1.0, 0.0)
    unknown = np.where(origin.share == UNKNOWN, 1.0, 0.0)
    mixed = np.flatnonzero(origin.is_mixed)
    share[mixed], unknown[mixed] = shares[place[sets.tail[mixed]]].T
    return Mixture(share, unknown, sets, origin, x, matrix, place)
