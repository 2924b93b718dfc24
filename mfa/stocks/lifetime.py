"""What every lifetime has: parameters, the share in use at an age, and its integral."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from mfa.errors import StockError
from mfa.stocks.checks import Floats, numbers, parameter, refused, together


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Lifetime(ABC):
    """How long what enters a stock stays in use.

    Parameters are single numbers or arrays. They are checked when the lifetime is made, and are
    broadcast by NumPy's rules against the inflow's shape, cohorts first: with an inflow of shape
    (n_year, n_series), shape (n_series,) gives each series a lifetime of its own, (n_year, 1) each
    cohort. The lifetimes are `Fixed`, `Normal`, `FoldedNormal`, `LogNormal`, `Weibull` and `Gamma`.

    Attributes
    ----------
    parameters : tuple of numpy.ndarray
        The distribution's own parameters, in the order of `names`; they cannot be written to.
    """

    names: ClassVar[tuple[str, ...]]
    parameters: tuple[Floats, ...]

    @property
    @abstractmethod
    def mean(self) -> Floats:
        """Mean lifetime [yr]."""

    @property
    @abstractmethod
    def sd(self) -> Floats:
        """Standard deviation of the lifetime [yr]."""

    @staticmethod
    @abstractmethod
    def surviving(age: Floats, *parameters: Floats) -> Floats:
        """Return S(a) = P(L > a) for parameters given one by one, without any check."""

    @staticmethod
    @abstractmethod
    def integral(age: Floats, *parameters: Floats) -> Floats:
        """Return R(a) = ∫₀ᵃ S likewise; a is at least 0 and may be inf."""

    def survival(self, age: ArrayLike) -> Floats:
        """Return the share that is still in use at an age.

        Parameters
        ----------
        age : array_like
            Age [yr], of any shape that can be broadcast against the parameters.

        Returns
        -------
        numpy.ndarray
            S(a) = P(L > a), between 0 and 1.

        Raises
        ------
        StockError
            If an age is no number, or its shape does not fit the parameters.

        Examples
        --------
        >>> import mfa
        >>> mfa.Weibull(shape=2.0, scale=25.0).survival([0, 10, 25, 60]).round(4)
        array([1.    , 0.8521, 0.3679, 0.0032])
        """
        return np.asarray(self.surviving(self._ages(age), *self.parameters))

    def years_in_use(self, age: ArrayLike = np.inf) -> Floats:
        """Return the mean number of years in use up to an age, R(a) = ∫₀ᵃ S.

        Parameters
        ----------
        age : array_like
            Age [yr], not negative. By default the whole life, which gives the mean lifetime (for
            `Normal` a little more than its `mean`: nothing is in use for less than no time).

        Returns
        -------
        numpy.ndarray
            Years, in closed form.

        Raises
        ------
        StockError
            If an age is no number or below 0, or its shape does not fit the parameters.

        Examples
        --------
        >>> import mfa
        >>> mfa.Fixed(mean=12.0).years_in_use([5, 20])
        array([ 5., 12.])
        """
        ages = self._ages(age)
        if (ages < 0).any():
            raise StockError(f"years in use: an age is below 0; found {ages.min()}; give ages ≥ 0")
        return np.asarray(self.integral(ages, *self.parameters))

    def _ages(self, age: ArrayLike) -> Floats:
        kind = type(self).__name__
        ages = numbers(f"{kind} lifetime, age", age)
        if np.isnan(ages).any():
            raise refused(f"{kind} lifetime: an age is no number", ages, np.isnan(ages))
        together(kind, {"age": ages, **self.named})
        return ages

    @property
    def named(self) -> dict[str, Floats]:
        """The parameters by name."""
        return dict(zip(self.names, self.parameters, strict=True))

    def _set(self, *parameters: Floats) -> None:
        """Set the parameters, in the order of `names`, once and for all."""
        kept = tuple(np.array(value) for value in parameters)
        for value in kept:
            value.flags.writeable = False
        object.__setattr__(self, "parameters", kept)

    def __repr__(self) -> str:
        shown = (
            f"{name}={value.item():.6g}" if value.ndim == 0 else f"{name}=array{value.shape}"
            for name, value in self.named.items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def fitting(kind: str, **parameters: Floats) -> tuple[Floats, ...]:
    """Return parameters whose shapes can be broadcast against each other."""
    together(kind, parameters)
    return tuple(parameters.values())


def one_pair(kind: str, **given: ArrayLike | None) -> dict[str, Floats]:
    """Return the pair of parameters that is given, checked: the first two, or the last two.

    All have to be above 0 but for `mu`, which is that of a logarithm.

    Raises
    ------
    StockError
        If neither pair is given, or parts of both.
    """
    names = list(given)
    chosen = {name: value for name, value in given.items() if value is not None}
    if list(chosen) not in (names[:2], names[2:]):
        found = ", ".join(chosen) or "nothing"
        raise StockError(
            f"{kind} lifetime: found {found}; give either {names[0]} and {names[1]}, "
            f"or {names[2]} and {names[3]}"
        )
    least = {"mu": -np.inf}
    pair = {
        name: parameter(kind, name, value, least.get(name, 0.0)) for name, value in chosen.items()
    }
    together(kind, pair)
    return pair


def representable(kind: str, given: dict[str, Floats], *results: Floats) -> None:
    """Check that parameters found from others are positive and finite floating-point numbers."""
    for result in results:
        wrong = ~(np.isfinite(result) & (result > 0))
        if wrong.any():
            first = np.unravel_index(int(wrong.argmax()), wrong.shape)
            found = ", ".join(
                f"{name} {np.broadcast_to(value, wrong.shape)[first]:g}"
                for name, value in given.items()
            )
            what = f"{kind} lifetime: too wide or too narrow to be computed with ({found})"
            raise refused(what, np.asarray(result), np.asarray(wrong))
