"""Stocks of the reconciled years by cohort: by age, by end use, and counted in two ways."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mfa.balance import Balance
from mfa.balance.network import Floats
from mfa.report import format as fmt
from mfa.report.curves import AGE_TONES, OTHERS, PART_TONES, drawn_svg, label
from mfa.report.page import Page
from mfa.scenarios.cohorts import AGES

_BEFORE = "before"
_MOST_YEARS = 6  # in the table; the sheet has all
_SIZE = (12.6, 3.5)
_TWO = ("#0072b2", "#d55e00", "#1f1f1f")  # top-down, cohorts, difference


def end_use_levels(balance: Balance) -> pd.DataFrame:
    """Return the stocks with a lifetime [mass] by who sent what is in use.

    ``end_use`` is the process that sends into the stock, blank for what was in use before the first
    year. nan where the data do not determine it.
    """
    processes = balance.system.processes
    seen = set(processes.loc[processes["kind"] == "process", "process"])
    senders = balance.model.system.flows.set_index("flow")["from"]
    known = np.where(balance.status == "undetermined", np.nan, balance.bounded.estimate.x)
    years = np.asarray(balance.model.system.years)
    parts = []
    for model in balance.model.cohorts:
        if model.process not in seen:
            continue
        names = senders[balance.model.variables["item"].iloc[model.inflows]].to_numpy()
        columns: dict[str | None, Floats] = {None: _left(model.left, known[model.opening])}
        for name in dict.fromkeys(names):
            mine = names == name
            entered = _left(model.shares[:, model.cohorts[mine]], known[model.inflows[mine]])
            columns[name] = entered.sum(axis=1)
        parts += [
            pd.DataFrame({"year": years, "level": level}).assign(
                process=model.process, end_use=name, substance=model.substance
            )
            for name, level in columns.items()
        ]
    columns_ = ["process", "end_use", "substance", "year", "level", "unit"]
    if not parts:
        return pd.DataFrame(columns=columns_)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(unit=balance.system.settings.unit.mass.name)[columns_]


def _left(share: Floats, entered: Floats) -> Floats:
    """Return what is left; of what is not known 0 is left, once nothing of it is."""
    return np.asarray(np.where(share == 0.0, 0.0, share * entered))


def by_age(balance: Balance, substance: str) -> pd.DataFrame:
    """Return the stock in use by year and class of age; "before" is older than the first year."""
    table = balance.ages[balance.ages["substance"] == substance]
    age = (table["year"] - table["cohort"]).astype("Float64").to_numpy(np.float64, na_value=np.nan)
    names = [*(f"{a}–{b}" for a, b in pairwise(AGES)), f"≥{AGES[-1]}"]
    place = np.searchsorted(AGES, np.nan_to_num(age), side="right") - 1
    part = [_BEFORE if np.isnan(a) else names[k] for a, k in zip(age, place, strict=True)]
    return _wide(table.assign(part=part), "value", [*names, _BEFORE])


def by_end_use(balance: Balance, substance: str) -> pd.DataFrame:
    """Return the stock in use by year and end use, the largest first."""
    table = end_use_levels(balance)
    table = table[table["substance"] == substance]
    if table["process"].nunique() > 1:
        return _wide(table.assign(part=table["process"]), "level", [])
    return _wide(table.assign(part=table["end_use"].fillna(_BEFORE)), "level", [_BEFORE])


def _wide(table: pd.DataFrame, value: str, last: list[str]) -> pd.DataFrame:
    """Return years by parts; a part that is not known in a year is nan, not 0."""
    total = table.groupby(["year", "part"])[value].sum(min_count=1, skipna=False)
    wide = total.unstack("part")
    absent = table.groupby(["year", "part"]).size().unstack("part").isna()
    wide = wide.mask(absent, 0.0)
    order = wide.max().sort_values(ascending=False, kind="stable").index
    rest = [name for name in order if name not in last]
    kept = [*rest, *(name for name in last if name in wide)]
    return wide[[name for name in kept if not (wide[name] == 0.0).all()]]


def two_ways(balance: Balance, substance: str) -> pd.DataFrame:
    """Return top-down and cohort stock and their difference by year; nan where one is not known."""
    table = balance.cohorts[balance.cohorts["substance"] == substance]
    names = ["top_down", "cohort", "difference"]
    return table.groupby("year")[names].sum(min_count=1, skipna=False)


def stock_curves(page: Page) -> str:
    """Return the picture of the page's substance as an SVG element, "" where there is none."""
    if len(page.balance.system.years) < 2:
        return ""
    return drawn_svg(lambda: _figure(page), page.lang)


def _figure(page: Page) -> Figure | None:
    balance, w = page.balance, page.words
    both = two_ways(balance, page.substance)
    if not both.notna().to_numpy().any():
        return None
    out = Figure(figsize=_SIZE, facecolor="white")
    grid = out.subplots(1, 3, sharex=True, sharey=True)
    out.subplots_adjust(left=0.06, right=0.99, bottom=0.28, top=0.92, wspace=0.08)
    unit = balance.system.settings.unit.mass.name
    first = balance.model.system.years[0]
    for axes, table, quantity in (
        (grid[0], by_age(balance, page.substance), "stock by age"),
        (grid[1], by_end_use(balance, page.substance), "stock by end use"),
    ):
        _areas(axes, table, quantity)
        names = [_named(page, str(part), quantity, first) for part in table]
        said = w["curve_" + quantity.replace(" ", "_")]
        axes.set_title(f"{said} [{unit}]", fontsize=9, loc="left")
        _legend(axes, names)
    _lines(grid[2], both, [w["top_down"], w["by_cohorts"], w["difference"]])
    grid[2].set_title(f"{w['two_ways']} [{unit}]", fontsize=9, loc="left")
    _legend(grid[2], None)
    for axes in grid:
        _finish(axes, both.index)
    return out


def _named(page: Page, part: str, quantity: str, first: int) -> str:
    if part == _BEFORE:
        return page.words["before_year"].format(year=first)
    return label(part, quantity, page.words, page.process_name)


def _areas(axes: Axes, table: pd.DataFrame, quantity: str) -> None:
    """Draw stacked areas; a year in which a part is not known is left out."""
    tones = AGE_TONES if quantity == "stock by age" else PART_TONES
    plain = iter([*tones, *["#bbbbbb"] * len(table.columns)])
    colours = [OTHERS if part == _BEFORE else next(plain) for part in table]
    lines = [table[part].to_numpy() for part in table]
    axes.stackplot(table.index, *lines, colors=colours, edgecolor="white", linewidth=0.4)


def _lines(axes: Axes, table: pd.DataFrame, names: list[str]) -> None:
    looks: list[dict[str, Any]] = [{"linewidth": 3.2, "alpha": 0.45}, {"linewidth": 1.4}, {}]
    for name, said, colour, look in zip(table, names, _TWO, looks, strict=True):
        dashes: dict[str, Any] = (
            {"linestyle": "--", "linewidth": 1.0} if name == "difference" else {}
        )
        lone = table[name].notna() & table[name].shift().isna() & table[name].shift(-1).isna()
        marks: dict[str, Any] = {"marker": "o", "markersize": 4, "markevery": lone.to_list()}
        axes.plot(table.index, table[name], color=colour, label=said, **(look | dashes | marks))


def _legend(axes: Axes, names: list[str] | None) -> None:
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.02, -0.12), "ncol": 3}
    place |= {"frameon": False, "fontsize": 8, "columnspacing": 1.2, "handlelength": 1.4}
    if names is None:
        axes.legend(**place)
    else:
        axes.legend(list(axes.collections)[: len(names)], names, **place)


def _finish(axes: Axes, years: pd.Index) -> None:
    axes.set_xlim(years[0], years[-1])
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axes.tick_params(labelsize=8, length=3)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def cohort_rows(page: Page) -> list[dict[str, Any]]:
    """Return the stocks with a lifetime counted in two ways, in a few years each."""
    table = page.balance.cohorts
    years = sorted(set(table["year"]))
    some = table[table["year"].isin(fmt.some_years(years, _MOST_YEARS))]
    return [
        {
            "name": page.process_name(row["process"]),
            "substance": page.substance_name(row["substance"]),
            "year": row["year"],
            "unit": page.unit_name(row["unit"]),
            **{
                name: fmt.plus_minus(row[name], row[f"{name}_sd"])
                for name in ("top_down", "cohort", "difference")
            },
        }
        for row in some.to_dict("records")
    ]
