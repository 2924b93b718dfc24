"""Everything that undetermined flows can be at once, as a linear programme over sums of flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from mfa.balance.fractional import homogeneous
from mfa.balance.network import Floats, Mask
from mfa.balance.programme import Programme, Solution
from mfa.recycling.origin import reachable
from mfa.recycling.place import Place, Term
from mfa.recycling.sums import Sum
from mfa.recycling.tracing import Tracing

_NOTHING = 1e-9


@dataclass(frozen=True, eq=False)
class End:
    """One end of a range, and how it changes with every variable that is held, shape (n,)."""

    value: float
    gradient: Floats


class Polytope:
    """Undetermined variables under equations and bounds, all others held at their results.

    What leaves a process whose mixture is determined has that share of the origin. Other flows of
    mixed origin are split into the origins asked for and the rest, which every process of the lane
    conserves one by one. That all outflows of such a process have one mixture is not asked, so that
    a range may be a little too wide, never too narrow. Numbers are divided by the largest of them.

    Parameters
    ----------
    place : Place
        Substance and year.
    terms : list of Term
        Every term that will be asked for.
    tracings : mapping of str to Tracing
        By name of the origin, of every origin in the terms.
    """

    def __init__(self, place: Place, terms: list[Term], tracings: Mapping[str, Tracing]) -> None:
        self._place, self._tracings = place, tracings
        self._bounds: list[tuple[float, float]] = []
        self._rows: list[Sum] = []
        self._right: list[float] = []
        self._column: dict[int, int] = {}
        self._parts: dict[tuple[str, int], int] = {}
        upstream = {name: _upstream(tracing, terms) for name, tracing in tracings.items()}
        blocks = self._blocks(terms, upstream)
        self._scale, self._x = self._scaled(blocks)
        for block in blocks:
            self._add_block(block)
        self._split(upstream)
        for name, processes in upstream.items():
            self._conserve(tracings[name], processes)

    def _blocks(self, terms: list[Term], upstream: Mapping[str, Mask]) -> list[int]:
        """Return the blocks of variables that the terms depend on."""
        sets, flows = self._place.sets, np.any([term.flows for term in terms], axis=0)
        for processes in upstream.values():
            flows |= processes[sets.head] | processes[sets.tail]
        involved = [self._place.number[flows & self._place.there], *(term.also for term in terms)]
        found = np.unique(self._place.space.block_of[np.concatenate(involved)])
        return [block for block in found.tolist() if block >= 0]

    def _scaled(self, blocks: list[int]) -> tuple[float, Floats]:
        """Return the largest number among bounds and held neighbours, and values divided by it."""
        x, space = self._place.point, self._place.space
        numbers = [np.abs(self._place.x)]
        for block in blocks:
            rows, members = space.rows_of[block], space.blocks[block]
            numbers += [np.abs(space.right[rows]), np.abs(space.lower[members])]
            numbers += [np.abs(space.upper[members])]
        every = np.concatenate(numbers)
        scale = float(every[np.isfinite(every)].max(initial=0.0)) or 1.0
        return scale, x / scale

    def _new(self, low: float, high: float) -> int:
        self._bounds.append((low, high))
        return len(self._bounds) - 1

    def _demand(self, total: Sum, right: float = 0.0) -> None:
        """Demand that a sum equals a number."""
        self._rows.append(total)
        self._right.append(right)

    def _add_block(self, block: int) -> None:
        """Add the variables of one block and the equations that tie them to the others."""
        space, scale = self._place.space, self._scale
        members, rows = space.blocks[block], space.rows_of[block]
        low, high = space.lower[members] / scale, space.upper[members] / scale
        for number, *ends in zip(members.tolist(), low.tolist(), high.tolist(), strict=True):
            self._column[number] = self._new(*ends)
        right = (space.right[rows] / scale).tolist()
        for row, known in zip(rows.tolist(), right, strict=True):
            at = slice(space.matrix.indptr[row], space.matrix.indptr[row + 1])
            line = Sum()
            numbers, factors = space.matrix.indices[at].tolist(), space.matrix.data[at].tolist()
            for number, factor in zip(numbers, factors, strict=True):
                column = self._column.get(number)
                if column is None:
                    line.held[number] = line.held.get(number, 0.0) + factor
                else:
                    line.columns[column] = line.columns.get(column, 0.0) + factor
            self._demand(line, known)

    def _variable(self, number: int) -> Sum:
        """Return a variable as a sum: its column, or itself where it is held."""
        column = self._column.get(number)
        return Sum(held={number: 1.0}) if column is None else Sum({column: 1.0})

    def _flow(self, flow: int) -> Sum:
        return self._variable(int(self._place.number[flow]))

    def _split(self, upstream: Mapping[str, Mask]) -> None:
        """Split every flow from an open mixture into the origins asked for and a rest ≥ 0."""
        sets = self._place.sets
        open_ = {
            name: np.isnan(self._tracings[name].share) & (at[sets.tail] | at[sets.head])
            for name, at in upstream.items()
        }
        mixed = np.any(list(open_.values()), axis=0) if open_ else np.zeros(len(sets.tail), bool)
        for flow in np.flatnonzero(mixed & sets.counted & (sets.tail != sets.head)).tolist():
            total = Sum({self._new(0.0, np.inf): 1.0})
            for name in open_:
                if open_[name][flow]:
                    self._parts[name, flow] = self._new(0.0, np.inf)
                    total.add(Sum({self._parts[name, flow]: 1.0}))
            total.add(self._flow(flow), -1.0)
            self._demand(total)

    def _conserve(self, tracing: Tracing, processes: Mask) -> None:
        """Let open processes conserve the origin, where nothing comes or goes unseen."""
        sets = self._place.sets
        unseen = self._place.change >= 0
        for ends in (sets.tail, sets.head):
            unseen[ends[sets.discrepancies]] = True
        for process in np.flatnonzero(processes & ~unseen).tolist():
            total = Sum()
            for sign, ends in ((1.0, sets.head), (-1.0, sets.tail)):
                at = (ends == process) & (sets.tail != sets.head) & sets.counted
                for flow in np.flatnonzero(at).tolist():
                    total.add(self._part(tracing, flow), sign)
            if total.columns:
                self._demand(total)

    def _part(self, tracing: Tracing, flow: int) -> Sum:
        """Return the part of a flow that is of an origin, as a sum."""
        part = self._parts.get((tracing.origin.name, flow))
        if part is not None:
            return Sum({part: 1.0})
        whole = self._flow(flow)
        out = whole.times(float(tracing.share[flow]))
        if tracing.origin.is_mixed[flow]:
            process = int(self._place.sets.tail[flow])
            out.shared.append((tracing.origin.name, process, whole))
        return out

    def total(self, terms: list[Term]) -> Sum:
        """Return the sum of terms over the columns of the programme."""
        out = Sum()
        for term in terms:
            for flow in np.flatnonzero(term.flows).tolist():
                if term.origin is None:
                    out.add(self._flow(flow), term.factor)
                else:
                    out.add(self._part(self._tracings[term.origin.name], flow), term.factor)
            for number in term.also.tolist():
                out.add(self._variable(number), term.factor)
        return out

    def contains(self, number: int) -> bool:
        """Return whether a variable is one that the terms depend on."""
        return number in self._column

    def range_of(self, number: int) -> tuple[float, float] | None:
        """Return the range of a variable, None if it is none that the terms depend on."""
        if number not in self._column:
            return None
        ends = self.extremes(self._variable(number))
        return None if ends is None else (ends[0].value, ends[1].value)

    def extremes(self, top: Sum, bottom: Sum | None = None) -> tuple[End, End] | None:
        """Return the smallest and largest value of top ÷ bottom; ∓inf where there is no limit.

        A bottom that varies is scaled to 1 (Charnes & Cooper 1962): with t = 1/bottom, the
        variables become t × variable and every constant is multiplied by t. Ends change with a
        held variable as the duals say: through the right-hand sides, the top and the bottom.
        None if the bottom can only be 0.
        """
        if bottom is not None and not self._can_be_positive(bottom):
            return None
        programme, t = self._homogeneous(Sum() if bottom is None else bottom)
        objective = np.zeros(len(programme.low))
        for column, value in top.columns.items():
            objective[column] = value
        objective[t] = top.constant(self._x)
        size = self._scale if bottom is None else 1.0
        ends = []
        for sign in (1.0, -1.0):
            found = programme.surely_minimise(sign * objective)
            if found.status != "optimal":
                ends.append(End(-sign * np.inf, np.zeros(len(self._x))))
                continue
            gradient = self._gradient(found, sign, top, bottom, t)
            ends.append(End(float(objective @ found.x) * size, gradient * size))
        return ends[0], ends[1]

    def _can_be_positive(self, total: Sum) -> bool:
        """Return whether a sum can be more than nothing."""
        low, high = self._limits
        entries = [(column, factor) for column, factor in total.columns.items() if factor]
        columns, factors = np.array(entries, dtype=float).reshape(-1, 2).T
        at = columns.astype(np.int64)
        least = factors * np.where(factors > 0, low[at], high[at])
        if total.constant(self._x) + least.sum() > _NOTHING:
            return True  # wherever its terms are within their bounds
        ends = self.extremes(total)
        return ends is not None and ends[1].value > _NOTHING * self._scale

    def _gradient(
        self, found: Solution, sign: float, top: Sum, bottom: Sum | None, t: int
    ) -> Floats:
        """Return ∂(top/bottom)/∂x of the held variables at one end of the range."""
        out = np.zeros(len(self._x))
        duals, scale = sign * found.duals, float(found.x[t])
        weights = {name: np.zeros(len(self._place.change)) for name in self._tracings}
        parts = [(-float(duals[k]), row) for k, row in enumerate(self._rows)] + [(1.0, top)]
        if bottom is not None:
            parts.append((-float(duals[-1]), bottom))
        for factor, total in parts:
            for number, each in total.held.items():
                out[number] += factor * each * scale / self._scale
            for name, process, flows in total.shared:
                value = flows.value(found.x, self._x * scale)
                weights[name][process] += factor * value
        for name, weight in weights.items():
            if weight.any():
                out += self._tracings[name].gradient(weight)
        return out

    @cached_property
    def _limits(self) -> tuple[Floats, Floats]:
        """Least and greatest value of each column."""
        low, high = np.array(self._bounds, dtype=float).reshape(-1, 2).T
        return low, high

    @cached_property
    def _equations(self) -> tuple[sp.csr_array, Floats]:
        """Factor of each column in each row, and what the held variables add to it."""
        entries = [(k, c, v) for k, row in enumerate(self._rows) for c, v in row.columns.items()]
        row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
        shape = len(self._rows), len(self._bounds)
        known = np.array([row.constant(self._x) for row in self._rows]) - np.array(self._right)
        return sp.csr_array(sp.coo_array((value, (row, column)), shape=shape)), known

    def _homogeneous(self, bottom: Sum) -> tuple[Programme, int]:
        """Return the programme in t × variables with bottom = 1, and the column of t.

        An empty bottom stands for 1, and then t is 1.
        """
        low, high = self._limits
        matrix, known = self._equations
        n = len(low)
        one = np.zeros(n)
        for number, factor in bottom.columns.items():
            one[number] = factor
        constant = bottom.constant(self._x) if bottom.columns or bottom.held else 1.0
        return homogeneous(matrix, known, low, high, one, constant), n


def _upstream(tracing: Tracing, terms: list[Term]) -> Mask:
    """Return the open processes that counted mixtures stem from."""
    sets, origin = tracing.place.sets, tracing.origin
    start = np.zeros(len(origin.lane), dtype=bool)
    open_ = np.isnan(tracing.share)
    for term in terms:
        if term.origin is not None and term.origin.name == origin.name:
            start[sets.tail[term.flows & open_]] = True
    passes = np.flatnonzero(open_ & origin.enters(sets))
    return reachable(start, sets.head[passes], sets.tail[passes])
