"""The Balance: every quantity with value, sd, range and status, and what the tests say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd
from scipy.special import chdtrc

from mfa.balance import doubts, tables
from mfa.balance.bilinear import hold
from mfa.balance.bounds import Bounded
from mfa.balance.cohorts import age_table, cohort_table
from mfa.balance.combinations import Combination, Quantity, linear, ratio
from mfa.balance.compile import Model, data_tables
from mfa.balance.covariance import covariance, shares_of_variance, variances
from mfa.balance.equations import Equations
from mfa.balance.items import Item, find_numbers
from mfa.balance.network import Floats, Ints, Mask
from mfa.balance.observability import Checks, Tangles, checks, tangles
from mfa.balance.ranges import Block, blocks, ranges
from mfa.balance.reasons import chosen_rows, observability_table, tangle_table
from mfa.system import System
from mfa.system.apart import seen_from


@dataclass(frozen=True, eq=False, repr=False)
class Balance:
    """A closed system: as close to the data as their sd allow.

    Attributes
    ----------
    system : System
        What is looked at: what was reconciled, or what one region sees of it (`regions`).
    model : Model
        The equations of what was reconciled, and what each variable stands for.
    bounded : Bounded
        The estimate, in mass per step.
    """

    system: System
    model: Model
    bounded: Bounded

    @cached_property
    def regions(self) -> dict[str, Balance]:
        """The same results as each region sees them, by region; see `mfa.region`."""
        return {
            name: replace(self, system=seen_from(self.system, name)) for name in self.system.regions
        }

    @cached_property
    def chi2(self) -> float:
        """Σ ((value − observed) / sd)² over all data."""
        equations = self.model.equations
        off = (self.bounded.estimate.x - equations.y)[equations.measured]
        return float(((off / equations.sd[equations.measured]) ** 2).sum())

    @cached_property
    def dof(self) -> int:
        """Number of independent equations that check the data; bounds that hold count."""
        held = (self.bounded.held != 0) & self.model.equations.measured
        return int(self.bounded.estimate.structure.reduced.shape[0] + held.sum())

    @property
    def p_value(self) -> float:
        """Probability of a larger chi2 if all sd are right; nan where nothing is checked."""
        return float(chdtrc(self.dof, self.chi2)) if self.dof else float("nan")

    @property
    def is_approximate(self) -> bool:
        """Whether bounds hold some variable, so that p-value and sd are conditional on them."""
        return bool((self.bounded.held != 0).any())

    @cached_property
    def values(self) -> Floats:
        """Result of every variable in the system's unit, nan where undetermined."""
        x = self.bounded.estimate.x / self._steps
        return np.where(self.status == "undetermined", np.nan, x)

    @cached_property
    def sds(self) -> Floats:
        """Standard deviation of every variable in the system's unit, nan where undetermined."""
        sd = np.sqrt(variances(self.bounded.estimate)) / self._steps
        return np.where(self.status == "undetermined", np.nan, sd)

    @cached_property
    def status(self) -> np.ndarray:
        """Status of every variable."""
        return self._statuses[0]

    @cached_property
    def statements(self) -> np.ndarray:
        """Row of the observation within which a variable is measured, −1 for the others."""
        return self._statuses[1]

    @cached_property
    def _statuses(self) -> tuple[np.ndarray, np.ndarray]:
        return tables.statuses(self.model, self.bounded.classified)

    @cached_property
    def is_assumption(self) -> Mask:
        """Variables whose datum is an assumption of the user."""
        out = np.zeros(self.model.equations.n, dtype=bool)
        rows = self.model.variables["row"].to_numpy(dtype=np.int64)
        for kind, table in data_tables(self.model.system).items():
            here = (self.model.variables["kind"] == kind).to_numpy() & (rows >= 0)
            out[here] = (table["basis"] == "assumption").to_numpy()[rows[here]]
        return out

    @cached_property
    def assumed(self) -> Floats:
        """Share of each variable's variance that stems from assumptions, nan if undetermined.

        An assumption stated as exact has no variance and does not count.
        """
        chosen = np.flatnonzero(self.is_assumption)
        share = shares_of_variance(self.bounded.estimate, chosen)
        return np.where(self.status == "undetermined", np.nan, share)

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Low and high of every variable in the system's unit; ∓inf where there is no limit."""
        equations = self.model.equations
        loose = self.status == "undetermined"
        low, high = (end[: equations.n] for end in ranges(self.blocks, self.held))
        low, high = low / self._steps, high / self._steps
        lower, upper = equations.lower / self._steps, equations.upper / self._steps
        reach = 1.96 * np.where(loose, 0.0, self.sds)
        value = self.values
        low = np.where(loose, low, np.minimum(np.maximum(value - reach, lower), value))
        high = np.where(loose, high, np.maximum(np.minimum(value + reach, upper), value))
        return low + 0.0, high + 0.0  # no minus zero

    @cached_property
    def held(self) -> Equations:
        """Equations for ranges: exact where every determined quantity is held at its result."""
        loose = self.status == "undetermined"
        return hold(self.without_products, self.model.products, loose, self.bounded.estimate.x)

    @cached_property
    def without_products(self) -> Equations:
        """The equations without the products."""
        equations = self.model.equations
        keep = len(equations.right) - len(self.model.products)
        return replace(
            equations, relations=equations.relations[:keep], right=equations.right[:keep]
        )

    @cached_property
    def blocks(self) -> list[Block]:
        """Undetermined variables that share equations, all others held at their results."""
        extra = self.held.n - self.model.equations.n
        loose = np.concatenate([self.status == "undetermined", np.ones(extra, dtype=bool)])
        x = np.concatenate([self.bounded.estimate.x, np.zeros(extra)])
        return blocks(self.held, loose, x)

    @property
    def _steps(self) -> Floats:
        return self.model.variables["step"].to_numpy(dtype=np.float64)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Every flow, substance and year with observed, value, sd, low, high, adjustment, status.

        An undetermined flow has no value; ``low`` and ``high`` say what is possible, nan where
        there is no limit. ``detectable`` is the smallest error of the datum that the tests would
        see, nan where nothing checks it.
        """
        return tables.flow_table(self)

    @cached_property
    def stocks(self) -> pd.DataFrame:
        """Level [mass] and change [mass/yr] of every stock, substance and year, given or not."""
        return tables.stock_table(self)

    @cached_property
    def cohorts(self) -> pd.DataFrame:
        """Every stock with a lifetime [mass], counted in two ways, and the difference of these.

        ``top_down`` is the opening stock with all net additions, the level of `stocks`; ``cohort``
        is what is left of the opening stock and of each year's inflow. With survival "exact" they
        agree by construction; with "off" or "soft" their difference says how well stock, flows and
        lifetimes fit. nan where the data do not determine it.
        """
        return cohort_table(self)

    @cached_property
    def ages(self) -> pd.DataFrame:
        """Every stock with a lifetime [mass] by year and by the year in which it came into use.

        ``cohort`` is blank for what was in use before the first year. Each stock's cohorts of a
        year add up to ``cohort`` of `cohorts`. nan where the data do not determine it.
        """
        return age_table(self)

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """Every coefficient: observed, value, sd, low, high, adjustment, status."""
        return tables.share_table(self, "coefficient", ["coefficient", "flow", "of"])

    @cached_property
    def compositions(self) -> pd.DataFrame:
        """Every composition: observed, value, sd, low, high, adjustment, status."""
        return tables.share_table(self, "composition", ["flow"])

    @cached_property
    def observations(self) -> pd.DataFrame:
        """The sum that each observation speaks of, observed and as it came out."""
        return tables.observation_table(self)

    @cached_property
    def processes(self) -> pd.DataFrame:
        """Inputs, outputs, stock change and residuals of every balance."""
        return tables.process_table(self)

    @cached_property
    def suspects(self) -> pd.DataFrame:
        """Data that look wrong, first those without which the rest agrees; then leaks."""
        return doubts.suspect_table(self)

    @cached_property
    def observability(self) -> pd.DataFrame:
        """Why numbers are unknown, and what checks those that are checked.

        One row per undetermined or reconciled quantity. Of undetermined ones: ``tangled_with``, all
        that cannot be told without each other, itself included; ``freed_by``, those of which one
        more measurement would determine it, itself first of all; ``frees``, how many quantities
        a measurement of it would determine; ``tangle``, its number in `tangles`. Of reconciled
        ones: ``checked_by``, the smallest sums of balances and relations that contain it and
        nothing unmeasured. Lists are tuples of labels, which `numbers` and `linear` accept.
        """
        return observability_table(self)

    @cached_property
    def tangles(self) -> pd.DataFrame:
        """Quantities that are undetermined together, the largest set first.

        ``measurements`` is the smallest number of measurements that determines them all; ``best``
        the single one that determines most, namely ``frees`` of them.
        """
        return tangle_table(self)

    def why(self, items: Iterable[Item]) -> pd.DataFrame:
        """Return the rows of `observability` for some items, as for `numbers`.

        What is neither undetermined nor checked has no row.
        """
        return chosen_rows(self, self.numbers(items).tolist())

    @cached_property
    def tangled(self) -> Tangles:
        """What is undetermined together, by variable."""
        return tangles(self.bounded.classified)

    @cached_property
    def checks(self) -> Checks:
        """The smallest sums of equations that check data."""
        return checks(self.bounded.classified)

    @cached_property
    def wander(self) -> Floats:
        """Random changes that keep every equation and every datum, shape (variables, 2)."""
        return self.bounded.classified.wander()

    @cached_property
    def excluded(self) -> pd.DataFrame:
        """Data with include = no, beside the result that they had no pull on."""
        return doubts.excluded_table(self)

    @cached_property
    def graph(self) -> nx.MultiDiGraph:
        """The system's graph with value, sd, low, high and status on the edges.

        The entries directly on an edge are those of the default substance in the last year
        (``graph.graph["substance"]``, ``["year"]``); ``data`` lists them for all.
        """
        return tables.result_graph(self)

    def numbers(self, items: Iterable[Item]) -> Ints:
        """Return the variables that items mean.

        Parameters
        ----------
        items : iterable
            The id of a flow, an observation or a coefficient, of a process (for the change of its
            stock), or of a composition (flow/substance); or (id, year); or (id, substance, year)
            where an id alone means several. Also any label that `observability` or `suspects` show,
            as "Shop level 2018".

        Raises
        ------
        MFAError
            If there is no such item, or it means several.
        """
        return find_numbers(self.model, items)

    def covariance(self, items: Sequence[Item]) -> pd.DataFrame:
        """Return the covariance of results, in the squared unit of the system.

        Parameters
        ----------
        items : sequence
            As for `numbers`: flows, stocks, coefficients, compositions, observations.

        Returns
        -------
        DataFrame
            Square, labelled by the items; nan for undetermined ones.
        """
        numbers = self.numbers(items)
        steps = self._steps[numbers]
        matrix = covariance(self.bounded.estimate, numbers) / np.outer(steps, steps)
        loose = self.status[numbers] == "undetermined"
        matrix[loose] = np.nan
        matrix[:, loose] = np.nan
        labels = pd.Index(list(items), tupleize_cols=False)
        return pd.DataFrame(matrix, index=labels, columns=labels)

    def linear(self, terms: Combination | Item) -> Quantity:
        """Return a sum of results with its exact sd, also where single terms are undetermined.

        Parameters
        ----------
        terms : mapping of item to factor, or item
            Items as for `numbers`.

        Returns
        -------
        Quantity
            value, sd, low, high, status; in the units of the items times their factors.

        Examples
        --------
        Nobody knows how the scrap parts, but what both ways carry is known.

        >>> import networkx as nx
        >>> from mfa.balance import reconcile
        >>> from mfa.system import System
        >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
        >>> G.add_nodes_from([("Use", {"kind": "source"}), ("Market", {"kind": "sink"})])
        >>> _ = G.add_edge("Use", "Dealer", key="scrap", value=10.0, sd=1.0)
        >>> _ = G.add_edge("Dealer", "Market", key="old")
        >>> _ = G.add_edge("Dealer", "Market", key="new")
        >>> balance = reconcile(System.from_graph(G))
        >>> both = balance.linear({"old": 1.0, "new": 1.0})
        >>> both.value, both.sd, both.status
        (10.0, 1.0, 'calculated')
        >>> balance.linear("old")
        Quantity(value=nan, sd=nan, low=0.0, high=10.0, status='undetermined')
        """
        return linear(self, terms)

    def ratio(self, numerator: Combination | Item, denominator: Combination | Item) -> Quantity:
        """Return one sum of results divided by another.

        sd by the delta method. Where the ratio is undetermined, low and high are all that is
        possible with a denominator above 0 and every determined quantity at its result.

        Parameters
        ----------
        numerator, denominator : mapping of item to factor, or item
            Items as for `numbers`.

        Returns
        -------
        Quantity

        Raises
        ------
        MFAError
            If an item is not known, or if the denominator can only be 0.
        """
        return ratio(self, numerator, denominator)

    def __repr__(self) -> str:
        counts = self.flows["status"].value_counts()
        listed = ", ".join(f"{counts.get(s, 0)} {s}" for s in tables.STATUS_ORDER if s in counts)
        test = f"p = {self.p_value:.3g}" if self.dof else "nothing to test"
        return (
            f"Balance of {len(self.flows)} flows ({listed}): "
            f"chi2 {self.chi2:.4g} on {self.dof} degrees of freedom, {test}"
        )
