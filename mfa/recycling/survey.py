"""Which unknown number, if somebody went and measured it, would say most about an indicator."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.errors import MFAError, near
from mfa.recycling.indicators import DEFINITIONS
from mfa.recycling.place import Place, places
from mfa.recycling.polytope import Polytope

COLUMNS = [
    "item",
    "substance",
    "year",
    "value",
    "sd",
    "low",
    "high",
    "indicator",
    "width_now",
    "width_then",
]


def survey(
    balance: Balance,
    indicator: str = "eol_recycling_rate",
    substance: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return the undetermined flows in the order in which measuring them would narrow an indicator.

    Each flow in turn is taken as measured exactly in the middle of its range, and the range of the
    indicator is worked out anew. Nothing here improves numbers that are known but poor.

    Parameters
    ----------
    balance : Balance
    indicator : str
        Id of the indicator.
    substance, year : optional
        By default the first substance and the last year.

    Returns
    -------
    DataFrame
        item (flow), its range, and the width of the indicator's range now and then, best first.
        Empty where the indicator is determined or cannot be formed.
    """
    known = {definition.indicator: definition for definition in DEFINITIONS}
    if indicator not in known:
        raise MFAError(
            f"no indicator {indicator!r}; {near(indicator, known, 'see mfa.indicators')}"
        )
    key = (substance or balance.system.substances[0], year or balance.system.years[-1])
    place = places(balance).get(key)
    if place is None:
        return pd.DataFrame(columns=COLUMNS)
    definition = known[indicator]
    above, below = definition.above(place.sets), definition.below(place.sets)
    polytope = Polytope(place, [*above, *below])
    top, bottom = polytope.total(above), polytope.total(below)
    low, high = (end.value for end in polytope.extremes(top, bottom))
    now = high - low
    rows = []
    for flow in np.flatnonzero(place.there).tolist():
        number = int(place.number[flow])
        ends = _range(place, number)
        if not polytope.contains(number) or not np.all(np.isfinite(ends)):
            continue
        polytope.fix(number, sum(ends) / 2)
        least, most = (end.value for end in polytope.extremes(top, bottom))
        polytope.fix(number, None)
        rows.append(_row(place, flow, key, indicator, (now, most - least)))
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table[table["width_then"] < table["width_now"] * (1 - 1e-6)]
    return table.sort_values(["width_then", "item"], ignore_index=True)


def _range(place: Place, number: int) -> tuple[float, float]:
    """Return the range of a variable in mass per step."""
    step = float(place.balance.model.variables["step"].to_numpy(dtype=np.float64)[number])
    low, high = place.balance.limits
    return float(low[number]) * step, float(high[number]) * step


def _row(
    place: Place, flow: int, key: tuple[str, int], indicator: str, widths: tuple[float, float]
) -> dict[str, object]:
    number = int(place.number[flow])
    low, high = place.balance.limits
    return {
        "item": str(place.balance.system.flows["flow"].iat[flow]),
        "substance": key[0],
        "year": key[1],
        "value": np.nan,
        "sd": np.nan,
        "low": float(low[number]),
        "high": float(high[number]),
        "indicator": indicator,
        "width_now": widths[0],
        "width_then": widths[1],
    }
