"""Where an indicator is formed, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import scipy.sparse as sp

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.memory import kept
from mfa.recycling.origin import Origin
from mfa.recycling.sets import Sets

_DETERMINED = 1e-8
_DIRECTIONS = 12  # ten more measurements than tell a determined sum from another


@dataclass(frozen=True, eq=False)
class Term:
    """What is counted: flows, whole or only the share of one origin in them, times a factor.

    ``also`` are further variables counted whole: changes and levels of stocks.
    """

    flows: Mask
    origin: Origin | None = None
    factor: float = 1.0
    also: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is counted."""
        return not (self.flows.any() or len(self.also))


@dataclass(frozen=True, eq=False)
class Space:
    """What undetermined variables can be: A x = b, lower ≤ x ≤ upper, the others held.

    ``blocks`` are the undetermined variables, those that share equations together.
    """

    matrix: sp.csr_array
    right: Floats
    lower: Floats
    upper: Floats
    blocks: list[Ints]

    @cached_property
    def block_of(self) -> Ints:
        """Block that each variable belongs to, −1 for determined ones."""
        out = np.full(self.matrix.shape[1], -1, dtype=np.int64)
        for k, members in enumerate(self.blocks):
            out[members] = k
        return out

    @cached_property
    def rows_of(self) -> list[Ints]:
        """Equations that tie the variables of each block."""
        entries = self.matrix.tocoo()
        block = self.block_of[entries.col]
        inside = np.flatnonzero((block >= 0) & (entries.data != 0))
        pairs = np.unique(np.column_stack([block[inside], entries.row[inside]]), axis=0)
        starts = np.searchsorted(pairs[:, 0], np.arange(1, len(self.blocks)))
        return np.split(pairs[:, 1].astype(np.int64), starts)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a ratio is formed: the variable of each flow in one substance and year.

    Attributes
    ----------
    balance : Balance
    sets : Sets
        Of the flows that have a row here.
    number : array of int, shape (flows,)
        Variable of each flow, −1 where it has no row.
    change : array of int, shape (processes,)
        Variable of each process's stock change, −1 where it has no stock.
    level : array of int, shape (processes,)
        Variable of each process's stock at the end of the year, −1 where it has no stock.
    year : int
    loose : array of bool, shape (variables,)
        Undetermined variables.
    wander : array, shape (variables, k)
        Random changes that keep every equation and datum.
    space : Space
    point : array, shape (variables,)
        Values in mass per step, undetermined ones anywhere that keeps every equation.
    """

    balance: Balance
    sets: Sets
    number: Ints
    change: Ints
    level: Ints
    year: int
    loose: Mask
    wander: Floats
    space: Space
    point: Floats

    @cached_property
    def drawing(self) -> Place:
        """Place as if nothing were known but the drawing: balances, and flows ≥ 0."""
        equations = self.balance.model.equations
        members = np.concatenate([self.number, self.change])
        members = np.unique(members[members >= 0])
        matrix = sp.csr_array(sp.csr_array(equations.matrix)[: equations.n_nodes])
        mine = np.zeros(equations.n, dtype=bool)
        mine[members] = True
        rows = matrix[np.flatnonzero(abs(matrix) @ mine)]
        outside = abs(rows) @ ~mine
        rows = rows[np.flatnonzero(outside == 0)]  # a stock's own balance ties it to other years
        flows = np.flatnonzero(self.there & ~self.sets.discrepancies)
        lower = np.full(equations.n, -np.inf)
        lower[self.number[flows]] = np.minimum(equations.lower[self.number[flows]], 0.0)
        nothing = Space(
            sp.csr_array(rows),
            np.zeros(rows.shape[0]),
            lower,
            np.full(equations.n, np.inf),
            [members],
        )
        wander = np.random.default_rng(0).normal(size=(equations.n, 3))
        return replace(self, loose=mine, wander=wander, space=nothing)

    @property
    def there(self) -> Mask:
        """Flows that have a row here."""
        return np.asarray(self.number >= 0)

    @property
    def step(self) -> float:
        """Length of the step [yr]: flows are counted in mass per step."""
        return self.step_of(int(self.number[self.there][0]))

    def step_of(self, number: int) -> float:
        """Return what a variable is divided by to be in the unit of the system."""
        return float(self.balance.model.variables["step"].to_numpy(dtype=np.float64)[number])

    @property
    def x(self) -> Floats:
        """Value of each flow in mass per step, 0 where it has no row."""
        return self._values(self.number)

    @property
    def additions(self) -> Floats:
        """Addition to the stock of each process in mass per step, 0 where it has none."""
        return self._values(self.change)

    def _values(self, numbers: Ints) -> Floats:
        x = self.point
        return np.where(numbers >= 0, x[np.maximum(numbers, 0)], 0.0)

    def is_loose(self, numbers: Ints) -> Mask:
        """Return which variables are undetermined; −1 is none."""
        return np.asarray((numbers >= 0) & self.loose[np.maximum(numbers, 0)])

    def spread(self, by_flow: Floats) -> Floats:
        """Turn coefficients by flow into coefficients by variable."""
        out = np.zeros(len(self.loose))
        out[self.number[self.there]] = by_flow[self.there]
        return out

    def moves(self, coefficients: Floats) -> bool:
        """Return whether undetermined variables can change Σ coefficient × variable."""
        some = np.flatnonzero(coefficients)
        each = coefficients[some, None] * self.wander[some]
        size = np.abs(each).sum(axis=0).max(initial=0.0)
        return bool(size > 0 and np.abs(each.sum(axis=0)).max() > _DETERMINED * size)

    def moved(self, flows: Ints, group: Ints, n: int) -> Mask:
        """Return whether undetermined variables can change the sum of each of n groups of flows."""
        each = self.wander[self.number[flows]]
        ends = group, np.arange(len(flows))
        gather: sp.csr_array = sp.csr_array(
            sp.coo_array((np.ones(len(flows)), ends), shape=(n, len(flows)))
        )
        size = (gather @ np.abs(each)).max(axis=1, initial=0.0)
        return np.asarray(np.abs(gather @ each).max(axis=1, initial=0.0) > _DETERMINED * size)


@kept
def places(balance: Balance) -> Mapping[tuple[str, int], Place]:
    """Return the place of every substance and year of a balance."""
    variables = balance.model.variables
    layout = balance.bounded.estimate.structure
    loose = ~(layout.fixed | layout.equations.measured | layout.determined)
    wander, space, x = layout.wander(_DIRECTIONS), _space(balance), balance.bounded.estimate.x
    processes, stores = balance.system.processes["process"], balance.system.processes["stock"]
    names = {"flow": balance.system.flows["flow"], "change": processes.where(stores)}
    names["level"] = names["change"]
    codes = {kind: {name: i for i, name in enumerate(some)} for kind, some in names.items()}
    out: dict[tuple[str, int], Place] = {}
    seen = [variables["kind"].eq(kind) & variables["item"].isin(codes[kind]) for kind in codes]
    chosen = variables[np.any(seen, axis=0)]
    for (substance, year), group in chosen.groupby(["substance", "year"], sort=False):
        numbers = {kind: np.full(len(some), -1, dtype=np.int64) for kind, some in names.items()}
        for kind, rows in group.groupby("kind"):
            code = codes[str(kind)]
            numbers[str(kind)][[code[name] for name in rows["item"].tolist()]] = rows.index
        number = numbers["flow"]
        if (number >= 0).any():
            sets = Sets(balance.system, number >= 0)
            key = str(substance), int(str(year))
            stocks = numbers["change"], numbers["level"]
            out[key] = Place(balance, sets, number, *stocks, key[1], loose, wander, space, x)
    return MappingProxyType(out)


def _space(balance: Balance) -> Space:
    """Return what equations and bounds allow where every determined quantity is held."""
    held = balance.held
    return Space(
        sp.csr_array(held.matrix),
        np.concatenate([np.zeros(held.n_nodes), held.right]),
        held.lower,
        held.upper,
        [block.members for block in balance.blocks],
    )
