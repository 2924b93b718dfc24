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
_TOGETHER = 64  # ratios whose uncertainty is worked out at once

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


@dataclass(frozen=True, eq=False)
class Ratio:
    """Σ of the terms above over Σ of the terms below.

    Attributes
    ----------
    above, below : list of Term
        Numerator and denominator; nothing below stands for 1.
    others : sequence of list of Term
        Further numerators, as possible as the first.
    span : tuple of float
        What an interval around the value is cut to, unless the value is beyond.
    """

    above: list[Term]
    below: list[Term]
    others: Sequence[list[Term]] = ()
    span: tuple[float, float] = (0.0, 1.0)


def evaluate(ratios: Sequence[Ratio], place: Place) -> list[Result]:
    """Return what some ratios are in one substance and year.

    What is of unknown origin may be of any: it is counted as each of the origins asked for in
    turn, and as none of them.
    """
    out = []
    for start in range(0, len(ratios), _TOGETHER):
        some = ratios[start : start + _TOGETHER]
        found = [_found(one, place) for one in some]
        sds, shares = _uncertainty([end for ends in found for end in _outer(ends)], place)
        at = 0
        for one, ends in zip(some, found, strict=True):
            end = at + 2 * bool(ends)
            out.append(_result(ends, one.span, sds[at:end], shares[at:end]))
            at = end
    return out


def is_determined(ratio: Ratio, place: Place) -> bool:
    """Return whether a ratio has a value."""
    ends = _found(ratio, place)
    return bool(ends) and _meet(*_outer(ends))


def _found(ratio: Ratio, place: Place) -> list[_Ends]:
    """Return the ends of a ratio under every assumption; none if it cannot be formed."""
    out = []
    for above in (ratio.above, *ratio.others):
        for tracings in _assumptions(above, ratio.below, place):
            top, bottom = (_linear(terms, place, tracings) for terms in (above, ratio.below))
            if top is not None and bottom is not None:
                one = bottom if ratio.below else End(1.0, np.zeros(len(bottom.gradient)))
                out.append(_quotient(top, one))
            else:
                out.append(_limits(above, ratio.below, place, tracings))
    return [ends for ends in out if ends is not None]


def _outer(ends: list[_Ends]) -> list[End]:
    """Return the least and the greatest end, nothing of nothing."""
    if not ends:
        return []
    low = min((each.low for each in ends), key=lambda end: end.value)
    return [low, max((each.high for each in ends), key=lambda end: end.value)]


def _meet(low: End, high: End) -> bool:
    return high.value - low.value <= _SAME * max(1.0, abs(high.value)) < np.inf


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


def _uncertainty(ends: list[End], place: Place) -> tuple[Floats, Floats]:
    """Return the sd of determined ends, and the share of each datum in it, shape (ends, data)."""
    estimate = place.balance.bounded.estimate
    used = [np.flatnonzero(end.gradient) for end in ends]
    numbers, at = np.unique(np.concatenate([np.zeros(0, np.int64), *used]), return_inverse=True)
    starts = np.cumsum([0, *(len(some) for some in used)])
    factors = [end.gradient[some] for end, some in zip(ends, used, strict=True)]
    shape = len(ends), len(numbers)
    by_number = sp.csr_array((np.concatenate([np.zeros(0), *factors]), at, starts), shape=shape)
    rows = sp.csr_array((len(ends), len(estimate.structure.data)))
    if rows.shape[1] and len(numbers):
        rows = sp.csr_array(by_number @ sensitivities(estimate, numbers))
    return np.sqrt(np.maximum(estimate.variances(rows), 0.0)), influence(place, rows)


def _result(ends: list[_Ends], span: tuple[float, float], sds: Floats, shares: Floats) -> Result:
    """Return value and sd where both ends meet, the range otherwise."""
    most = shares.max(axis=0, initial=0.0)
    if not ends:
        return Result(np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, most)
    low, high = _outer(ends)
    top, bottom = (
        values[0] if len(set(values)) == 1 else np.nan
        for values in ([e.numerator for e in ends], [e.denominator for e in ends])
    )
    if not _meet(low, high):
        return Result(np.nan, np.nan, low.value, high.value, top, bottom, most)
    value, sd = low.value, float(sds[0])
    least, greatest = min(span[0], value), span[1] if value <= span[1] else np.inf
    reach = max(value - 1.96 * sd, least), min(value + 1.96 * sd, greatest)
    return Result(value, sd, *reach, top, bottom, most)


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
