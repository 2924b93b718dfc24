"""The indicators once more, in plain Python, from their written definitions alone.

R[A→B] is the sum of the flows with role R from set A to set B. Mixed scrap is traced inside the
scrap lane by following it round until nothing moves any more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

SCRAP = ("new_scrap", "old_scrap", "scrap", "home_scrap")
NAMES = (
    "collection_rate",
    "processing_rate",
    "eol_recycling_rate",
    "eol_recycling_rate_domestic",
    "recycling_input_rate_total",
    "recycling_input_rate_old",
    "recycled_share_refined",
    "old_scrap_ratio",
    "new_scrap_recycling_rate",
    "recycling_efficiency",
)


@dataclass(frozen=True)
class Process:
    name: str
    stage: str = ""
    kind: str = "process"
    stock: bool = False


@dataclass(frozen=True)
class Flow:
    name: str
    source: str
    target: str
    roles: tuple[str, ...] = ()

    def has(self, *roles: str) -> bool:
        return any(role in self.roles for role in roles)


@dataclass(frozen=True)
class Cycle:
    """Processes and flows, without numbers."""

    processes: tuple[Process, ...]
    flows: tuple[Flow, ...]

    def of(self, keep: Callable[[Process], bool]) -> set[str]:
        return {process.name for process in self.processes if keep(process)}

    def kind(self, *kinds: str) -> set[str]:
        return self.of(lambda p: p.kind in kinds)

    def stage(self, *stages: str) -> set[str]:
        return self.of(lambda p: p.kind == "process" and p.stage in stages)

    @property
    def everything(self) -> set[str]:
        return self.of(lambda p: True)

    @property
    def disposal(self) -> set[str]:
        return self.of(lambda p: p.kind == "sink" or p.stage == "disposal")

    @property
    def lane(self) -> set[str]:
        out = self.stage("collection", "sorting", "recycling")
        for name in self.stage("trade"):
            enters = [f for f in self.flows if f.target == name and not f.has("discrepancy")]
            if enters and all(f.has(*SCRAP) for f in enters):
                out.add(name)
        return out

    @property
    def makers(self) -> set[str]:
        return self.kind("process") - self.lane - self.stage("use") - self.disposal

    def moved(self, role: str, sources: Collection[str], targets: Collection[str]) -> list[Flow]:
        return [
            f
            for f in self.flows
            if f.has(role)
            and not f.has("discrepancy")
            and f.source in sources
            and f.target in targets
        ]

    def traced(
        self,
        x: Mapping[str, float],
        inside: set[str],
        share_of: Callable[[Flow], float | None],
    ) -> dict[str, float]:
        """Share of an origin in each flow; ``share_of`` is None for what processes mix."""
        level = dict.fromkeys(inside, 0.0)
        enters = {
            p: [f for f in self.flows if f.target == p != f.source and not f.has("discrepancy")]
            for p in inside
        }

        def share(flow: Flow) -> float:
            given = share_of(flow)
            return level[flow.source] if given is None else given

        for _ in range(100_000):
            moved = 0.0
            for p in inside:
                whole = sum(x[f.name] for f in enters[p])
                if whole > 0:
                    new = sum(share(f) * x[f.name] for f in enters[p]) / whole
                    moved, level[p] = max(moved, abs(new - level[p])), new
            if moved < 1e-15:
                break
        return {f.name: share(f) for f in self.flows}


def origin_in_lane(cycle: Cycle, x: Mapping[str, float], kind: str) -> dict[str, float]:
    """φ of old, new or imported scrap in every flow."""
    lane, imports = cycle.lane, cycle.kind("import")

    def share_of(flow: Flow) -> float | None:
        if flow.has("old_scrap", "end_of_life") and flow.source not in imports:
            return float(kind == "old")
        if flow.has("new_scrap"):
            return float(kind == "new")
        if flow.has("scrap", "old_scrap") and flow.source in imports:
            return float(kind == "imported")
        return None if flow.source in lane else 0.0

    return cycle.traced(x, lane, share_of)


def scrap_in_refined(cycle: Cycle, x: Mapping[str, float]) -> float:
    """Refined metal from smelting and refining that stems from scrap."""
    smelting = cycle.stage("smelting", "refining")

    def share_of(flow: Flow) -> float | None:
        if flow.has("scrap", "old_scrap", "new_scrap", "end_of_life"):
            return 1.0
        return None if flow.source in smelting else 0.0

    shares = cycle.traced(x, smelting, share_of)
    made = cycle.moved("refined", smelting, cycle.everything - smelting)
    return sum(shares[f.name] * x[f.name] for f in made)


def formulas(cycle: Cycle, x: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Numerator and denominator of every indicator, for known flows."""
    use, collection = cycle.stage("use"), cycle.stage("collection")
    lane, makers, everything = cycle.lane, cycle.makers, cycle.everything
    imports, exports = cycle.kind("import"), cycle.kind("export")
    smelting = cycle.stage("smelting", "refining")

    def total(role: str, sources: Collection[str], targets: Collection[str]) -> float:
        return sum(x[f.name] for f in cycle.moved(role, sources, targets))

    def mixed(kind: str, targets: Collection[str]) -> float:
        shares = origin_in_lane(cycle, x, kind)
        return sum(shares[f.name] * x[f.name] for f in cycle.moved("scrap", lane, targets))

    eol = total("end_of_life", use, everything)
    away = everything - collection - cycle.disposal
    collected = total("old_scrap", use | collection, away)
    new = total("new_scrap", makers, everything)
    inside = lane | makers | use
    rec_old = total("old_scrap", inside, makers) + mixed("old", makers)
    rec_new = total("new_scrap", inside, makers) + mixed("new", makers)
    rec_imported = total("scrap", imports, makers) + mixed("imported", makers)
    rec = rec_old + rec_new + rec_imported
    exp_old = total("old_scrap", everything, exports) + mixed("old", exports)
    exp_new = total("new_scrap", everything, exports) + mixed("new", exports)
    outside = (imports | cycle.kind("source") | makers) - smelting
    primary = total("primary", outside, smelting)
    made = total("refined", smelting, everything - smelting)
    return {
        "collection_rate": (collected, eol),
        "processing_rate": (rec_old + exp_old, collected),
        "eol_recycling_rate": (rec_old + exp_old, eol),
        "eol_recycling_rate_domestic": (rec_old, eol),
        "recycling_input_rate_total": (rec, primary + rec),
        "recycling_input_rate_old": (rec_old, primary + rec),
        "recycled_share_refined": (scrap_in_refined(cycle, x), made),
        "old_scrap_ratio": (rec_old, rec_old + rec_new),
        "new_scrap_recycling_rate": (rec_new + exp_new, new),
        "recycling_efficiency": (rec_old + exp_old + rec_new + exp_new, eol + new),
    }


def indicator_values(cycle: Cycle, x: Mapping[str, float]) -> dict[str, float]:
    """Every indicator for known flows, nan where its denominator is 0."""
    parts = formulas(cycle, x)
    return {name: top / below if below > 0 else math.nan for name, (top, below) in parts.items()}
