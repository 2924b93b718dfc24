"""What counts as a source when metal is traced, and which source each flow from one belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Mask
from mfa.errors import MFAError, near
from mfa.recycling.memory import kept
from mfa.recycling.sets import Sets
from mfa.recycling.suppliers import UNKNOWN, supplier_shares
from mfa.schema import fold
from mfa.system.regions import home_regions

By = Literal["origin", "country", "company", "process"]
Given = Mapping[str, str | Mapping[str, float]]

_ORIGINS = ("primary", "new_scrap", "old_scrap", "imported_scrap", "scrap", "stock", UNKNOWN)
STOCK, DOMESTIC = "stock", "domestic"
_SCRAP = ("new_scrap", "old_scrap", "scrap", "end_of_life")
_MIXED = ""
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Sources:
    """Where tracing begins.

    Attributes
    ----------
    names : tuple of str
        The sources; the last is "unknown".
    shares : sparse array, shape (flows, sources)
        Of flows that come from a source; they add up to 1. Other rows are empty.
    definite : array of bool, shape (flows,)
        Flows that come from a source; all others have the mixture of the process they leave.
    mixes : array of bool, shape (processes,)
        Processes that pass on a mixture of what they take in.
    """

    names: tuple[str, ...]
    shares: sp.csr_array
    definite: Mask
    mixes: Mask

    def beside_others(self, source: int) -> Sources:
        """Return one source, and all others together.

        Two columns, of which the last one is that with what is of unknown origin.
        """
        one = self.shares[:, [source]].toarray()
        whole = np.asarray(self.shares.sum(axis=1)).reshape(-1, 1)
        other = np.where(self.definite[:, None], whole - one, 0.0)
        if source == len(self.names) - 1:
            one, other = other, one
        shares = sp.csr_array(np.hstack([one, np.where(np.abs(other) < _ROUNDING, 0.0, other)]))
        shares.eliminate_zeros()
        return Sources((self.names[source], UNKNOWN), shares, self.definite, self.mixes)


def sources(sets: Sets, year: int, by: By | Given = "origin") -> Sources:
    """Return the sources of the flows in one year.

    Parameters
    ----------
    sets : Sets
        Of the flows that have a row in that year.
    year : int
    by : {"origin", "country", "company", "process"} or mapping
        A mapping names the source of flows by their ids, or several with their shares.

    Raises
    ------
    MFAError
        If there is no such way of telling sources apart, or no such flow.
    """
    holds = kept_in_stock(sets)
    mixes = sets.kind("process") & ~holds
    begins = ~mixes[sets.tail]
    labels = np.full(len(sets.tail), _MIXED, dtype=object)
    labels[begins] = UNKNOWN
    labels[holds[sets.tail]] = STOCK
    parts: Mapping[str, Mapping[str, float]] = {}
    if isinstance(by, str):
        if by not in get_args(By):
            known = ", ".join(get_args(By))
            raise MFAError(f"metal cannot be traced by {by!r}; {near(by, get_args(By), known)}")
        if by == "origin":
            labels = origin_labels(sets)
        elif by == "process":
            names = sets.system.processes["process"].to_numpy(dtype=object)
            labels[begins] = names[sets.tail[begins]]
        else:
            parts = _label_suppliers(labels, sets, year, by)
    else:
        parts = _given(by, sets)
    order = _ORIGINS if by == "origin" else ()
    return _sources(labels, parts, sets, mixes, order)


@kept
def kept_in_stock(sets: Sets) -> Mask:
    """Return the processes at whose stock tracing ends: what leaves is no longer what came in.

    These are stocks in use and in landfills, of a process without a stage, and of any that has a
    lifetime. Stocks of smelters, makers and traders pass on this year's metal; only what is
    withdrawn from them, net, is of unknown origin.
    """
    processes = sets.system.processes
    stays = processes["stage"].isin(("use", "disposal", "")).to_numpy()
    lifetimes = sets.system.tables.get("lifetimes")
    if lifetimes is not None:
        stays = stays | processes["process"].isin(lifetimes["process"]).to_numpy()
    return np.asarray(stays & processes["stock"].to_numpy(dtype=bool) & sets.kind("process"))


@kept
def origin_labels(sets: Sets) -> np.ndarray:
    """Return the kind of source that each flow comes from, "" where it leaves a mixture.

    Primary metal and the kinds of scrap are told apart by role, stage and kind.
    """
    holds = kept_in_stock(sets)
    mixes = sets.kind("process") & ~holds
    begins = ~mixes[sets.tail]
    labels = np.where(begins, UNKNOWN, _MIXED).astype(object)
    labels[holds[sets.tail]] = STOCK
    stages = sets.system.processes["stage"]
    mine = stages.isin(("mining", "concentration")).to_numpy()[sets.tail]
    home, used = ~sets.imports[sets.tail], sets.use[sets.tail]
    outside = ~sets.kind("process")[sets.tail]
    labels[begins & home & used] = "old_scrap"
    labels[outside & mine] = "primary"
    labels[sets.role("primary") & (outside | mine)] = "primary"
    labels[sets.role("old_scrap", "end_of_life") & home] = "old_scrap"
    labels[sets.role("new_scrap") & home] = "new_scrap"
    loose = sets.role("scrap") & home & ~sets.lane[sets.tail]
    labels[loose] = np.where(used[loose], "old_scrap", "scrap")
    labels[sets.role(*_SCRAP) & ~home] = "imported_scrap"
    return labels


def _label_suppliers(
    labels: np.ndarray, sets: Sets, year: int, by: str
) -> Mapping[str, Mapping[str, float]]:
    """Return the suppliers of imports, and label what is known by the ends of flows alone."""
    if by == "country":
        system = sets.system
        source = sets.kind("source")[sets.tail] & ~sets.use[sets.tail]
        own = np.array(system.processes["region"].tolist(), dtype=object)
        own[own == ""] = system.settings.region or DOMESTIC
        labels[source] = own[sets.tail[source]]
        labels[sets.kind("source")[sets.tail] & sets.use[sets.tail]] = STOCK
        countries = _countries(sets)
        imports = np.flatnonzero(sets.imports[sets.tail])
        home = home_regions(system.processes, system.settings.region)
        for flow in imports.tolist():
            at = home[sets.tail[flow]]
            abroad = at if at != home[sets.head[flow]] else ""
            labels[flow] = abroad or countries.get(int(sets.tail[flow]), UNKNOWN)
    found = supplier_shares(sets.system, year, by)
    begins = set(sets.system.flows["flow"].to_numpy(dtype=object)[labels != _MIXED].tolist())
    return {flow: parts for flow, parts in found.items() if flow in begins}


def _countries(sets: Sets) -> dict[int, str]:
    """Return the import processes that are called like a country of another sheet."""
    tables = (sets.system.tables.get(name) for name in ("origins", "countries"))
    named = {
        fold(name): name
        for table in tables
        if table is not None
        for name in table["country"].tolist()
        if isinstance(name, str) and name
    }
    out = {}
    processes = sets.system.processes
    for column in ("name", "process"):
        for code, name in enumerate(processes[column].tolist()):
            if isinstance(name, str) and fold(name) in named and sets.imports[code]:
                out[code] = named[fold(name)]
    return out


def _given(by: Given, sets: Sets) -> dict[str, dict[str, float]]:
    """Return the shares of sources that the caller names, the rest of each flow unknown."""
    flows = sets.system.flows["flow"].tolist()
    out = {}
    for flow, source in by.items():
        if flow not in set(flows):
            raise MFAError(f"there is no flow {flow!r} to trace; {near(flow, flows, 'see flows')}")
        parts = {source: 1.0} if isinstance(source, str) else dict(source)
        rest = 1.0 - sum(parts.values())
        if min(parts.values(), default=0.0) < 0 or rest < -1e-9:
            raise MFAError(f"the sources of {flow!r} have shares below 0 or more than 1 together")
        if rest > 1e-12:
            parts[UNKNOWN] = parts.get(UNKNOWN, 0.0) + rest
        out[flow] = parts
    return out


def _sources(
    labels: np.ndarray,
    parts: Mapping[str, Mapping[str, float]],
    sets: Sets,
    mixes: Mask,
    order: Iterable[str],
) -> Sources:
    """Return labels and shares as one sparse array."""
    flows = sets.system.flows["flow"].to_numpy(dtype=object)
    for_flow = [parts.get(flow) for flow in flows.tolist()] if parts else [None] * len(flows)
    split = np.array([found is not None for found in for_flow], dtype=bool)
    single = np.flatnonzero((labels != _MIXED) & ~split)
    entries = [(flow, str(labels[flow]), 1.0) for flow in single.tolist()]
    for flow in np.flatnonzero(split).tolist():
        entries += [(flow, name, share) for name, share in (for_flow[flow] or {}).items()]
    there = set(np.flatnonzero(sets.counted).tolist())
    used = {name for flow, name, _ in entries if flow in there} | {UNKNOWN}
    last = [name for name in (STOCK, UNKNOWN) if name in used]
    names = [name for name in order if name in used] or [*sorted(used - set(last)), *last]
    column = {name: k for k, name in enumerate(names)}
    entries = [entry for entry in entries if entry[1] in column]
    row, name, share = zip(*entries, strict=True) if entries else ((), (), ())
    shape = (len(flows), len(names))
    shares = sp.csr_array(sp.coo_array((share, (row, [column[n] for n in name])), shape=shape))
    return Sources(tuple(names), shares, np.asarray((labels != _MIXED) | split), mixes)
