"""What things are called on the page, and which of them a comma list names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from mfa.balance import Balance
    from mfa.system import System


@dataclass(frozen=True)
class Names:
    """Names of processes and flows by id; a process and a flow may share one."""

    processes: dict[str, str]
    flows: dict[str, str]


def names_of(system: System, lang: str) -> Names:
    """Return the names of a system's processes and flows in a language."""
    return Names(_names(system.processes, "process", lang), _names(system.flows, "flow", lang))


def _names(table: pd.DataFrame, key: str, lang: str) -> dict[str, str]:
    columns = (table[column].astype(str).tolist() for column in (key, "name", "name_ja"))
    return {
        item: (local if lang == "ja" else "") or name or item
        for item, name, local in zip(*columns, strict=True)
    }


def split_ids(text: str, known: Collection[str]) -> list[str]:
    """Return the ids in a comma list, also where an id has a comma itself.

    Examples
    --------
    >>> split_ids("ore, scrap, old, metal", ["ore", "scrap, old", "metal"])
    ['ore', 'scrap, old', 'metal']
    """
    parts = text.split(", ") if text else []
    most = 1 + max((name.count(", ") for name in known), default=0)
    known = set(known)
    out = []
    while parts:
        sizes = range(min(most, len(parts)), 1, -1)
        size = next((n for n in sizes if ", ".join(parts[:n]) in known), 1)
        out.append(", ".join(parts[:size]))
        parts = parts[size:]
    return out


def alike(balance: Balance) -> list[frozenset[str]]:
    """Return for every suspect the labels of those that cannot be told apart, its own included."""
    table = balance.suspects
    labels = table["item"].astype(str)
    if len(balance.model.system.layers) > 1:
        labels = labels + " " + table["substance"].astype(str)
    if len(balance.model.system.years) > 1:
        labels = labels + " " + table["year"].astype(str)
    known = set(labels)
    return [
        frozenset([own, *split_ids(str(others), known)])
        for own, others in zip(labels, table["same_as"], strict=True)
    ]
