"""Indicators of supply: by hand on the cycle by hand, in units, in ranges, and as published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.recycling import indicators
from mfa.recycling.concentration import concentration

from . import byhand
from .cycles import Number, cycle_of, process, system_of
from .reference import Cycle, Flow

V = byhand.VALUES


def table_of(
    cycle: Cycle = byhand.CYCLE,
    data: dict[str, Number] = byhand.DATA,
    unit: str = "kt/yr",
    **sheets: list[dict[str, Any]],
) -> pd.DataFrame:
    table = indicators(reconcile(system_of(cycle, data, unit=unit, **sheets)))
    return table.set_index(["indicator", "item"]).sort_index()


def test_every_indicator_has_a_row_with_all_that_belongs_to_it() -> None:
    table = indicators(byhand.balance())
    assert set(table["indicator"]) >= {
        "recycled_content",
        "circular_material_use",
        "import_reliance",
        "net_import_reliance",
        "self_sufficiency",
        "stock_days",
        "net_addition",
        "loss",
        "hhi",
        "hhi_governance",
        "supply_risk",
    }
    assert (table["scope"] != "").all()
    assert (table["source"] != "").all()
    formed = table["missing"] == ""
    assert (table["flows"][formed & ~table["indicator"].isin(["net_addition"])] != "").all()
    assert set(table["unit"]) == {"1", "d", "kt/yr"}


def test_reliance_on_imports_by_hand() -> None:
    table = table_of()
    primary = table.loc[("import_reliance", "primary")]
    assert primary["value"] == pytest.approx(410 / (37 + 410))
    refined = table.loc[("import_reliance", "refined")]
    assert refined["value"] == pytest.approx((83 - 61) / (481 + 83 - 61))
    product = table.loc[("import_reliance", "product")]  # 101 + 363 leave the makers, 47 come in
    assert product["value"] == pytest.approx((47 - 101) / (464 + 47 - 101))
    assert (product["numerator"], product["denominator"]) == pytest.approx((-54.0, 410.0))
    assert product["low"] < product["value"] < product["high"] < 0


def test_a_net_import_reliance_counts_stocks() -> None:
    """30 out of the stock of metal: (83 − 61 + 30)/(481 + 83 − 61 + 30)."""
    cycle = Cycle(
        tuple(replace(p, stock=p.stock or p.name == "metal") for p in byhand.CYCLE.processes),
        byhand.CYCLE.flows,
    )
    data = dict(byhand.DATA) | {"to_mill": None, "strip": None, "goods": None}
    stocks = [
        {"process": "metal", "year": 2017, "quantity": "level", "value": 200.0, "sd": 4.0},
        {"process": "metal", "year": 2018, "quantity": "level", "value": 170.0, "sd": 3.0},
    ]
    table = table_of(cycle, data, stocks=stocks)
    row = table.loc[("net_import_reliance", "")]
    assert row["value"] == pytest.approx((83 - 61 + 30) / (481 + 83 - 61 + 30))
    days = table.loc[("stock_days", "")]
    assert days["value"] == pytest.approx(170 / (533 / 365))
    assert (days["numerator"], days["denominator"]) == pytest.approx((170.0, 533 / 365))
    assert days["unit"] == "d"
    tons = {k: v and (v[0] * 1000, v[1] * 1000) for k, v in data.items()}
    heavy = [row | {"value": row["value"] * 1000, "sd": row["sd"] * 1000} for row in stocks]
    other = table_of(cycle, tons, "t/yr", stocks=heavy)  # type: ignore[arg-type]
    shares = table["unit"].isin(["1", "d"])
    columns = ["value", "sd", "low", "high"]
    assert np.allclose(table[shares][columns], other[shares][columns], rtol=1e-6, equal_nan=True)
    assert np.allclose(
        1000 * table[~shares][columns], other[~shares][columns], rtol=1e-6, equal_nan=True
    )


def test_stocks_losses_and_circular_use_by_hand() -> None:
    table = table_of()
    row = table.loc[("net_addition", "")]
    assert row["value"] == pytest.approx(363 + 47 - 211 - 23)
    assert np.isnan(row["denominator"])
    lost = table.loc["loss"]["value"]
    assert lost.to_dict() == pytest.approx(
        {"": 19 + 32 + 17 + 13, "smelter": 19.0, "yard": 49.0, "market": 13.0}
    )
    own = 53 + 71 - 59 + 186  # recycled, without what was imported, with what is exported
    taken = 410 + 37 + 83 + 47 + 59 - (61 + 101 + 31 + 186)
    row = table.loc[("circular_material_use", "")]
    assert row["value"] == pytest.approx(own / (taken + own))


def test_recycled_content_by_hand_with_imported_metal_of_unknown_origin() -> None:
    """53 of 500 into the smelter are scrap; 83 of 564 of the metal may be; 71 goes to the mill."""
    row = table_of().loc[("recycled_content", "")]
    own = 481 * 53 / 500 / 564
    ends = [(503 * share + 71) / 574 for share in (own, own + 83 / 564)]
    assert np.isnan(row["value"])
    assert (row["low"], row["high"]) == pytest.approx(ends, rel=1e-9)


ORE = {"flow": "ore", "unit": "1", "year": None}


@pytest.mark.parametrize(
    ("origins", "ends"),
    [
        ([], (0.0, 1.0)),
        ([ORE | {"country": "Chile", "value": 1.0, "equity": 0.25}], (0.25, 0.25)),
        (
            [
                ORE | {"country": "Chile", "value": 0.6, "equity": 0.25},
                ORE | {"country": "Peru", "value": 0.3, "equity": None},
            ],
            (0.15, 0.55),
        ),
    ],
)
def test_self_sufficiency_by_hand(origins: list[dict[str, Any]], ends: tuple[float, float]) -> None:
    """Of 500 into the smelter: own ore 37, equity in 410, own scrap 264/323 of 53."""
    table = table_of(**({"origins": origins} if origins else {}))
    row = table.loc[("self_sufficiency", "")]
    expected = [481 / 500 * (37 + e * 410 + 53 * 264 / 323) / 503 for e in ends]
    if ends[0] == ends[1]:
        assert row["value"] == pytest.approx(expected[0])
        assert row["sd"] > 0
    else:
        assert np.isnan(row["value"])
        assert (row["low"], row["high"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("indicator", "gone", "words"),
    [
        ("stock_days", (), "stock in a trade process"),
        ("net_addition", ("homes",), "stage use"),
        ("self_sufficiency", ("to_mill",), "fabrication"),
        ("hhi", (), "origins"),
    ],
)
def test_what_is_missing_is_said(indicator: str, gone: tuple[str, ...], words: str) -> None:
    processes = tuple(
        replace(p, stock=False, stage="manufacturing") if p.name in gone else p
        for p in byhand.CYCLE.processes
    )
    flows = tuple(replace(f, roles=()) if f.name in gone else f for f in byhand.CYCLE.flows)
    data = dict.fromkeys(byhand.DATA)
    row = table_of(Cycle(processes, flows), data).loc[indicator].iloc[0]
    assert words in row["missing"]
    assert np.isnan(row["value"])
    assert np.isnan(row["high"])


def test_a_process_that_loses_in_two_roles_loses_once() -> None:
    flow = Flow("binned", "yard", "dump", ("loss", "old_scrap"))
    cycle = Cycle(byhand.CYCLE.processes, (*byhand.CYCLE.flows, flow))
    data = dict(byhand.DATA) | {"binned": (5.0, 0.1), "sold": None, "scrap_out": None}
    assert table_of(cycle, data)["value"][("loss", "yard")] == pytest.approx(54.0)


# Japan's concentrate imports in 2018, kt Cu (Ministry of Finance, Trade Statistics): by country.
CONCENTRATE = {"Chile": 598, "Indonesia": 139, "Peru": 196, "Canada": 118, "Australia": 89}
CONCENTRATE |= {"Papua New Guinea": 46, "Philippines": 30, "United States": 25, "Argentina": 0}


def concentrate(countries: list[dict[str, Any]] | None = None, other: float = 25.0) -> pd.DataFrame:
    rows = {**CONCENTRATE, "Other": other}
    origins = [
        {"flow": "ore", "country": c, "value": v, "unit": "kt/yr", "year": 2018}
        for c, v in rows.items()
    ]
    sheets = {"origins": origins} | ({"countries": countries} if countries else {})
    return table_of(**sheets)


def test_japan_2018_concentrate() -> None:
    """Chile and Peru 62.7 %, HHI 0.275 (case data, FY2018)."""
    row = concentrate().loc[("hhi", "ore")]
    total = sum(CONCENTRATE.values()) + 25
    assert (CONCENTRATE["Chile"] + CONCENTRATE["Peru"]) / total == pytest.approx(0.627, abs=5e-4)
    assert row["low"] == pytest.approx(0.275, abs=5e-4)
    assert row["high"] == pytest.approx(row["low"] + (25 / total) ** 2)
    assert np.isnan(row["value"])  # "Other" may be one country or many
    alone = concentrate(other=0.0).loc[("hhi", "ore")]
    assert alone["value"] == pytest.approx(sum((v / 1241) ** 2 for v in CONCENTRATE.values()))


def test_weighing_countries_needs_the_sheet_countries() -> None:
    table = concentrate()
    assert "governance" in table["missing"][("hhi_governance", "ore")]
    some = [{"country": c, "governance": 0.1 * k + 0.2} for k, c in enumerate(CONCENTRATE)]
    lacking = concentrate(some[1:], other=0.0)["missing"][("hhi_governance", "ore")]
    assert "Chile" in lacking
    assert "Peru" not in lacking
    some[0]["trade_adjustment"] = 0.8
    table = concentrate(some, other=0.0)
    weight = [0.1 * k + 0.2 for k in range(len(some))]
    weight[0] *= 0.8
    shares = [v / 1241 for v in CONCENTRATE.values()]
    expected = sum(w * s**2 for w, s in zip(weight, shares, strict=True))
    assert table["value"][("hhi_governance", "ore")] == pytest.approx(expected)
    recycled = table.loc[("recycling_input_rate_old", "")]
    risk = table.loc[("supply_risk", "ore")]
    assert risk["low"] == pytest.approx(expected * (1 - recycled["high"]))
    assert risk["high"] == pytest.approx(expected * (1 - recycled["low"]))


def test_unknown_countries_may_be_any() -> None:
    one = {"Chile": 1.0, "Peru": 1.0}
    low, high = concentration({"Chile": 0.5, "Peru": 0.3, "unknown": 0.2}, one)
    assert (low, high) == pytest.approx((0.34, 0.7**2 + 0.3**2))


def test_rare_earth_magnets_swarf_comes_back_and_magnets_do_not() -> None:
    """Swarf recycling is large, end-of-life recycling below 1 % (shipped case)."""
    from mfa.io import read_tables

    folder = Path(__file__).parents[2] / "flows" / "rare-earth-magnets"
    table = indicators(reconcile(read_tables(folder)))
    last = table[table["year"] == table["year"].max()].set_index(["indicator", "substance"])
    rows = last.loc["eol_recycling_rate"]
    upper = rows["value"].fillna(rows["high"])
    assert (upper[rows["missing"] == ""] < 0.01).all()
    assert (rows["missing"] == "").any()
    new = last.loc["new_scrap_recycling_rate"]
    assert (new["value"].fillna(new["low"])[new["missing"] == ""] > 0.5).all()


# Japan FY2018, kt/yr (METI): the recycled part of apparent demand has 34.9 % as its upper bound,
# when all that is made from scrap, 352.5, stays in the country.
JAPAN = cycle_of(
    (
        process("abroad", kind="import"),
        process("buyers", kind="export"),
        process("furnace", "smelting"),
        process("secondary", "smelting"),
        process("metal", "trade", stock=True),
        process("mill", "fabrication"),
        process("factory", kind="sink"),
        process("collectors", kind="source"),
    ),
    (
        ("concentrate", "abroad", "furnace", "primary"),
        ("scrap", "collectors", "secondary", "scrap"),
        ("refined_ore", "furnace", "metal", "refined"),
        ("refined_scrap", "secondary", "metal", "refined"),
        ("refined_imports", "abroad", "metal", "refined"),
        ("refined_exports", "metal", "buyers", "refined"),
        ("to_mill", "metal", "mill", "refined"),
        ("wire", "mill", "factory", "product"),
    ),
)


def test_japan_2018_refined_copper() -> None:
    """352.5/1571.268 = 22.4 %; of apparent demand, 1009.749, 34.9 % at most."""
    data: dict[str, Number] = {
        "refined_ore": (1218.768, 12.2),
        "refined_scrap": (352.5, 3.5),
        "refined_imports": (25.706, 0.3),
        "refined_exports": (592.289, 5.9),
    }
    stocks = [{"process": "metal", "year": 2018, "quantity": "change", "value": -5.064, "sd": 0.5}]
    table = table_of(JAPAN, data, stocks=stocks)
    share = table.loc[("recycled_share_refined", "")]
    assert round(share["value"], 3) == 0.224
    net = table.loc[("net_import_reliance", "")]
    assert net["denominator"] == pytest.approx(1571.268 + 25.706 - 592.289 + 5.064)
    assert round(352.5 / net["denominator"], 3) == 0.349
    content = table.loc[("recycled_content", "")]
    assert content["high"] < 0.349
    assert content["low"] <= 0.224 <= content["high"]
    assert V["cathode"] == 481.0
