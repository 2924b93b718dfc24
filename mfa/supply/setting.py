"""From a balance and a shock to the task that is solved, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mfa.balance.network import Floats, Ints
from mfa.errors import MFAError, near
from mfa.schema import GOODS
from mfa.supply.network import SMALLEST, Path, Yearly, path
from mfa.supply.notes import Note
from mfa.supply.origins import flows_named
from mfa.supply.programme import Rule, Task
from mfa.supply.shock import Shock, lost_flows, lost_processes

_MONTHS = 12
_DAYS = 365


@dataclass(frozen=True, eq=False)
class Setting:
    """A task in the terms of a system.

    Attributes
    ----------
    path : Path
        Flows and nodes by their places in the system.
    task : Task
    hit : array of int
        Nodes that the shock hits first.
    notes : tuple of Note
        What the result rests on.
    """

    path: Path
    task: Task
    hit: Ints
    notes: tuple[Note, ...]

    @property
    def nodes(self) -> Ints:
        """Process of each node of the task: inner ones, then ends."""
        return np.concatenate([self.path.inner, self.path.ends])

    @property
    def without_stocks(self) -> Task:
        """The task with nothing in the stockpiles."""
        return replace(self.task, stock=np.zeros_like(self.task.stock))


def setting(y: Yearly, shock: Shock, days: float | Mapping[str, float] | None) -> Setting:
    """Return the task that a shock sets."""
    system = y.balance.system
    place = {name: i for i, name in enumerate(y.flow_names)}
    at = {name: i for i, name in enumerate(y.names)}
    flows = [
        {place[name]: part for name, part in lost_flows(system, loss, y.year).items()}
        for loss in shock.losses
    ]
    flows = [
        {f: part for f, part in some.items() if y.there[f] or loss.target == "flow"}
        for loss, some in zip(shock.losses, flows, strict=True)
    ]
    processes = [[at[name] for name in lost_processes(system, loss)] for loss in shock.losses]
    for loss, some, more in zip(shock.losses, flows, processes, strict=True):
        if not some and not more:
            raise MFAError(
                f"no flow of {y.substance} in {y.year} comes from the {loss.target} {loss.item!r}; "
                "name one that supplies something, or add it to the sheet 'origins'"
            )
    rules = _rules(y, shock.months)
    hit = {f for some in flows for f in some}
    stopped = sorted({p for more in processes for p in more})
    reached = path(y, sorted(hit), stopped)
    rules = [rule for rule in rules if np.isin(rule.of, reached.flows).all()]
    if rules:
        stands_in = {f for rule in rules for f in rule.to.tolist()}
        reached = path(y, sorted(hit | stands_in), stopped)
    task = _task(reached, shock, flows, processes, rules)
    first = np.unique([*(int(y.sets.head[f]) for f in hit), *(p for m in processes for p in m)])
    nodes = np.concatenate([reached.inner, reached.ends])
    made = Setting(reached, task, np.flatnonzero(np.isin(nodes, first)), ())
    return _stocked(made, y, days)


def _task(
    reached: Path,
    shock: Shock,
    flows: list[dict[int, float]],
    processes: list[list[int]],
    rules: list[Rule],
) -> Task:
    y = reached.yearly
    n, months = len(reached.flows), shock.months
    local = np.full(len(y.flow_names), -1, dtype=np.int64)
    local[reached.flows] = np.arange(n)
    node = np.full(len(y.names), -1, dtype=np.int64)
    node[reached.inner] = np.arange(len(reached.inner))
    tail = node[y.sets.tail[reached.flows]]
    node[reached.ends] = len(reached.inner) + np.arange(len(reached.ends))
    head = node[y.sets.head[reached.flows]]
    technical = y.technical[reached.flows]
    head = np.where(technical & (head >= len(reached.inner)), -1, head)
    left, up = np.ones((months, n)), np.ones((months, len(reached.inner)))
    for loss, some, more in zip(shock.losses, flows, processes, strict=True):
        for month in range(months):
            for flow, part in some.items():
                left[month, local[flow]] *= 1 - part * loss.in_month(month + 1)
            up[month, node[more]] *= 1 - loss.in_month(month + 1)
    nodes = len(reached.inner) + len(reached.ends)
    mine = [replace(rule, of=local[rule.of], to=local[rule.to]) for rule in rules]
    return Task(
        np.where(technical, y.value[reached.flows], np.maximum(y.value[reached.flows], 0.0))
        / _MONTHS,
        tail,
        head,
        technical,
        len(reached.inner),
        len(reached.ends),
        1 - left,
        1 - up,
        _capacities(reached) / _MONTHS,
        np.zeros(nodes),
        np.zeros(nodes),
        mine,
    )


def _capacities(reached: Path) -> Floats:
    """Return the yearly capacity of each inner process, inf where none can be compared."""
    y = reached.yearly
    system = y.balance.system
    table = system.processes.iloc[reached.inner]
    counts = table["capacity_substance"].fillna(GOODS).to_numpy()
    one = len(system.substances) == 1 and GOODS not in system.layers
    comparable = (counts == y.substance) | (one & (counts == GOODS))
    capacity = table["capacity"].to_numpy(dtype=np.float64)
    return np.where(comparable & ~np.isnan(capacity), capacity, np.inf)


def _rules(y: Yearly, months: int) -> list[Rule]:
    """Return the substitutions of the workbook whose flows are there and determined."""
    table = y.balance.system.tables.get("substitutions")
    place = {name: i for i, name in enumerate(y.flow_names)}
    out = []
    for row in [] if table is None else table.to_dict("records"):
        ends = []
        for column in ("from", "to"):
            named = flows_named(y.balance.system, str(row[column]), y.year)
            some = {place[f]: part for f, part in named.items()}
            ends.append({f: part for f, part in some.items() if y.there[f] and not y.loose[f]})
        of, to = ends
        if not of or not to:
            continue
        share = 1.0 if pd.isna(row["share"]) else float(row["share"])
        delay = 0.0 if pd.isna(row["delay_months"]) else float(row["delay_months"])
        ready = np.clip(np.arange(1, months + 1) - delay, 0.0, 1.0)
        weight = np.array(list(of.values()))
        rule = Rule(np.array(list(of)), weight, np.array(list(to)), share, ready)
        out.append(rule)
    return out


def _stocked(made: Setting, y: Yearly, days: float | Mapping[str, float] | None) -> Setting:
    """Return the setting with the workbook's stockpiles, and those asked for."""
    nodes, task = made.nodes, made.task
    names = [y.names[p] for p in nodes.tolist()]
    takes = _intake(task)
    stock, release = np.zeros(len(nodes)), np.zeros(len(nodes))
    table = y.balance.system.tables.get("stockpiles")
    for row in [] if table is None else table.to_dict("records"):
        if row["process"] not in names or row["substance"] != y.substance:
            continue
        node = names.index(row["process"])
        by_days = takes[node] * _MONTHS * row["days"] / _DAYS
        size = row["value"] if not pd.isna(row["value"]) else by_days
        if pd.isna(size):
            continue
        share = 1.0 if pd.isna(row["release_per_month"]) else row["release_per_month"]
        stock[node] += float(size)
        release[node] += float(share) * float(size)
    for node, number in _asked(made, y, names, days).items():
        size = takes[node] * _MONTHS * number / _DAYS
        stock[node] += size
        release[node] += size
    task = replace(task, stock=stock, release=release)
    made = replace(made, task=task)
    return replace(made, notes=_notes(made, y, days))


def _asked(
    made: Setting, y: Yearly, names: list[str], days: float | Mapping[str, float] | None
) -> dict[int, float]:
    """Return the days of intake that are asked for, by node."""
    if days is None:
        return {}
    if not isinstance(days, Mapping):
        if not float(days) >= 0:
            raise MFAError(f"a stockpile of {days} days; write at least 0")
        return dict.fromkeys(made.hit.tolist(), float(days))
    out = {}
    for process, number in days.items():
        if process not in y.names:
            raise MFAError(f"no process {process!r}; {near(process, y.names, 'see the workbook')}")
        if not float(number) >= 0:
            raise MFAError(f"a stockpile of {number} days at {process!r}; write at least 0")
        if process in names:  # what the shock does not reach needs no stock
            out[names.index(process)] = float(number)
    return out


def _intake(task: Task) -> Floats:
    """Return what each node usually takes in, in a month."""
    into, nodes = task.head >= 0, task.n_inner + task.n_ends
    return np.asarray(np.bincount(task.head[into], task.usual[into], nodes), dtype=np.float64)


def _notes(made: Setting, y: Yearly, days: float | Mapping[str, float] | None) -> tuple[Note, ...]:
    """Return what the result rests on."""
    task = made.task
    out = [Note("even", year=str(y.year)), Note("no_more"), Note("mixed")]
    out += [Note("technical"), Note("returns")]
    if y.sets.exports[made.path.ends].any():
        out.append(Note("exports"))
    if (task.added > SMALLEST * task.passed).any():
        out.append(Note("stops_adding"))
    if (task.added < -SMALLEST * task.passed).any():
        out.append(Note("goes_on_drawing"))
    for process, loose in made.path.blocked:
        out.append(Note("blocked", process=process, flows=tuple(loose)))
    counted = np.isfinite(task.capacity)
    stated = y.balance.system.processes["capacity"].notna().to_numpy()[made.path.inner]
    for p in np.flatnonzero(stated & ~counted).tolist():
        name = y.names[int(made.path.inner[p])]
        out.append(Note("capacity", process=name, substance=y.substance))
    if task.stock.any():
        out.append(Note("stock"))
    reached = {y.names[p] for p in made.nodes.tolist()}
    table = y.balance.system.tables.get("stockpiles")
    own = [] if table is None else table.loc[table["substance"] == y.substance, "process"].tolist()
    out += [Note("unused_stock", process=name) for name in own if name not in reached]
    if days is not None:
        out.append(Note("days"))
    return tuple(out)


def drawn(now: Setting, draws: int, seed: int) -> Iterator[Task]:
    """Yield the task for flows drawn from their joint normal distribution, cut at 0.

    Stocks stay as they are.
    """
    y, task = now.path.yearly, now.task
    items = [(y.flow_names[f], y.substance, y.year) for f in now.path.flows.tolist()]
    C = y.balance.covariance(items).to_numpy() / _MONTHS**2
    size, directions = np.linalg.eigh((C + C.T) / 2)
    root = directions * np.sqrt(np.maximum(size, 0.0))
    normal = np.random.default_rng(seed).normal(size=(draws, len(items)))
    for more in normal @ root.T:
        usual = task.usual + more
        usual = np.where(task.technical, usual, np.maximum(usual, 0.0))
        yield replace(task, usual=usual)
