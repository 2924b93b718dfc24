"""The sheets about supply in the results workbook."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.supply import (
    Disruption,
    concentration,
    disruptions,
    exposure,
    shares,
    stage_balance,
    stockpile,
)

SHEETS = ("origins", "producers", "shocks", "stockpiles")


def has_supply(balance: Balance) -> bool:
    """Return whether the workbook says anything about supply."""
    tables = (balance.system.tables.get(name) for name in SHEETS)
    return any(table is not None and len(table) > 0 for table in tables)


def supply_tables(
    balance: Balance, found: Sequence[Disruption] | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables about supply by the names of their sheets, as far as there is anything.

    Parameters
    ----------
    balance : Balance
    found : sequence of Disruption, optional
        Shocks to be listed; by default those of the workbook.
    """
    known = set(balance.flows["substance"]) & set(balance.system.substances)
    if not known or not (found or has_supply(balance)):
        return {}
    found = disruptions(balance) if found is None else found
    out = {
        "concentration": pd.concat(
            [part for by in ("country", "group", "company") if len(part := _parted(balance, by))]
            or [concentration(balance)],
            ignore_index=True,
        ),
        "suppliers": shares(balance),
        "exposure": exposure(balance),
        "surplus": stage_balance(balance),
        "stock_needed": stockpile(balance),
    }
    if found:
        summary = pd.concat([one.summary for one in found], ignore_index=True)
        never = np.isposinf(summary["endurance_months"].to_numpy(dtype=np.float64))
        summary.loc[never, "endurance_months"] = np.nan  # nothing runs short; no cell holds inf
        out["disruption"] = summary
        out["disruption_months"] = _named(found, [one.shortage for one in found])
        out["disruption_stocks"] = _named(found, [one.stocks for one in found])
    return {name: table for name, table in out.items() if len(table)}


def _parted(balance: Balance, by: str) -> pd.DataFrame:
    """Return the concentration by some parties, empty where nobody names any."""
    column = {"country": "country", "group": "group", "company": "company"}[by]
    names = ("countries",) if by == "group" else ("origins", "producers")
    tables = [balance.system.tables.get(name) for name in names]
    there = any(table is not None and table[column].notna().any() for table in tables)
    return concentration(balance, by) if there else pd.DataFrame()  # type: ignore[arg-type]


def _named(found: Sequence[Disruption], tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return tables of several shocks as one, each row with its shock."""
    named = [
        table.assign(shock=one.shock.name, year=one.year)[["shock", "year", *table.columns]]
        for one, table in zip(found, tables, strict=True)
        if len(table)
    ]
    return pd.concat(named, ignore_index=True) if named else pd.DataFrame()
