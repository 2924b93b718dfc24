"""From bottlenecks to support: which measures act on each, and which public finance is open to it.

No judgement is hidden here: rules, thresholds and caps are the user's, from the sheet ``rules``,
and every verdict shows the numbers that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.covariance import covariance
from mfa.recycling import bottlenecks, capacity, indicators, leakage, survey
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places

SUPPORT = {
    "item": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "kind": "str",
    "because": "str",
    "probability": "float64",
    "measures": "str",
    "survey": "str",
    "finance": "str",
    "unit": "str",
}
CRITERIA = {
    "rule": "str",
    "substance": "str",
    "year": "int64",
    "verdict": "str",
    "support": "str",
    "cap": "float64",
    "indicator": "str",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "relation": "str",
    "threshold": "float64",
    "met": "str",
    "missing": "str",
    "reference": "str",
    "note": "str",
}
_LEAK, _MISSING, _CAPACITY = "export leakage", "missing data", "capacity"
HHI = "primary_import_hhi"


@dataclass(frozen=True)
class _Number:
    """What is known of an indicator: a value, or only a range."""

    value: float
    low: float
    high: float


@remembered
def support(balance: Balance) -> pd.DataFrame:
    """Return each bottleneck of the last year with its class, measures and finance that fit it.

    Bottlenecks are losses, capacities that hold recycling back, and scrap that is exported. Their
    class (``kind``) follows from where they are: collection system (collection and use), sorting
    technology (sorting and recycling), process yield (other losses), smelter capacity or capacity
    (a capacity in the smallest cut), export leakage, or missing data (a loss of unknown size).

    A measure fits a bottleneck if the coefficient, flow or capacity that it acts on belongs to the
    same process, or to one of the exports. A loss of unknown size names the flow to survey first.
    Finance lists the rules of `criteria` that hold for the substance; whether they pay for such a
    measure, the rule's own text says.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        item (process), substance, year, value, sd, low, high [unit], kind, because (the numbers it
        rests on), probability (that the loss is the worst), measures, survey, finance.

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
    >>> mfa.support(balance)[["item", "kind"]].values.tolist()
    [['Yard', 'collection system'], ['scrap exports', 'export leakage']]
    """
    year = balance.system.years[-1]
    rules = criteria(balance)
    acts = _acts_on(balance)
    rows = [*_losses(balance, year), *_held_back(balance, year), *_leaks(balance, year)]
    for row in rows:
        places_ = {part for part in (str(row["item"]), *str(row.pop("flows")).split(", ")) if part}
        fits = [name for name, targets in acts if targets & places_]
        row["measures"] = "; ".join(dict.fromkeys(fits))
        holds = rules[(rules["substance"] == row["substance"]) & rules["verdict"].eq("yes")]
        row["finance"] = "; ".join(dict.fromkeys(holds["rule"]))
        row["unit"] = balance.system.unit
        row["survey"] = _to_survey(balance, str(row["substance"]), year, str(row["kind"]))
    order = list(balance.system.substances)
    rows.sort(key=lambda row: order.index(str(row["substance"])))
    return pd.DataFrame(rows, columns=list(SUPPORT)).astype(SUPPORT)


def _losses(balance: Balance, year: int) -> list[dict[str, object]]:
    table = bottlenecks(balance)
    out = []
    for row in table[table["year"] == year].to_dict("records"):
        share = row["share_of_input"]
        because = f"stage {row['stage'] or 'not stated'}, rank {row['rank']}"
        if np.isnan(row["value"]):
            because += f", possible ranks {row['rank_best']} to {row['rank_worst']}"
        elif share == share:
            because += f", {100 * share:.3g} % of its input"
        out.append(_taken(row, "probability", "kind", "flows") | {"because": because})
    return out


def _held_back(balance: Balance, year: int) -> list[dict[str, object]]:
    table = capacity(balance)
    out = []
    for row in table[(table["year"] == year) & table["binding"]].to_dict("records"):
        used = row["utilisation"]
        low, high = row["utilisation_low"], row["utilisation_high"]
        shown = f"{100 * used:.3g} %" if used == used else f"{100 * low:.3g} to {100 * high:.3g} %"
        because = (
            f"capacity {row['capacity']:.4g}, used {shown}; the largest flow back to metal is "
            f"{row['largest_flow']:.4g}"
        )
        out.append(_taken(row, "kind") | {"because": because, "flows": ""})
    return out


def _leaks(balance: Balance, year: int) -> list[dict[str, object]]:
    table = leakage(balance)
    out = []
    for row in table[table["year"] == year].to_dict("records"):
        needed = row["primary"]
        because = "primary metal taken in is undetermined"
        if needed == needed:
            because = f"primary metal taken in is {needed:.4g}"
        out.append(_taken(row, "kind", "flows") | {"because": because})
    return out


def _taken(row: Mapping[Any, Any], *more: str) -> dict[str, object]:
    names = ("item", "substance", "year", "value", "sd", "low", "high", *more)
    return {name: row[name] for name in names}


def _to_survey(balance: Balance, substance: str, year: int, kind: str) -> str:
    """Return the number to survey first where a loss is of unknown size."""
    if kind != _MISSING:
        return ""
    plan = survey(balance, substance=substance, year=year)
    return str(plan["item"].iat[0]) if len(plan) else ""


def _acts_on(balance: Balance) -> list[tuple[str, set[str]]]:
    """Return each measure with the processes and exported flows that it acts on."""
    system = balance.system
    sheet = system.tables.get("measures", pd.DataFrame())
    if sheet.empty:
        return []
    tails = dict(zip(system.flows["flow"], system.flows["from"], strict=True))
    named = {
        str(row["coefficient"]): [part.strip() for part in str(row["flow"]).split(",")]
        for row in system.coefficients.to_dict("records")
    }
    out = []
    for row in sheet.to_dict("records"):
        item = str(row["item"])
        flows = named.get(item, [item])
        targets = {item} | {str(tails[flow]) for flow in flows if flow in tails}
        out.append((str(row["measure"]), targets | set(flows)))
    return out


@remembered
def criteria(balance: Balance) -> pd.DataFrame:
    """Return the verdict of every rule for every substance, with the numbers behind it.

    The rows of a rule are its conditions, all of which must hold. The number of a condition is the
    indicator of that id (with its item after a colon, if it has one) in the last year,
    ``primary_import_hhi`` (Σ share² of the countries, or whatever stands for them, that primary
    imports come from), or what the rule's row states in its column ``value``. A
    condition is met only if it holds everywhere within low and high; where
    these lie on both sides of the threshold it is open. A rule holds ("yes") if all its conditions
    are met; it fails ("no") if one is not. With a number missing it is never "yes": ``missing``
    says which.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    DataFrame
        rule, substance, year, verdict (yes, no, open, missing), support, cap [share of 1]; and of
        each condition: indicator, value, low, high, relation, threshold, met (yes, no, open,
        missing); missing, reference, note.

    Examples
    --------
    A rate is too low by far, but how fast demand grows is not known.

    >>> import pandas as pd
    >>> import mfa
    >>> tables = {
    ...     "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
    ...     "processes": pd.DataFrame({"process": ["Use", "Yard", "Market", "Dump"],
    ...                                "kind": ["source", None, "export", "sink"],
    ...                                "stage": ["use", "collection", None, None]}),
    ...     "flows": pd.DataFrame({"flow": ["old", "scrap", "burnt"],
    ...                            "from": ["Use", "Yard", "Yard"],
    ...                            "to": ["Yard", "Market", "Dump"],
    ...                            "role": ["end_of_life", "old_scrap", "loss"],
    ...                            "year": 2018, "value": [40.0, 30.0, None],
    ...                            "sd": [2.0, 1.0, None]}),
    ...     "rules": pd.DataFrame({"rule": "loan", "indicator": ["collection_rate", "growth"],
    ...                            "relation": ["<", ">"], "threshold": [0.9, 1.5]}),
    ... }
    >>> balance = mfa.reconcile(mfa.System.from_tables(tables))
    >>> mfa.criteria(balance)[["indicator", "met", "verdict", "missing"]].values.tolist()
    [['collection_rate', 'yes', 'missing', 'growth'], ['growth', 'missing', 'missing', 'growth']]
    """
    sheet = balance.system.tables.get("rules", pd.DataFrame())
    year = balance.system.years[-1]
    rows: list[dict[str, object]] = []
    for substance in balance.system.substances if len(sheet) else ():
        known = _numbers(balance, substance, year)
        for rule, conditions in sheet.groupby("rule", sort=False):
            keys = {"rule": rule, "substance": substance, "year": year}
            rows += [keys | row for row in _judged(conditions, known, substance)]
    return pd.DataFrame(rows, columns=list(CRITERIA)).astype(CRITERIA)


def _judged(
    conditions: pd.DataFrame, known: dict[str, _Number], substance: str
) -> list[dict[str, object]]:
    """Return the conditions of one rule that speak of a substance, each with the rule's verdict."""
    out: list[dict[str, object]] = []
    for row in conditions.to_dict("records"):
        if _text(row.get("substance")) not in ("", substance):
            continue
        name, threshold = _text(row.get("indicator")), _number(row.get("threshold"))
        stated = _number(row.get("value"))
        number = known.get(name, _Number(stated, stated, stated))
        relation = _text(row.get("relation"))
        out.append(
            {
                "support": _text(row.get("support")),
                "cap": _number(row.get("cap")),
                "indicator": name,
                "value": number.value,
                "low": number.low,
                "high": number.high,
                "relation": relation,
                "threshold": threshold,
                "met": _met(number, relation, threshold),
                "reference": _text(row.get("reference")),
                "note": _text(row.get("note")),
            }
        )
    verdict = _verdict(str(row["met"]) for row in out)
    lacking = [str(row["indicator"]) or "indicator" for row in out if row["met"] == "missing"]
    common = {
        "verdict": verdict,
        "missing": ", ".join(lacking),
        "support": next((row["support"] for row in out if row["support"]), ""),
        "cap": next((row["cap"] for row in out if row["cap"] == row["cap"]), np.nan),
    }
    return [row | common for row in out]


def _met(number: _Number, relation: str, threshold: float) -> str:
    """Return whether a condition is met wherever the number may lie: yes, no, open, missing."""
    low, high = number.low, number.high
    if not (relation and threshold == threshold and low == low and high == high):
        return "missing"
    ends = {
        ">": (low > threshold, high > threshold),
        ">=": (low >= threshold, high >= threshold),
        "<": (high < threshold, low < threshold),
        "<=": (high <= threshold, low <= threshold),
        "=": (low == high == threshold, low <= threshold <= high),
    }
    always, ever = ends[relation]
    return "yes" if always else "open" if ever else "no"


def _verdict(met: Iterable[str]) -> str:
    """Return the verdict of a rule from its conditions; nothing passes without its numbers."""
    every = list(met)
    for outcome in ("no", "missing", "open"):
        if outcome in every:
            return outcome
    return "yes" if every else "missing"


def _numbers(balance: Balance, substance: str, year: int) -> dict[str, _Number]:
    """Return every indicator that there is, by id."""
    table = indicators(balance)
    here = table[(table["substance"] == substance) & (table["year"] == year)]
    if "region" in here:
        here = here[here["region"] == ""]
    out = {
        ":".join(filter(None, (row["indicator"], row["item"]))): _Number(
            row["value"], row["low"], row["high"]
        )
        for row in here.to_dict("records")
        if row["low"] == row["low"] or row["high"] == row["high"]
    }
    place = places(balance).get((substance, year))
    concentration = None if place is None else _hhi(place)
    if concentration is not None:
        out[HHI] = concentration
    return out


def _hhi(place: Place) -> _Number | None:
    """Return Σ share² of where primary imports come from, None if any is undetermined.

    With masses m, their sum M and shares s it changes by 2 (s − Σ s²) / M per unit of m.
    """
    sets = place.sets
    flows = np.flatnonzero(sets.flows(("primary",), sets.imports))
    numbers = place.number[flows]
    if not len(flows) or place.is_loose(numbers).any() or not place.x[flows].sum() > 0:
        return None
    _, origin = np.unique(sets.tail[flows], return_inverse=True)
    share = (np.bincount(origin, place.x[flows]) / place.x[flows].sum())[origin]
    value = float((share * place.x[flows]).sum() / place.x[flows].sum())
    slope = 2 * (share - value) / place.x[flows].sum()
    spread = covariance(place.balance.bounded.estimate, numbers)
    reach = 1.96 * float(np.sqrt(max(slope @ spread @ slope, 0.0)))
    return _Number(value, max(value - reach, 0.0), min(value + reach, 1.0))


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell)


def _number(cell: object) -> float:
    return float("nan") if cell is None or cell != cell else float(str(cell))
