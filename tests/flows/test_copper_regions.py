"""Copper in two regions: the page says what comes out, and each region agrees with its own case."""

from __future__ import annotations

from pathlib import Path

import pytest

import mfa
from mfa.report.page import Page
from mfa.report.regions import trade_rows

FLOWS = Path(__file__).parents[2] / "flows"
CASE = "copper-regions"
REST = "Rest of the world"


@pytest.fixture(scope="module")
def balance() -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / f"{CASE}.xlsx"))


def other(case: str) -> mfa.Balance:
    return mfa.reconcile(mfa.read_workbook(FLOWS / f"{case}.xlsx"))


def rates(balance: mfa.Balance, indicator: str, **where: object):
    table = mfa.indicators(balance)
    table = table[table["indicator"] == indicator]
    for column, value in where.items():
        table = table[table[column] == value]
    return table.iloc[0]


def test_regions(balance):
    assert balance.system.regions == ("Japan", REST)
    assert (balance.processes["residual"].abs() <= 1e-9 * balance.processes["throughput"]).all()


def test_the_page_says_what_comes_out(balance, page_of):
    page = page_of(CASE)
    test = f"χ² = {balance.chi2:.1f} on {balance.dof} degrees of freedom, p = {balance.p_value:.2f}"
    assert test in page
    shares, made, input_rates = [], [], []
    for region in ("", "Japan", REST):
        row = rates(balance, "recycled_share_refined", region=region)
        shares.append(f"{100 * row['value']:.1f} ± {100 * row['sd']:.1f}")
        made.append(f"{row['denominator']:,.0f}")
        row = rates(balance, "recycling_input_rate_total", region=region)
        ends = f"{100 * row['low']:.1f}–{100 * row['high']:.1f}"
        known = f"{100 * row['value']:.1f} ± {100 * row['sd']:.1f}"
        input_rates.append(known if row["value"] == row["value"] else ends)
    for name, cells in (
        ("recycled share of refined copper [%]", shares),
        ("refined production [kt/yr]", made),
        ("recycling input rate, all scrap [%]", input_rates),
    ):
        assert " | ".join([name, *cells]) in page
    trade = mfa.trade(balance).set_index(["from_region", "to_region", "role"])
    for key, text in (
        (("Japan", REST, "scrap"), "scrap, {value:.0f} ± {sd:.0f} kt"),
        ((REST, "Japan", "scrap"), "imports, {value:.0f} ± {sd:.0f} kt"),
        ((REST, "Japan", "primary"), "{value:,.0f} ± {sd:.0f} kt of concentrate and blister"),
        (("Japan", REST, "refined"), "{value:.0f} ± {sd:.0f} kt of refined copper"),
        ((REST, "Japan", "refined"), "against {value:.0f} kt"),
    ):
        assert text.format(**trade.loc[key, ["value", "sd"]]) in page


def test_each_region_agrees_with_its_own_case(balance):
    """Japan with fiscal 2018 of copper-japan, the whole with 2018 of copper-world."""
    name = "recycled_share_refined"
    japan = rates(other("copper-japan"), name, year=2018)
    apart = rates(balance, name, region="Japan")
    assert apart["value"] == pytest.approx(japan["value"], abs=0.002)
    world = rates(other("copper-world"), name, year=2018)
    together = rates(balance, name, region="")
    assert together["value"] == pytest.approx(world["value"], abs=0.002)
    assert apart["value"] - 3 * apart["sd"] > together["value"]


def test_the_rest_is_what_the_world_leaves(balance):
    covariance = balance.covariance(["refined_ore_row", "refined_ore_japan"])
    assert covariance.iloc[0, 1] < 0
    flows = balance.flows.set_index("flow")["value"]
    total = balance.observations.set_index("observation")["value"]
    assert flows["refined_scrap_row"] + flows["refined_scrap_japan"] == pytest.approx(
        total["refined copper from scrap, world"]
    )


def test_regions_have_their_japanese_names(balance):
    diagram = mfa.sankey(balance, region="Japan", lang="ja").diagrams[0]
    assert diagram.title.endswith("：日本")
    labels = [link.label for link in diagram.links if link.lane in ("import", "export")]
    assert "その他世界" in labels  # concentrate and blister together
    assert "電気銅（日本の輸入） (その他世界)" in labels
    assert not any("Rest" in label for label in labels)
    whole = mfa.sankey(balance, lang="ja").diagrams[0]
    assert "伸銅工場 (日本)" in {node.label for node in whole.nodes}
    page = Page(balance, "ja")
    assert {row["to"] for row in trade_rows(page)} == {"日本", "その他世界", page.words["outside"]}


def test_ranges_apart_do_not_meet(balance):
    japan, rest = (
        rates(balance, "recycling_input_rate_total", region=region) for region in ("Japan", REST)
    )
    assert japan["low"] > rest["high"]
