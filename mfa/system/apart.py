"""One region of a system: what it sees of the whole."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mfa.schema import FORMAT, SETTINGS
from mfa.system.raw import RawSheet, from_frame
from mfa.system.regions import home_regions, japanese_names
from mfa.system.settings import Settings

if TYPE_CHECKING:
    from mfa.system.model import System

_ABROAD = {"old_scrap": "scrap", "new_scrap": "scrap"}  # imported scrap is neither old nor new


def seen_from(system: System, region: str) -> System:
    """Return what a region sees of a system.

    Processes of other regions become imports of what they send here and exports of what they take
    from here, shown together by region; one that does both becomes two. Flows that touch no process
    of the region are not seen. Scrap from another region is imported scrap, whatever it was there.

    Parameters
    ----------
    system : System
    region : str
        One of ``system.regions``.
    """
    view = _View(system, region)
    processes, flows = view.processes, view.flows
    local = japanese_names(system.processes).get(region, region)
    settings = _settings(system.settings, region, local)
    changed: dict[str, Any] = {
        **view.data,
        "settings": settings,
        "processes": processes,
        "flows": flows,
        "sheets": {
            "system": _system_sheet(settings),
            "processes": _process_sheet(processes),
        },
        "tables": {},
    }
    return replace(system, **changed)


@dataclass(frozen=True, eq=False)
class _View:
    """Who is where, seen from one region; masks over the processes and flows of the whole."""

    system: System
    region: str

    @cached_property
    def home(self) -> np.ndarray:
        return home_regions(self.system.processes, self.system.settings.region)

    @property
    def here(self) -> np.ndarray:
        return np.asarray(self.home == self.region)

    @property
    def foreign(self) -> np.ndarray:
        """Processes of other regions, or of none; what lies outside of all of them is nobody's."""
        inside = (self.system.processes["kind"] == "process").to_numpy()
        return np.asarray(~self.here & ((self.home != "") | inside))

    @cached_property
    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        known = pd.Index(self.system.processes["process"].tolist())
        tail, head = (known.get_indexer(self.system.flows[end].tolist()) for end in ("from", "to"))
        return tail, head

    @cached_property
    def seen(self) -> np.ndarray:
        """Flows with an end here."""
        tail, head = self._ends
        return np.asarray(self.here[tail] | self.here[head])

    def _touched(self, end: int) -> np.ndarray:
        """Return the processes at one end of the flows that are seen."""
        return np.isin(np.arange(len(self.home)), self._ends[end][self.seen])

    @cached_property
    def buyers(self) -> dict[str, str]:
        """Ids of the exports that stand for processes of other regions, by these."""
        names = self.system.processes["process"].tolist()
        sends, takes = (self.foreign & self._touched(end) for end in (0, 1))
        taken, out = set(names), {}
        for at in np.flatnonzero(takes).tolist():
            name = names[at]
            while sends[at] and name in taken:
                name += " (export)"
            taken.add(name)
            out[names[at]] = name
        return out

    @property
    def processes(self) -> pd.DataFrame:
        """The region's own processes, and those outside that its flows touch."""
        every = self.system.processes
        touched = self._touched(0) | self._touched(1)
        kept = every[self.here | (touched & ~self.foreign)]
        local = [japanese_names(every).get(name, "") for name in self.home.tolist()]
        away = every.assign(region=self.home, region_ja=local, stage="trade")
        away = away.assign(group=self.home, group_ja=local)
        blank: dict[str, Any] = dict.fromkeys(("capacity", "column", "row"), np.nan)
        blank |= dict.fromkeys(("capacity_unit", "capacity_substance"))
        away = away.assign(stock=False, **blank)
        sellers = away[self.foreign & self._touched(0)].assign(kind="import")
        buyers = away[every["process"].isin(self.buyers)].assign(kind="export")
        buyers = buyers.assign(process=list(self.buyers.values()))
        out: pd.DataFrame = pd.concat([kept, sellers, buyers], ignore_index=True)
        return out

    @property
    def flows(self) -> pd.DataFrame:
        """The flows that are seen, between the processes that stand for their ends."""
        table = self.system.flows[self.seen].reset_index(drop=True)
        comes = self.foreign[self._ends[0][self.seen]].tolist()
        roles = [
            ",".join(_ABROAD.get(part, part) for part in role.split(",")) if imported else role
            for role, imported in zip(table["role"].tolist(), comes, strict=True)
        ]
        targets = [self.buyers.get(name, name) for name in table["to"].tolist()]
        for name, column in (("to", targets), ("role", roles)):
            table[name] = pd.Series(column, dtype="object")
        return table

    @property
    def data(self) -> dict[str, pd.DataFrame]:
        """What speaks of the region's flows and stocks alone.

        Rows keep their numbers in the tables of the whole.
        """
        system = self.system
        names = system.flows["flow"].to_numpy()
        kept = set(names[self.seen])
        sent = set(names[self.here[self._ends[0]]])  # shares are of what their process handles
        inside = set(system.processes["process"].to_numpy()[self.here])
        terms = system.observations
        within = terms["flow"].isin(kept) | (terms["flow"].isna() & terms["process"].isin(inside))
        split = set(terms["observation"][~within])
        of = system.coefficients["of"].isin(["inputs", "outputs", *kept]).to_numpy()
        chosen = {
            "data": system.data["flow"].isin(kept).to_numpy(),
            "stocks": system.stocks["process"].isin(inside).to_numpy(),
            "coefficients": _names_only(system.coefficients, sent) & of,
            "compositions": _names_only(system.compositions, kept),
            "observations": ~terms["observation"].isin(split).to_numpy(),
        }
        return {name: getattr(system, name)[rows] for name, rows in chosen.items()}


def _names_only(table: pd.DataFrame, flows: set[str]) -> np.ndarray:
    """Return the rows whose lists name no other flows."""
    named = (set(str(cell).split(",")) for cell in table["flow"].tolist())
    return np.array([each <= flows for each in named], dtype=bool)


def _settings(settings: Settings, region: str, region_ja: str) -> Settings:
    """Return the settings of one region, its name in the titles."""
    title = ": ".join(part for part in (settings.title, region) if part)
    local = settings.title_ja and f"{settings.title_ja}：{region_ja}"
    return replace(settings, region=region, title=title, title_ja=local)


def _system_sheet(settings: Settings) -> RawSheet:
    cells: dict[str, object] = {f.name: getattr(settings, f.name) for f in fields(settings)}
    cells |= {"format": FORMAT, "unit": settings.unit.name}
    cells["substances"] = ", ".join(settings.substances)
    rows = [(key, cells[key]) for key in SETTINGS if cells[key] not in ("", None)]
    return from_frame("system", pd.DataFrame(rows, columns=["key", "value"]).astype(object))


def _process_sheet(processes: pd.DataFrame) -> RawSheet:
    stock = ["yes" if stores else None for stores in processes["stock"].tolist()]
    return from_frame("processes", processes.assign(stock=pd.Series(stock, dtype="object")))
