"""Regions that trade: two worked by hand, and random ones with everything between them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import lsq_linear

from mfa.balance import Balance, reconcile
from mfa.system import System

from .cycles import Number, cycle_of, noisy, process, random_cycle, system_of
from .reference import Cycle, Flow, Process

NORTH_SOUTH = (
    process("pit", kind="source"),
    process("buyers", kind="export"),
    process("dump", kind="sink"),
    process("mine", "mining"),
    process("smelter_n", "smelting"),
    process("metal_n", "trade"),
    process("works_n", "fabrication"),
    process("use_n", "use", stock=True),
    process("yard_n", "collection"),
    process("smelter_s", "smelting"),
    process("works_s", "fabrication"),
    process("use_s", "use", stock=True),
    process("yard_s", "collection"),
)
_FLOWS = (
    ("rock", "pit", "mine", "primary", 220.0),
    ("ore_n", "mine", "smelter_n", "primary", 130.0),
    ("ore_s", "mine", "smelter_s", "primary", 90.0),
    ("slag_n", "smelter_n", "dump", "loss", 7.0),
    ("slag_s", "smelter_s", "dump", "loss", 5.0),
    ("cathode_n", "smelter_n", "metal_n", "refined", 172.0),
    ("cathode_s", "smelter_s", "works_s", "refined", 121.0),
    ("metal_ns", "metal_n", "works_s", "refined", 23.0),
    ("metal_out", "metal_n", "buyers", "refined", 20.0),
    ("to_works_n", "metal_n", "works_n", "refined", 129.0),
    ("goods_n", "works_n", "use_n", "product", 96.0),
    ("goods_ns", "works_n", "use_s", "product", 14.0),
    ("goods_s", "works_s", "use_s", "product", 115.0),
    ("cut_n", "works_n", "smelter_n", "new_scrap", 27.0),
    ("cut_s", "works_s", "yard_s", "new_scrap", 29.0),
    ("eol_n", "use_n", "yard_n", "end_of_life", 61.0),
    ("eol_s", "use_s", "yard_s", "end_of_life", 43.0),
    ("old_n", "yard_n", "smelter_n", "old_scrap", 22.0),
    ("old_ns", "yard_n", "yard_s", "old_scrap", 26.0),
    ("old_ns_melted", "yard_n", "smelter_s", "old_scrap", 4.0),
    ("lost_n", "yard_n", "dump", "loss", 9.0),
    ("scrap_s", "yard_s", "smelter_s", "scrap", 32.0),
    ("scrap_sn", "yard_s", "works_n", "scrap", 8.0),
    ("lost_s", "yard_s", "dump", "loss", 58.0),
)
HAND = cycle_of(NORTH_SOUTH, (flow[:4] for flow in _FLOWS))
VALUES = {flow[0]: flow[4] for flow in _FLOWS}
DATA: dict[str, Number] = {
    name: (value, 0.01 * value * (1 + k % 5)) for k, (name, value) in enumerate(VALUES.items())
}
NAMES = {"n": "North", "s": "South", "mine": "North"}

_TRADE = (
    ("ore", "smelter", "refinery", "primary"),
    ("metal", "metal", "metal", "refined"),
    ("sheet", "mill", "factory", "product"),
    ("cars", "factory", "homes", "product"),
    ("cables", "yard", "dismantler", "old_scrap"),
    ("chips", "factory", "market", "new_scrap"),
    ("bales", "market", "market", "scrap"),
    ("bundles", "market", "mill", "scrap"),
)


def home(name: str) -> str:
    """Return the region of a process: what its name ends with; none for those outside."""
    last = name.rpartition("_")[2]
    return NAMES.get(last, last if last.isupper() else "")


def with_regions(
    cycle: Cycle, data: Mapping[str, Number], names: Mapping[str, str], **sheets: Any
) -> System:
    """Return a system of a cycle, the regions of its processes given by name."""
    tables = tables_of(system_of(cycle, data))
    tables["processes"]["region"] = [names.get(p) or None for p in tables["processes"]["process"]]
    return System.from_tables(tables | sheets)


def tables_of(system: System) -> dict[str, Any]:
    """Return the tables that a system was made from."""
    out = {}
    for name, raw in system.sheets.items():
        columns = dict(zip(raw.headers, raw.columns, strict=True))
        out[name] = pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in columns.items()})
    return out


def by_hand(data: Mapping[str, Number] = DATA) -> Balance:
    names = {p.name: home(p.name) for p in NORTH_SOUTH}
    return reconcile(with_regions(HAND, data, names))


def random_regions(seed: int, names: tuple[str, ...] = ("A", "B", "C")) -> Cycle:
    """Return a cycle of several regions that share what lies outside and trade at random."""
    rng = np.random.default_rng(seed)
    processes: dict[str, Process] = {}
    flows: list[Flow] = []
    for k, name in enumerate(names):
        cycle, _ = random_cycle(100 * seed + k, kept=0.6)
        kept = {p.name: p for p in cycle.processes if p.kind == "process"}

        def own(p: str, kept: Mapping[str, Process] = kept, name: str = name) -> str:
            return f"{p}_{name}" if p in kept else p

        for p in cycle.processes:
            processes[own(p.name)] = process(own(p.name), p.stage, p.kind, p.stock)
        flows += [
            Flow(f"{f.name}_{name}", own(f.source), own(f.target), f.roles) for f in cycle.flows
        ]
    sends = {f.source for f in flows}
    for a, b in permutations(names, 2):
        for name, source, target, role in _TRADE:
            if rng.random() < 0.5 and f"{target}_{b}" in sends and f"{source}_{a}" in sends:
                flows.append(Flow(f"{name}_{a}{b}", f"{source}_{a}", f"{target}_{b}", (role,)))
    return Cycle(tuple(processes.values()), tuple(flows))


def random_data(cycle: Cycle, seed: int) -> dict[str, Number]:
    """Return data on every flow that nearly close, so that no bound holds anything."""
    rng = np.random.default_rng(seed)
    names = [f.name for f in cycle.flows]
    nodes = [p.name for p in cycle.processes if p.kind == "process" and not p.stock]
    matrix = np.array(
        [[(f.target == p) - (f.source == p) for f in cycle.flows] for p in nodes], dtype=float
    )
    wish = rng.uniform(20.0, 60.0, len(names))
    stacked = np.vstack([matrix * 1e4, np.eye(len(names))])
    right = np.concatenate([np.zeros(len(nodes)), wish])
    x = lsq_linear(stacked, right, bounds=(1.0, np.inf)).x
    return noisy(dict(zip(names, x.tolist(), strict=True)), seed)


@cache
def random_balance(seed: int, drop: float = 0.0) -> tuple[Cycle, Balance]:
    """Return a random cycle of regions and its balance, a share of its data left out."""
    cycle = random_regions(seed)
    rng = np.random.default_rng(seed + 1)
    data = {n: d for n, d in random_data(cycle, seed).items() if rng.random() >= drop}
    names = {p.name: home(p.name) for p in cycle.processes}
    return cycle, reconcile(with_regions(cycle, data, names))


def apart(cycle: Cycle, region: str) -> Cycle:
    """Return what a region sees, written down from the definition: twins for all outside."""
    outside = {p.name for p in cycle.processes if home(p.name) not in ("", region)}
    twins = [process(f"{kind} {p}", kind=kind) for p in outside for kind in ("import", "export")]
    flows = []
    for f in cycle.flows:
        if region not in (home(f.source), home(f.target)):
            continue
        source = f"import {f.source}" if f.source in outside else f.source
        target = f"export {f.target}" if f.target in outside else f.target
        roles = f.roles
        if f.source in outside:
            roles = tuple("scrap" if r in ("old_scrap", "new_scrap") else r for r in roles)
        flows.append(Flow(f.name, source, target, roles))
    kept = tuple(p for p in cycle.processes if p.name not in outside)
    return Cycle((*kept, *twins), tuple(flows))
