"""Survival, its integral and moments of every lifetime, against SciPy and quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

import mfa

from .plain import ageing, frozen

LIVES = [
    mfa.Normal(mean=30.0, sd=9.0),
    mfa.Normal(mean=4.0, sd=3.0),  # much of it below age 0
    mfa.Normal(mean=12.0, sd=0.02),
    mfa.FoldedNormal(mu=6.0, sigma=4.0),
    mfa.FoldedNormal(mu=0.0, sigma=7.0),
    mfa.LogNormal(mean=60.0, sd=25.0),
    mfa.LogNormal(mean=8.0, sd=20.0),
    mfa.LogNormal(mu=1.3, sigma=0.05),
    mfa.Weibull(shape=2.0, scale=25.0),
    mfa.Weibull(shape=0.8, scale=14.7),
    mfa.Weibull(shape=0.3, scale=2.0),
    mfa.Weibull(mean=15.0, sd=0.1),
    mfa.Gamma(shape=4.5, scale=3.0),
    mfa.Gamma(mean=9.0, sd=14.0),
    mfa.Gamma(mean=20.0, sd=0.5),
]
AGES = np.array([0.0, 1e-3, 0.5, 3.0, 7.9, 12.0, 14.95, 15.2, 31.7, 80.0, 400.0])
named = pytest.mark.parametrize("life", LIVES, ids=repr)


@named
def test_survival_is_that_of_scipy(life):
    np.testing.assert_allclose(life.survival(AGES), frozen(life).sf(AGES), rtol=1e-11, atol=1e-300)


@named
def test_mean_and_sd_are_those_of_the_lifetime_itself(life):
    assert float(life.mean) == pytest.approx(frozen(life).mean(), rel=1e-12)
    assert float(life.sd) == pytest.approx(frozen(life).std(), rel=1e-9)


@pytest.mark.parametrize("kind", [mfa.Normal, mfa.LogNormal, mfa.Weibull, mfa.Gamma])
@pytest.mark.parametrize(("mean", "sd"), [(60.0, 25.0), (0.7, 0.9), (14.0, 0.3)])
def test_mean_and_sd_come_back(kind, mean, sd):
    life = kind(mean=mean, sd=sd)
    assert float(life.mean) == pytest.approx(mean, rel=1e-13)
    assert float(life.sd) == pytest.approx(sd, rel=1e-12)


@named
def test_years_in_use_is_the_integral_of_survival(life):
    tolerance = 5e-11 if isinstance(life, mfa.Gamma) else 2e-14
    for age in AGES[1:]:
        found = ageing(life).years(0.0, age)
        difference = isinstance(life, (mfa.Normal, mfa.FoldedNormal))  # of terms as large as mean
        size = max(found, float(life.mean)) if difference else found
        assert abs(float(life.years_in_use(age)) - found) <= tolerance * size, age


@named
def test_the_whole_life_lasts_the_mean_lifetime(life):
    if isinstance(life, mfa.Normal):  # E max(L, 0): what is below age 0 leaves at once
        z = float(life.mean / life.sd)
        expected = float(life.mean) * stats.norm.cdf(z) + float(life.sd) * stats.norm.pdf(z)
    else:
        expected = float(life.mean)
    assert float(life.years_in_use()) == pytest.approx(expected, rel=1e-13)
    assert float(life.years_in_use(1e9)) == pytest.approx(expected, rel=1e-13)


def test_fixed():
    life = mfa.Fixed(mean=[5.0, 2.5])
    np.testing.assert_array_equal(life.survival([[4.0, 2.4], [5.0, 2.5]]), [[1, 1], [0, 0]])
    np.testing.assert_array_equal(life.years_in_use([[4.0], [9.0]]), [[4, 2.5], [5, 2.5]])
    assert (life.years_in_use() == life.mean).all()
    assert (life.sd == 0).all()
    age = 2001.1 - 2000.9  # 0.2 but for rounding, as ages found from years are
    assert age < 0.2
    assert mfa.Fixed(mean=0.2).survival(age) == 0
    assert mfa.Fixed(mean=0.2).survival(age - 1e-8) == 1


def test_what_is_below_age_0():
    for life in LIVES:
        expected = 1.0 if not isinstance(life, mfa.Normal) else frozen(life).sf(-2.0)
        assert float(life.survival(-2.0)) == pytest.approx(expected, rel=1e-14)
    assert float(mfa.Normal(mean=4.0, sd=3.0).survival(0.0)) == pytest.approx(0.908788780274132)


@pytest.mark.parametrize(
    "cv", [1e-12, 1e-7, 1e-3, 0.05, 0.12, 0.13, 0.3, 1.0, 4.0, 60.0, 1e4, 1e20]
)
def test_weibull_shape_from_mean_and_sd(cv):
    life = mfa.Weibull(mean=17.0, sd=17.0 * cv)
    x = 1 / float(life.parameters[0])
    assert float(life.mean) == pytest.approx(17.0, rel=1e-12)
    assert float(life.sd) == pytest.approx(17.0 * cv, rel=1e-12)
    if cv > 0.01:  # the textbook formula, without help against cancellation
        formula = math.sqrt(math.expm1(gammaln(1 + 2 * x) - 2 * gammaln(1 + x)))
        assert formula == pytest.approx(cv, rel=1e-9)
    else:  # a narrow Weibull's logarithm is a Gumbel variable with sd π/√6 × x
        assert x == pytest.approx(cv * math.sqrt(6) / math.pi, rel=3 * cv + 1e-13)


def test_weibull_shapes_of_many_moments_at_once_come_back():
    rng = np.random.default_rng(4)
    shape, scale = 10 ** rng.uniform(-1.5, 4, 5000), 10 ** rng.uniform(-2, 3, 5000)
    known = mfa.Weibull(shape=shape, scale=scale)
    again = mfa.Weibull(mean=known.mean, sd=known.sd)
    np.testing.assert_allclose(again.parameters[0], shape, rtol=1e-11)
    np.testing.assert_allclose(again.parameters[1], scale, rtol=1e-10)


def test_very_wide_lifetimes():
    for life in (mfa.LogNormal(mu=0.0, sigma=30.0), mfa.Weibull(shape=0.007, scale=1e-200)):
        assert np.isfinite(life.mean)
        assert float(life.sd) > 1e30 * float(life.mean)
        assert life.survival([0.0, np.inf]).tolist() == [1.0, 0.0]
        assert float(life.years_in_use(1e-6)) <= 1e-6


def test_moments_as_arrays():
    means, sds = np.array([[20.0], [35.0]]), np.array([4.0, 9.0, 30.0])
    for kind in (mfa.Weibull, mfa.Gamma, mfa.LogNormal):
        life = kind(mean=means, sd=sds)
        np.testing.assert_allclose(life.mean * np.ones(3), means * np.ones(3), rtol=1e-13)
        np.testing.assert_allclose(life.sd * np.ones((2, 1)), sds * np.ones((2, 1)), rtol=1e-12)
        single = kind(mean=35.0, sd=30.0)
        assert life.survival(22.0)[1, 2] == pytest.approx(float(single.survival(22.0)), rel=1e-14)
        assert life.survival(np.zeros((4, 1, 1))).shape == (4, 2, 3)


def test_parameters_are_copied_and_cannot_be_changed():
    mean = np.array([20.0, 30.0])
    life = mfa.Normal(mean=mean, sd=5.0)
    mean[0] = -1.0
    assert life.mean[0] == 20.0
    with pytest.raises(ValueError, match="read-only"):
        life.mean[0] = 3.0
    with pytest.raises(AttributeError):
        life.parameters = ()
