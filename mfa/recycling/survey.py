"""Which unknown number, if somebody went and measured it, would say most about an indicator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from mfa.balance import Balance, reconcile
from mfa.errors import MFAError, near
from mfa.recycling.indicators import DEFINITIONS, Definition, missing
from mfa.recycling.memory import remembered
from mfa.recycling.place import Place, places
from mfa.recycling.polytope import Polytope
from mfa.recycling.ratio import evaluate
from mfa.recycling.tracing import Tracing

COLUMNS = {
    "item": "str",
    "substance": "str",
    "year": "int64",
    "value": "float64",
    "sd": "float64",
    "low": "float64",
    "high": "float64",
    "indicator": "str",
    "width_now": "float64",
    "width_then": "float64",
}
_LESS = 1e-6
_DIGITS = 9


def survey(
    balance: Balance,
    indicator: str = "eol_recycling_rate",
    substance: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return the undetermined flows in the order in which measuring them would narrow an indicator.

    Each flow in turn is taken as measured exactly in the middle of its range, the system is
    reconciled once more, and the indicator formed anew. Nothing here improves numbers that are
    known but poor.

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
        item (flow), its range, and the width of the indicator's range now and then, best first; a
        range without a limit has the width inf, an indicator that gets a value the width 0. Empty
        where the indicator is determined or cannot be formed.

    Raises
    ------
    MFAError
        If there is no such indicator, substance or year.
    """
    known = [definition.indicator for definition in DEFINITIONS]
    if indicator not in known:
        raise MFAError(
            f"no indicator {indicator!r}; {near(indicator, known, 'see mfa.indicators')}"
        )
    return _plan(balance, indicator, _key(balance, substance, year))


@remembered
def _plan(balance: Balance, indicator: str, key: tuple[str, int]) -> pd.DataFrame:
    definition = next(one for one in DEFINITIONS if one.indicator == indicator)
    now = _width(balance, definition, key)
    rows: list[dict[str, object]] = []
    if now > 0:
        for row in _candidates(places(balance)[key], definition, key):
            then = _width(_measured(balance, row), definition, key)
            if not np.isnan(then) and then < now * (1 - _LESS):
                rows.append(row | {"indicator": indicator, "width_now": now, "width_then": then})
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    order = table.assign(rounded=table["width_then"].round(_DIGITS))
    order = order.sort_values(["rounded", "item"], ignore_index=True)
    return order.drop(columns="rounded")


def _key(balance: Balance, substance: str | None, year: int | None) -> tuple[str, int]:
    """Return substance and year asked for."""
    system = balance.system
    substance = system.substances[0] if substance is None else substance
    year = system.years[-1] if year is None else year
    if substance not in system.substances:
        advice = near(substance, system.substances, "it has " + ", ".join(system.substances))
        raise MFAError(f"the system has no substance {substance!r}; {advice}")
    if year not in system.years:
        years = ", ".join(map(str, system.years))
        raise MFAError(f"the system has no year {year}; there are {years}")
    return substance, year


def _width(balance: Balance, definition: Definition, key: tuple[str, int]) -> float:
    """Return the width of an indicator's range; nan where it cannot be formed."""
    place = places(balance).get(key)
    if place is None or missing(definition, place):
        return float("nan")
    found = evaluate(definition.above(place.sets), definition.below(place.sets), place)
    return 0.0 if np.isfinite(found.value) else found.high - found.low


def _candidates(
    place: Place, definition: Definition, key: tuple[str, int]
) -> list[dict[str, object]]:
    """Return the undetermined flows that an indicator depends on and whose range has limits."""
    terms = [*definition.above(place.sets), *definition.below(place.sets)]
    origins = [term.origin for term in terms if term.origin is not None]
    polytope = Polytope(place, terms, {o.name: Tracing(place, o) for o in origins})
    low, high = place.balance.limits
    out: list[dict[str, object]] = []
    for flow in np.flatnonzero(place.is_loose(place.number)).tolist():
        number = int(place.number[flow])
        ends = float(low[number]), float(high[number])
        if polytope.contains(number) and np.all(np.isfinite(ends)):
            item = str(place.balance.system.flows["flow"].iat[flow])
            keys = {"item": item, "substance": key[0], "year": key[1]}
            out.append(keys | {"value": np.nan, "sd": np.nan, "low": ends[0], "high": ends[1]})
    return out


def _measured(balance: Balance, row: dict[str, object]) -> Balance:
    """Return the balance with a flow found exactly in the middle of its range."""
    data = balance.model.system.data.copy()
    chosen = (
        (data["flow"] == row["item"])
        & (data["substance"] == row["substance"])
        & (data["year"] == row["year"])
    )
    middle = (float(str(row["low"])) + float(str(row["high"]))) / 2
    data.loc[chosen, ["value", "sd"]] = (middle, 0.0)
    data.loc[chosen, "include"] = True
    model = balance.model
    again = reconcile(replace(model.system, data=data), survival=model.survival, cv=model.cv)
    return replace(again, system=balance.system)  # seen as before
