"""How well something is known: what a survey is to sharpen, and how well it is known by now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats
from mfa.recycling.definitions import Definition
from mfa.recycling.indicators import formed, missing
from mfa.recycling.place import Place
from mfa.recycling.polytope import Polytope
from mfa.recycling.posterior import Known, Settled
from mfa.recycling.ratio import slope
from mfa.recycling.tracing import Tracing

_LESS = 1e-6
_DIGITS = 9
_LITTLE = 1e-5


@dataclass(frozen=True)
class Standing:
    """How well something is known at one point of a survey.

    Attributes
    ----------
    key : tuple of float
        What counts first, then what counts next: the smaller, the better; near 1.
    settled : bool
        Whether only errors of determined numbers are left.
    width, sd : float
        As told to the user.
    open : int
        Undetermined losses that may be the worst; −1 where no ranking is asked for.
    """

    key: tuple[float, ...]
    settled: bool
    width: float
    sd: float
    open: int = -1

    @property
    def rank(self) -> tuple[float, ...]:
        """Key without what rounding may decide."""
        return tuple(round(each, _DIGITS) for each in self.key)

    def is_better_than(self, other: Standing) -> bool:
        """Return whether more is known, by more than rounding."""
        for mine, its in zip(self.key, other.key, strict=True):
            if mine < its * (1 - _LESS / 2):
                return True
            if mine > its * (1 + _LESS / 2):
                return False
        return False


@dataclass(frozen=True)
class Sharp:
    """Determined combinations that tell how well something is known, by their variances.

    Attributes
    ----------
    rows : sparse array, shape (k, variables)
    judge : callable
        Returns the standing that k variances make.
    chance : callable
        Returns the probability that the first is the worst, from the covariance of the rows; nan
        where there is no ranking.
    """

    rows: sp.csr_array
    judge: Callable[[Floats], Standing]
    chance: Callable[[Floats], float] = lambda _: float("nan")


class Aim(Protocol):
    """What is to be known better."""

    @property
    def unit(self) -> str:
        """Unit of width and sd."""
        ...

    def standing(self, settled: Settled) -> Standing:
        """Return how well it is known once some numbers are settled."""
        ...

    def ranges(self, settled: Settled) -> Callable[[int], tuple[float, float] | None]:
        """Return what tells the range of an undetermined variable; None if it is of no concern."""
        ...

    def sharp(self, settled: Settled) -> Sharp | None:
        """Return the determined combinations it rests on, None if there are none."""
        ...


@dataclass(frozen=True)
class IndicatorAim:
    """An indicator: the width of its range, then its sd."""

    definition: Definition
    place: Place

    @property
    def unit(self) -> str:
        """Unit of width and sd."""
        return self.definition.unit or self.place.balance.system.unit

    @property
    def is_formed(self) -> bool:
        """Whether nothing that it is made of is missing."""
        return not missing(self.definition, self.place)

    @property
    def _size(self) -> float:
        """A mass per step is told per year."""
        return 1.0 if self.definition.below(self.place) else 1.0 / self.place.step

    def standing(self, settled: Settled) -> Standing:
        """Return the width of its range or its sd once some numbers are settled."""
        found = formed(self.definition, settled.place)
        if not np.isfinite(found.value) and found.high - found.low > 0:
            width = self._size * (found.high - found.low)
            return Standing((width, 0.0), False, width, float("nan"))
        sharp = self.sharp(settled)
        if np.isnan(found.low) or sharp is None:
            return Standing((0.0, 0.0), True, found.high - found.low, float("nan"))
        return sharp.judge(Known(settled, sharp.rows).variances)

    def ranges(self, settled: Settled) -> Callable[[int], tuple[float, float] | None]:
        """Return what tells the range of an undetermined variable that it depends on."""
        place = settled.place
        terms = [*self.definition.above(place), *self.definition.below(place)]
        origins = [term.origin for term in terms if term.origin is not None]
        polytope = Polytope(place, terms, {o.name: Tracing(place, o) for o in origins})

        def ends(number: int) -> tuple[float, float] | None:
            if not polytope.contains(number):
                return None
            return polytope.range_of(number) if settled.steps else limits(place, number)

        return ends

    def sharp(self, settled: Settled) -> Sharp | None:
        """Return its gradient, None where it is not determined."""
        gradient = self._gradient(settled)
        if gradient is None:
            return None

        def judge(variances: Floats) -> Standing:
            sd = float(np.sqrt(variances[0]))
            return Standing((0.0, sd), True, 0.0, sd)

        return Sharp(sp.csr_array(self._size * gradient[None, :]), judge)

    def _gradient(self, settled: Settled) -> Floats | None:
        """Return how the determined indicator changes with every variable.

        What a programme does not tell, the change with the items that are held, is had by moving
        them a little.
        """
        definition, place = self.definition, settled.place
        found = slope(definition.above(place), definition.below(place), place)
        if found is None or found[1]:
            return None if found is None else found[0]
        gradient = found[0].copy()
        for number, _, _ in settled.steps:
            value = float(place.space.lower[number])
            move = _LITTLE * (abs(value) + float(np.abs(place.x).max()))
            ends = [formed(definition, _moved(place, number, value + s * move)) for s in (1, -1)]
            up, down = ((end.low + end.high) / 2 for end in ends)
            gradient[number] = (up - down) / (2 * move)
        return gradient


def _moved(place: Place, number: int, value: float) -> Place:
    """Return a place where a held item has another value."""
    lower, upper = place.space.lower.copy(), place.space.upper.copy()
    lower[number] = upper[number] = value
    return replace(place, space=replace(place.space, lower=lower, upper=upper))


def limits(place: Place, number: int) -> tuple[float, float]:
    """Return the range of a variable before anything is settled, in mass per step."""
    low, high = place.balance.limits
    step = place.step_of(number)
    return float(low[number]) * step, float(high[number]) * step
