"""Rates of the years to come: one line each, or an area where only a range is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mfa.balance import reconcile
from mfa.recycling import indicators
from mfa.recycling.memory import kept
from mfa.scenarios import Projection
from mfa.scenarios.tables import future_system

RATES = ("recycling_input_rate_total", "eol_recycling_rate", "self_sufficiency")
_TONES = ("#009e73", "#0072b2", "#d55e00")
_MOST = 8  # years; in between rates change evenly enough for a line
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class RateRow:
    """The last row of the picture: rates that any scenario changes, in percent.

    Attributes
    ----------
    names, colours : tuple of str
    values : mapping of str to DataFrame
        By scenario: indicator, year, value, low, high.
    """

    names: tuple[str, ...]
    colours: tuple[str, ...]
    values: Mapping[str, pd.DataFrame]

    @property
    def top(self) -> float:
        """The highest that is drawn."""
        return max(float(table[["value", "high"]].max().max()) for table in self.values.values())


@kept
def rate_table(projection: Projection) -> pd.DataFrame:
    """Return the rates of some years: indicator, substance, year, value, low, high.

    The base year, the years that the scenario names, the last one, and some in between.
    """
    system = projection.system
    known = system.tables.get("scenarios")
    years = np.asarray(projection.years)
    named: set[int] = set()
    if known is not None:
        mine = known[known["scenario"] == projection.scenario]
        named = {int(year) for year in mine["year"].dropna()} & set(years.tolist())
    even = years[np.linspace(0, len(years) - 1, min(_MOST, len(years))).round().astype(int)]
    chosen = tuple(sorted({*even.tolist(), *named}))
    future = reconcile(future_system(projection.run, projection.scenario, chosen))
    table = indicators(future, only=RATES)
    if "region" in table:
        table = table[table["region"] == ""]
    known_ = table["low"].notna() & table["high"].notna()
    columns = ["indicator", "substance", "year", "value", "low", "high"]
    return table.loc[known_, columns].reset_index(drop=True)


def rate_rows(projection: Projection) -> pd.DataFrame:
    """Return the rates as rows of the sheet ``projection``; how says which end of a range it is."""
    table = rate_table(projection)
    wide = table["value"].isna()
    parts = [table[~wide].assign(how="")]
    parts += [table[wide].assign(value=table[end], how=end) for end in ("low", "high")]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(quantity="indicator", item=rows["indicator"], part="", unit="1")


def rate_row(projections: Mapping[str, Projection], substance: str) -> RateRow | None:
    """Return the rates that a scenario changes; None if all stay as they are."""
    tables = {}
    for name, one in projections.items():
        table = rate_table(one)
        tables[name] = table[table["substance"] == substance]
    every = pd.concat(tables.values())
    ends = every.groupby("indicator", sort=False)[["low", "high"]]
    moves = (ends.max() - ends.min()).max(axis=1) > _SAME
    names = tuple(name for name in RATES if moves.get(name, False))
    if not names:
        return None
    tones = tuple(_TONES[RATES.index(name)] for name in names)
    shown = {}
    for name, table in tables.items():
        table = table[table["indicator"].isin(names)]
        shown[name] = table.assign(**{c: 100 * table[c] for c in ("value", "low", "high")})
    return RateRow(names, tones, shown)


def draw_rates(axes: Axes, row: RateRow, scenario: str) -> None:
    """Draw the rates of one scenario: a line with a mark at each year, or the range as an area."""
    table = row.values[scenario]
    for name, colour in zip(row.names, row.colours, strict=True):
        mine = table[table["indicator"] == name].sort_values("year")
        if mine["value"].notna().all():
            axes.plot(
                mine["year"], mine["value"], color=colour, linewidth=1.6, marker="o", markersize=3
            )
            continue
        axes.fill_between(
            mine["year"], mine["low"], mine["high"], color=colour, alpha=0.18, linewidth=0
        )
        for end in ("low", "high"):
            axes.plot(mine["year"], mine[end], color=colour, linewidth=1.0, linestyle="--")
