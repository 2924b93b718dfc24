"""Random systems whose stocks age, made from a known truth, and what a textbook says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

import mfa

from .cases import Case, Key, Row
from .textbook import Problem, pose

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
LIVES: tuple[Row, ...] = (
    {"distribution": "weibull", "mean": 6.0, "sd": 2.5},
    {"distribution": "lognormal", "mean": 9.0, "sd": 3.0},
    {"distribution": "gamma", "mean": 4.0, "sd": 1.5},
    {"distribution": "normal", "mean": 8.0, "sd": 2.0},
)
FLOWS = {
    "new A": ("Shop", "A"),
    "more A": ("Yard", "A"),
    "new B": ("Shop", "B"),
    "old A": ("A", "Dealer"),
    "lost A": ("A", "Bin"),
    "old B": ("B", "Dealer"),
    "scrap": ("Dealer", "Market"),
    "waste": ("Dealer", "Bin"),
}
ENTERS = {"A": ("new A", "more A"), "B": ("new B",)}


def survival(row: Row, age: np.ndarray) -> np.ndarray:
    """Return the share still in use at some ages, by SciPy's distributions."""
    mean, sd = row["mean"], row["sd"]
    if row["distribution"] == "normal":
        return stats.norm.sf(age, mean, sd)
    if row["distribution"] == "gamma":
        return stats.gamma.sf(age, (mean / sd) ** 2, scale=sd**2 / mean)
    if row["distribution"] == "lognormal":
        sigma = np.sqrt(np.log1p((sd / mean) ** 2))
        return stats.lognorm.sf(age, sigma, scale=mean * np.exp(-(sigma**2) / 2))
    shape, scale = mfa.Weibull(mean=mean, sd=sd).parameters
    return stats.weibull_min.sf(age, float(shape), scale=float(scale))


def years_in_use(row: Row, young: float, old: float) -> float:
    """Return the integral of the share in use between two ages, by Gauss's rule on panels."""
    edges = np.linspace(young, old, int(4 * (old - young)) + 2)
    half = np.diff(edges)[:, None] / 2
    return float((_WEIGHTS * half * survival(row, edges[:-1, None] + half * (1 + _NODES))).sum())


def row_of(lives: list[Row], year: float) -> Row:
    """Return the row that holds for a cohort: the last that has begun, or else the first."""
    ordered = sorted(lives, key=lambda row: row["from_year"] or -np.inf)
    begun = [row for row in ordered if (row["from_year"] or -np.inf) <= year]
    return begun[-1] if begun else ordered[0]


def shares(
    years: list[int], lives: list[Row], inflow_at: str = "spread"
) -> tuple[np.ndarray, np.ndarray]:
    """Return φ(t, c) and ρ_t by definition, the first step one year long."""
    n, ends = len(years), [years[0] - 1, *years]
    phi, rho = np.zeros((n, n)), np.zeros(n)
    before = row_of(lives, years[0] - 1)
    for t in range(n):
        rho[t] = 1 - years_in_use(before, 0, ends[t + 1] - ends[0]) / years_in_use(before, 0, 200)
        for c in range(t + 1):
            old, young = ends[t + 1] - ends[c], ends[t + 1] - ends[c + 1]
            row = row_of(lives, years[c])
            if inflow_at == "spread":
                phi[t, c] = years_in_use(row, young, old) / (old - young)
            else:
                age = {"start": old, "middle": (old + young) / 2, "end": young}[inflow_at]
                phi[t, c] = survival(row, np.array(float(age)))
    return phi, rho


@dataclass(frozen=True)
class Aged:
    """A system with lifetimes, and its truth: rates and levels by key."""

    case: Case
    lives: dict[tuple[str, str], list[Row]]
    truth: dict[Key, float]
    inflow_at: str

    def system(self) -> mfa.System:
        """Return the System."""
        tables = self.case.tables()
        rows = [
            {"process": p, "substance": s, **row}
            for (p, s), rows in self.lives.items()
            for row in rows
        ]
        tables["lifetimes"] = pd.DataFrame(rows)
        more = pd.DataFrame({"key": ["inflow_at"], "value": [self.inflow_at]})
        tables["system"] = pd.concat([tables["system"], more], ignore_index=True)
        return mfa.System.from_tables(tables)

    def cohort_rows(self, problem: Problem) -> dict[Key, np.ndarray]:
        """Return K_t − ρ_t K_0 − Σ φ(t, c) x_c as dense rows, by process, substance and year."""
        out = {}
        years = self.case.years
        for (process, substance), lives in self.lives.items():
            phi, rho = shares(years, lives, self.inflow_at)
            for t, year in enumerate(years):
                terms = [(("level", process, substance, year), 1.0)]
                terms += [(("level", process, substance, years[0] - 1), -rho[t])]
                for c in range(t + 1):
                    size = -phi[t, c] * self.case.step(years[c])
                    terms += [
                        (("flow", name, substance, years[c]), size) for name in ENTERS[process]
                    ]
                out["lifetime", process, substance, year] = problem.vector(terms)
        return out

    def problem(self, sd: dict[Key, float] | None = None) -> Problem:
        """Return all statements; with sd of outflows [mass per step], the soft ones."""
        problem = pose(self.case)
        before: dict[tuple[str, str], np.ndarray] = {}
        for key, row in self.cohort_rows(problem).items():
            if sd is None:
                problem.hard.append(row)
                problem.right.append(0.0)
            else:  # the outflow of a year is what the difference of two years' rows says
                problem.note(key, row - before.get(key[1:3], 0.0 * row), 0.0, sd[key])
                before[key[1:3]] = row
        return problem


def aged(
    seed: int, *, noise: float = 0.02, exact: bool = True, blank: float = 0.4, least: float = -1e9
) -> Aged:
    """Return a random system; some of its data are exact and true. ``least`` bounds all."""
    rng = np.random.default_rng(seed)
    years = sorted({2000, *(2000 + rng.choice(14, size=rng.integers(3, 6))).tolist()})
    substances = ("Cu", "Zn")[: rng.integers(1, 3)]
    inflow_at = str(rng.choice(["spread", "spread", "start", "middle", "end"]))
    lives = {(p, s): _lives(rng, years) for p in ENTERS for s in substances}
    case = Case(
        processes=[
            {"process": "Shop", "kind": "source"},
            {"process": "Yard", "kind": "source"},
            {"process": "A", "stock": "yes"},
            {"process": "B", "stock": "yes"},
            {"process": "Dealer"},
            {"process": "Bin", "kind": "sink"},
            {"process": "Market", "kind": "sink"},
        ],
        flows=[],
        substances=substances,
    )
    truth: dict[Key, float] = {}
    steps = np.diff([years[0] - 1, *years]).astype(float)
    for substance in substances:
        x = {name: rng.uniform(5, 40, len(years)) for p in ENTERS for name in ENTERS[p]}
        for process, names in ENTERS.items():
            phi, rho = shares(years, lives[process, substance], inflow_at)
            opening = rng.uniform(50, 200)
            entered = sum(x[name] for name in names)
            level = rho * opening + phi @ (entered * steps)
            out = entered - np.diff(level, prepend=opening) / steps
            split = rng.uniform(0.5, 0.9) if process == "A" else 1.0
            x[f"old {process}"], x[f"lost {process}"] = split * out, (1 - split) * out
            for when, value in zip([years[0] - 1, *years], [opening, *level], strict=True):
                truth["level", process, substance, when] = float(value)
        share = rng.uniform(0.2, 0.8)
        dealt = x["old A"] + x["old B"]
        x["scrap"], x["waste"] = share * dealt, (1 - share) * dealt
        for name in FLOWS:
            for year, value in zip(years, x[name], strict=True):
                truth["flow", name, substance, year] = float(value)
    return Aged(_with_data(rng, case, truth, noise, exact, blank, least), lives, truth, inflow_at)


def _lives(rng: np.random.Generator, years: list[int]) -> list[Row]:
    first, second = (dict(LIVES[k]) for k in rng.choice(len(LIVES), 2, replace=False))
    if rng.random() < 0.5:
        return [first | {"from_year": None}]
    return [second | {"from_year": years[1]}, first | {"from_year": None}]


def _with_data(
    rng: np.random.Generator,
    case: Case,
    truth: dict[Key, float],
    noise: float,
    exact: bool,
    blank: float,
    least: float,
) -> Case:
    flows, stocks = [], []
    for (kind, name, substance, year), value in truth.items():
        sd = noise * abs(value) * float(rng.uniform(0.5, 2))
        if exact and rng.random() < 0.07:
            sd = 0.0
        seen: Row = {"value": max(value + sd * float(rng.normal()), least), "sd": sd}
        seen = {"value": None, "sd": None} if rng.random() < blank else seen
        keys: Row = {"substance": substance, "year": year, "min": least}
        if kind == "flow":
            source, target = FLOWS[name]
            flows.append({"flow": name, "from": source, "to": target, **keys, **seen})
        else:
            if rng.random() < 0.6:
                seen = {"value": None, "sd": None}
            stocks.append({"process": name, "quantity": kind, **keys, **seen})
    substance, year = case.substances[0], max(row["year"] for row in flows)
    both = [("flow", "new A", 1.0), ("level", "B", 0.5)]
    total = sum(f * truth[kind, name, substance, year] for kind, name, f in both)
    observations = [
        {
            "observation": "sum",
            "flow": name if kind == "flow" else None,
            "process": None if kind == "flow" else name,
            "quantity": None if kind == "flow" else kind,
            "factor": factor,
            "substance": substance,
            "year": year,
            "value": total * (1 + noise * float(rng.normal())) if kind == "flow" else None,
            "sd": noise * total if kind == "flow" else None,
        }
        for kind, name, factor in both
    ]
    return Case(
        case.processes, flows, stocks, observations=observations, substances=case.substances
    )
