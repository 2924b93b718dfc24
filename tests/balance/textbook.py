"""Every statement about a system as a dense row, for the engine to agree with.

The unknowns are rates (levels: masses). Hard statements are rows H x = r, data are rows C x ≈ y
with sd, limits are rows L x ≤ c. Coefficients and compositions that are not exact are unknowns,
too, and what they mean stays a product.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .cases import Case, Key, Row


@dataclass
class Problem:
    """Statements about a system; every row is a dense vector over ``keys``."""

    keys: list[Key]
    hard: list[np.ndarray] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    sd: list[float] = field(default_factory=list)
    labels: list[Key] = field(default_factory=list)  # of the data
    limits: list[np.ndarray] = field(default_factory=list)  # limits @ x <= caps
    caps: list[float] = field(default_factory=list)
    exact: set[Key] = field(default_factory=set)
    products: list[tuple[int, int, list[int]]] = field(default_factory=list)  # x[0] = x[1] Σ x[2]
    assumptions: set[Key] = field(default_factory=set)
    stated: dict[Key, list[Key]] = field(default_factory=dict)  # variable: its observations

    def vector(self, terms: Iterable[tuple[Key, float]]) -> np.ndarray:
        """Return Σ factor × variable as a row."""
        out = np.zeros(len(self.keys))
        for key, factor in terms:
            out[self.keys.index(key)] += factor
        return out

    def demand(self, terms: Iterable[tuple[Key, float]], value: float = 0.0) -> None:
        """Add a hard equation."""
        self.hard.append(self.vector(terms))
        self.right.append(value)

    def note(self, label: Key, row: np.ndarray, value: float, sd: float) -> None:
        """Add a datum, or an exact statement if sd is 0."""
        if sd == 0:
            self.exact.add(label)
            self.hard.append(row)
            self.right.append(value)
        else:
            self.labels.append(label)
            self.rows.append(row)
            self.y.append(value)
            self.sd.append(sd)

    def limit(self, row: np.ndarray, value: float) -> None:
        """Add row @ x <= value."""
        self.limits.append(row)
        self.caps.append(value)

    def bounds(self, key: Key) -> tuple[float, float]:
        """Return the limits of one variable alone."""
        unit = self.vector([(key, 1.0)])
        pairs = list(zip(self.limits, self.caps, strict=True))
        low = max((-cap for row, cap in pairs if (row == -unit).all()), default=-np.inf)
        return low, min((cap for row, cap in pairs if (row == unit).all()), default=np.inf)


def included(row: Row) -> bool:
    """Return whether a row has a value that counts."""
    return row.get("value") is not None and row.get("include") != "no"


def pose(case: Case) -> Problem:
    """Return the statements of a case."""
    balanced, layers = balances(case), _layers(case)
    stores = [row["process"] for row in case.processes if row.get("stock") == "yes"]
    pairs = [
        (p, s) for s in layers for p in stores if any((p, s, y) in balanced for y in case.years)
    ]
    opening = case.years[0] - 1
    keys: list[Key] = [("flow", r["flow"], r["substance"], r["year"]) for r in case.flows]
    keys += [("change", p, s, y) for p, s in pairs for y in case.years]
    keys += [("level", p, s, y) for p, s in pairs for y in (opening, *case.years)]
    given = [(r["quantity"], r["process"], r["substance"], r["year"]) for r in case.stocks]
    keys += [key for key in given if key not in keys]
    keys += _shares(case)
    problem = Problem(keys)
    for process, substance, year in balanced:
        ins = _at(case, "to", process, substance, year)
        outs = _at(case, "from", process, substance, year)
        change = [("change", process, substance, year)] if (process, substance) in pairs else []
        problem.demand([*((k, 1.0) for k in ins), *((k, -1.0) for k in (*outs, *change))])
    for process, substance in pairs:
        _state_stock(case, problem, process, substance)
    _state_products(case, problem)
    _state_data(case, problem, dict(zip(given, case.stocks, strict=True)) | _shares(case))
    return problem


def _state_stock(case: Case, problem: Problem, process: str, substance: str) -> None:
    """Levels grow by what is added in the years between, also in years that flows skip."""
    for year in case.years:
        start = int(year - case.step(year))
        for when in range(start + 1, year + 1):
            grown = [(("level", process, substance, when), 1.0)]
            grown += [(("level", process, substance, start), -1.0)]
            grown += [(("change", process, substance, year), -float(when - start))]
            if grown[0][0] in problem.keys:
                problem.demand(grown)


def _layers(case: Case) -> list[str]:
    has_goods = any(row["substance"] == "goods" for row in case.flows)
    return [*(["goods"] if has_goods else []), *case.substances]


def balances(case: Case) -> list[tuple[str, str, int]]:
    """Return process, substance and year of every balance, in the order of the hard rows."""
    out = []
    layers = _layers(case)
    for process in case.processes:
        name = process["process"]
        if process.get("kind") not in (None, "process"):
            continue
        for layer in layers:
            for year in case.years:
                here = [r for r in case.flows if r["year"] == year and name in (r["from"], r["to"])]
                with_layer = {r["flow"] for r in here if r["substance"] == layer}
                complete = with_layer == {r["flow"] for r in here}
                some = with_layer or process.get("stock") == "yes"
                if some and (complete or layer != "goods"):
                    out.append((name, layer, year))
    return out


def _at(case: Case, end: str, process: str, substance: str, year: int) -> list[Key]:
    return [
        ("flow", r["flow"], substance, year)
        for r in case.flows
        if (r[end], r["substance"], r["year"]) == (process, substance, year)
    ]


def _shares(case: Case) -> dict[Key, Row]:
    """Return the rows of coefficients and compositions that are not exact, by their variable."""
    rows = [("coefficient", row["coefficient"], row) for row in case.coefficients]
    rows += [("composition", f"{row['flow']}/{row['substance']}", row) for row in case.compositions]
    return {
        (kind, name, row["substance"] or "", row["year"] or 0): row
        for kind, name, row in rows
        if not (included(row) and row["sd"] == 0)
    }


def _products(case: Case) -> list[tuple[Row, Key, list[Key]]]:
    """Return each row of coefficients and compositions with a flow = share × Σ of other flows."""
    out: list[tuple[Row, Key, list[Key]]] = []
    for row in case.compositions:
        for year in case.years if row["year"] is None else [row["year"]]:
            for name in row["flow"].split(","):
                goods: Key = ("flow", name, "goods", year)
                out.append((row, ("flow", name, row["substance"], year), [goods]))
    ends = {row["flow"]: row["from"] for row in case.flows}
    for row in case.coefficients:
        for substance in _layers(case) if row["substance"] is None else [row["substance"]]:
            for year in case.years if row["year"] is None else [row["year"]]:
                for name in row["flow"].split(","):
                    of: list[Key] = [("flow", row["of"], substance, year)]
                    side = {"inputs": "to", "outputs": "from"}.get(row["of"])
                    if side:
                        of = _at(case, side, ends[name], substance, year)
                    if side and substance == "goods" and not _weighed(case, side, ends[name], year):
                        continue  # what is not all weighed has no known sum
                    out.append((row, ("flow", name, substance, year), of))
    return out


def _weighed(case: Case, end: str, process: str, year: int) -> bool:
    """Return whether every flow on one side of a process has a row for goods, and there is one."""
    here = [row for row in case.flows if (row[end], row["year"]) == (process, year)]
    with_goods = {row["flow"] for row in here if row["substance"] == "goods"}
    return bool(here) and {row["flow"] for row in here} == with_goods


def _state_products(case: Case, problem: Problem) -> None:
    """Exact shares make linear statements, the others are variables themselves."""
    unknown = {id(row): key for key, row in _shares(case).items()}
    for row, flow, of in _products(case):
        share, terms = unknown.get(id(row)), [key for key in of if key in problem.keys]
        if share is None:
            problem.demand([(flow, 1.0), *((key, -row["value"]) for key in terms)])
        else:
            numbers = [problem.keys.index(key) for key in (flow, share, *terms)]
            problem.products.append((numbers[0], numbers[1], numbers[2:]))


def _state_data(case: Case, problem: Problem, others: dict[Key, Row]) -> None:
    data = {("flow", r["flow"], r["substance"], r["year"]): r for r in case.flows} | others
    for key in problem.keys:
        row, unit = data.get(key, {}), problem.vector([(key, 1.0)])
        if row.get("basis") == "assumption":
            problem.assumptions.add(key)
        if included(row):
            problem.note(key, unit, row["value"], row["sd"])
        least = row.get("min")
        loose = key[0] == "change" or row.get("role") == "discrepancy"
        least = 0.0 if least is None and not loose else least
        if least is not None:
            problem.limit(-unit, -least)
        if row.get("max") is not None:
            problem.limit(unit, row["max"])
    for name in dict.fromkeys(row["observation"] for row in case.observations):
        _state_observation(case, problem, name)


def _state_observation(case: Case, problem: Problem, name: str) -> None:
    terms = [row for row in case.observations if row["observation"] == name]
    keys: list[Key] = []
    for row in terms:
        is_flow = row.get("flow") is not None
        kind, item = ("flow", row["flow"]) if is_flow else (row["quantity"], row["process"])
        keys.append((kind, item, row["substance"], row["year"]))
    first = terms[0]
    row = problem.vector(zip(keys, (term["factor"] for term in terms), strict=True))
    label: Key = ("observation", name, first["substance"], first["year"])
    problem.stated[label] = keys
    if not included(first):
        return
    relation = first.get("relation") or "="
    if relation == "=":
        problem.note(label, row, first["value"], first["sd"])
    else:
        sign = 1.0 if relation == "<=" else -1.0
        problem.limit(sign * row, sign * first["value"])
