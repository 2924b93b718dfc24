"""The part of a system that a shock can reach, as far as its flows are determined."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints, Mask
from mfa.errors import MFAError
from mfa.recycling.sets import Sets

_TECHNICAL = ("loss", "new_scrap", "home_scrap", "discrepancy")
SMALLEST = 1e-9  # of the largest flow: less is nothing


@dataclass(frozen=True, eq=False)
class Yearly:
    """The flows of one substance and year, as the balance has them.

    Attributes
    ----------
    balance : Balance
    substance, year : str, int
    value : array, shape (flows,)
        Value of each flow of the system [unit], nan where it is undetermined or not there.
    there : array of bool, shape (flows,)
        Flows that have a row for the substance and year.
    """

    balance: Balance
    substance: str
    year: int
    value: Floats
    there: Mask

    @cached_property
    def sets(self) -> Sets:
        """Processes by kind and stage, flows by role."""
        return Sets(self.balance.system, self.there)

    @cached_property
    def loose(self) -> Mask:
        """Flows that are there but undetermined."""
        return np.asarray(self.there & np.isnan(self.value))

    @cached_property
    def names(self) -> list[str]:
        """Ids of the processes."""
        return [str(name) for name in self.balance.system.processes["process"]]

    @cached_property
    def flow_names(self) -> list[str]:
        """Ids of the flows."""
        return [str(name) for name in self.balance.system.flows["flow"]]

    @cached_property
    def technical(self) -> Mask:
        """Flows that go with the activity of the process they leave: losses and new scrap."""
        disposal = (self.balance.system.processes["stage"] == "disposal").to_numpy()
        return np.asarray(self.sets.role(*_TECHNICAL) | disposal[self.sets.head])

    @cached_property
    def clear(self) -> Mask:
        """Balanced processes other than use, all of whose flows are determined."""
        sets = self.sets
        doubtful = np.zeros(len(self.names), dtype=bool)
        for ends in (sets.tail, sets.head):
            doubtful[ends[self.loose]] = True
        return np.asarray(sets.kind("process") & ~sets.use & ~doubtful)


def yearly(balance: Balance, substance: str | None, year: int | None) -> Yearly:
    """Return the flows of a substance and year; by default the first, and its last year.

    Raises
    ------
    MFAError
        If no flow has a row for them.
    """
    system = balance.system
    substance = system.substances[0] if substance is None else substance
    table = balance.flows
    rows = table[table["substance"] == substance]
    if rows.empty:
        known = ", ".join(system.layers)
        raise MFAError(f"no flow has a row for the substance {substance!r}; there are {known}")
    year = int(rows["year"].max()) if year is None else year
    rows = rows[rows["year"] == year]
    if rows.empty:
        years = ", ".join(map(str, system.years))
        raise MFAError(f"no flow of {substance} has a row for {year}; there are {years}")
    by_flow = rows.set_index("flow")["value"].reindex(system.flows["flow"])
    there = system.flows["flow"].isin(rows["flow"]).to_numpy()
    return Yearly(balance, substance, year, by_flow.to_numpy(dtype=np.float64), there)


@dataclass(frozen=True, eq=False)
class Path:
    """What a shock reaches: processes that pass it on, and those where it arrives.

    Attributes
    ----------
    yearly : Yearly
    inner : array of int
        Processes that pass on what they get: clear ones.
    ends : array of int
        Where what they make arrives: use, exports, and processes with undetermined flows, beyond
        which nothing can be said.
    flows : array of int
        Flows of the system that touch inner processes or bring supply to ends.
    """

    yearly: Yearly
    inner: Ints
    ends: Ints
    flows: Ints

    @cached_property
    def blocked(self) -> list[tuple[str, list[str]]]:
        """Balanced ends, not use, with the undetermined flows for which the path stops there."""
        y = self.yearly
        stops = y.sets.kind("process") & ~y.sets.use
        out = []
        for end in self.ends[stops[self.ends]].tolist():
            own = y.loose & ((y.sets.tail == end) | (y.sets.head == end))
            out.append((y.names[end], [y.flow_names[f] for f in np.flatnonzero(own)]))
        return out


def path(y: Yearly, flows: Collection[int], processes: Iterable[int]) -> Path:
    """Return the path downstream of some flows and processes.

    Parameters
    ----------
    y : Yearly
    flows, processes : collections of int
        Flows and balanced processes that are hit, or that stand in for what is lost.

    Raises
    ------
    MFAError
        If a flow or process that is hit is undetermined.
    """
    sets = y.sets
    _check(y, flows, processes)
    inner = np.zeros(len(y.names), dtype=bool)
    waiting = [*processes, *(int(sets.head[flow]) for flow in flows)]
    while waiting:
        process = waiting.pop()
        if y.clear[process] and not inner[process]:
            inner[process] = True
            out = y.there & (sets.tail == process)
            waiting += sets.head[out].tolist()
    known = y.there & ~y.loose
    touched = known & (inner[sets.tail] | inner[sets.head])
    touched[list(flows)] = True
    arrives = touched & ~inner[sets.head] & ~y.technical & ~sets.discrepancies
    arrives &= inner[sets.tail] | np.isin(np.arange(len(arrives)), list(flows))
    ends = np.unique(sets.head[arrives])
    inside = np.zeros(len(y.names), dtype=bool)
    inside[ends] = True
    also = known & inside[sets.head] & sets.kind("process")[sets.head] & ~sets.discrepancies
    return Path(y, np.flatnonzero(inner), ends, np.flatnonzero(touched | also))


def _check(y: Yearly, flows: Collection[int], processes: Iterable[int]) -> None:
    """Refuse what has no size, and say what to measure."""
    when = f"of {y.substance} in {y.year}"
    for flow in flows:
        name = y.flow_names[flow]
        if not y.there[flow]:
            raise MFAError(f"the flow {name!r} has no row {when}; add one to the sheet 'flows'")
        if y.loose[flow]:
            raise MFAError(
                f"the flow {name!r} {when} is undetermined, so that nobody knows what is lost; "
                f"measure {_either(y, flow)}"
            )
    for process in processes:
        own = y.loose & ((y.sets.tail == process) | (y.sets.head == process))
        if own.any():
            some = ", ".join(y.flow_names[f] for f in np.flatnonzero(own)[:3])
            raise MFAError(
                f"the process {y.names[process]!r} has undetermined flows {when}: {some}; "
                f"measure {_either(y, int(np.flatnonzero(own)[0]))}"
            )


def _either(y: Yearly, flow: int) -> str:
    """Return what to measure so that a flow is determined: itself, or one tangled with it."""
    found = y.balance.why([(y.flow_names[flow], y.substance, y.year)])
    freed = list(found["freed_by"].iloc[0]) if len(found) else []
    return " or ".join(map(str, freed[:3])) or y.flow_names[flow]
