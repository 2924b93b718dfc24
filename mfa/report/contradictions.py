"""The section on numbers that contradict each other, and on those left out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.report import format as fmt
from mfa.report.names import alike
from mfa.report.page import Page

STRIKING = 1.96


def first_look(page: Page) -> str:
    """Return which number to look at first."""
    balance = page.balance
    first = _suspects(page).iloc[0]
    others = len(alike(balance)[0]) - 1
    phrase = ("first_look", "first_look_two")[others] if others < 2 else "first_look_many"
    item = (first["item"], first["quantity"], first["substance"])
    year = page.year_name(first["year"])
    year = page.words["in_year"].format(year=year) if first["year"] else year
    brackets = "（{}）" if page.lang == "ja" else " ({})"
    cell = brackets.format(first["cell"]) if first["cell"] else ""
    return page.words[phrase].format(name=page.item_name(*item), year=year, cell=cell, n=others)


def _suspects(page: Page) -> pd.DataFrame:
    """Return the suspects with year 0 for what is common to all years, as `page.data` has it."""
    table = page.balance.suspects
    return table.assign(year=table["year"].fillna(0).astype(int))


def suspect_groups(page: Page) -> list[dict[str, Any]]:
    """Return the striking data, those that cannot be told apart together, worst first."""
    table = _suspects(page).assign(group=pd.Series(alike(page.balance), dtype=object))
    table = table[(table["kind"] == "datum") & (table["z"].abs() > STRIKING)]
    groups: dict[tuple[str, frozenset[str]], list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        key = (f"{abs(row['z']):.2f}", row["group"])
        groups.setdefault(key, []).append(_suspect(page, row))
    out = []
    for (z, _), rows in groups.items():
        phrase = page.words["group_many" if len(rows) > 1 else "group_one"]
        years, sources = ({row[key] for row in rows} for key in ("year", "reference"))
        out.append(
            {
                "words": phrase.format(n=len(rows), z=z),
                "year": years.pop() if len(years) == 1 else "",
                "source": sources.pop() if len(sources) == 1 and len(rows) > 1 else "",
                "rows": rows,
            }
        )
    return out


def _suspect(page: Page, row: dict[Any, Any]) -> dict[str, Any]:
    data = page.data
    here = (data["quantity"] == row["quantity"]) & (data["item"] == row["item"])
    here &= (data["substance"] == row["substance"]) & (data["year"] == row["year"])
    found = data[here].to_dict("records")
    nothing = float("nan")  # a lifetime's error is given by no row: 0 ± sd
    own: dict[Any, Any] = {
        "observed": nothing,
        "observed_sd": nothing,
        "unit": page.balance.system.unit,
    }
    datum = found[0] if found else own
    return {
        "name": page.item_name(row["item"], row["quantity"], row["substance"]),
        "item": row["item"],
        "year": page.year_name(row["year"]),
        "cell": row["cell"],
        "observed": page.amount(datum["observed"], datum["observed_sd"], datum["unit"]),
        "should_be": page.amount(row["should_be"], float("nan"), datum["unit"]),
        "impossible": not row["possible"],
        "reference": row["reference"],
    }


def checked(page: Page) -> str:
    """Return how many of the given numbers any balance checks."""
    data = page.data[page.data["observed"].notna() & page.data["include"]]
    known = int((data["status"] == "reconciled").sum())
    return page.words["unchecked"].format(checked=known, all=len(data))


def excluded(page: Page) -> list[dict[str, Any]]:
    """Return data that were left out, beside the result."""
    left_out = page.data[~page.data["include"]].to_dict("records")
    data = {_key(row): row for row in left_out}
    out = []
    table = page.balance.excluded
    table = table.assign(year=table["year"].fillna(0).astype(int))
    for row in table.to_dict("records"):
        z = float(row["z"])
        datum = data[_key(row)]
        unit = datum["unit"]
        verdict = ("fails" if abs(z) > STRIKING else "agrees") if z == z else "untestable"
        result = page.amount(row["value"], row["sd"], unit)
        open_ = fmt.low_high(datum["low"], datum["high"], page.words)
        out.append(
            {
                "name": page.item_name(row["item"], datum["quantity"], row["substance"]),
                "year": page.year_name(row["year"]),
                "cell": row["cell"],
                "observed": page.amount(row["observed"], row["observed_sd"], unit),
                "result": result or open_,
                "z": fmt.fixed(z, 1),
                "verdict": verdict,
                "words": page.words[verdict],
                "note": row["note"],
            }
        )
    return out


def _key(row: dict[Any, Any]) -> tuple[object, ...]:
    return row["quantity"], row["item"], row["substance"], row["year"], row["cell"]
