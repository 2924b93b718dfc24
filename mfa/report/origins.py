"""What the page says of where metal comes from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.recycling import trace
from mfa.recycling.sources import By
from mfa.report import format as fmt
from mfa.report.page import Page

_SHOWN = 0.0005  # of a flow
_MOST_SOURCES = 8
_WHOLLY = fmt.percent(1.0)


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
    """Return one row for flows of the same shares, and apart those wholly of one source."""
    shown = table[table["share_high"] > _SHOWN]
    names = list(dict.fromkeys(table["origin"].tolist()))
    totals = shown.groupby("origin")["share_high"].sum()
    largest = set(totals.sort_values(ascending=False).index[:_MOST_SOURCES])
    sources = [name for name in names if name in largest and name != "unknown"]
    if "unknown" in totals.index:
        sources.append("unknown")
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for flow, part in shown.groupby("flow", sort=False):
        cells = tuple((str(row["origin"]), _cell(row)) for row in part.to_dict("records"))
        alike.setdefault(cells, []).append(str(flow))
    labels = {str(name): _source_name(page, str(name)) for name in sources}
    linked = {cells: page.linked(", ".join(flows)) for cells, flows in alike.items()}
    one = {cells for cells in alike if [share for _, share in cells] == [_WHOLLY]}
    mixed = [{"flows": linked[cells], "cells": dict(cells)} for cells in alike if cells not in one]
    named = {name for cells in alike if cells not in one for name, _ in cells}
    whole = [
        {"flows": linked[cells], "source": _source_name(page, cells[0][0])}
        for cells in alike
        if cells in one
    ]
    return {
        "sources": {name: label for name, label in labels.items() if name in named},
        "rows": mixed,
        "more": len(totals) - len(sources),
        "whole": whole,
        "n_whole": sum(len(row["flows"]) for row in whole),
    }


def _source_name(page: Page, name: str) -> str:
    """Return the name of a kind of source or of a country in the page's language."""
    return page.words.get(f"origin:{name}") or page.words.get(f"country:{name}", name)


def _cell(row: dict[Any, Any]) -> str:
    """Write a share ± sd in percent, or what an open mixture leaves possible."""
    if fmt.known(row["share"]):
        return fmt.percent_sd(row["share"], row["share_sd"])
    return f"{fmt.percent(row['share_low'])} – {fmt.percent(row['share_high'])}"
