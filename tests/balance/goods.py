"""Random systems in which coefficients and compositions are uncertain, unknown or shared.

Inflows of goods and what they contain run through processes that split them, goods in one way and
the substance in another (or alike); from the true amounts follow all true shares. Splits and the
compositions of inflows are the same in all years, so that they may be shared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cases import Case, Row
from .textbook import Problem

LAYERS = ("goods", "Cu")
Ends = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Truth:
    """The true amounts, by flow: arrays of shape (layers, years)."""

    years: list[int]
    ends: Ends
    amounts: dict[str, np.ndarray]
    even: set[str]  # processes that split goods and substance alike

    def start(self, problem: Problem) -> np.ndarray:
        """Return the true value of every variable of a problem."""
        x = np.ones(len(problem.keys))
        for i, (kind, item, substance, year) in enumerate(problem.keys):
            if kind == "flow":
                x[i] = self.amounts[item][LAYERS.index(substance), self.years.index(year)]
        for flow, share, of in problem.products:
            x[share] = x[flow] / x[of].sum()
        return x

    def total(self, end: int, process: str) -> np.ndarray:
        """Return what leaves (0) or enters (1) a process."""
        return sum(self.amounts[name] for name, ends in self.ends.items() if ends[end] == process)


def random_truth(rng: np.random.Generator) -> Truth:
    """Return a random chain of processes with side flows and now and then a return flow."""
    n = int(rng.integers(2, 5))
    ends: Ends = {"in": ("In", "P0"), "more": ("In", "P0")}
    for i in range(n):
        ends |= {f"a{i}": (f"P{i}", f"P{i + 1}" if i + 1 < n else "Out"), f"b{i}": (f"P{i}", "Out")}
        if i and rng.random() < 0.4:
            ends[f"side{i}"] = ("In", f"P{i}")
    if rng.random() < 0.5:
        ends["back"] = (f"P{n - 1}", "P0")
    even = {f"P{i}" for i in range(n) if rng.random() < 0.4}
    years = (2010 + np.arange(rng.integers(1, 3))).tolist()
    names = list(ends)
    matrix = np.zeros((2, len(names), len(names)))
    for i in range(n):
        leaving = [k for k, name in enumerate(names) if ends[name][0] == f"P{i}"]
        entering = [k for k, name in enumerate(names) if ends[name][1] == f"P{i}"]
        goods = rng.dirichlet(np.full(len(leaving), 4.0))
        metal = goods if f"P{i}" in even else rng.dirichlet(np.full(len(leaving), 4.0))
        for layer, split in enumerate((goods, 0.4 * goods + 0.6 * metal)):
            matrix[layer][np.ix_(leaving, entering)] = split[:, None]
    supply = np.zeros((2, len(names), len(years)))
    content = rng.uniform(0.1, 0.4)  # of both inflows to P0
    for k, name in enumerate(names):
        if ends[name][0] == "In":
            supply[0, k] = rng.uniform(20.0, 100.0, size=len(years))
            supply[1, k] = supply[0, k] * (
                content if ends[name][1] == "P0" else rng.uniform(0.1, 0.4)
            )
    amounts = [np.linalg.solve(np.eye(len(names)) - matrix[k], supply[k]) for k in range(2)]
    both = {name: np.array([amounts[0][k], amounts[1][k]]) for k, name in enumerate(names)}
    return Truth(years, ends, both, even)


def random_goods(seed: int) -> tuple[Case, Truth]:
    """Return a well-measured system with products of unknowns, and what is true of it."""
    rng = np.random.default_rng([2, seed])
    truth = random_truth(rng)
    flows: list[Row] = []
    for name, (source, target) in truth.ends.items():
        for layer, substance in enumerate(LAYERS):
            for t, year in enumerate(truth.years):
                row = {"flow": name, "from": source, "to": target, "substance": substance}
                measured = rng.random() < (0.9 if substance == "goods" else 0.4)
                amount = truth.amounts[name][layer, t]
                flows.append(row | {"year": year} | _datum(rng, float(amount), measured))
    inner = [f"P{i}" for i in range(len({e for e in truth.ends.values() if e[1] == "Out"}))]
    rows: list[Row] = [{"process": p, "kind": None} for p in inner]
    rows += [{"process": "In", "kind": "source"}, {"process": "Out", "kind": "sink"}]
    shares = _coefficients(rng, truth)
    return Case(rows, flows, coefficients=shares, compositions=_compositions(rng, truth)), truth


def _datum(rng: np.random.Generator, truth: float, measured: bool = True) -> Row:
    if not measured:
        return {"value": None, "sd": None}
    sd = round(float(truth * rng.uniform(0.02, 0.09)), 6)
    return {"value": round(truth + sd * float(np.clip(rng.normal(), -2, 2)), 6), "sd": sd}


def _share(rng: np.random.Generator, truth: float) -> Row:
    """Return the data columns of a share: uncertain, unknown, or now and then exact."""
    kind = rng.random()
    if kind < 0.1:
        return {"value": truth, "sd": 0.0}
    return _datum(rng, truth, measured=kind < 0.75)


def _compositions(rng: np.random.Generator, truth: Truth) -> list[Row]:
    common = truth.amounts["in"][1, 0] / truth.amounts["in"][0, 0]
    row = {"flow": "in,more", "substance": "Cu", "year": None}
    out = [row | _datum(rng, float(common), measured=rng.random() < 0.7)]
    for name, amount in truth.amounts.items():
        for t, year in enumerate(truth.years):
            if name not in ("in", "more") and rng.random() < 0.5:
                row = {"flow": name, "substance": "Cu", "year": year}
                out.append(row | _share(rng, float(amount[1, t] / amount[0, t])))
    return out


def _coefficients(rng: np.random.Generator, truth: Truth) -> list[Row]:
    out: list[Row] = []
    for name, (source, _) in truth.ends.items():
        if source == "In" or rng.random() < 0.55:
            continue
        of = str(rng.choice(["inputs", "outputs", "other"]))
        sums = {"inputs": truth.total(1, source), "outputs": truth.total(0, source)}
        others = [n for n, ends in truth.ends.items() if ends[0] == source and n != name]
        of = others[0] if of == "other" else of
        ratio = truth.amounts[name] / (sums[of] if of in sums else truth.amounts[of])
        layer = int(rng.integers(2))
        shared = source in truth.even and rng.random() < 0.5
        row = {"coefficient": f"C{len(out)}", "flow": name, "of": of}
        row["substance"] = None if shared else LAYERS[layer]
        row["year"] = None if rng.random() < 0.6 else truth.years[0]
        out.append(row | _share(rng, float(ratio[layer, 0])))
    return out
