"""What the page says of regions: each apart, and the trade between them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.recycling import trade
from mfa.recycling.trade import ALL
from mfa.report import format as fmt
from mfa.report.indicators import indicator_values
from mfa.report.page import Page
from mfa.sankey.chart import Chart, sankey


def region_pages(page: Page) -> dict[str, Page]:
    """Return a page for each region that any flow touches; none where there is only one region."""
    if len(page.balance.system.regions) < 2:
        return {}
    parts = page.balance.regions.items()
    return {name: Page(part, page.lang) for name, part in parts if len(part.system.flows)}


def region_charts(page: Page) -> dict[str, Chart]:
    """Return the chart of each region in its headline year and substance."""
    return {
        name: sankey(part.balance, part.year, part.substance, page.lang)
        for name, part in region_pages(page).items()
    }


def region_rows(page: Page) -> list[dict[str, Any]]:
    """Return what stands on the page about each region."""
    charts = region_charts(page)
    return [
        {
            "name": page.region_name(name),
            "chart": charts[name].figure,
            "indicators": indicator_values(part),
            "year": part.year,
            "losses": part.loss_rows(part.year, part.substance),
        }
        for name, part in region_pages(page).items()
    ]


def trade_rows(page: Page) -> list[dict[str, Any]]:
    """Return one row per pair of regions, role and substance, with a cell per year.

    The sum over all roles is left out where there is only one.
    """
    if len(page.balance.system.regions) < 2:
        return []
    table = trade(page.balance)
    pair = ["substance", "from_region", "to_region"]
    several = table.groupby(pair)["role"].transform("nunique") > 2
    table = table[several | (table["role"] != ALL)]
    out = []
    for key, rows in table.groupby([*pair, "role"], sort=False):
        substance, source, target, role = map(str, key)
        out.append(
            {
                "from": page.region_name(source),
                "to": page.region_name(target),
                "substance": page.substance_name(substance),
                "role": _role_name(page, role),
                "cells": {int(row["year"]): _cell(page, row) for _, row in rows.iterrows()},
                "flows": page.linked(str(rows["flows"].iloc[-1])),
            }
        )
    return out


def _role_name(page: Page, role: str) -> str:
    parts = role.split(",") if role else [""]
    return page.comma.join(page.words[f"role:{part}"] for part in parts)


def _cell(page: Page, row: pd.Series) -> str:
    """Write value ± sd, or the range of what the data leave open."""
    shown = fmt.plus_minus(row["value"], row["sd"])
    return shown or fmt.low_high(row["low"], row["high"], page.words)
