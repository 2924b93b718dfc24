"""The Projection: flows, stocks and indicators of years to come, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import pandas as pd

from mfa.balance import Balance, reconcile
from mfa.recycling import indicators
from mfa.scenarios import tables
from mfa.scenarios.assumptions import assumption_table
from mfa.scenarios.run import Run
from mfa.system import System


@dataclass(frozen=True, eq=False, repr=False)
class Projection:
    """A system in years to come.

    Attributes
    ----------
    run : Run
        What was solved, year by year.
    scenario : str or None
    """

    run: Run
    scenario: str | None

    @property
    def system(self) -> System:
        """The system that was projected."""
        return self.run.base.system

    @property
    def start(self) -> Balance:
        """The reconciled balance that the projection starts from."""
        return self.run.base.balance

    @property
    def years(self) -> tuple[int, ...]:
        """The base year and all years after it."""
        return (self.run.base.year, *self.run.calendar)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Every flow, substance and year from the base year on.

        Columns flow, from, to, substance, year, value, unit, ``status``: in the base year that of
        the balance (what was undetermined has a value here, listed in `assumptions`), then
        "projected"; ``set_by``: scenario, demand, held, supply (drawn by the process it enters),
        share (of what its process takes in), unplaced (what could not be taken, see `unmet`); role,
        name, name_ja.
        """
        return tables.flow_table(self.run)

    @cached_property
    def stocks(self) -> pd.DataFrame:
        """Change [unit] and, where it is known, level [mass] of every stock, substance and year.

        ``basis`` is "cohorts" for stocks with a lifetime, else "share": they keep the base year's
        share of what they take in.
        """
        return tables.stock_table(self.run)

    @cached_property
    def ages(self) -> pd.DataFrame:
        """Stocks with a lifetime by age: process, substance, year, age_from, age_to, value."""
        return tables.age_table(self.run)

    @cached_property
    def end_uses(self) -> pd.DataFrame:
        """What enters use, and with a lifetime what is in use, by end use and its group.

        Columns process, end_use, group, substance, year, inflow [unit], level [mass]. End uses are
        use processes or, where there is only one, the processes that send into it. What was in use
        before the first year is split as the inflow of the base year, an assumption.
        """
        return tables.end_use_table(self.run)

    @cached_property
    def supply(self) -> pd.DataFrame:
        """What makers take in from outside of them: substance, year, kind (primary, scrap), value.

        Primary is everything that is drawn or comes in from mines and abroad but scrap.
        """
        return tables.supply_table(self.run)

    @cached_property
    def unmet(self) -> pd.DataFrame:
        """What could not be: process, flow, substance, year, value, unit, reason.

        Reason "capacity": beyond what a process can take, or what a maker or supplier would have
        been drawn on beyond its capacity. "supply": demand that nothing was left for. "demand":
        material that nothing takes.
        """
        return tables.unmet_table(self.run)

    @cached_property
    def assumptions(self) -> pd.DataFrame:
        """Everything held constant or assumed: kind, item, substance, value, range, why."""
        return assumption_table(self.run)

    @cached_property
    def future(self) -> System:
        """The projected years as a system of exact values, the base year first."""
        return tables.future_system(self.run, self.scenario)

    @cached_property
    def balance(self) -> Balance:
        """The projected years as a Balance, for indicators and charts of the future."""
        return reconcile(self.future)

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """Every indicator of `mfa.indicators`, by year."""
        return indicators(self.balance)

    @property
    def graph(self) -> nx.MultiDiGraph:
        """The system's graph in the last year, with values on its edges."""
        return self.balance.graph

    def __repr__(self) -> str:
        name = "no scenario" if self.scenario is None else f"scenario {self.scenario}"
        lacks = len(self.unmet)
        met = f"{lacks} unmet" if lacks else "nothing unmet"
        return f"Projection {self.years[0]}–{self.years[-1]}, {name}: {met}"
