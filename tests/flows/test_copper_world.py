"""Copper in the world: stages and countries check each other, and the page says what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mfa

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "flows"
CASE = "copper-world"
YEARS = (2017, 2018, 2019)
PRINTED_SHARE = {2017: 0.173, 2018: 0.168, 2019: 0.168}  # ICSG, October 2020
PRINTED_DEFICIT = {2017: 157, 2018: 426, 2019: 382}  # usage less production, likewise


@pytest.fixture(scope="module")
def world() -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / f"{CASE}.xlsx"))


def flow(balance: mfa.Balance, name: str) -> pd.DataFrame:
    return balance.flows[balance.flows["flow"] == name].set_index("year")


def rate(balance: mfa.Balance, indicator: str) -> pd.DataFrame:
    table = mfa.indicators(balance)
    return table[table["indicator"] == indicator].set_index("year").sort_index()


def with_sd(value: float, sd: float, digits: int) -> str:
    return f"{value:,.{digits}f} ± {sd:,.{digits}f}".replace("-", "−")


def test_balances_close(world):
    table = world.processes
    assert (table["residual"].abs() <= 1e-9 * table["throughput"]).all()


def test_stages_and_countries_check_each_other(world, page_of):
    assert world.dof == 4 * len(YEARS)  # three balances and what is discarded
    text = f"χ² = {world.chi2:.1f} on {world.dof} degrees of freedom, p = {world.p_value:.2f}"
    assert text in page_of(CASE)
    checked = world.flows[world.flows["status"] == "reconciled"]["flow"]
    assert {"mine_chile", "refined_china", "concentrate", "refined_electrolytic"} <= set(checked)


def test_published_shares_come_out(world):
    share = rate(world, "recycled_share_refined")
    for year, printed in PRINTED_SHARE.items():
        row = share.loc[year]
        assert row["low"] - 5e-4 <= printed <= row["high"] + 5e-4
        assert row["value"] == pytest.approx(printed, abs=0.002)
    for year, row in rate(world, "eol_recycling_rate").iterrows():
        assert year in YEARS
        assert row["low"] < 0.45 < row["high"]


def test_deficits_lie_within_the_sd(world):
    stocks = world.stocks.set_index(["process", "quantity", "year"])
    for year, deficit in PRINTED_DEFICIT.items():
        change = stocks.loc[("refined_market", "change", year)]
        assert abs(change["value"] + deficit) < change["sd"]
        printed = flow(world, "refined_usage").loc[year, "observed"] - sum(
            flow(world, name).loc[year, "observed"]
            for name in ("refined_electrolytic", "refined_electrowon", "refined_scrap")
        )
        assert printed == pytest.approx(deficit, abs=1.5)
        assert 0.3 < change["sd"] / deficit < 2


def test_two_contradictions(world, page_of):
    page = page_of(CASE)
    table = world.excluded.set_index("item")
    failing = set(table.index[table["z"].abs() > 1.96])
    smelters = {f"smelter production, USGS {year}" for year in YEARS}
    assert failing == {"in-use stock, lower estimate 2016", *smelters}
    stock = table.loc["in-use stock, lower estimate 2016"]
    text = f"{stock['observed'] / 1e3:.0f} against {stock['value'] / 1e3:.0f} Mt for 2016"
    assert f"{text}, z = {stock['z']:.1f}".replace("-", "−") in page
    row = table.loc["smelter production, USGS 2018"]
    above = 100 * (row["observed"] / row["value"] - 1)
    assert f"{above:.0f} % above the primary feed of 2018 (z = {row['z']:.1f})" in page
    first, second, third = (table.loc[f"smelter production, USGS {y}", "observed"] for y in YEARS)
    assert f"{first / 1e3:.1f}, {second / 1e3:.1f} and {third / 1e3:.1f} Mt" in page
    concentrate = flow(world, "concentrate")["value"]
    assert (concentrate.to_numpy() < [first, second, third]).all()


def test_the_table_of_the_page(world, page_of):
    page = page_of(CASE)
    mines = world.observations.set_index("observation")
    stocks = world.stocks.set_index(["process", "quantity", "year"])
    rows = {
        "mine output [kt/yr]": [
            with_sd(*mines.loc[f"mine production, ICSG {y}", ["value", "sd"]], 0) for y in YEARS
        ],
        "slag [kt/yr]": [
            with_sd(*flow(world, "slag_smelting").loc[y, ["value", "sd"]], 0) for y in YEARS
        ],
        "change of refined stocks [kt/yr]": [
            with_sd(*stocks.loc[("refined_market", "change", y), ["value", "sd"]], 0) for y in YEARS
        ],
    }
    rows["discarded products [Mt/yr]"] = [
        with_sd(*(flow(world, "discarded").loc[y, ["value", "sd"]] / 1e3), 1) for y in YEARS
    ]
    for indicator, words, digits in (
        ("recycled_share_refined", "recycled share of refined copper", 1),
        ("recycling_input_rate_total", "recycling input rate, all scrap", 1),
        ("eol_recycling_rate", "end-of-life recycling rate", 0),
    ):
        table = rate(world, indicator)
        rows[f"{words} [%]"] = [
            with_sd(*(100 * table.loc[y, ["value", "sd"]]), digits) for y in YEARS
        ]
    for words, cells in rows.items():
        assert f"| {words} | {' | '.join(cells)} |" in page


def test_what_the_page_says_of_scrap(world, page_of):
    page = page_of(CASE)
    new = flow(world, "new_scrap").loc[2018]
    assert f"new scrap, {new['value'] / 1e3:.1f} ± {new['sd'] / 1e3:.1f} Mt in 2018" in page
    primary = sum(flow(world, name).loc[2018, "value"] for name in ("concentrate", "leached"))
    needed = 0.34 / (1 - 0.34) * primary
    assert f"would need {needed / 1e3:.1f} Mt in 2018" in page
    level = world.stocks.set_index(["process", "quantity", "year"]).loc[("use", "level", 2017)]
    change = world.stocks.set_index(["process", "quantity", "year"]).loc[("use", "change", 2017)]
    assert round(100 * change["value"] / level["value"]) == 3
    opening = world.stocks.set_index(["process", "quantity", "year"]).loc[("use", "level", 2016)]
    released = flow(world, "discarded").loc[2017, "value"] * 235e3 / opening["value"]
    assert released / 12e3 == pytest.approx(0.5, abs=0.05)
    share = 100 * rate(world, "eol_recycling_rate").loc[2019, "value"]
    assert f"({share:.0f} % in 2019)" in page


@pytest.fixture(scope="module")
def alike(tables_of):
    """Return the case with another lifetime, or without one."""

    def made(mean: float | None, growth: float = 0.03) -> mfa.Balance:
        tables = tables_of(CASE)
        table = tables.pop("lifetimes")
        if mean is not None:
            tables["lifetimes"] = table.assign(mean=mean, sd=0.4 * mean, growth=growth)
        return mfa.reconcile(mfa.System.from_tables(tables))

    return made


def scrap(balance: mfa.Balance, scenario: str) -> float:
    table = mfa.project(balance, scenario, 2040).supply
    return float(table.loc[(table["year"] == 2040) & (table["kind"] == "scrap"), "value"].item())


@pytest.mark.parametrize(("mean", "growth"), [(25, 3), (30, 3), (35, 3), (30, 0)])
def test_lifetimes_that_agree(alike, page_of, mean, growth):
    balance = alike(mean, growth / 100)
    worn = flow(balance, "discarded").loc[2018, ["value", "sd"]] / 1e3
    levels = balance.stocks.set_index(["process", "quantity", "year"])
    level = levels.loc[("use", "level", 2016), ["value", "sd"]] / 1e3
    cells = [
        str(mean),
        str(growth),
        f"{balance.chi2:.1f}",
        with_sd(*worn, 1),
        with_sd(*level, 0),
        f"{scrap(balance, 'STEPS') / 1e3:.1f}",
    ]
    assert balance.p_value > 0.05
    assert f"| {' | '.join(cells)} |" in page_of(CASE).replace("**", "")


def test_what_the_lifetime_says(world, alike, page_of):
    page = page_of(CASE)
    mined = pd.read_csv(ROOT / "docs" / "data" / "copper-world-mine-production.csv", index_col=0)
    mined = mined["mine_production_t"]
    assert f"{100 * np.log(mined[2016] / mined[1966]) / 50:.1f} % more each year" in page
    assert round(100 * (26 - 12) / 454) == 3
    even = flow(alike(30, 0.0), "discarded").loc[2018, "value"]
    grown = flow(world, "discarded").loc[2018, "value"]
    assert f"let {even / 1e3:.1f} Mt leave instead of {grown / 1e3:.1f}" in page
    assert f"scrap be {scrap(alike(None), 'STEPS') / 1e3:.1f} Mt in STEPS" in page
    worn = [
        mfa.project(world, name, 2040).flows.query("flow == 'discarded' and year == 2040")["value"]
        for name in ("STEPS", "SDS")
    ]
    first, second = (float(found.item()) / 1e3 for found in worn)
    text = f"{first:.1f} Mt in 2040 in STEPS and {second:.1f} in SDS, where"
    now = flow(world, "discarded").loc[2019, "value"] / 1e3
    assert f"{text} {now:.1f} are in 2019" in page


def test_mines_would_hold_demand_back(tables_of):
    tables = tables_of(CASE)
    table = tables["scenarios"]
    note = table.loc[(table["target"] == "capacity") & (table["year"] == "2040"), "note"].iloc[0]
    tables["scenarios"] = table[table["target"] != "capacity"]
    unmet = mfa.project(mfa.System.from_tables(tables), "SDS", 2040).unmet
    assert f"from {unmet['year'].min()} on" in note
