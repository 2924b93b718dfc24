"""Losses: the union of what is called a loss and what goes to disposal; ranks that are possible."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.recycling import bottlenecks

from . import byhand
from .cycles import Number, cycle_of, process, random_cycle, system_of
from .feasible import feasible
from .reference import Cycle, Flow


def losses_of(cycle: Cycle, data: dict[str, Number]) -> pd.DataFrame:
    return bottlenecks(reconcile(system_of(cycle, data))).set_index("item")


BY_HAND = {
    "yard": (32 + 17, {"burnt", "buried"}, 211),
    "smelter": (19, {"slag"}, 500),
    "market": (13, {"sweepings"}, 323),
}


@pytest.mark.parametrize("item", BY_HAND)
def test_losses_by_hand(item: str) -> None:
    """What is buried is a loss by where it goes, though its role is old_scrap."""
    row = losses_of(byhand.CYCLE, byhand.DATA).loc[item]
    lost, flows, enters = BY_HAND[item]
    assert row["value"] == pytest.approx(lost)
    assert set(row["flows"].split(", ")) == flows
    assert row["share_of_input"] == pytest.approx(lost / enters)
    assert row["unit"] == "kt/yr"


def test_order_and_bottleneck() -> None:
    table = losses_of(byhand.CYCLE, byhand.DATA)
    assert list(table.index) == ["yard", "smelter", "market"]
    assert list(table["rank"]) == [1, 2, 3]
    assert list(table["bottleneck"]) == [True, False, False]


def test_a_loss_to_disposal_counts_once_and_a_loss_elsewhere_too() -> None:
    """The role loss counts wherever it goes; discrepancies never; what homes bury as well."""
    more = (
        Flow("scale", "mill", "buyers", ("loss",)),
        Flow("binned", "homes", "landfill", ("end_of_life",)),
        Flow("gap", "factory", "dump", ("discrepancy",)),
    )
    cycle = Cycle(byhand.CYCLE.processes, (*byhand.CYCLE.flows, *more))
    given: dict[str, Number] = {"scale": (6.0, 0.1), "binned": (8.0, 0.2), "gap": (3.0, 0.1)}
    data = dict(byhand.DATA) | given | dict.fromkeys(("strip", "goods", "to_mill", "metal_out"))
    table = losses_of(cycle, data)
    assert set(table.index) == {"yard", "smelter", "market", "mill", "homes"}
    assert table["value"]["yard"] == pytest.approx(49)
    assert table["value"]["mill"] == pytest.approx(6)
    assert table["value"]["homes"] == pytest.approx(8)


def test_sd_of_a_loss_is_that_of_its_sum() -> None:
    balance = byhand.balance()
    row = bottlenecks(balance).set_index("item").loc["yard"]
    both = balance.covariance(["burnt", "buried"]).to_numpy()
    assert row["sd"] == pytest.approx(np.sqrt(both.sum()), rel=1e-9)
    assert row["low"] == pytest.approx(row["value"] - 1.96 * row["sd"])
    assert row["high"] == pytest.approx(row["value"] + 1.96 * row["sd"])


def test_home_scrap_is_no_input() -> None:
    """Share of input: what goes round in the mill does not enter it."""
    more = Flow("scale", "mill", "dump", ("loss",))
    cycle = Cycle(byhand.CYCLE.processes, (*byhand.CYCLE.flows, more))
    data = dict(byhand.DATA) | {"scale": (6.0, 0.1), "strip": None, "goods": None}
    assert losses_of(cycle, data)["share_of_input"]["mill"] == pytest.approx(6 / 574)


def test_a_range_is_cut_at_the_limits_of_its_flow() -> None:
    """The loss of one flow has that flow's range, its min and max included."""
    columns = {"slag": {"min": 18.9, "max": 19.1}}
    balance = reconcile(system_of(byhand.CYCLE, byhand.DATA, columns))
    flow = balance.flows.set_index("flow").loc["slag"]
    row = bottlenecks(balance).set_index("item").loc["smelter"]
    assert flow["high"] == 19.1
    assert (row["low"], row["high"]) == pytest.approx((flow["low"], flow["high"]))


# Three sorters: what each loses is given, or anything up to what comes in.
SORTERS = ("first", "second", "third", "fourth")
YARD = cycle_of(
    (
        process("abroad", kind="import"),
        process("mill", "fabrication"),
        process("homes", "use", stock=True),
        process("dump", kind="sink"),
        *(process(name, "sorting") for name in SORTERS),
    ),
    (
        ("metal", "abroad", "mill", "refined"),
        ("goods", "mill", "homes", "product"),
        *((f"in_{s}", "homes", s, "end_of_life") for s in SORTERS),
        *((f"out_{s}", s, "mill", "old_scrap") for s in SORTERS),
        *((f"lost_{s}", s, "dump", "loss") for s in SORTERS),
    ),
)


def yard(seed: int) -> dict[str, Number]:
    """Return data in which some losses are known well, some poorly, and some not at all."""
    rng = np.random.default_rng(seed)
    data: dict[str, Number] = {}
    for name in SORTERS:
        enters = rng.uniform(10, 60)
        data[f"in_{name}"] = (enters, 0.01 * enters)
        lost = enters * rng.uniform(0.2, 0.8)
        known = rng.random() < 0.6
        data[f"lost_{name}"] = (lost, lost * rng.uniform(0.01, 0.15)) if known else None
    return data


@pytest.mark.parametrize("seed", range(8))
def test_ranks_are_all_those_that_the_ranges_leave_possible(seed: int) -> None:
    """Draw every loss from its range, corners included: ranks seen are best … worst, no more."""
    table = losses_of(YARD, yard(seed))
    rng = np.random.default_rng(seed)
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(len(low), -1).T
    drawn = np.vstack([corners, rng.uniform(low, high, size=(500, len(low)))])
    rank = 1 + (drawn[:, None, :] > drawn[:, :, None]).sum(axis=2)
    assert list(table["rank_best"]) == rank.min(axis=0).tolist()
    ties_last = (drawn[:, None, :] >= drawn[:, :, None]).sum(axis=2)
    assert list(table["rank_worst"]) == ties_last.max(axis=0).tolist()
    assert (table["rank_best"] <= table["rank"]).all()
    assert (table["rank"] <= table["rank_worst"]).all()
    middle = table["value"].where(table["value"].notna(), (table["low"] + table["high"]) / 2)
    assert all(a >= b for a, b in pairwise(middle))


@pytest.mark.parametrize("seed", range(6))
def test_undetermined_losses_are_all_that_is_possible(seed: int) -> None:
    cycle, x = random_cycle(seed, kept=0.9)
    gone = {"dumped", "sold", "hulks", "fluff", "shreds", "slag_loss", "ore", "scrap_out"}
    data: dict[str, Number] = {n: None if n in gone else (v, 0.01 * v) for n, v in x.items()}
    balance = reconcile(system_of(cycle, data))
    table, space = bottlenecks(balance).set_index("item"), feasible(cycle, balance)
    for item, row in table.iterrows():
        lost = [
            f.name
            for f in cycle.flows
            if f.source == item and (f.has("loss") or f.target in cycle.disposal)
        ]
        weight, rest = space.row(dict.fromkeys(lost, 1.0))
        low, high = (weight @ space.point(sign * weight) + rest for sign in (1.0, -1.0))
        if np.isfinite(row["value"]):
            assert (row["value"], row["value"]) == pytest.approx((low, high), abs=1e-6)
            continue
        if high > 0.4 * max(most for _, most in space.bounds):  # only the test's cap holds it
            high = np.nan
        assert (row["low"], row["high"]) == pytest.approx((low, high), abs=1e-6, nan_ok=True)


def test_a_loss_without_limit_comes_first() -> None:
    """Nobody knows what homes lose, nor what they hold: it may be anything."""
    more = Flow("binned", "homes", "dump", ("loss",))
    cycle = Cycle(byhand.CYCLE.processes, (*byhand.CYCLE.flows, more))
    table = losses_of(cycle, byhand.DATA)
    assert table.index[0] == "homes"
    row = table.loc["homes"]
    assert row["low"] == 0.0
    assert np.isnan(row["high"])
    assert (row["rank_best"], row["rank_worst"]) == (1, 4)
    assert list(table["rank_worst"]) == [4, 2, 3, 4]


def test_a_sum_may_be_known_although_its_flows_are_not() -> None:
    data = dict(byhand.DATA) | dict.fromkeys(("burnt", "buried"))
    row = losses_of(byhand.CYCLE, data).loc["yard"]
    assert row["value"] == pytest.approx(49)
    assert np.isfinite(row["sd"])


def test_years_and_steps() -> None:
    """Rates per year in every year, however long the step, ranked within each year."""
    system = system_of(byhand.CYCLE, dict(byhand.DATA) | {"burnt": None, "sold": None}, year=2015)
    later = system.data.assign(year=2020)
    half = later.assign(value=later["value"] / 2, sd=later["sd"] / 2, year=2022)
    data = pd.concat([system.data, later, half], ignore_index=True)
    table = bottlenecks(reconcile(replace(system, data=data)))
    assert list(table["year"]) == [2015] * 3 + [2020] * 3 + [2022] * 3
    columns = ["value", "sd", "low", "high"]
    first, second, third = (table[table["year"] == y][columns] for y in (2015, 2020, 2022))
    assert np.allclose(first, second, rtol=1e-7, equal_nan=True)
    assert np.allclose(first, 2 * third.to_numpy(), rtol=1e-7, equal_nan=True)
    assert list(table[table["bottleneck"]]["item"]) == ["yard"] * 3


def test_no_losses_no_rows() -> None:
    cycle = cycle_of(
        (process("a", kind="import"), process("b", "fabrication"), process("c", kind="export")),
        (("in", "a", "b", "refined"), ("out", "b", "c", "product")),
    )
    assert bottlenecks(reconcile(system_of(cycle, {"in": (9.0, 1.0)}))).empty
