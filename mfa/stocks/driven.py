"""Stocks driven by their inflow, by their level, or read off their age structure."""

from __future__ import annotations

from math import prod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular

from mfa.errors import StockError
from mfa.stocks.aging import Aging, Places, aging, where
from mfa.stocks.checks import Floats, choice
from mfa.stocks.grid import by_year, grid
from mfa.stocks.lifetime import Lifetime
from mfa.stocks.run import StockRun, closed

InflowAt = Literal["start", "middle", "end", "spread"]
NegativeInflow = Literal["error", "allow", "zero", "retire"]
_ANSWERS = ("error", "allow", "zero", "retire")
# A fall is told from rounding by this share of the largest stock so far.
_ROUNDING = 1e-12


def inflow_driven(
    years: ArrayLike,
    inflow: ArrayLike,
    life: Lifetime,
    inflow_at: InflowAt = "middle",
    initial: ArrayLike | None = None,
) -> StockRun:
    """Return the stock and outflow that an inflow leads to.

    With steps ℓ_t = years[t] − years[t−1] (the first as long as the second) and φ(t, c) the share
    of cohort c in use at the end of year t: stock_t = Σ_c ℓ_c inflow_c φ(t, c), and outflow_t is
    what closes stock_t − stock_{t−1} = (inflow_t − outflow_t) ℓ_t.

    Parameters
    ----------
    years : array_like
        Years, ascending; steps may differ in length.
    inflow : array_like
        Inflow [mass/yr], mean of each step, shape (n_year, …); further axes are series that have
        nothing to do with each other.
    life : Lifetime
        Its parameters are broadcast against `inflow`.
    inflow_at : {"start", "middle", "end", "spread"}
        When in its step an inflow begins to age; "spread" is evenly over it, integrated.
    initial : array_like, optional
        Stock at the beginning of the first step [mass] by one-year cohorts, oldest first, shape
        (n_initial, …). They age with the first cohort's parameters.

    Raises
    ------
    StockError
        If something does not fit or is no number; says in which year and series.

    Examples
    --------
    >>> import mfa
    >>> run = mfa.inflow_driven([2000, 2001, 2003], [10.0, 12.0, 9.0], mfa.Fixed(mean=2.0))
    >>> run.stock, run.outflow
    (array([10., 22., 18.]), array([ 0.,  0., 11.]))
    """
    steps = grid(years)
    rates = by_year("inflow", inflow, steps)
    laid = aging(steps, life, rates.shape, inflow_at, initial)
    flat = rates.reshape(steps.n, prod(laid.trailing))
    entered = flat * steps.steps[:, None]
    if laid.is_shared:
        stock = laid.matrix() @ entered
        if len(laid.initial):
            stock += laid.left_of_initial(laid.every)
        return closed(laid, flat, stock)
    stock = np.empty_like(flat)
    for block in laid.blocks():
        level = laid.left_of_initial(block)
        for cohort in range(steps.n):
            level[cohort:] += laid.column(cohort, block) * entered[cohort, block]
        stock[:, block] = level
    return closed(laid, flat, stock)


def stock_driven(
    years: ArrayLike,
    stock: ArrayLike,
    life: Lifetime,
    inflow_at: InflowAt = "middle",
    initial: ArrayLike | None = None,
    negative_inflow: NegativeInflow = "error",
) -> StockRun:
    """Return the inflow and outflow that a stock needs.

    Parameters
    ----------
    years, life, inflow_at, initial
        As in `inflow_driven`.
    stock : array_like
        Stock at the end of each year [mass], shape (n_year, …).
    negative_inflow : {"error", "allow", "zero", "retire"}
        What to do where the stock falls faster than its cohorts age: say where; take a negative
        inflow; take no inflow, so that the stock stays above what is given; or take no inflow and
        let the surplus leave from every cohort in the same proportion.

    Raises
    ------
    StockError
        Also if nothing of an inflow would be left at the end of its own step.

    Examples
    --------
    >>> import mfa
    >>> life = mfa.Normal(mean=20.0, sd=6.0)
    >>> run = mfa.stock_driven([2000, 2001, 2002], [50.0, 55.0, 57.0], life)
    >>> run.inflow.round(3)
    array([50.029,  5.025,  2.041])
    >>> mfa.stock_driven([2000, 2001, 2002], [50.0, 55.0, 40.0], life)
    Traceback (most recent call last):
    mfa.errors.StockError: stock: falls faster than it ages; found 40 in 2002, when 54.9605 of \
earlier cohorts are still in use; check it and the lifetime, or choose negative_inflow 'allow', \
'zero' or 'retire'
    """
    choice("negative_inflow", negative_inflow, _ANSWERS)
    steps = grid(years)
    target = by_year("stock", stock, steps)
    laid = aging(steps, life, target.shape, inflow_at, initial)
    flat = target.reshape(steps.n, prod(laid.trailing))
    _check_own_year(laid)
    if negative_inflow != "allow":
        _check_not_negative(laid, flat)
    entered = _entered(laid, flat)
    if negative_inflow == "allow":
        return closed(laid, entered / steps.steps[:, None], flat)
    falling = entered < -_ROUNDING * np.maximum.accumulate(np.abs(flat)) / laid.diagonal()
    late = falling.any(axis=0)
    if late.any() and negative_inflow == "error":
        raise _falls(laid, flat, entered, falling)
    np.maximum(entered, 0.0, out=entered)
    if not late.any():
        return closed(laid, entered / steps.steps[:, None], flat)
    level, kept = flat.copy(), np.ones_like(flat)
    for block in laid.blocks(np.flatnonzero(late)):
        answer = _without_negative(laid, flat, block, retire=negative_inflow == "retire")
        entered[:, block], level[:, block], kept[:, block] = answer
    return closed(laid, entered / steps.steps[:, None], level, kept)


def inflow_from_cohorts(
    years: ArrayLike, cohorts: ArrayLike, life: Lifetime, inflow_at: InflowAt = "middle"
) -> Floats:
    """Return the past inflow of which the last year's age structure is left.

    Parameters
    ----------
    years, life, inflow_at
        As in `inflow_driven`.
    cohorts : array_like
        Stock at the end of the last year by cohort [mass], shape (n_year, …).

    Returns
    -------
    numpy.ndarray
        Inflow [mass/yr], shape (n_year, …); nan where the lifetime leaves nothing of a cohort, so
        that its inflow is unknown.

    Raises
    ------
    StockError
        If there is stock of a cohort of which the lifetime leaves nothing.

    Examples
    --------
    >>> import mfa
    >>> life = mfa.Weibull(shape=2.0, scale=3.0)
    >>> mfa.inflow_from_cohorts([2000, 2001, 2002], [4.0, 6.0, 8.0], life).round(4)
    array([8.0104, 7.7042, 8.2253])
    """
    steps = grid(years)
    left = by_year("cohorts", cohorts, steps)
    laid = aging(steps, life, left.shape, inflow_at)
    flat = left.reshape(steps.n, prod(laid.trailing))
    share = laid.last()
    wrong = (share <= 0) & (flat != 0)
    if wrong.any():
        cohort, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise StockError(
            f"cohorts: the lifetime leaves nothing of cohort {steps.label(cohort)}"
            f"{where(laid.trailing, column)} in {steps.label(steps.n - 1)}; "
            f"found {flat[cohort, column]:g}; lengthen the lifetime or leave that cohort at 0"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(share > 0, flat / (steps.steps[:, None] * share), np.nan)
    return rate.reshape(left.shape)


def _entered(laid: Aging, target: Floats) -> Floats:
    """Return ℓ_c inflow_c that makes the stock the target, negative where it has to be."""
    if laid.is_shared:
        if len(laid.initial):
            target = target - laid.left_of_initial(laid.every)
        return np.asarray(solve_triangular(laid.matrix(), target, lower=True, check_finite=False))
    entered = np.empty_like(target)
    for block in laid.blocks():
        missing = target[:, block] - laid.left_of_initial(block)
        for cohort in range(laid.grid.n):
            shares = laid.column(cohort, block)
            entered[cohort, block] = missing[cohort] / shares[0]
            missing[cohort:] -= shares * entered[cohort, block]
    return entered


def _without_negative(
    laid: Aging, target: Floats, block: Places, *, retire: bool
) -> tuple[Floats, Floats, Floats]:
    """Return ℓ_c inflow_c ≥ 0, the stock that follows, and what share retirement leaves."""
    level = laid.left_of_initial(block)
    entered, kept = np.zeros_like(level), np.ones_like(level)
    for cohort in range(laid.grid.n):
        missing = target[cohort, block] - level[cohort]
        shares = laid.column(cohort, block)
        entered[cohort] = np.maximum(missing / shares[0], 0.0)
        if retire and (missing < 0).any():
            np.divide(target[cohort, block], level[cohort], out=kept[cohort], where=missing < 0)
            level[cohort:] *= kept[cohort]
        level[cohort:] += shares * entered[cohort]
    return entered, level, kept


def _check_own_year(laid: Aging) -> None:
    wrong = ~(laid.diagonal() > 0)
    if wrong.any():
        year, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        of = where(laid.trailing, column) if wrong.shape[1] > 1 else ""
        raise StockError(
            f"stock: no inflow can raise it in {laid.grid.label(year)}{of}, as the lifetime leaves "
            "nothing of a year's inflow at the year's end; lengthen the lifetime, shorten the "
            "steps, or choose inflow_at 'end' or 'spread'"
        )


def _check_not_negative(laid: Aging, target: Floats) -> None:
    if (target < 0).any():
        year, column = np.unravel_index(int((target < 0).argmax()), target.shape)
        raise StockError(
            f"stock: below 0; found {target[year, column]:g} in {laid.grid.label(year)}"
            f"{where(laid.trailing, column)}; give stocks of 0 or more"
        )


def _falls(laid: Aging, target: Floats, entered: Floats, falling: np.ndarray) -> StockError:
    """Return the error for the first year and series in which the stock falls too fast."""
    year, column = np.unravel_index(int(falling.argmax()), falling.shape)
    own = np.broadcast_to(laid.diagonal(), target.shape)[year, column]
    left = target[year, column] - entered[year, column] * own
    others = int(falling.any(axis=0).sum()) - 1
    also = f" (and {others} more series)" if others else ""
    return StockError(
        f"stock: falls faster than it ages; found {target[year, column]:g} in "
        f"{laid.grid.label(year)}{where(laid.trailing, column)}, when {left:g} of earlier cohorts "
        f"are still in use{also}; check it and the lifetime, or choose negative_inflow 'allow', "
        "'zero' or 'retire'"
    )
