"""Gains: adjoint against perturbing a share, following every loop and forming indicators anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa.balance import reconcile
from mfa.recycling import gains
from mfa.recycling.closure import closure
from mfa.recycling.corners import corners
from mfa.recycling.place import places

from . import byhand
from .cycles import cycle_of, process, random_cycle, system_of
from .reference import Cycle
from .roundabout import indicator, perturbed

INDICATORS = (
    "collection_rate",
    "processing_rate",
    "eol_recycling_rate",
    "eol_recycling_rate_domestic",
    "recycling_input_rate_total",
    "recycling_input_rate_old",
    "old_scrap_ratio",
    "new_scrap_recycling_rate",
    "recycling_efficiency",
)
H = 1e-4


def table_of(cycle: Cycle, x: Mapping[str, float]) -> pd.DataFrame:
    data = {name: (value, 0.01 * value) for name, value in x.items()}
    table = gains(reconcile(system_of(cycle, data)))
    return table[table["indicator"].isin(INDICATORS)]


def by_brute_force(
    cycle: Cycle, x: Mapping[str, float], item: str, names: tuple[str, ...]
) -> dict[str, float]:
    """Return gains by central differences of the share, all flows worked out anew."""
    up, down = (perturbed(cycle, x, tuple(item.split(", ")), sign * H) for sign in (1, -1))
    return {
        name: (indicator(cycle, up, name) - indicator(cycle, down, name)) / (2 * H)
        for name in names
    }


@pytest.mark.parametrize("seed", range(5))
def test_gains_against_brute_force(seed: int) -> None:
    cycle, x = random_cycle(seed)
    table = table_of(cycle, x)
    assert len(table) > 50
    assert (table["value"].abs() > 0.01).sum() > 20
    for item, rows in table.groupby("item"):
        expected = by_brute_force(cycle, x, str(item), INDICATORS)
        for name, value in zip(rows["indicator"], rows["value"], strict=True):
            assert value == pytest.approx(expected[name], rel=1e-5, abs=1e-6), (item, name)


def test_gains_by_hand() -> None:
    """Collected scrap all goes to the smelter, what is saved is ore; one route, no loop."""
    cycle = cycle_of(
        (
            process("abroad", kind="import"),
            process("smelter", "smelting"),
            process("mill", "fabrication"),
            process("homes", "use", stock=True),
            process("yard", "collection"),
            process("dump", kind="sink"),
        ),
        (
            ("ore", "abroad", "smelter", "primary"),
            ("slag", "smelter", "dump", "loss"),
            ("metal", "smelter", "mill", "refined"),
            ("goods", "mill", "homes", "product"),
            ("discarded", "homes", "yard", "end_of_life"),
            ("old", "yard", "smelter", "old_scrap"),
            ("burnt", "yard", "dump", "loss"),
        ),
    )
    x = {"ore": 80.0, "slag": 5.0, "metal": 95.0, "goods": 95.0}
    x |= {"discarded": 40.0, "old": 20.0, "burnt": 20.0}
    table = table_of(cycle, x).set_index(["indicator", "item"])["value"]
    assert table["eol_recycling_rate", "old"] == pytest.approx(1.0)
    # One point of 40 is 0.4 more scrap and 0.4 less ore, of 100 that enter.
    assert table["recycling_input_rate_total", "old"] == pytest.approx(40 / 100)
    # The smelter needs 95 / 0.95 = 100; with a yield of 0.95 + e it is 95 / (0.95 + e).
    assert table["recycling_input_rate_total", "metal"] == pytest.approx(20 / 95)
    assert table["recycling_input_rate_total", "slag"] == pytest.approx(-20 / 95)


def test_demand_exports_and_generation_stay() -> None:
    """What is held fixed is fixed in the recomputation, and primary imports take up the slack."""
    x = dict(byhand.VALUES)
    moved = perturbed(byhand.CYCLE, x, ("sold",), 0.01)
    for flow in ("goods", "goods_out", "metal_out", "hulks", "scrap_out", "discarded", "goods_in"):
        assert moved[flow] == pytest.approx(x[flow])
    assert moved["sold"] == pytest.approx(x["sold"] + 2.11)
    assert moved["ore"] < x["ore"] - 1.0
    assert moved["ore"] / moved["own_ore"] == pytest.approx(x["ore"] / x["own_ore"])


def test_sd_of_a_gain_against_sampling() -> None:
    """Flows drawn with the covariance of the results, gains formed for each draw."""
    balance = byhand.balance()
    table = gains(balance).set_index(["indicator", "item"])
    names = list(byhand.VALUES)
    spread = balance.covariance(names).to_numpy()
    mean = balance.flows.set_index("flow").loc[names, "value"].to_numpy()
    rng = np.random.default_rng(7)
    draws = rng.multivariate_normal(mean, spread, size=200, method="eigh")
    name = "recycling_input_rate_total"
    sample = []
    for draw in draws:
        x = dict(zip(names, draw.tolist(), strict=True))
        sample.append(by_brute_force(byhand.CYCLE, x, "sold", (name,))[name])
    assert table["sd"][name, "sold"] == pytest.approx(np.std(sample), rel=0.15)
    assert table["value"][name, "sold"] == pytest.approx(np.mean(sample), rel=0.01)


def test_undetermined_shares_give_ranges() -> None:
    """The yard sells an unknown part: the gain of selling more is between that at either end."""
    data = dict(byhand.DATA)
    for name in ("sold", "burnt", "turnings", "goods"):
        data[name] = None
    table = gains(reconcile(system_of(byhand.CYCLE, data)))
    row = table.set_index(["indicator", "item"]).loc["recycling_input_rate_total", "burnt"]
    assert np.isnan(row["value"])
    assert row["low"] < row["high"]
    known = gains(byhand.balance()).set_index(["indicator", "item"])["value"]
    truth = known["recycling_input_rate_total", "burnt"]
    assert row["low"] - 0.02 <= truth <= row["high"] + 0.02


def test_a_range_says_what_it_is() -> None:
    known = gains(byhand.balance())
    assert set(known["range"][known["sd"].notna()]) == {"1.96 sd"}
    data = dict(byhand.DATA) | dict.fromkeys(("sold", "burnt", "turnings", "goods"))
    open_ = gains(reconcile(system_of(byhand.CYCLE, data)))
    undetermined = open_["value"].isna()
    assert undetermined.any()
    assert set(open_["range"][undetermined]) == {"corners tried"}


def test_a_yield_counts_what_stocks_give() -> None:
    """Smelters that draw on stocks make more metal than enters them, but none out of nothing."""
    balance = mfa.reconcile(mfa.read_tables("flows/copper-japan"))
    drew = balance.stocks[balance.stocks["quantity"] == "change"]
    assert (drew["process"].eq("smelting_ore") & (drew["value"] < 0)).any()
    for year in balance.system.years:
        table = gains(balance, year)
        row = table[(table["what"] == "yield") & (table["process"] == "smelting_ore")].iloc[0]
        flows = balance.flows[balance.flows["year"].eq(year) & balance.flows["substance"].eq("Cu")]
        flows = flows.set_index("flow")["value"]
        refined, slag = flows["refined_ore"], flows["slag_ore"]
        change = drew[drew["process"].eq("smelting_ore") & drew["year"].eq(year)]["value"]
        added = max(float(change.sum()), 0.0)
        assert row["share"] == pytest.approx(refined / (refined + slag + added), rel=1e-6)
        assert row["share"] < 1


def test_coefficients_are_named() -> None:
    table = mfa.gains(mfa.reconcile(mfa.read_tables("flows/rare-earth-magnets")))
    swarf = table[table["item"] == "swarf"]
    assert set(swarf["coefficient"]) == {"swarf share"}
    assert set(table["year"]) == {2023}


@pytest.mark.parametrize(
    "name", ["copper-japan-discrepancy", "copper-world", "copper-regions", "rare-earth-magnets"]
)
def test_with_nothing_changed_nothing_moves(name: str) -> None:
    """The equations hold where they were drawn up: stocks, gaps and several regions included."""
    balance = reconcile(mfa.read_tables(f"flows/{name}"))
    for part in (balance, *balance.regions.values()):
        for place in places(part).values():
            for x in corners(place):
                model = closure(place, x)
                np.testing.assert_allclose(model.solved(), model.x, atol=1e-8 * np.abs(x).max())


def test_gains_do_not_depend_on_unit_or_order() -> None:
    x = {name: (value, 0.02 * value) for name, value in byhand.VALUES.items()}
    table = gains(reconcile(system_of(byhand.CYCLE, x)))
    tonnes = {name: (1000 * value, 1000 * sd) for name, (value, sd) in x.items()}
    turned = Cycle(byhand.CYCLE.processes[::-1], byhand.CYCLE.flows[::-1])
    other = gains(reconcile(system_of(turned, tonnes, unit="t/yr")))
    keys = ["indicator", "process", "what", "item"]
    first, second = (
        t.assign(item=[", ".join(sorted(i.split(", "))) for i in t["item"]]).set_index(keys)
        for t in (table, other)
    )
    assert set(first.index) == set(second.index)
    for column in ("value", "sd", "share"):
        np.testing.assert_allclose(
            first[column], second.loc[first.index, column], rtol=1e-5, atol=1e-9
        )


def test_small_systems_without_any_indicator_have_no_gains() -> None:
    cycle = cycle_of(
        (process("a", kind="source"), process("b"), process("c", kind="sink")),
        (("in", "a", "b", ""), ("out", "b", "c", "")),
    )
    table = gains(reconcile(system_of(cycle, {"in": (4.0, 1.0)})))
    assert table.empty
    assert list(table.columns)[:3] == ["indicator", "item", "process"]
