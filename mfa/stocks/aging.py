"""Which share of a cohort is still in use: φ(t, c), for a lifetime laid over years and series.

φ is found for as few ages and series as the lifetime's parameters allow: once for all series where
they do not differ between series, and by age alone where steps are even and cohorts alike. Else it
is made one cohort and one block of series at a time, and never kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfa.errors import StockError
from mfa.stocks.checks import Floats, choice, numbers, series
from mfa.stocks.grid import Grid
from mfa.stocks.lifetime import Lifetime

Places = NDArray[np.intp]
CONVENTIONS = ("start", "middle", "end", "spread")
_BLOCK = 128  # series at a time, so that what is worked on stays in the processor's cache


@dataclass(frozen=True, eq=False)
class Aging:
    """A lifetime laid over the years and series of a stock.

    Attributes
    ----------
    grid : Grid
        The years.
    life : Lifetime
        The lifetime.
    parameters : tuple of numpy.ndarray
        Its parameters, shape (n_year or 1, n_series or 1).
    inflow_at : str
        When in its step an inflow begins to age.
    trailing : tuple of int
        The series' axes.
    initial : numpy.ndarray
        Stock by cohort at B_0, oldest first, shape (n_initial, n_series).
    """

    grid: Grid
    life: Lifetime
    parameters: tuple[Floats, ...]
    inflow_at: str
    trailing: tuple[int, ...]
    initial: Floats

    @property
    def is_shared(self) -> bool:
        """Whether all series have the same shares."""
        return all(part.shape[1] == 1 for part in self.parameters)

    def blocks(self, chosen: Places | None = None) -> Iterator[Places]:
        """Yield the series, or those chosen, in groups to be worked on one after another."""
        places = np.arange(prod(self.trailing)) if chosen is None else chosen
        for start in range(0, len(places), _BLOCK):
            yield places[start : start + _BLOCK]

    @property
    def every(self) -> Places:
        """All series."""
        return np.arange(prod(self.trailing))

    def share(
        self, at: Floats, opened: Floats, closed: Floats, cohort: int | None, block: Places
    ) -> Floats:
        """Return the share in use at `at` of what entered from `opened` to `closed`.

        Parameters
        ----------
        at, opened, closed : numpy.ndarray
            Times [yr] that can be broadcast against (cohorts, series of the block).
        cohort : int or None
            Whose parameters; None for those of every cohort.
        block : numpy.ndarray of int
            Which series.
        """
        own = [_part(part, cohort, block) for part in self.parameters]
        if self.inflow_at == "spread":
            young, old = np.maximum(at - closed, 0.0), np.maximum(at - opened, 0.0)
            years = self.life.integral(old, *own) - self.life.integral(young, *own)
            # A mean of S lies between its ends; held there, the difference of two nearly equal
            # integrals leaves no noise where hardly anything is left.
            low, high = self.life.surviving(old, *own), self.life.surviving(young, *own)
            return np.clip(years / (closed - opened), low, high)
        weight = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.inflow_at]
        entered = opened + weight * (closed - opened)
        return self.life.surviving(np.maximum(at - entered, 0.0), *own)

    @cached_property
    def _by_age(self) -> Floats | None:
        """φ by steps since the inflow, where it depends on them alone; (n_year, series or 1)."""
        even = bool((self.grid.steps == self.grid.steps[0]).all())
        if not even or any(len(part) > 1 for part in self.parameters):
            return None
        ends, bounds = self.grid.bounds[1:, None], self.grid.bounds
        shares = self.share(ends, bounds[0], bounds[1], 0, self.every)
        return np.broadcast_to(shares, (self.grid.n, shares.shape[1]))

    def column(self, cohort: int, block: Places) -> Floats:
        """φ(t, c) of one cohort from its own year on, shape (n_year − c, series or 1)."""
        if self._by_age is not None:
            return _part(self._by_age[: self.grid.n - cohort], None, block)
        bounds = self.grid.bounds
        ends = bounds[cohort + 1 :, None]
        return self.share(ends, bounds[cohort], bounds[cohort + 1], cohort, block)

    def matrix(self) -> Floats:
        """φ of series that share it, shape (n_year, n_cohort), 0 before a cohort's year."""
        if self._by_age is not None:
            lag = np.subtract.outer(np.arange(self.grid.n), np.arange(self.grid.n))
            return np.asarray(np.tril(self._by_age[np.maximum(lag, 0), 0]))
        bounds = self.grid.bounds
        shares = self.share(bounds[1:], bounds[:-1, None], bounds[1:, None], None, self.every)
        return np.asarray(np.tril(np.broadcast_to(shares, (self.grid.n, self.grid.n)).T))

    def diagonal(self) -> Floats:
        """φ(t, t), shape (n_year, series or 1)."""
        return self._each(self.grid.bounds[1:, None])

    def last(self) -> Floats:
        """φ at the end of the last year, shape (n_cohort, series or 1)."""
        return self._each(self.grid.bounds[-1:, None])

    def _each(self, at: Floats) -> Floats:
        bounds = self.grid.bounds
        shares = self.share(at, bounds[:-1, None], bounds[1:, None], None, self.every)
        return np.broadcast_to(shares, (self.grid.n, shares.shape[1]))

    def of_initial(self, row: int, block: Places) -> Floats:
        """Stock by year of one initial cohort, shape (n_year, series of the block)."""
        begin = self.grid.bounds[0]
        closed = begin - (len(self.initial) - 1 - row)
        now = self.share(begin, closed - 1.0, closed, 0, block)
        then = self.share(self.grid.bounds[1:, None], closed - 1.0, closed, 0, block)
        ratio = np.divide(
            then, now, out=np.zeros(np.broadcast_shapes(then.shape, now.shape)), where=now > 0
        )
        return np.asarray(self.initial[row, block] * ratio)

    def left_of_initial(self, block: Places) -> Floats:
        """Stock by year of all initial cohorts, K⁰, shape (n_year, series of the block)."""
        left = np.zeros((self.grid.n, self.initial[:, block].shape[1]))
        for row in range(len(self.initial)):
            left += self.of_initial(row, block)
        return left


def aging(
    grid: Grid,
    life: Lifetime,
    shape: tuple[int, ...],
    inflow_at: str,
    initial: ArrayLike | None = None,
) -> Aging:
    """Lay a lifetime over years and series.

    Raises
    ------
    StockError
        If a shape does not fit the inflow's, `inflow_at` is unknown, or an initial cohort has
        mass at an age at which nothing is left.
    """
    choice("inflow_at", inflow_at, CONVENTIONS)
    if not isinstance(life, Lifetime):
        raise StockError(
            f"no lifetime; found {life!r:.60}; give one, such as mfa.Weibull(mean=25, sd=10)"
        )
    fitted = tuple(_fit(life, name, value, shape) for name, value in life.named.items())
    rows = _initial(initial, shape)
    out = Aging(grid, life, fitted, inflow_at, shape[1:], rows)
    _check_initial(out)
    return out


def _fit(life: Lifetime, name: str, value: Floats, shape: tuple[int, ...]) -> Floats:
    """Return a parameter of shape (n_year or 1, n_series or 1), as small as its values allow."""
    if value.size == 1:
        return value.reshape(1, 1)
    try:
        whole = np.broadcast_to(value, shape)
    except ValueError:
        per_cohort = (shape[0], *(1 for _ in shape[1:]))
        raise StockError(
            f"{type(life).__name__} lifetime: {name} has shape {value.shape}, which does not fit "
            f"the stock's {shape} (years first); give one number, shape {per_cohort} for one per "
            f"cohort" + (f", or {shape[1:]} for one per series" if shape[1:] else "")
        ) from None
    flat = whole.reshape(shape[0], prod(shape[1:]))
    if (flat == flat[:1]).all():
        flat = flat[:1]
    if (flat == flat[:, :1]).all():
        flat = flat[:, :1]
    return np.ascontiguousarray(flat)


def _initial(initial: ArrayLike | None, shape: tuple[int, ...]) -> Floats:
    """Return the initial stock with shape (n_initial, n_series)."""
    total = prod(shape[1:])
    if initial is None:
        return np.zeros((0, total))
    array = numbers("initial", initial)
    try:
        if array.ndim != len(shape):
            raise ValueError
        rows = np.broadcast_to(array, (len(array), *shape[1:])).reshape(len(array), total)
    except ValueError:
        raise StockError(
            f"initial: found shape {array.shape}; give one row per year of cohorts, oldest first, "
            f"and then the series' axes {shape[1:]}"
        ) from None
    wrong = ~np.isfinite(rows)
    if wrong.any():
        row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise StockError(
            f"initial: no number; found {float(rows[row, column])} in row {row}"
            f"{where(shape[1:], column)}, counted from 0; fill in every cohort"
        )
    return rows


def _check_initial(aging: Aging) -> None:
    """Check that initial cohorts are of ages that something reaches."""
    begin = aging.grid.bounds[0]
    for row in range(len(aging.initial)):
        closed = begin - (len(aging.initial) - 1 - row)
        now = aging.share(np.asarray(begin), closed - 1.0, closed, 0, aging.every)
        wrong = (aging.initial[row] != 0) & ~(now[0] > 0)
        if wrong.any():
            column = int(wrong.argmax())
            raise StockError(
                f"initial: {aging.initial[row, column]:g} from the year to {closed:.10g}"
                f"{where(aging.trailing, column)}, of which the lifetime leaves nothing at "
                f"{begin:.10g}; lengthen the lifetime or leave that cohort at 0"
            )


def where(trailing: tuple[int, ...], column: int | np.intp) -> str:
    """Return the words for a series given by its place among all."""
    return series(np.unravel_index(int(column), trailing)) if trailing else ""


def _part(array: Floats, cohort: int | None, block: Places) -> Floats:
    """Return a cohort's row (or all) and a block's columns of what may be the same for all."""
    if cohort is not None:
        array = array[min(cohort, len(array) - 1)][None]
    return array[:, block] if array.shape[1] > 1 else array
