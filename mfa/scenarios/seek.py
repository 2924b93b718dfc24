"""Goal seeking: which value of a lever makes an indicator reach its target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import pandas as pd

from mfa.balance import Balance, reconcile
from mfa.balance.network import Floats
from mfa.errors import MFAError
from mfa.recycling import indicators
from mfa.scenarios.least import CLOSE, LeastChange
from mfa.scenarios.levers import Lever, find_lever
from mfa.scenarios.paths import Path, Point
from mfa.scenarios.run import Run, plan_of, run
from mfa.scenarios.scan import Scan
from mfa.scenarios.sheet import Row
from mfa.scenarios.tables import future_system
from mfa.system import System

End = Literal["value", "low", "high"]


@dataclass(frozen=True)
class Sought:
    """What a search for a target found.

    Attributes
    ----------
    indicator, substance, year, target
        What was sought.
    reached : bool
        Whether any values of the levers reach the target.
    found : float
        The indicator at `values`: the target, or the nearest to it that can be had.
    values : dict of str to float
        Value of each lever in that year.
    before : dict of str to float
        Value of each lever in that year without the search.
    start : float
        The indicator in that year without the search.
    rows : DataFrame
        Rows for the sheet ``scenarios`` that do the same.
    tried : Series
        Of a single lever: the indicator at every value that was tried. A search is no proof: what
        reaches the target only between two of them is not seen.
    """

    indicator: str
    substance: str
    year: int
    target: float
    reached: bool
    found: float
    values: dict[str, float]
    before: dict[str, float]
    start: float
    rows: pd.DataFrame = field(repr=False, compare=False, default_factory=pd.DataFrame)
    tried: pd.Series = field(repr=False, compare=False, default_factory=pd.Series)

    @property
    def value(self) -> float:
        """Value of the only lever.

        Raises
        ------
        MFAError
            If there are several.
        """
        if len(self.values) != 1:
            raise MFAError("there are several levers; look at values")
        return next(iter(self.values.values()))

    def __str__(self) -> str:
        levers = ", ".join(f"{n} {self.before[n]:.4g} → {v:.4g}" for n, v in self.values.items())
        goal = f"{self.indicator} of {self.target:.4g} in {self.year}"
        if self.reached:
            return f"{goal}: {levers} (from {self.start:.4g})"
        said = (
            f"{goal} is not reached: the nearest is {self.found:.4g} with {levers} "
            f"(from {self.start:.4g})"
        )
        if len(self.tried) > 1:
            low, high = self.tried.index[[0, -1]]
            said += f"; {len(self.tried)} values from {low:.4g} to {high:.4g} were tried"
        return said


def solve_for(
    system: System | Balance,
    scenario: str | None = None,
    lever: str | Iterable[str] = "collection",
    indicator: str = "self_sufficiency",
    target: float = 0.8,
    year: int = 2030,
    substance: str | None = None,
    end: End = "value",
) -> Sought:
    """Return the value of a lever with which an indicator reaches a target in a year.

    With several levers it is the values with the least sum of relative changes. A lever changes
    evenly from the base year on.

    Parameters
    ----------
    system : System or Balance
    scenario : str or None
        What happens beside it, as for `project`.
    lever : str or list of str
        Id of a coefficient; of a flow (its share in what its process takes in, or its amount if it
        comes from outside); of a process (its capacity); a measure of the sheet ``measures``; or
        "collection", the share of products at their end of life that is collected.
    indicator : str
        As in `mfa.indicators`.
    target : float
    year : int
    substance : str, optional
        Default: the system's first one.
    end : {"value", "low", "high"}
        What has to reach the target where an indicator is only known within a range, as
        self-sufficiency is while equity is unknown: "low" is on the safe side.

    Returns
    -------
    Sought
        ``reached`` says whether any value does it; if none does, the nearest.

    Raises
    ------
    MFAError
        If lever or indicator is not known, or the indicator is not determined.
    """
    levers = [lever] if isinstance(lever, str) else list(dict.fromkeys(lever))
    if not levers:
        raise MFAError("no lever is given; name a coefficient, a flow, or 'collection'")
    balance = system if isinstance(system, Balance) else reconcile(system)
    if year <= balance.system.years[-1]:
        raise MFAError(
            f"year {year}: the projection starts after {balance.system.years[-1]}; give a later one"
        )
    name = substance or balance.system.substances[0]
    if end not in get_args(End):
        raise MFAError(f"end {end!r} is not known; use 'value', 'low' or 'high'")
    search = _Search(balance, scenario, levers, indicator, target, year, name, end)
    return search.one() if len(levers) == 1 else search.several()


@dataclass(frozen=True, eq=False)
class _Search:
    balance: Balance
    scenario: str | None
    names: list[str]
    indicator: str
    target: float
    year: int
    substance: str
    end: End

    @cached_property
    def plain(self) -> Run:
        """The scenario without any lever moved."""
        return run(plan_of(self.balance, self.scenario), self.year)

    @cached_property
    def levers(self) -> list[Lever]:
        return [find_lever(self.plain, name, self.year, self.substance) for name in self.names]

    @cached_property
    def before(self) -> Floats:
        return np.array([lever.before for lever in self.levers])

    @cached_property
    def start(self) -> float:
        return self._indicator(self.plain)

    def _indicator(self, done: Run) -> float:
        future = future_system(done, self.scenario, (self.year,))
        table = indicators(reconcile(future), only=self.indicator)
        rows = table[(table["year"] == self.year) & (table["substance"] == self.substance)]
        if "region" in rows:
            rows = rows[rows["region"] == ""]
        if rows.empty:
            raise MFAError(f"no indicator of {self.substance!r}; name a substance of the system")
        row = rows.iloc[0]
        if done is self.plain and np.isnan(row[self.end]):
            low, high = row["low"], row["high"]
            why = (
                f"missing: {row['missing']}"
                if row["missing"]
                else (f"only known to lie between {low:.4g} and {high:.4g}")
            )
            raise MFAError(
                f"{self.indicator} of {self.substance} has no value in {self.year}, {why}; "
                "give what it needs, or seek its end 'low' or 'high'"
            )
        return float(row[self.end])

    def at(self, values: Floats) -> float:
        """Return the indicator with the levers at some values."""
        rows = tuple(self._row(lever, v) for lever, v in zip(self.levers, values, strict=True))
        return self._indicator(run(plan_of(self.balance, self.scenario, rows), self.year))

    def _row(self, lever: Lever, value: float) -> Row:
        path = Path("set", (Point(self.year, float(value), "linear"),))
        return Row(lever.target, lever.item, lever.substance, {"set": path})

    def result(
        self, values: Floats, found: float, tried: Mapping[float, float] | None = None
    ) -> Sought:
        """Return what was found, as it is."""
        reached = abs(found - self.target) <= CLOSE * max(1.0, abs(self.target))
        rows = [
            {
                "scenario": self.scenario or "target",
                "target": lever.target,
                "item": lever.item,
                "substance": lever.substance,
                "year": self.year,
                "change": "set",
                "value": float(value),
                "interpolation": "linear",
                "note": f"{self.indicator} {self.target:g} in {self.year}",
            }
            for lever, value in zip(self.levers, values, strict=True)
        ]
        return Sought(
            self.indicator,
            self.substance,
            self.year,
            self.target,
            bool(reached),
            found,
            dict(zip(self.names, map(float, values), strict=True)),
            dict(zip(self.names, map(float, self.before), strict=True)),
            self.start,
            pd.DataFrame(rows),
            pd.Series(tried or {}, dtype=np.float64).sort_index(),
        )

    def one(self) -> Sought:
        """Search one lever: the value nearest to where it stands."""
        lever, start = self.levers[0], float(self.before[0])
        if abs(self.start - self.target) <= 1e-12:
            return self.result(self.before, self.start)
        scan = Scan(lambda v: self.at(np.array([v])), lever.limits, start, self.target)
        value, found = scan.nearest()
        return self.result(np.array([value]), found, scan.tried)

    def several(self) -> Sought:
        """Search several levers: the least Σ |change| ÷ value."""
        if self.start == self.target:
            return self.result(self.before, self.start)
        search = LeastChange(
            self.at,
            self.before,
            self.start,
            [lever.limits for lever in self.levers],
            np.array([lever.scale for lever in self.levers]),
            self.target,
        )
        return self.result(*search.best())
