"""Measures: each against following it round by brute force, and the order against all orders."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

import mfa
from mfa.balance import reconcile
from mfa.recycling import measures

from . import byhand
from .cycles import Number, system_of
from .roundabout import indicator, perturbed

RATE = "recycling_input_rate_total"


def table_of(rows: list[dict[str, Any]], data: dict[str, Number] = byhand.DATA, **more: Any) -> Any:
    system = system_of(byhand.CYCLE, data, measures=rows, **more)
    return measures(reconcile(system), RATE).set_index("measure")


def coefficient(flow: str, value: float) -> dict[str, Any]:
    return {"coefficient": f"share of {flow}", "flow": flow, "value": value, "sd": 0.5 * value}


def test_a_share_set_to_its_target_by_brute_force() -> None:
    """What is sold of what the yard takes in goes from 131/211 to 0.8, all flows followed round."""
    rows = [{"measure": "collect", "item": "share of sold", "target": 0.8}]
    table = table_of(rows, coefficients=[coefficient("sold", 131 / 211)])
    moved = perturbed(byhand.CYCLE, byhand.VALUES, ("sold",), 0.8 - 131 / 211)
    expected = indicator(byhand.CYCLE, moved, RATE) - indicator(byhand.CYCLE, byhand.VALUES, RATE)
    assert expected > 0.02
    assert table["value"]["collect"] == pytest.approx(expected, rel=1e-6)
    assert table["now"]["collect"] == pytest.approx(131 / 211)
    assert table["cumulative"]["collect"] == pytest.approx(expected, rel=1e-6)


def test_a_yield_set_to_its_target_by_brute_force() -> None:
    rows = [{"measure": "better smelter", "item": "share of cathode", "target": 0.99}]
    table = table_of(rows, coefficients=[coefficient("cathode", 481 / 500)])
    moved = perturbed(byhand.CYCLE, byhand.VALUES, ("cathode",), 0.99 - 481 / 500)
    expected = indicator(byhand.CYCLE, moved, RATE) - indicator(byhand.CYCLE, byhand.VALUES, RATE)
    assert table["value"]["better smelter"] == pytest.approx(expected, rel=1e-6)


def test_a_flow_set_to_its_target() -> None:
    """Scrap exports fall from 186 to 100: their share by 86 of what the market takes in."""
    table = table_of([{"measure": "keep", "item": "scrap_out", "target": 100}])
    by = -86 / (59 + 43 + 67 + 23 + 131)
    moved = perturbed(byhand.CYCLE, byhand.VALUES, ("scrap_out",), by)
    expected = indicator(byhand.CYCLE, moved, RATE) - indicator(byhand.CYCLE, byhand.VALUES, RATE)
    assert table["value"]["keep"] == pytest.approx(expected, rel=1e-6)
    assert table["now"]["keep"] == pytest.approx(186)


FOUR = [
    {"measure": "keep", "item": "scrap_out", "target": 150, "cost": 5},
    {"measure": "sell", "item": "burnt", "target": 10, "cost": 1},
    {"measure": "dig", "item": "buried", "target": 3, "cost": 4},
    {"measure": "melt", "item": "hulks", "target": 20, "cost": 0.5},
]


def test_the_order_is_greedy_and_the_last_is_all_together() -> None:
    rows = [{key: row[key] for key in ("measure", "item", "target")} for row in FOUR]
    table = table_of(rows)
    assert sorted(table["order"]) == [1, 2, 3, 4]
    assert table.index[0] == table["value"].idxmax()
    for order in list(permutations(rows))[::5]:
        again = table_of(list(order))
        assert list(again.index) == list(table.index)
        assert again["cumulative"].to_numpy() == pytest.approx(table["cumulative"].to_numpy())
    steps = np.diff(table["cumulative"], prepend=0.0)
    assert (steps > 0).all()


def test_with_costs_the_order_is_by_gain_per_cost() -> None:
    table = table_of(FOUR)
    gain = table["value"] / table["cost"]
    assert table["gain_per_cost"].to_numpy() == pytest.approx(gain.to_numpy())
    assert table.index[0] == gain.idxmax()
    assert table.index[0] != table["value"].idxmax()


def test_what_cannot_be_done_says_so() -> None:
    rows = [
        {"measure": "misspelt", "item": "hulk", "target": 1},
        {"measure": "aimless", "item": "hulks"},
        {"measure": "demand", "item": "to_mill", "target": 400},
        {"measure": "too much", "item": "scrap_in", "target": 4000},
        {"measure": "works", "item": "scrap_out", "target": 150},
        {"measure": "works less", "item": "scrap_out", "target": 180},
        {"measure": "plant", "item": "smelter", "target": 600},
    ]
    table = table_of(rows)
    problems = table["problem"].to_dict()
    assert "hulks" in problems["misspelt"]
    assert problems["aimless"].startswith("no target")
    assert problems["demand"].startswith("it follows demand")
    assert problems["too much"] == "not possible: no flows above 0 would balance"
    assert problems["works less"] == "instead of works: both set scrap_out"
    assert problems["plant"] == "the process states no capacity"
    assert problems["works"] == ""
    assert table["order"].notna().sum() == 1


def test_open_shares_give_a_range() -> None:
    data = dict(byhand.DATA) | dict.fromkeys(("sold", "burnt", "turnings", "goods"))
    row = table_of([{"measure": "sell", "item": "burnt", "target": 0}], data).loc["sell"]
    assert np.isnan(row["value"])
    assert np.isnan(row["now"])
    assert row["low"] == 0.0
    assert row["high"] > 0.02


def test_capacities_and_nothing() -> None:
    assert measures(byhand.balance()).empty
    with pytest.raises(mfa.MFAError, match="collection_rate"):
        measures(byhand.balance(), "colection_rate")
