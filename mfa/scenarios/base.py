"""The base year: a point that closes every balance, from which a projection starts.

Determined quantities stand at their results. Undetermined ones are taken near the middle of what is
possible, all at once, so that the balances still close: the point that minimises
Σ((x − middle)/width)² under every equation and bound. Without an upper limit, the lowest possible
value stands for the middle. That is an assumption, and each one is listed with its range.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from mfa.balance import Balance
from mfa.balance.bounds import bounded_estimate
from mfa.balance.network import Floats, Ints, Mask
from mfa.recycling.memory import kept
from mfa.system import System


@dataclass(frozen=True, eq=False)
class Base:
    """Values of the reconciled years at one point, by layer, in the system's units.

    Attributes
    ----------
    balance : Balance
    """

    balance: Balance

    @property
    def system(self) -> System:
        """What was reconciled."""
        return self.balance.model.system

    @property
    def year(self) -> int:
        """The last reconciled year."""
        return self.system.years[-1]

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Layers in which any flow of the base year has a row."""
        data = self.system.data
        there = set(data.loc[data["year"] == self.year, "substance"])
        return tuple(name for name in self.system.layers if name in there)

    @cached_property
    def point(self) -> Floats:
        """Every variable at the chosen point, in the system's unit."""
        balance = self.balance
        loose = self._loose
        x = balance.bounded.estimate.x.copy()
        if loose.any():
            x[loose] = _middle(balance, loose)[: len(x)][loose]
        return np.asarray(x / balance.model.variables["step"].to_numpy(dtype=np.float64))

    @cached_property
    def _loose(self) -> Mask:
        return np.asarray(self.balance.status == "undetermined")

    @cached_property
    def _rows(self) -> pd.DataFrame:
        """Variables with their values and how they are known, one row each."""
        low, high = self.balance.limits
        variables = self.balance.model.variables
        return variables.assign(
            value=self.point, status=self.balance.status, low=low, high=high, number=variables.index
        )

    @cached_property
    def _known(self) -> dict[tuple[str, str, int], pd.DataFrame]:
        """Flows, changes and levels by kind, layer and year, in the system's order."""
        names = {"flow": self.flow_ids, "change": self.process_ids, "level": self.process_ids}
        rows = self._rows[self._rows["kind"].isin(names)]
        out = {}
        for (kind, layer, year), some in rows.groupby(["kind", "substance", "year"], sort=False):
            by_item = some.drop_duplicates("item", keep="last").set_index("item")
            key = str(kind), str(layer), int(str(year))
            out[key] = by_item[["value", "status"]].reindex(names[key[0]])
        return out

    def _by(self, kind: str, layer: str, year: int, column: str) -> np.ndarray:
        """Return one column of some variables in the order of names, nan where there is none."""
        found = self._known.get((kind, layer, year))
        n = len(self.flow_ids if kind == "flow" else self.process_ids)
        return np.full(n, np.nan) if found is None else found[column].to_numpy(copy=True)

    @cached_property
    def flow_ids(self) -> list[str]:
        """Flows in the system's order."""
        return list(self.system.flows["flow"])

    @cached_property
    def process_ids(self) -> list[str]:
        """Processes in the system's order."""
        return list(self.system.processes["process"])

    def flows(self, layer: str, year: int | None = None) -> Floats:
        """Return the value of every flow, nan where it has no row."""
        values = self._by("flow", layer, year or self.year, "value")
        return values.astype(np.float64)

    def changes(self, layer: str, year: int | None = None) -> Floats:
        """Return the stock change of every process, nan where it has no stock."""
        values = self._by("change", layer, year or self.year, "value")
        return values.astype(np.float64)

    def levels(self, layer: str, year: int | None = None) -> Floats:
        """Return the stock of every process at the end of a year, nan where it is not known."""
        asked = self.year if year is None else year
        values = self._by("level", layer, asked, "value").astype(np.float64)
        status = self._by("level", layer, asked, "status")
        return np.where(status == "undetermined", np.nan, values)

    def statuses(self, kind: str, layer: str) -> np.ndarray:
        """Return the status of every flow or stock change in the base year."""
        return self._by(kind, layer, self.year, "status")

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """Undetermined flows and changes of the base year: kind, item, substance, value, range."""
        rows = self._rows
        some = (rows["status"] == "undetermined") & (rows["year"] == self.year)
        some &= rows["kind"].isin(["flow", "change"]) & rows["substance"].isin(self.layers)
        return rows.loc[some, ["kind", "item", "substance", "year", "value", "low", "high"]]


@kept
def base_of(balance: Balance) -> Base:
    """Return the base year of a balance."""
    return Base(balance)


def _middle(balance: Balance, loose: Mask) -> Floats:
    """Return the point nearest to the middle of every range, in mass per step."""
    held = balance.held
    extra = held.n - len(loose)
    open_ = np.concatenate([loose, np.zeros(extra, dtype=bool)])
    steps = balance.model.variables["step"].to_numpy(dtype=np.float64)
    low, high = (np.append(end * steps, np.zeros(extra)) for end in balance.limits)
    members: Ints = np.flatnonzero(open_)
    least, most = low[members], high[members]
    least = np.where(np.isfinite(least), least, np.where(np.isfinite(most), most, 0.0))
    middle = np.where(np.isfinite(most), 0.5 * (least + most), least)
    width = np.where(np.isfinite(most), most - least, np.abs(least))
    typical = float(np.median(width[width > 0])) if (width > 0).any() else 1.0
    width = np.where(width > 0, width, typical)
    x = np.append(balance.bounded.estimate.x, np.zeros(extra))
    y, sd = x.copy(), np.zeros(held.n)
    y[members], sd[members] = middle, width
    fixed = ~open_
    fixed[len(loose) :] = False
    asked = replace(
        held,
        y=y,
        sd=sd,
        measured=open_,
        fixed=fixed,
        lower=np.where(fixed, -np.inf, held.lower),
        upper=np.where(fixed, np.inf, held.upper),
    )
    tangent = np.ones(held.relations.shape[0], dtype=bool)
    return np.asarray(bounded_estimate(asked, tangent).estimate.x)
