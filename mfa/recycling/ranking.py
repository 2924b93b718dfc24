"""How well it is known which process loses most: what a survey of the bottlenecks is to sharpen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from mfa.balance.losses import loss_flows
from mfa.balance.network import Floats, Ints, Mask
from mfa.balance.programme import Programme
from mfa.recycling.losses import drawn
from mfa.recycling.place import Place
from mfa.recycling.posterior import Known, Settled
from mfa.recycling.standing import Sharp, Standing, limits

_REACH = 1.96
_ROUNDING = 1e-9
_DRAWS, _SEED = 10_000, 1


@dataclass(frozen=True, eq=False)
class _Losses:
    """Losses once some numbers are settled: value, sd and what they can be, the first of them."""

    loose: Mask
    value: Floats
    low: Floats
    high: Floats

    @cached_property
    def first(self) -> int:
        """The one that is ranked first: by value, or by the middle of the range."""
        middle = np.where(self.loose, (self.low + self.high) / 2, self.value)
        return int(np.lexsort([np.arange(len(middle)), -self.low, -middle])[0])

    @cached_property
    def open(self) -> int:
        """How many undetermined ones may be the worst, as `bottlenecks` ranks them."""
        beaten = (self.low[None, :] > self.high[:, None]).any(axis=1)
        return int((self.loose & ~beaten).sum())


@dataclass(frozen=True, eq=False)
class RankingAim:
    """The first place among the losses of one substance and year.

    First counts how many undetermined losses may be the worst; then the most by which another may
    exceed the one ranked first (what is possible where their difference is undetermined, else its
    value + 1.96 sd), at least 0; then the same added up over all others.
    """

    place: Place

    @property
    def unit(self) -> str:
        """Unit of width and sd."""
        return self.place.balance.system.unit

    @cached_property
    def rows(self) -> sp.csr_array:
        """Loss of every process as a sum of variables, shape (losses, variables)."""
        place = self.place
        flows = np.flatnonzero(loss_flows(place.balance.system) & place.there)
        _, line = np.unique(place.sets.tail[flows], return_inverse=True)
        entries = (np.full(len(flows), 1.0 / place.step), (line, place.number[flows]))
        shape = (int(line.max(initial=-1)) + 1, len(place.loose))
        return sp.csr_array(sp.coo_array(entries, shape=shape))

    @cached_property
    def _members(self) -> Ints:
        """Undetermined variables that share a block with a loss."""
        used = set(self.rows.indices.tolist())
        blocks = [block for block in self.place.space.blocks if not used.isdisjoint(block.tolist())]
        return np.unique(np.concatenate(blocks)) if blocks else np.zeros(0, dtype=np.int64)

    @cached_property
    def _programme(self) -> tuple[Programme, float]:
        """What the members can be, divided by the largest number, and that number."""
        space, members = self.place.space, self._members
        x = np.zeros(space.matrix.shape[1])
        known = self.place.balance.bounded.estimate.x
        x[: len(known)] = known
        x[members] = 0.0
        columns = sp.csc_array(space.matrix[:, members])
        lines = np.unique(columns.indices)
        right = space.right[lines] - space.matrix[lines] @ x
        low, high = space.lower[members], space.upper[members]
        numbers = np.abs(np.concatenate([right, low, high, self.place.x]))
        scale = float(numbers[np.isfinite(numbers)].max(initial=0.0)) or 1.0
        matrix = sp.csr_array(columns)[lines]
        return Programme(matrix, right / scale, low / scale, high / scale), scale

    def _room(self, settled: Settled) -> Programme:
        programme, scale = self._programme
        space = settled.place.space
        low, high = space.lower[self._members] / scale, space.upper[self._members] / scale
        return replace(programme, low=low, high=high)

    def _end(self, room: Programme, place: Place, row: Floats, sign: float) -> float:
        """Return the least (sign 1) or most (−1) of a sum of variables, ∓inf without a limit."""
        scale, members = self._programme[1], self._members
        held = row.copy()
        held[members] = 0.0
        found = room.surely_minimise(sign * row[members])
        if found.status != "optimal":
            return -sign * np.inf
        return float(row[members] @ found.x) * scale + float(held @ place.point)

    def standing(self, settled: Settled) -> Standing:
        """Return how well the first place is known once some numbers are settled."""
        losses, room = self._losses(settled), self._room(settled)
        place, first = settled.place, losses.first
        sharp = self._sharp(settled, losses)
        most = np.zeros(len(losses.value))
        for k in np.flatnonzero(sharp.loose).tolist():
            if losses.high[k] > losses.low[first]:
                row = (self.rows[[k]] - self.rows[[first]]).toarray()[0]
                most[k] = self._end(room, place, row, -1.0)
        spread = Known(settled, sharp.rows).variances
        most[~sharp.loose] = sharp.most(spread[1:])
        sds = np.full(len(most), np.nan)
        sds[~sharp.loose] = np.sqrt(spread[1:])
        return self._standing(most, sds, first, losses.open)

    def _standing(self, most: Floats, sds: Floats, first: int, unknown: int) -> Standing:
        """Return the standing from the most by which each may exceed the first."""
        if len(most) < 2:
            return Standing((float(unknown), 0.0, 0.0), not unknown, 0.0, np.nan, unknown)
        others = np.arange(len(most)) != first
        strongest = int(np.flatnonzero(others)[np.argmax(most[others])])
        size = self._programme[1]
        above = np.where(most[others] > _ROUNDING * size, most[others], 0.0)
        width = float(above.max())
        key = float(unknown), width / size, float(above.sum()) / size
        return Standing(key, not unknown, width, float(sds[strongest]), unknown)

    def _losses(self, settled: Settled) -> _Losses:
        """Return value and interval of each loss, as `bottlenecks` would tell them."""
        place, n = settled.place, self.rows.shape[0]
        loose = np.array([place.moves(row) for row in self.rows.toarray()], dtype=bool)
        value = self.rows @ place.point[: self.rows.shape[1]]
        sd = np.zeros(n)
        known = np.flatnonzero(~loose)
        sd[known] = np.sqrt(Known(settled, sp.csr_array(self.rows[known])).variances)
        least, most = self._bounds(self.rows)
        low = np.minimum(np.maximum(value - _REACH * sd, least), value)
        high = np.maximum(np.minimum(value + _REACH * sd, most), value)
        room = self._room(settled)
        for k in np.flatnonzero(loose).tolist():
            row = self.rows[[k]].toarray()[0]
            low[k], high[k] = (self._end(room, place, row, sign) for sign in (1.0, -1.0))
        return _Losses(loose, value, low, high)

    def _bounds(self, rows: sp.csr_array) -> tuple[Floats, Floats]:
        """Return what the bounds of single variables allow some sums to be."""
        equations = self.place.balance.model.equations
        entries = rows.tocoo()
        ends = np.column_stack([equations.lower[entries.col], equations.upper[entries.col]])
        ends = entries.data[:, None] * ends
        out = np.zeros((2, rows.shape[0]))
        np.add.at(out[0], entries.row, ends.min(axis=1))
        np.add.at(out[1], entries.row, ends.max(axis=1))
        return out[0], out[1]

    def ranges(self, settled: Settled) -> Callable[[int], tuple[float, float] | None]:
        """Return what tells the range of an undetermined variable that losses depend on."""
        room, members = self._room(settled), self._members

        def ends(number: int) -> tuple[float, float] | None:
            if number not in members:
                return None
            if not settled.steps:
                return limits(settled.place, number)
            one = np.zeros(len(settled.place.loose))
            one[number] = 1.0
            low, high = (self._end(room, settled.place, one, sign) for sign in (1.0, -1.0))
            return low, high

        return ends

    def sharp(self, settled: Settled) -> Sharp | None:
        """Return the first loss and the determined differences; None if it is undetermined."""
        losses = self._losses(settled)
        if len(losses.value) < 2 or losses.loose[losses.first]:
            return None
        sharp = self._sharp(settled, losses)
        unknown, first = losses.open, losses.first

        def judge(variances: Floats) -> Standing:
            most, sds = (np.full(len(sharp.loose), fill) for fill in (0.0, np.nan))
            most[~sharp.loose] = sharp.most(variances[1:])
            sds[~sharp.loose] = np.sqrt(variances[1:])
            return self._standing(most, sds, first, unknown)

        return Sharp(sharp.rows, judge, sharp.chance)

    def _sharp(self, settled: Settled, losses: _Losses) -> _Differences:
        """Return the first loss, and what each other exceeds it by where that is determined."""
        place, first = settled.place, losses.first
        n = self.rows.shape[0]
        every = sp.csr_array(self.rows - self.rows[np.full(n, first)])
        loose = np.array([place.moves(row) for row in every.toarray()], dtype=bool)
        rows = sp.csr_array(every[np.flatnonzero(~loose)])
        lead = np.flatnonzero(~loose) == first
        own = self.rows[[first]] * (0.0 if losses.loose[first] else 1.0)
        mean = rows @ place.point[: rows.shape[1]]
        cap = np.maximum(self._bounds(rows)[1], mean)
        value = float(losses.value[first])
        whole = sp.csr_array(sp.vstack([own, rows], format="csr"))
        return _Differences(whole, loose, np.concatenate([[value], mean]), cap, lead)


@dataclass(frozen=True, eq=False)
class _Differences:
    """The first loss, and what others exceed it by: their rows, values and the most by bounds.

    ``loose`` tells of which losses, in their order, the difference is undetermined; ``is_first``
    which of the others is the first itself.
    """

    rows: sp.csr_array
    loose: Mask
    mean: Floats
    cap: Floats
    is_first: Mask

    def most(self, variances: Floats) -> Floats:
        """Return the upper end of each difference."""
        return np.asarray(np.minimum(self.mean[1:] + _REACH * np.sqrt(variances), self.cap))

    def chance(self, covariance: Floats) -> float:
        """Return how often the first is the worst, by the draws of `bottlenecks`."""
        add = np.eye(len(self.mean))[1:]
        add[:, 0] = 1.0  # a loss is the first one and what it exceeds that by
        order = np.argsort(-(add @ self.mean), kind="stable")
        add = add[order]
        first = self.is_first[order]
        found = drawn(add @ self.mean, add @ covariance @ add.T, _DRAWS, _SEED)
        return float(first[found.argmax(axis=1)][found.max(axis=1) > 0].sum() / _DRAWS)
