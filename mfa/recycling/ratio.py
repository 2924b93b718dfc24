"""A ratio of sums of flows: its value and sd where it is determined, its range where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Floats
from mfa.balance.sensitivities import sensitivities
from mfa.recycling.place import Place, Term
from mfa.recycling.polytope import End, Polytope
from mfa.recycling.tracing import Tracing

_SAME = 1e-8

Tracings = Mapping[str, Tracing]


@dataclass(frozen=True, eq=False)
class Result:
    """Outcome: value and sd, or low and high; numerator and denominator where determined.

    Ends without a limit are ∓inf. ``influence`` is the share of the variance that stems from each
    datum, shape (data,); for a range, the largest such share in any of the determined numbers that
    it is computed from.
    """

    value: float
    sd: float
    low: float
    high: float
    numerator: float
    denominator: float
    influence: Floats


@dataclass(frozen=True, eq=False)
class _Ends:
    """Least and greatest ratio; numerator and denominator where both are determined."""

    low: End
    high: End
    numerator: float = np.nan
    denominator: float = np.nan


def evaluate(
    above: list[Term],
    below: list[Term],
    place: Place,
    others: Sequence[list[Term]] = (),
    span: tuple[float, float] = (0.0, 1.0),
) -> Result:
    """Return Σ of the terms above over Σ of the terms below.

    What is of unknown origin may be of any: it is counted as each of the origins asked for in
    turn, and as none of them.

    Parameters
    ----------
    above, below : list of Term
        Numerator and denominator; nothing below stands for 1.
    place : Place
        Substance and year.
    others : sequence of list of Term
        Further numerators, as possible as the first.
    span : tuple of float
        What an interval around the value is cut to, unless the value is beyond.
    """
    found = []
    for top_terms in (above, *others):
        for tracings in _assumptions(top_terms, below, place):
            top, bottom = (_linear(terms, place, tracings) for terms in (top_terms, below))
            if top is not None and bottom is not None:
                one = End(1.0, np.zeros(len(bottom.gradient)))
                found.append(_quotient(top, bottom if below else one))
            else:
                found.append(_limits(top_terms, below, place, tracings))
    kept = [ends for ends in found if ends is not None]
    if not kept:
        nothing = np.zeros(len(place.balance.bounded.estimate.structure.data))
        return Result(np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, nothing)
    low = min((ends.low for ends in kept), key=lambda end: end.value)
    high = max((ends.high for ends in kept), key=lambda end: end.value)
    return _result(low, high, kept, place, span)


def _assumptions(above: list[Term], below: list[Term], place: Place) -> list[dict[str, Tracing]]:
    """Return tracings for each assumption of what the metal of unknown origin may be."""
    terms = [*above, *below]
    origins = {term.origin.name: term.origin for term in terms if term.origin is not None}
    plain = {name: Tracing(place, origin) for name, origin in origins.items()}
    out = [plain]
    for chosen, tracing in plain.items():
        flows = np.any([t.flows for t in terms if t.origin is not None], axis=0)
        if tracing.depends_on_unknown(flows):
            out.append(plain | {chosen: Tracing(place, tracing.origin, 1.0)})
    return out


def _linear(terms: list[Term], place: Place, tracings: Tracings) -> End | None:
    """Return the value of a sum and its gradient by variable, None if it is not determined."""
    coefficients = np.zeros(len(place.loose))
    mixing = np.zeros(len(place.loose))
    for term in terms:
        weight = term.flows.astype(float)
        if term.origin is not None:
            tracing = tracings[term.origin.name]
            weight[term.flows] *= tracing.share[term.flows]
            mixed = np.flatnonzero(term.flows & term.origin.is_mixed)
            through = np.zeros(len(place.change))
            np.add.at(through, place.sets.tail[mixed], place.x[mixed])
            if not np.isnan(weight).any():
                mixing += term.factor * tracing.gradient(through)
        coefficients += term.factor * place.spread(weight)
        coefficients[term.also] += term.factor
    if np.isnan(coefficients).any() or place.moves(coefficients):
        return None
    value = float(coefficients @ place.point[: len(coefficients)])
    return End(value, coefficients + mixing)


def _quotient(top: End, bottom: End) -> _Ends | None:
    if bottom.value <= 0:
        return None
    value = top.value / bottom.value
    end = End(value, (top.gradient - value * bottom.gradient) / bottom.value)
    return _Ends(end, end, top.value, bottom.value)


def _limits(above: list[Term], below: list[Term], place: Place, tracings: Tracings) -> _Ends | None:
    """Return what the ratio can be with every determined quantity held at its result."""
    polytope = Polytope(place, [*above, *below], tracings)
    ends = polytope.extremes(polytope.total(above), polytope.total(below) if below else None)
    return None if ends is None else _Ends(*ends)


def slope(above: list[Term], below: list[Term], place: Place) -> tuple[Floats, bool] | None:
    """Return how a ratio changes with every variable, None where it is not determined.

    The second tells whether undetermined variables are among them. Where only a programme tells
    that both ends of the range meet, they are not: the ends are held by them.
    """
    tracings = _assumptions(above, below, place)[0]
    top, bottom = (_linear(terms, place, tracings) for terms in (above, below))
    if top is not None and bottom is not None:
        ends = _quotient(top, bottom if below else End(1.0, np.zeros(len(bottom.gradient))))
        return None if ends is None else (ends.low.gradient, True)
    ends = _limits(above, below, place, tracings)
    return None if ends is None else (ends.low.gradient, False)


def _result(
    low: End, high: End, found: list[_Ends], place: Place, span: tuple[float, float]
) -> Result:
    """Return value and sd where both ends meet, the range otherwise."""
    gradients = np.vstack([low.gradient, high.gradient])
    numbers = np.flatnonzero(gradients.any(axis=0))
    estimate = place.balance.bounded.estimate
    data = len(estimate.structure.data)
    rows = sp.csr_array((2, data))
    if data:
        rows = sp.csr_array(sp.csr_array(gradients[:, numbers]) @ sensitivities(estimate, numbers))
    shares = influence(place, rows).max(axis=0, initial=0.0)
    top, bottom = (
        values[0] if len(set(values)) == 1 else np.nan
        for values in ([e.numerator for e in found], [e.denominator for e in found])
    )
    width = high.value - low.value
    if width == np.inf or width > _SAME * max(1.0, abs(high.value)):
        return Result(np.nan, np.nan, low.value, high.value, top, bottom, shares)
    value = low.value
    sd = np.sqrt(max(float(estimate.propagate(rows)[0, 0]), 0.0))
    least, most = min(span[0], value), span[1] if value <= span[1] else np.inf
    ends = max(value - 1.96 * sd, least), min(value + 1.96 * sd, most)
    return Result(value, float(sd), *ends, top, bottom, shares)


def influence(place: Place, rows: sp.csr_array) -> Floats:
    """Return the share of each row's variance that stems from each datum, shape (rows, data).

    With C the covariance of the results, row h has ∂/∂y_k = (hC)_k / w_k.
    """
    found = place.balance.bounded.estimate
    weights = found.weights
    spread = (rows @ sp.diags_array(weights)).toarray()
    if found.factor is not None:
        seen = found.structure.reduced @ spread.T
        spread = spread - (found.structure.reduced.T @ found.factor.solve(seen)).T * weights
    part = spread**2 / weights
    whole = part.sum(axis=1, keepdims=True)
    out: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return out
