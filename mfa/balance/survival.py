"""What lifetimes say of stocks: cohorts as rows of relations.

With x_c the inflow of step c and K_t the stock at the end of step t, all in mass,

    K_t = ρ_t K_0 + Σ_c φ(t,c) x_c.

The difference of two years says the same, as ρ_0 = 1 and nothing has entered before the first:

    K_t − K_{t−1} = (ρ_t − ρ_{t−1}) K_0 + Σ_c (φ(t,c) − φ(t−1,c)) x_c  [+ e_t]

On the left stands the change of the stock, an edge of the graph, so that levels and outflows need
no row and the rules of graphs still hold for them. The outflow is the inflow less the change, so
that this is the statement about the outflow, too; e_t is the error that it may have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp

from mfa.balance.axes import Axes
from mfa.balance.equations import NO_EDGE
from mfa.balance.network import Floats, Ints
from mfa.errors import MFAError, near
from mfa.system import System
from mfa.system.lifetimes import Lifetimes, read_lifetimes

Survival = Literal["exact", "soft", "off"]
LIFETIME = "lifetime"
_LEAST = 1e-3  # of a stock's largest outflow: an error is not taken to be smaller


@dataclass(frozen=True, eq=False)
class CohortModel:
    """What lifetimes say of one stock.

    Attributes
    ----------
    process, substance : str
    lives : Lifetimes
    opening : int
        Variable of the stock before the first year, K_0.
    changes, levels : array of int, shape (years,)
        Variables of the stock's change in each year, and of its level at the end.
    inflows, cohorts : array of int
        Variables of the flows that enter, and the position of their year.
    shares : array, shape (years, years)
        φ(t, c), the share of cohort c in use at the end of year t.
    left : array, shape (years,)
        ρ_t, the share of the opening stock in use at the end of year t.
    """

    process: str
    substance: str
    lives: Lifetimes
    opening: int
    changes: Ints
    levels: Ints
    inflows: Ints
    cohorts: Ints
    shares: Floats
    left: Floats

    @property
    def n(self) -> int:
        """Number of years."""
        return len(self.changes)

    def stocks(self, n_variables: int) -> sp.csr_array:
        """Return the rows that give the stock by its cohorts, shape (years, variables)."""
        return self._rows(self.shares, self.left, n_variables)

    def steps(self, n_variables: int) -> sp.csr_array:
        """Return the rows that give the change of the stock by its cohorts, as `stocks`."""
        shares = np.diff(self.shares, axis=0, prepend=0.0)
        return self._rows(shares, np.diff(self.left, prepend=1.0), n_variables)

    def _rows(self, shares: Floats, left: Floats, n_variables: int) -> sp.csr_array:
        columns = np.append(self.inflows, self.opening)
        block = sp.coo_array(np.column_stack([shares[:, self.cohorts], left]))
        entries = (block.data, (block.row, columns[block.col]))
        return sp.csr_array(sp.coo_array(entries, shape=(self.n, n_variables)))


def check_survival(survival: str, cv: float) -> None:
    """Check how strictly cohorts are asked to bind.

    Raises
    ------
    MFAError
        If there is no such way, or cv is not above 0.
    """
    known = get_args(Survival)
    if survival not in known:
        advice = near(str(survival), known, "choose 'exact', 'soft' or 'off'")
        raise MFAError(f"unknown survival {survival!r}; {advice}")
    if not (np.isfinite(cv) and cv > 0):
        raise MFAError(f"cv has to be a number above 0; found {cv!r}; 0.1 is 10 % of the outflow")


def cohort_models(system: System, axes: Axes, physical: pd.DataFrame) -> tuple[CohortModel, ...]:
    """Return what the sheet ``lifetimes`` says of every stock that has balances in all years.

    Parameters
    ----------
    system : System
    axes : Axes
    physical : DataFrame
        The variables of flows and stocks; flows first, in the order of ``system.data``.
    """
    table = system.tables.get("lifetimes")
    if table is None or not len(table):
        return ()
    stocks = physical[physical["kind"].isin(["change", "level"]) & (physical["tail"] != NO_EDGE)]
    by_stock = dict(list(stocks.groupby(["item", "substance"], sort=False)))
    years = np.asarray(system.years, dtype=np.float64)
    out = []
    for (process, substance), lives in read_lifetimes(table).items():
        place, layer = _place(axes, process, substance)
        if not bound(axes, place, layer):
            continue
        rows = by_stock[process, substance].sort_values("year")
        changes, levels = (rows.index[rows["kind"] == kind] for kind in ("change", "level"))
        enters = np.flatnonzero((axes.head == place) & (axes.layer == layer))
        out.append(
            CohortModel(
                process=process,
                substance=substance,
                lives=lives,
                opening=int(levels[0]),
                changes=changes.to_numpy(dtype=np.int64),
                levels=levels[1:].to_numpy(dtype=np.int64),
                inflows=enters,
                cohorts=axes.year[enters],
                shares=lives.survival_shares(years, system.settings.inflow_at, axes.steps[0]),
                left=lives.opening_shares(years, first_step=axes.steps[0]),
            )
        )
    return tuple(out)


def _place(axes: Axes, process: str, substance: str) -> tuple[int, int]:
    """Return the codes of a process and a layer, −1 where there is none."""
    place = axes.processes.get_indexer(pd.Index([process]))
    layer = axes.layers.get_indexer(pd.Index([substance]))
    return int(place[0]), int(layer[0])


def bound(axes: Axes, place: int, layer: int) -> bool:
    """Return whether a stock is balanced for a layer in all years, as cohorts need it."""
    return bool(layer >= 0 and axes.stores[place] and axes.drawn_up[place, layer].all())


def unbound_rows(system: System, axes: Axes) -> list[tuple[str, str, str]]:
    """List process, substance and cell of lifetimes that say nothing for want of balances."""
    table = system.tables.get("lifetimes")
    lives = {} if table is None else read_lifetimes(table)
    return [
        (*key, one.cells[0]) for key, one in lives.items() if not bound(axes, *_place(axes, *key))
    ]


@dataclass(frozen=True, eq=False)
class Aged:
    """The statements about cohorts: relations, their labels, and the errors that they may have."""

    matrix: sp.csr_array
    labels: pd.DataFrame
    errors: pd.DataFrame


def state(
    system: System,
    axes: Axes,
    models: Sequence[CohortModel],
    sd: Floats | None,
    n_before: int,
    n_variables: int,
) -> Aged:
    """Return one relation per stock and year.

    Parameters
    ----------
    system, axes, models
    sd : array, shape (models × years,), or None
        sd of the error of each statement [mass per step]; None if they hold exactly.
    n_before : int
        Number of variables before the errors, if there are any.
    n_variables : int
        Number of all variables.
    """
    rows = []
    for model in models:
        own = (np.ones(model.n), (np.arange(model.n), model.changes))
        change = sp.csr_array(sp.coo_array(own, shape=(model.n, n_variables)))
        rows.append(change - model.steps(n_variables))
    matrix = sp.csr_array(sp.vstack(rows, format="csr")) if rows else sp.csr_array((0, n_variables))
    errors = _error_variables(system, axes, models, sd)
    if len(errors):
        at = np.arange(len(errors))
        entries = (np.ones(len(at)), (at, n_before + at))
        matrix = sp.csr_array(matrix - sp.coo_array(entries, shape=matrix.shape))
    return Aged(matrix, _labels(system, models), errors)


def _labels(system: System, models: Sequence[CohortModel]) -> pd.DataFrame:
    several = len(system.layers) > 1
    rows = []
    for model in models:
        name = f"{model.process} {model.substance}" if several else model.process
        for year in system.years:
            at = range(model.lives.place_of(year) + 1)
            rows.append((LIFETIME, f"{name} {year}", ", ".join(model.lives.cells[k] for k in at)))
    return pd.DataFrame(rows, columns=["kind", "item", "cell"], dtype=object)


def _error_variables(
    system: System, axes: Axes, models: Sequence[CohortModel], sd: Floats | None
) -> pd.DataFrame:
    """Return one variable per statement that need not hold exactly, measured as 0 ± sd."""
    columns = ["kind", "item", "substance", "year", "row", "step", "tail", "head", "floor"]
    if sd is None or not models:
        return pd.DataFrame(columns=[*columns, "value", "sd", "min", "max", "include"])
    rows = {str(cell): k for k, cell in enumerate(system.tables["lifetimes"]["cell"])}
    each = len(system.years)
    cells = [m.lives.cells[m.lives.place_of(year)] for m in models for year in system.years]
    steps = np.tile(axes.steps, len(models))
    return pd.DataFrame(
        {
            "kind": LIFETIME,
            "item": np.repeat([model.process for model in models], each),
            "substance": np.repeat([model.substance for model in models], each),
            "year": np.tile(np.asarray(system.years), len(models)),
            "row": [rows[cell] for cell in cells],
            "step": steps,
            "tail": NO_EDGE,
            "head": NO_EDGE,
            "floor": -np.inf,
            "value": 0.0,
            "sd": sd / steps,
            "min": np.nan,
            "max": np.nan,
            "include": True,
        }
    )


def error_sizes(models: Sequence[CohortModel], x: Floats, cv: float) -> Floats:
    """Return the sd of every statement: cv of the outflow at a point, in mass per step.

    It is not below a thousandth of what the largest outflow of the stock would give, nor 0.
    """
    out = []
    for model in models:
        entered = np.bincount(model.cohorts, x[model.inflows], model.n)
        outflow = np.abs(entered - x[model.changes])
        largest = outflow.max() or np.abs(entered).max() or 1.0
        out.append(cv * np.maximum(outflow, _LEAST * largest))
    return np.concatenate(out) if out else np.zeros(0)
