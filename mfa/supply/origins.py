"""Who supplies a flow: shares of countries, groups and companies from the sheet ``origins``."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from mfa.schema import SENDERS, fold
from mfa.system import System
from mfa.system.supplies import is_other

By = Literal["country", "group", "company"]
Target = Literal["country", "process", "stage", "flow"]
OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Part:
    """The share of a party in a flow: of its whole, all commodities together."""

    flow: str
    commodity: str
    party: str
    share: float


def groups_of(system: System) -> dict[str, str]:
    """Return the group of each country that has one."""
    table = system.tables.get("countries")
    if table is None:
        return {}
    named = table[table["country"].notna() & table["group"].notna()]
    return dict(zip(named["country"].tolist(), named["group"].tolist(), strict=True))


def party_of(
    system: System, row: Mapping[Hashable, object], by: By, merge: Mapping[str, str] | None
) -> str:
    """Return the party that a row of origins or producers counts for, "Other" if none is named."""
    name = row["company"] if by == "company" else row["country"]
    if is_other(name):
        return OTHER
    named = str(name)
    if by == "group":
        named = groups_of(system).get(named, named)
    return (merge or {}).get(named, named)


def parts(
    system: System, year: int, by: By = "country", merge: Mapping[str, str] | None = None
) -> list[Part]:
    """Return the shares of all parties in all flows that have origins, normalised to 1 by flow.

    Rows of the year go before rows that name none. A flow with a single row is all of one party,
    even where the row has no value.
    """
    table = system.tables.get("origins")
    if table is None or table.empty:
        return []
    out: list[Part] = []
    for flow, rows in table.groupby("flow", sort=False):
        own = rows[rows["year"] == year]
        own = own if len(own) else rows[rows["year"].isna()]
        value = own["value"].where(own["value"].notna(), 1.0 if len(own) == 1 else 0.0)
        if not value.sum() > 0:
            continue
        sums: dict[tuple[str, str], float] = {}
        for row, share in zip(own.to_dict("records"), value / value.sum(), strict=True):
            commodity = row.get("commodity")
            key = ("" if pd.isna(commodity) else str(commodity), party_of(system, row, by, merge))
            sums[key] = sums.get(key, 0.0) + float(share)
        out += [Part(str(flow), *key, share) for key, share in sums.items()]
    return out


def origin_countries(system: System) -> list[str]:
    """Return all countries and groups that the sheets about supply name."""
    names: list[str] = []
    for sheet, column in (("origins", "country"), ("countries", "country"), ("countries", "group")):
        table = system.tables.get(sheet)
        names += [] if table is None else table[column].dropna().tolist()
    return list(dict.fromkeys(name for name in names if not is_other(name)))


def flows_of_country(system: System, country: str, year: int) -> dict[str, float]:
    """Return the flows that stem from a country or group of countries, and its share of each.

    A flow with origins goes by them; any other belongs to the supplier outside the boundary that
    sends it, by its id, name or region. Spelling counts as in headers.
    """
    members = {fold(country)}
    members |= {fold(name) for name, group in groups_of(system).items() if fold(group) in members}
    every, senders = parts(system, year), _senders(system, members)
    called = system.processes.loc[system.processes["process"].isin(senders), "name"]
    members |= set(map(fold, called))
    out: dict[str, float] = {}
    for part in every:
        if fold(part.party) in members and part.share > 0:
            out[part.flow] = out.get(part.flow, 0.0) + part.share
    known = {part.flow for part in every}
    sent = system.flows.loc[system.flows["from"].isin(senders), "flow"].tolist()
    return out | {flow: 1.0 for flow in sent if flow not in known}


def _senders(system: System, folded: set[str]) -> list[str]:
    """Return the suppliers outside the boundary with one of some ids, names or regions."""
    processes = system.processes[system.processes["kind"].isin(SENDERS)]
    columns = (processes[name] for name in ("process", "name", "region"))
    return [
        process
        for process, name, region in zip(*columns, strict=True)
        if not folded.isdisjoint({fold(process), fold(name), fold(region)})
    ]


def flows_named(system: System, name: str, year: int) -> dict[str, float]:
    """Return the flows that a flow's id, a supplier or a country means, and what share of each."""
    if name in set(system.flows["flow"]):
        return {name: 1.0}
    return flows_of_country(system, name, year)
