"""What happens to every flow when one share changes: the closure that gains and measures rest on.

Held fixed are end-of-life generation, demand, exports and imports of scrap; every outflow has its
share of what its process takes in; raising one lowers its siblings in proportion; primary imports
take up the slack. Each flow has one equation, all of them M x = r:

- pushed: what a process of the scrap lane, or any that no primary metal reaches, takes in leaves
  it in shares: x_f = a_f (Σ in − Σ fixed out − ΔS).
- by-product (scrap, losses) of a maker that primary metal reaches: x_f = b_f Σ in.
- drawn: such a maker draws, by these routes, what its demand leaves open: the largest of them
  closes its balance, the others keep their proportion to it.
- fixed: all others. An export is pushed, too, where only losses leave its process besides it.

Where no primary metal reaches a maker, its other imports that are no scrap take its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.origin import reachable
from mfa.recycling.place import Place
from mfa.recycling.sets import Sets

FIXED, PUSHED, BYPRODUCT, DRAWN, CLOSING = range(5)
_SCRAP = ("new_scrap", "old_scrap", "scrap", "home_scrap", "end_of_life")
_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Closure:
    """One equation for each flow, and the shares in it, at one point of a place.

    Attributes
    ----------
    sets : Sets
    x : array, shape (flows,)
        The point; 0 where a flow has no row.
    kind : array of int, shape (flows,)
        FIXED, PUSHED, BYPRODUCT, DRAWN or CLOSING.
    """

    sets: Sets
    x: Floats
    kind: Ints
    inside: Mask = field(repr=False)

    @cached_property
    def inputs(self) -> Floats:
        """What enters each process, shape (processes,); gaps and what goes round not counted."""
        return self._sum(self.sets.head, self.x * self.counts)

    @cached_property
    def counts(self) -> Mask:
        """Flows that count as inputs and outputs of processes."""
        return np.asarray(self.sets.counted & (self.sets.head != self.sets.tail))

    @cached_property
    def moving(self) -> Mask:
        """Flows between two different processes, gaps included."""
        every = self.sets.counted | self.sets.discrepancies
        return np.asarray(every & (self.sets.head != self.sets.tail))

    @cached_property
    def change(self) -> Floats:
        """What each process adds to its stock, shape (processes,)."""
        return self._excess(self.x)

    def imbalance(self, x: Floats) -> Floats:
        """Return what other flows leave open at each process, its stock change held."""
        return self._excess(x) - self.change

    def _excess(self, x: Floats) -> Floats:
        moving = x * self.moving
        return self._sum(self.sets.head, moving) - self._sum(self.sets.tail, moving)

    @cached_property
    def spare(self) -> Floats:
        """What each process shares out: inputs less fixed outflows and stock; (processes,)."""
        pushed = self.x * (self.kind == PUSHED)
        return self._sum(self.sets.tail, pushed)

    @cached_property
    def share(self) -> Floats:
        """A of pushed flows, b of by-products; shape (flows,)."""
        tail = self.sets.tail
        base = np.where(self.kind == BYPRODUCT, self.inputs[tail], self.spare[tail])
        used = np.isin(self.kind, (PUSHED, BYPRODUCT))
        return np.divide(self.x, base, out=np.zeros(len(base)), where=used & (base > 0))

    def _sum(self, ends: Ints, x: Floats) -> Floats:
        return np.bincount(ends, x, minlength=len(self.inside)).astype(np.float64)

    def equations(
        self, share: Floats | None = None, stated: dict[int, tuple[float, Ints]] | None = None
    ) -> tuple[sp.csc_array, Floats]:
        """Return M and r of M x = r.

        Parameters
        ----------
        share : array, shape (flows,), optional
            Other shares than those of the point.
        stated : mapping of flow to (factor, flows), optional
            Flows that are to be factor × the sum of others, or the factor itself if there are
            none: their own equations give way, and pushed siblings share out what is left.
        """
        sets, n = self.sets, len(self.x)
        share, stated = self.share if share is None else share, stated or {}
        kind = self.kind.copy()
        kind[list(stated)] = FIXED
        entries: list[tuple[Ints, Ints, Floats]] = [(np.arange(n), np.arange(n), np.ones(n))]
        right = np.where(kind == FIXED, self.x, 0.0)
        pushed = np.flatnonzero(kind == PUSHED)
        made = np.flatnonzero(kind == BYPRODUCT)
        entries += self._pairs(pushed, sets.tail, self.moving, sets.head, -share)
        entries += self._pairs(made, sets.tail, self.counts, sets.head, -share)
        held = self.moving & (kind != PUSHED)
        entries += self._pairs(pushed, sets.tail, held, sets.tail, share)
        right[pushed] = -share[pushed] * self.change[sets.tail[pushed]]
        closing = np.flatnonzero(kind == CLOSING)
        leader = np.full(len(self.inside), -1, dtype=np.int64)
        leader[sets.head[closing]] = closing
        drawn = np.flatnonzero(kind == DRAWN)
        lead = leader[sets.head[drawn]]
        size = np.divide(
            self.x[drawn], self.x[lead], out=np.zeros(len(lead)), where=self.x[lead] > 0
        )
        entries.append((drawn, lead, -size))
        others = self.moving.copy()
        others[closing] = False
        entries += self._pairs(closing, sets.head, others, sets.head, np.ones(n))
        entries += self._pairs(closing, sets.head, self.moving, sets.tail, -np.ones(n))
        right[closing] = self.change[sets.head[closing]]
        for flow, (factor, of) in stated.items():
            right[flow] = 0.0 if len(of) else factor
            entries.append((np.full(len(of), flow), of, np.full(len(of), -factor)))
        rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        return sp.csc_array(sp.coo_array((values, (rows, columns)), shape=(n, n))), right

    def _pairs(
        self, rows: Ints, at: Ints, columns: Mask, ends: Ints, factor: Floats
    ) -> list[tuple[Ints, Ints, Floats]]:
        """Return an entry for every chosen column that has its end where a row has its own."""
        some = np.flatnonzero(columns)
        some = some[np.argsort(ends[some], kind="stable")]
        first = np.searchsorted(ends[some], at[rows])
        count = np.searchsorted(ends[some], at[rows], side="right") - first
        line = np.repeat(rows, count)
        start = np.repeat(first - np.cumsum(count) + count, count)
        return [(line, some[start + np.arange(len(line))], factor[line])]

    def solved(
        self, share: Floats | None = None, stated: dict[int, tuple[float, Ints]] | None = None
    ) -> Floats:
        """Return every flow under other shares or statements, shape (flows,)."""
        matrix, right = self.equations(share, stated)
        return np.asarray(splu(matrix).solve(right))


def closure(place: Place, x: Floats) -> Closure:
    """Return the closure of a place.

    Parameters
    ----------
    place : Place
        Substance and year.
    x : array, shape (flows,)
        Where undetermined flows stand; 0 where a flow has no row.
    """
    sets = place.sets
    inside = sets.kind("process") & ~sets.use & ~sets.disposal
    flows = sets.counted & (sets.tail != sets.head)
    tiny = _NOTHING * float(np.abs(place.x).max(initial=0.0))
    alive = flows & ((place.x > tiny) | place.is_loose(place.number))
    reached, adjusts = _drawing(sets, alive)
    kind = np.full(len(x), FIXED, dtype=np.int64)
    own = flows & inside[sets.tail]
    kind[own & reached[sets.tail] & _is_byproduct(sets)] = BYPRODUCT
    kind[own & ~reached[sets.tail]] = PUSHED
    kind[flows & sets.exports[sets.head]] = FIXED
    _free_the_only_way_out(sets, flows & ~reached[sets.tail] & inside[sets.tail], kind)
    kind[adjusts] = DRAWN
    order = np.flatnonzero(adjusts)[np.argsort(x[adjusts], kind="stable")]
    closing = np.full(len(inside), -1, dtype=np.int64)
    closing[sets.head[order]] = order  # the largest comes last
    kind[closing[closing >= 0]] = CLOSING
    return Closure(sets, np.where(place.there, x, 0.0), kind, inside)


def _is_byproduct(sets: Sets) -> Mask:
    """Return flows that no maker makes for their own sake: scrap, losses, what is thrown away."""
    return np.asarray(sets.role(*_SCRAP, "loss") | sets.disposal[sets.head] | sets.lane[sets.head])


def _drawing(sets: Sets, flows: Mask) -> tuple[Mask, Mask]:
    """Return the makers that draw what they need, and the flows by which they do."""
    main = flows & ~_is_byproduct(sets) & sets.makers[sets.head]
    abroad = main & (sets.imports | sets.kind("source"))[sets.tail] & ~sets.use[sets.tail]
    passes = main & sets.makers[sets.tail]
    reached = np.zeros(len(sets.imports), dtype=bool)
    adjusts = np.zeros(len(flows), dtype=bool)
    for enters in (abroad & sets.role("primary"), abroad & ~sets.role("primary")):
        enters = enters & ~reached[sets.head]
        start = reached.copy()
        start[sets.head[enters]] = True
        reached = reachable(start, sets.tail[passes], sets.head[passes])
        adjusts |= enters
    return reached, np.asarray(adjusts | (passes & reached[sets.tail]))


def _free_the_only_way_out(sets: Sets, outflows: Mask, kind: Ints) -> None:
    """Let exports move where only losses leave a process besides them."""
    free = np.zeros(len(sets.imports), dtype=bool)
    lost = sets.role("loss") | sets.disposal[sets.head]
    free[sets.tail[outflows & (kind == PUSHED) & ~lost]] = True
    kind[outflows & ~free[sets.tail]] = PUSHED
