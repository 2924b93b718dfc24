"""Metal cycles to try things on: one by hand, and random ones with loops and several sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.system import System

from .reference import Cycle, Flow, Process

Number = tuple[float, float] | None  # value and sd, or unknown


def process(name: str, stage: str = "", kind: str = "process", stock: bool = False) -> Process:
    return Process(name, stage, kind, stock)


def cycle_of(processes: Iterable[Process], flows: Iterable[tuple[str, str, str, str]]) -> Cycle:
    """Return a cycle from processes and (flow, from, to, roles with commas)."""
    listed = (Flow(n, a, b, tuple(r for r in roles.split(",") if r)) for n, a, b, roles in flows)
    return Cycle(tuple(processes), tuple(listed))


def system_of(
    cycle: Cycle,
    data: Mapping[str, Number],
    columns: Mapping[str, Mapping[str, Any]] | None = None,
    unit: str = "kt/yr",
    year: int = 2018,
    **sheets: list[dict[str, Any]],
) -> System:
    """Return a system of a cycle: value and sd by flow, and further columns by flow.

    Flows that ``data`` does not name have a row without a value.
    """
    rows = []
    for flow in cycle.flows:
        number = data.get(flow.name)
        value, sd = (None, None) if number is None else number
        ends = {"flow": flow.name, "from": flow.source, "to": flow.target, "year": year}
        given = {"role": ",".join(flow.roles) or None, "value": value, "sd": sd}
        rows.append(ends | given | dict((columns or {}).get(flow.name, {})))
    processes = [
        {"process": p.name, "stage": p.stage or None, "kind": p.kind, "stock": p.stock and "yes"}
        for p in cycle.processes
    ]
    frame = pd.DataFrame(processes)
    frame["stock"] = frame["stock"].map(lambda cell: cell or None).astype(object)
    settings = pd.DataFrame({"key": ["unit", "substances"], "value": [unit, "Cu"]})
    tables = {"system": settings, "processes": frame, "flows": pd.DataFrame(rows)}
    tables |= {name: pd.DataFrame(more) for name, more in sheets.items()}
    return System.from_tables(tables)


def values_of(balance: Balance) -> dict[str, float]:
    """Return the value of every flow of a balance of one year, nan where undetermined."""
    flows = balance.system.data["flow"].tolist()
    return dict(zip(flows, balance.values[: len(flows)].tolist(), strict=True))


PROCESSES = (
    process("abroad", kind="import"),
    process("pit", kind="source"),
    process("buyers", kind="export"),
    process("landfill", kind="sink"),
    process("slag", kind="sink"),
    process("smelter", "smelting"),
    process("refinery", "refining"),
    process("metal", "trade"),
    process("mill", "fabrication"),
    process("foundry", "fabrication"),
    process("factory", "manufacturing"),
    process("homes", "use", stock=True),
    process("yard", "collection"),
    process("market", "trade"),
    process("dismantler", "sorting"),
)
FLOWS = (
    ("ore", "abroad", "smelter", "primary"),
    ("own_ore", "pit", "smelter", "primary"),
    ("blister", "abroad", "refinery", "primary"),
    ("anode", "smelter", "refinery", "primary"),
    ("slag_loss", "smelter", "slag", "loss"),
    ("cathode", "refinery", "metal", "refined"),
    ("fire_refined", "smelter", "metal", "refined"),
    ("metal_in", "abroad", "metal", "refined"),
    ("metal_out", "metal", "buyers", "refined"),
    ("to_mill", "metal", "mill", "refined"),
    ("to_foundry", "metal", "foundry", "refined"),
    ("strip", "mill", "factory", "product"),
    ("castings", "foundry", "factory", "product"),
    ("cutoffs", "mill", "market", "new_scrap"),
    ("turnings", "factory", "market", "new_scrap"),
    ("rejects", "factory", "dismantler", "new_scrap"),
    ("goods", "factory", "homes", "product"),
    ("goods_in", "abroad", "homes", "product"),
    ("goods_out", "factory", "buyers", "product"),
    ("discarded", "homes", "yard", "end_of_life"),
    ("demolition", "homes", "market", "old_scrap"),
    ("sold", "yard", "market", "old_scrap"),
    ("gadgets", "yard", "dismantler", "old_scrap"),
    ("hulks", "yard", "buyers", "old_scrap"),
    ("dumped", "yard", "landfill", "loss"),
    ("scrap_in", "abroad", "market", "scrap"),
    ("gadgets_in", "abroad", "dismantler", "scrap"),
    ("returned", "market", "dismantler", "scrap"),
    ("sorted", "dismantler", "market", "scrap"),
    ("shreds", "dismantler", "smelter", "scrap"),
    ("fluff", "dismantler", "landfill", "loss"),
    ("scrap_mill", "market", "mill", "scrap"),
    ("scrap_foundry", "market", "foundry", "scrap"),
    ("scrap_refinery", "market", "refinery", "scrap"),
    ("scrap_out", "market", "buyers", "scrap"),
)
FULL = cycle_of(PROCESSES, FLOWS)
_NEEDED = {"ore", "cathode", "anode", "to_mill", "to_foundry", "strip", "castings", "goods"}
_NEEDED |= {"discarded", "sold", "turnings", "scrap_mill", "scrap_out", "metal_in"}


def random_cycle(seed: int, kept: float = 0.8) -> tuple[Cycle, dict[str, float]]:
    """Return a cycle that lacks some flows, and values that close it, all above 0.

    What enters a process leaves it in random shares, the homes excepted, whose stock changes.
    """
    rng = np.random.default_rng(seed)
    flows = [f for f in FULL.flows if f.name in _NEEDED or rng.random() < kept]
    names = {f.name for f in flows}
    if "returned" in names and "sorted" not in names and "shreds" not in names:
        flows = [f for f in flows if f.name != "returned"]
    sends = {f.source for f in flows}
    flows = [f for f in flows if f.target in sends or f.target in ("buyers", "landfill", "slag")]
    n = len(flows)
    free = {"abroad", "pit", "homes"}
    share = rng.uniform(0.3, 1.7, n)
    source = np.zeros(n)
    transfer = np.zeros((n, n))
    for k, flow in enumerate(flows):
        if flow.source in free:
            source[k] = rng.uniform(5.0, 60.0) * (3.0 if flow.has("primary") else 1.0)
            continue
        siblings = sum(share[j] for j, other in enumerate(flows) if other.source == flow.source)
        for j, other in enumerate(flows):
            transfer[k, j] = (other.target == flow.source) * share[k] / siblings
    x = np.linalg.solve(np.eye(n) - transfer, source)
    return Cycle(PROCESSES, tuple(flows)), {f.name: float(v) for f, v in zip(flows, x, strict=True)}


def noisy(x: Mapping[str, float], seed: int, cv: float = 0.02) -> dict[str, Number]:
    """Return data on every flow: a little off, each with an sd of its own."""
    rng = np.random.default_rng(seed)
    out: dict[str, Number] = {}
    for name, value in x.items():
        sd = cv * value * rng.uniform(0.5, 2.0)
        out[name] = (value + 0.5 * sd * rng.normal(), sd)
    return out
