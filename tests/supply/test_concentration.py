"""Shares, HHI, surplus, stocks, by-products, feeds and exposure, by hand and in Japan's copper."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa.supply import (
    by_products,
    exposure,
    feed_mix,
    new_source,
    shares,
    stage_balance,
    stockpile,
)

from .chains import FLOWS, PROCESSES, build, chain

FOLDER = Path(__file__).parents[2] / "flows"
ORIGINS = [
    {"flow": "c", "country": "Chile", "company": "A", "value": 18.0, "unit": "kt"},
    {"flow": "c", "country": "Chile", "company": "B", "value": 9.0, "unit": "kt"},
    {"flow": "c", "country": "Other", "company": None, "value": 3.0, "unit": "kt"},
    {"flow": "p", "country": "Peru", "company": "B", "value": 100, "unit": "%"},
]


@pytest.fixture(scope="module")
def japan():
    return mfa.reconcile(mfa.read_tables(FOLDER / "copper-japan"))


def test_hhi_by_hand():
    balance = chain(origins=ORIGINS)
    row = mfa.concentration(balance).iloc[0]
    # Chile 27, Peru 20, Other 3 of 50
    assert row["value"] == pytest.approx(0.54**2 + 0.4**2)
    assert row["low"] == pytest.approx(row["value"])
    assert row["high"] == pytest.approx(row["value"] + 0.06**2)
    assert (row["largest"], row["largest_share"]) == ("Chile", pytest.approx(0.54))
    assert row["two_largest"] == pytest.approx(0.94)
    assert row["other"] == pytest.approx(0.06)
    companies = mfa.concentration(balance, "company").iloc[0]
    assert companies["value"] == pytest.approx((18 / 50) ** 2 + (29 / 50) ** 2)
    merged = mfa.concentration(balance, "company", merge={"A": "A+B", "B": "A+B"}).iloc[0]
    assert merged["value"] == pytest.approx((47 / 50) ** 2)
    table = shares(balance).set_index("party")["share"]
    assert table.to_dict() == pytest.approx({"Chile": 0.54, "Peru": 0.4, "Other": 0.06})


def test_groups_and_weights_of_countries():
    countries = [
        {"country": "Chile", "group": "South America", "governance": 0.4, "trade_adjustment": 1.1},
        {"country": "Peru", "group": "South America", "governance": 0.7, "trade_adjustment": None},
    ]
    balance = chain(origins=ORIGINS, countries=countries)
    assert mfa.concentration(balance, "group")["value"].iloc[0] == pytest.approx(0.94**2)
    weighted = mfa.concentration(balance)["weighted"].iloc[0]
    assert weighted == pytest.approx(0.54**2 * 0.44 + 0.4**2 * 0.7)
    lacking = mfa.concentration(chain(origins=ORIGINS, countries=countries[:1])).iloc[0]
    assert np.isnan(lacking["weighted"])
    assert lacking["missing"] == "Peru"


def test_a_new_source_before_and_after():
    table = new_source(chain(origins=ORIGINS), "Smelter", "Mongolia", 120.0).set_index("party")
    # 10 of 50 a month; the others shrink to four fifths
    assert table.loc["Mongolia"].tolist() == pytest.approx([0.0, 0.2])
    assert table.loc["Chile"].tolist() == pytest.approx([0.54, 0.432])
    before, after = table.loc["HHI"]
    assert before == pytest.approx(0.54**2 + 0.4**2)
    assert after == pytest.approx(0.432**2 + 0.32**2 + 0.2**2)
    with pytest.raises(mfa.MFAError, match="cannot take over 700"):
        new_source(chain(origins=ORIGINS), "Smelter", "Mongolia", 700.0)
    with pytest.raises(mfa.MFAError, match="did you mean 'Smelter'"):
        new_source(chain(origins=ORIGINS), "Smeltr", "Mongolia", 7.0)


def test_undetermined_imports_have_no_shares():
    flows = [row | ({"value": None} if row["flow"] in ("c", "p") else {}) for row in FLOWS]
    balance = build(PROCESSES, flows, origins=ORIGINS)
    row = mfa.concentration(balance).iloc[0]
    assert np.isnan([row["value"], row["low"], row["high"], row["largest_share"]]).all()
    assert row["largest"] == ""


def test_japans_concentrate_in_2018(japan):
    """Chile and Peru 62.7 %, HHI 0.275 (trade statistics in Kozan 2020, table 12-1)."""
    table = mfa.concentration(japan)
    row = table[(table["commodity"] == "concentrate") & (table["year"] == 2018)].iloc[0]
    assert row["two_largest"] == pytest.approx(0.627, abs=5e-4)
    assert row["value"] == pytest.approx(0.275, abs=5e-4)
    mass = [598, 139, 196, 118, 89, 46, 30, 25]
    assert row["value"] == pytest.approx(sum(x**2 for x in mass) / 1266**2)
    parts = shares(japan)
    parts = parts[(parts["commodity"] == "concentrate") & (parts["year"] == 2018)]
    assert parts["share"].sum() == pytest.approx(1)
    assert parts["party"].tolist()[:2] == ["Chile", "Peru"]


def test_the_sd_of_hhi_is_that_of_draws(japan):
    table = mfa.concentration(japan)
    row = table[(table["commodity"] == "concentrate") & (table["year"] == 2018)].iloc[0]
    flows = row["flows"].split(", ")
    data = japan.flows[(japan.flows["year"] == 2018)].set_index("flow").loc[flows]
    covariance = japan.covariance([(flow, 2018) for flow in flows]).to_numpy()
    x = np.random.default_rng(0).multivariate_normal(data["value"], covariance, 20000)
    named = np.array([flow != "concentrate_other_countries" for flow in flows])
    drawn = ((x / x.sum(axis=1, keepdims=True)) ** 2 * named).sum(axis=1)
    assert row["sd"] == pytest.approx(drawn.std(), rel=0.03)


def test_the_world_from_reserves_to_use(japan):
    table = mfa.concentration(japan)
    world = table[table["scope"] == "world"].set_index("item")
    assert list(world.index) == ["reserves", "mining", "refining", "use"]
    refining = [0.38, 0.10, 0.06, 0.05, 0.04]
    assert world.loc["refining", "value"] == pytest.approx(sum(x**2 for x in refining))
    assert world.loc["refining", "high"] == pytest.approx(sum(x**2 for x in refining) + 0.37**2)


def test_surplus_by_hand():
    producers = [
        {"stage": "mining", "country": "Chile", "value": 58, "unit": "kt/yr", "year": 2018},
        {"stage": "mining", "country": "Other", "value": 3000, "unit": "t/yr", "year": 2018},
        {"stage": "refining", "country": "Chile", "value": 24, "unit": "kt/yr", "year": 2018},
        {"stage": "refining", "country": "China", "value": 70, "unit": "kt/yr", "year": 2018},
        {"stage": "use", "country": "China", "value": 110, "unit": "kt/yr", "year": 2018},
    ]
    table = stage_balance(chain(producers=producers))
    world = table[table["scope"] == "world"].set_index(["item", "stage"])["value"]
    assert world["Chile", "mining"] == pytest.approx(34)
    assert world["Chile", "refining"] == pytest.approx(24)  # use lists all: none in Chile
    assert np.isnan(world["China", "mining"])  # may be among the others
    assert world["China", "refining"] == pytest.approx(-40)


def test_surplus_of_japan(japan):
    table = stage_balance(japan)
    row = table[(table["year"] == 2018) & (table["stage"] == "refined")].iloc[0]
    flows = japan.flows[japan.flows["year"] == 2018].set_index("flow")["value"]
    made = flows["refined_ore"] + flows["refined_scrap"]
    needed = flows["refined_to_wire"] + flows["refined_to_rolled"] + flows["refined_to_other"]
    assert row["made"] == pytest.approx(made)
    assert row["value"] == pytest.approx(made - needed)
    assert row["low"] < row["value"] < row["high"]
    product_ = table[(table["year"] == 2018) & (table["stage"] == "product")].iloc[0]
    assert np.isnan(product_["value"])


def test_stock_for_days_of_demand(japan):
    row = stockpile(japan, days=60, year=2018).iloc[0]
    flows = japan.flows[japan.flows["year"] == 2018].set_index("flow")["value"]
    demand = flows["refined_to_wire"] + flows["refined_to_rolled"] + flows["refined_to_other"]
    assert row["value"] == pytest.approx(60 / 365 * demand)
    assert row["held"] == pytest.approx(107.240)
    assert row["held_days"] == pytest.approx(107.240 / demand * 365)
    with pytest.raises(mfa.MFAError, match="-1 days"):
        stockpile(japan, days=-1)
    simple = stockpile(chain(), days=73).iloc[0]
    assert simple["value"] == pytest.approx(0.2 * 12 * 45)


def test_by_products_move_with_the_main_metal():
    def flow(name, start, end, **values):
        rows = [{"substance": one, "value": x} for one, x in values.items()]
        return [{"flow": name, "from": start, "to": end, "year": 2018, "sd": 0.0} | r for r in rows]

    rows = [
        *flow("ore", "Mine", "Smelter", Cu=100.0, Au=0.04),
        *flow("metal", "Smelter", "Market", Cu=92.0),
        *flow("slimes", "Smelter", "Market", Au=0.03),
        *[r | {"role": "loss"} for r in flow("slag", "Smelter", "Dump", Cu=8.0, Au=0.01)],
    ]
    kinds = {"Mine": "import", "Smelter": "process", "Market": "export", "Dump": "sink"}
    system = mfa.System.from_tables(
        {
            "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu, Au"]}),
            "processes": pd.DataFrame({"process": list(kinds), "kind": list(kinds.values())}),
            "flows": pd.DataFrame(rows),
        }
    )
    table = by_products(mfa.reconcile(system), "Smelter", change=-0.25)
    row = table.iloc[0]
    assert (len(table), row["substance"], row["flows"]) == (1, "Au", "slimes")
    assert row["value"] == pytest.approx(0.03 / 92)
    assert row["effect"] == pytest.approx(-0.25 * 0.03)
    with pytest.raises(mfa.MFAError, match="did you mean 'Smelter'"):
        by_products(mfa.reconcile(system), "Smeltr")


def test_the_cheapest_feed_by_hand():
    balance = chain()
    table = feed_mix(balance, "Smelter", {"c": 3.0, "p": 5.0}, supply={"c": 420.0}).set_index(
        "flow"
    )
    # 540 of metal need 600 of feed: 420 of the cheap one and 180 of the other
    assert table["value"].to_dict() == pytest.approx({"c": 420.0, "p": 180.0})
    assert table["saving"].to_dict() == pytest.approx({"c": 2.0, "p": 0.0})
    assert table["at_limit"].to_dict() == {"c": True, "p": False}
    rich = feed_mix(balance, "Smelter", {"c": 3.0, "p": 3.2}, recovery={"p": 0.99}).set_index(
        "flow"
    )
    assert rich["value"]["p"] == pytest.approx(240.0)  # dearer by mass, cheaper by metal
    assert rich["value"]["c"] == pytest.approx((540 - 0.99 * 240) / 0.9)
    with pytest.raises(mfa.MFAError, match="allow no more than 540"):
        feed_mix(balance, "Smelter", {"c": 1.0}, output=600.0)
    with pytest.raises(mfa.MFAError, match="does not enter"):
        feed_mix(balance, "Smelter", {"x": 1.0})


@pytest.mark.parametrize("seed", range(6))
def test_the_cheapest_feed_by_search(seed):
    rng = np.random.default_rng(seed)
    cost, recovery = rng.uniform(1, 5, 2), rng.uniform(0.6, 0.99, 2)
    supply = rng.uniform(300, 900, 2)
    output, capacity = 400.0, 700.0
    names = ("c", "p")
    table = feed_mix(
        chain(),
        "Smelter",
        dict(zip(names, cost, strict=True)),
        supply=dict(zip(names, supply, strict=True)),
        recovery=dict(zip(names, recovery, strict=True)),
        output=output,
        capacity=capacity,
    )
    # the corners of what is possible: where two of the limits meet
    lines = [(recovery, output), (np.ones(2), capacity)]
    lines += [(row, limit) for row, limit in zip(np.eye(2), supply, strict=True)]
    lines += [(row, 0.0) for row in np.eye(2)]
    corners = [
        np.linalg.solve(np.array([a, b]), [p, q])
        for (a, p), (b, q) in product(lines, lines)
        if abs(np.linalg.det(np.array([a, b]))) > 1e-9
    ]
    possible = [
        x
        for x in corners
        if (x >= -1e-9).all()
        and (x <= supply + 1e-9).all()
        and recovery @ x >= output - 1e-9
        and x.sum() <= capacity + 1e-9
    ]
    assert possible
    best = min(float(cost @ x) for x in possible)
    assert float(cost @ table["value"]) == pytest.approx(best)


def test_exposure_adds_up_and_follows_the_ore(japan):
    table = exposure(chain(origins=ORIGINS))
    smelter = table[table["item"] == "Smelter"].set_index("origin")["value"]
    mills = table[table["item"] == "Mills"].set_index("origin")["value"]
    assert smelter["Chile"] == pytest.approx(0.54)
    assert mills["Peru"] == pytest.approx(0.4)
    real = exposure(japan, year=2018)
    known = real[real["value"].notna()].groupby("item")["value"].sum()
    assert known["smelting_ore"] == pytest.approx(1)
    chile = real[(real["item"] == "smelting_ore") & (real["origin"] == "Chile")]["value"].iloc[0]
    assert chile == pytest.approx(598 / 1295)
    groups = exposure(japan, by="group", year=2018)
    south = groups[(groups["item"] == "smelting_ore") & (groups["origin"] == "South America")]
    assert south["value"].iloc[0] == pytest.approx((598 + 196) / 1295)
