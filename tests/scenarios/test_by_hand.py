"""Projections worked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

import mfa
from tests.scenarios.futures import loop, residuals, rows, system, value


def test_without_a_scenario_nothing_changes():
    future = mfa.project(loop(), None, 2030)
    table = future.flows
    spread = table.groupby("flow")["value"].agg(lambda x: x.max() - x.min())
    assert spread.max() < 1e-10 * table["value"].max()
    assert residuals(future).max() < 1e-12
    assert future.unmet.empty


def test_demand_draws_ore_through_the_loop():
    future = mfa.project(
        loop(scenarios=rows(("flow", "goods", 2024, "multiply", 2.0, "linear"))), "S", 2025
    )
    assert [value(future, "goods", y) for y in (2021, 2022, 2024, 2025)] == pytest.approx(
        [110.0, 132.0, 176.0, 176.0]
    )
    # the plant takes in 200, use keeps 38/88 of what it takes in: everything doubles
    for flow, start in (("cuttings", 12.0), ("worn", 50.0), ("scrap", 37.8), ("ore", 62.2)):
        assert value(future, flow, 2024) == pytest.approx(2 * start, rel=1e-12)
    assert residuals(future).max() < 1e-12


def test_yield_gain_of_a_loop():
    """A share r of the inputs that comes back whole needs 1/(1 − r) of inputs."""
    processes = [("Mine", "mining", "source"), ("Plant", "fabrication", None), ("Shop", "", "sink")]
    flows = [
        ("ore", "Mine", "Plant", "primary", 70.0),
        ("returns", "Plant", "Plant", "home_scrap", 30.0),
        ("goods", "Plant", "Shop", "product", 70.0),
    ]
    scenario = rows(("coefficient", "returns", 2021, "set", 0.45, "step"))
    future = mfa.project(system(processes, flows, scenarios=scenario), "S", 2021)
    assert value(future, "ore", 2021) == pytest.approx(70.0, rel=1e-12)
    assert value(future, "returns", 2021) == pytest.approx(70 * 0.45 / 0.55, rel=1e-12)


def test_collected_scrap_displaces_ore():
    scenario = rows(("coefficient", "collection", 2022, "set", 0.8, "linear"))
    future = mfa.project(loop(scenarios=scenario), "S", 2022)
    # 2021: 70 % of 50 = 35 collected, 47 sorted, of which 90 % come back
    assert value(future, "old", 2021) == pytest.approx(35.0)
    assert value(future, "scrap", 2021) == pytest.approx(0.9 * 47)
    assert value(future, "ore", 2021) == pytest.approx(100 - 0.9 * 47)
    assert value(future, "lost", 2022) == pytest.approx(10.0)
    assert value(future, "ore", 2022) == pytest.approx(100 - 0.9 * 52)


def test_siblings_of_a_share_change_in_proportion():
    scenario = rows(("coefficient", "sorted out", 2021, "multiply", 3.0, "step"))
    future = mfa.project(loop(scenarios=scenario), "S", 2021)
    assert value(future, "scrap", 2021) == pytest.approx(42 * 0.7)
    assert value(future, "ore", 2021) == pytest.approx(100 - 42 * 0.7)


def test_yield_of_a_maker_by_its_product():
    """Goods are 92 % of what the plant takes in instead of 88 %: 8 % are cut off."""
    scenario = rows(("coefficient", "goods", 2021, "set", 0.92, "step"))
    future = mfa.project(loop(scenarios=scenario), "S", 2021)
    assert value(future, "goods", 2021) == pytest.approx(88.0)
    assert value(future, "cuttings", 2021) == pytest.approx(88 / 0.92 * 0.08)
    assert residuals(future).max() < 1e-12


def capacity(most: float, **more: pd.DataFrame) -> mfa.Projection:
    scenario = rows(
        ("capacity", "Sorting", 2021, "set", most, "step"),
        ("coefficient", "collection", 2021, "set", 0.9, "step"),
    )
    return mfa.project(loop(scenarios=scenario, **more), "S", 2021)


def test_what_capacity_cannot_take_is_stated():
    future = capacity(40.0)  # of 12 + 45 = 57
    unmet = future.unmet.set_index("flow")
    assert unmet["value"].sum() == pytest.approx(17.0)
    assert unmet.loc["old", "value"] == pytest.approx(17 * 45 / 57)
    assert set(unmet["reason"]) == {"capacity"}
    assert value(future, "scrap", 2021) == pytest.approx(36.0)
    assert value(future, "ore", 2021) == pytest.approx(64.0)
    taken = value(future, "old", 2021) + value(future, "cuttings", 2021)
    assert taken == pytest.approx(40.0)
    assert value(future, "unplaced old", 2021) == pytest.approx(17 * 45 / 57)
    assert residuals(future).max() < 1e-12


def test_a_capacity_that_is_large_enough_changes_nothing():
    assert capacity(57.1).unmet.empty


def two_suppliers(limit: float | None, imports: float, **sheets: pd.DataFrame) -> mfa.System:
    processes = [
        ("Mine", "mining", "source"),
        ("Abroad", "trade", "import"),
        ("Smelter", "smelting", None, None, limit),
        ("Market", "trade", None),
        ("Use", "use", None, "yes"),
        ("Slag", "disposal", "sink"),
    ]
    flows = [
        ("ore", "Mine", "Smelter", "primary", 50.0),
        ("slag", "Smelter", "Slag", "loss", 2.0),
        ("metal", "Smelter", "Market", "refined", 48.0),
        ("import", "Abroad", "Market", "refined", imports),
        ("sales", "Market", "Use", "product", 48.0 + imports),
    ]
    return system(processes, flows, **sheets)


def test_imports_take_up_what_a_smelter_cannot_make():
    scenario = rows(("flow", "sales", 2021, "multiply", 1.5, "step"))
    future = mfa.project(two_suppliers(60.0, 12.0, scenarios=scenario), "S", 2021)
    assert value(future, "ore", 2021) == pytest.approx(60.0)
    assert value(future, "metal", 2021) == pytest.approx(57.6)
    assert value(future, "import", 2021) == pytest.approx(90 - 57.6)
    assert value(future, "sales", 2021) == pytest.approx(90.0)
    assert future.unmet[["process", "reason"]].to_numpy().tolist() == [["Smelter", "capacity"]]
    assert future.unmet["value"].iloc[0] == pytest.approx(15.0)  # 75 were wanted
    assert residuals(future).max() < 1e-12


def test_demand_that_nobody_can_meet_is_unmet():
    scenario = rows(("flow", "sales", 2021, "multiply", 1.5, "step"))
    future = mfa.project(two_suppliers(60.0, 0.0, scenarios=scenario), "S", 2021)
    assert value(future, "import", 2021) == pytest.approx(0.0)
    assert residuals(future).max() < 1e-12


def test_two_limits_in_a_row_hold_the_smaller():
    processes = [
        ("Mine", "mining", "source"),
        ("Smelter", "smelting", None, None, 70.0),
        ("Refinery", "refining", None, None, 64.0),
        ("Use", "use", None, "yes"),
        ("Slag", "disposal", "sink"),
    ]
    flows = [
        ("ore", "Mine", "Smelter", "primary", 60.0),
        ("slag", "Smelter", "Slag", "loss", 3.0),
        ("anode", "Smelter", "Refinery", "refined", 57.0),
        ("sales", "Refinery", "Use", "product", 57.0),
    ]
    for more, ore in ((1.5, 64.0 / 0.95), (1.2, 64.0 / 0.95)):
        scenario = rows(("flow", "sales", 2021, "multiply", more, "step"))
        future = mfa.project(system(processes, flows, scenarios=scenario), "S", 2021)
        assert value(future, "sales", 2021) == pytest.approx(64.0)
        assert value(future, "ore", 2021) == pytest.approx(ore)
        short = future.unmet[future.unmet["reason"] == "supply"]
        assert short["value"].tolist() == pytest.approx([57 * more - 64])
        assert residuals(future).max() < 1e-12
    tight = [*processes[:1], ("Smelter", "smelting", None, None, 50.0), *processes[2:]]
    scenario = rows(("flow", "sales", 2021, "multiply", 1.5, "step"))
    future = mfa.project(system(tight, flows, scenarios=scenario), "S", 2021)
    assert value(future, "sales", 2021) == pytest.approx(47.5)
    assert residuals(future).max() < 1e-12


def test_a_mine_that_starts_in_2030():
    processes = [
        ("Abroad", "mining", "import"),
        ("New mine", "mining", "source"),
        ("Smelter", "smelting", None),
        ("Use", "use", None, "yes"),
        ("Slag", "disposal", "sink"),
    ]
    flows = [
        ("imported ore", "Abroad", "Smelter", "primary", 80.0),
        ("own ore", "New mine", "Smelter", "primary", 0.0),
        ("slag", "Smelter", "Slag", "loss", 4.0),
        ("sales", "Smelter", "Use", "product", 76.0),
    ]
    scenario = rows(("flow", "own ore", 2030, "set", 25.0, "step"))
    future = mfa.project(system(processes, flows, scenarios=scenario), "S", 2031)
    assert [value(future, "own ore", y) for y in (2029, 2030, 2031)] == [0.0, 25.0, 25.0]
    assert [value(future, "imported ore", y) for y in (2029, 2030)] == pytest.approx([80.0, 55.0])
    lost = rows(("flow", "imported ore", 2025, "set", 30.0, "step"))
    future = mfa.project(system(processes, flows, scenarios=lost), "S", 2025)
    assert value(future, "sales", 2025) + value(future, "slag", 2025) == pytest.approx(
        30.0 + value(future, "own ore", 2025)
    )


def test_a_supplier_that_is_lost_is_replaced_by_the_others():
    processes = [
        ("Chile", "mining", "import"),
        ("Peru", "mining", "import"),
        ("Canada", "mining", "import"),
        ("Smelter", "smelting", None),
        ("Use", "use", None, "yes"),
    ]
    flows = [
        ("from Chile", "Chile", "Smelter", "primary", 50.0),
        ("from Peru", "Peru", "Smelter", "primary", 30.0),
        ("from Canada", "Canada", "Smelter", "primary", 10.0),
        ("sales", "Smelter", "Use", "product", 90.0),
    ]
    lost = rows(("origin", "Chile", 2022, "set", 0.0, "step"))
    future = mfa.project(system(processes, flows, scenarios=lost), "S", 2022)
    assert value(future, "from Chile", 2021) == pytest.approx(50.0)
    assert value(future, "from Chile", 2022) == pytest.approx(0.0)
    assert value(future, "from Peru", 2022) == pytest.approx(67.5)
    assert value(future, "from Canada", 2022) == pytest.approx(22.5)


def test_more_scrap_than_anybody_needs_is_stated():
    scenario = rows(("flow", "goods", 2021, "multiply", 0.2, "step"))
    table = pd.DataFrame({"process": ["Use"], "distribution": ["fixed"], "mean": [20.0]})
    future = mfa.project(loop(scenarios=scenario, lifetimes=table), "S", 2021)
    assert value(future, "ore", 2021) == pytest.approx(0.0, abs=1e-12)
    assert set(future.unmet["reason"]) == {"demand"}
    # 17.6 of goods need 20; cuttings 2.4 and old 30 (still worn out) bring back 0.9 × 32.4
    assert future.unmet["value"].sum() == pytest.approx(0.9 * 32.4 - 20.0)
    assert residuals(future).max() < 1e-12


def test_technologies_change_demand():
    """51 % at 2 kg and 49 % at 5 kg a piece become 80 % and 20 %."""
    mix = pd.DataFrame(
        {
            "process": "Use",
            "technology": ["LFP", "NMC", "LFP", "NMC"],
            "year": [2020, 2020, 2030, 2030],
            "share": [0.51, 0.49, 0.8, 0.2],
            "intensity": [2.0, 5.0, 2.0, 5.0],
        }
    )
    scenario = rows(("flow", "Use", 2030, "multiply", 3.0, "linear"))
    future = mfa.project(loop(technologies=mix, scenarios=scenario), "S", 2030)
    assert value(future, "goods", 2030) == pytest.approx(88 * 3 * (1.6 + 1.0) / (1.02 + 2.45))
    assert value(future, "goods", 2025) == pytest.approx(88 * 2 * (1.31 + 1.725) / (1.02 + 2.45))


def test_interpolations():
    def path(how: str, *points: tuple[int, float]) -> list[float]:
        listed = [("flow", "goods", year, "multiply", number, how) for year, number in points]
        future = mfa.project(loop(scenarios=rows(*listed)), "S", 2026)
        return [value(future, "goods", year) / 88 for year in range(2021, 2027)]

    assert path("step", (2022, 1.5), (2025, 0.9)) == pytest.approx([1, 1.5, 1.5, 1.5, 0.9, 0.9])
    assert path("linear", (2022, 1.5), (2025, 0.9)) == pytest.approx(
        [1.25, 1.5, 1.3, 1.1, 0.9, 0.9]
    )
    grown = [1.6 ** (k / 5) for k in range(1, 6)]
    assert path("exponential", (2025, 1.6)) == pytest.approx([*grown, 1.6])
    # a multiple of an earlier year: 1.7 in 2040 against 2010, seen from 2020
    assert path("exponential", (2010, 1.0), (2040, 1.7)) == pytest.approx(
        [1.7 ** (k / 30) for k in range(1, 7)]
    )


def test_add_and_set():
    scenario = rows(
        ("flow", "goods", 2022, "set", 50.0, "step"), ("flow", "goods", 2022, "add", 4.0, "step")
    )
    future = mfa.project(loop(scenarios=scenario), "S", 2022)
    assert [value(future, "goods", y) for y in (2021, 2022)] == pytest.approx([88.0, 54.0])


def single(**sheets: pd.DataFrame) -> mfa.System:
    processes = [
        ("Mine", "mining", "source"),
        ("Mill", "fabrication", None),
        ("Use", "use", None, "yes"),
        ("Dump", "disposal", "sink"),
    ]
    flows = [
        ("ore", "Mine", "Mill", "primary", 100.0),
        ("goods", "Mill", "Use", "product", 90.0),
        ("dust", "Mill", "Dump", "loss", 10.0),
    ]
    return system(processes, flows, **sheets)


@pytest.mark.parametrize(
    ("row", "ore", "lacking", "reason"),
    [
        (("origin", "Mine", 2021, "set", 0.0, "step"), 0.0, 90.0, "supply"),
        (("flow", "ore", 2021, "set", 30.0, "step"), 30.0, 63.0, "supply"),
        (("flow", "Mine", 2021, "multiply", 0.3, "step"), 30.0, 63.0, "supply"),
        (("flow", "ore", 2021, "set", 130.0, "step"), 100.0, 30.0, "demand"),
    ],
)
def test_a_lost_source_without_another(row, ore, lacking, reason):
    future = mfa.project(single(scenarios=rows(row)), "S", 2021)
    assert value(future, "ore", 2021) == pytest.approx(ore)
    assert value(future, "goods", 2021) == pytest.approx(0.9 * ore)
    unmet = future.unmet[future.unmet["flow"] == ("goods" if reason == "supply" else "ore")]
    assert unmet["value"].tolist() == pytest.approx([lacking])
    assert unmet["reason"].tolist() == [reason]
    assert residuals(future).max() < 1e-12


def test_without_any_use_supply_pushes():
    processes = [
        ("Mine", "", "source"),
        ("Smelter", ""),
        ("Market", "", "sink"),
        ("Slag", "", "sink"),
    ]
    flows = [
        ("ore", "Mine", "Smelter", None, 100.0),
        ("metal", "Smelter", "Market", None, 95.0),
        ("slag", "Smelter", "Slag", None, 5.0),
    ]
    scenario = rows(("flow", "ore", 2021, "multiply", 2.0, "step"))
    future = mfa.project(system(processes, flows, scenarios=scenario), "S", 2021)
    assert value(future, "metal", 2021) == pytest.approx(190.0)
    scenario = rows(("flow", "metal", 2021, "multiply", 3.0, "step"))
    future = mfa.project(system(processes, flows, scenarios=scenario), "S", 2021)
    assert value(future, "ore", 2021) == pytest.approx(300.0)


def test_a_plant_that_is_new_says_how_it_shares():
    processes = [
        ("Mine", "mining", "source"),
        ("Mill", "fabrication"),
        ("Use", "use", None, "yes"),
        ("Yard", "collection"),
        ("Plant", "recycling"),
        ("Dump", "disposal", "sink"),
    ]
    flows = [
        ("ore", "Mine", "Mill", "primary", 100.0),
        ("goods", "Mill", "Use", "product", 100.0),
        ("worn", "Use", "Yard", "end_of_life", 60.0),
        ("tip", "Yard", "Dump", "loss", 60.0),
        ("feed", "Yard", "Plant", "old_scrap", 0.0),
        ("back", "Plant", "Mill", "scrap", 0.0),
        ("rest", "Plant", "Dump", "loss", 0.0),
    ]
    feed = ("coefficient", "feed", 2030, "set", 0.5, "step")
    stated = rows(feed, ("coefficient", "back", 2030, "set", 0.9, "step"))
    future = mfa.project(system(processes, flows, scenarios=stated), "S", 2030)
    assert value(future, "back", 2029) == 0.0
    assert value(future, "back", 2030) == pytest.approx(27.0)
    assert value(future, "ore", 2030) == pytest.approx(73.0)
    assert "even shares" not in set(future.assumptions["kind"])
    future = mfa.project(system(processes, flows, scenarios=rows(feed)), "S", 2030)
    assert value(future, "back", 2030) == pytest.approx(15.0)
    even = future.assumptions.query("kind == 'even shares'")
    assert even[["item", "value"]].to_numpy().tolist() == [["back, rest", 0.5]]
