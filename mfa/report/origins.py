"""What the page says of where metal comes from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.recycling import trace
from mfa.recycling.sources import By
from mfa.report import format as fmt
from mfa.report.page import Page

_SHOWN = 0.0005  # of a flow


def origin_tables(page: Page) -> list[dict[str, Any]]:
    """Return shares of sources by flow for the headlines: by kind, and by country where stated."""
    balance = page.balance
    if page.substance not in balance.system.substances:
        return []
    ways: list[By] = ["origin"]
    origins = balance.system.tables.get("origins")
    if origins is not None and len(origins):
        ways.append("country")
    tables = [trace(balance, by, page.substance, page.year) for by in ways]
    return [_table(page, table) for table in tables if len(table)]


def _table(page: Page, table: pd.DataFrame) -> dict[str, Any]:
    """Return one row per flow with a cell per source, the sources in their order."""
    shown = table[table["share_high"] > _SHOWN]
    names = list(dict.fromkeys(table["origin"].tolist()))
    totals = shown.groupby("origin")["share_high"].sum()
    sources = [name for name in names if name in totals.index and name != "unknown"]
    if "unknown" in totals.index:
        sources.append("unknown")
    rows = []
    for flow, part in shown.groupby("flow", sort=False):
        cells = {str(row["origin"]): _cell(row) for row in part.to_dict("records")}
        rows.append({"flow": page.linked(str(flow)), "cells": cells})
    labels = [{"key": name, "name": _source_name(page, str(name))} for name in sources]
    return {"sources": labels, "rows": rows}


def _source_name(page: Page, name: str) -> str:
    """Return the name of a kind of source or of a country in the page's language."""
    return page.words.get(f"origin:{name}") or page.words.get(f"country:{name}", name)


def _cell(row: dict[Any, Any]) -> str:
    """Write a share ± sd in percent, or what an open mixture leaves possible."""
    if fmt.known(row["share"]):
        return fmt.percent_sd(row["share"], row["share_sd"])
    return f"{fmt.percent(row['share_low'])} – {fmt.percent(row['share_high'])}"
