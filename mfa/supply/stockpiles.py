"""Stockpiles: how much is needed for so many days, and what so many days are worth in a shock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.errors import MFAError
from mfa.supply.disrupt import disrupt
from mfa.supply.network import Yearly, yearly
from mfa.supply.shock import ShockLike

_DAYS = 365


def stockpile(balance: Balance, days: float = 60.0, year: int | None = None) -> pd.DataFrame:
    """Return the stock that so many days of demand need, by substance, beside what is kept.

    Demand is the refined metal that fabrication takes; where no flow has that role and stage, all
    that enters use or leaves for export.

    Parameters
    ----------
    balance : Balance
    days : float
        Days of demand to be covered.
    year : int, optional
        By default the last in which the substance has rows.

    Returns
    -------
    DataFrame
        substance, year, demand [unit], value, sd, low, high (the stock needed) [mass], days, held
        (the workbook's stockpiles) [mass], held_days, held_share (of what is needed), flows (that
        demand counts), unit (of mass). Blank where demand is undetermined.
    """
    if not days >= 0:
        raise MFAError(f"a stockpile of {days} days; write at least 0")
    there = set(balance.flows["substance"])
    rows = [
        _needed(yearly(balance, substance, year), float(days))
        for substance in balance.system.substances
        if substance in there
    ]
    return pd.DataFrame(rows).assign(unit=balance.system.settings.unit.mass.name)


def _demand(y: Yearly) -> np.ndarray:
    sets = y.sets
    fabrication = sets.stage("fabrication")
    found = sets.flows(("refined",), target=fabrication) & ~fabrication[sets.tail]
    if found.any():
        return np.asarray(found)
    into = sets.use | sets.exports
    scrap = sets.role("scrap", "old_scrap", "new_scrap")
    return np.asarray(y.there & into[sets.head] & ~y.technical & ~scrap)


def _needed(y: Yearly, days: float) -> dict[str, object]:
    flows = [y.flow_names[f] for f in np.flatnonzero(_demand(y)).tolist()]
    row: dict[str, object] = {"substance": y.substance, "year": y.year}
    share = days / _DAYS
    if flows:
        total = y.balance.linear({(flow, y.substance, y.year): 1.0 for flow in flows})
        ends = (total.value, total.sd, total.low, total.high)
    else:
        ends = (np.nan, np.nan, np.nan, np.nan)
    held = _held(y)
    row |= {"demand": ends[0]}
    row |= {
        name: share * end for name, end in zip(("value", "sd", "low", "high"), ends, strict=True)
    }
    daily = ends[0] / _DAYS
    return row | {
        "days": days,
        "held": held,
        "held_days": held / daily if daily > 0 else np.nan,
        "held_share": held / (daily * days) if daily > 0 and days > 0 else np.nan,
        "flows": ", ".join(flows),
    }


def _held(y: Yearly) -> float:
    """Return what the workbook's stockpiles hold of a substance; blank where that is not known."""
    table = y.balance.system.tables.get("stockpiles")
    if table is None:
        return 0.0
    rows = table[(table["substance"] == y.substance)]
    total = 0.0
    for row in rows.to_dict("records"):
        if not pd.isna(row["value"]):
            total += float(row["value"])
        elif not pd.isna(row["days"]):
            into = y.there & (y.sets.head == y.names.index(row["process"]))
            total += float(y.value[into].sum()) * float(row["days"]) / _DAYS
    return total


def cover(
    balance: Balance,
    shock: ShockLike,
    days: Sequence[float] = (0.0, 30.0, 60.0, 90.0, 180.0),
    *,
    process: str | Sequence[str] | None = None,
    substance: str | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return what stockpiles of so many days change in a shock.

    Parameters
    ----------
    balance : Balance
    shock : str, mapping or sequence of mappings
        As for `disrupt`.
    days : sequence of float
        Days of usual intake, kept on top of the workbook's stockpiles.
    process : str or sequence of str, optional
        Where they are kept; by default where the shock hits first.
    substance, year : optional
        As for `disrupt`.

    Returns
    -------
    DataFrame
        shock, days, stock (all that is kept), unmet, unmet_share, avoided (of what is unmet with
        the fewest days), released, endurance_months, first_short, first_out, unit.
    """
    places = [process] if isinstance(process, str) else process
    rows: list[dict[str, object]] = []
    for number in sorted({float(day) for day in days}):
        asked: float | Mapping[str, float] = number
        if places is not None:
            asked = dict.fromkeys(places, number)
        found = disrupt(
            balance, shock, substance=substance, year=year, stockpile_days=asked, draws=0
        )
        row = found.summary.iloc[0]
        kept = found.stocks.loc[found.stocks["month"] == 0, "level"].sum()
        names = ["unmet", "unmet_share", "released", "endurance_months", "first_short", "first_out"]
        rows.append(
            {"shock": row["shock"], "days": number, "stock": float(kept)}
            | {name: row[name] for name in names}
            | {"unit": row["unit"]}
        )
    table = pd.DataFrame(rows)
    table.insert(5, "avoided", table["unmet"].iloc[0] - table["unmet"])
    return table
