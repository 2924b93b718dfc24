"""Sets of processes and flows, and every indicator of a small cycle worked out by hand."""

from __future__ import annotations

import pytest

from mfa.recycling import indicators
from mfa.recycling.sets import Sets

from . import byhand
from .cycles import cycle_of, process, system_of

SETS = Sets(byhand.balance().system)


def names(mask: object) -> set[str]:
    return set(SETS.system.processes["process"][mask])


def flows(*roles: str, source: object = None, target: object = None) -> set[str]:
    return set(SETS.system.flows["flow"][SETS.flows(roles, source, target)])


def test_data_that_close_do_not_move() -> None:
    table = byhand.balance().flows.set_index("flow")
    assert table["value"].to_dict() == pytest.approx(byhand.VALUES, rel=1e-12)


def test_sets_of_processes() -> None:
    assert names(SETS.imports) == {"abroad"}
    assert names(SETS.exports) == {"buyers"}
    assert names(SETS.disposal) == {"dump", "landfill"}
    assert names(SETS.use) == {"homes"}
    assert names(SETS.collection) == {"yard"}
    assert names(SETS.smelting) == {"smelter"}
    assert names(SETS.lane) == {"yard", "market"}
    assert names(SETS.makers) == {"smelter", "metal", "mill", "factory"}


def test_sets_of_flows() -> None:
    assert flows("scrap", source=SETS.lane, target=SETS.makers) == {"scrap_smelter", "scrap_mill"}
    assert flows("new_scrap", source=SETS.makers) == {"cutoffs", "turnings"}
    assert flows("primary", target=SETS.smelting) == {"ore", "own_ore"}
    assert flows("loss") == {"slag", "burnt", "sweepings"}
    assert flows(target=SETS.disposal) == {"slag", "burnt", "sweepings", "buried"}
    assert flows("refined", "primary", source=SETS.imports) == {"ore", "metal_in"}
    assert flows("circus") == set()


OLD, NEW = 154 / 323, 110 / 323  # of what enters the market: 23 + 131, 43 + 67 and 59 imported
BY_HAND = {
    "collection_rate": (23 + 131 + 31, 211),  # what is buried is not collected
    "processing_rate": (OLD * (53 + 71 + 186) + 31, 23 + 131 + 31),
    "eol_recycling_rate": (OLD * (53 + 71 + 186) + 31, 211),
    "eol_recycling_rate_domestic": (OLD * (53 + 71), 211),
    "recycling_input_rate_total": (53 + 71, 410 + 37 + 53 + 71),
    "recycling_input_rate_old": (OLD * (53 + 71), 410 + 37 + 53 + 71),
    "recycled_share_refined": (481 * 53 / 500, 481),
    "old_scrap_ratio": (OLD * (53 + 71), (OLD + NEW) * (53 + 71)),
    "new_scrap_recycling_rate": (NEW * (53 + 71 + 186), 43 + 67),
    "recycling_efficiency": (OLD * (53 + 71 + 186) + 31 + NEW * (53 + 71 + 186), 211 + 43 + 67),
}


BALANCE = byhand.balance()


@pytest.mark.parametrize("name", BY_HAND)
def test_indicator_by_hand(name: str) -> None:
    row = indicators(BALANCE).set_index("indicator").loc[name]
    top, below = BY_HAND[name]
    assert row["value"] == pytest.approx(top / below, rel=1e-12)
    assert row["numerator"] == pytest.approx(top, rel=1e-12)
    assert row["denominator"] == pytest.approx(below, rel=1e-12)
    assert row["missing"] == ""
    assert row["low"] < row["value"] < row["high"]


def test_flows_that_an_indicator_counts() -> None:
    counted = indicators(byhand.balance()).set_index("indicator")["flows"].str.split(", ").map(set)
    assert counted["collection_rate"] == {"discarded", "demolition", "sold", "hulks"}
    assert counted["recycled_share_refined"] == {"cathode"}
    assert counted["recycling_input_rate_total"] == {
        "ore",
        "own_ore",
        "scrap_smelter",
        "scrap_mill",
    }


def lane_of(*extra: tuple[str, str, str, str]) -> set[str]:
    """Return the scrap lane of a cycle with a trader and some flows."""
    cycle = cycle_of(
        (
            process("abroad", kind="import"),
            process("buyers", kind="export"),
            process("gap", kind="sink"),
            process("trader", "trade"),
            process("mill", "fabrication"),
            process("recycler", "recycling"),
            process("foreign_yard", "collection", kind="import"),
        ),
        (("out", "trader", "buyers", "scrap"), ("a", "foreign_yard", "mill", ""), *extra),
    )
    sets = Sets(system_of(cycle, {}))
    return set(sets.system.processes["process"][sets.lane])


def test_trade_is_scrap_trade_only_if_all_that_enters_is_scrap() -> None:
    scrap = ("in", "abroad", "trader", "scrap")
    new = ("new", "mill", "trader", "new_scrap")
    assert lane_of(scrap, new) == {"trader", "recycler"}
    assert lane_of(scrap, ("metal", "mill", "trader", "refined")) == {"recycler"}
    assert lane_of(scrap, ("any", "mill", "trader", "")) == {"recycler"}
    assert lane_of(scrap, ("both", "mill", "trader", "new_scrap,product")) == {
        "trader",
        "recycler",
    }
    assert lane_of() == {"recycler"}  # a trader that takes in nothing
    assert lane_of(scrap, ("gap", "trader", "gap", "discrepancy")) == {"trader", "recycler"}


def test_discrepancies_belong_to_no_set() -> None:
    cycle = cycle_of(
        (process("pit", kind="source"), process("gap", kind="sink"), process("mill")),
        (("in", "pit", "mill", "product"), ("gap", "mill", "gap", "discrepancy")),
    )
    sets = Sets(system_of(cycle, {}))
    assert not sets.flows(()).all()
    assert list(sets.system.flows["flow"][sets.flows(())]) == ["in"]
    assert not sets.flows((), target=sets.disposal).any()
