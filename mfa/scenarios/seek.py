"""Goal seeking: which value of a lever makes an indicator reach its target."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize, minimize_scalar

from mfa.balance import Balance, reconcile
from mfa.balance.network import Floats
from mfa.errors import MFAError, near
from mfa.recycling import indicators
from mfa.scenarios.levers import Lever, find_lever
from mfa.scenarios.paths import Path, Point
from mfa.scenarios.run import Run, plan_of, run
from mfa.scenarios.sheet import Row
from mfa.scenarios.tables import future_system
from mfa.system import System

End = Literal["value", "low", "high"]
_CLOSE = 1e-7
_POINTS = 9
_NUDGE = 1e-4


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
        return (
            f"{goal} is not reached: the nearest is {self.found:.4g} with {levers} "
            f"(from {self.start:.4g})"
        )


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
        table = indicators(reconcile(future))
        rows = table[(table["indicator"] == self.indicator) & (table["year"] == self.year)]
        if rows.empty:
            known = list(dict.fromkeys(table["indicator"]))
            advice = near(self.indicator, known, "there are " + ", ".join(known))
            raise MFAError(f"no indicator is called {self.indicator!r}; {advice}")
        rows = rows[rows["substance"] == self.substance]
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

    def result(self, values: Floats, found: float) -> Sought:
        """Return what was found, as it is."""
        reached = abs(found - self.target) <= _CLOSE * max(1.0, abs(self.target))
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
        )

    def one(self) -> Sought:
        """Search one lever: the value nearest to where it stands."""
        lever, start = self.levers[0], self.before[0]
        if abs(self.start - self.target) <= 1e-12:
            return self.result(self.before, self.start)
        values = {float(start): self.start}
        for points in (lever.limits, np.linspace(*lever.limits, _POINTS)):
            more = [float(v) for v in points if float(v) not in values]
            values |= {v: self.at(np.array([v])) for v in more}
            order = sorted(values)
            found = self._bracket(order, values, float(start))
            if found is not None:
                root = float(brentq(self._off, *found, xtol=1e-13, rtol=1e-12))
                return self.result(np.array([root]), self.at(np.array([root])))
        order = [v for v in order if not np.isnan(values[v])]  # 0 ÷ 0 at some lever's limit
        best = min(order, key=lambda v: (abs(values[v] - self.target), abs(v - start)))
        at = order.index(best)
        around = order[max(at - 1, 0)], order[min(at + 1, len(order) - 1)]
        if 0 < at < len(order) - 1:
            fine = minimize_scalar(lambda v: abs(self._off(v)), bounds=around, method="bounded")
            if fine.fun < abs(values[best] - self.target) * (1 - 1e-9):
                best = float(fine.x)
        return self.result(np.array([best]), values.get(best) or self.at(np.array([best])))

    def _bracket(
        self, order: list[float], values: dict[float, float], start: float
    ) -> tuple[float, float] | None:
        """Return neighbours with the target between them, nearest to where the lever stands."""
        brackets = [
            (low, high)
            for low, high in pairwise(order)
            if (values[low] - self.target) * (values[high] - self.target) <= 0
        ]
        return min(brackets, key=lambda pair: min(abs(v - start) for v in pair), default=None)

    def _off(self, value: float) -> float:
        return self.at(np.array([value])) - self.target

    def several(self) -> Sought:
        """Search several levers: the least Σ |change| ÷ value, each moved the way that helps."""
        scale = np.array([lever.scale for lever in self.levers])
        toward = np.sign(self.target - self.start)
        if toward == 0:
            return self.result(self.before, self.start)
        room = np.array([self._room(k, toward) for k in range(len(self.levers))])
        far = self.at(self.before + room)
        if toward * (far - self.target) < -_CLOSE:
            return self.result(self.before + room, far)

        def along(share: Floats) -> float:
            return self.at(self.before + share * room) - self.target

        even = float(brentq(lambda t: along(np.full(len(room), t)), 0.0, 1.0, xtol=1e-10))
        cost = np.abs(room) / scale
        starts = [np.full(len(room), even), *self._one_by_one(along)]
        found = [self._least(along, cost, start) for start in starts]
        best = min(found, key=lambda share: float(cost @ share))
        values = self.before + best * room
        return self.result(values, self.at(values))

    def _room(self, k: int, toward: float) -> float:
        """Return how far a lever can move the way that helps, 0 if neither way does."""
        low, high = self.levers[k].limits
        gains = {}
        for end in (low, high):
            room = end - self.before[k]
            nudge = self.before.copy()
            nudge[k] += _NUDGE * room
            gains[room] = toward * (self.at(nudge) - self.start) if room else 0.0
        best = max(gains, key=lambda room: gains[room])
        return best if gains[best] > 0 else 0.0

    def _one_by_one(self, along: Callable[[Floats], float]) -> list[Floats]:
        """Return points that reach the target with single levers, where these can."""
        out = []
        for k in range(len(self.levers)):
            only = np.eye(len(self.levers))[k]
            if along(only) * along(0 * only) < 0:
                share = brentq(lambda t, only=only: along(t * only), 0.0, 1.0, xtol=1e-10)
                out.append(float(share) * only)
        return out

    def _least(self, along: Callable[[Floats], float], cost: Floats, start: Floats) -> Floats:
        """Return the cheapest point that reaches the target, from a start that does."""
        found = minimize(  # type: ignore[call-overload]
            lambda share: float(cost @ share),
            start,
            jac=lambda _: cost,
            bounds=[(0.0, 1.0)] * len(cost),
            constraints=[{"type": "eq", "fun": along}],
            method="SLSQP",
            options={"eps": 1e-6, "ftol": 1e-10, "maxiter": 60},
        )
        point = np.clip(found.x, 0.0, 1.0)
        sound = abs(along(point)) <= _CLOSE and cost @ point <= cost @ start
        return np.asarray(point if sound else start)
