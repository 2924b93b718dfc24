"""What binds inflows to stocks, as arrays: shares of cohorts, and of the stock of before.

With K₀ the stock at the beginning of the first step, stock_t = ρ_t K₀ + Σ_c ℓ_c inflow_c φ(t, c).
ρ follows from the ages in K₀, which are those of an inflow that has grown evenly for ever.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import ArrayLike

from mfa.errors import StockError
from mfa.stocks.aging import aging
from mfa.stocks.checks import Floats
from mfa.stocks.driven import InflowAt
from mfa.stocks.grid import grid
from mfa.stocks.lifetime import Lifetime

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NEGLIGIBLE = 45.0  # an integrand e⁻⁴⁵ of its largest value ends the integral
_HARDLY = 1e-6  # a stock of which most is older than that share of a cohort gets has no end
_PANELS = 2.0 ** np.arange(-16, 60, 0.25)  # in mean lifetimes
_BEND = np.linspace(-12, 12, 97)  # in sd around the mean, where a narrow lifetime falls


def survival_shares(
    years: ArrayLike,
    life: Lifetime,
    inflow_at: InflowAt = "middle",
    series: tuple[int, ...] = (),
    first_step: float | None = None,
) -> Floats:
    """Return φ(t, c), the share of cohort c still in use at the end of year t.

    Parameters
    ----------
    years, life, inflow_at
        As in `mfa.inflow_driven`.
    series : tuple of int
        Shape of the series, against which the lifetime is broadcast.
    first_step : float, optional
        Length of the first step [yr]; by default that of the second.

    Returns
    -------
    numpy.ndarray
        Shape (n_year, n_year, *series), 0 for cohorts still to come.

    Examples
    --------
    >>> import mfa
    >>> survival_shares([2000, 2001, 2003], mfa.Fixed(mean=2.0), "end")
    array([[1., 0., 0.],
           [1., 1., 0.],
           [0., 0., 1.]])
    """
    steps = grid(years, first_step)
    laid = aging(steps, life, (steps.n, *series), inflow_at)
    shape = (steps.n, steps.n, *series)
    if laid.is_shared:
        matrix = laid.matrix().reshape(steps.n, steps.n, *(1 for _ in series))
        return np.broadcast_to(matrix, shape).copy()
    out = np.zeros((steps.n, steps.n, prod(series)))
    for cohort in range(steps.n):
        out[cohort:, cohort] = laid.column(cohort, laid.every)
    return out.reshape(shape)


def opening_shares(
    years: ArrayLike,
    life: Lifetime,
    growth: float = 0.0,
    series: tuple[int, ...] = (),
    first_step: float | None = None,
) -> Floats:
    """Return ρ_t, the share of the opening stock still in use at the end of year t.

    The stock at the beginning of the first step stems from an inflow that has grown by a constant
    rate g since ever. With τ the time since then, S and R of the first cohort's lifetime,

    ρ = ∫_τ^∞ e^(−g(a − τ)) S(a) da / ∫_0^∞ e^(−ga) S(a) da, and without growth ρ = 1 − R(τ)/R(∞);

    R(∞) is the mean lifetime, and for `Normal` the mean time in use.

    Parameters
    ----------
    years, life
        As in `mfa.inflow_driven`.
    growth : float
        Growth of the inflow of before [1/yr], 0.02 for 2 % more each year; below 0 it shrank.
    series : tuple of int
        Shape of the series, against which the lifetime is broadcast.
    first_step : float, optional
        Length of the first step [yr]; by default that of the second.

    Returns
    -------
    numpy.ndarray
        Shape (n_year, *series), between 0 and 1.

    Raises
    ------
    StockError
        If nothing is ever in use, or growth is below 0 and what shrank so would have no end.

    Examples
    --------
    >>> import mfa
    >>> opening_shares([2000, 2001, 2005], mfa.Fixed(mean=5.0))
    array([0.8, 0.6, 0. ])
    >>> opening_shares([2000, 2001, 2005], mfa.Fixed(mean=5.0), growth=0.04).round(4)
    array([0.8157, 0.6238, 0.    ])
    """
    steps = grid(years, first_step)
    laid = aging(steps, life, (steps.n, *series), "end")
    since = steps.bounds[1:] - steps.bounds[0]
    if not np.isfinite(growth):
        raise StockError(f"growth has to be a finite number; found {growth}")
    first = [part[:1] for part in laid.parameters]
    if not (life.integral(np.asarray(np.inf), *first) > 0).all():
        raise StockError(f"{life!r}: nothing is ever in use, so that there is no opening stock")
    if growth == 0:
        years_left = life.integral(since[:, None], *first)
        shares = np.asarray(1 - years_left / life.integral(np.asarray(np.inf), *first))
    else:
        rows = np.broadcast_arrays(*first)
        shares = np.zeros((steps.n, rows[0].shape[1]))
        for column in range(shares.shape[1]):
            own = {name: row[0, column] for name, row in zip(life.names, rows, strict=True)}
            shares[:, column] = _grown(type(life)(**own), since, growth)
    whole = np.broadcast_to(np.clip(shares, 0.0, 1.0), (steps.n, prod(series)))
    return whole.reshape(steps.n, *series).copy()


def _grown(life: Lifetime, since: Floats, growth: float) -> Floats:
    """Return ρ of one series by Gauss's rule on panels, summed from the oldest age back."""
    middle, spread = float(life.years_in_use()), float(life.sd)
    end = _end(life, since[-1], middle * _PANELS, growth)
    bend = middle + spread * _BEND if np.isfinite(spread) else middle
    edges = np.unique(np.append(middle * _PANELS, np.append(since[-1] + middle * _PANELS, bend)))
    edges = np.unique(np.concatenate([[0.0], since, edges[(edges > 0) & (edges <= end)]]))
    half = np.diff(edges)[:, None] / 2
    beyond = half * (1 + _NODES)  # age since the panel's beginning
    shares = life.survival(edges[:-1, None] + beyond)
    parts = (_WEIGHTS * half * np.exp(-growth * beyond) * shares).sum(axis=1)
    left = np.zeros(len(edges))
    for panel in range(len(parts) - 1, -1, -1):
        left[panel] = parts[panel] + np.exp(-2 * growth * half[panel, 0]) * left[panel + 1]
    return np.asarray(left[np.searchsorted(edges, since)] / left[0])


def _end(life: Lifetime, last: float, beyond: Floats, growth: float) -> float:
    """Return the age from which on what is left does not count."""
    ages = last + beyond
    shares = life.survival(ages)
    if shares[0] == 0:
        return last
    with np.errstate(divide="ignore"):
        size = np.log(shares) - growth * beyond
    most = np.maximum.accumulate(size)
    small = size < most - _NEGLIGIBLE
    end = int(small.argmax())
    if not small.any() or shares[size[:end].argmax()] < _HARDLY * shares[0]:
        raise StockError(
            f"{life!r}: an inflow that has always shrunk by {-growth:g} a year leaves an opening "
            "stock without end; choose a growth nearer to 0"
        )
    return float(ages[end])
