"""Numbers from the literature, each as a small system with roles."""

from __future__ import annotations

import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.recycling import bottlenecks, indicators

from .cycles import Number, cycle_of, process, system_of
from .reference import Cycle


def table_of(cycle: Cycle, data: dict[str, Number], **given: object) -> pd.DataFrame:
    balance = reconcile(system_of(cycle, data, **given))  # type: ignore[arg-type]
    assert balance.p_value > 0.99 or balance.dof == 0  # the published numbers close
    return indicators(balance).set_index("indicator")


# Europe c. 1994, Gg/yr (Bertram et al. 2002, Ecological Economics 42): 920 of domestic copper waste
# and 300 of imported old scrap; 740 recycled and 480 landfilled.
EUROPE = cycle_of(
    (
        process("abroad", kind="import"),
        process("landfill", "disposal", kind="sink"),
        process("stock", "use", stock=True),
        process("waste", "collection"),
        process("market", "trade"),
        process("smelter", "smelting"),
        process("goods", "manufacturing"),
    ),
    (
        ("waste_generated", "stock", "waste", "end_of_life"),
        ("landfilled", "waste", "landfill", "loss"),
        ("collected", "waste", "market", "old_scrap"),
        ("imported", "abroad", "market", "scrap"),
        ("recycled", "market", "smelter", "scrap"),
        ("metal", "smelter", "goods", "refined"),
        ("products", "goods", "stock", "product"),
    ),
)
EUROPE_DATA: dict[str, Number] = {
    "waste_generated": (920.0, 46.0),
    "landfilled": (480.0, 48.0),
    "imported": (300.0, 15.0),
    "recycled": (740.0, 22.0),
}


def test_europe_1994_without_imported_scrap() -> None:
    """(740 − 300)/920 = 48 %."""
    table = table_of(EUROPE, EUROPE_DATA)
    assert table["value"]["eol_recycling_rate"] == pytest.approx((740 - 300) / 920)
    assert round(100 * table["value"]["eol_recycling_rate"]) == 48
    assert table["value"]["collection_rate"] == pytest.approx(440 / 920)
    assert table["value"]["recycling_input_rate_old"] == pytest.approx(440 / 740)
    assert table["numerator"]["eol_recycling_rate_domestic"] == pytest.approx(440)


def test_europe_1994_with_one_unknown() -> None:
    """The closed balance gives any one of its four numbers from the other three."""
    for name in EUROPE_DATA:
        table = table_of(EUROPE, EUROPE_DATA | {name: None})
        assert table["value"]["eol_recycling_rate"] == pytest.approx(440 / 920)


def test_europe_1994_loses_480() -> None:
    (row,) = bottlenecks(reconcile(system_of(EUROPE, EUROPE_DATA))).to_dict("records")
    assert row["item"] == "waste"
    assert row["value"] == pytest.approx(480)
    assert row["share_of_input"] == pytest.approx(480 / 920)


def test_europe_1994_with_imports_through_waste_management() -> None:
    """Sorted together, imported and domestic scrap are lost alike: 740 · 920/1220 of 920."""
    flows = [
        (f.name, f.source, f.target, ",".join(f.roles))
        for f in EUROPE.flows
        if f.name not in ("imported", "collected", "landfilled")
    ]
    mixed = cycle_of(
        (*EUROPE.processes, process("sorting", "sorting")),
        (
            *flows,
            ("collected", "waste", "sorting", "old_scrap"),
            ("imported", "abroad", "sorting", "scrap"),
            ("sorted", "sorting", "market", "scrap"),
            ("landfilled", "sorting", "landfill", "loss"),
        ),
    )
    table = table_of(mixed, EUROPE_DATA)
    assert table["value"]["eol_recycling_rate"] == pytest.approx(740 * 920 / 1220 / 920)
    assert table["value"]["collection_rate"] == pytest.approx(1.0)


# Connecticut 2000, Gg/yr (Rauch et al. 2007): 17 discarded; 0.84 collected × 0.75 recovered = 0.63.
CONNECTICUT = cycle_of(
    (
        process("elsewhere", kind="import"),
        process("smelters", kind="export"),
        process("landfill", "disposal", kind="sink"),
        process("stock", "use", stock=True),
        process("collection", "collection"),
        process("recovery", "sorting"),
    ),
    (
        ("products", "elsewhere", "stock", "product"),
        ("discards", "stock", "collection", "end_of_life"),
        ("collected", "collection", "recovery", "old_scrap"),
        ("uncollected", "collection", "landfill", "loss"),
        ("recovered", "recovery", "smelters", "old_scrap"),
        ("residues", "recovery", "landfill", "loss"),
    ),
)
RATES = [
    {"coefficient": "collection", "flow": "collected", "of": "inputs", "value": 0.84, "sd": 0.0},
    {"coefficient": "recovery", "flow": "recovered", "of": "inputs", "value": 0.75, "sd": 0.0},
]


@pytest.mark.parametrize("discards", [(17.0, 1.7), None])
def test_connecticut_2000(discards: Number) -> None:
    """Known discards or not: the rates multiply. What is exported counts as recycled."""
    table = table_of(CONNECTICUT, {"discards": discards}, unit="Gg/yr", coefficients=RATES)
    value = table["value"]
    assert value["collection_rate"] == pytest.approx(0.84)
    assert value["processing_rate"] == pytest.approx(0.75)
    assert value["eol_recycling_rate"] == pytest.approx(0.63)
    product = value["collection_rate"] * value["processing_rate"]
    assert value["eol_recycling_rate"] == pytest.approx(product)
    assert table["missing"]["eol_recycling_rate_domestic"]


# Japan FY2018, kt/yr (METI, non-ferrous statistics): 1571.268 refined, of which 352.5 from scrap.
JAPAN = cycle_of(
    (
        process("abroad", kind="import"),
        process("buyers", kind="export"),
        process("slag", kind="sink"),
        process("stock", "use", stock=True),
        process("collectors", "collection"),
        process("scrap_market", "trade"),
        process("furnace", "smelting"),
        process("tankhouse", "refining"),
        process("metal", "trade"),
    ),
    (
        ("concentrate", "abroad", "furnace", "primary"),
        ("scrap_imports", "abroad", "scrap_market", "scrap"),
        ("discarded", "stock", "collectors", "end_of_life"),
        ("old", "collectors", "scrap_market", "old_scrap"),
        ("scrap", "scrap_market", "tankhouse", "scrap"),
        ("anode", "furnace", "tankhouse", "primary"),
        ("slag", "furnace", "slag", "loss"),
        ("refined", "tankhouse", "metal", "refined"),
        ("refined_imports", "abroad", "metal", "refined"),
        ("refined_exports", "metal", "buyers", "refined"),
        ("metal_use", "metal", "stock", "refined"),
    ),
)


def test_japan_2018_share_of_scrap_in_refined_copper() -> None:
    """352.5 / 1571.268 = 22.4 %, whoever the scrap came from."""
    data: dict[str, Number] = {
        "refined": (1571.268, 15.7),
        "scrap": (352.5, 3.5),
        "anode": (1218.768, 12.2),
        "slag": (31.0, 12.0),
        "refined_imports": (25.706, 0.3),
        "refined_exports": (592.289, 5.9),
    }
    row = table_of(JAPAN, data).loc["recycled_share_refined"]
    assert row["value"] == pytest.approx(352.5 / 1571.268)
    assert round(100 * row["value"], 1) == 22.4
    assert row["denominator"] == pytest.approx(1571.268)
    assert 0.0 < row["sd"] < 0.01


# World copper 2018, kt/yr (ICSG, October 2020): 24,058 refined, of which 4,035 secondary; primary
# 20,023, of which 3,898 by leaching and 16,126 from 16,229 of blister and anode.
WORLD = cycle_of(
    (
        process("mines", kind="source"),
        process("heaps", kind="source"),
        process("slimes", kind="sink"),
        process("scrap_yards", "trade"),
        process("stock", "use", stock=True),
        process("refineries", "refining"),
        process("leaching", "refining"),
        process("metal", "trade"),
    ),
    (
        ("anode", "mines", "refineries", "primary"),
        ("leach", "heaps", "leaching", "primary"),
        ("scrap", "stock", "scrap_yards", "old_scrap"),
        ("scrap_feed", "scrap_yards", "refineries", "scrap"),
        ("lost", "refineries", "slimes", "loss"),
        ("cathode", "refineries", "metal", "refined"),
        ("electrowon", "leaching", "metal", "refined"),
        ("metal_use", "metal", "stock", "refined"),
    ),
)


def test_world_2018_share_of_scrap_in_refined_copper() -> None:
    """Losses of the refineries fall on scrap and anode alike: 4,035 of 20,161 stay scrap."""
    secondary, electrolytic = 4035.0, 16126.0
    feed = 16229.0 / 16126.0
    data: dict[str, Number] = {
        "anode": (16229.0, 160.0),
        "scrap_feed": (secondary * feed, 120.0),
        "cathode": (secondary + electrolytic, 200.0),
        "electrowon": (3898.0, 40.0),
    }
    row = table_of(WORLD, data).loc["recycled_share_refined"]
    assert row["value"] == pytest.approx(secondary / (secondary + electrolytic + 3898.0))
    assert round(100 * row["value"], 1) == 16.8
