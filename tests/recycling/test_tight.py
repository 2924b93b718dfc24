"""What is determined is said to be: flows that nobody knows must not blur what they do not touch.

Every case is the cycle by hand with some flows unknown, and an indicator that is the same number at
every feasible point; the tests make sure of that before they ask the package.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.recycling import indicators

from . import byhand
from .cycles import Number, cycle_of, process, system_of
from .feasible import feasible
from .reference import Cycle, indicator_values

CASES = {
    "two ores of unknown shares, neither of them scrap": (
        ("ore", "own_ore"),
        ("recycled_share_refined", "recycling_input_rate_old", "old_scrap_ratio"),
    ),
    "nobody knows what is discarded, but all of the scrap market is known": (
        ("discarded", "burnt"),
        ("recycling_input_rate_old", "old_scrap_ratio", "new_scrap_recycling_rate"),
    ),
    "what the mill and buyers abroad take is unknown, but all of it has one mixture": (
        ("scrap_mill", "scrap_out", "to_mill", "metal_out"),
        ("old_scrap_ratio", "processing_rate", "new_scrap_recycling_rate"),
    ),
    "smelter and mill share a known sum of mixed scrap": (
        ("scrap_smelter", "scrap_mill", "ore", "to_mill", "metal_out"),
        ("eol_recycling_rate_domestic", "old_scrap_ratio"),
    ),
}
WANTED = [(case, name) for case, (_, names) in CASES.items() for name in names]


@cache
def tried_and_found(case: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the indicators at some feasible points, and those of the package."""
    data = dict(byhand.DATA) | dict.fromkeys(CASES[case][0])
    balance = reconcile(system_of(byhand.CYCLE, data))
    assert (balance.flows["status"] == "undetermined").sum() >= 2
    points = feasible(byhand.CYCLE, balance).samples(1, 6, 12)
    tried = pd.DataFrame([indicator_values(byhand.CYCLE, x) for x in points])
    return tried, indicators(balance).set_index("indicator")


@pytest.mark.parametrize(("case", "name"), WANTED)
def test_an_indicator_that_cannot_vary_has_a_value(case: str, name: str) -> None:
    tried, found = tried_and_found(case)
    assert np.ptp(tried[name]) < 1e-9
    assert found["value"][name] == pytest.approx(tried[name][0], abs=1e-7)


# 20 of no stated origin enter the sorter beside 60 old and 40 new; 90 of its 120 go to the mill.
SORTER = cycle_of(
    (
        process("abroad", kind="import"),
        process("buyers", kind="export"),
        process("mill", "fabrication"),
        process("factory", "manufacturing"),
        process("homes", "use", stock=True),
        process("yard", "collection"),
        process("sorter", "sorting"),
    ),
    (
        ("metal", "abroad", "mill", "refined"),
        ("strip", "mill", "factory", "product"),
        ("goods", "factory", "homes", "product"),
        ("discarded", "homes", "yard", "end_of_life"),
        ("sold", "yard", "sorter", "old_scrap"),
        ("turnings", "factory", "sorter", "new_scrap"),
        ("residue", "abroad", "sorter", ""),
        ("to_mill", "sorter", "mill", "scrap"),
        ("scrap_out", "sorter", "buyers", "scrap"),
    ),
)
KNOWN: dict[str, Number] = {
    "metal": (200.0, 5.0),
    "discarded": (60.0, 2.0),
    "turnings": (40.0, 1.5),
    "residue": (20.0, 1.0),
    "to_mill": (90.0, 3.0),
}


def sorter_table(cycle: Cycle = SORTER, data: dict[str, Number] = KNOWN) -> pd.DataFrame:
    return indicators(reconcile(system_of(cycle, data))).set_index("indicator")


def test_scrap_of_unknown_origin_makes_a_range() -> None:
    """90/120 of each origin is recycled here: 45 old, 30 new, and 15 that may be either or none."""
    table = sorter_table()
    row = table.loc["eol_recycling_rate_domestic"]
    assert np.isnan(row["value"])
    assert (row["low"], row["high"]) == pytest.approx((45 / 60, 60 / 60))
    row = table.loc["recycling_input_rate_old"]
    assert (row["low"], row["high"]) == pytest.approx((45 / 90, 60 / 90))


def test_what_is_unknown_above_is_the_same_unknown_below() -> None:
    """The 15 are counted once: all new gives 45 of 90, all old 60 of 90."""
    row = sorter_table().loc["old_scrap_ratio"]
    assert (row["low"], row["high"]) == pytest.approx((45 / 90, 60 / 90))


def test_a_range_is_not_cut_at_one() -> None:
    """All recycled and exported: 60 old, and 20 that may be old, of 60 collected."""
    row = sorter_table().loc["processing_rate"]
    assert (row["low"], row["high"]) == pytest.approx((60 / 60, 80 / 60))
