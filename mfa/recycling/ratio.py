"""A ratio of sums of flows: its value and sd where it is determined, its range where it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from mfa.balance.covariance import sensitivities
from mfa.balance.network import Floats
from mfa.recycling.origin import mix
from mfa.recycling.place import Place, Term
from mfa.recycling.polytope import Polytope

_DETERMINED = 1e-7


@dataclass(frozen=True, eq=False)
class Result:
    """Outcome: value and sd, or low and high; numerator and denominator where determined.

    ``influence`` is the share of the variance that stems from each datum, shape (data,); for a
    range, the largest such share in any of the determined numbers that it is computed from.
    """

    value: float
    sd: float
    low: float
    high: float
    numerator: float
    denominator: float
    influence: Floats


def _linear(term: Term, place: Place) -> Floats | None:
    """Return the coefficients of a term by flow, or None if it needs a mixture."""
    weight = (term.flows & place.there).astype(float)
    if term.origin is None:
        return weight
    share = term.origin.share
    if np.any(term.flows & place.there & (share < 0)):
        return None
    return np.asarray(weight * np.maximum(share, 0.0))


def moves(coefficients: Floats, place: Place) -> bool:
    """Return whether undetermined variables can change Σ coefficient × variable."""
    each = coefficients[:, None] * place.wander
    size = np.abs(each).sum(axis=0).max(initial=0.0)
    return bool(size > 0 and np.abs(each.sum(axis=0)).max() > _DETERMINED * size)


def _mixture(terms: list[Term], place: Place) -> tuple[Floats, float, float] | None:
    """Return gradient by variable, value and unknown part of Σ share × flow, all flows being known.

    None if some flow that the mixture depends on is undetermined.
    """
    gradient, value, unknown = np.zeros(len(place.sets.tail)), 0.0, 0.0
    for term in terms:
        plain = _linear(term, place)
        if plain is not None:
            gradient += plain
            value += float(plain @ place.x)
            continue
        assert term.origin is not None
        near = place.there & (term.origin.lane[place.sets.head] | term.origin.is_mixed)
        if place.loose[place.number[near]].any():
            return None
        mixture = mix(place.sets, term.origin, place.x)
        counted = term.flows & place.there
        gradient += mixture.gradient(counted)
        value += float((mixture.share * place.x)[counted].sum())
        unknown += float((mixture.unknown * place.x)[counted].sum())
    return place.spread(gradient), value, unknown


def evaluate(above: list[Term], below: list[Term], place: Place) -> Result:
    """Return Σ of the terms above over Σ of the terms below.

    Parameters
    ----------
    above, below : list of Term
        Numerator and denominator.
    place : Place
        Substance and year.
    """
    top, bottom = _mixture(above, place), _mixture(below, place)
    if top is None or bottom is None:
        return _range(above, below, place)
    if moves(top[0], place) or moves(bottom[0], place):
        return _range(above, below, place)
    (of_top, n, open_n), (of_bottom, d, open_d) = top, bottom
    if d <= 0:
        nothing = np.zeros(len(place.balance.bounded.estimate.structure.data))
        return Result(np.nan, np.nan, np.nan, np.nan, n, d, nothing)
    gradient = (of_top - n / d * of_bottom) / d
    found = place.balance.bounded.estimate
    numbers = np.flatnonzero(gradient)
    row = sp.csr_array(gradient[numbers][None, :]) @ sensitivities(found, numbers)
    variance = max(float(found.propagate(sp.csr_array(row))[0, 0]), 0.0)
    sd, value = np.sqrt(variance), n / d
    shares = influence(place, sp.csr_array(row))[0]
    if open_n > 0 or open_d > 0:
        high = min((n + open_n) / d, 1.0)
        return Result(np.nan, np.nan, n / (d + open_d), high, np.nan, d, shares)
    return _settled(value, float(sd), n, d, shares)


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


def _range(above: list[Term], below: list[Term], place: Place) -> Result:
    """Return what the ratio can be with every determined quantity held at its result.

    Where both ends meet, the ratio is determined although the flows in it are not.
    """
    polytope = Polytope(place, [*above, *below])
    low, high = polytope.extremes(polytope.total(above), polytope.total(below))
    numbers = np.flatnonzero((low.gradient != 0) | (high.gradient != 0))
    gradients = sp.csr_array(np.vstack([low.gradient, high.gradient])[:, numbers])
    found = place.balance.bounded.estimate
    rows = sp.csr_array(gradients @ sensitivities(found, numbers))
    shares = influence(place, rows).max(axis=0, initial=0.0)
    if high.value - low.value <= _DETERMINED * max(1.0, abs(high.value)):
        sd = np.sqrt(max(float(found.propagate(rows)[0, 0]), 0.0))
        return _settled(low.value, float(sd), np.nan, np.nan, shares)
    return Result(np.nan, np.nan, low.value, high.value, np.nan, np.nan, shares)


def _settled(value: float, sd: float, top: float, bottom: float, shares: Floats) -> Result:
    """Return a determined share, its interval cut at 0 and 1."""
    low, high = max(value - 1.96 * sd, 0.0), min(value + 1.96 * sd, max(value, 1.0))
    return Result(value, sd, low, high, top, bottom, shares)
