"""Where the metal in a flow stems from, inside a lane of processes that mix what they take in.

Every flow that enters the lane, or whose role says so, has a definite share of the origin asked
for: 0 or 1. What leaves a process of the lane has the share of the mixture there. Often that is
definite, too, because only one origin ever reaches the process.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.memory import kept
from mfa.recycling.sets import Sets

UNKNOWN = -1.0
MIXED = -2.0
_NOTHING = 1e-12


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
        0 to 1; ``UNKNOWN``; or ``MIXED``: the share in the process that the flow leaves.
    """

    name: str
    lane: Mask
    share: Floats

    @property
    def is_mixed(self) -> Mask:
        """Flows whose share is that of the mixture in the process that they leave."""
        return np.asarray(self.share == MIXED)

    def enters(self, sets: Sets) -> Mask:
        """Flows that count in what a process of the lane mixes."""
        return np.asarray(self.lane[sets.head] & (sets.tail != sets.head) & sets.counted)


@kept
def old_scrap(sets: Sets) -> Origin:
    """Trace what was in use through the scrap lane."""
    return _in_lane(sets, "old_scrap", ("old_scrap", "end_of_life"))


@kept
def new_scrap(sets: Sets) -> Origin:
    """Trace what fell off in manufacturing through the scrap lane."""
    return _in_lane(sets, "new_scrap", ("new_scrap",))


def _in_lane(sets: Sets, name: str, roles: tuple[str, ...]) -> Origin:
    """Trace own scrap of some roles; imported scrap is neither old nor new, whatever its role."""
    every = ("old_scrap", "end_of_life", "new_scrap")
    share = np.full(len(sets.tail), UNKNOWN)
    share[sets.lane[sets.tail]] = MIXED
    share[sets.role(*every)] = 0.0
    share[sets.role(*roles)] = 1.0
    share[sets.role(*every, "scrap") & sets.imports[sets.tail]] = 0.0
    return settle(sets, Origin(name, sets.lane, share))


@kept
def scrap(sets: Sets) -> Origin:
    """Trace scrap of any origin through smelting and refining."""
    share = np.full(len(sets.tail), UNKNOWN)
    share[sets.role("primary")] = 0.0
    share[sets.smelting[sets.tail]] = MIXED
    share[sets.role("scrap", "new_scrap", "old_scrap", "end_of_life")] = 1.0
    return settle(sets, Origin("scrap", sets.smelting, share))


def settle(sets: Sets, origin: Origin) -> Origin:
    """Give mixed flows a definite share where only one origin can reach the process.

    A stock of such a process holds that origin alone, and so do its withdrawals.
    """
    n = len(origin.lane)
    enters = origin.enters(sets)
    mixed = np.flatnonzero(origin.is_mixed)
    passes = mixed[enters[mixed]]
    reached = {}
    for value in np.unique(origin.share[enters & ~origin.is_mixed]).tolist():
        mask = np.zeros(n, dtype=bool)
        mask[sets.head[enters & (origin.share == value)]] = True
        reached[value] = reachable(mask, sets.tail[passes], sets.head[passes])
    share = origin.share.copy()
    for value in [value for value in reached if value >= 0.0]:
        others = np.zeros(n, dtype=bool)
        for mask in [mask for key, mask in reached.items() if key != value]:
            others |= mask
        pure = reached[value] & ~others
        share[mixed[pure[sets.tail[mixed]]]] = value
    return Origin(origin.name, origin.lane, share)


def reachable(start: Mask, tail: Ints, head: Ints) -> Mask:
    """Return what can be reached from some processes along some flows, themselves included."""
    out = start.copy()
    while True:
        more = head[out[tail] & ~out[head]]
        if not len(more):
            return out
        out[more] = True


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
    _enters: Ints
    _matrix: Floats
    _levels: Floats
    _place: Ints

    def moved(self, weight: Floats, unknown_is: float = 0.0) -> tuple[Floats, Floats]:
        """Return how Σ weight_p × s_p changes with every flow, and with what is of unknown origin.

        With a = M⁻ᵀ weight, the derivative is a_p (share − s_p) with a flow that enters p.

        Parameters
        ----------
        weight : array, shape (processes,)
        unknown_is : float
            Share of the origin in what is of unknown origin.

        Returns
        -------
        array, shape (flows,), and array, shape (processes,)
            The second for more of unknown origin in a process.
        """
        place, sets, enters = self._place, self._sets, self._enters
        inside = place >= 0
        adjoint = np.linalg.solve(self._matrix.T, weight[inside]) if inside.any() else np.zeros(0)
        level = self._levels @ (1.0, unknown_is)
        share = self.share + unknown_is * self.unknown
        by_flow, by_process = np.zeros(len(share)), np.zeros(len(place))
        to = place[sets.head[enters]]
        by_flow[enters] = adjoint[to] * (share[enters] - level[to])
        by_process[inside] = adjoint * (unknown_is - level)
        return by_flow, by_process


def mix(
    sets: Sets, origin: Origin, x: Floats, extra: Floats | None = None, inside: Mask | None = None
) -> Mixture:
    """Return the shares of an origin, given every flow of the lane.

    Processes that only pass round what nothing brings them hold metal of unknown origin.

    Parameters
    ----------
    x : array, shape (flows,)
        Values, 0 where there is no row.
    extra : array, shape (processes,), optional
        What enters processes from nowhere in particular: withdrawals from stocks, negative
        discrepancies. Of unknown origin.
    inside : array of bool, shape (processes,), optional
        Processes of the lane whose mixture is asked for; all that enters them from others of the
        lane must have definite shares. By default all of the lane.
    """
    inside = origin.lane if inside is None else inside
    n = int(inside.sum())
    place = np.full(len(inside), -1, dtype=np.int64)
    place[inside] = np.arange(n)
    enters = np.flatnonzero(origin.enters(sets) & inside[sets.head])
    head, tail = place[sets.head[enters]], place[sets.tail[enters]]
    passes = np.zeros((n, n))
    mixed = origin.is_mixed[enters]
    np.add.at(passes, (head[mixed], tail[mixed]), x[enters[mixed]])
    right = np.zeros((n, 2))
    known, unknown = np.maximum(origin.share, 0.0), (origin.share == UNKNOWN).astype(np.float64)
    for column, part in enumerate((known, unknown)):
        np.add.at(right[:, column], head, x[enters] * part[enters])
    added = np.zeros(n) if extra is None else extra[inside]
    right[:, 1] += added
    turnover = added.copy()
    np.add.at(turnover, head, x[enters])
    lost = _never_fed(passes, turnover)
    passes[lost] = 0.0
    matrix = np.diag(np.where(lost, 1.0, turnover)) - passes
    right[lost] = (0.0, 1.0)
    levels = np.asarray(np.linalg.solve(matrix, right) if n else right, dtype=np.float64)
    share = known
    out = np.flatnonzero(origin.is_mixed & inside[sets.tail])
    share[out], unknown[out] = levels[place[sets.tail[out]]].T
    return Mixture(share, unknown, sets, enters, matrix, levels, place)


def _never_fed(passes: Floats, turnover: Floats) -> Mask:
    """Return the processes that nothing from outside of the others ever reaches."""
    tiny = _NOTHING * float(np.abs(turnover).max(initial=0.0))
    fed = turnover - passes.sum(axis=1) > tiny
    head, tail = np.nonzero(passes > tiny)
    return ~reachable(fed, tail.astype(np.int64), head.astype(np.int64))
