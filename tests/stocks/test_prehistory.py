"""Shares of cohorts and of the opening stock: against runs, closed forms and quadrature."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

import mfa
from mfa.stocks import opening_shares, survival_shares

from .plain import frozen

YEARS = [2000.0, 2001.0, 2002.5, 2005.0, 2015.0, 2060.0]
SINCE = np.array([1.0, 2.0, 3.5, 6.0, 16.0, 61.0])
LIVES = [
    mfa.Normal(mean=22.0, sd=9.0),
    mfa.Normal(mean=3.0, sd=2.5),
    mfa.FoldedNormal(mu=12.0, sigma=8.0),
    mfa.LogNormal(mean=17.0, sd=24.0),
    mfa.Weibull(mean=30.0, sd=11.0),
    mfa.Weibull(shape=0.7, scale=5.0),
    mfa.Gamma(mean=26.0, sd=9.0),
    mfa.Gamma(mean=26.0, sd=0.3),
]
every_life = pytest.mark.parametrize("life", LIVES, ids=repr)


@pytest.mark.parametrize("inflow_at", ["start", "middle", "end", "spread"])
def test_survival_shares_are_what_runs_use(inflow_at):
    rng = np.random.default_rng(3)
    inflow = rng.lognormal(1, 1, (6, 2, 2))
    steps = np.diff(SINCE, prepend=0.0).reshape(-1, 1, 1)
    for life in (
        mfa.Weibull(mean=9.0, sd=4.0),
        mfa.LogNormal(mean=rng.uniform(5, 20, (6, 1, 2)), sd=6.0),
    ):
        run = mfa.inflow_driven(YEARS, inflow, life, inflow_at)
        shares = survival_shares(YEARS, life, inflow_at, series=(2, 2))
        assert shares.shape == (6, 6, 2, 2)
        np.testing.assert_allclose(shares * (inflow * steps), run.cohorts(), rtol=1e-13)
        stock = np.einsum("tc...,c...->t...", shares, inflow * steps)
        np.testing.assert_allclose(stock, run.stock, rtol=1e-13)


GROWN = [
    (life, growth)
    for life in LIVES
    for growth in (0.0, 0.03, 0.4, -0.01)
    if growth >= 0 or not isinstance(life, mfa.LogNormal)  # test_endless_opening_stocks
]


@pytest.mark.parametrize(("life", "growth"), GROWN, ids=repr)
def test_opening_shares_by_quadrature(life, growth):
    share = frozen(life).sf
    bend = float(life.mean) + float(life.sd) * np.array([-6, -2, 0, 2, 6])

    def left(since: float) -> float:
        """∫ e^(−g(a − τ)) S(a) da from τ on."""
        far = np.concatenate([[0.0], np.geomspace(0.05, 3e4, 30), bend - since])
        edges = np.unique(far[far >= 0])
        return sum(
            quad(lambda x: np.exp(-growth * x) * share(since + x), *edge, epsabs=1e-14)[0]
            for edge in pairwise(edges)
            if share(since + edge[0]) > 0
        )

    whole = left(0.0)
    expected = [left(since) / whole for since in SINCE]
    found = opening_shares(YEARS, life, growth)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert (np.diff(found) <= 0).all()


def test_opening_shares_in_closed_form():
    since, g = SINCE, 0.05
    found = opening_shares(YEARS, mfa.Fixed(mean=11.0), g)
    expected = np.maximum(1 - np.exp(-g * (11.0 - since)), 0) / (1 - np.exp(-g * 11.0))
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    for growth in (0.0, 0.05, 2.0, -0.03):  # a stock that forgets its ages
        found = opening_shares(YEARS, mfa.Weibull(shape=1.0, scale=20.0), growth)
        np.testing.assert_allclose(found, np.exp(-since / 20.0), rtol=1e-12)


@every_life
@pytest.mark.parametrize("growth", [0.0, 0.02])
def test_opening_shares_are_what_is_left_of_a_long_past(life, growth):
    """1,200 years of yearly inflow, and then none."""
    before, after = np.arange(-1199.0, 1.0), np.array([5.0, 30.0, 65.0])
    inflow = np.concatenate([np.exp(growth * before), np.zeros(3)])
    run = mfa.inflow_driven(np.concatenate([before, after]), inflow, life, "spread")
    found = opening_shares(np.array([5.0, 10.0, 30.0, 65.0]), life, growth)[[0, 2, 3]]
    tolerance = 2e-3 if growth else 1e-4  # growth is stepwise here, and the past is not endless
    np.testing.assert_allclose(
        run.stock[-3:] / run.stock[-4], found, rtol=tolerance, atol=tolerance
    )


def test_opening_shares_by_series_take_the_first_cohorts_lifetime():
    mean = np.array([[8.0, 20.0], *[[50.0, 60.0]] * 5])
    for growth in (0.0, 0.03):
        both = opening_shares(YEARS, mfa.Weibull(mean=mean, sd=4.0), growth, series=(2,))
        assert both.shape == (6, 2)
        for column, single in enumerate((8.0, 20.0)):
            alone = opening_shares(YEARS, mfa.Weibull(mean=single, sd=4.0), growth)
            np.testing.assert_allclose(both[:, column], alone, rtol=1e-12, atol=1e-15)
        same = opening_shares(YEARS, mfa.Weibull(mean=8.0, sd=4.0), growth, series=(3, 2))
        assert same.shape == (6, 3, 2)
        assert (same == same[:, :1, :1]).all()


def test_small_growth_is_near_none():
    life = mfa.LogNormal(mean=17.0, sd=6.0)
    none, little = opening_shares(YEARS, life), opening_shares(YEARS, life, 1e-9)
    np.testing.assert_allclose(little, none, rtol=1e-6, atol=1e-9)
    assert np.abs(little - none).max() > 0


def test_endless_opening_stocks():
    with pytest.raises(mfa.StockError, match=r"always shrunk by 0.01 a year leaves an opening"):
        opening_shares(YEARS, mfa.LogNormal(mean=17.0, sd=24.0), -0.01)
    with pytest.raises(mfa.StockError, match=r"always shrunk by 0.1 a year"):
        opening_shares(YEARS, mfa.Weibull(shape=1.0, scale=20.0), -0.1)
    with pytest.raises(mfa.StockError, match="growth has to be a finite number; found nan"):
        opening_shares(YEARS, mfa.Fixed(mean=3.0), float("nan"))
    with pytest.raises(mfa.StockError, match="nothing is ever in use"):
        opening_shares(YEARS, mfa.Fixed(mean=0.0))
