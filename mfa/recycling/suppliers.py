"""Who supplies an import: the sheet ``origins`` as shares of flows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mfa.system import System
from mfa.units import parse_unit

UNKNOWN = "unknown"
_COMPLETE = 0.02  # what rounded shares may lack of 1


def supplier_shares(
    system: System, year: int, column: str = "country"
) -> Mapping[str, Mapping[str, float]]:
    """Return what share of each flow its suppliers hold in a year, by flow and supplier.

    Masses are divided by their sum: they may be gross, or of the calendar year. Shares that lack
    more than 2 % of 1 leave the rest to "unknown", and so do rows without a name. Rows of the year
    itself come before those that name no year; flows without rows are not listed.

    Parameters
    ----------
    system : System
    year : int
    column : {"country", "company"}
    """
    table = system.tables.get("origins")
    if table is None or table.empty:
        return {}
    stated = (
        pd.to_numeric(table["year"]) if "year" in table else pd.Series(float("nan"), table.index)
    )
    out = {}
    for flow, rows in table.groupby("flow", sort=False):
        years = stated.loc[rows.index]
        chosen = rows[years == year]
        if chosen.empty:
            chosen = rows[years.isna()]
        if not chosen.empty:
            out[str(flow)] = _shares(chosen, column)
    return out


def _shares(rows: pd.DataFrame, column: str) -> dict[str, float]:
    """Return the shares of one flow and year; what no row accounts for is unknown."""
    found: dict[str, float] = {}
    as_shares, blank = False, False
    names = rows[column] if column in rows else pd.Series("", rows.index)
    units = rows["unit"] if "unit" in rows else pd.Series("", rows.index)
    for name, value, unit in zip(names, rows["value"], units, strict=True):
        if pd.isna(value):
            blank = True
            continue
        scale = parse_unit(str(unit)) if isinstance(unit, str) and unit.strip() else None
        as_shares |= scale is not None and scale.dimension == "share"
        label = name.strip() if isinstance(name, str) and name.strip() else UNKNOWN
        size = 1.0 if scale is None else scale.size
        found[label] = found.get(label, 0.0) + float(value) * size
    total = sum(found.values())
    if total <= 0 or (blank and not as_shares):
        return {UNKNOWN: 1.0}  # masses of some suppliers say nothing about shares
    whole = max(total, 1.0) if as_shares and (total < 1.0 - _COMPLETE or blank) else total
    out = {name: value / whole for name, value in found.items() if value > 0}
    rest = 1.0 - sum(out.values())
    if rest > 1e-12:
        out[UNKNOWN] = out.get(UNKNOWN, 0.0) + rest
    return out
