"""Small systems as plain rows, and random ones of every kind, the same for the same seed.

A random system is made of walks: every walk carries an amount from outside, or out of a stock,
through some processes to the outside or into a stock, or round and round. The amounts add up to
true flows that close every balance, so that exact statements taken from them never clash.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from mfa.system import System

Row = dict[str, Any]
Key = tuple[str, str, str, int]  # kind, flow or process, substance, year

SHEETS = ("processes", "flows", "stocks", "coefficients", "compositions", "observations")


@dataclass(frozen=True)
class Case:
    """The sheets of a system as lists of rows."""

    processes: list[Row]
    flows: list[Row]
    stocks: list[Row] = field(default_factory=list)
    coefficients: list[Row] = field(default_factory=list)
    compositions: list[Row] = field(default_factory=list)
    observations: list[Row] = field(default_factory=list)
    substances: tuple[str, ...] = ("Cu",)
    unit: str = "kt/yr"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that `System.from_tables` takes."""
        settings = {"unit": self.unit, "substances": ", ".join(self.substances)}
        out = {"system": pd.DataFrame(list(settings.items()), columns=["key", "value"])}
        for name in SHEETS:
            if getattr(self, name):
                out[name] = pd.DataFrame(getattr(self, name))
        return out

    def system(self) -> System:
        """Return the System."""
        return System.from_tables(self.tables())

    @property
    def years(self) -> list[int]:
        """Years in which flows have rows, ascending."""
        return sorted({row["year"] for row in self.flows})

    def step(self, year: int) -> float:
        """Return the length of the step that ends with a year."""
        before = [y for y in self.years if y < year]
        return float(year - max(before)) if before else 1.0


def flow(name: str, source: str, target: str, year: int = 2018, **more: object) -> Row:
    """Return a row of the sheet ``flows``."""
    given = {key.rstrip("_"): value for key, value in more.items()}
    return {"flow": name, "from": source, "to": target, "substance": "Cu", "year": year, **given}


def processes(*inner: str, stocks: tuple[str, ...] = (), senders: str = "Mine") -> list[Row]:
    """Return rows for inner processes, some with a stock, and a source and a sink."""
    rows: list[Row] = [{"process": name} for name in inner]
    rows = [row | {"stock": "yes" if row["process"] in stocks else None} for row in rows]
    return [*rows, {"process": senders, "kind": "source"}, {"process": "Market", "kind": "sink"}]


def merged(cases: list[Case]) -> Case:
    """Put several systems side by side, their names told apart by a number."""
    sheets: dict[str, list[Row]] = {name: [] for name in SHEETS}
    names = ("process", "flow", "from", "to", "coefficient", "observation")
    for k, case in enumerate(cases):
        for sheet in SHEETS:
            for row in getattr(case, sheet):
                mine = {n: f"{row[n]}.{k}" for n in names if row.get(n) is not None}
                if row.get("of") not in (None, "inputs", "outputs"):
                    mine["of"] = f"{row['of']}.{k}"
                sheets[sheet].append(row | mine)
    return replace(cases[0], **sheets)


class _Walks:
    """A growing network with the true amounts that run through it."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], stocks: bool) -> None:
        self.rng = rng
        self.shape = shape  # substances (goods first, where there is goods), years
        self.inner = [f"P{i}" for i in range(rng.integers(2, 5))]
        self.stocks = [p for p in self.inner if rng.random() < 0.25 * stocks]
        self.edges: dict[str, tuple[str, str]] = {}
        self.amounts: dict[str, np.ndarray] = {}
        self.changes = {p: np.zeros(shape) for p in self.stocks}
        for k in range(rng.integers(3, 7)):
            self._walk(share=1.0 if k == 0 else 0.8)

    def _walk(self, share: float) -> None:
        rng = self.rng
        amount = rng.uniform(0.5, 40.0, size=self.shape) * (rng.random(self.shape[1]) < share)
        path = [str(rng.choice(self.inner)) for _ in range(rng.integers(1, 5))]
        if rng.random() < 0.2 and len(path) > 1:
            path = [*path, path[0]]  # round and round
        else:
            start = ["In"] if path[0] not in self.stocks or rng.random() < 0.6 else []
            end = ["Out"] if path[-1] not in self.stocks or rng.random() < 0.6 else []
            if not start:
                self.changes[path[0]] -= amount
            if not end:
                self.changes[path[-1]] += amount
            path = [*start, *path, *end]
        for source, target in pairwise(path):
            self._carry(source, target, amount)

    def _carry(self, source: str, target: str, amount: np.ndarray) -> None:
        same = [name for name, ends in self.edges.items() if ends == (source, target)]
        name = f"F{len(self.edges)}"
        if same and self.rng.random() < 0.7:
            name = str(self.rng.choice(same))
        self.edges[name] = (source, target)
        self.amounts[name] = self.amounts.get(name, np.zeros(self.shape)) + amount


@dataclass(frozen=True)
class Wishes:
    """What a random system is to look like.

    Attributes
    ----------
    free : bool
        Whether flows may run both ways, so that no bound is ever active.
    noise : float
        Error of the data, in units of their sd.
    blank, exact, excluded : float
        Shares of the numbers that are not known, exact, or known but not included.
    stocks : bool
        Whether some processes have a stock.
    limits : bool
        Whether some flows have a min or a max.
    relations : bool
        Whether there are goods, observations, and exact coefficients and compositions.
    parts : int
        Largest number of networks side by side.
    """

    free: bool = True
    noise: float = 1.0
    blank: float = 0.3
    exact: float = 0.06
    excluded: float = 0.05
    stocks: bool = True
    limits: bool = False
    relations: bool = True
    parts: int = 2


def random_case(seed: int, wishes: Wishes = Wishes()) -> Case:
    """Return a random system of several parts that share years and substances."""
    rng = np.random.default_rng(seed)
    n_years = int(rng.choice([1, 1, 2, 3]))
    steps = rng.choice([1, 1, 2, 5], size=n_years)
    years = (2000 + np.cumsum(steps)).tolist()
    layers = ["Cu", *(["Nd"] if rng.random() < 0.3 else [])]
    if rng.random() < 0.35 and wishes.relations:
        layers = ["goods", *layers]
    several = rng.integers(1, wishes.parts + 1) if len(years) * len(layers) < 4 else 1
    parts = [_part(rng, wishes, years, layers) for _ in range(several)]
    named = tuple(name for name in layers if name != "goods")
    return replace(merged(parts), substances=named)


def _part(rng: np.random.Generator, wishes: Wishes, years: list[int], layers: list[str]) -> Case:
    walks = _Walks(rng, (len(layers), len(years)), wishes.stocks)
    rows = [
        {"process": p, "kind": None, "stock": "yes" if p in walks.stocks else None}
        for p in walks.inner
    ]
    rows += [{"process": "In", "kind": "source"}, {"process": "Out", "kind": "sink"}]
    truth: dict[Key, float] = {}
    flows: list[Row] = []
    for name, amount in walks.amounts.items():
        role = "discrepancy" if rng.random() < 0.08 else None
        for i, layer in enumerate(layers):
            for t, year in enumerate(years):
                if amount[i, t] == 0.0 and rng.random() < 0.7:
                    continue  # no row: carries none
                truth["flow", name, layer, year] = float(amount[i, t])
                source, target = walks.edges[name]
                row = flow(name, source, target, year) | {"substance": layer, "role": role}
                flows.append(row | _datum(rng, wishes, float(amount[i, t])))
    case = Case(rows, flows, substances=("Cu",))
    case = replace(case, stocks=_stock_rows(rng, wishes, walks, years, layers, truth))
    if wishes.relations:
        case = replace(
            case,
            observations=_observations(rng, wishes, truth),
            coefficients=_coefficients(rng, walks, years, layers, truth),
            compositions=_compositions(rng, years, layers, truth),
        )
    return case


def _datum(rng: np.random.Generator, wishes: Wishes, truth: float, least: float = 0.0) -> Row:
    """Return the data columns of one row: blank, exact, or off the truth by some sd."""
    floor = -1e6 if wishes.free else None
    out: Row = {"value": None, "sd": None, "min": floor, "max": None, "include": None}
    if wishes.limits and rng.random() < 0.15:
        out["min"] = round(truth * rng.uniform(0.4, 0.9), 3)
    if wishes.limits and rng.random() < 0.15:
        out["max"] = round(truth * rng.uniform(1.05, 1.6) + 0.01, 3)
    kind = rng.random()
    if kind < wishes.blank:
        return out
    if kind < wishes.blank + wishes.exact:
        return out | {"value": truth, "sd": 0.0}
    sd = round(float(rng.uniform(0.03, 0.3) * (abs(truth) + 2.0)), 4) + 0.0137
    value = round(truth + wishes.noise * sd * float(rng.normal()), 4)
    value = value if wishes.free else max(value, least, 0.01 * sd)
    include = "no" if rng.random() < wishes.excluded else None
    basis = "assumption" if rng.random() < 0.2 else None
    return out | {"value": value, "sd": sd, "include": include, "basis": basis}


def _stock_rows(
    rng: np.random.Generator,
    wishes: Wishes,
    walks: _Walks,
    years: list[int],
    layers: list[str],
    truth: dict[Key, float],
) -> list[Row]:
    out = []
    lengths = np.diff(years, prepend=years[0] - 1)
    for process, changes in walks.changes.items():
        for i, layer in enumerate(layers):
            if layer == "goods":
                continue  # its balance may be left out
            opening = float(rng.uniform(3000.0, 5000.0))
            levels = opening + np.cumsum(changes[i] * lengths)
            numbers = {("level", years[0] - 1): opening, ("level", years[0] - 4): 2.5 * opening}
            for t, year in enumerate(years):
                numbers["change", year] = float(changes[i, t])
                for back in range(int(lengths[t])):  # also in years without flows
                    numbers["level", year - back] = float(levels[t] - back * changes[i, t])
            for (quantity, year), value in numbers.items():
                written = rng.random() < 0.4
                if written or year in (years[0] - 1, *years):  # the system speaks of it
                    truth[quantity, process, layer, year] = value
                if not written:
                    continue
                least = 0.0 if quantity == "level" else -np.inf
                row = {"process": process, "substance": layer, "year": year, "quantity": quantity}
                out.append(row | _datum(rng, replace(wishes, limits=False), value, least))
    return out


def _observations(rng: np.random.Generator, wishes: Wishes, truth: dict[Key, float]) -> list[Row]:
    keys = list(truth)
    out: list[Row] = []
    for k in range(rng.integers(0, 5)):
        some = rng.choice(len(keys), size=min(len(keys), rng.integers(1, 5)), replace=False)
        factors = np.round(rng.choice([1.0, 1.0, -0.6, 0.25, 1.1664], size=len(some)), 4)
        total = float(sum(f * truth[keys[i]] for f, i in zip(factors, some, strict=True)))
        kind = rng.random()
        first: Row = {"value": total, "sd": 0.0, "relation": "=", "include": None}
        if kind < 0.2 and not wishes.free:
            slack = float(rng.uniform(0.02, 0.4) * (abs(total) + 3.0))
            first |= {"relation": ">=", "value": total - slack, "sd": None}
            if rng.random() < 0.5:
                first |= {"relation": "<=", "value": total + slack}
        elif kind < 0.85:
            sd = round(float(rng.uniform(0.02, 0.2) * (abs(total) + 2.0)), 4) + 0.0093
            include = "no" if rng.random() < 0.15 else None
            value = total + wishes.noise * sd * float(rng.normal())
            first |= {"sd": sd, "value": value, "include": include}
        for j, (factor, i) in enumerate(zip(factors, some, strict=True)):
            kind_, item, layer, year = keys[i]
            row: Row = {"observation": f"O{k}", "factor": float(factor), "substance": layer}
            row |= {"year": year, "flow": None, "process": None, "quantity": None}
            row |= {"flow": item} if kind_ == "flow" else {"process": item, "quantity": kind_}
            out.append(row | (first if j == 0 else {}))
    return out


def _coefficients(
    rng: np.random.Generator,
    walks: _Walks,
    years: list[int],
    layers: list[str],
    truth: dict[Key, float],
) -> list[Row]:
    out: list[Row] = []
    for name, (source, _) in walks.edges.items():
        if rng.random() < 0.85 or source == "In":
            continue
        layer, year = str(rng.choice(layers)), int(rng.choice(years))
        of = str(rng.choice(["inputs", "outputs", *walks.edges]))
        column = {"inputs": 1, "outputs": 0}.get(of)
        members = [n for n, ends in walks.edges.items() if n == of or _ends(ends, column) == source]
        total = sum(truth.get(("flow", n, layer, year), 0.0) for n in members)
        part = truth.get(("flow", name, layer, year), 0.0)
        if part and total and of != name:
            row = {"coefficient": f"C{len(out)}", "flow": name, "of": of, "substance": layer}
            out.append(row | {"year": year, "value": part / total, "sd": 0.0})
    return out


def _ends(ends: tuple[str, str], column: int | None) -> str | None:
    return None if column is None else ends[column]


def _compositions(
    rng: np.random.Generator, years: list[int], layers: list[str], truth: dict[Key, float]
) -> list[Row]:
    out: list[Row] = []
    for kind, item, layer, year in truth:
        goods = truth.get(("flow", item, "goods", year), 0.0)
        part = truth["flow", item, layer, year] if kind == "flow" else 0.0
        if layer == "goods" or not goods or not part or rng.random() < 0.6:
            continue
        row = {"flow": item, "substance": layer, "year": year, "value": part / goods, "sd": 0.0}
        out.append(row)
    return out
