"""The sheet ``lifetimes``: what it gives, and every row that gives nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa.system.lifetimes import lifetime_of, make_lifetime

from . import books

KEYS = ["process", "substance", "from_year", "distribution", "mean", "sd", "shape", "scale"]


def lives(*rows, keys=KEYS):
    return books.small(lifetimes=[keys, *rows])


def test_each_distribution_has_the_mean_and_sd_of_its_row():
    for kind in ("normal", "folded_normal", "lognormal", "weibull", "gamma"):
        life = make_lifetime(kind, mean=17.0, sd=6.0)
        assert float(life.mean) == pytest.approx(17.0, rel=1e-12)
        assert float(life.sd) == pytest.approx(6.0, rel=1e-9)
    assert make_lifetime("fixed", mean=17.0).survival([16.9, 17.1]).tolist() == [1.0, 0.0]


def test_shape_and_scale_are_what_the_format_says():
    for kind, own in (
        ("weibull", mfa.Weibull(shape=2.5, scale=20.0)),
        ("gamma", mfa.Gamma(shape=2.5, scale=20.0)),
        ("lognormal", mfa.LogNormal(mu=np.log(20.0), sigma=2.5)),
        ("folded_normal", mfa.FoldedNormal(mu=20.0, sigma=2.5)),
    ):
        found = make_lifetime(kind, shape=2.5, scale=20.0)
        assert type(found) is type(own)
        assert [float(p) for p in found.parameters] == [float(p) for p in own.parameters]


@pytest.mark.parametrize("ratio", [0.7554, 0.6, 0.3, 0.02, 1e-6])
def test_a_folded_normal_of_any_width_that_there_is(ratio):
    life = mfa.FoldedNormal.from_moments(mean=30.0, sd=30.0 * ratio)
    assert float(life.mean) == pytest.approx(30.0, rel=1e-12)
    assert float(life.sd) == pytest.approx(30.0 * ratio, rel=1e-6)


def test_cohorts_have_the_lifetime_that_began_last_and_the_first_row_before():
    book = lives(
        ["Use", "Cu", 2018, "weibull", 15, 6, None, None],
        ["Use", None, 2010, "lognormal", 20, 7, None, None],
    )
    found = lifetime_of(books.read(book), "Use", "Cu")
    assert [type(found.life_of(year)).__name__ for year in (1990, 2010, 2017.5, 2018, 2030)] == [
        *["LogNormal"] * 3,
        *["Weibull"] * 2,
    ]
    assert found.cells == ("lifetimes!A3", "lifetimes!A2")
    years = [2015, 2017, 2018, 2023]
    phi = found.survival_shares(years, "end", first_step=1)
    for c, year in enumerate(years):
        life = mfa.LogNormal(mean=20, sd=7) if year < 2018 else mfa.Weibull(mean=15, sd=6)
        ages = np.array(years) - year
        assert phi[:, c] == pytest.approx(np.where(ages < 0, 0, life.survival(np.maximum(ages, 0))))
    left = 1 - mfa.LogNormal(mean=20, sd=7).years_in_use(np.array(years) - 2014.0) / 20
    assert found.opening_shares(years, first_step=1) == pytest.approx(left, abs=1e-12)


def test_the_first_step_counts_in_a_cohort_that_enters_evenly_over_it():
    found = lifetime_of(
        books.read(lives(["Use", "Cu", None, "fixed", 4, None, None, None])), "Use", "Cu"
    )
    assert found.survival_shares([2000, 2005], "spread", first_step=1)[0, 0] == 1
    assert found.survival_shares([2000, 2005], "spread")[0, 0] == pytest.approx(0.8)


def test_a_blank_year_stands_for_all_and_stocks_without_a_row_have_none():
    system = books.read(lives(["Use", None, None, "weibull", 15, 6, None, None]))
    assert lifetime_of(system, "Use", "Cu").from_years == (-np.inf,)
    assert lifetime_of(system, "Use", "goods") is None
    assert lifetime_of(books.read(books.SMALL), "Use", "Cu") is None


@pytest.mark.parametrize(
    ("cells", "at"),
    [
        (["Usee", "Cu", None, "fixed", 4, None, None, None], {"A2"}),
        (["Smelter", "Cu", None, "fixed", 4, None, None, None], {"A2"}),
        (["Use", "Zn", None, "fixed", 4, None, None, None], {"B2"}),
        (["Use", "Cu", None, None, 4, None, None, None], {"D2"}),
        (["Use", "Cu", None, "weibul", 4, None, None, None], {"D2"}),
        (["Use", "Cu", None, "weibull", -4, 2, None, None], {"E2"}),
        (["Use", "Cu", None, "weibull", 4, 0, None, None], {"F2"}),
        (["Use", "Cu", None, "weibull", 4, None, None, None], {"F2"}),
        (["Use", "Cu", None, "weibull", None, 4, None, None], {"E2"}),
        (["Use", "Cu", None, "weibull", None, None, 2, None], {"H2"}),
        (["Use", "Cu", None, "weibull", None, None, 2, -1], {"H2"}),
        (["Use", "Cu", None, "weibull", None, None, None, 3], {"G2"}),
        (["Use", "Cu", None, "weibull", 4, 1, 2, 3], {"G2"}),
        (["Use", "Cu", None, "weibull", None, None, None, None], {"E2"}),
        (["Use", "Cu", None, "weibull", "nan", 2, None, None], {"E2"}),
        (["Use", "Cu", None, "normal", None, None, 2, 3], {"E2", "F2", "G2", "H2"}),
        (["Use", "Cu", None, "normal", 5, None, None, None], {"F2"}),
        (["Use", "Cu", None, "fixed", None, None, None, None], {"E2"}),
        (["Use", "Cu", None, "fixed", 4, 1, None, None], {"F2"}),
        (["Use", "Cu", None, "folded_normal", 4, 3.5, None, None], {"E2"}),
        (["Use", "Cu", None, "folded_normal", None, None, 4, -1], {"H2"}),
        (["Use", "Cu", None, "lognormal", None, None, 90, 10], {"G2"}),
    ],
)
def test_a_row_that_gives_no_lifetime_is_an_error_at_its_cell(cells, at):
    found = books.errors(lives(cells))
    assert {problem.cell for problem in found} == at
    assert len(found) == len(at)
    assert all(p.sheet == "lifetimes" and p.what and p.do for p in found)


def test_all_bad_rows_are_reported_at_once_and_the_second_of_a_pair():
    found = books.errors(
        lives(
            ["Use", "Cu", 2018, "weibull", 4, 2, None, None],
            ["Use", None, 2018, "gamma", 4, 2, None, None],
            ["Use", "Cu", None, "gamma", -4, 2, None, None],
            ["Use", "Cu", None, "gamma", 4, 2, None, None],
        )
    )
    assert [p.cell for p in found] == ["A3", "E4", "A5"]
    assert "A2" in found[0].what


def test_the_convention_of_the_inflow_is_a_key_of_the_system():
    assert books.read(books.SMALL).settings.inflow_at == "spread"
    book = books.add(books.SMALL, "system", ["inflow_at", "Middle"])
    assert books.read(book).settings.inflow_at == "middle"
    problem = books.only(books.errors(books.add(books.SMALL, "system", ["inflow_at", "midle"])))
    assert (problem.sheet, problem.found) == ("system", "midle")
    assert "middle" in problem.do


def test_the_table_of_a_system_can_be_given_back():
    system = books.read(lives(["Use", "Cu", None, "weibull", 15, 6, None, None]))
    table = system.tables["lifetimes"]
    assert table["cell"].tolist() == ["lifetimes!A2"]
    frames = books.frames(books.SMALL) | {"lifetimes": pd.DataFrame(table).drop(columns="cell")}
    again = lifetime_of(mfa.System.from_tables(frames), "Use", "Cu")
    assert repr(again.lives) == repr(lifetime_of(system, "Use", "Cu").lives)


def test_a_lifetime_of_goods_that_are_not_balanced_is_remarked_on():
    found = mfa.remarks(books.read(lives(["Use", "goods", None, "weibull", 15, 6, None, None])))
    problem = books.only(p for p in found if p.sheet == "lifetimes")
    assert (problem.cell, problem.severity) == ("A2", "warning")
    assert "says nothing" in problem.what
    fine = mfa.remarks(books.read(lives(["Use", "Cu", None, "weibull", 15, 6, None, None])))
    assert not [p for p in fine if p.sheet == "lifetimes"]


GROWING = [*KEYS, "growth"]


def test_growth_tells_how_old_the_stock_of_before_is():
    rows = [["Use", "Cu", None, "weibull", 15, 6, None, None, cell] for cell in (0.03, "3%", None)]
    found = [lifetime_of(books.read(lives(row, keys=GROWING)), "Use", "Cu") for row in rows]
    assert [one.growths for one in found] == [(0.03,), (0.03,), (0.0,)]
    life, years = mfa.Weibull(mean=15, sd=6), [2018, 2020, 2030]
    for one, growth in zip(found, (0.03, 0.03, 0.0), strict=True):
        age = np.linspace(0, 80, 400_001)
        weight = np.exp(-growth * age) * life.survival(age)
        left = [
            np.trapezoid(np.exp(-growth * age) * life.survival(age + since), age)
            for since in (1.0, 3.0, 13.0)
        ]
        expected = np.array(left) / np.trapezoid(weight, age)
        assert one.opening_shares(years, first_step=1) == pytest.approx(expected, abs=1e-9)
    plain = lifetime_of(books.read(lives(rows[0][:-1])), "Use", "Cu")
    assert plain.growths == (0.0,)


def test_the_growth_that_counts_is_that_of_the_year_before_the_first():
    first = books.read(books.SMALL).years[0]
    oldest = ["Use", "Cu", None, "weibull", 15, 6, None, None, 0.01]
    last = ["Use", "Cu", first - 1, "weibull", 15, 6, None, None, 0.02]
    later = ["Use", "Cu", first, "weibull", 15, 6, None, None, 0.04]
    for rows, at, cells in (
        ((oldest, last, later), 0.02, ["I2", "I4"]),
        ((oldest, later), 0.01, ["I3"]),
        ((later,), 0.04, []),
    ):
        system = books.read(lives(*rows, keys=GROWING))
        found = [p for p in system.problems if p.sheet == "lifetimes"]
        assert [p.cell for p in found] == cells
        assert all(p.severity == "warning" and "not used" in p.what for p in found)
        years = [first, first + 20]
        expected = mfa.stocks.opening_shares(years, mfa.Weibull(mean=15, sd=6), at, first_step=1)
        left = lifetime_of(system, "Use", "Cu").opening_shares(years, first_step=1)
        assert left == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(
    ("kind", "growth", "words"),
    [
        ("lognormal", -0.2, "always shrunk by 0.2 a year"),
        ("weibull", "fast", "not a number"),
    ],
)
def test_growth_that_makes_no_past_is_an_error_at_its_cell(kind, growth, words):
    problem = books.only(
        books.errors(lives(["Use", "Cu", None, kind, 15, 6, None, None, growth], keys=GROWING))
    )
    assert (problem.sheet, problem.cell) == ("lifetimes", "I2")
    assert words in problem.what
    assert problem.do


def test_a_percentage_typed_as_a_number_is_doubted():
    row = ["Use", "Cu", None, "weibull", 15, 6, None, None, 3]
    found = books.read(lives(row, keys=GROWING)).problems
    problem = books.only(p for p in found if p.sheet == "lifetimes")
    assert (problem.cell, problem.severity) == ("I2", "warning")
    assert "3%" in problem.do
