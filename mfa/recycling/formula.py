"""An indicator as a function of the flows: its value anywhere, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mfa.balance.network import Floats
from mfa.recycling.definitions import Definition
from mfa.recycling.indicators import DEFINITIONS, missing
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
    other : int
        Which of the definition's numerators is counted: 0 the first, 1 … the others.
    """

    definition: Definition
    place: Place
    unknown_is: float = 0.0
    other: int = 0

    @cached_property
    def _terms(self) -> tuple[list[Term], list[Term]]:
        above = (self.definition.above, *self.definition.others)[self.other]
        return above(self.place), self.definition.below(self.place)

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
        """Return the sum of some terms; stocks in it stay as they are."""
        total = 0.0
        for term, mixture in self._mixtures(terms, x):
            flows = (self._weight(term, mixture) * x)[term.flows].sum()
            total += term.factor * float(flows + self.place.point[term.also].sum())
        return total

    def _weight(self, term: Term, mixture: Mixture | None) -> Floats:
        if mixture is None:
            return np.ones(len(term.flows))
        return np.asarray(mixture.share + self.unknown_is * mixture.unknown)

    def _slope(self, terms: list[Term], x: Floats) -> Floats:
        sets, out = self.place.sets, np.zeros(len(x))
        for term, mixture in self._mixtures(terms, x):
            out[term.flows] += term.factor * self._weight(term, mixture)[term.flows]
            if mixture is None or term.origin is None:
                continue
            mixed = np.flatnonzero(term.flows & term.origin.is_mixed)
            through = np.bincount(sets.tail[mixed], x[mixed], minlength=len(sets.imports))
            moved = mixture.moved(through.astype(np.float64), self.unknown_is)[0]
            out += term.factor * moved
        return out


def formulas(place: Place) -> list[Formula]:
    """Return every rate that can be formed at a place; what has nothing below is none.

    One in whose terms metal of unknown origin may be comes twice: as if it were none of the origin
    asked for, and as if it were all of it. One with several possible numerators comes with each.
    """
    out = []
    for definition in DEFINITIONS:
        if missing(definition, place) or not definition.below(place):
            continue
        for other in range(1 + len(definition.others)):
            plain = Formula(definition, place, 0.0, other)
            if np.isfinite(plain.value(place.x)):
                out.append(plain)
            whole = Formula(definition, place, 1.0, other)
            if not np.isclose(plain.value(place.x), whole.value(place.x), rtol=1e-9, atol=0.0):
                out.append(whole)
    return out
