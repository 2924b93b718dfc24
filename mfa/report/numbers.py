"""The long tables at the end of the report page."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.report import format as fmt
from mfa.report.page import Page
from mfa.sankey.figures import format_number

_CLOSED = 1e-9  # of what passes through a process


def _shown(page: Page, row: dict[Any, Any]) -> dict[str, Any]:
    """Return the columns that flows and stocks share."""
    status, basis = row["status"], row["basis"]
    result = fmt.plus_minus(row["value"], row["sd"])
    open_ = fmt.low_high(row["low"], row["high"], page.words)
    return {
        "year": page.year_name(row["year"]),
        "substance": page.substance_name(row["substance"]),
        "observed": fmt.plus_minus(row["observed"], row["observed_sd"]),
        "left_out": not row["include"],
        "result": result or open_,
        "held": page.words[f"held:{row['at_bound']}"] if row["at_bound"] else "",
        "status": page.words[f"status:{status}"],
        "undetermined": status == "undetermined",
        "basis": page.words.get(f"basis:{basis}", basis),
        "basis_assumed": basis == "assumption",
        "assumption": basis == "assumption" or (row["assumed"] == row["assumed"] > 0.5),
        "cell": row["cell"],
        "reference": row["reference"],
        "note": row["note"],
    }


def flow_rows(page: Page) -> list[dict[str, Any]]:
    """Return every flow, by name then year."""
    table = page.balance.flows
    system = page.balance.system
    flow = pd.Categorical(table["flow"], system.flows["flow"].tolist())
    layer = pd.Categorical(table["substance"], system.layers)
    table = table.assign(order=flow, layer=layer)
    table = table.sort_values(["order", "layer", "year"], kind="stable")
    first = ~table["flow"].duplicated()
    return [
        {
            "name": page.flow_name(row["flow"]),
            "anchor": page.anchors[row["flow"]] if leads else "",
            "from": page.process_name(row["from"]),
            "to": page.process_name(row["to"]),
            **_shown(page, row),
        }
        for row, leads in zip(table.to_dict("records"), first, strict=True)
    ]


def stock_series(page: Page) -> list[dict[str, Any]]:
    """Return one row per stock, substance and quantity with a cell per year."""
    out: dict[tuple[str, str, str], dict[str, Any]] = {}
    for given, row in zip(page.balance.stocks.to_dict("records"), stock_rows(page), strict=True):
        key = (given["process"], given["substance"], given["quantity"])
        series = out.setdefault(key, row | {"cells": {}})
        series["cells"][given["year"]] = row
    return list(out.values())


def stock_rows(page: Page) -> list[dict[str, Any]]:
    """Return every level and change."""
    return [
        {
            "name": page.process_name(row["process"]),
            "quantity": page.words[row["quantity"]],
            "unit": page.unit_name(row["unit"]),
            **_shown(page, row),
        }
        for row in page.balance.stocks.to_dict("records")
    ]


def _dust(residual: float, throughput: float) -> str:
    """Write what a closed balance leaves open: nothing, to the rounding that closure allows."""
    closed = abs(residual) <= _CLOSED * throughput
    return "0" if closed else format_number(residual, 1)


def balance_rows(page: Page) -> list[dict[str, Any]]:
    """Return every balance: what the data left open, and what the result leaves open."""
    out = []
    for row in page.balance.processes.to_dict("records"):
        z = row["residual_z"]
        numbers = {
            name: format_number(row[name]) if fmt.known(row[name]) else ""
            for name in ("inputs", "outputs", "stock_change")
        }
        before = row["residual_before"]
        out.append(
            {
                "name": page.process_name(row["process"]),
                "year": row["year"],
                "substance": page.substance_name(row["substance"]),
                **numbers,
                "before": f"{format_number(before)} (z = {fmt.fixed(z, 1)})"
                if fmt.known(z)
                else "",
                "flagged": fmt.known(z) and abs(z) > 1.96,
                "after": _dust(row["residual"], row["throughput"]),
            }
        )
    return out


def share_rows(page: Page) -> list[dict[str, Any]]:
    """Return every coefficient and composition."""
    some = page.data[page.data["quantity"].isin(["coefficient", "composition"])]
    return [
        {
            "name": page.item_name(row["item"], row["quantity"], row["substance"]),
            **_shown(page, row),
        }
        for row in some.to_dict("records")
    ]


def assumption_rows(page: Page) -> list[dict[str, Any]]:
    """Return every datum that the user calls an assumption."""
    some = page.data[(page.data["basis"] == "assumption") & page.data["observed"].notna()]
    return [
        {
            "name": page.item_name(row["item"], row["quantity"], row["substance"]),
            "year": page.year_name(row["year"]),
            "value": page.amount(row["observed"], row["observed_sd"], row["unit"]),
            "cell": row["cell"],
            "note": row["note"],
            "reference": row["reference"],
        }
        for row in some.to_dict("records")
    ]
