"""The Balance: every quantity with value, sd, range and status, and what the tests say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd
from scipy.special import chdtrc

from mfa.balance import doubts, tables
from mfa.balance.bilinear import hold
from mfa.balance.bounds import Bounded
from mfa.balance.compile import Model, data_tables
from mfa.balance.covariance import covariance, shares_of_variance, variances
from mfa.balance.equations import Equations
from mfa.balance.network import Floats, Ints, Mask
from mfa.balance.ranges import Block, blocks, ranges
from mfa.errors import MFAError, near
from mfa.system import System
from mfa.system.apart import seen_from

Item = str | tuple[str, int] | tuple[str, str, int]


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
        return hold(self.linear, self.model.products, loose, self.bounded.estimate.x)

    @cached_property
    def linear(self) -> Equations:
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

    def numbers(self, items: Sequence[Item]) -> Ints:
        """Return the variables that items mean: flow, stock or observation ids.

        Parameters
        ----------
        items : sequence
            An id; or (id, year); or (id, substance, year) where an id alone means several.

        Raises
        ------
        MFAError
            If there is no such item, or it means several.
        """
        variables = self.model.variables
        known = variables["item"].to_numpy(dtype=object)
        out = []
        for item in items:
            parts = (item,) if isinstance(item, str) else tuple(item)
            match = known == parts[0]
            if not match.any():
                advice = near(str(parts[0]), dict.fromkeys(map(str, known)), "see balance.flows")
                raise MFAError(f"there is no flow, stock or observation {parts[0]!r}; {advice}")
            if len(parts) > 1:
                match &= (variables["year"] == parts[-1]).to_numpy()
            if len(parts) > 2:
                match &= (variables["substance"] == parts[1]).to_numpy()
            match &= (variables["kind"] != "level").to_numpy()
            if match.sum() != 1:
                raise MFAError(
                    f"{item!r} means {int(match.sum())} quantities; name one as (id, year) or "
                    "(id, substance, year)"
                )
            out.append(int(np.flatnonzero(match)[0]))
        return np.array(out, dtype=np.int64)

    def covariance(self, items: Sequence[Item]) -> pd.DataFrame:
        """Return the covariance of results, in the squared unit of the system.

        Parameters
        ----------
        items : sequence
            Flow ids (or a process id for its stock change), or (id, year), or
            (id, substance, year) where an id alone means several.

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

    def __repr__(self) -> str:
        counts = self.flows["status"].value_counts()
        listed = ", ".join(f"{counts.get(s, 0)} {s}" for s in tables.STATUS_ORDER if s in counts)
        test = f"p = {self.p_value:.3g}" if self.dof else "nothing to test"
        return (
            f"Balance of {len(self.flows)} flows ({listed}): "
            f"chi2 {self.chi2:.4g} on {self.dof} degrees of freedom, {test}"
        )
