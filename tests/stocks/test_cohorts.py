"""Inflow-driven and stock-driven cohorts against loops, closed forms and each other."""

from __future__ import annotations

import numpy as np
import pytest

import mfa

from .plain import balance_closes, cohorts

CONVENTIONS = ["start", "middle", "end", "spread"]
EVEN = [2000.0, 2001.0, 2002.0, 2003.0, 2004.0, 2005.0, 2006.0]
UNEVEN = [1990.0, 1995.0, 2000.0, 2002.0, 2003.0, 2003.5, 2010.0]
RNG = np.random.default_rng(8)
TABLE = RNG.lognormal(2, 0.8, (7, 2, 3))
LIVES = {
    "fixed": mfa.Fixed(mean=6.7),
    "normal": mfa.Normal(mean=5.0, sd=1.5),
    "folded": mfa.FoldedNormal(mu=3.0, sigma=2.0),
    "by series": mfa.LogNormal(mean=[6.0, 2.5, 9.0], sd=[2.0, 3.0, 1.0]),
    "by cohort": mfa.Weibull(shape=np.linspace(1.2, 3, 7).reshape(7, 1, 1), scale=6.0),
    "by axis": mfa.Weibull(mean=np.array([[3.0], [8.0]]), sd=[2.0, 1.0, 4.0]),
    "by all": mfa.Gamma(mean=RNG.uniform(3, 9, (7, 2, 3)), sd=2.0),
    "written out": mfa.Normal(mean=np.full((7, 2, 3), 5.0), sd=np.full((7, 1, 3), 1.5)),
}
every_life = pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
every_convention = pytest.mark.parametrize("inflow_at", CONVENTIONS)
every_grid = pytest.mark.parametrize("years", [EVEN, UNEVEN], ids=["even", "uneven"])


@every_life
@every_convention
@every_grid
def test_inflow_driven_is_what_loops_find(life, inflow_at, years):
    initial = RNG.uniform(1, 3, (3, 2, 3))
    initial[0] = 0.0 if inflow_at == "start" else initial[0]
    run = mfa.inflow_driven(years, TABLE, life, inflow_at, initial)
    expected = cohorts(years, TABLE, life, inflow_at, initial)
    found = run.cohorts()
    assert found.shape == (7, 10, 2, 3)
    np.testing.assert_allclose(found, expected, rtol=2e-12, atol=2e-12)
    np.testing.assert_allclose(found.sum(axis=1), run.stock, rtol=1e-14, atol=1e-14)
    assert balance_closes(run, initial.sum(axis=0))
    first = years[0] - (years[1] - years[0])
    np.testing.assert_array_equal(run.cohort_years, [first - 2, first - 1, first, *years])


@every_life
@every_convention
@every_grid
def test_stock_driven_undoes_inflow_driven(life, inflow_at, years):
    initial = RNG.uniform(1, 3, (2, 2, 3))
    run = mfa.inflow_driven(years, TABLE, life, inflow_at, initial)
    back = mfa.stock_driven(years, run.stock, life, inflow_at, initial)
    np.testing.assert_allclose(back.inflow, run.inflow, rtol=1e-10)
    np.testing.assert_allclose(back.outflow, run.outflow, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(back.stock, run.stock)
    np.testing.assert_allclose(back.cohorts(), run.cohorts(), rtol=1e-9, atol=1e-9)
    assert balance_closes(back, initial.sum(axis=0))


@pytest.mark.parametrize("name", LIVES)
@every_convention
def test_past_inflow_comes_back_from_the_age_structure(name, inflow_at):
    life = LIVES[name]
    run = mfa.inflow_driven(UNEVEN, TABLE, life, inflow_at)
    structure = run.cohorts()[-1]
    past = mfa.inflow_from_cohorts(UNEVEN, structure, life, inflow_at)
    known = structure > 0
    np.testing.assert_allclose(past[known], TABLE[known], rtol=1e-12)
    assert np.isnan(past[~known]).all()
    assert known.all() == (name not in ("fixed", "by axis"))  # whose early cohorts are gone


@every_life
def test_series_have_nothing_to_do_with_each_other(life):
    run = mfa.inflow_driven(UNEVEN, TABLE, life)
    for i, j in np.ndindex(2, 3):
        own = {
            name: np.broadcast_to(value, TABLE.shape)[:, i, j] for name, value in life.named.items()
        }
        alone = mfa.inflow_driven(UNEVEN, TABLE[:, i, j], type(life)(**own))
        np.testing.assert_allclose(alone.stock, run.stock[:, i, j], rtol=1e-13)
        np.testing.assert_allclose(alone.cohorts(), run.cohorts()[:, :, i, j], rtol=1e-13)


@pytest.mark.parametrize("years", [np.arange(1600.0, 2000.0), np.arange(1000.0, 2000.0, 5.0)])
@pytest.mark.parametrize(
    "life",
    [
        mfa.Fixed(mean=24.3),
        mfa.FoldedNormal(mu=20.0, sigma=12.0),
        mfa.LogNormal(mean=22.0, sd=9.0),
        mfa.Weibull(mean=31.0, sd=11.0),
        mfa.Gamma(mean=18.0, sd=7.0),
    ],
    ids=repr,
)
def test_a_stationary_stock_is_inflow_times_mean_lifetime(years, life):
    run = mfa.inflow_driven(years, np.full(len(years), 7.0), life, "spread")
    assert run.stock[-1] == pytest.approx(7.0 * float(life.mean), rel=1e-9)
    assert run.outflow[-1] == pytest.approx(7.0, rel=1e-9)


def test_a_stationary_stock_of_normal_lifetimes():
    life = mfa.Normal(mean=5.0, sd=4.0)
    run = mfa.inflow_driven(range(1900, 2000), np.full(100, 7.0), life, "spread")
    assert run.stock[-1] == pytest.approx(7.0 * float(life.years_in_use()), rel=1e-12)
    assert float(life.years_in_use()) > 5.2


def test_exponential_lifetimes_decay_exponentially():
    # dK/dt = I − K/20 with I constant within each step: K_t = K_{t−1} e^(−ℓ/20) + 20 I (1 − …)
    years = np.array([1990.0, 1991.0, 1995.0, 1995.5, 2003.0])
    inflow = np.array([3.0, 8.0, 1.0, 0.0, 12.0])
    level, stock = 40.0, []
    for rate, step in zip(inflow, [1.0, 1.0, 4.0, 0.5, 7.5], strict=True):
        decay = np.exp(-step / 20.0)
        level = level * decay + 20.0 * rate * (1 - decay)
        stock.append(level)
    life = mfa.Weibull(shape=1.0, scale=20.0)
    run = mfa.inflow_driven(years, inflow, life, "spread", initial=[15.0, 25.0])
    np.testing.assert_allclose(run.stock, stock, rtol=1e-13)


def test_growing_inflow_of_fixed_lifetimes():
    # Inflow of g % more each year from year 0 on, each lasting 6 years: a finite geometric series
    inflow = 5.0 * 1.04 ** np.arange(30)
    run = mfa.inflow_driven(range(30), inflow, mfa.Fixed(mean=6.0), "end")
    ends = inflow * 1.04
    expected = np.where(np.arange(30) < 6, ends - 5.0, ends * (1 - 1.04**-6)) / 0.04
    np.testing.assert_allclose(run.stock, expected, rtol=1e-13)
    np.testing.assert_allclose(run.outflow[6:], inflow[:-6], rtol=1e-12)


def test_one_year():
    life = mfa.Weibull(shape=2.0, scale=3.0)
    run = mfa.inflow_driven([2020], [6.0], life)
    assert run.stock[0] == pytest.approx(6.0 * np.exp(-((0.5 / 3) ** 2)))
    assert run.outflow[0] == pytest.approx(6.0 - run.stock[0])
    assert run.cohorts().shape == (1, 1)
    assert repr(run) == "StockRun(2020–2020, shape (1,), Weibull(shape=2, scale=3), 'middle')"


def test_shapes_are_those_of_the_inflow():
    run = mfa.inflow_driven(EVEN, np.zeros((7, 0, 2)), mfa.Fixed(mean=3.0))
    assert run.stock.shape == (7, 0, 2)
    assert run.cohorts().shape == (7, 7, 0, 2)
    many = mfa.inflow_driven(EVEN, np.ones((7, 300)), mfa.Normal(mean=np.arange(1, 301), sd=2.0))
    lone = mfa.inflow_driven(EVEN, np.ones(7), mfa.Normal(mean=257, sd=2.0))
    np.testing.assert_allclose(many.stock[:, 256], lone.stock, rtol=1e-14)


def test_nothing_given_is_changed_and_results_cannot_be():
    inflow, initial = np.arange(1.0, 8.0), np.array([3.0])
    run = mfa.inflow_driven(EVEN, inflow, LIVES["normal"], initial=initial)
    inflow[0], initial[0] = -5.0, 99.0
    assert run.inflow[0] == 1.0
    assert run.cohorts()[0, 0] < 3.0
    for table in (run.inflow, run.outflow, run.stock, run.years):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 1.0


@pytest.mark.parametrize("answer", ["zero", "retire"])
@every_convention
@pytest.mark.parametrize("years", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("name", ["normal", "by cohort", "by all"])
def test_a_stock_that_falls_too_fast(answer, inflow_at, years, name):
    life, initial = LIVES[name], np.full((2, 2, 3), 4.0)
    target = np.array([30.0, 60.0, 15.0, 40.0, 40.0, 0.0, 25.0]).reshape(7, 1, 1) * np.ones((2, 3))
    target[:, 0, 0] = np.linspace(20, 300, 7)  # never falls
    given = target.copy()
    run = mfa.stock_driven(years, target, life, inflow_at, initial, negative_inflow=answer)
    np.testing.assert_array_equal(target, given)
    assert (run.inflow >= 0).all()
    assert balance_closes(run, 8.0)
    np.testing.assert_allclose(run.cohorts().sum(axis=1), run.stock, rtol=1e-12, atol=1e-12)
    # the obvious way, cohort by cohort and year by year
    unit = np.ones_like(target)
    left = cohorts(years, unit, life, inflow_at, initial)  # stock of one unit of inflow per year
    weight = np.ones((9, 2, 3))
    level, inflow = np.zeros((7, 2, 3)), np.zeros((7, 2, 3))
    for t in range(7):
        present = (left[t, : 2 + t] * weight[: 2 + t]).sum(axis=0)
        missing = target[t] - present
        inflow[t] = np.where(missing > 0, missing / left[t, 2 + t], 0.0)
        if answer == "retire":
            weight[: 2 + t] *= np.where(missing < 0, target[t] / np.maximum(present, 1e-9), 1.0)
        weight[2 + t] = inflow[t]
        level[t] = (left[t, : 3 + t] * weight[: 3 + t]).sum(axis=0)
    np.testing.assert_allclose(run.inflow, inflow, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(run.stock, level, rtol=1e-9, atol=1e-9)
    if answer == "retire":
        np.testing.assert_allclose(run.stock, target, rtol=1e-12, atol=1e-12)
    else:
        assert (run.stock >= target * (1 - 1e-12)).all()
        assert (run.stock > target + 1.0).any()


@pytest.mark.parametrize("answer", ["zero", "retire"])
def test_many_stocks_that_fall_are_what_each_alone_is(answer):
    target = 50 + 40 * np.sin(np.arange(25.0))[:, None] * RNG.uniform(0.2, 1, 300)
    life = mfa.Weibull(mean=RNG.uniform(4, 30, 300), sd=3.0)
    many = mfa.stock_driven(range(25), target, life, negative_inflow=answer)
    assert (many.stock > target + 1).any() == (answer == "zero")
    for series in (0, 127, 128, 299):
        own = mfa.Weibull(mean=life.mean[series], sd=3.0)
        lone = mfa.stock_driven(range(25), target[:, series], own, negative_inflow=answer)
        np.testing.assert_allclose(many.inflow[:, series], lone.inflow, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(many.cohorts()[..., series], lone.cohorts(), rtol=1e-9)


@every_convention
def test_negative_inflow_can_be_allowed(inflow_at):
    target = np.array([30.0, 60.0, 15.0, 40.0, -3.0, 5.0, 25.0])
    run = mfa.stock_driven(EVEN, target, LIVES["normal"], inflow_at, negative_inflow="allow")
    assert (run.inflow < 0).any()
    again = mfa.inflow_driven(EVEN, run.inflow, LIVES["normal"], inflow_at)
    np.testing.assert_allclose(again.stock, target, rtol=1e-12)


def test_rounding_is_no_fall():
    # a stock that only ages: its inflow is 0 but for rounding, on either side
    inflow = np.zeros((60, 40))
    inflow[:3] = RNG.lognormal(3, 1, (3, 40))
    life = mfa.Weibull(mean=RNG.uniform(3, 40, 40), sd=8.0)
    run = mfa.inflow_driven(range(60), inflow, life)
    back = mfa.stock_driven(range(60), run.stock, life)
    assert (back.inflow >= 0).all()
    np.testing.assert_allclose(back.inflow, inflow, atol=1e-10)
    lower = run.stock.copy()
    lower[30, 7] *= 1 - 1e-6
    with pytest.raises(mfa.StockError, match="in 30, series 7,"):
        mfa.stock_driven(range(60), lower, life)
