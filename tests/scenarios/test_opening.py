"""The stock of before the first year in the years to come: its ages in closed form."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import mfa
from tests.scenarios.futures import system

PROCESSES = [
    ("Shop", "manufacturing", "source"),
    ("Use", "use", None, "yes"),
    ("Bin", "", "sink"),
]
EDGES = np.array([0, 5, 10, 20, 30, 50, np.inf])


def grown(growth: float | None, level: float = 700.0, **life: object) -> mfa.Projection:
    """Return 40 a year entering a stock whose size at the end of 2019 is known."""
    lifetimes = pd.DataFrame([{"process": "Use", **life, "growth": growth}])
    stocks = pd.DataFrame(
        {"process": ["Use"], "year": [2019], "quantity": ["level"], "value": [level], "sd": [0.0]}
    )
    flows = [
        ("new", "Shop", "Use", "product", 40.0),
        ("worn", "Use", "Bin", "end_of_life", None),
    ]
    made = system(PROCESSES, flows, lifetimes=lifetimes, stocks=stocks)
    return mfa.project(made, None, 2050)


def ages(future: mfa.Projection, year: int) -> np.ndarray:
    return future.ages.query("year == @year")["value"].to_numpy()


@pytest.mark.parametrize("growth", [None, 0.03, -0.015])
@pytest.mark.parametrize("year", [2021, 2028, 2050])
def test_ages_of_an_exponential_lifetime(growth, year):
    """S = e^(−a/M), so that what is older than x is ρ e^(−(g + 1/M)(x − τ)) with ρ = e^(−τ/M)."""
    mean, g, since = 14.0, growth or 0.0, year - 2019
    future = grown(growth, distribution="weibull", shape=1.0, scale=mean)
    ends = np.maximum(EDGES, since)
    old = 700 * np.exp(-since / mean) * -np.diff(np.exp(-(g + 1 / mean) * (ends - since)))
    # spread evenly over its year, a cohort of k years keeps e^(−k/M) M (1 − e^(−1/M))
    ages_of = np.arange(since)
    left = 40 * mean * (1 - np.exp(-1 / mean)) * np.exp(-ages_of / mean)
    young = [left[(ages_of >= a) & (ages_of < b)].sum() for a, b in pairwise(EDGES)]
    assert ages(future, year) == pytest.approx(old + young, rel=1e-9)


def test_ages_of_a_fixed_lifetime():
    """What entered by e^(gt) and is younger than L: ∫ e^(−ga) da between ages, over that to L."""
    g, life = 0.04, 35.0
    future = grown(g, distribution="fixed", mean=life)
    whole = 1 - np.exp(-g * life)
    per = lambda low, high: 700 * (np.exp(-g * (low - 2)) - np.exp(-g * (high - 2))) / whole  # noqa: E731
    expected = [per(2, 5) + 80, per(5, 10), per(10, 20), per(20, 30), per(30, 35), 0.0]
    assert ages(future, 2021) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    even = ages(grown(None, distribution="fixed", mean=life), 2021)
    assert even[1] == pytest.approx(700 * 5 / 35)
    assert expected[1] > even[1]  # a stock that grew is younger
    assert expected[4] < even[4]


def test_by_age_adds_up_to_the_level_of_the_estimation():
    future = grown(0.03, distribution="lognormal", mean=22.0, sd=9.0)
    balance = future.start
    levels = balance.stocks.query("process == 'Use' and quantity == 'level' and year == 2020")
    assert ages(future, 2020).sum() == pytest.approx(levels["value"].iloc[0], rel=1e-9)
    assert not np.isclose(levels["value"].iloc[0], 700.0)
    total = future.stocks.query("quantity == 'level'").set_index("year")["value"]
    summed = future.ages.groupby("year")["value"].sum()
    assert summed.to_numpy() == pytest.approx(total.loc[summed.index].to_numpy(), rel=1e-9)


@pytest.mark.parametrize(
    ("growth", "said"),
    [
        (None, "those of a constant inflow"),
        (0.03, "those of an inflow that grew by 3 % a year"),
        (-0.015, "those of an inflow that shrank by 1.5 % a year"),
    ],
)
def test_the_assumption_says_how_the_inflow_grew(growth, said):
    table = grown(growth, distribution="weibull", mean=20.0, sd=7.0).assumptions
    why = table.loc[table["kind"] == "opening stock", "why"].item()
    assert said in why
