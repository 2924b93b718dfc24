"""The closure by brute force: dictionaries, loops, and iteration until nothing moves any more.

Written from the words alone: held fixed are end-of-life generation, demand and exports; every
outflow has its share of its process's inputs; raising one lowers its siblings in proportion;
primary imports take up the slack. Nothing here is shared with the package.
"""

from __future__ import annotations

from collections.abc import Mapping

from .reference import Cycle, Flow, Process

LANE = ("collection", "sorting", "recycling")
SCRAP = ("new_scrap", "old_scrap", "scrap", "home_scrap")


class Sorted:
    """Which process is what."""

    def __init__(self, cycle: Cycle) -> None:
        self.by_name: dict[str, Process] = {p.name: p for p in cycle.processes}
        self.flows = [f for f in cycle.flows if f.source != f.target]
        self.into: dict[str, list[Flow]] = {name: [] for name in self.by_name}
        self.out: dict[str, list[Flow]] = {name: [] for name in self.by_name}
        for flow in self.flows:
            self.into[flow.target].append(flow)
            self.out[flow.source].append(flow)
        self.lane = {n for n, p in self.by_name.items() if self._in_lane(n, p)}
        self.makers = {
            n
            for n, p in self.by_name.items()
            if p.kind == "process" and n not in self.lane and p.stage not in ("use", "disposal")
        }
        self.drawing: set[str] = set()
        while True:
            more = {
                f.target
                for f in self.flows
                if f.target in self.makers and f.target not in self.drawing and self._feeds(f)
            }
            if not more:
                break
            self.drawing |= more

    def _in_lane(self, name: str, p: Process) -> bool:
        if p.kind != "process":
            return False
        trade = p.stage == "trade" and bool(self.into[name])
        only_scrap = all(any(r in SCRAP for r in f.roles) for f in self.into[name])
        return p.stage in LANE or (trade and only_scrap)

    def _feeds(self, f: Flow) -> bool:
        outside = self.by_name[f.source].kind in ("import", "source")
        return (outside and "primary" in f.roles) or (
            f.source in self.drawing and not self.is_waste(f)
        )

    def is_waste(self, f: Flow) -> bool:
        target = self.by_name[f.target]
        thrown = target.kind == "sink" or target.stage == "disposal" or f.target in self.lane
        return thrown or any(r in (*SCRAP, "end_of_life", "loss") for r in f.roles)


def perturbed(
    cycle: Cycle, x: Mapping[str, float], flows: tuple[str, ...], by: float
) -> dict[str, float]:
    """Return all flows once the share of some in their process's inputs has risen by ``by``."""
    sets = Sorted(cycle)
    change = {
        n: sum(x[f.name] for f in sets.into[n]) - sum(x[f.name] for f in sets.out[n])
        for n in sets.by_name
    }
    share, spare = _shares(sets, x, flows, by)
    now = dict(x)
    for flow in flows:
        home = next(f.source for f in sets.flows if f.name == flow)
        target = next(sets.by_name[f.target] for f in sets.flows if f.name == flow)
        enters = sum(x[f.name] for f in sets.into[home])
        if target.kind == "export" and len(flows) == 1 and flow not in spare:
            now[flow] = x[flow] + by * enters
    for _ in range(4000):
        before = dict(now)
        for process in sets.lane | sets.makers:
            enters = sum(now[f.name] for f in sets.into[process])
            if process in sets.drawing:
                for f in sets.out[process]:
                    if sets.is_waste(f) and f.name in share:
                        now[f.name] = share[f.name] * enters
                _draw(sets, process, x, now, change[process])
            else:
                held = sum(now[f.name] for f in sets.out[process] if f.name not in spare)
                for f in sets.out[process]:
                    if f.name in spare:
                        now[f.name] = spare[f.name] * (enters - held - change[process])
        if max(abs(now[n] - before[n]) for n in now) < 1e-11:
            return now
    raise AssertionError("does not settle")


def _draw(
    sets: Sorted, process: str, x: Mapping[str, float], now: dict[str, float], change: float
) -> None:
    """Let what a maker draws meet what leaves it, all drawn flows in proportion."""
    drawn = [f.name for f in sets.into[process] if sets._feeds(f)]
    other = sum(now[f.name] for f in sets.into[process] if f.name not in drawn)
    needed = sum(now[f.name] for f in sets.out[process]) + change - other
    size = sum(x[name] for name in drawn)
    for name in drawn:
        now[name] = x[name] / size * needed


def _shares(
    sets: Sorted, x: Mapping[str, float], flows: tuple[str, ...], by: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Return shares of inputs of by-products, and of what is left after exports in the lane."""
    share: dict[str, float] = {}
    spare: dict[str, float] = {}
    for process in sets.lane | sets.makers:
        enters = sum(x[f.name] for f in sets.into[process]) or 1.0
        out = sets.out[process]
        if not out:
            continue
        if process in sets.drawing:
            waste = [f for f in out if sets.is_waste(f) and _moves(sets, f)]
            share |= {f.name: x[f.name] / enters for f in waste}
            raised = [f for f in out if f.name in flows]
            if not raised:
                continue
            old = sum(x[f.name] for f in raised) / enters
            if not sets.is_waste(raised[0]):
                old = 1 - sum(share[f.name] for f in waste)
            for f in waste:
                factor = (1 - old - by) / (1 - old)
                share[f.name] = share[f.name] + by if f in raised else share[f.name] * factor
            continue
        goes_on = [f for f in out if _moves(sets, f) and not _lost(sets, f)]
        free = [f for f in out if _moves(sets, f)] if goes_on else out
        rest = sum(x[f.name] for f in free) or 1.0
        spare |= {f.name: x[f.name] / rest for f in free}
        for f in [f for f in free if f.name in flows]:
            more = by * enters / rest
            old = spare[f.name]
            for g in free:
                spare[g.name] = (
                    old + more if g is f else spare[g.name] * (1 - old - more) / (1 - old)
                )
    return share, spare


def _lost(sets: Sorted, f: Flow) -> bool:
    target = sets.by_name[f.target]
    return "loss" in f.roles or target.kind == "sink" or target.stage == "disposal"


def _moves(sets: Sorted, f: Flow) -> bool:
    return sets.by_name[f.target].kind != "export"


def indicator(cycle: Cycle, x: Mapping[str, float], name: str) -> float:
    """Return an indicator from the words of its formula."""
    sets = Sorted(cycle)
    use = {n for n, p in sets.by_name.items() if p.stage == "use"}
    out = {n for n, p in sets.by_name.items() if p.kind == "export"}
    dump = {n for n, p in sets.by_name.items() if p.kind == "sink" or p.stage == "disposal"}
    plants = {n for n, p in sets.by_name.items() if p.stage in ("smelting", "refining")}
    yards = {n for n, p in sets.by_name.items() if p.stage == "collection"}
    old, new = _traced(sets, x)

    def of(role: str, keep: object) -> float:
        return sum(x[f.name] for f in sets.flows if role in f.roles and keep(f))  # type: ignore[operator]

    def recycled(role: str, mixed: Mapping[str, float], ends: set[str]) -> float:
        inner = sets.lane | sets.makers | use
        own = of(role, lambda f: f.target in ends and (f.source in inner or ends == out))
        return own + sum(
            mixed[f.source] * x[f.name]
            for f in sets.flows
            if "scrap" in f.roles and f.source in sets.lane and f.target in ends
        )

    generated = of("end_of_life", lambda f: f.source in use)
    collected = of("old_scrap", lambda f: f.source in use | yards and f.target not in yards | dump)
    rec_old, rec_new = (
        recycled("old_scrap", old, sets.makers),
        recycled("new_scrap", new, sets.makers),
    )
    exp_old, exp_new = recycled("old_scrap", old, out), recycled("new_scrap", new, out)
    scrap = of("scrap", lambda f: f.target in sets.makers)
    own = of("old_scrap", lambda f: f.target in sets.makers) + of(
        "new_scrap", lambda f: f.target in sets.makers
    )
    primary = of("primary", lambda f: f.target in plants and f.source not in plants)
    made = of("new_scrap", lambda f: f.source in sets.makers)
    return {
        "collection_rate": lambda: collected / generated,
        "processing_rate": lambda: (rec_old + exp_old) / collected,
        "eol_recycling_rate": lambda: (rec_old + exp_old) / generated,
        "eol_recycling_rate_domestic": lambda: rec_old / generated,
        "recycling_input_rate_total": lambda: (own + scrap) / (primary + own + scrap),
        "recycling_input_rate_old": lambda: rec_old / (primary + own + scrap),
        "old_scrap_ratio": lambda: rec_old / (rec_old + rec_new),
        "new_scrap_recycling_rate": lambda: (rec_new + exp_new) / made,
        "recycling_efficiency": lambda: (
            (rec_old + exp_old + rec_new + exp_new) / (generated + made)
        ),
    }[name]()


def _traced(sets: Sorted, x: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the shares of old and of new scrap in what every process of the lane mixes."""
    old = dict.fromkeys(sets.by_name, 0.0)
    new = dict.fromkeys(sets.by_name, 0.0)
    for _ in range(60):
        for process in sets.lane:
            total = sum(x[f.name] for f in sets.into[process]) or 1.0
            parts = [
                (_is(f, sets, old, True), _is(f, sets, new, False), x[f.name])
                for f in sets.into[process]
            ]
            old[process] = sum(o * m for o, _, m in parts) / total
            new[process] = sum(n * m for _, n, m in parts) / total
    return old, new


def _is(f: Flow, sets: Sorted, mixture: Mapping[str, float], old: bool) -> float:
    if sets.by_name[f.source].kind == "import":
        return 0.0
    if "old_scrap" in f.roles or "end_of_life" in f.roles:
        return 1.0 if old else 0.0
    if "new_scrap" in f.roles:
        return 0.0 if old else 1.0
    return mixture[f.source] if f.source in sets.lane else 0.0
