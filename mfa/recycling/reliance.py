"""The indicators of supply: reliance on imports, self-sufficiency, stocks, recycled content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.definitions import Definition, all_recycled, produced
from mfa.recycling.memory import kept
from mfa.recycling.origin import MIXED, UNKNOWN, Origin, settle
from mfa.recycling.place import Place, Term
from mfa.recycling.sets import Sets
from mfa.recycling.sources import kept_in_stock, origin_labels
from mfa.recycling.suppliers import equity_shares

_DAYS = 365.0
_ANY = (-np.inf, np.inf)
LOSS = "loss"
_LANE = "collection, sorting, recycling or scrap trade"


def _nothing(sets: Sets) -> Mask:
    return np.zeros(len(sets.tail), dtype=bool)


def _stocks(numbers: Ints, processes: Mask) -> Ints:
    chosen: Ints = numbers[processes & (numbers >= 0)]
    return chosen


def _fabrication(sets: Sets) -> Mask:
    return sets.stage("fabrication")


def _demand(place: Place) -> list[Term]:
    """dem: refined metal that enters fabrication, as reported."""
    makers = _fabrication(place.sets)
    return [Term(place.sets.flows(("refined",), ~makers, makers))]


def _metal_trade(sets: Sets) -> Mask:
    """Return the trade processes that handle refined metal."""
    out = np.zeros(len(sets.kind("process")), dtype=bool)
    refined = sets.flows(("refined",))
    out[sets.tail[refined]] = True
    out[sets.head[refined]] = True
    return out & sets.stage("trade")


def _traded(place: Place, role: str) -> list[Term]:
    """Imp − exp of a role."""
    sets = place.sets
    out = [Term(sets.flows((role,), sets.imports))]
    return [*out, Term(sets.flows((role,), target=sets.exports), factor=-1.0)]


def _made(place: Place, role: str) -> list[Term]:
    """Return what is produced of a role inside the boundary.

    Primary: from sources and mines. Refined: from smelting and refining. Products: from the
    makers, without the imported ones that they take in.
    """
    sets = place.sets
    if role == "refined":
        return produced(place)
    mines = sets.stage("mining", "concentration")
    if role == "primary":
        return [Term(sets.flows((role,), sets.kind("source") | mines, ~mines))]
    bought = sets.flows((role,), sets.imports, sets.makers)
    return [Term(sets.flows((role,), sets.makers, ~sets.makers)), Term(bought, factor=-1.0)]


def _reliance(role: str) -> Definition:
    """Net imports of a role over its apparent use."""
    return Definition(
        "import_reliance",
        lambda place: _traded(place, role),
        lambda place: _made(place, role) + _traded(place, role),
        f"{role} flows from an import or to an export",
        f"{role} flows produced, imported or exported",
        f"net imports of {role} metal / production and net imports; below 0 for a net exporter",
        "USGS, Mineral Commodity Summaries; without stocks",
        item=role,
        span=(-np.inf, 1.0),
    )


def _apparent(place: Place) -> list[Term]:
    """App = prod + imp − exp − dS."""
    return produced(place) + _net_of_stocks(place)


def _net_of_stocks(place: Place) -> list[Term]:
    """Imp − exp − dS of refined metal."""
    sets = place.sets
    drawn = _stocks(place.change, _metal_trade(sets))
    return [*_traded(place, "refined"), Term(_nothing(sets), factor=-1.0, also=drawn)]


def _refined_stock(place: Place) -> list[Term]:
    """Return the level; mass in the step's unit, as the flows below are."""
    sets = place.sets
    level = _stocks(place.level, _metal_trade(sets))
    return [Term(_nothing(sets), factor=place.step, also=level)]


def _demand_by_day(place: Place) -> list[Term]:
    return [replace(term, factor=1.0 / _DAYS) for term in _demand(place)]


def _added(place: Place) -> list[Term]:
    sets = place.sets
    return [Term(_nothing(sets), also=_stocks(place.change, sets.use))]


def _circular(place: Place) -> list[Term]:
    """U = rec − scrap[I→] + scrap[→O]: what was collected here, wherever it is recycled."""
    sets = place.sets
    bought = Term(sets.flows(("scrap",), sets.imports), factor=-1.0)
    return [*all_recycled(place), bought, Term(sets.flows(("scrap",), target=sets.exports))]


def _consumed(place: Place) -> list[Term]:
    """Dmc = all[I∪source→] − all[→O]."""
    sets = place.sets
    taken = Term(sets.flows((), sets.imports | sets.kind("source")))
    return [taken, Term(sets.flows((), target=sets.exports), factor=-1.0)]


def _traced(sets: Sets, name: str, kinds: dict[str, float], given: Floats | None = None) -> Origin:
    """Return an origin traced through all of the system, by the share of it in each source."""
    labels = origin_labels(sets)
    share = np.array([kinds.get(label, UNKNOWN) for label in labels.tolist()])
    share[labels == ""] = MIXED
    if given is not None:
        share = np.where(np.isnan(given), share, given)
    inside = sets.kind("process") & ~kept_in_stock(sets)
    return settle(sets, Origin(name, inside, share))


_SCRAP = dict.fromkeys(("new_scrap", "old_scrap", "scrap"), 1.0)


def _fed(place: Place) -> list[Term]:
    """All inflow of fabrication."""
    makers = _fabrication(place.sets)
    return [Term(place.sets.flows((), ~makers, makers))]


@kept
def _recycled(sets: Sets) -> Origin:
    """Trace scrap of any kind through all of the system."""
    return _traced(sets, "recycled", _SCRAP | {"imported_scrap": 1.0, "primary": 0.0})


def _fed_with_scrap(place: Place) -> list[Term]:
    return [Term(term.flows, _recycled(place.sets)) for term in _fed(place)]


@kept
def _own(sets: Sets, year: int, end: int) -> Origin:
    """Trace own metal through all of the system, unknown equity as 0 or as 1."""
    given = np.full(len(sets.tail), np.nan)
    ore = (origin_labels(sets) == "primary") & sets.imports[sets.tail]
    equity = equity_shares(sets.system, year)
    for flow, name in zip(np.flatnonzero(ore), sets.system.flows["flow"][ore], strict=True):
        given[flow] = equity.get(name, (0.0, 1.0))[end]
    return _traced(sets, "own", _SCRAP | {"imported_scrap": 0.0, "primary": 1.0}, given)


def _own_supply(end: int) -> Callable[[Place], list[Term]]:
    """Return what counts own metal in refined production, unknown equity as 0 or as 1."""

    def terms(place: Place) -> list[Term]:
        origin = _own(place.sets, place.year, end)
        return [Term(term.flows, origin) for term in produced(place)]

    return terms


_REFINED = "refined flows from smelting or refining"
_DEMAND = "refined flows to a process of stage fabrication"

RELIANCE = (
    Definition(
        "recycled_content",
        _fed_with_scrap,
        _fed,
        "flows to a process of stage fabrication",
        "flows to a process of stage fabrication",
        "metal that stems from scrap of any kind / all that fabrication takes in; imported metal "
        "of unknown origin counts as 0 to 1",
        "UNEP 2011, Recycling Rates of Metals",
    ),
    Definition(
        "circular_material_use",
        _circular,
        lambda place: _consumed(place) + _circular(place),
        f"scrap flows to makers, or from {_LANE}",
        "flows from an import or a source",
        "own scrap, recycled here or exported as scrap / the same and domestic consumption",
        "Eurostat 2018, Circular material use rate; of the substance",
    ),
    *(_reliance(role) for role in ("primary", "refined", "product")),
    Definition(
        "net_import_reliance",
        _net_of_stocks,
        _apparent,
        "refined flows from an import or to an export",
        _REFINED,
        "net imports and withdrawals from stocks / apparent consumption of refined metal",
        "USGS, Mineral Commodity Summaries",
        span=(-np.inf, 1.0),
    ),
    Definition(
        "self_sufficiency",
        _own_supply(0),
        _demand,
        _REFINED,
        _DEMAND,
        "refined metal from domestic ore, from the region's equity in imports and from domestic "
        "scrap, each after the losses of its route / demand of fabrication",
        "METI 2020, International Resource Strategy",
        span=(0.0, np.inf),
        others=(_own_supply(1),),
    ),
    Definition(
        "stock_days",
        _refined_stock,
        _demand_by_day,
        "a stock in a trade process that handles refined metal",
        _DEMAND,
        "stock of refined metal at the end of the year / demand of a day",
        "ICSG, days of consumption",
        unit="d",
        span=(0.0, np.inf),
    ),
    Definition(
        "net_addition",
        _added,
        lambda _: [],
        "a stock in a process of stage use",
        "",
        "change of the stock in use",
        "Graedel et al. 2004, stocks and flows",
        unit="",
        span=_ANY,
    ),
)


def _lost(place: Place, process: int | None = None) -> list[Term]:
    """Return the flows with the role loss and those to disposal, each once."""
    sets = place.sets
    lost = sets.flows(("loss",)) | sets.flows((), target=sets.disposal)
    if process is not None:
        lost = lost & (sets.tail == process)
    return [Term(np.asarray(lost))]


def _loss(item: str, process: int | None) -> Definition:
    return Definition(
        LOSS,
        lambda place: _lost(place, process),
        lambda _: [],
        "loss flows, or flows to disposal",
        "",
        "metal lost for good" + (" in all processes" if process is None else " in one process"),
        "union of the role loss and of flows to disposal",
        item=item,
        unit="",
        span=(0.0, np.inf),
    )


def losses(place: Place) -> list[Definition]:
    """Return the losses at a place: of all processes, then of each."""
    names = place.sets.system.processes["process"].tolist()
    (lost,) = _lost(place)
    tails = sorted(np.unique(place.sets.tail[lost.flows]).tolist(), key=lambda p: names[p])
    return [_loss("", None), *(_loss(names[process], process) for process in tails)]
