"""Where the metal in every flow comes from: a table of flows and sources."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance import Balance
from mfa.balance.network import Floats, Ints
from mfa.balance.sensitivities import sensitivities
from mfa.errors import MFAError, near
from mfa.recycling.mixtures import Mixtures, mixtures, origin_of
from mfa.recycling.place import Place, places
from mfa.recycling.sources import By, Given, sources

COLUMNS = {
    "flow": "str",
    "from": "str",
    "to": "str",
    "substance": "str",
    "year": "int64",
    "origin": "str",
    "share": "float64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "share_sd": "float64",
    "share_low": "float64",
    "share_high": "float64",
    "unit": "str",
}
_BLOCK = 256  # flows


def trace(
    balance: Balance,
    by: By | Given = "origin",
    substance: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return what share of every flow stems from each source, if processes mix what they take in.

    Loops are followed round to the end. What is kept in a stock (in use, in landfills) is a
    source of its own when it leaves; what is withdrawn from the stocks of makers and traders, what
    negative discrepancies add, and imports that nobody says the source of, are "unknown".
    Discrepancies themselves are not traced.

    Parameters
    ----------
    balance : Balance
    by : {"origin", "country", "company", "process"} or mapping
        What tells sources apart. "origin": ``primary``, ``new_scrap``, ``old_scrap``,
        ``imported_scrap``, ``scrap`` (of no stated kind) by the roles of flows. "country" and
        "company": suppliers by the sheet ``origins``; a country also by an import process that
        names it as its region or is called like it; metal from within the boundary by its region.
        "process": where it crosses the boundary, or the stock that it leaves. A mapping of flow id
        to source, or to sources with shares, names sources of one's own; scrap of all kinds is
        passed on in all but "origin".
    substance, year : optional
        By default all substances (without goods) and all years.

    Returns
    -------
    DataFrame
        flow, from, to, substance, year, origin; share of the flow; value and sd, low, high [unit
        of the system]; sd and range of the share. Shares add up to 1 for every flow, substance and
        year; sources without any part in a flow have no row. Where a mixture is open, share and
        value are nan and the ranges hold all that is possible, but may be wider. sd is nan where a
        network is too large for it to be had at little cost.

    Raises
    ------
    MFAError
        If there is no such way of telling sources apart, no such flow, substance or year.

    Examples
    --------
    Two thirds of the wire are ore from Chile, as of all that the smelter makes.

    >>> import networkx as nx
    >>> from mfa.balance import reconcile
    >>> from mfa.system import System
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Chile", {"kind": "import"}), ("Peru", {"kind": "import"})])
    >>> G.add_node("Makers", kind="sink")
    >>> _ = G.add_edge("Chile", "Smelter", key="ore 1", value=20.0, sd=0.5)
    >>> _ = G.add_edge("Peru", "Smelter", key="ore 2", value=10.0, sd=0.4)
    >>> _ = G.add_edge("Smelter", "Makers", key="wire")
    >>> table = trace(reconcile(System.from_graph(G)), by="process")
    >>> wire = table[table["flow"] == "wire"].set_index("origin")
    >>> wire["share"].round(3).to_dict(), wire["value"].round(1).to_dict()
    ({'Chile': 0.667, 'Peru': 0.333}, {'Chile': 20.0, 'Peru': 10.0})
    """
    chosen = _chosen(balance, substance, year)
    tables = [_table(*key, place, by) for key, place in chosen]
    if not tables:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    return tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)


def traced(place: Place, year: int, by: By | Given = "origin") -> Mixtures:
    """Return the mixtures of all processes at a place, for those who need no table."""
    return mixtures(place, sources(place.sets, year, by))


def flow_shares(found: Mixtures, flows: Ints) -> tuple[Floats, Floats, Floats]:
    """Return share, least and greatest share of each source in some flows, shape (flows, sources).

    nan where the mixture that a flow leaves is open.
    """
    place, known = found.place, found.sources
    leaves = origin_of(place, flows)
    back = leaves != place.sets.tail[flows]
    definite = _is_definite(found, flows)
    shares = known.shares[flows].toarray()
    shares[back] = 0.0
    shares[~definite & ~known.mixes[leaves], -1] = 1.0
    low, high = shares.copy(), shares.copy()
    mixed = ~definite & known.mixes[leaves]
    at = leaves[mixed]
    shares[mixed] = found.share[at]
    low[mixed], high[mixed] = found.limits[0][at], found.limits[1][at]
    either = mixed & _either_way(place, flows)
    low[either], high[either] = 0.0, 1.0
    shares[either] = np.nan
    return shares, low, high


def _either_way(place: Place, flows: Ints) -> np.ndarray:
    """Return which flows are undetermined and may be negative."""
    loose = place.is_loose(place.number[flows])
    return np.asarray(loose & (place.space.lower[place.number[flows]] < 0))


def _chosen(
    balance: Balance, substance: str | None, year: int | None
) -> Iterator[tuple[tuple[str, int], Place]]:
    system = balance.system
    if substance is not None and substance not in system.substances:
        advice = near(substance, system.substances, "it has " + ", ".join(system.substances))
        raise MFAError(f"the system has no substance {substance!r}; {advice}")
    if year is not None and year not in system.years:
        years = ", ".join(map(str, system.years))
        raise MFAError(f"the system has no year {year}; there are {years}")
    wanted = system.substances if substance is None else (substance,)
    for key, place in sorted(places(balance).items(), key=lambda item: item[0]):
        if key[0] in wanted and year in (None, key[1]):
            yield key, place


def _table(substance: str, year: int, place: Place, by: By | Given) -> pd.DataFrame:
    """Return the table of one substance and year."""
    found = traced(place, year, by)
    flows = np.flatnonzero(place.sets.counted)
    share, share_low, share_high = flow_shares(found, flows)
    share_sd, sd = _deviations(found, flows, share)
    balance = place.balance
    numbers = place.number[flows]
    value = balance.values[numbers]
    low, high = value, value
    if place.is_loose(numbers).any() or np.isnan(share).any():
        low, high = (ends[numbers] for ends in balance.limits)
    row, source = np.nonzero(share_high > 0)
    at = row, source
    shares, open_ = share[at], np.isnan(share[at])
    part = value[row] * shares
    least, most = share_low[at], share_high[at]
    share_reach, reach = 1.96 * share_sd[at], 1.96 * sd[at]
    columns = {
        "share": shares,
        "value": part,
        "sd": sd[at],
        "low": np.maximum(part - reach, np.minimum(part, 0.0)),
        "high": part + reach,
        "share_sd": share_sd[at],
        "share_low": np.where(open_, least, np.maximum(shares - share_reach, 0.0)),
        "share_high": np.where(open_, most, np.minimum(shares + share_reach, 1.0)),
    }
    loose = np.flatnonzero(np.isnan(part))
    flow = row[loose]
    columns["low"][loose], columns["high"][loose] = _products(
        low[flow], high[flow], least[loose], most[loose]
    )
    return _frame(place, flows[row], source, found, (substance, year), columns)


def _products(low: Floats, high: Floats, least: Floats, most: Floats) -> tuple[Floats, Floats]:
    """Return the range of a flow times a share, nan where it has no limit."""
    with np.errstate(invalid="ignore"):
        ends = np.array([low * least, low * most, high * least, high * most])
    ends = np.where(np.isnan(ends), 0.0, ends)  # no limit times no part
    bottom, top = ends.min(axis=0), ends.max(axis=0)
    return np.where(np.isfinite(bottom), bottom, np.nan), np.where(np.isfinite(top), top, np.nan)


def _deviations(found: Mixtures, flows: Ints, share: Floats) -> tuple[Floats, Floats]:
    """Return the sd of shares [1] and of shares × flow [unit of the system], nan where open."""
    place, k = found.place, share.shape[1]
    leaves, numbers = origin_of(place, flows), place.number[flows]
    fixed = _is_definite(found, flows) | (found.only >= 0)[leaves] | ~found.sources.mixes[leaves]
    share_sd = np.where(fixed[:, None] & ~np.isnan(share), 0.0, np.nan)
    gradients = found.gradients
    if gradients is None:
        return share_sd, np.full(share.shape, np.nan)
    sd = share * place.balance.sds[numbers, None] * np.where(fixed, 1.0, np.nan)[:, None]
    estimate = place.balance.bounded.estimate
    of_process = np.sqrt(np.maximum(estimate.variances(gradients), 0.0)).reshape(-1, k)
    known = np.where(np.isnan(share), np.nan, of_process[leaves])
    share_sd = np.where(fixed[:, None], share_sd, known)
    some = np.flatnonzero(~fixed & ~place.is_loose(numbers))
    own = sensitivities(estimate, numbers[some])
    steps = place.balance.model.variables["step"].to_numpy(dtype=np.float64)[numbers]
    for start in range(0, len(some), _BLOCK):
        part = np.arange(start, min(start + _BLOCK, len(some)))
        at = some[part]
        of_share = gradients[(leaves[at][:, None] * k + np.arange(k)).ravel()]
        weights = np.nan_to_num(share[at]).ravel()
        both = sp.diags_array(weights) @ sp.csr_array(own[np.repeat(part, k)])
        both = both + sp.diags_array(np.repeat(place.x[flows[at]], k)) @ of_share
        variance = np.maximum(estimate.variances(sp.csr_array(both)), 0.0).reshape(-1, k)
        sd[at] = np.where(np.isnan(share[at]), np.nan, np.sqrt(variance) / steps[at][:, None])
    return share_sd, sd


def _is_definite(found: Mixtures, flows: Ints) -> np.ndarray:
    back = origin_of(found.place, flows) != found.place.sets.tail[flows]
    return np.asarray(found.sources.definite[flows] & ~back)


def _frame(
    place: Place,
    flows: Ints,
    source: Ints,
    found: Mixtures,
    key: tuple[str, int],
    numbers: dict[str, Floats],
) -> pd.DataFrame:
    """Return rows of flows and sources as a table."""
    table = place.balance.system.flows
    names = pd.Series(found.sources.names, dtype="str")
    texts = {name: table[name].astype("str").array.take(flows) for name in ("flow", "from", "to")}
    about = {"substance": key[0], "year": key[1], "origin": names.array.take(source)}
    unit = {"unit": place.balance.system.unit}
    return pd.DataFrame({**texts, **about, **numbers, **unit}).astype(COLUMNS)
