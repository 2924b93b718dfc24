"""Everything that undetermined flows can be at once, as a linear programme over sums of flows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats, Ints
from mfa.balance.programme import Programme, Solution
from mfa.recycling.origin import UNKNOWN, Origin
from mfa.recycling.place import Place, Term


@dataclass(slots=True)
class Sum:
    """Σ factor × column of the programme + Σ factor × determined variable."""

    columns: dict[int, float] = field(default_factory=dict)
    held: dict[int, float] = field(default_factory=dict)

    def add(self, other: Sum, factor: float = 1.0) -> None:
        """Add a multiple of another sum."""
        for own, more in ((self.columns, other.columns), (self.held, other.held)):
            for key, value in more.items():
                own[key] = own.get(key, 0.0) + factor * value


@dataclass(frozen=True, eq=False)
class End:
    """One end of a range, and how it changes with every variable that is held, shape (n,)."""

    value: float
    gradient: Floats


class Polytope:
    """Undetermined variables under equations and bounds, all others held at their results.

    Flows of mixed origin are split into the origins asked for and the rest, which every process of
    the lane conserves one by one. That all outflows of a process have one mixture is not asked, so
    that a range may be a little too wide, never too narrow.

    Parameters
    ----------
    place : Place
        Substance and year.
    terms : list of Term
        Every term that will be asked for.
    """

    def __init__(self, place: Place, terms: list[Term]) -> None:
        self._place = place
        self._x = place.balance.bounded.estimate.x
        self._bounds: list[tuple[float, float]] = []
        self._rows: list[Sum] = []
        self._right: list[float] = []
        self._column: dict[int, int] = {}
        self._parts: dict[tuple[str, int], int] = {}
        involved = {int(n) for term in terms for n in self._involved(term)}
        for block in place.balance.blocks:
            if not involved.isdisjoint(block.members.tolist()):
                self._add_block(block.members)
        origins = {term.origin.name: term.origin for term in terms if term.origin is not None}
        self._split(list(origins.values()))
        for origin in origins.values():
            self._conserve(origin)

    def _involved(self, term: Term) -> Ints:
        """Variables that a term depends on."""
        flows = term.flows.copy()
        if term.origin is not None:
            flows |= term.origin.lane[self._place.sets.head] | term.origin.is_mixed
        return np.asarray(self._place.number[flows & self._place.there])

    def _new(self, low: float, high: float) -> int:
        self._bounds.append((low, high))
        return len(self._bounds) - 1

    def _demand(self, total: Sum, right: float = 0.0) -> None:
        """Demand that a sum equals a number."""
        self._rows.append(total)
        self._right.append(right)

    def _add_block(self, members: Ints) -> None:
        """Add the variables of one block and the equations that tie them to the others."""
        equations = self._place.balance.held
        for number in members.tolist():
            self._column[number] = self._new(equations.lower[number], equations.upper[number])
        rows = np.unique(sp.csc_array(equations.matrix[:, members]).indices)
        lines = sp.csr_array(equations.matrix)[rows]
        right = np.concatenate([np.zeros(equations.n_nodes), equations.right])[rows]
        for k in range(len(rows)):
            line = Sum()
            for at in range(lines.indptr[k], lines.indptr[k + 1]):
                line.add(self._variable(int(lines.indices[at])), float(lines.data[at]))
            self._demand(line, float(right[k]))

    def _variable(self, number: int) -> Sum:
        """Return a variable as a sum: its column, or itself where it is held."""
        column = self._column.get(number)
        return Sum(held={number: 1.0}) if column is None else Sum({column: 1.0})

    def _flow(self, flow: int) -> Sum:
        return self._variable(int(self._place.number[flow]))

    def _split(self, origins: list[Origin]) -> None:
        """Split every mixed flow into the origins asked for and a rest, none below 0."""
        sets, place = self._place.sets, self._place
        for flow in np.flatnonzero(place.there & (sets.tail != sets.head) & sets.counted).tolist():
            open_ = [
                origin
                for origin in origins
                if origin.is_mixed[flow]
                or (origin.share[flow] == UNKNOWN and origin.lane[sets.head[flow]])
            ]
            if not open_:
                continue
            total = Sum()
            for origin in open_:
                self._parts[origin.name, flow] = self._new(0.0, np.inf)
                total.add(Sum({self._parts[origin.name, flow]: 1.0}))
            total.add(Sum({self._new(0.0, np.inf): 1.0}))
            total.add(self._flow(flow), -1.0)
            self._demand(total)

    def _conserve(self, origin: Origin) -> None:
        """Let every process of the lane without a stock conserve the origin."""
        sets, place = self._place.sets, self._place
        stores = place.balance.system.processes["stock"].to_numpy(dtype=bool)
        for process in np.flatnonzero(origin.lane & ~stores).tolist():
            total = Sum()
            for sign, ends in ((1.0, sets.head), (-1.0, sets.tail)):
                at = (ends == process) & place.there & (sets.tail != sets.head) & sets.counted
                for flow in np.flatnonzero(at).tolist():
                    total.add(self._part(origin, flow), sign)
            if total.columns:
                self._demand(total)

    def _part(self, origin: Origin, flow: int) -> Sum:
        """Return the part of a flow that is of an origin, as a sum."""
        part = self._parts.get((origin.name, flow))
        if part is not None:
            return Sum({part: 1.0})
        out = Sum()
        out.add(self._flow(flow), float(origin.share[flow]))
        return out

    def total(self, terms: list[Term]) -> Sum:
        """Return the sum of terms over the columns of the programme."""
        out = Sum()
        for term in terms:
            for flow in np.flatnonzero(term.flows & self._place.there).tolist():
                out.add(self._flow(flow) if term.origin is None else self._part(term.origin, flow))
        return out

    def contains(self, number: int) -> bool:
        """Return whether a variable is one of the programme's."""
        return number in self._column

    def fix(self, number: int, value: float | None) -> None:
        """Hold an undetermined variable at a value from now on, or let it go again with None."""
        equations = self._place.balance.held
        own = (float(equations.lower[number]), float(equations.upper[number]))
        self._bounds[self._column[number]] = own if value is None else (value, value)

    def extremes(self, top: Sum, bottom: Sum | None = None) -> tuple[End, End]:
        """Return the smallest and largest value of top ÷ bottom; nan where there is no limit.

        A bottom that varies is scaled to 1 (Charnes & Cooper 1962): with t = 1/bottom, the
        variables become t × variable and every constant is multiplied by t. Ends change with a
        held variable as the duals say: through the right-hand sides, the top and the bottom.
        """
        bottom = Sum() if bottom is None else bottom
        programme, t = self._homogeneous(bottom)
        objective = np.zeros(len(programme.low))
        for column, value in top.columns.items():
            objective[column] = value
        objective[t] = self._constant(top)
        ends = []
        for sign in (1.0, -1.0):
            found = programme.surely_minimise(sign * objective)
            if found.status != "optimal":
                ends.append(End(np.nan, np.zeros(len(self._x))))
                continue
            gradient = self._gradient(found, sign, top, bottom, t)
            ends.append(End(float(objective @ found.x), gradient))
        return ends[0], ends[1]

    def _constant(self, total: Sum) -> float:
        return float(sum(factor * self._x[number] for number, factor in total.held.items()))

    def _gradient(self, found: Solution, sign: float, top: Sum, bottom: Sum, t: int) -> Floats:
        """Return ∂(top/bottom)/∂x of the held variables at one end of the range."""
        out = np.zeros(len(self._x))
        duals, scale = sign * found.duals, float(found.x[t])
        for k, row in enumerate(self._rows):
            for number, factor in row.held.items():
                out[number] -= duals[k] * factor * scale
        for number, factor in top.held.items():
            out[number] += factor * scale
        for number, factor in bottom.held.items():
            out[number] -= duals[-1] * factor * scale
        return out

    def _homogeneous(self, bottom: Sum) -> tuple[Programme, int]:
        """Return the programme in t × variables with bottom = 1, and the column of t.

        An empty bottom stands for 1, and then t is 1.
        """
        low, high = np.array(self._bounds, dtype=float).reshape(-1, 2).T
        n = len(low)
        entries = [(k, c, v) for k, row in enumerate(self._rows) for c, v in row.columns.items()]
        shape = (len(self._rows), n)
        row, column, value = zip(*entries, strict=True) if entries else ((), (), ())
        matrix = sp.csr_array(sp.coo_array((value, (row, column)), shape=shape))
        known = np.array([self._constant(row) for row in self._rows]) - np.array(self._right)
        below = np.flatnonzero(np.isfinite(low) & (low != 0))
        above = np.flatnonzero(np.isfinite(high))
        unit = sp.csr_array(sp.eye_array(n))
        sides = sp.csr_array(sp.vstack([-unit[below], unit[above]], format="csr"))
        limits = np.concatenate([low[below], -high[above]])
        one = np.zeros((1, n + 1))
        for number, factor in bottom.columns.items():
            one[0, number] = factor
        one[0, n] = self._constant(bottom) if bottom.columns or bottom.held else 1.0
        k = len(limits)
        upper = sp.hstack([matrix, sp.csr_array(known[:, None]), sp.csr_array((shape[0], k))])
        middle = sp.hstack([sides, sp.csr_array(limits[:, None]), sp.csr_array(sp.eye_array(k))])
        last = sp.hstack([sp.csr_array(one), sp.csr_array((1, k))])
        stacked = sp.vstack([sp.csr_array(upper), sp.csr_array(middle), sp.csr_array(last)])
        free = np.where(np.isfinite(low) & (low >= 0), 0.0, -np.inf)
        return Programme(
            sp.csr_array(stacked),
            np.concatenate([np.zeros(shape[0] + k), [1.0]]),
            np.concatenate([free, np.zeros(1 + k)]),
            np.full(n + 1 + k, np.inf),
        ), n
