"""A sum of flows: determined even where the flows in it are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from mfa.balance.network import Mask
from mfa.balance.sensitivities import sensitivities
from mfa.recycling.place import Place, Term
from mfa.recycling.polytope import Polytope
from mfa.recycling.ratio import influence


@dataclass(frozen=True, slots=True)
class Total:
    """Value and sd, or where undetermined only low and high, in the system's unit.

    An end without a limit is nan. ``assumed`` is the share of the variance that stems from
    assumptions; nan if undetermined.
    """

    value: float
    sd: float
    low: float
    high: float
    assumed: float


def total(flows: Mask, place: Place) -> Total:
    """Return the sum of some flows.

    Parameters
    ----------
    flows : array of bool, shape (flows,)
        At least one of them has a row in this substance and year.
    place : Place
        Substance and year.
    """
    balance = place.balance
    coefficients = place.spread(flows.astype(float))
    numbers = np.flatnonzero(coefficients)
    step = float(balance.model.variables["step"].to_numpy(dtype=np.float64)[numbers[0]])
    if place.moves(coefficients):
        terms = [Term(flows & place.there)]
        polytope = Polytope(place, terms, {})
        ends = polytope.extremes(polytope.total(terms))
        values = [end.value / step for end in ends or ()]
        low, high = (value if np.isfinite(value) else np.nan for value in values)
        return Total(np.nan, np.nan, low, high, np.nan)
    found = balance.bounded.estimate
    row = sp.csr_array(sp.csr_array(coefficients[numbers][None, :]) @ sensitivities(found, numbers))
    sd = float(np.sqrt(max(found.propagate(row)[0, 0], 0.0))) / step
    value = float(coefficients @ found.x) / step
    floor, ceiling = (
        float(ends[numbers].sum()) / step
        for ends in (balance.model.equations.lower, balance.model.equations.upper)
    )
    share = float(influence(place, row)[0][balance.is_assumption[found.structure.data]].sum())
    low = max(value - 1.96 * sd, min(floor, value))
    high = min(value + 1.96 * sd, max(ceiling, value))
    return Total(value, sd, low, high, share)
