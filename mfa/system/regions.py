"""Regions that trade with each other: who is where, and the system as one of them sees it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mfa.schema import FORMAT, SETTINGS, fold
from mfa.system.cells import ParsedSheet
from mfa.system.findings import Findings
from mfa.system.raw import RawSheet, from_frame
from mfa.system.settings import Settings

if TYPE_CHECKING:
    from mfa.system.model import System

_ELSEWHERE = {"old_scrap": "scrap", "new_scrap": "scrap"}  # imported scrap is neither old nor new


def home_regions(processes: pd.DataFrame, own: str) -> np.ndarray:
    """Return the region of each process, "" where it has none.

    A balanced process without one is in the system's own region. What lies outside the boundary
    belongs to no region unless it says so: a sink may serve them all.

    Parameters
    ----------
    processes : DataFrame
    own : str
        The system's own region, "" if it has none.
    """
    stated = np.array(processes["region"].tolist(), dtype=object)
    inside = (processes["kind"] == "process").to_numpy()
    return np.where((stated == "") & inside, own, stated)


def region_names(processes: pd.DataFrame, own: str) -> tuple[str, ...]:
    """Return the regions with balanced processes, in the order in which they first appear."""
    inside = (processes["kind"] == "process").to_numpy()
    named = home_regions(processes, own)[inside].tolist()
    return tuple(dict.fromkeys(name for name in named if name))


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
    home = home_regions(system.processes, system.settings.region)
    here = home == region
    foreign = ~here & ((home != "") | (system.processes["kind"] == "process").to_numpy())
    known = pd.Index(system.processes["process"].tolist())
    tail, head = (known.get_indexer(system.flows[end].tolist()) for end in ("from", "to"))
    seen = here[tail] | here[head]
    tail, head = tail[seen], head[seen]
    touched = np.zeros(len(home), dtype=bool)
    touched[np.concatenate([tail, head])] = True
    outside, buyers = _outside(system.processes.assign(region=home), foreign, tail, head)
    kept = system.processes[here | (touched & ~foreign)]
    processes = pd.concat([kept, outside], ignore_index=True)
    flows = system.flows[seen].reset_index(drop=True)
    targets = [buyers.get(p, name) for p, name in zip(head, flows["to"].tolist(), strict=True)]
    comes_in = foreign[tail].tolist()
    roles = [
        ",".join(_ELSEWHERE.get(part, part) for part in role.split(",")) if comes else role
        for role, comes in zip(flows["role"].tolist(), comes_in, strict=True)
    ]
    settings = _settings(system.settings, region)
    inside = set(system.processes["process"][here])
    return replace(
        system,
        settings=settings,
        processes=processes,
        flows=flows.assign(to=targets, role=roles),
        sheets={raw.name: raw for raw in (_system_sheet(settings), _process_sheet(processes))},
        tables={},
        **_tables(system, inside, set(flows["flow"]), set(flows["flow"][here[tail]])),
    )


def _outside(
    processes: pd.DataFrame, foreign: np.ndarray, tail: np.ndarray, head: np.ndarray
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return imports and exports in place of other regions' processes, and the exports' ids."""
    there = np.arange(len(processes))
    sends, takes = foreign & np.isin(there, tail), foreign & np.isin(there, head)
    names = processes["process"].tolist()
    taken = set(names)
    buyers = {}
    for at in np.flatnonzero(takes).tolist():
        name = names[at]
        while sends[at] and name in taken:
            name += " (export)"
        taken.add(name)
        buyers[at] = name
    sellers = processes[sends].assign(kind="import")
    named = processes[takes].assign(kind="export", process=list(buyers.values()))
    out = pd.concat([sellers, named], ignore_index=True)
    blank = dict.fromkeys(("capacity", "column", "row"), np.nan)
    blank |= dict.fromkeys(("capacity_unit", "capacity_substance"), None)
    return out.assign(group=out["region"], group_ja="", stage="trade", stock=False, **blank), buyers


def _tables(
    system: System, inside: set[str], kept: set[str], sent: set[str]
) -> dict[str, pd.DataFrame]:
    """Return the data that a region sees: what speaks of its flows and stocks alone.

    Rows keep their numbers in the tables of the whole.
    """

    def speaks(frame: pd.DataFrame, flows: set[str]) -> np.ndarray:
        named = (set(str(cell).split(",")) for cell in frame["flow"].tolist())
        return np.array([each <= flows for each in named], dtype=bool)

    of = system.coefficients["of"].isin(["inputs", "outputs", *kept]).to_numpy()
    terms = system.observations
    within = terms["flow"].isin(kept) | (terms["flow"].isna() & terms["process"].isin(inside))
    split = set(terms["observation"][~within])
    chosen = {
        "data": system.data["flow"].isin(kept).to_numpy(),
        "stocks": system.stocks["process"].isin(inside).to_numpy(),
        "coefficients": speaks(system.coefficients, sent) & of,
        "compositions": speaks(system.compositions, kept),
        "observations": ~terms["observation"].isin(split).to_numpy(),
    }
    return {n: getattr(system, n)[rows] for n, rows in chosen.items()}


def _settings(settings: Settings, region: str) -> Settings:
    """Return the settings of one region, its name in the titles."""
    titles = {
        "title": ": ".join(part for part in (settings.title, region) if part),
        "title_ja": settings.title_ja and f"{settings.title_ja}：{region}",
    }
    return replace(settings, region=region, **titles)


def _system_sheet(settings: Settings) -> RawSheet:
    cells: dict[str, object] = {f.name: getattr(settings, f.name) for f in fields(settings)}
    cells |= {"format": FORMAT, "unit": settings.unit.name}
    cells["substances"] = ", ".join(settings.substances)
    rows = [(key, cells[key]) for key in SETTINGS if cells[key] not in ("", None)]
    return from_frame("system", pd.DataFrame(rows, columns=["key", "value"], dtype=object))


def _process_sheet(processes: pd.DataFrame) -> RawSheet:
    stock = pd.Series(np.where(processes["stock"], "yes", None), dtype=object)
    return from_frame("processes", processes.assign(stock=stock))


def check_regions(sheet: ParsedSheet, flows: pd.DataFrame, own: str, findings: Findings) -> None:
    """Warn of regions that may be one, of processes in none, and of regions without trade.

    Parameters
    ----------
    sheet : ParsedSheet
        The sheet ``processes``.
    flows : DataFrame
        One row per flow.
    own : str
        The system's own region.
    findings : Findings
    """
    processes = sheet.frame
    first: dict[str, str] = {fold(own): own} if own else {}
    for i, region in enumerate(processes["region"].tolist()):
        other = first.setdefault(fold(region), region) if region else region
        if other != region:
            what = f"region {region!r} is another region than {other!r}"
            place = sheet.place(i, "region")
            findings.warning(what, "spell them alike if they are one", region, place)
    regions = region_names(processes, own)
    home = home_regions(processes, own)
    lost = np.flatnonzero((home == "") & (processes["kind"] == "process").to_numpy())
    for i in lost.tolist() if regions else []:
        what = f"the process {processes['process'].iat[i]!r} is in no region, but others are in one"
        do = "fill in its region, or the region of the sheet 'system' for all that name none"
        findings.warning(what, do, None, sheet.place(i, "process"))
    at = dict(zip(processes["process"].tolist(), home.tolist(), strict=True))
    pairs = {(at.get(a), at.get(b)) for a, b in zip(flows["from"], flows["to"], strict=True)}
    trades = {name for pair in pairs if pair[0] != pair[1] for name in pair if all(pair)}
    for region in regions if len(regions) > 1 else ():
        if region not in trades:
            what = f"the region {region!r} trades with no other region"
            do = "add flows between them, or clear the column region"
            findings.warning(what, do, None, "processes")
