"""The obvious way to do what mfa.stocks does: SciPy's distributions, and loops over cohorts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats
from scipy.integrate import quad

import mfa

Share = Callable[[float], float]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def frozen(life: mfa.Lifetime, index: tuple[int, ...] = (), shape: tuple[int, ...] = ()) -> Any:
    """Return SciPy's distribution for one entry of a lifetime's parameters."""
    own = {
        name: float(np.broadcast_to(value, shape)[index] if shape else value)
        for name, value in life.named.items()
    }
    match life:
        case mfa.Normal():
            return stats.norm(own["mean"], own["sd"])
        case mfa.FoldedNormal():
            return stats.foldnorm(own["mu"] / own["sigma"], scale=own["sigma"])
        case mfa.LogNormal():
            return stats.lognorm(own["sigma"], scale=math.exp(own["mu"]))
        case mfa.Weibull():
            return stats.weibull_min(own["shape"], scale=own["scale"])
        case mfa.Gamma():
            return stats.gamma(own["shape"], scale=own["scale"])
    raise AssertionError(life)


def share_in_use(life: mfa.Lifetime, index: tuple[int, ...], shape: tuple[int, ...]) -> Share:
    """Return S as a function of one age."""
    if isinstance(life, mfa.Fixed):
        mean = float(np.broadcast_to(life.mean, shape)[index])
        return lambda age: 1.0 if age < mean else 0.0
    distribution = frozen(life, index, shape)
    return lambda age: float(distribution.sf(age))


def integrated(
    share: Callable[[np.ndarray], np.ndarray], stop: float, centre: float, width: float
) -> float:
    """Return ∫ share from 0 to stop: Gauss's rule on panels that narrow towards 0 and the bend."""
    near = centre + width * np.linspace(-12, 12, 97)
    edges = np.unique(np.concatenate([[0.0, stop], stop * 2.0 ** -np.arange(60), near]))
    edges = edges[(edges >= 0) & (edges <= stop)]
    total = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        ages = (low + high) / 2 + (high - low) / 2 * _NODES
        total += list(_WEIGHTS * share(ages) * (high - low) / 2)
    return math.fsum(total)


def phi(share: Share, at: float, opened: float, closed: float, inflow_at: str) -> float:
    """Return the share in use at `at` of what entered from `opened` to `closed`."""
    if inflow_at == "spread":
        total, _ = quad(lambda time: share(at - time), opened, closed, epsabs=1e-13, limit=200)
        return total / (closed - opened)
    return share(at - {"start": opened, "middle": (opened + closed) / 2, "end": closed}[inflow_at])


def cohorts(
    years: list[float],
    inflow: np.ndarray,
    life: mfa.Lifetime,
    inflow_at: str,
    initial: np.ndarray | None = None,
) -> np.ndarray:
    """Return the stock by year and cohort, initial ones first, of any number of series."""
    steps = [years[1] - years[0] if len(years) > 1 else 1.0]
    steps += [b - a for a, b in zip(years[:-1], years[1:], strict=True)]
    old = 0 if initial is None else len(initial)
    out = np.zeros((len(years), old + len(years), *inflow.shape[1:]))
    for series in np.ndindex(*inflow.shape[1:]):
        for c, (year, step) in enumerate(zip(years, steps, strict=True)):
            share = share_in_use(life, (c, *series), inflow.shape)
            for t in range(c, len(years)):
                left = phi(share, years[t], year - step, year, inflow_at)
                out[(t, old + c, *series)] = step * inflow[(c, *series)] * left
        start = years[0] - steps[0]
        share = share_in_use(life, (0, *series), inflow.shape)
        for j in range(old):
            end = start - (old - 1 - j)
            now = phi(share, start, end - 1, end, inflow_at)
            for t, year in enumerate(years):
                left = phi(share, year, end - 1, end, inflow_at)
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
