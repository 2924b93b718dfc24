"""What one point more of each share would bring: gains of every indicator, loops included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from mfa.balance import Balance
from mfa.balance.covariance import covariance
from mfa.balance.network import Floats, Ints
from mfa.recycling.closure import BYPRODUCT, CLOSING, DRAWN, FIXED, PUSHED, Closure, closure
from mfa.recycling.corners import corners
from mfa.recycling.formula import Formula, formulas
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places

COLUMNS = {
    "indicator": "str",
    "item": "str",
    "process": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "share": "float64",
    "what": "str",
    "coefficient": "str",
    "range": "str",
}
CORNERS, INTERVAL = "corners tried", "1.96 sd"
_POINT = 0.01
_WHOLE = 1.0 - 1e-9
_STEP = 1e-3  # of an sd
_SAME = 1e-6
_CUT = 1e-12
_MOST_FLOWS = 200  # with an sd for their gains: it takes a solve per independent error


@dataclass(frozen=True)
class Lever:
    """Shares of one process that can be raised: flows together, and what their siblings are.

    ``what`` is "share", or "yield" for all that a maker makes for its own sake.
    """

    process: int
    flows: Ints
    siblings: Ints
    what: str


def levers(model: Closure) -> list[Lever]:
    """Return the shares that can be raised: each outflow's, and the yield of makers that draw."""
    sets, kind = model.sets, model.kind
    out = []
    takes = np.zeros(len(model.inside), dtype=bool)
    takes[sets.head[model.counts]] = True
    for process in np.flatnonzero(model.inside & takes).tolist():
        leaves = np.flatnonzero(model.counts & (sets.tail == process))
        pushed, made = (leaves[kind[leaves] == one] for one in (PUSHED, BYPRODUCT))
        if len(pushed):
            others = leaves[kind[leaves] == FIXED] if len(leaves) > len(pushed) else leaves[:0]
            for flow in pushed[model.share[pushed] < _WHOLE].tolist():
                rest = pushed[pushed != flow]
                out.append(Lever(process, np.array([flow]), rest, "share"))
            out += [Lever(process, np.array([flow]), pushed, "share") for flow in others.tolist()]
        elif len(made):
            for flow in made.tolist():
                out.append(Lever(process, np.array([flow]), made[made != flow], "share"))
            main = leaves[np.isin(kind[leaves], (FIXED, DRAWN, CLOSING))]
            if len(main):
                out.append(Lever(process, main, made, "yield"))
    return out


def pushes(model: Closure, some: list[Lever]) -> sp.csc_array:
    """Return ∂(r − M x)/∂share of every lever, shape (flows, levers).

    A flow whose share a of the spare D rises by one share of the inputs I gains I; its siblings
    g lose a_g I / (1 − a). Of what a maker draws for, only the by-products move.
    """
    rows, columns, values = [], [], []
    for k, lever in enumerate(some):
        enters = model.inputs[lever.process]
        share = float(model.share[lever.flows].sum())
        if lever.what == "yield":
            share = 1.0 - float(model.share[lever.siblings].sum())
        else:
            rows.append(int(lever.flows[0]))
            columns.append(k)
            values.append(enters)
        if model.kind[lever.flows[0]] == FIXED and lever.what == "share":
            continue  # its siblings share out what it leaves
        room = 1.0 - share  # without any, the share cannot rise
        for flow in lever.siblings.tolist():
            rows.append(flow)
            columns.append(k)
            values.append(-model.share[flow] * enters / room if room > _CUT else np.nan)
    shape = (len(model.x), len(some))
    return sp.csc_array(sp.coo_array((values, (rows, columns)), shape=shape))


def gains_at(model: Closure, some: list[Lever], wanted: list[Formula]) -> Floats:
    """Return ∂indicator/∂share by one transposed solve each, shape (indicators, levers).

    With Mᵀ λ = ∂indicator/∂x it is λᵀ ∂(r − M x)/∂share; of what is no share per point.
    """
    slopes = np.column_stack([formula.gradient(model.x) for formula in wanted])
    adjoint = splu(sp.csc_array(model.equations()[0].T)).solve(slopes)
    scale = np.array([1.0 if one.definition.unit == "1" else _POINT for one in wanted])
    found = scale[:, None] * np.asarray((pushes(model, some).T @ adjoint).T)
    return np.where(np.abs(found) > _CUT, found, 0.0)


def gains(balance: Balance, year: int | None = None) -> pd.DataFrame:
    """Return what one percentage point more of each share would bring in each indicator.

    Held fixed are end-of-life generation, demand, exports and imports of scrap. Every outflow has
    its implied share of what enters its process; raising one lowers its siblings in proportion, and
    primary imports take up the slack. Loops are followed to the end. Of a maker that draws its
    input after demand, the shares of its products together are its yield.

    Where flows are undetermined, gains are ranges: the least and the most at corners of what is
    possible, which may be somewhat narrower than all that is. There and with more than 200 flows
    they have no sd.

    Parameters
    ----------
    balance : Balance
    year : int, optional
        Only this one; by default the last.

    Returns
    -------
    DataFrame
        indicator, item (the flows whose share is raised), process, substance, year; value, sd, low,
        high [points of the indicator per point of the share; days if it counts days], largest
        first; share [of what enters the process, now, where determined; of a yield, also of what
        its stock gives]; what (share, yield); coefficient (ids of the rows that speak of this
        share); range (what low and high are: "1.96 sd"; "corners tried" where undetermined; blank
        where determined without an sd).

    Examples
    --------
    One point more of what the yard takes in is 0.4 kt more scrap and 0.4 kt less ore, of 80 kt.

    >>> import networkx as nx
    >>> import mfa
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Mine", {"kind": "source"}), ("Dump", {"kind": "sink"})])
    >>> G.add_nodes_from([("Smelter", {"stage": "smelting"}), ("Mill", {"stage": "fabrication"})])
    >>> G.add_nodes_from([("Use", {"stage": "use", "stock": True})])
    >>> G.add_nodes_from([("Yard", {"stage": "collection"})])
    >>> _ = G.add_edge("Mine", "Smelter", key="ore", role="primary")
    >>> _ = G.add_edge("Smelter", "Mill", key="metal", role="refined", value=80.0, sd=1.0)
    >>> _ = G.add_edge("Mill", "Use", key="goods", role="product")
    >>> _ = G.add_edge("Use", "Yard", key="old", role="end_of_life", value=40.0, sd=2.0)
    >>> _ = G.add_edge("Yard", "Smelter", key="scrap", role="old_scrap", value=30.0, sd=1.0)
    >>> _ = G.add_edge("Yard", "Dump", key="burnt", role="loss")
    >>> balance = mfa.reconcile(mfa.System.from_graph(G))
    >>> table = mfa.gains(balance).set_index(["indicator", "item"])
    >>> round(float(table["value"]["recycling_input_rate_total", "scrap"]), 3)
    0.5
    """
    return _table(balance, balance.system.years[-1] if year is None else year)


@remembered
def _table(balance: Balance, year: int) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for (substance, when), place in sorted(places(balance).items(), key=lambda item: item[0]):
        if when == year and substance in balance.system.substances:
            rows += [{"substance": substance, "year": year} | row for row in _rows(place)]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    size = table["value"].fillna((table["low"] + table["high"]) / 2)
    order = ["substance", "indicator", "size"]
    table = table.assign(size=size).sort_values(
        order, ascending=[True, True, False], kind="stable", ignore_index=True
    )
    return table.drop(columns="size")


def _rows(place: Place) -> list[dict[str, object]]:
    """Return the gains at one place, over its corners."""
    wanted = formulas(place)
    if not wanted:
        return []
    names = list(dict.fromkeys(one.definition.key for one in wanted))
    found: dict[tuple[str, tuple[int, ...], str], list[float]] = {}
    shares: dict[tuple[int, ...], list[float]] = {}
    about: dict[tuple[tuple[int, ...], str], Lever] = {}
    points = corners(place)
    for x in points:
        model = closure(place, x)
        some = levers(model)
        table = gains_at(model, some, wanted)
        for k, lever in enumerate(some):
            key = tuple(lever.flows.tolist())
            about.setdefault((key, lever.what), lever)
            enters = model.inputs[lever.process]
            if lever.what == "yield":  # what is taken out of stock is made into metal, too
                enters = enters + max(-model.change[lever.process], 0.0)
            if enters > 0:
                shares.setdefault(key, []).append(float(model.x[lever.flows].sum() / enters))
            for j, formula in enumerate(wanted):
                name = formula.definition.key
                found.setdefault((name, key, lever.what), []).append(float(table[j, k]))
    quick = len(points) == 1 and place.there.sum() <= _MOST_FLOWS
    sds = _sds(place, points[0], wanted) if quick else {}
    known = _coefficients(place.balance)
    out = []
    for (key, what), lever in about.items():
        names_it = _named(place, lever, known) | _share(shares.get(key, []))
        for name in names:
            values = np.array(found[name, key, what])
            values = values[np.isfinite(values)]
            if len(values):
                ends = _ends(values, sds.get((name, key, what), np.nan))
                out.append({"indicator": name} | names_it | ends)
    return out


def _named(place: Place, lever: Lever, known: dict[str, list[str]]) -> dict[str, object]:
    system = place.balance.system
    ids = [str(system.flows["flow"].iat[flow]) for flow in lever.flows.tolist()]
    spoken = dict.fromkeys(name for one in ids for name in known.get(one, []))
    return {
        "item": ", ".join(ids),
        "process": str(system.processes["process"].iat[lever.process]),
        "what": lever.what,
        "coefficient": ", ".join(spoken),
    }


def _ends(values: Floats, sd: float) -> dict[str, object]:
    """Return value, low and high in points per point, the value only where all agree."""
    low, high = float(values.min()), float(values.max())
    if high - low > _SAME * max(1.0, abs(high)):
        return {"value": np.nan, "sd": np.nan, "low": low, "high": high, "range": CORNERS}
    ends = {"low": high - 1.96 * sd, "high": high + 1.96 * sd}
    return {"value": high, "sd": sd, **ends, "range": INTERVAL if np.isfinite(sd) else ""}


def _share(values: list[float]) -> dict[str, float]:
    same = len(values) > 0 and max(values) - min(values) <= _SAME
    return {"share": values[0] if same else np.nan}


def _coefficients(balance: Balance) -> dict[str, list[str]]:
    """Return the coefficients that speak of a flow's share in what enters its process, by flow."""
    out: dict[str, list[str]] = {}
    for row in balance.system.coefficients.to_dict("records"):
        if row["of"] == "inputs":
            for part in str(row["flow"]).split(","):
                out.setdefault(part.strip(), []).append(str(row["coefficient"]))
    return out


def _sds(
    place: Place, x: Floats, wanted: list[Formula]
) -> dict[tuple[str, tuple[int, ...], str], float]:
    """Return the sd of each gain from the covariance of all flows, to first order.

    With C = R Rᵀ of the flows, the variance is Σ over columns r of R of (∂gain/∂r)², by central
    differences: shares move with the flows that they are implied by. Indicators with metal of
    unknown origin have none.
    """
    chosen = np.flatnonzero(place.there)
    spread = covariance(place.balance.bounded.estimate, place.number[chosen])
    values, vectors = np.linalg.eigh(spread)
    some = values > _CUT * max(values.max(initial=0.0), 0.0)
    root = vectors[:, some] * np.sqrt(values[some])
    base = closure(place, x)
    some_levers = levers(base)
    total = np.zeros((len(wanted), len(some_levers)))
    for column in root.T:
        ends = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[chosen] += sign * _STEP * column
            model = Closure(base.sets, moved, base.kind, base.inside)
            ends.append(gains_at(model, some_levers, wanted))
        total += ((ends[0] - ends[1]) / (2 * _STEP)) ** 2
    names = [formula.definition.key for formula in wanted]
    return {
        (name, tuple(lever.flows.tolist()), lever.what): float(np.sqrt(total[j, k]))
        for j, name in enumerate(names)
        if names.count(name) == 1
        for k, lever in enumerate(some_levers)
    }
