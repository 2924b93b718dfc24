"""One year of every layer: the equations, and what capacities and lacking supply change in them.

What a process cannot take, or cannot get, is found by exchanging what closes its balance, one
process at a time: nearest to demand first where material is drawn, nearest to its source first
where it is pushed. Each exchange is followed by a new solution of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mfa.balance.network import Floats, Mask
from mfa.errors import MFAError
from mfa.scenarios.equations import (
    LIMIT,
    NO_GATE,
    SURPLUS,
    Flows,
    Modes,
    Terms,
    add_up,
    rest_shares,
    solve,
    suppliers,
    touched,
    unclosed,
)
from mfa.scenarios.network import Drive, drive

_SLIGHT = 1e-9
CAPACITY, SUPPLY, DEMAND = "capacity", "supply", "demand"


@dataclass(frozen=True)
class Capacity:
    """The most that a process takes in, or a sender sends, of one layer [unit]."""

    process: int
    layer: str
    most: float


@dataclass(frozen=True, eq=False)
class Lack:
    """What could not be: of a process, and of a flow where there is one (else −1)."""

    process: int
    flow: int
    layer: str
    value: float
    reason: str


@dataclass(frozen=True, eq=False)
class Year:
    """A year's flows by layer, what was left over, and what could not be."""

    x: Mapping[str, Floats]
    kept: Mapping[str, Floats]
    unplaced: Mapping[str, Floats]
    lacks: tuple[Lack, ...]


class _State:
    """Terms, modes and solution of every layer while they settle."""

    def __init__(self, layers: Mapping[str, Terms], capacities: list[Capacity]) -> None:
        self.terms = dict(layers)
        self.capacities = capacities
        self.modes = {name: _free(terms) for name, terms in layers.items()}
        self.found: dict[str, Flows] = {}
        self.lacks: dict[tuple[int, str], Lack] = {}
        self.wanted = {name: terms.value.copy() for name, terms in layers.items()}

    def solve(self) -> None:
        """Solve every layer; makers without suppliers have too much or too little."""
        for name, terms in self.terms.items():
            modes = self.modes[name]
            alone = self.alone(name) & ~modes.rationed & (modes.gate == NO_GATE)
            if alone.any():
                gate = np.where(alone, SURPLUS, modes.gate)
                self.modes[name] = replace(modes, gate=gate)
            self.found[name] = solve(terms, self.modes[name])

    def alone(self, layer: str) -> Mask:
        """Return the makers that nobody is left to supply."""
        terms, modes = self.terms[layer], self.modes[layer]
        open_, _ = suppliers(terms, modes)
        return np.asarray(modes.drive.pull & ~touched(terms.net, terms.net.head, open_))

    def ration(self, layer: str, process: int) -> None:
        """Let a process share out what it has as it was asked for it."""
        modes = self.modes[layer]
        asked = modes.asked.copy()
        out = self.terms[layer].net.tail == process
        found = self.found.get(layer)
        values = self.terms[layer].value if found is None else found.x
        given = np.where(modes.drive.given, self.terms[layer].value, values)
        asked[out] = np.maximum(np.nan_to_num(given[out]), 0.0)
        rationed = modes.rationed.copy()
        rationed[process] = True
        self.modes[layer] = replace(modes, rationed=rationed, asked=asked)

    def gate(self, layer: str, process: int, kind: int) -> None:
        """Open or close the gate of a process."""
        gate = self.modes[layer].gate.copy()
        gate[process] = kind
        self.modes[layer] = replace(self.modes[layer], gate=gate)

    def limit(self, process: int, ratio: float) -> None:
        """Limit a process in every layer to a share of what it took in, or sent."""
        for name, found in self.found.items():
            terms, modes = self.terms[name], self.modes[name]
            if terms.net.inside[process]:
                limit = modes.limit.copy()
                limit[process] = ratio * found.taken[process]
                self.modes[name] = replace(modes, limit=limit)
                if modes.drive.pull[process]:
                    self.ration(name, process)
                if not modes.drive.pull[process] or modes.gate[process] != NO_GATE:
                    self.gate(name, process, LIMIT)


def _free(terms: Terms) -> Modes:
    """Return the modes without any limit; pure ends of the line hold what nothing takes."""
    net = terms.net
    ruled = terms.there & ~np.isnan(terms.share)
    how = drive(net, terms.there, terms.exact, ruled)
    m = net.n_processes
    blank = Modes(
        how,
        np.full(m, np.inf),
        np.zeros(m, dtype=bool),
        np.zeros(m, dtype=np.int8),
        np.zeros(net.n),
    )
    rest, _ = rest_shares(terms, blank)
    there = np.flatnonzero(terms.there)
    busy = touched(net, net.head, there) | touched(net, net.tail, there)
    closed = touched(net, net.tail, rest) | how.pull | net.stores
    return replace(blank, gate=np.where(net.inside & busy & ~closed, SURPLUS, NO_GATE))


def settle(layers: Mapping[str, Terms], capacities: list[Capacity]) -> Year:
    """Return the flows of a year.

    Raises
    ------
    MFAError
        If stated shares leave a balance open, or no answer settles.
    """
    state = _State(layers, capacities)
    most = 20 * (1 + max(terms.net.n_processes for terms in layers.values()))
    for _ in range(most):
        state.solve()
        if not _exchange(state):
            return _year(state)
    raise MFAError(
        "capacities and supply do not settle on an answer; see whether capacities of processes "
        "that feed each other contradict"
    )


def _exchange(state: _State) -> bool:
    """Change the first thing that the solution breaks; return whether there was any."""
    return (
        any(_superfluous(state, name) for name in state.terms)
        or _too_much_drawn(state)
        or _too_much_sent(state)
        or _too_much_pushed(state)
        or any(_too_little(state, name) for name in state.terms)
    )


def _scale(found: Flows) -> float:
    return _SLIGHT * max(float(np.abs(found.x).max(initial=0.0)), 1e-300)


def _first(where: Mask, order: Floats) -> int | None:
    """Return the first of some processes in an order, None where there is none."""
    some = np.flatnonzero(where)
    return int(some[np.argmin(order[some])]) if len(some) else None


def _superfluous(state: _State, layer: str) -> bool:
    """Close a gate that would let in more than arrives."""
    found, modes = state.found[layer], state.modes[layer]
    terms = state.terms[layer]
    closed = (modes.gate != NO_GATE) & (found.left < -_scale(found))
    process = _first(closed, terms.net.from_use)
    if process is None:
        return False
    lacks = state.alone(layer)[process] or not modes.drive.pull[process]
    if modes.gate[process] == SURPLUS and lacks:
        state.ration(layer, process)  # its outflows ask for more than there is
    state.gate(layer, process, NO_GATE)
    return True


def _over(state: _State, where: str) -> tuple[Capacity, float] | None:
    """Return the first capacity that is exceeded among processes that pull, push or send."""
    best: tuple[float, Capacity, float] | None = None
    for capacity in state.capacities:
        terms, found = state.terms[capacity.layer], state.found[capacity.layer]
        modes, p = state.modes[capacity.layer], capacity.process
        if np.isfinite(modes.limit[p]):
            continue
        kind = "pull" if modes.drive.pull[p] else "push" if terms.net.inside[p] else "send"
        mine = (terms.net.tail == p) & terms.there
        amount = found.x[mine].sum() if kind == "send" else found.taken[p]
        if kind != where or amount <= capacity.most * (1 + _SLIGHT) + _scale(found):
            continue
        order = float((terms.net.from_use if where == "push" else terms.net.to_demand)[p])
        if best is None or order < best[0]:
            best = order, capacity, float(amount)
    return None if best is None else (best[1], best[2])


def _too_much_drawn(state: _State) -> bool:
    """Hold back the process nearest to demand that draws more than it can take, or below 0."""
    for name, terms in state.terms.items():
        found, modes = state.found[name], state.modes[name]
        below = modes.drive.pull & (found.drawn < -_scale(found)) & (modes.gate == NO_GATE)
        process = _first(below, terms.net.to_demand)
        if process is not None:
            limited = modes.rationed[process] and np.isfinite(modes.limit[process])
            state.gate(name, process, LIMIT if limited else SURPLUS)
            return True
    over = _over(state, "pull")
    return _hold(state, over)


def _too_much_pushed(state: _State) -> bool:
    return _hold(state, _over(state, "push"))


def _hold(state: _State, over: tuple[Capacity, float] | None) -> bool:
    if over is None:
        return False
    capacity, amount = over
    if state.modes[capacity.layer].drive.pull[capacity.process]:
        key = capacity.process, capacity.layer
        lack = amount - capacity.most
        state.lacks[key] = Lack(capacity.process, -1, capacity.layer, lack, CAPACITY)
    state.limit(capacity.process, capacity.most / amount)
    return True


def _too_much_sent(state: _State) -> bool:
    """Let a sender send no more than it has, to its customers in proportion."""
    over = _over(state, "send")
    if over is None:
        return False
    capacity, amount = over
    for name, terms in state.terms.items():
        found, modes = state.found[name], state.modes[name]
        limit, how = modes.limit.copy(), modes.drive
        limit[capacity.process] = capacity.most
        mine = (terms.net.tail == capacity.process) & terms.there & how.pulled
        value = np.where(mine, found.x * capacity.most / amount, terms.value)
        state.terms[name] = replace(terms, value=value, exact=terms.exact | mine)
        how = Drive(how.pull, how.pulled & ~mine, how.given | mine, how.wanted)
        state.modes[name] = replace(modes, drive=how, limit=limit)
    key = capacity.process, capacity.layer
    state.lacks[key] = Lack(capacity.process, -1, capacity.layer, amount - capacity.most, CAPACITY)
    return True


def _too_little(state: _State, layer: str) -> bool:
    """Ration a process whose given outflows are more than it has."""
    terms, found, modes = state.terms[layer], state.found[layer], state.modes[layer]
    rest, _ = rest_shares(terms, modes)
    short = rest & (found.x < -_scale(found))
    lacks = np.zeros(terms.net.n_processes, dtype=bool)
    lacks[terms.net.tail[short]] = True
    given = modes.drive.given & terms.there
    lacks &= touched(terms.net, terms.net.tail, given) & ~modes.drive.pull & ~modes.rationed
    process = _first(lacks, terms.net.from_use)
    if process is None:
        return False
    state.ration(layer, process)
    return True


def _year(state: _State) -> Year:
    """Move what was left over to those who sent it, and list what could not be."""
    x, kept, unplaced = {}, {}, {}
    lacks = list(state.lacks.values())
    for name, terms in state.terms.items():
        found, modes, net = state.found[name], state.modes[name], terms.net
        open_ = np.flatnonzero(unclosed(terms, found))
        if len(open_):
            ids = net.system.processes["process"].iloc[open_].tolist()
            raise MFAError(
                f"the stated shares of {', '.join(map(repr, ids))} leave part of what comes in "
                "nowhere to go; change fewer of its coefficients, or add a flow for the rest"
            )
        values = np.where(terms.there, found.x, np.nan)
        asked = state.wanted[name]
        slight = _scale(found)
        less = modes.drive.given & terms.there & ~np.isnan(asked) & (asked - found.x > slight)
        for flow in np.flatnonzero(less).tolist():
            short = float(asked[flow] - found.x[flow])
            lacks.append(Lack(int(net.head[flow]), flow, name, short, SUPPLY))
        over = np.zeros(net.n)
        arrives = terms.there & ~modes.drive.pulled & (net.tail != net.head)
        for process in np.flatnonzero(found.left > slight).tolist():
            some = arrives & (net.head == process) & (found.x > 0)
            part = found.left[process] * found.x * some / max(found.x[some].sum(), 1e-300)
            over += part
            reason = CAPACITY if modes.gate[process] == LIMIT else DEMAND
            lacks += [
                Lack(process, flow, name, float(part[flow]), reason)
                for flow in np.flatnonzero(part > 0).tolist()
            ]
        x[name] = values - over
        unplaced[name] = np.where(net.inside[net.tail], over, 0.0)
        kept[name] = found.taken - add_up(net, net.tail, np.nan_to_num(values))
    return Year(x, kept, unplaced, tuple(lacks))
