"""How much metal could come back: the largest flow that capacities let through, and what cuts it.

The network runs from where scrap arises (what leaves use, new scrap of makers, imports of scrap) by
collection, sorting, recycling and scrap trade to metal: refined metal that leaves smelting and
refining, or scrap that another maker melts. A process is an arc with its capacity; flows are
unlimited, but for those by which scrap arises and exports, which are no way to metal. Losses are
not taken off: the largest flow is what could come back if nothing were lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.network import Floats, Mask
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.totals import Total, total
from mfa.schema import GOODS, SCRAP_ROLES

COLUMNS = {
    "item": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "capacity": "float64",
    "utilisation": "float64",
    "utilisation_low": "float64",
    "utilisation_high": "float64",
    "binding": "bool",
    "gain": "float64",
    "room": "float64",
    "largest_flow": "float64",
    "kind": "str",
    "note": "str",
    "unit": "str",
}
SOURCE, METAL = "arises", "metal"
_GRAIN = 10**12
_SMALLEST = 1e-9


@dataclass(frozen=True, eq=False)
class Ways:
    """Arcs from where scrap arises to metal, and what each process lets through.

    Attributes
    ----------
    supply : dict of process to float
        Scrap that arises before it [unit of the system]; inf where there is no limit.
    passes : set of (process, process)
    metal : set of process
        Those that metal comes out of.
    capacity : dict of process to float
        Of those that have one that can be compared.
    """

    supply: dict[str, float]
    passes: set[tuple[str, str]]
    metal: set[str]
    capacity: dict[str, float]

    def largest(self) -> tuple[float, set[Any], set[Any]]:
        """Return the largest flow, and what can be reached before the cut and what lies after.

        Capacities are scaled to integers, for the algorithm may not end on floats. The nodes are
        (process, "in") and (process, "out"); a process is in the cut if its "in" can still be
        reached and its "out" cannot. More capacity there helps if metal can be reached from "out".
        """
        graph = self._graph()
        if SOURCE not in graph or METAL not in graph or not nx.has_path(graph, SOURCE, METAL):
            return 0.0, {SOURCE}, {METAL}
        unlimited = nx.DiGraph(
            (a, b) for a, b, mass in graph.edges(data="mass") if not np.isfinite(mass)
        )
        if {SOURCE, METAL} <= set(unlimited) and nx.has_path(unlimited, SOURCE, METAL):
            return np.inf, {SOURCE}, {METAL}
        sizes = [mass for *_, mass in graph.edges(data="mass") if np.isfinite(mass)]
        scale = _GRAIN / max(*sizes, 1e-300)
        for _, _, edge in graph.edges(data=True):
            if np.isfinite(edge["mass"]):
                edge["capacity"] = round(edge["mass"] * scale)
        flow = nx.algorithms.flow.preflow_push(graph, SOURCE, METAL)
        left = nx.DiGraph(
            (a, b) for a, b, edge in flow.edges(data=True) if edge["capacity"] > edge["flow"]
        )
        left.add_nodes_from([SOURCE, METAL])
        before = {SOURCE, *nx.descendants(left, SOURCE)}
        after = {METAL, *nx.ancestors(left, METAL)}
        return flow.graph["flow_value"] / scale, before, after

    def _graph(self) -> nx.DiGraph:
        graph = nx.DiGraph()
        names = {name for pair in self.passes for name in pair} | self.metal | set(self.supply)
        for name in names:
            mass = self.capacity.get(name, np.inf)
            graph.add_edge((name, "in"), (name, "out"), mass=mass)
        for a, b in self.passes:
            graph.add_edge((a, "out"), (b, "in"), mass=np.inf)
        for name, mass in self.supply.items():
            graph.add_edge(SOURCE, (name, "in"), mass=mass)
        for name in self.metal:
            graph.add_edge((name, "out"), METAL, mass=np.inf)
        return graph


def capacity(balance: Balance) -> pd.DataFrame:
    """Return how full each process with a capacity is, and whether it holds back recycling.

    The largest flow of metal that could come back through all capacities together is found with
    its smallest cut; ``binding`` processes lie in a cut, with ``gain`` the recycled metal per unit
    of capacity added there (0 where another cut would hold it back) and ``room`` how much could be
    added before something else binds. Supply of scrap is as it is now; where it is undetermined,
    at the most that it can be.

    A capacity in gross mass is converted into the substance by what enters the process: by its
    rows for goods, or by compositions; one that cannot be is not comparable, and ``note`` says why.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        item (process), substance, year; value, sd, low, high (what enters), capacity [unit of the
        system, of the substance]; utilisation (a range where the value is undetermined); binding,
        gain, room, largest_flow; kind; note.

    Examples
    --------
    >>> import networkx as nx
    >>> import mfa
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Use", {"kind": "source", "stage": "use"}), ("Dump", {"kind": "sink"})])
    >>> G.add_node("Smelter", stage="smelting", capacity=25.0, capacity_substance="Cu")
    >>> G.add_nodes_from([("Yard", {"stage": "collection"}), ("Market", {"kind": "export"})])
    >>> _ = G.add_edge("Use", "Yard", key="old", role="end_of_life", value=40.0, sd=2.0)
    >>> _ = G.add_edge("Yard", "Smelter", key="scrap", role="old_scrap", value=20.0, sd=1.0)
    >>> _ = G.add_edge("Yard", "Dump", key="burnt", role="loss")
    >>> _ = G.add_edge("Smelter", "Market", key="metal", role="refined")
    >>> balance = mfa.reconcile(mfa.System.from_graph(G))
    >>> row = mfa.capacity(balance).iloc[0]
    >>> row["item"], float(row["utilisation"]), bool(row["binding"]), float(row["room"])
    ('Smelter', 0.8, True, 15.0)
    """
    return _table(balance)


@remembered
def _table(balance: Balance) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    processes = balance.system.processes
    some = processes.index[processes["capacity"].notna() & processes["kind"].eq("process")]
    for (substance, year), place in sorted(places(balance).items(), key=lambda item: item[0]):
        if len(some) and substance in balance.system.substances:
            keys = {"substance": substance, "year": year, "unit": balance.system.unit}
            rows += [keys | row for row in _rows(place, substance, year, some.tolist())]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _rows(place: Place, substance: str, year: int, some: list[int]) -> list[dict[str, object]]:
    found = {k: comparable(place, k, substance, year) for k in some}
    ways = ways_of(place, {k: number for k, (number, _) in found.items()})
    largest, before, after = ways.largest()
    names = place.balance.system.processes["process"]
    stages = place.balance.system.processes["stage"]
    out = []
    for k, (number, why) in found.items():
        name = str(names[k])
        flows = _enters(place, k)
        inside = total(flows, place) if flows.any() else Total(0.0, 0.0, 0.0, 0.0, 0.0)
        in_cut = (name, "in") in before and (name, "out") not in before
        in_last = (name, "out") in after and (name, "in") not in after
        helps = in_cut and (name, "out") in after
        room = _room(ways, name, largest) if helps else 0.0
        plant = stages[k] in ("smelting", "refining")
        ratio = number if number > 0 else np.nan
        out.append(
            {
                "item": name,
                "value": inside.value,
                "sd": inside.sd,
                "low": inside.low,
                "high": inside.high,
                "capacity": number,
                "utilisation": inside.value / ratio,
                "utilisation_low": inside.low / ratio,
                "utilisation_high": inside.high / ratio,
                "binding": not why and bool(in_cut or in_last),
                "gain": np.nan if why else float(helps),
                "room": np.nan if why else room,
                "largest_flow": largest if np.isfinite(largest) else np.nan,
                "kind": "smelter capacity" if plant else "capacity",
                "note": why,
            }
        )
    return out


def _room(ways: Ways, name: str, largest: float) -> float:
    """Return how much more capacity of one process helps; nan where it always does."""
    others = {key: value for key, value in ways.capacity.items() if key != name}
    free, *_ = replace(ways, capacity=others).largest()
    return free - largest if np.isfinite(free) else np.nan


def _enters(place: Place, process: int) -> Mask:
    sets = place.sets
    return np.asarray(sets.counted & (sets.head == process) & (sets.tail != process))


def ways_of(place: Place, capacities: dict[int, float]) -> Ways:
    """Return the ways from scrap to metal at a place, through some capacities (nan: none)."""
    sets = place.sets
    names = place.balance.system.processes["process"].to_numpy(dtype=object)
    plants = sets.smelting
    on_way = sets.lane | plants
    flows = sets.counted & (sets.head != sets.tail)
    inside = sets.lane | sets.makers
    scrap = flows & sets.role(*SCRAP_ROLES, "end_of_life") & ~sets.role("home_scrap", "loss")
    arises = scrap & inside[sets.head] & ~sets.lane[sets.tail]
    arises &= sets.use[sets.tail] | sets.makers[sets.tail] | sets.imports[sets.tail]
    goes = flows & on_way[sets.tail] & inside[sets.head] & ~sets.role("loss")
    goes &= sets.lane[sets.tail] | plants[sets.head]
    goes &= ~(arises & sets.makers[sets.tail])
    supply: dict[str, float] = {}
    for flow in np.flatnonzero(arises).tolist():
        name = str(names[sets.head[flow]])
        supply[name] = supply.get(name, 0.0) + _most(place, flow)
    passes = {
        (str(names[sets.tail[f]]), str(names[sets.head[f]])) for f in np.flatnonzero(goes).tolist()
    }
    metal = set()
    ends = (arises | goes) & sets.makers[sets.head] & ~plants[sets.head]
    metal |= set(names[sets.head[ends]].tolist())
    gives = flows & plants[sets.tail] & ~plants[sets.head] & ~sets.disposal[sets.head]
    gives &= ~sets.role(*SCRAP_ROLES, "loss")
    metal |= set(names[sets.tail[gives]].tolist())
    known = {str(names[k]): number for k, number in capacities.items() if np.isfinite(number)}
    return Ways(supply, passes, metal, known)


def _most(place: Place, flow: int) -> float:
    """Return a flow, or the most that it can be where it is undetermined."""
    chosen = np.zeros(len(place.number), dtype=bool)
    chosen[flow] = True
    found = total(chosen, place)
    most = found.high if np.isnan(found.value) else found.value
    return np.inf if np.isnan(most) else max(most, 0.0)


def comparable(place: Place, process: int, substance: str, year: int) -> tuple[float, str]:
    """Return a process's capacity in a substance, or nan and why it cannot be compared."""
    row = place.balance.system.processes.iloc[process]
    counted = row["capacity_substance"] or GOODS
    number = float(row["capacity"])
    if counted == substance:
        return number, ""
    flows = np.flatnonzero(_enters(place, process))
    share, why = _content(place, flows.tolist(), substance, str(counted), year)
    return (number * share, "") if not why else (np.nan, f"not comparable: {why}")


def _content(
    place: Place, flows: list[int], substance: str, counted: str, year: int
) -> tuple[float, str]:
    """Return Σ substance ÷ Σ what the capacity counts in some flows, or why it is unknown."""
    system = place.balance.system
    other = places(place.balance).get((counted, year))
    ids = system.flows["flow"].to_numpy(dtype=object)
    above, below = 0.0, 0.0
    for flow in flows:
        mine = _known(place, flow)
        if np.isnan(mine):
            return np.nan, f"{substance} in {ids[flow]} is undetermined"
        whole = np.nan
        if other is not None and other.there[flow]:
            whole = _known(other, flow)
        elif counted == GOODS and mine > 0:
            whole = mine / _composition(place.balance, str(ids[flow]), substance, year)
        elif counted != GOODS:
            whole = 0.0  # a flow without a row for a substance carries none
        if np.isnan(whole) and mine > _SMALLEST:
            return np.nan, f"{counted} in {ids[flow]} is not known, nor a composition of it"
        above, below = above + mine, below + (0.0 if np.isnan(whole) else whole)
    return (above / below, "") if below > 0 else (np.nan, f"no {counted} enters")


def _known(place: Place, flow: int) -> float:
    chosen = np.zeros(len(place.number), dtype=bool)
    chosen[flow] = True
    return total(chosen, place).value if place.there[flow] else 0.0


def _composition(balance: Balance, flow: str, substance: str, year: int) -> float:
    """Return substance ÷ goods of a flow from the sheet compositions, nan if there is none."""
    table = balance.compositions
    for row in table[table["substance"] == substance].to_dict("records"):
        named = {part.strip() for part in str(row["flow"]).split(",")}
        common = pd.isna(row["year"]) or int(str(row["year"])) in (0, year)
        if flow in named and common:
            share = float(str(row["value"]))
            return share if share > 0 else np.nan
    return np.nan


def capacity_gain(place: Place, process: str, target: float) -> dict[str, object]:
    """Return what another capacity of one process would add to the largest flow back to metal."""
    system = place.balance.system
    names = system.processes["process"].tolist()
    k = names.index(process)
    substance, year = next(key for key, one in places(place.balance).items() if one is place)
    now = float(system.processes["capacity"].to_numpy(dtype=np.float64)[k])
    some = system.processes.index[system.processes["capacity"].notna()].tolist()
    found = {i: comparable(place, i, substance, year) for i in some}
    out: dict[str, object] = {"now": now}
    if np.isnan(now):
        return out | {"problem": "the process states no capacity"}
    number, why = found[k]
    if why:
        return out | {"problem": why}
    ways = ways_of(place, {i: each for i, (each, _) in found.items()})
    wider = dict(ways.capacity) | {process: number * target / now if now else target}
    flows: Floats = np.array([w.largest()[0] for w in (ways, replace(ways, capacity=wider))])
    if not np.isfinite(flows).all():
        return out | {"problem": "there is no limit to what could come back"}
    return out | {"flow_gain": float(flows[1] - flows[0])}
