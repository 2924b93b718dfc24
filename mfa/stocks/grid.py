"""The years of a stock: steps, their bounds, and tables with one row per year.

Step t ends at year[t] and is ℓ_t = years[t] − years[t−1] long, the first as long as the second
(1 if there is but one year). Its bounds are B_t and B_{t+1} = years[t]. Rates are means over
(B_t, B_{t+1}], stocks stand at B_{t+1}.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mfa.errors import StockError
from mfa.stocks.checks import Floats, numbers, series


@dataclass(frozen=True, eq=False)
class Grid:
    """Years in ascending order, the length of each step, and the n + 1 bounds of the steps."""

    years: Floats
    steps: Floats
    bounds: Floats

    @property
    def n(self) -> int:
        """Number of years."""
        return len(self.years)

    def label(self, step: int | np.intp) -> str:
        """Return the year as it is written in messages.

        Examples
        --------
        >>> grid([2000, 2005]).label(1)
        '2005'
        """
        return f"{self.years[step]:.10g}"


def grid(years: ArrayLike, first_step: float | None = None) -> Grid:
    """Return the steps of a stock, the first of a given length or as long as the second.

    Raises
    ------
    StockError
        If years are no numbers, none at all, or not in ascending order.

    Examples
    --------
    >>> grid([2000, 2005, 2007]).bounds
    array([1995., 2000., 2005., 2007.])
    """
    array = numbers("years", years)
    if array.ndim != 1 or not array.size:
        raise StockError(
            f"years: one row of years is needed; found shape {array.shape}; give [2000, 2001, …]"
        )
    if not np.isfinite(array).all():
        raise StockError(f"years: found {array[~np.isfinite(array)][0]}; give finite numbers")
    gaps = np.diff(array)
    if (gaps <= 0).any():
        late = int((gaps <= 0).argmax())
        raise StockError(
            f"years: not in ascending order; found {array[late]:.10g} before "
            f"{array[late + 1]:.10g}; sort them and give each once"
        )
    first = first_step if first_step is not None else gaps[0] if len(gaps) else 1.0
    if not (np.isfinite(first) and first > 0):
        raise StockError(f"first_step has to be above 0; found {first:g}; give years")
    steps = np.concatenate([[first], gaps])
    bounds = np.concatenate([[array[0] - steps[0]], array])
    for part in (array, steps, bounds):
        part.flags.writeable = False
    return Grid(array, steps, bounds)


def by_year(name: str, values: ArrayLike, grid: Grid) -> Floats:
    """Return a table with one row per year, checked, that cannot be written to.

    Raises
    ------
    StockError
        If its length differs from the years', or a value is no finite number.

    Examples
    --------
    >>> by_year("inflow", [3.0, float("nan")], grid([2000, 2001]))
    Traceback (most recent call last):
    mfa.errors.StockError: inflow: no number; found nan in 2001; fill in every year
    """
    array = numbers(name, values)
    if not array.ndim or len(array) != grid.n:
        raise StockError(
            f"{name}: one row per year is needed, {grid.n} in all; found shape {array.shape}"
        )
    wrong = ~np.isfinite(array)
    if wrong.any():
        index = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise StockError(
            f"{name}: no number; found {float(array[index])} in {grid.label(index[0])}"
            f"{series(index[1:])}; fill in every year"
        )
    array.flags.writeable = False
    return array
