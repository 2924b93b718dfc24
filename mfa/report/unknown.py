"""The section on what is not known: which single measurement would determine most."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mfa.report.page import Page

_MOST = 8


def unknown(page: Page) -> dict[str, Any]:
    """Return what the section says: a summary, and rows of numbers that free each other."""
    table = page.balance.observability
    table = table[table["status"] == "undetermined"]
    tangles = page.balance.tangles
    sizes = dict(zip(tangles["tangle"], tangles["numbers"], strict=True))
    needed = dict(zip(tangles["tangle"], tangles["measurements"], strict=True))
    rows: list[dict[str, Any]] = []
    for (tangle, _), some in table.groupby(["tangle", "freed_by"], sort=False):
        others = sizes[tangle] - len(some)
        words = page.words["unknown_all"].format(n=others, measurements=needed[tangle])
        rows.append(
            {"names": _names(page, some), "frees": len(some), "group": words if others else ""}
        )
    rows.sort(key=lambda row: -row["frees"])
    more = len(rows) - _MOST
    return {
        "rows": rows[:_MOST],
        "more": page.words["unknown_more"].format(n=more) if more > 0 else "",
        "words": page.words["unknown_words"].format(
            n=len(table),
            all=len(page.balance.status),
            measurements=sum(needed.values()),
        ),
    }


def _names(page: Page, rows: pd.DataFrame) -> str:
    """Return the names of quantities, each once with its years unless there is but one."""
    out = []
    for (kind, item, substance), some in rows.groupby(["kind", "item", "substance"], sort=False):
        years = sorted(int(year) for year in some["year"].dropna())
        shown = _years(years) if tuple(years) != page.balance.system.years else ""
        out.append(f"{page.item_name(item, kind, substance)} {shown}".strip())
    return ("、" if page.lang == "ja" else ", ").join(out)


def _years(years: list[int]) -> str:
    """Return years with runs of them as spans."""
    runs: list[list[int]] = []
    for year in years:
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
