"""The table of indicators: recycling, reliance on imports, losses, concentration of supply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.errors import MFAError, near
from mfa.recycling.concentration import CONCENTRATIONS, concentration_rows
from mfa.recycling.definitions import RATES, Definition
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.ratio import Ratio, Result, evaluate, is_determined
from mfa.recycling.reliance import LOSS, RELIANCE, losses

_WORTH_NAMING = 0.01
_CERTAIN = 1e-7
_RECYCLED = "recycling_input_rate_old"  # what supply risk is lowered by

DEFINITIONS = (*RATES, *RELIANCE)
IDS = tuple(dict.fromkeys([*(one.indicator for one in DEFINITIONS), LOSS, *CONCENTRATIONS]))
_ALL = frozenset(IDS)

COLUMNS = {
    "indicator": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "numerator": "float64",
    "denominator": "float64",
    "flows": "str",
    "assumptions": "str",
    "assumed": "float64",
    "missing": "str",
    "by_construction": "bool",
    "item": "str",
    "unit": "str",
    "scope": "str",
    "source": "str",
}


def indicators(balance: Balance, only: str | Iterable[str] | None = None) -> pd.DataFrame:
    """Return every recycling indicator for every substance and year, or some of them.

    Where a system has several regions, the whole comes first, with a blank ``region``, then each
    region apart, as `mfa.region` sees it.

    Parameters
    ----------
    balance : Balance
    only : str or iterable of str, optional
        Ids of the indicators that are wanted; the others are not worked out. By default all.

    Returns
    -------
    DataFrame
        indicator, substance, year; value and sd (as shares of 1, or in ``unit``), or where the
        flows leave it open only low and high, which are all that balances and bounds allow;
        numerator and denominator [unit of the system]; the flows counted; assumptions that it
        rests on and what share of its variance they explain; what is missing to form it; whether
        its value follows from the flows drawn whatever the data say; item, what it is formed for
        where there are several: the role of what is imported (import_reliance), the process that
        loses (loss, blank for all), the import (hhi, hhi_governance, supply_risk); unit; scope and
        source. With several regions a column ``region`` after the first seven.

    Raises
    ------
    MFAError
        If there is no indicator of such an id.

    Examples
    --------
    Three quarters of what homes throw away are collected.

    >>> import networkx as nx
    >>> import mfa
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Use", {"kind": "source", "stage": "use"}), ("Dump", {"kind": "sink"})])
    >>> G.add_nodes_from([("Yard", {"stage": "collection"}), ("Market", {"kind": "export"})])
    >>> _ = G.add_edge("Use", "Yard", key="used", role="end_of_life", value=40.0, sd=2.0)
    >>> _ = G.add_edge("Yard", "Market", key="scrap", role="old_scrap", value=30.0, sd=1.0)
    >>> _ = G.add_edge("Yard", "Dump", key="burnt", role="loss")
    >>> balance = mfa.reconcile(mfa.System.from_graph(G))
    >>> mfa.indicators(balance, only=["collection_rate"]).set_index("indicator")["value"].to_dict()
    {'collection_rate': 0.75}
    """
    chosen = _chosen(only)
    whole = whole_indicators(balance, chosen)
    if len(balance.system.regions) < 2:
        return whole
    apart = {name: whole_indicators(part, chosen) for name, part in balance.regions.items()}
    parts = [table.assign(region=name) for name, table in {"": whole, **apart}.items()]
    table = pd.concat(parts, ignore_index=True)
    table.insert(list(COLUMNS).index("high") + 1, "region", table.pop("region"))
    return table


def _chosen(only: str | Iterable[str] | None) -> frozenset[str]:
    """Return the ids that are wanted, all of them known."""
    wanted = IDS if only is None else (only,) if isinstance(only, str) else tuple(only)
    for name in wanted:
        if name not in IDS:
            advice = near(str(name), IDS, "there are " + ", ".join(IDS))
            raise MFAError(f"no indicator is called {name!r}; {advice}")
    return frozenset(wanted)


def whole_indicators(balance: Balance, only: frozenset[str] = _ALL) -> pd.DataFrame:
    """Return the indicators of what is looked at as a whole."""
    return _table(balance, only)


@remembered
def _table(balance: Balance, only: frozenset[str]) -> pd.DataFrame:
    rows = []
    for (substance, year), place in sorted(places(balance).items(), key=lambda item: item[0]):
        if substance in balance.system.substances:
            about = {"substance": substance, "year": year}
            rows += [row | about for row in _rows(place, only)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _rows(place: Place, only: frozenset[str]) -> list[dict[str, Any]]:
    """Return the rows of some indicators at a place."""
    needed = only | {_RECYCLED} if "supply_risk" in only else only
    every = (*DEFINITIONS, *(losses(place) if LOSS in only else ()))
    rows = _formed_rows([one for one in every if one.indicator in needed], place)
    if not only.isdisjoint(CONCENTRATIONS):
        old = [row for row in rows if row["indicator"] == _RECYCLED]
        recycled = (old[0]["low"], old[0]["high"]) if old else (np.nan, np.nan)
        about = {"assumptions": "", "by_construction": False}
        rows += [about | row for row in concentration_rows(place, recycled)]
    return [row for row in rows if row["indicator"] in only]


def _formed_rows(definitions: Sequence[Definition], place: Place) -> list[dict[str, Any]]:
    """Return a row of each definition: what it is, or what is missing to form it."""
    ratios = [_ratio(one, place) for one in definitions]
    lacking = [_lacking(one, ratio) for one, ratio in zip(definitions, ratios, strict=True)]
    results = iter(
        evaluate([r for r, words in zip(ratios, lacking, strict=True) if not words], place)
    )
    rows = []
    for one, ratio, words in zip(definitions, ratios, lacking, strict=True):
        row = _blank(one, place) | {"missing": words}
        rows.append(row if words else row | _numbers(next(results), ratio, place))
    return rows


def _ratio(definition: Definition, place: Place) -> Ratio:
    others = [one(place) for one in definition.others]
    return Ratio(definition.above(place), definition.below(place), others, definition.span)


def missing(definition: Definition, place: Place) -> str:
    """Return which role from which stage is missing to form an indicator, "" if none is."""
    return _lacking(definition, _ratio(definition, place))


def _lacking(definition: Definition, ratio: Ratio) -> str:
    lacks_below = any if definition.whole else all
    parts = (ratio.above, definition.above_is, all), (ratio.below, definition.below_is, lacks_below)
    lacking = [
        words for terms, words, lacks in parts if words and lacks(term.is_empty for term in terms)
    ]
    return "; ".join(dict.fromkeys(lacking))


def formed(definition: Definition, place: Place) -> Result:
    """Return an indicator at a place."""
    return evaluate([_ratio(definition, place)], place)[0]


def _blank(definition: Definition, place: Place) -> dict[str, Any]:
    """Return the row of an indicator without its numbers."""
    return dict.fromkeys(COLUMNS, np.nan) | {
        "indicator": definition.indicator,
        "flows": "",
        "assumptions": "",
        "missing": "",
        "by_construction": False,
        "item": definition.item,
        "unit": definition.unit or place.balance.system.unit,
        "scope": definition.scope,
        "source": definition.source,
    }


def _numbers(result: Result, ratio: Ratio, place: Place) -> dict[str, Any]:
    """Return what there is to say of an indicator that is formed."""
    names, share = _assumptions(result, place)
    step = place.step
    size = 1.0 if ratio.below else 1.0 / step  # a mass per step is told per year
    low, high = result.low * size, result.high * size
    counted = np.any([term.flows for term in (*ratio.above, *ratio.below)], axis=0)
    certain = result.sd < _CERTAIN
    return {
        "value": result.value * size,
        "sd": result.sd * size,
        "low": low if np.isfinite(low) else np.nan,
        "high": high if np.isfinite(high) else np.nan,
        "numerator": result.numerator / step,
        "denominator": result.denominator / step if ratio.below else np.nan,
        "flows": ", ".join(place.balance.system.flows["flow"].to_numpy(dtype=object)[counted]),
        "assumptions": names,
        "assumed": share,
        # Whether balances and flows ≥ 0 alone give the indicator its value.
        "by_construction": certain and is_determined(ratio, place.drawing),
    }


def _assumptions(result: Result, place: Place) -> tuple[str, float]:
    """Return the assumptions with at least 1 % of the variance, largest first, and their share."""
    balance = place.balance
    data = balance.bounded.estimate.structure.data
    assumption = balance.is_assumption[data]
    share = np.where(assumption, result.influence, 0.0)
    order = np.argsort(-share, kind="stable")
    items = balance.model.variables["item"].to_numpy(dtype=object)
    named = [str(items[data[k]]) for k in order if share[k] > _WORTH_NAMING]
    total = float(share.sum()) if np.isfinite(result.value) else float("nan")
    return ", ".join(dict.fromkeys(named)), total
