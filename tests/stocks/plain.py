"""The obvious way to do what mfa.stocks does: SciPy's distributions, and loops over cohorts."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

import mfa

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@cache
def scipy_distribution(kind: type[mfa.Lifetime], own: tuple[float, ...]) -> Any:
    """Return SciPy's distribution of a lifetime with single parameters."""
    if kind is mfa.Normal:
        return stats.norm(*own)
    if kind is mfa.FoldedNormal:
        return stats.foldnorm(own[0] / own[1], scale=own[1])
    if kind is mfa.LogNormal:
        return stats.lognorm(own[1], scale=math.exp(own[0]))
    return {mfa.Weibull: stats.weibull_min, mfa.Gamma: stats.gamma}[kind](own[0], scale=own[1])


def frozen(life: mfa.Lifetime, index: tuple[int, ...] = (), shape: tuple[int, ...] = ()) -> Any:
    """Return SciPy's distribution for one entry of a lifetime's parameters."""
    own = (np.broadcast_to(value, shape)[index] for value in life.parameters)
    return scipy_distribution(type(life), tuple(map(float, own)))


class Ageing(NamedTuple):
    """S as a function of ages, and the ages between which it is smooth."""

    share: Callable[[Any], Any]
    bends: np.ndarray

    def years(self, young: float, old: float) -> float:
        """Return the integral of S between two ages, by Gauss's rule on panels."""
        between = self.bends[(self.bends > young) & (self.bends < old)]
        edges = np.concatenate([[young], between, [old]])
        half = np.diff(edges)[:, None] / 2
        ages = edges[:-1, None] + half * (1 + _NODES)
        return math.fsum((_WEIGHTS * half * self.share(ages)).ravel())

    def in_use(self, at: float, opened: float, closed: float, inflow_at: str) -> float:
        """Return the share in use at `at` of what entered from `opened` to `closed`."""
        if inflow_at == "spread":
            return self.years(at - closed, at - opened) / (closed - opened)
        entered = {"start": opened, "middle": (opened + closed) / 2, "end": closed}[inflow_at]
        return float(self.share(at - entered))


def ageing(life: mfa.Lifetime, index: tuple[int, ...] = (), shape: tuple[int, ...] = ()) -> Ageing:
    """Return how one cohort of one series ages."""
    if isinstance(life, mfa.Fixed):
        mean = float(np.broadcast_to(life.mean, shape)[index])
        return Ageing(lambda age: np.where(np.asarray(age) < mean, 1.0, 0.0), np.array([mean]))
    distribution = frozen(life, index, shape)
    around = distribution.mean() + distribution.std() * np.linspace(-12, 12, 97)
    towards_0 = distribution.mean() * 2.0 ** -np.arange(70)
    return Ageing(distribution.sf, np.unique(np.concatenate([towards_0, around])))


def cohorts(
    years: list[float],
    inflow: np.ndarray,
    life: mfa.Lifetime,
    inflow_at: str,
    initial: np.ndarray | None = None,
) -> np.ndarray:
    """Return the stock by year and cohort, initial ones first, of any number of series."""
    steps = [years[1] - years[0] if len(years) > 1 else 1.0]
    steps += [b - a for a, b in pairwise(years)]
    old = 0 if initial is None else len(initial)
    out = np.zeros((len(years), old + len(years), *inflow.shape[1:]))
    for series in np.ndindex(*inflow.shape[1:]):
        for c, (year, step) in enumerate(zip(years, steps, strict=True)):
            own = ageing(life, (c, *series), inflow.shape)
            for t in range(c, len(years)):
                left = own.in_use(years[t], year - step, year, inflow_at)
                out[(t, old + c, *series)] = step * inflow[(c, *series)] * left
        start = years[0] - steps[0]
        own = ageing(life, (0, *series), inflow.shape)
        for j in range(old):
            end = start - (old - 1 - j)
            now = own.in_use(start, end - 1, end, inflow_at)
            for t, year in enumerate(years):
                left = own.in_use(year, end - 1, end, inflow_at)
                out[(t, j, *series)] = initial[(j, *series)] * left / now
    return out


def balance_closes(run: mfa.StockRun, before: np.ndarray | float = 0.0) -> bool:
    """Tell whether stock changes are what goes in and does not come out, to rounding."""
    steps = np.diff(run.years, prepend=2 * run.years[0] - run.years[1])
    steps = steps.reshape(-1, *(1 for _ in run.stock.shape[1:]))
    first = np.broadcast_to(before, run.stock.shape[1:])[None]
    change = np.diff(run.stock, axis=0, prepend=first)
    size = np.abs(run.stock).max(axis=0, initial=1e-300) + np.abs(run.inflow * steps).max(axis=0)
    return bool((np.abs(change - (run.inflow - run.outflow) * steps) <= 4e-15 * size).all())
