"""Every kind of wrong input is a StockError that says what, where and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mfa

YEARS = [2000, 2001, 2002]
LIFE = mfa.Weibull(shape=2.0, scale=5.0)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (mfa.Fixed, {"mean": -1.0}, "Fixed lifetime: mean has to be 0 or more; found -1.0"),
        (mfa.Fixed, {"mean": INF}, "mean has to be a finite number; found inf"),
        (mfa.Normal, {"mean": -2.0, "sd": 1.0}, "mean has to be 0 or more; found -2.0"),
        (mfa.Normal, {"mean": 2.0, "sd": 0.0}, "sd has to be above 0; found 0.0"),
        (mfa.Normal, {"mean": NAN, "sd": 1.0}, "mean has to be a finite number; found nan"),
        (mfa.Normal, {"mean": 2.0, "sd": [3.0, -1.0]}, "found -1.0 at position 1 (a cohort"),
        (mfa.FoldedNormal, {"mu": -3.0, "sigma": 1.0}, "mu has to be 0 or more; found -3.0"),
        (mfa.FoldedNormal, {"mu": 3.0, "sigma": -1.0}, "sigma has to be above 0; found -1.0"),
        (mfa.LogNormal, {"mean": 0.0, "sd": 1.0}, "mean has to be above 0; found 0.0"),
        (mfa.LogNormal, {"mu": 2.0, "sigma": 0.0}, "sigma has to be above 0; found 0.0"),
        (mfa.LogNormal, {"mu": 800.0, "sigma": 2.0}, "too wide or too narrow to be computed"),
        (mfa.LogNormal, {"mean": 5.0, "sd": 1e-200}, "with (mean 5, sd 1e-200)"),
        (mfa.LogNormal, {"mean": 5.0, "sigma": 1.0}, "found mean, sigma; give either mean and sd"),
        (mfa.Weibull, {"shape": 0.0, "scale": 5.0}, "shape has to be above 0; found 0.0"),
        (mfa.Weibull, {"shape": 2.0}, "found shape; give either shape and scale, or mean and sd"),
        (mfa.Weibull, {}, "found nothing; give either"),
        (mfa.Weibull, {"mean": 2.0, "sd": 1.0, "shape": 2.0}, "found shape, mean, sd; give"),
        (mfa.Weibull, {"shape": 0.001, "scale": 5.0}, "too wide or too narrow to be computed"),
        (mfa.Weibull, {"mean": 5.0, "sd": 1e200}, "too wide or too narrow to be computed"),
        (mfa.Gamma, {"shape": 2.0, "scale": NAN}, "scale has to be a finite number; found nan"),
        (mfa.Gamma, {"mean": 3.0, "sd": -2.0}, "Gamma lifetime: sd has to be above 0; found -2.0"),
        (mfa.Gamma, {"mean": [3.0, 4.0], "sd": [1.0, 2.0, 3.0]}, "mean (2,), sd (3,); give"),
        (mfa.Gamma, {"mean": "long", "sd": 1.0}, "Gamma lifetime, mean: no numbers"),
        (mfa.Gamma, {"mean": [[1.0], [1.0, 2.0]], "sd": 1.0}, "rows of different length"),
    ],
)
def test_parameters(kind, given, words):
    with pytest.raises(mfa.StockError) as caught:
        kind(**given)
    assert words in str(caught.value)


def test_parameters_name_cohort_and_series():
    sd = np.full((4, 3), 2.0)
    sd[2, 1] = sd[3, 0] = 0.0
    with pytest.raises(mfa.StockError, match=r"found 0.0 at cohort 2, series 1, .* and 1 more"):
        mfa.Weibull(mean=9.0, sd=sd)
    with pytest.raises(mfa.StockError, match="at cohort 2, counted"):
        mfa.Weibull(mean=9.0, sd=sd[:, 1:2])
    with pytest.raises(mfa.StockError, match="at every cohort, series 0, counted"):
        mfa.Weibull(mean=9.0, sd=sd[3:])
    with pytest.raises(mfa.StockError, match=r"at cohort 2, series \(0, 1\), counted"):
        mfa.Weibull(mean=9.0, sd=sd[:, None])


@pytest.mark.parametrize(
    ("years", "inflow", "words"),
    [
        ([2000, 2002, 2001], [1, 2, 3], "found 2002 before 2001; sort"),
        ([2000, 2001, 2001], [1, 2, 3], "found 2001 before 2001"),
        ([2000, NAN, 2001], [1, 2, 3], "years: found nan"),
        ([], [], "years: one row of years is needed; found shape (0,)"),
        (YEARS, [1, 2], "inflow: one row per year is needed, 3 in all; found shape (2,)"),
        (YEARS, 5.0, "found shape ()"),
        (YEARS, [1, 2, NAN], "inflow: no number; found nan in 2002; fill in"),
        (YEARS, [[1, 2], [INF, 2], [1, 2]], "found inf in 2001, series 0"),
        (YEARS, [1, 2, None], "found nan in 2002"),
        (YEARS, [1, 2, "x"], "inflow: no numbers"),
    ],
)
def test_years_and_inflow(years, inflow, words):
    with pytest.raises(mfa.StockError) as caught:
        mfa.inflow_driven(years, inflow, LIFE)
    assert words in str(caught.value)


def test_lengths_that_do_not_fit():
    life = mfa.Normal(mean=[5.0, 6.0], sd=1.0)
    with pytest.raises(mfa.StockError, match=r"Normal lifetime: mean has shape \(2,\), which does"):
        mfa.inflow_driven(YEARS, [1, 2, 3], life)
    with pytest.raises(mfa.StockError, match=r"give one number, shape \(3, 1\) for one per cohort"):
        mfa.stock_driven(YEARS, np.ones((3, 4)), life)
    wide = mfa.Normal(mean=np.full((3, 2), 5.0), sd=1.0)
    with pytest.raises(mfa.StockError, match="does not fit"):
        mfa.inflow_driven(YEARS, [1, 2, 3], wide)
    with pytest.raises(mfa.StockError, match=r"age \(3,\)"):
        life.survival([1.0, 2.0, 3.0])


def test_words_that_are_not_known():
    with pytest.raises(mfa.StockError, match="unknown inflow_at 'mid'; did you mean 'middle'"):
        mfa.inflow_driven(YEARS, [1, 2, 3], LIFE, inflow_at="mid")
    with pytest.raises(mfa.StockError, match="unknown negative_inflow 'none'; choose 'error'"):
        mfa.stock_driven(YEARS, [1, 2, 3], LIFE, negative_inflow="none")
    with pytest.raises(mfa.StockError, match=r"no lifetime; found 25.0; give one"):
        mfa.inflow_driven(YEARS, [1, 2, 3], 25.0)


def test_ages():
    with pytest.raises(mfa.StockError, match="an age is no number; found nan at position 1"):
        LIFE.survival([1.0, NAN])
    with pytest.raises(mfa.StockError, match=r"an age is below 0; found -1.0"):
        LIFE.years_in_use([1.0, -1.0])


def test_initial():
    def run(initial, life=LIFE, inflow=(1.0, 2.0, 3.0)):
        return mfa.inflow_driven(YEARS, inflow, life, "end", initial)

    with pytest.raises(mfa.StockError, match="initial: no number; found nan in row 1, counted"):
        run([3.0, NAN])
    with pytest.raises(mfa.StockError, match=r"initial: found shape \(2,\); give one row per year"):
        run([3.0, 4.0], inflow=np.ones((3, 2)))
    with pytest.raises(mfa.StockError, match=r"initial: found shape \(1, 3\)"):
        run([[3.0, 4.0, 5.0]], inflow=np.ones((3, 2)))
    # the oldest is 2 years old at the end of 1999, when a lifetime of 2 leaves nothing of it
    with pytest.raises(mfa.StockError, match="initial: 3 from the year to 1997, of which"):
        run([3.0, 4.0, 5.0], mfa.Fixed(mean=2.0))
    np.testing.assert_array_equal(run([0.0, 4.0, 5.0], mfa.Fixed(mean=2.0)).stock, [6.0, 3.0, 5.0])


def test_nothing_left_of_a_years_own_inflow():
    with pytest.raises(mfa.StockError, match="no inflow can raise it in 2000, as the lifetime"):
        mfa.stock_driven(YEARS, [1, 2, 3], mfa.Fixed(mean=0.5))
    life = mfa.Fixed(mean=[[2.0, 2.0], [2.0, 0.3], [2.0, 2.0]])
    with pytest.raises(mfa.StockError, match="raise it in 2001, series 1, as"):
        mfa.stock_driven(YEARS, np.ones((3, 2)), life)
    assert mfa.stock_driven(YEARS, [1, 2, 3], mfa.Fixed(mean=0.5), "end").inflow[2] == 3


def test_a_stock_that_falls_faster_than_it_ages():
    stock = np.full((3, 2, 2), 50.0)
    stock[2, 1, 0], stock[1:, 0, 1] = 20.0, 10.0
    with pytest.raises(mfa.StockError) as caught:
        mfa.stock_driven(YEARS, stock, LIFE)
    words = str(caught.value)
    assert "found 10 in 2001, series (0, 1), when 46.15" in words
    assert "(and 1 more series)" in words
    for answer in ("allow", "zero", "retire"):
        assert answer in words
    stock[2, 1, 0] = -1.0
    with pytest.raises(mfa.StockError, match=r"stock: below 0; found -1 in 2002, series \(1, 0\)"):
        mfa.stock_driven(YEARS, stock, LIFE, negative_inflow="retire")


def test_age_structure():
    with pytest.raises(mfa.StockError, match="leaves nothing of cohort 2000 in 2002; found 4"):
        mfa.inflow_from_cohorts(YEARS, [4.0, 5.0, 6.0], mfa.Fixed(mean=2.0), "end")
    past = mfa.inflow_from_cohorts(YEARS, [0.0, 5.0, 6.0], mfa.Fixed(mean=2.0), "end")
    np.testing.assert_array_equal(past, [NAN, 5.0, 6.0])


def test_tables_of_pandas_are_taken():
    table = pd.DataFrame({"wire": [3.0, 4.0, 5.0], "brass": [1.0, 1.0, 2.0]}, index=YEARS)
    run = mfa.inflow_driven(table.index, table, LIFE)
    plain = mfa.inflow_driven(YEARS, table.to_numpy(), LIFE)
    np.testing.assert_array_equal(run.stock, plain.stock)
