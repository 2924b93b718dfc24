"""The result of a cohort calculation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfa.stocks.aging import Aging
from mfa.stocks.checks import Floats


@dataclass(frozen=True, eq=False, repr=False)
class StockRun:
    """Inflow, outflow and stock of every year, and the cohorts behind them.

    Attributes
    ----------
    years : numpy.ndarray
        Years, ascending, shape (n_year,).
    inflow, outflow : numpy.ndarray
        Means over each year's step [mass/yr], shape (n_year, …).
    stock : numpy.ndarray
        Stock at the end of each year [mass], shape (n_year, …).
    """

    years: Floats
    inflow: Floats
    outflow: Floats
    stock: Floats
    _aging: Aging
    _kept: Floats | None = None

    @property
    def cohort_years(self) -> Floats:
        """Year of each cohort: those of the initial stock, oldest first, then `years`."""
        old = np.arange(1 - len(self._aging.initial), 1) + self._aging.grid.bounds[0]
        return np.concatenate([old, self.years])

    def cohorts(self) -> Floats:
        """Return the stock by year and cohort; made anew at every call.

        Returns
        -------
        numpy.ndarray
            Stock [mass], shape (n_year, n_cohort, …); cohorts are those of `cohort_years`, and
            add up to `stock`.

        Examples
        --------
        >>> import mfa
        >>> run = mfa.inflow_driven([2000, 2001, 2002], [5.0, 6.0, 8.0], mfa.Fixed(mean=2.0),
        ...                         inflow_at="end", initial=[3.0, 4.0])
        >>> run.cohort_years
        array([1998., 1999., 2000., 2001., 2002.])
        >>> run.cohorts()
        array([[0., 4., 5., 0., 0.],
               [0., 0., 5., 6., 0.],
               [0., 0., 0., 6., 8.]])
        """
        aging = self._aging
        n, old = aging.grid.n, len(aging.initial)
        rates = self.inflow.reshape(n, -1) if self.inflow.size else np.zeros((n, 0))
        out = np.zeros((n, old + n, rates.shape[1]))
        for block in aging.blocks():
            for row in range(old):
                out[:, row, block] = aging.of_initial(row, block)
            for cohort in range(n):
                entered = aging.grid.steps[cohort] * rates[cohort, block]
                out[cohort:, old + cohort, block] = aging.column(cohort, block) * entered
        if self._kept is not None:
            for year in np.flatnonzero((self._kept != 1).any(axis=1)):
                out[year:, : old + year] *= self._kept[year]
        return out.reshape(n, old + n, *aging.trailing)

    def __repr__(self) -> str:
        grid, life = self._aging.grid, self._aging.life
        span = f"{grid.label(0)}–{grid.label(grid.n - 1)}"
        return f"StockRun({span}, shape {self.stock.shape}, {life}, '{self._aging.inflow_at}')"


def closed(aging: Aging, inflow: Floats, stock: Floats, kept: Floats | None = None) -> StockRun:
    """Return the run of a stock, the outflow being what closes its balance in every step.

    Parameters
    ----------
    aging : Aging
        The lifetime over years and series.
    inflow, stock : numpy.ndarray
        Inflow [mass/yr] and stock [mass], shape (n_year, n_series).
    kept : numpy.ndarray or None
        Share of all cohorts that a year's retirement leaves, shape (n_year, n_series).
    """
    before = np.concatenate([aging.initial.sum(axis=0)[None], stock[:-1]])
    outflow = inflow - (stock - before) / aging.grid.steps[:, None]
    shape = (aging.grid.n, *aging.trailing)
    inflow, outflow, stock = (table.reshape(shape) for table in (inflow, outflow, stock))
    for table in (inflow, outflow, stock):
        table.flags.writeable = False
    return StockRun(aging.grid.years, inflow, outflow, stock, aging, kept)
