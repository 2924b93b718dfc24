"""Copper in Japan: known contradictions are found, and the page says what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mfa

FLOWS = Path(__file__).parents[2] / "flows"
YEARS = range(2015, 2020)
SURPLUS = {2015: 72.9, 2016: 46.203, 2017: 8.766, 2018: -26.593, 2019: -44.28}


@pytest.fixture(scope="module")
def japan() -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / "copper-japan.xlsx"))


@pytest.fixture(scope="module")
def free() -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / "copper-japan-discrepancy.xlsx"))


@pytest.fixture(scope="module")
def independent(tables_of) -> mfa.Balance:
    """The same case with one content for each flow and year: 45 errors instead of one."""
    tables = tables_of("copper-japan")
    shared = tables["compositions"].iloc[0]
    rows = [
        {**shared, "flow": flow.strip(), "year": str(year)}
        for flow in shared["flow"].split(",")
        for year in YEARS
    ]
    assert len(rows) == 45
    tables["compositions"] = pd.DataFrame(rows)
    return mfa.reconcile(mfa.System.from_tables(tables))


def rate(balance: mfa.Balance, indicator: str) -> pd.DataFrame:
    table = mfa.indicators(balance)
    return table[table["indicator"] == indicator].set_index("year").sort_index()


def scrap_sd(balance: mfa.Balance) -> np.ndarray:
    """Covariance of what the rolled mills take in as scrap, year by year."""
    return balance.covariance([("scrap_to_rolled", "Cu", year) for year in YEARS]).to_numpy()


def test_balances_close(japan):
    table = japan.processes
    assert (table["residual"].abs() <= 1e-9 * table["throughput"]).all()


def test_the_official_discrepancy_is_found_as_what_it_is(japan):
    market = japan.processes[japan.processes["process"] == "refined_market"].set_index("year")
    for year, surplus in SURPLUS.items():
        assert market.loc[year, "residual_before"] == pytest.approx(surplus, abs=5e-3)
        assert market.loc[year, "imbalance"] == pytest.approx(surplus, abs=5e-3)
    assert set(market.index[market["nodal_p"] < 0.05]) == {2015, 2016, 2019}
    data = japan.suspects[japan.suspects["kind"] == "datum"]
    tied = data[data["z"].abs().round(6) == round(data["z"].abs().max(), 6)]
    assert set(tied["item"]) == {
        "refined_ore",
        "refined_scrap",
        "refined_import",
        "refined_export",
        "refined_to_wire",
        "refined_to_rolled",
        "refined_to_other",
        "refined_market",
    }
    assert set(tied["year"]) == {2014, 2015}
    assert not tied.set_index("item").loc["refined_import", "possible"]


def test_a_free_discrepancy_takes_up_what_was_open(free):
    found = free.flows[free.flows["flow"] == "discrepancy"].set_index("year")["value"]
    for year in (2015, 2016, 2017, 2019):
        assert found[year] == pytest.approx(SURPLUS[year], abs=5e-3)
    assert free.dof == 1


def test_the_two_cases_differ_in_the_discrepancy_alone(tables_of):
    plain, free = tables_of("copper-japan"), tables_of("copper-japan-discrepancy")
    for name, table in free.items():
        if name == "system":
            continue
        key = table.columns[0]
        same = table[table[key] != "discrepancy"].reset_index(drop=True)
        pd.testing.assert_frame_equal(same, plain[name])


def test_printed_totals_that_contradict_their_parts_fail(japan, page_of):
    table = japan.excluded.set_index("item")
    z = table["z"]
    failing = {name.removeprefix("printed total, ") for name in z.index[z.abs() > 1.96]}
    rolled = {"rolled 2016", "rolled domestic 2017", "rolled 2017"}
    assert failing == {"wire 2016", "wire domestic 2017"} | rolled
    assert set(table.loc[table.index.str.contains("rolled"), "substance"]) == {"goods"}
    page = page_of("copper-japan")
    for name in sorted(rolled):
        total = table.loc[f"printed total, {name}"]
        text = f"{total['observed']:.1f} for {total['value']:.1f}, z = {total['z']:.1f}"
        assert text.replace("-", "−") in page


def test_gross_mass_is_what_the_association_prints(japan):
    goods = japan.flows[japan.flows["substance"] == "goods"]
    assert len(goods) == 45
    assert (goods["basis"] == "statistic").all()
    copper = japan.flows[
        japan.flows["flow"].isin(goods["flow"]) & (japan.flows["substance"] == "Cu")
    ]
    assert copper["observed"].isna().all()
    content = copper["value"].to_numpy() / goods["value"].to_numpy()
    shared = japan.compositions.loc[0, "value"]
    np.testing.assert_allclose(content, shared, rtol=1e-9)


def test_one_content_is_one_error(japan, independent, page_of):
    page = page_of("copper-japan")
    row = japan.compositions.loc[0]
    assert f"from 0.80 ± 0.05 to {row['value']:.3f} ± {row['sd']:.3f}" in page
    one, many = (rate(b, "recycling_input_rate_total") for b in (japan, independent))
    last = f"{100 * many.loc[2019, 'value']:.1f} ± {100 * many.loc[2019, 'sd']:.1f} %"
    assert f"{last} in 2019 instead of" in page
    short = 100 * (1 - many["sd"] / one["sd"])
    assert f"too small by {short.min():.0f}–{short.max():.0f} %" in page
    larger = 100 * (one["sd"] / many["sd"] - 1)
    assert f"{larger.min():.0f}–{larger.max():.0f} % larger" in page
    shared, split = scrap_sd(japan), scrap_sd(independent)
    yearly = 100 * (1 - np.sqrt(np.diag(split) / np.diag(shared)))
    assert f"by {yearly.min():.0f}–{yearly.max():.0f} % in a year" in page
    total = np.sqrt(shared.sum()), np.sqrt(split.sum())
    text = f"± {total[1]:.0f} kt instead of ± {total[0]:.0f} kt"
    assert f"{text}, by {100 * (1 - total[1] / total[0]):.0f} %" in page


def test_the_share_in_the_trade_press_and_the_older_one_lie_on_two_sides(japan, page_of):
    """The content that a scrap share implies: refined ÷ (1 − share) ÷ gross shipments."""
    flows = japan.flows[japan.flows["year"] == 2018]
    refined = flows.loc[flows["flow"] == "refined_to_rolled", "observed"].item()
    gross = flows.loc[flows["substance"] == "goods", "observed"].sum()
    press, older = (refined / (1 - share) / gross for share in (0.40, 0.56))
    assert f"would mean a content of {press:.2f}, that of 56 % one of {older:.2f}" in page_of(
        "copper-japan"
    )


def cells(rows: pd.DataFrame) -> list[str]:
    return [
        f"{100 * r.value:.1f} ± {100 * r.sd:.1f}"
        if r.value == r.value
        else f"{100 * r.low:.0f}–{100 * r.high:.1f}"
        for r in rows.itertuples()
    ]


def test_the_page_says_what_comes_out(japan, free, page_of):
    page = page_of("copper-japan")
    assert (
        f"χ² = {japan.chi2:.1f} on {japan.dof} degrees of freedom, p = {japan.p_value:.5f}" in page
    )
    assert f"χ² is {free.chi2:.1f} on {free.dof} degree of freedom" in page
    for indicator, name in (
        ("recycling_input_rate_total", "recycling input rate, all scrap [%]"),
        ("recycled_share_refined", "recycled share of refined copper [%]"),
        ("eol_recycling_rate", "end-of-life recycling rate [%]"),
    ):
        assert f"| {name} | {' | '.join(cells(rate(japan, indicator)))} |" in page
    open_ = free.flows[free.flows["flow"] == "discrepancy"].set_index("year")
    for year in (2015, 2019):
        text = f"{open_.loc[year, 'value']:+.1f} ± {open_.loc[year, 'sd']:.1f}".replace("-", "−")
        assert text in page
    best = mfa.survey(japan).set_index("item").loc["new_scrap"]
    assert best["width_then"] == pytest.approx(mfa.survey(japan)["width_then"].min())
    assert f"from {100 * best['width_now']:.0f} to {100 * best['width_then']:.0f} points" in page
    stocks = japan.stocks.set_index(["process", "quantity", "year"])
    change = stocks.loc[("smelting_ore", "change", 2015)]
    assert f"(−{-change['value']:.0f} ± {change['sd']:.0f} kt)" in page
