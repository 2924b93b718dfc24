"""How a number changes over the years: set, multiplied or added to, in steps or evenly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mfa.errors import MFAError

Change = Literal["set", "multiply", "add"]
Interpolation = Literal["step", "linear", "exponential"]
CHANGES: tuple[Change, ...] = ("set", "multiply", "add")
INTERPOLATIONS: tuple[Interpolation, ...] = ("step", "linear", "exponential")
_NEUTRAL: dict[str, float] = {"multiply": 1.0, "add": 0.0}


@dataclass(frozen=True)
class Point:
    """A value from a year on, and how it is reached from the one before."""

    year: int
    value: float
    how: Interpolation


@dataclass(frozen=True)
class Path:
    """Values over the years, ascending; the first is reached from the base year.

    After the last point its value holds. A multiple whose points reach back to the base year or
    before is divided by its value there, and likewise what is added is counted from there.
    """

    change: Change
    points: tuple[Point, ...]

    def at(self, year: int, base_year: int, base: float) -> float:
        """Return the value in a year, nan before a first step.

        Parameters
        ----------
        year : int
        base_year : int
        base : float
            Value of what is changed in the base year.

        Raises
        ------
        MFAError
            If an exponential change starts or ends at 0 or below.

        Examples
        --------
        >>> path = Path("multiply", (Point(2020, 1.0, "linear"), Point(2040, 1.7, "linear")))
        >>> path.at(2030, 2020, 5.0)
        1.35
        """
        start = Point(base_year, _NEUTRAL.get(self.change, base), "step")
        value = self._raw(year, start)
        if self.change == "set" or self.points[0].year > base_year:
            return value
        before = self._raw(base_year, start)
        return value / before if self.change == "multiply" else value - before

    def _raw(self, year: int, start: Point) -> float:
        earlier = [point for point in self.points if point.year <= year]
        later = [point for point in self.points if point.year > year]
        before = earlier[-1] if earlier else start
        if not later or before.year >= year:
            return before.value
        after = later[0]
        if after.how == "step" or year < before.year:
            return before.value if earlier else float("nan")
        share = (year - before.year) / (after.year - before.year)
        if after.how == "linear":
            return before.value + share * (after.value - before.value)
        if before.value <= 0 or after.value <= 0:
            raise MFAError(
                f"an exponential change from {before.value:g} in {before.year} to {after.value:g} "
                f"in {after.year} would pass through 0; make it linear or a step"
            )
        return float(before.value * (after.value / before.value) ** share)


def combined(paths: dict[Change, Path], year: int, base_year: int, base: float) -> float | None:
    """Return a changed value: set, then multiplied, then added to; None before any change.

    Examples
    --------
    >>> steps = {"multiply": Path("multiply", (Point(2030, 2.0, "step"),))}
    >>> combined(steps, 2029, 2020, 3.0), combined(steps, 2030, 2020, 3.0)
    (None, 6.0)
    """
    value, any_ = base, False
    for change in CHANGES:
        if change not in paths:
            continue
        number = paths[change].at(year, base_year, base)
        if number != number:
            continue
        any_ = True
        value = {"set": number, "multiply": value * number, "add": value + number}[change]
    return value if any_ else None
