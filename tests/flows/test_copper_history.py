"""Copper since 1900: the page says what comes out, and what was mined is what the USGS has."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mfa

ROOT = Path(__file__).parents[2]
CASE = "copper-history"
LIFE = mfa.Weibull(mean=30.0, sd=12.0)


@pytest.fixture(scope="module")
def mined() -> pd.Series:
    path = ROOT / "docs" / "data" / "copper-world-mine-production.csv"
    return pd.read_csv(path, index_col="year")["mine_production_t"] / 1e3


@pytest.fixture(scope="module")
def history() -> mfa.Balance:
    return mfa.reconcile(mfa.read_tables(ROOT / "flows" / CASE))


def level(balance: mfa.Balance, year: int) -> pd.Series:
    table = balance.stocks[balance.stocks["quantity"] == "level"].set_index("year")
    return table.loc[year, ["value", "sd"]] / 1e3


def test_mined_copper_is_the_mean_of_each_step(history, mined):
    table = history.flows[history.flows["flow"] == "mined"].set_index("year")
    for before, year in pairwise([1899, *table.index]):
        assert table.loc[year, "observed"] == pytest.approx(mined.loc[before + 1 : year].mean())
        said = table.loc[year, "note"]
        assert year == 1900 or said == f"Mean of {before + 1}–{year}."


def test_against_years_one_by_one(history, mined):
    """Year after year, what comes back found by rounds; no steps of ten years."""
    inflow = mined.loc[1900:2015].to_numpy()
    fresh = 0.98 * inflow
    left = 9000 * mfa.stocks.opening_shares(range(1900, 2016), LIFE, growth=0.03)
    old = -np.diff(left, prepend=9000.0)
    use = fresh
    for _ in range(60):
        run = mfa.inflow_driven(range(1900, 2016), use, LIFE, "spread")
        use = fresh + 0.45 * (run.outflow + old)
    assert level(history, 2015)["value"] == pytest.approx((run.stock + left)[-1] / 1e3, rel=0.01)


def test_what_was_in_use_before(tables_of, history):
    opening = 0.495 * LIFE.years_in_use()  # Mt, had it never grown
    ages = np.linspace(0, 120, 24001)
    grown = 0.495 * np.trapezoid(np.exp(-0.03 * ages) * LIFE.survival(ages), ages)
    assert round(float(grown)) == 9
    assert float(opening) > 14
    tables = tables_of(CASE)
    tables["stocks"]["value"] = "0"
    tables["stocks"] = tables["stocks"].drop(columns="cv").assign(sd="0")
    without = level(mfa.reconcile(mfa.System.from_tables(tables)), 2015)["value"]
    assert abs(without / level(history, 2015)["value"] - 1) < 0.002


def test_the_page_says_what_comes_out(history, mined, page_of):
    page = page_of(CASE)
    assert history.dof == 0
    cells = [f"{value:.0f} ± {sd:.0f}" for value, sd in (level(history, y) for y in YEARS)]
    assert f"| in use [Mt] | {' | '.join(cells)} |" in page
    value, sd = level(history, 2015)
    assert f"In use in 2015: {value:.0f} ± {sd:.0f} Mt." in page
    z = history.excluded.set_index("item")["z"]
    assert f"440 Mt: z = {z['in-use stock 2015']:.1f} with".replace("-", "−") in page
    assert f"reach, z = {z['in-use stock, lower estimate 2015']:.1f}.".replace("-", "−") in page
    assert z[["products into use 2015", "discarded products 2015"]].abs().max() < 1.96
    flows = history.flows.set_index(["flow", "year"])["value"] / 1e3
    new, worn = (flows[name, 2015] for name in ("products", "discarded"))
    assert f"{new:.1f} Mt a year into use and {worn:.1f} Mt discarded" in page
    share = 100 * value / (mined.loc[1900:2015].sum() / 1e3)
    assert f"since 1900, {share:.0f} % is in use" in page


YEARS = (1900, 1950, 1980, 2000, 2015)


def test_the_range_that_the_assumptions_span(tables_of, page_of):
    page = page_of(CASE).replace("**", "")
    found = []
    for mean in (20, 25, 30, 35):
        for rate in ("0.4", "0.45", "0.5"):
            tables = tables_of(CASE)
            tables["lifetimes"] = tables["lifetimes"].assign(mean=mean, sd=0.4 * mean)
            tables["coefficients"].loc[0, "value"] = rate
            balance = mfa.reconcile(mfa.System.from_tables(tables))
            found.append(round(float(level(balance, 2015)["value"])))
    for row, mean in enumerate((20, 25, 30, 35)):
        cells = " | ".join(map(str, found[3 * row : 3 * row + 3]))
        assert f"{mean} years | {cells} |" in page
    assert f"{min(found)} to {max(found)} Mt" in page
    assert min(found) < 440 < max(found)
    assert min(found) > 221 * 1.2
