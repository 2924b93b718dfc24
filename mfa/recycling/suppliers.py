"""Who supplies an import: the sheet ``origins`` as shares of flows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mfa.recycling.memory import kept
from mfa.system import System
from mfa.units import parse_unit

UNKNOWN = "unknown"
_COMPLETE = 0.02  # what rounded shares may lack of 1


@kept
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
    return {flow: _shares(_texts(rows, column), rows) for flow, rows in _rows(system, year).items()}


@kept
def equity_shares(system: System, year: int) -> Mapping[str, tuple[float, float]]:
    """Return the least and the greatest share of each flow that the region's companies own.

    Suppliers whose equity is blank, and what no row accounts for, may be owned or not.
    """
    out = {}
    for flow, rows in _rows(system, year).items():
        shares = _shares([str(k) for k in range(len(rows))], rows)
        low, high = 0.0, shares.get(UNKNOWN, 0.0)
        equity = rows["equity"].tolist() if "equity" in rows else [None] * len(rows)
        for k, owned in enumerate(equity):
            part = shares.get(str(k), 0.0)
            low += part * (0.0 if pd.isna(owned) else float(owned))
            high += part * (1.0 if pd.isna(owned) else float(owned))
        out[flow] = low, high
    return out


@kept
def _rows(system: System, year: int) -> dict[str, pd.DataFrame]:
    """Return the rows of the sheet that speak of a year, by flow."""
    table = system.tables.get("origins")
    if table is None or table.empty:
        return {}
    nothing = pd.Series(float("nan"), table.index)
    stated = pd.to_numeric(table["year"]) if "year" in table else nothing
    out = {}
    for flow, rows in table.groupby("flow", sort=False):
        years = stated.loc[rows.index]
        chosen = rows[years == year]
        if chosen.empty:
            chosen = rows[years.isna()]
        if not chosen.empty:
            out[str(flow)] = chosen
    return out


def _texts(rows: pd.DataFrame, column: str) -> list[str]:
    """Return the texts of a column, "" where a cell is blank."""
    if column not in rows:
        return [""] * len(rows)
    return [cell.strip() if isinstance(cell, str) else "" for cell in rows[column].tolist()]


def _shares(names: list[str], rows: pd.DataFrame) -> dict[str, float]:
    """Return the shares of one flow and year; what no row accounts for is unknown."""
    found: dict[str, float] = {}
    as_shares, blank = False, False
    for name, value, unit in zip(names, rows["value"], _texts(rows, "unit"), strict=True):
        if pd.isna(value):
            blank = True
            continue
        scale = parse_unit(unit) if unit else None
        as_shares |= scale is not None and scale.dimension == "share"
        size = 1.0 if scale is None else scale.size
        found[name or UNKNOWN] = found.get(name or UNKNOWN, 0.0) + float(value) * size
    total = sum(found.values())
    if total <= 0 or (blank and not as_shares):
        return {UNKNOWN: 1.0}  # masses of some suppliers say nothing about shares
    whole = max(total, 1.0) if as_shares and (total < 1.0 - _COMPLETE or blank) else total
    out = {name: value / whole for name, value in found.items() if value > 0}
    rest = 1.0 - sum(out.values())
    if rest > 1e-12:
        out[UNKNOWN] = out.get(UNKNOWN, 0.0) + rest
    return out
