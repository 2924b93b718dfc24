"""The section on indicators: those that say something, and apart from them those that do not."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.report import format as fmt
from mfa.report.names import split_ids
from mfa.report.page import Page

# Told per import in the section on supply; losses of each process in that on losses.
_ELSEWHERE = ("hhi", "hhi_governance", "supply_risk")
_ALWAYS = ("recycling_input_rate_total", "eol_recycling_rate")  # as the verdict speaks of them


def indicator_values(page: Page) -> dict[str, Any]:
    """Return what the section shows: columns, telling rows, and rows that say little.

    A column is a year; where there is but one year and several substances, a substance.
    """
    table = page.indicators
    layer = pd.Categorical(table["substance"], page.balance.system.layers)
    table = table.assign(layer=layer).sort_values("layer", kind="stable")
    apart = table["indicator"].isin(_ELSEWHERE)
    apart |= (table["indicator"] == "loss") & (table["item"] != "")
    table = table[~apart]
    across = table["year"].nunique() == 1 and table["substance"].nunique() > 1
    column = "substance" if across else "year"
    keys = ["indicator", "item", *([] if across else ["substance"])]
    rows = [_row(page, one, column) for _, one in table.groupby(keys, sort=False)]
    every = page.balance.system.years
    years = [(year, str(year)) for year in fmt.some_years(every)]
    substances = [(one, page.substance_name(one)) for one in table["substance"].unique()]
    return {
        "columns": substances if across else years,
        "across": across,
        "left_out": len(every) > len(years),
        "telling": [row for row in rows if row["telling"]],
        "plain": [row for row in rows if not row["telling"]],
    }


def _row(page: Page, rows: pd.DataFrame, column: str) -> dict[str, Any]:
    """Return one indicator with a cell per column."""
    last = rows.iloc[-1]
    indicator, by_construction = str(last["indicator"]), rows["by_construction"].all()
    flows = [flow for listed in rows["flows"] for flow in page.linked(str(listed))]
    says_little = rows["by_construction"] | (rows["missing"] != "") | rows.apply(_is_open, axis=1)
    return {
        "name": _name(page, indicator, str(last["item"])),
        "substance": page.substance_name(last["substance"]),
        "scope": page.words[f"scope:{indicator}"],
        "source": last["source"],
        "cells": {row[column]: _cell(page, row) for row in rows.to_dict("records")},
        "assumed": _assumed(page, rows),
        "rests_on": _rests_on(page, ", ".join(one for one in rows["assumptions"] if one)),
        "flows": list({flow["href"]: flow for flow in flows}.values()),
        "by_construction": page.words["by_construction"] if by_construction else "",
        "telling": indicator in _ALWAYS or not says_little.all(),
    }


def _is_open(row: pd.Series) -> bool:
    """Return whether the data leave everything open: any share, or no limit at one end."""
    if fmt.known(row["value"]):
        return False
    low, high = row["low"], row["high"]
    whole = row["unit"] == "1" and low <= 0 and high >= 1
    return bool(whole) or not (fmt.known(low) and fmt.known(high))


def _name(page: Page, indicator: str, item: str) -> str:
    """Return the name of an indicator, and of the role or flow that it is formed for."""
    name = page.words[f"indicator:{indicator}"]
    return f"{name}: {page.words.get(f'role:{item}') or page.flow_name(item)}" if item else name


def _rests_on(page: Page, items: str) -> str:
    """Return the assumptions behind an indicator in words."""
    if not items:
        return ""
    # Also those that one region does not see.
    some = page.balance.model.variables[page.balance.is_assumption]
    known = dict(zip(some["item"].astype(str), some["kind"], strict=True))
    parts = dict.fromkeys(split_ids(items, known))
    names = [page.item_name(item, known.get(item, ""), "") for item in parts]
    return page.words["rests_on"].format(names=page.cut(names))


def _assumed(page: Page, rows: pd.DataFrame) -> str:
    """Return which share of the variance is the user's assumption, "" if none is to be seen."""
    seen = rows["value"].notna() & (rows["assumed"] > 0.005) & (rows["sd"] >= fmt.SMALLEST_SD)
    shares = rows.loc[seen, "assumed"]
    if shares.empty:
        return ""
    ends = (fmt.fixed(100 * share, 0) for share in (shares.min(), shares.max()))
    return page.words["assumed_share"].format(share=f"{fmt.between(*ends)} %")


def _cell(page: Page, row: dict[Any, Any]) -> dict[str, Any]:
    """Return what one indicator shows in one place: words, and a bar in percent."""
    if row["missing"]:
        parts = [page.words.get(f"missing:{what}", what) for what in row["missing"].split("; ")]
        several = "；" if page.lang == "ja" else "; no "
        text = page.words["missing"].format(what=several.join(parts))
        return {"text": text, "bar": None, "missing": True, "loose": False}
    known = fmt.known(row["value"])
    text = _text(page, row)
    if row["unit"] != "1" or (fmt.known(row["low"]) and row["low"] < 0):
        loose = not known and not (fmt.known(row["low"]) and fmt.known(row["high"]))
        return {"text": text, "bar": None, "missing": False, "note": "", "loose": loose}
    low = row["low"] if fmt.known(row["low"]) else 0.0
    high = row["high"] if fmt.known(row["high"]) else 1.0
    point = 100 * row["value"] if known and 0 <= row["value"] <= 1 else None
    note = page.words["by_construction"] if row["by_construction"] else ""
    shown = {"text": text, "bar": fmt.bar(low, high, 1.0), "point": point, "open": not known}
    return shown | {"note": note, "missing": False, "loose": False}


def _text(page: Page, row: dict[Any, Any]) -> str:
    """Write an indicator's value ± sd, or its range, in percent or in its unit."""
    value, sd, low, high = row["value"], row["sd"], row["low"], row["high"]
    if row["unit"] != "1":
        shown = fmt.plus_minus(value, sd) or fmt.low_high(low, high, page.words)
        unit = str(row["unit"])
        return f"{shown} {page.words.get(f'unit:{unit}') or page.unit_name(unit)}"
    if fmt.known(value):
        return fmt.percent_sd(value, sd)
    left = fmt.percent(low) if fmt.known(low) else page.words["unlimited_below"]
    right = fmt.percent(high) if fmt.known(high) else page.words["unlimited"]
    return f"{left} – {right}"
