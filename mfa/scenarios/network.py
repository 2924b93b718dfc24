"""Which flows of a system are pushed by what their process takes in, and which are pulled.

Demand pulls: what enters use or leaves the region as a product has to be made, and the makers draw
what they lack from their suppliers, in the end from mines and imports. Everything else is pushed:
yields, losses and scrap are shares of what their process takes in, and what comes back from use
goes wherever its process sends it. Scrap that arrives at a maker thereby displaces what it pulls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.origin import reachable
from mfa.recycling.sets import Sets
from mfa.system import System

_PUSHED = ("new_scrap", "old_scrap", "scrap", "home_scrap", "end_of_life", "loss", "discrepancy")
_WANTED = ("primary", "refined", "product")


@dataclass(frozen=True, eq=False)
class Network:
    """Processes and flows of a system, by what they do in a projection; masks and codes.

    Attributes
    ----------
    system : System
    living : array of bool, shape (processes,)
        Processes whose stock ages by a lifetime.
    balanced : array of bool, shape (processes,)
        Processes that have a balance; of goods, some have none, and only send or take.
    """

    system: System
    living: Mask
    balanced: Mask

    @cached_property
    def sets(self) -> Sets:
        """Processes by stage and kind, flows by role."""
        return Sets(self.system)

    @property
    def tail(self) -> Ints:
        """Process that each flow leaves."""
        return self.sets.tail

    @property
    def head(self) -> Ints:
        """Process that each flow enters."""
        return self.sets.head

    @property
    def n(self) -> int:
        """Number of flows."""
        return len(self.tail)

    @property
    def n_processes(self) -> int:
        """Number of processes."""
        return len(self.system.processes)

    @cached_property
    def inside(self) -> Mask:
        """Processes with a balance."""
        return np.asarray(self.sets.kind("process") & self.balanced)

    @cached_property
    def senders(self) -> Mask:
        """Imports, sources, and what else sends without a balance."""
        unbalanced = self.sets.kind("process") & ~self.balanced
        return np.asarray(self.sets.kind("import", "source") | unbalanced)

    @cached_property
    def use(self) -> Mask:
        """Balanced processes in which goods are used."""
        return np.asarray((self.sets.use | self.living) & self.inside)

    @cached_property
    def stores(self) -> Mask:
        """Balanced processes with a stock."""
        return np.asarray(self.system.processes["stock"].to_numpy(dtype=bool) & self.inside)

    @cached_property
    def pushed_role(self) -> Mask:
        """Flows whose role says that they come off as a share of something else."""
        return np.asarray(self.sets.role(*_PUSHED) | (self.tail == self.head))

    @cached_property
    def final(self) -> Mask:
        """Flows that somebody wants for themselves: into use, exports, products into sinks."""
        kinds = self.use | self.sets.exports
        sold = self.sets.role(*_WANTED) & self.sets.kind("sink")[self.head]
        return np.asarray((kinds[self.head] | sold) & ~self.pushed_role & ~self.use[self.tail])

    @cached_property
    def to_demand(self) -> Floats:
        """Number of flows from each process to the nearest demand, by-products left out."""
        some = np.flatnonzero(~self.pushed_role)
        start = np.zeros(self.n_processes, dtype=bool)
        start[self.head[self.final]] = True
        return _steps(start, self.head[some], self.tail[some])

    @cached_property
    def from_use(self) -> Floats:
        """Number of flows to each process from the nearest use, import or source."""
        return _steps(self.use | ~self.inside, self.tail, self.head)


def _steps(start: Mask, tail: Ints, head: Ints) -> Floats:
    """Return how many flows each process lies behind some others, inf where none leads to it."""
    out = np.where(start, 0.0, np.inf)
    while True:
        step = out.copy()
        np.minimum.at(step, head, out[tail] + 1.0)
        if (step == out).all():
            return out
        out = step


@dataclass(frozen=True, eq=False)
class Drive:
    """What sets each flow and process of one layer in one year; masks.

    Attributes
    ----------
    pull : array of bool, shape (processes,)
        Processes that draw what they lack from their suppliers.
    pulled : array of bool, shape (flows,)
        Flows drawn by the process that they enter.
    given : array of bool, shape (flows,)
        Flows given from outside: by a scenario, as demand, or because nothing else sets them.
    wanted : array of bool, shape (flows,)
        Flows out of pulling processes that are not by-products.
    """

    pull: Mask
    pulled: Mask
    given: Mask
    wanted: Mask

    @property
    def pushed(self) -> Mask:
        """Flows that are a share of what their process takes in."""
        return np.asarray(~self.pulled & ~self.given)


def drive(net: Network, there: Mask, exact: Mask, shared: Mask) -> Drive:
    """Return what sets each flow.

    Parameters
    ----------
    net : Network
    there : array of bool, shape (flows,)
        Flows that have a row in this layer.
    exact : array of bool, shape (flows,)
        Flows that a scenario gives.
    shared : array of bool, shape (flows,)
        Flows that are a stated share of their process's inputs.
    """
    tail, head = net.tail, net.head
    pushed = net.pushed_role | (shared & _has_another(net, there, shared))
    maker = net.inside & ~net.use & ~net.sets.lane
    open_ = ~exact | net.senders[tail]  # what a mine is said to send still feeds
    passes = np.flatnonzero(there & ~pushed & open_ & maker[head])
    fed = reachable(net.senders, tail[passes], head[passes]) & maker
    roots = there & ~pushed & (net.final | exact) & maker[tail]
    start = np.zeros(net.n_processes, dtype=bool)
    start[tail[roots]] = True
    inner = passes[maker[tail[passes]]]
    pull = fed & reachable(start, head[inner], tail[inner])
    free = there & ~exact
    pulled = free & ~pushed & pull[head] & (pull | net.senders)[tail] & ~net.final
    demand = free & net.final & (pull | net.senders)[tail]
    export = free & net.sets.exports[head] & net.inside[tail] & ~pull[tail] & ~net.use[tail]
    outside = free & ~net.inside[tail] & ~pulled
    given = (there & exact) | demand | export | outside | (free & net.sets.role("discrepancy"))
    wanted = there & pull[tail] & (pulled | (given & ~pushed))
    return Drive(pull, pulled, given & ~pulled, wanted)


def _has_another(net: Network, there: Mask, shared: Mask) -> Mask:
    """Return the flows beside which their process has another outflow that is no by-product."""
    main = there & ~net.pushed_role & ~shared
    has = np.zeros(net.n_processes, dtype=bool)
    has[net.tail[main]] = True
    return np.asarray(has[net.tail])
