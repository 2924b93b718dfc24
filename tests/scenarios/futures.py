"""Small systems with a future, as tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

import mfa

ROWS = ["scenario", "target", "item", "substance", "year", "change", "value", "interpolation"]


def rows(*listed: tuple[Any, ...]) -> pd.DataFrame:
    """Return rows of the sheet scenarios, of the scenario S: target, item, year, change, …"""
    table = [("S", target, item, None, year, *rest) for target, item, year, *rest in listed]
    return pd.DataFrame(table, columns=ROWS)


def system(
    processes: list[tuple[Any, ...]],
    flows: list[tuple[Any, ...]],
    year: int = 2020,
    substances: str = "Cu",
    **sheets: pd.DataFrame,
) -> mfa.System:
    """Return a system.

    processes: name, stage, kind, stock, capacity; flows: name, from, to, role, value. All exact.
    """
    columns = ["process", "stage", "kind", "stock", "capacity"]
    wide = [(*row, *[None] * (5 - len(row))) for row in processes]
    table = pd.DataFrame(wide, columns=columns)
    drawn = pd.DataFrame(flows, columns=["flow", "from", "to", "role", "value"])
    return mfa.System.from_tables(
        {
            "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", substances]}),
            "processes": table,
            "flows": drawn.assign(year=year, sd=0.0),
            **sheets,
        }
    )


def loop(**sheets: pd.DataFrame) -> mfa.System:
    """Ore and scrap make goods; a third of the cuttings and 60 % of old goods come back.

    Worked by hand: the plant takes in 100 (ore 76, scrap 24), 12 % is cut off, 88 enter use, 50
    leave it, of which 60 % are collected; sorting loses a tenth of 42, so that 37.8 come back.
    """
    processes = [
        ("Mine", "mining", "source"),
        ("Plant", "refining", None),
        ("Use", "use", None, "yes"),
        ("Collection", "collection", None),
        ("Sorting", "sorting", None),
        ("Dump", "disposal", "sink"),
    ]
    flows = [
        ("ore", "Mine", "Plant", "primary", 62.2),
        ("cuttings", "Plant", "Sorting", "new_scrap", 12.0),
        ("goods", "Plant", "Use", "product", 88.0),
        ("worn", "Use", "Collection", "end_of_life", 50.0),
        ("old", "Collection", "Sorting", "old_scrap", 30.0),
        ("lost", "Collection", "Dump", "loss", 20.0),
        ("sorted out", "Sorting", "Dump", "loss", 4.2),
        ("scrap", "Sorting", "Plant", "scrap", 37.8),
    ]
    return system(processes, flows, **sheets)


def value(projection: mfa.Projection, flow: str, year: int, substance: str = "Cu") -> float:
    """Return one flow."""
    table = projection.flows
    chosen = (table["flow"] == flow) & (table["year"] == year) & (table["substance"] == substance)
    return float(table.loc[chosen, "value"].iloc[0])


def residuals(projection: mfa.Projection) -> pd.Series:
    """Return inputs − outputs − stock change of every balanced process, over its throughput."""
    flows = projection.flows
    keys = ["process", "substance", "year"]
    enters = flows.rename(columns={"to": "process"}).groupby(keys)["value"].sum()
    leaves = flows.rename(columns={"from": "process"}).groupby(keys)["value"].sum()
    stocks = projection.stocks
    change = stocks[stocks["quantity"] == "change"].groupby(keys)["value"].sum()
    off = enters.sub(leaves, fill_value=0.0).sub(change, fill_value=0.0)
    size = enters.combine(leaves, max, fill_value=0.0)
    inside = projection.start.processes.set_index(keys[:2]).index
    here = off.index.droplevel("year").isin(inside)
    return (off[here] / size[here].clip(lower=1e-12)).abs()
