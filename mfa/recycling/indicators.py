"""The table of indicators: recycling, reliance on imports, losses, concentration of supply."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.recycling.concentration import concentration_rows
from mfa.recycling.definitions import RATES, Definition
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.ratio import Result, evaluate
from mfa.recycling.reliance import RELIANCE, losses

_WORTH_NAMING = 0.01
_CERTAIN = 1e-7

DEFINITIONS = (*RATES, *RELIANCE)

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


def indicators(balance: Balance) -> pd.DataFrame:
    """Return every recycling indicator for every substance and year.

    Where a system has several regions, the whole comes first, with a blank ``region``, then each
    region apart, as `mfa.region` sees it.

    Parameters
    ----------
    balance : Balance

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
    """
    whole = whole_indicators(balance)
    if len(balance.system.regions) < 2:
        return whole
    apart = {name: whole_indicators(part) for name, part in balance.regions.items()}
    parts = [table.assign(region=name) for name, table in {"": whole, **apart}.items()]
    table = pd.concat(parts, ignore_index=True)
    table.insert(list(COLUMNS).index("high") + 1, "region", table.pop("region"))
    return table


@remembered
def whole_indicators(balance: Balance) -> pd.DataFrame:
    """Return the indicators of what is looked at as a whole."""
    rows = []
    for (substance, year), place in sorted(places(balance).items(), key=lambda item: item[0]):
        if substance not in balance.system.substances:
            continue
        found = [_row(one, substance, year, place) for one in (*DEFINITIONS, *losses(place))]
        old = next(row for row in found if row["indicator"] == "recycling_input_rate_old")
        recycled = (float(str(old["low"])), float(str(old["high"])))
        about = {"substance": substance, "year": year, "assumptions": "", "by_construction": False}
        rows += [*found, *(about | row for row in concentration_rows(place, recycled))]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def missing(definition: Definition, place: Place) -> str:
    """Return which role from which stage is missing to form an indicator, "" if none is."""
    parts = (
        (definition.above(place), definition.above_is),
        (definition.below(place), definition.below_is),
    )
    lacking = [words for terms, words in parts if words and all(term.is_empty for term in terms)]
    return "; ".join(dict.fromkeys(lacking))


def _row(definition: Definition, substance: str, year: int, place: Place) -> dict[str, object]:
    about = {
        "indicator": definition.indicator,
        "substance": substance,
        "year": year,
        "item": definition.item,
        "unit": definition.unit or place.balance.system.unit,
        "scope": definition.scope,
        "source": definition.source,
    }
    lacking = missing(definition, place)
    if lacking:
        blank = dict.fromkeys(COLUMNS, np.nan) | {"flows": "", "assumptions": ""}
        return blank | about | {"missing": lacking, "by_construction": False}
    above, below = definition.above(place), definition.below(place)
    result = formed(definition, place)
    names, share = _assumptions(result, place)
    step = place.step
    size = 1.0 if below else 1.0 / step  # a mass per step is told per year
    low, high = result.low * size, result.high * size
    counted = np.any([term.flows for term in (*above, *below)], axis=0)
    return about | {
        "value": result.value * size,
        "sd": result.sd * size,
        "low": low if np.isfinite(low) else np.nan,
        "high": high if np.isfinite(high) else np.nan,
        "numerator": result.numerator / step,
        "denominator": result.denominator / step if below else np.nan,
        "flows": ", ".join(place.balance.system.flows["flow"][counted]),
        "assumptions": names,
        "assumed": share,
        "missing": "",
        "by_construction": _by_construction(result, definition, place),
    }


def formed(definition: Definition, place: Place) -> Result:
    """Return an indicator at a place."""
    others = [one(place) for one in definition.others]
    return evaluate(
        definition.above(place), definition.below(place), place, others, definition.span
    )


def _by_construction(result: Result, definition: Definition, place: Place) -> bool:
    """Return whether balances and flows ≥ 0 alone give the indicator its value."""
    if not result.sd < _CERTAIN:
        return False
    least = formed(definition, place.drawing)
    return bool(np.isfinite(least.value))


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
