"""Scrap that leaves the country against what its makers need."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.network import Mask
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.totals import Total, total

COLUMNS = {
    "item": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "imported": "float64",
    "used": "float64",
    "primary": "float64",
    "share_of_arisings": "float64",
    "share_of_primary": "float64",
    "flows": "str",
    "kind": "str",
    "unit": "str",
}
_SCRAP = ("old_scrap", "new_scrap", "scrap", "end_of_life")


@remembered
def leakage(balance: Balance) -> pd.DataFrame:
    """Return scrap exported against scrap needed, for every substance and year.

    Needed is what takes the place of exported scrap at home: the primary metal that enters
    smelting and refining, and imported scrap.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        item ("scrap exports"), substance, year; value, sd, low, high of what is exported; imported
        (scrap), used (scrap that makers take in), primary (metal that enters smelting and refining)
        [unit of the system], blank where undetermined; share_of_arisings (exported ÷ exported and
        used) and share_of_primary (exported ÷ primary); flows; kind ("export leakage").

    Examples
    --------
    >>> import networkx as nx
    >>> import mfa
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Use", {"kind": "source", "stage": "use"}), ("Dump", {"kind": "sink"})])
    >>> G.add_nodes_from([("Yard", {"stage": "collection"}), ("Market", {"kind": "export"})])
    >>> _ = G.add_edge("Use", "Yard", key="old", role="end_of_life", value=40.0, sd=2.0)
    >>> _ = G.add_edge("Yard", "Market", key="scrap", role="old_scrap", value=30.0, sd=1.0)
    >>> _ = G.add_edge("Yard", "Dump", key="burnt", role="loss")
    >>> balance = mfa.reconcile(mfa.System.from_graph(G))
    >>> row = mfa.leakage(balance).iloc[0]
    >>> float(row["value"]), row["flows"]
    (30.0, 'scrap')
    """
    rows = []
    for (substance, year), place in sorted(places(balance).items(), key=lambda item: item[0]):
        exported = _exports(place)
        if substance in balance.system.substances and exported.any():
            rows.append({"substance": substance, "year": year} | _row(place, exported))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _exports(place: Place) -> Mask:
    sets = place.sets
    return sets.flows(_SCRAP, target=sets.exports)


def _row(place: Place, exported: Mask) -> dict[str, object]:
    sets = place.sets
    system = place.balance.system
    out = total(exported, place)
    used = _of(sets.flows(_SCRAP, target=sets.makers), place)
    enters = (sets.imports | sets.kind("source") | sets.makers) & ~sets.smelting
    primary = _of(sets.flows(("primary",), enters, sets.smelting), place)
    arisings = _of(exported | sets.flows(_SCRAP, target=sets.makers), place)
    return {
        "item": "scrap exports",
        "value": out.value,
        "sd": out.sd,
        "low": out.low,
        "high": out.high,
        "imported": _of(sets.flows(_SCRAP, sets.imports), place).value,
        "used": used.value,
        "primary": primary.value,
        "share_of_arisings": out.value / arisings.value if arisings.value > 0 else np.nan,
        "share_of_primary": out.value / primary.value if primary.value > 0 else np.nan,
        "flows": ", ".join(system.flows["flow"][exported]),
        "kind": "export leakage",
        "unit": system.unit,
    }


def _of(flows: Mask, place: Place) -> Total:
    nothing = Total(0.0, 0.0, 0.0, 0.0, 0.0)
    return total(flows, place) if flows.any() else nothing
