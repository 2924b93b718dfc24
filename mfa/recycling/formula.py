"""An indicator as a function of the flows: its value anywhere, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfa.balance.network import Floats
from mfa.recycling.indicators import DEFINITIONS, Definition, missing
from mfa.recycling.origin import Mixture, mix
from mfa.recycling.place import Place, Term


@dataclass(frozen=True, eq=False)
class Formula:
    """One ratio of sums of flows, and of shares of origins in them, at a place.

    Attributes
    ----------
    definition : Definition
    place : Place
    unknown_is : float
        What the metal of unknown origin is taken for: 1 for the origin asked for, else 0.
    """

    definition: Definition
    place: Place
    unknown_is: float = 0.0

    @cached_property
    def _terms(self) -> tuple[list[Term], list[Term]]:
        sets = self.place.sets
        return self.definition.above(sets), self.definition.below(sets)

    def value(self, x: Floats) -> float:
        """Return the ratio for the given flows, nan where there is nothing below."""
        above, below = (self._sum(terms, x) for terms in self._terms)
        return above / below if below > 0 else float("nan")

    def gradient(self, x: Floats) -> Floats:
        """Return how the ratio changes with each flow, shape (flows,)."""
        (above, up), (below, down) = ((self._sum(t, x), self._slope(t, x)) for t in self._terms)
        if below <= 0:
            return np.full(len(x), np.nan)
        return np.asarray((up - above / below * down) / below)

    def _mixtures(self, terms: list[Term], x: Floats) -> list[tuple[Term, Mixture | None]]:
        place, sets = self.place, self.place.sets
        extra = np.maximum(-place.additions, 0.0)
        for gap in np.flatnonzero(sets.discrepancies).tolist():
            end = sets.tail[gap] if x[gap] < 0 else sets.head[gap]
            extra[end] += abs(x[gap])
        return [
            (term, None if term.origin is None else mix(sets, term.origin, x, extra))
            for term in terms
        ]

    def _sum(self, terms: list[Term], x: Floats) -> float:
        return float(
            sum((self._weight(*pair) * x)[pair[0].flows].sum() for pair in self._mixtures(terms, x))
        )

    def _weight(self, term: Term, mixture: Mixture | None) -> Floats:
        if mixture is None:
            return np.ones(len(term.flows))
        return np.asarray(mixture.share + self.unknown_is * mixture.unknown)

    def _slope(self, terms: list[Term], x: Floats) -> Floats:
        sets, out = self.place.sets, np.zeros(len(x))
        for term, mixture in self._mixtures(terms, x):
            out[term.flows] += self._weight(term, mixture)[term.flows]
            if mixture is None or term.origin is None:
                continue
            mixed = np.flatnonzero(term.flows & term.origin.is_mixed)
            through = np.bincount(sets.tail[mixed], x[mixed], minlength=len(sets.imports))
            out += mixture.moved(through.astype(np.float64), self.unknown_is)[0]
        return out


def formulas(place: Place) -> list[Formula]:
    """Return every indicator that can be formed at a place.

    One in whose terms metal of unknown origin may be comes twice: as if it were none of the origin
    asked for, and as if it were all of it.
    """
    out = []
    for definition in DEFINITIONS:
        if missing(definition, place):
            continue
        plain = Formula(definition, place)
        out.append(plain)
        other = Formula(definition, place, 1.0)
        if not np.isclose(plain.value(place.x), other.value(place.x), rtol=1e-9, atol=0.0):
            out.append(other)
    return out
