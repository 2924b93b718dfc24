"""How concentrated the supply of an import is: Σ share² over countries, plain and weighted."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import numpy as np
import pandas as pd

from mfa.recycling.place import Place
from mfa.recycling.suppliers import UNKNOWN, supplier_shares
from mfa.schema import fold

CONCENTRATIONS = ("hhi", "hhi_governance", "supply_risk")
_OTHERS = {
    "other",
    "others",
    "othercountries",
    "restoftheworld",
    "rest",
    "row",
    "その他",
    "その他の国",
}
_SOURCE = "Herfindahl 1950, Hirschman 1964"
_WEIGHTED = "European Commission 2017, Methodology for critical raw materials"


def is_rest(name: str) -> bool:
    """Return whether a name stands for several countries, or for nobody knows which.

    Examples
    --------
    >>> is_rest("Other countries"), is_rest("Chile")
    (True, False)
    """
    return fold(unicodedata.normalize("NFKC", name)) in _OTHERS | {UNKNOWN}


def concentration(shares: Mapping[str, float], weights: Mapping[str, float]) -> tuple[float, float]:
    """Return the least and the greatest Σ weight × share².

    What "other" countries supply may come from very many or from a single one; what is of unknown
    origin may also come from the largest of the known ones.

    Parameters
    ----------
    shares : mapping of country to share
    weights : mapping of country to weight
        Of every country; those that stand for several need none if nothing is greater.

    Examples
    --------
    >>> concentration({"Chile": 0.5, "Peru": 0.3, "Other": 0.2}, {"Chile": 1.0, "Peru": 1.0})
    (0.33999999999999997, 0.38)
    """
    known = {name: share for name, share in shares.items() if not is_rest(name)}
    low = high = sum(weights[name] * share**2 for name, share in known.items())
    worst = max(weights.values(), default=1.0)
    for name, share in shares.items():
        if not is_rest(name):
            continue
        gains = [weights.get(name, worst) * share**2]
        if name == UNKNOWN:
            gains += [weights[k] * ((own + share) ** 2 - own**2) for k, own in known.items()]
        high += max(gains)
    return low, high


def concentration_rows(place: Place, recycled: tuple[float, float]) -> list[dict[str, object]]:
    """Return hhi, hhi_governance and supply_risk of every import that has rows in ``origins``.

    Parameters
    ----------
    place : Place
    recycled : tuple of float
        Range of the recycling input rate from old scrap, which lowers the supply risk.
    """
    system = place.balance.system
    there = set(system.flows["flow"][place.there])
    by_flow = {f: s for f, s in supplier_shares(system, place.year).items() if f in there}
    if not by_flow:
        lacking = "rows of the sheet origins that name the countries of an import"
        return [_row(name, "", lacking) for name in CONCENTRATIONS]
    table = system.tables.get("countries")
    weights = {} if table is None else _weights(table)
    out = []
    for flow, shares in by_flow.items():
        plain = concentration(shares, {n: 1.0 for n in shares if not is_rest(n)})
        out.append(_row("hhi", flow, "", plain))
        unweighted = [n for n in shares if not is_rest(n) and fold(n) not in weights]
        if unweighted or not weights:
            names = ", ".join(unweighted) or "the countries"
            lacking = f"governance of {names} in the sheet countries"
            out += [_row(name, flow, lacking) for name in ("hhi_governance", "supply_risk")]
            continue
        named = {name: weights[fold(name)] for name in shares if fold(name) in weights}
        low, high = concentration(shares, named)
        out.append(_row("hhi_governance", flow, "", (low, high)))
        if np.isnan(recycled[0]):
            out.append(_row("supply_risk", flow, "recycling_input_rate_old"))
        else:
            risk = low * (1.0 - recycled[1]), high * (1.0 - recycled[0])
            out.append(_row("supply_risk", flow, "", risk))
    return out


def _weights(table: pd.DataFrame) -> dict[str, float]:
    """Return governance × trade adjustment by country, of those that have a governance."""
    out = {}
    for row in table.to_dict("records"):
        adjustment = row.get("trade_adjustment")
        factor = 1.0 if adjustment is None or pd.isna(adjustment) else float(adjustment)
        if not pd.isna(row.get("governance")):
            out[fold(str(row["country"]))] = float(row["governance"]) * factor
    return out


_SCOPES = {
    "hhi": "Σ share² over the countries of one import; 1 is a single country",
    "hhi_governance": "Σ governance × trade adjustment × share² over the countries of one import",
    "supply_risk": "hhi_governance × (1 − recycling input rate of old scrap); no substitution",
}


def _row(
    indicator: str, flow: str, lacking: str, ends: tuple[float, float] = (np.nan, np.nan)
) -> dict[str, object]:
    """Return a row: a value where both ends meet; shares of suppliers have no sd."""
    known = ends[1] - ends[0] <= 1e-12
    return {
        "indicator": indicator,
        "item": flow,
        "value": ends[0] if known else np.nan,
        "sd": 0.0 if known else np.nan,
        "low": ends[0],
        "high": ends[1],
        "flows": flow,
        "missing": lacking,
        "unit": "1",
        "scope": _SCOPES[indicator],
        "source": _SOURCE if indicator == "hhi" else _WEIGHTED,
    }
