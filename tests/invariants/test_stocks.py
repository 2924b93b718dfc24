"""What holds for the cohorts of every stock."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import mfa

from ..stocks.plain import balance_closes  # noqa: TID252

repeatably = settings(derandomize=True, deadline=None, max_examples=40)


class Stock(NamedTuple):
    """A random stock: its years, and what is needed to drive it."""

    years: np.ndarray
    inflow: np.ndarray
    life: mfa.Lifetime
    inflow_at: str
    initial: np.ndarray

    def run(self, **changes) -> mfa.StockRun:
        return mfa.inflow_driven(*self._replace(**changes))


def random_stock(seed: int) -> Stock:
    rng = np.random.default_rng(seed)
    n, series = int(rng.integers(2, 12)), tuple(rng.integers(1, 4, rng.integers(0, 3)))
    even = rng.random() < 0.4
    gaps = np.ones(n) if even else rng.choice([0.25, 0.5, 1.0, 2.0, 5.0, 7.3], n)
    shapes = [(), series, (n, *(1 for _ in series)), (n, *series)]
    shape = shapes[rng.integers(4)]
    mean, cv = rng.uniform(8, 40, shape), rng.uniform(0.15, 0.9)
    kind = rng.choice(["Fixed", "Normal", "FoldedNormal", "LogNormal", "Weibull", "Gamma"])
    if kind == "Fixed":
        life = mfa.Fixed(mean=mean)
    elif kind == "FoldedNormal":
        life = mfa.FoldedNormal(mu=mean, sigma=cv * mean)
    else:
        life = getattr(mfa, kind)(mean=mean, sd=cv * mean)
    return Stock(
        1950 + np.cumsum(gaps),
        rng.lognormal(2, 1, (n, *series)),
        life,
        str(rng.choice(["start", "middle", "end", "spread"])),
        rng.uniform(0.5, 2, (int(rng.integers(0, 4)), *series)),
    )


def rescaled(life: mfa.Lifetime, factor: float) -> mfa.Lifetime:
    """Return the same lifetime where a year is so many units of time."""
    if isinstance(life, mfa.Fixed | mfa.FoldedNormal):
        return type(life)(**{name: value * factor for name, value in life.named.items()})
    return type(life)(mean=life.mean * factor, sd=life.sd * factor)


stocks = st.integers(0, 10**6).map(random_stock)


@repeatably
@given(stocks)
def test_mass_is_conserved_and_cohorts_add_up(stock):
    run = stock.run()
    assert balance_closes(run, stock.initial.sum(axis=0))
    cohorts = run.cohorts()
    np.testing.assert_allclose(cohorts.sum(axis=1), run.stock, rtol=1e-13, atol=1e-13)
    assert (cohorts >= 0).all()
    assert (np.diff(cohorts[:, : len(stock.initial) + 1], axis=0) <= 1e-13).all()


@repeatably
@given(stocks, st.floats(0.01, 100))
def test_the_unit_of_mass_does_not_matter(stock, factor):
    run = stock.run()
    scaled = stock.run(inflow=stock.inflow * factor, initial=stock.initial * factor)
    np.testing.assert_allclose(scaled.stock, run.stock * factor, rtol=1e-12)


@repeatably
@given(stocks, st.integers(0, 10**6))
def test_stocks_add_up_where_inflows_do(stock, seed):
    rng = np.random.default_rng(seed)
    part, old = rng.uniform(-1, 2, stock.inflow.shape), rng.uniform(0, 1, stock.initial.shape)
    whole = stock.run()
    one = stock.run(inflow=stock.inflow * part, initial=stock.initial * old)
    other = stock.run(inflow=stock.inflow * (1 - part), initial=stock.initial * (1 - old))
    size = 1e-12 * (1 + np.abs(one.stock).max() + np.abs(other.stock).max())
    np.testing.assert_allclose(one.stock + other.stock, whole.stock, rtol=0, atol=size)
    np.testing.assert_allclose(one.outflow + other.outflow, whole.outflow, rtol=0, atol=8 * size)


@repeatably
@given(stocks, st.sampled_from([0.5, 12.0, 365.25]))
def test_the_unit_of_time_does_not_matter(stock, factor):
    slower = rescaled(stock.life, factor)
    plain = stock.run(initial=None)
    other = stock.run(
        years=stock.years * factor, inflow=stock.inflow / factor, life=slower, initial=None
    )
    np.testing.assert_allclose(other.stock, plain.stock, rtol=1e-9, atol=1e-9)


@repeatably
@given(stocks)
def test_an_inflow_spread_over_a_step_may_be_split(stock):
    """Two halves of a step with the same rate are the step, where lifetimes do not change."""
    own = {name: np.mean(value) for name, value in stock.life.named.items()}
    spread = stock._replace(life=type(stock.life)(**own), inflow_at="spread")
    steps = np.diff(stock.years, prepend=2 * stock.years[0] - stock.years[1])
    halves = np.stack([stock.years - steps / 2, stock.years], axis=1).ravel()
    fine = spread.run(years=halves, inflow=np.repeat(stock.inflow, 2, axis=0))
    coarse = spread.run()
    np.testing.assert_allclose(fine.stock[1::2], coarse.stock, rtol=1e-11)
    mean = (fine.outflow[::2] + fine.outflow[1::2]) / 2
    np.testing.assert_allclose(mean, coarse.outflow, rtol=1e-8, atol=1e-9)


@repeatably
@given(stocks)
def test_later_inflow_leaves_earlier_stock_alone(stock):
    run = stock.run()
    changed = stock.inflow.copy()
    changed[-1] += 5.0
    later = stock.run(inflow=changed)
    np.testing.assert_allclose(later.stock[:-1], run.stock[:-1], rtol=1e-14)
    if not isinstance(stock.life, mfa.Fixed):
        assert (later.stock[-1] > run.stock[-1]).all()


@repeatably
@given(stocks)
def test_stock_driven_undoes_inflow_driven(stock):
    if isinstance(stock.life, mfa.Fixed):
        return  # where lifetimes are shorter than steps there is nothing to solve
    run = stock.run()
    back = mfa.stock_driven(stock.years, run.stock, stock.life, stock.inflow_at, stock.initial)
    np.testing.assert_allclose(back.inflow, run.inflow, rtol=1e-7, atol=1e-7)
