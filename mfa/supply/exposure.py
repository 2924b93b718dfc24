"""Exposure: what share of every stage stems from each country, however many stages upstream."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.recycling import trace
from mfa.schema import STAGES
from mfa.supply.network import yearly
from mfa.supply.origins import By, groups_of

_NOT_COUNTRIES = ("stock", "unknown")


def exposure(
    balance: Balance,
    by: By = "country",
    *,
    substance: str | None = None,
    year: int | None = None,
    merge: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return what share of the intake of every process stems from each country, traced upstream.

    Processes mix what they get (see `mfa.trace`); what leaves use is of the in-use stock, "stock".

    Parameters
    ----------
    balance : Balance
    by : {"country", "group", "company"}
        Groups of countries are those of the sheet ``countries``.
    substance, year : optional
        By default the first, and its last year.
    merge : mapping of str to str, optional
        Names that count as one.

    Returns
    -------
    DataFrame
        item (process), stage, substance, year, origin, value (share), low, high [1], mass [unit],
        unit; stages in the order of the cycle. Where the mixture is open, value is blank and low to
        high hold all that is possible. Processes with an undetermined intake are left out.
    """
    y = yearly(balance, substance, year)
    party = "country" if by == "group" else by
    table = trace(balance, by=party, substance=y.substance, year=y.year)
    names = groups_of(balance.system) if by == "group" else {}
    origin = table["origin"].map(lambda name: names.get(name, name))
    origin = origin.map(lambda name: (merge or {}).get(name, name))
    processes = balance.system.processes.set_index("process")
    inside = table["to"].map(processes["kind"]) == "process"
    table = table[inside].assign(origin=origin)
    flows = table.drop_duplicates("flow")
    out: list[dict[str, object]] = []
    known = balance.flows.set_index(["flow", "substance", "year"])["value"]
    for process, rows in table.groupby("to", sort=False):
        into = flows.loc[flows["to"] == process, "flow"]
        key = (rows["substance"].iloc[0], int(rows["year"].iloc[0]))
        size = known.loc[[(flow, *key) for flow in into]]
        if size.isna().any() or not size.sum() > 0:
            continue
        out += _of_process(str(process), rows, float(size.sum()), balance.system.unit)
    stage = [str(processes["stage"][str(row["item"])]) for row in out]
    result = pd.DataFrame(out, columns=_COLUMNS).assign(stage=stage)
    order = result["stage"].map({name: i for i, name in enumerate(STAGES)}).fillna(len(STAGES))
    last = result["origin"].isin(_NOT_COUNTRIES)
    keys = pd.DataFrame({"order": order, "last": last, "size": -result["high"].fillna(1.0)})
    ranked = result.join(keys).sort_values(
        ["order", "item", "last", "size", "origin"], kind="stable"
    )
    return ranked[_COLUMNS].reset_index(drop=True)


_COLUMNS = [
    "item",
    "stage",
    "substance",
    "year",
    "origin",
    "value",
    "low",
    "high",
    "mass",
    "unit",
]


def _of_process(
    process: str, rows: pd.DataFrame, size: float, unit: str
) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    for origin, some in rows.groupby("origin", sort=False):
        value = some["value"].sum() if some["value"].notna().all() else np.nan
        low, high = some["value"].fillna(some["low"]), some["value"].fillna(some["high"])
        out.append(
            {"item": process, "substance": some["substance"].iloc[0], "origin": origin}
            | {"year": int(some["year"].iloc[0]), "value": value / size, "unit": unit}
            | {"low": min(low.sum() / size, 1.0), "high": min(high.sum() / size, 1.0)}
            | {"mass": value}
        )
    return out
