"""One substance and year of a balance, laid open for the chart: rows to look up, not tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.errors import MFAError, near
from mfa.recycling import bottlenecks
from mfa.recycling.place import Place, places
from mfa.recycling.sets import Sets
from mfa.sankey.before import as_observed
from mfa.sankey.colours import Colour, Painter, painter
from mfa.sankey.quantities import Row
from mfa.system.regions import home_regions, japanese_names

Lang = Literal["en", "ja"]


@dataclass(frozen=True, eq=False)
class Scene:
    """One substance and year of a balance, and how processes are grouped.

    ``flows`` and ``processes`` have one row per flow and process of the system, in its order;
    ``stocks`` and ``balances`` hold the rows of the results by process.
    """

    balance: Balance
    place: Place
    substance: str
    year: int
    lang: Lang
    flows: tuple[Row, ...]
    processes: tuple[Row, ...]
    stocks: Mapping[str, list[Row]]
    balances: Mapping[str, list[Row]]
    groups: list[str]  # node id of each process; "" outside the boundary
    home: list[str]  # region of each process
    regions: Mapping[str, str]  # names in the chart's language, where it has its own
    bottleneck: str
    paint: Painter
    observed: bool
    circulation: bool

    @property
    def sets(self) -> Sets:
        """Return what the flows are and where they run."""
        return self.place.sets

    def name(self, row: Row) -> str:
        """Return the name of a process or flow in the chart's language."""
        local = str(row["name_ja"]) if self.lang == "ja" else ""
        return local or str(row["name"])

    def group_name(self, group: str) -> str:
        """Return the name of a group in the chart's language; any member may give it."""
        if self.lang != "ja":
            return group
        local = [str(row["group_ja"]) for row in self.processes if row["group"] == group]
        return min(filter(None, local), default=group)

    def with_region(self, label: str, region: str) -> str:
        """Return a label with the region that it speaks of, in the chart's language."""
        return f"{label} ({self.regions.get(region, region)})" if region else label


def make_scene(
    balance: Balance,
    year: int | None,
    substance: str | None,
    lang: Lang,
    colour: Colour,
    observed: bool,
    circulation: bool,
) -> Scene:
    """Return what a chart of a balance draws upon, see `mfa.sankey.build.build_diagram`."""
    system = balance.system
    substance = substance or system.substances[0]
    year = system.years[-1] if year is None else year
    if substance not in system.layers:
        advice = near(substance, system.layers, "it has " + ", ".join(system.layers))
        raise MFAError(f"the system has no substance {substance!r}; {advice}")
    place = _place(balance, substance, year)
    here = _here(balance.flows, substance, year).set_index("flow")
    flows = system.flows.drop(columns=["from", "to"]).join(
        here.drop(columns=["role", "name", "name_ja"]), on="flow"
    )
    stocks = _here(balance.stocks, substance, year)
    processes = system.processes
    inside = (processes["kind"] == "process").to_numpy()
    groups = np.where(processes["group"] != "", _group_ids(processes), processes["process"])
    losses = bottlenecks(balance)
    worst = _here(losses[losses["bottleneck"]], substance, year)
    return Scene(
        balance=balance,
        place=place,
        substance=substance,
        year=year,
        lang=lang,
        flows=_rows(as_observed(flows) if observed else flows),
        processes=_rows(processes),
        stocks=_by_process(as_observed(stocks) if observed else stocks),
        balances=_by_process(_here(balance.processes, substance, year)),
        groups=np.where(inside, groups, "").tolist(),
        home=home_regions(processes, system.settings.region).tolist(),
        regions=japanese_names(processes) if lang == "ja" else {},
        bottleneck=str(worst["item"].iat[0]) if len(worst) and not observed else "",
        paint=painter(colour, balance, place, substance, flows),
        observed=observed,
        circulation=circulation,
    )


def _here(table: pd.DataFrame, substance: str, year: int) -> pd.DataFrame:
    """Return the rows of a results table for one substance and year."""
    return table[(table["substance"] == substance) & (table["year"] == year)]


def _rows(table: pd.DataFrame) -> tuple[Row, ...]:
    columns: dict[str, list[Any]] = {str(name): table[name].tolist() for name in table.columns}
    names = tuple(columns)
    return tuple(dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _by_process(table: pd.DataFrame) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in _rows(table):
        found.setdefault(str(row["process"]), []).append(row)
    return found


def _place(balance: Balance, substance: str, year: int) -> Place:
    known = places(balance)
    if (substance, year) not in known:
        years = ", ".join(str(y) for name, y in sorted(known) if name == substance)
        advice = f"there are {years}" if years else f"add rows for {substance!r} to the flows"
        raise MFAError(f"no flow of {substance!r} has a row in {year}; {advice}")
    return known[substance, year]


def _group_ids(processes: pd.DataFrame) -> pd.Series:
    """Return box ids of groups, told apart from a process of the same name that stands alone."""
    alone = processes["process"][processes["group"] == ""]
    taken = processes["group"].isin(alone)
    return processes["group"].where(~taken, "group:" + processes["group"])
