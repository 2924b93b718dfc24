"""The long tables at the end of the report page."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.report import format as fmt
from mfa.report.page import Page
from mfa.sankey.figures import format_number


def _shown(page: Page, row: dict[Any, Any]) -> dict[str, Any]:
    """Return the columns that flows and stocks share."""
    status, basis = row["status"], row["basis"]
    result = fmt.plus_minus(row["value"], row["sd"])
    open_ = fmt.low_high(row["low"], row["high"], page.words["unlimited"])
    return {
        "year": row["year"],
        "substance": row["substance"],
        "observed": fmt.plus_minus(row["observed"], row["observed_sd"]),
        "left_out": not row["include"],
        "result": result or open_,
        "status": page.words[f"status:{status}"],
        "undetermined": status == "undetermined",
        "basis": page.words.get(f"basis:{basis}", basis),
        "assumption": basis == "assumption" or (row["assumed"] == row["assumed"] > 0.5),
        "cell": row["cell"],
        "reference": row["reference"],
        "note": row["note"],
    }


def flow_rows(page: Page) -> list[dict[str, Any]]:
    """Return every flow, by name then year."""
    table = page.balance.flows
    order = pd.Categorical(table["flow"], page.balance.system.flows["flow"].tolist())
    table = table.assign(order=order).sort_values(["order", "substance", "year"], kind="stable")
    return [
        {
            "name": page.name_of(row["flow"]),
            "flow": row["flow"],
            "from": page.name_of(row["from"]),
            "to": page.name_of(row["to"]),
            **_shown(page, row),
        }
        for row in table.to_dict("records")
    ]


def stock_rows(page: Page) -> list[dict[str, Any]]:
    """Return every level and change."""
    return [
        {
            "name": page.name_of(row["process"]),
            "quantity": page.words[row["quantity"]],
            "unit": str(row["unit"]).replace("/yr", page.words["per_year"]),
            **_shown(page, row),
        }
        for row in page.balance.stocks.to_dict("records")
    ]


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
                "name": page.name_of(row["process"]),
                "year": row["year"],
                "substance": row["substance"],
                **numbers,
                "before": f"{format_number(before)} (z = {z:.1f})" if fmt.known(z) else "",
                "flagged": fmt.known(z) and abs(z) > 1.96,
                "after": f"{row['residual']:.1g}" if row["residual"] else "0",
            }
        )
    return out


def assumption_rows(page: Page) -> list[dict[str, Any]]:
    """Return every datum that the user calls an assumption."""
    system = page.balance.system
    out = []
    for table, key in (
        (system.data, "flow"),
        (system.stocks, "process"),
        (system.observations, "observation"),
    ):
        some = table[(table["basis"] == "assumption") & table["value"].notna()]
        out += [
            {
                "name": page.name_of(row[key]),
                "year": row["year"],
                "value": fmt.plus_minus(row["value"], row["sd"]),
                "cell": row["cell"],
                "note": row["note"],
                "reference": row["reference"],
            }
            for row in some.to_dict("records")
        ]
    return out
