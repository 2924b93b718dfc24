"""Sums and ratios of results: value and sd where determined, else a range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import scipy.sparse as sp

from mfa.balance.bounds import tolerances
from mfa.balance.fractional import homogeneous
from mfa.balance.items import Item, find_numbers
from mfa.balance.network import Floats
from mfa.balance.programme import Programme
from mfa.balance.sensitivities import sensitivities
from mfa.errors import MFAError

if TYPE_CHECKING:
    from mfa.balance.result import Balance

Combination = Mapping[Item, float]
_DETERMINED = 1e-8
_NOTHING = 1e-9
_ROUNDING = 1e-12
_REACH = 1.96


@dataclass(frozen=True)
class Quantity:
    """A number made from results.

    Attributes
    ----------
    value, sd : float
        nan where undetermined.
    low, high : float
        value ± 1.96 sd, as far as limits of the terms allow; where undetermined, what is possible.
        ∓inf where there is no limit.
    status : {"fixed", "calculated", "undetermined"}
        Fixed if nothing uncertain is in it.
    """

    value: float
    sd: float
    low: float
    high: float
    status: Literal["fixed", "calculated", "undetermined"]


def coefficients(balance: Balance, terms: Combination | Item) -> Floats:
    """Return the factor of every variable in mass per step, shape (n,)."""
    named = terms if isinstance(terms, Mapping) else {terms: 1.0}
    if not named:
        raise MFAError("a combination needs at least one item")
    numbers = find_numbers(balance.model, named)
    factors = np.array([float(factor) for factor in named.values()])
    if not np.isfinite(factors).all():
        raise MFAError("the factors of a combination have to be numbers")
    steps = balance.model.variables["step"].to_numpy(dtype=np.float64)
    out = np.zeros(len(steps))
    np.add.at(out, numbers, factors / steps[numbers])
    return out


def linear(balance: Balance, terms: Combination | Item) -> Quantity:
    """Return Σ factor × item; see `Balance.linear`."""
    factors = coefficients(balance, terms)
    equations, x = balance.model.equations, balance.bounded.estimate.x
    value = float(factors @ x)
    if moves(balance, factors):
        return Quantity(np.nan, np.nan, *_Room(balance, factors).extremes(factors), "undetermined")
    sd = _sd(balance, factors)
    some = np.flatnonzero(factors)
    ends = factors[some, None] * np.column_stack([equations.lower, equations.upper])[some]
    low, high = float(ends.min(axis=1).sum()), float(ends.max(axis=1).sum())
    low = min(max(value - _REACH * sd, low), value)
    high = max(min(value + _REACH * sd, high), value)
    return Quantity(value, sd, low, high, "calculated" if sd else "fixed")


def ratio(balance: Balance, above: Combination | Item, below: Combination | Item) -> Quantity:
    """Return one combination divided by another; see `Balance.ratio`."""
    top, bottom = coefficients(balance, above), coefficients(balance, below)
    x = balance.bounded.estimate.x
    whole = float(bottom @ x)
    if abs(whole) > _NOTHING * float(np.abs(bottom) @ np.abs(x)):
        value = float(top @ x) / whole
        change = top - value * bottom
        if not moves(balance, change, np.abs(top) + abs(value) * np.abs(bottom)):
            sd = _sd(balance, change) / abs(whole)
            reach = value - _REACH * sd, value + _REACH * sd
            return Quantity(value, sd, *reach, "calculated" if sd else "fixed")
    room = _Room(balance, np.abs(top) + np.abs(bottom))
    ends = room.extremes(bottom)
    if ends[1] <= _NOTHING * room.scale:
        top, bottom, ends = -top, -bottom, (-ends[1], -ends[0])
    if ends[1] <= _NOTHING * room.scale:
        raise MFAError(f"the denominator {below!r} can only be 0")
    return Quantity(np.nan, np.nan, *room.extremes(top, bottom), "undetermined")


def moves(balance: Balance, factors: Floats, size: Floats | None = None) -> bool:
    """Return whether what is undetermined can change Σ factor × variable.

    Parameters
    ----------
    balance : Balance
    factors : array, shape (n,)
    size : array, shape (n,), optional
        What the factors are differences of, for their rounding.
    """
    size = np.abs(factors) if size is None else size
    whole = np.abs(factors @ balance.wander)
    return bool((whole > _DETERMINED * (size @ np.abs(balance.wander))).any())


def many(
    balance: Balance, rows: sp.csr_array, size: sp.csr_array | None = None
) -> tuple[Floats, Floats]:
    """Return value and sd of many combinations, nan where they are undetermined.

    Parameters
    ----------
    balance : Balance
    rows : sparse array, shape (k, n)
        Factors of the variables in mass per step.
    size : sparse array, shape (k, n), optional
        What the factors are differences of, for their rounding.
    """
    found = balance.bounded.estimate
    size = abs(rows) if size is None else size
    value = np.asarray(rows @ found.x)
    numbers = np.unique(rows.indices).astype(np.int64)
    by_data = sp.csr_array(rows[:, numbers] @ sensitivities(found, numbers))
    sd = np.sqrt(np.maximum(found.variances(by_data), 0.0))
    rounding = size @ tolerances(found.structure.equations, found.x)
    sd[sd <= 1e-3 * rounding] = 0.0
    moved = np.abs(rows @ balance.wander) > _DETERMINED * (size @ np.abs(balance.wander))
    loose = moved.any(axis=1)
    value[loose], sd[loose] = np.nan, np.nan
    return value, sd


def _sd(balance: Balance, factors: Floats) -> float:
    """Return the sd of a determined combination; 0 where nothing but rounding is left."""
    found = balance.bounded.estimate
    numbers = np.flatnonzero(factors)
    if not len(numbers):
        return 0.0
    rows = sp.csr_array(factors[None, numbers]) @ sensitivities(found, numbers)
    sd = float(np.sqrt(max(float(found.propagate(sp.csr_array(rows))[0, 0]), 0.0)))
    rounding = np.abs(factors) @ tolerances(found.structure.equations, found.x)
    return sd if sd > 1e-3 * rounding else 0.0


class _Room:
    """What the undetermined variables of combinations can be, all others held at their results.

    Parameters
    ----------
    balance : Balance
    factors : array, shape (n,)
        Nonzero for the variables that will be asked for.
    """

    def __init__(self, balance: Balance, factors: Floats) -> None:
        held, n = balance.held, balance.model.equations.n
        self._x = np.concatenate([balance.bounded.estimate.x, np.zeros(held.n - n)])
        used = np.concatenate([factors != 0, np.zeros(held.n - n, dtype=bool)])
        parts = [block.members for block in balance.blocks if used[block.members].any()]
        self._members = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        self._x[self._members] = 0.0
        columns = sp.csc_array(held.matrix[:, self._members])
        rows = np.unique(columns.indices)
        lines = sp.csr_array(held.matrix)[rows]
        right = np.concatenate([np.zeros(held.n_nodes), held.right])[rows]
        known = lines @ self._x - right
        known[np.abs(known) <= _ROUNDING * (abs(lines) @ np.abs(self._x) + np.abs(right))] = 0.0
        low, high = held.lower[self._members], held.upper[self._members]
        numbers = np.abs(np.concatenate([known, low, high]))
        self.scale = float(numbers[np.isfinite(numbers)].max(initial=0.0)) or 1.0
        self._matrix = sp.csr_array(columns)[rows]
        self._known = known / self.scale
        self._low, self._high = low / self.scale, high / self.scale

    def extremes(self, top: Floats, bottom: Floats | None = None) -> tuple[float, float]:
        """Return the smallest and largest top·x, or top·x / bottom·x where that is above 0."""
        one = np.zeros(len(self._members)) if bottom is None else bottom[self._members]
        constant = 1.0 if bottom is None else float(bottom @ self._x[: len(bottom)]) / self.scale
        programme = homogeneous(self._matrix, self._known, self._low, self._high, one, constant)
        objective = np.zeros(len(programme.low))
        objective[: len(self._members)] = top[self._members]
        objective[len(self._members)] = float(top @ self._x[: len(top)]) / self.scale
        size = self.scale if bottom is None else 1.0
        return tuple(size * _end(programme, objective, sign) for sign in (1.0, -1.0))  # type: ignore[return-value]


def _end(programme: Programme, objective: Floats, sign: float) -> float:
    """Return the smallest (sign 1) or largest (−1) value, ∓inf where there is no limit."""
    found = programme.surely_minimise(sign * objective)
    return float(objective @ found.x) if found.status == "optimal" else -sign * np.inf
