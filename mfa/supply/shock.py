"""What a shock takes away: from names of countries, processes, stages or flows to flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import get_args

import pandas as pd

from mfa.errors import MFAError, near
from mfa.schema import SENDERS, STAGES, fold
from mfa.supply.origins import Target, flows_of_country, origin_countries
from mfa.system import System
from mfa.system.supplies import suppliers

ShockLike = str | Mapping[str, object] | Sequence[Mapping[str, object]]
_KEYS = {"share", "months", "year", "probability", "name", *get_args(Target)}


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that is lost: a share of a country's, process's, stage's or flow's supply.

    Attributes
    ----------
    target : {"country", "process", "stage", "flow"}
    item : str
        Its name.
    share : float
        Share lost, 0–1.
    months : float
        For how long; months may be begun.
    """

    target: Target
    item: str
    share: float
    months: float

    def in_month(self, month: int) -> float:
        """Return the share of a month's supply that is lost, the first month being 1."""
        return self.share * min(max(self.months - month + 1, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Shock:
    """What is lost at the same time, with a name, a year and a probability if it has any."""

    name: str
    losses: tuple[Loss, ...]
    year: int | None = None
    probability: float = float("nan")

    @property
    def months(self) -> int:
        """Number of months begun until all losses are over."""
        return max(ceil(loss.months) for loss in self.losses)


def read_shock(system: System, shock: ShockLike) -> Shock:
    """Return a shock from the name of one in the workbook, or from its parts.

    Parameters
    ----------
    system : System
    shock : str, mapping or sequence of mappings
        The name of rows in the sheet ``shocks``; or one of country, process, stage, flow, with
        share (default 1) and months; or several of these at once.

    Raises
    ------
    MFAError
        If there is no such shock, or a part of it is missing or impossible.
    """
    if isinstance(shock, str):
        return _from_sheet(system, shock)
    parts = [shock] if isinstance(shock, Mapping) else list(shock)
    if not parts:
        raise MFAError("the shock is empty; name a country, process, stage or flow")
    losses = tuple(_loss(system, part) for part in parts)
    words = [f"{loss.item} {loss.share:.0%} {loss.months:g} months" for loss in losses]
    years = {int(str(part["year"])) for part in parts if part.get("year") is not None}
    if len(years) > 1:
        raise MFAError(f"the parts of the shock name different years {sorted(years)}; name one")
    name = str(parts[0].get("name") or " + ".join(words))
    return Shock(name, losses, years.pop() if years else None)


def shocks_of(system: System) -> list[str]:
    """Return the names of the shocks in the workbook that can be worked out, in their order."""
    table = system.tables.get("shocks")
    if table is None:
        return []
    whole = table[["target", "item", "share", "months"]].notna().all(axis=1)
    broken = set(table.loc[~whole, "shock"])
    return [name for name in table["shock"].drop_duplicates().tolist() if name not in broken]


def _from_sheet(system: System, name: str) -> Shock:
    table = system.tables.get("shocks", pd.DataFrame(columns=["shock"]))
    rows = table[table["shock"] == name]
    if rows.empty:
        known = table["shock"].drop_duplicates().tolist()
        otherwise = "the sheet 'shocks' has " + ", ".join(known) if known else "it names none"
        raise MFAError(f"the workbook has no shock {name!r}; {near(name, known, otherwise)}")
    parts = []
    for row in rows.to_dict("records"):
        if any(pd.isna(row[key]) for key in ("target", "item", "share", "months")):
            what = "target, item, share or months"
            raise MFAError(f"the shock {name!r} is not whole; write its {what} in 'shocks'")
        parts.append({row["target"]: row["item"], "share": row["share"], "months": row["months"]})
    losses = tuple(_loss(system, part) for part in parts)
    year, chance = (pd.to_numeric(rows[key]).dropna() for key in ("year", "probability"))
    return Shock(
        name,
        losses,
        int(year.iloc[0]) if len(year) else None,
        float(chance.iloc[0]) if len(chance) else float("nan"),
    )


def _loss(system: System, part: Mapping[str, object]) -> Loss:
    unknown = [key for key in part if key not in _KEYS]
    if unknown:
        advice = near(unknown[0], _KEYS, "a shock has " + ", ".join(sorted(_KEYS)))
        raise MFAError(f"a shock has no {unknown[0]!r}; {advice}")
    named: list[Target] = [key for key in get_args(Target) if part.get(key) is not None]
    if len(named) != 1:
        found = ", ".join(named) or None
        raise MFAError(
            f"a shock names one of country, process, stage or flow (found {found}); "
            "write for example {'country': 'Chile', 'share': 1.0, 'months': 6}"
        )
    share, months = part.get("share", 1.0), part.get("months")
    share = 1.0 if share is None else float(str(share))
    if months is None:
        raise MFAError("the shock does not say how long it lasts; write months")
    length = float(str(months))
    if not 0 <= share <= 1:
        raise MFAError(f"the share lost is not a share (found {share:g}); write 0 to 1")
    if not 0 < length <= 600:
        raise MFAError(f"impossible number of months (found {length:g}); write 1 to 600")
    item = _known(system, named[0], str(part[named[0]]))
    return Loss(named[0], item, share, length)


def _known(system: System, target: Target, item: str) -> str:
    """Return the item as the system spells it."""
    processes = system.processes
    known: list[str] = {
        "flow": system.flows["flow"].tolist(),
        "process": processes["process"].tolist(),
        "stage": list(STAGES),
        "country": [*origin_countries(system), *suppliers(processes)],
    }[target]
    if item in known:
        return item
    folded = {fold(name): name for name in known}
    if fold(item) not in folded:
        others = ", ".join(dict.fromkeys(known)) if len(set(known)) <= 20 else "see the workbook"
        raise MFAError(f"no such {target} {item!r}; {near(item, known, f'there are {others}')}")
    return folded[fold(item)]


def lost_flows(system: System, loss: Loss, year: int) -> dict[str, float]:
    """Return the flows that a loss hits from outside, and what share of each it takes.

    A process or stage inside the boundary is hit itself: see `lost_processes`.
    """
    flows = system.flows
    if loss.target == "flow":
        return {loss.item: 1.0}
    if loss.target == "country":
        return flows_of_country(system, loss.item, year)
    sends = system.processes["kind"].isin(SENDERS)
    chosen = system.processes.loc[sends & _hit(system, loss), "process"]
    return dict.fromkeys(flows.loc[flows["from"].isin(chosen), "flow"].tolist(), 1.0)


def lost_processes(system: System, loss: Loss) -> list[str]:
    """Return the balanced processes that a loss hits."""
    if loss.target not in ("process", "stage"):
        return []
    inside = system.processes["kind"] == "process"
    return system.processes.loc[inside & _hit(system, loss), "process"].tolist()


def _hit(system: System, loss: Loss) -> pd.Series[bool]:
    return system.processes[loss.target] == loss.item
