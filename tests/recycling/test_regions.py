"""Regions together and apart: by hand, against plain formulas, and what must hold for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa.balance import reconcile
from mfa.errors import MFAError

from . import byhand, trading
from .cycles import values_of
from .feasible import feasible
from .reference import NAMES, Cycle, indicator_values

SEEDS = (1, 2, 3, 4)
OLD, NEW, ABROAD = 43 / 98, 29 / 98, 26 / 98  # in the South's yard, seen from the South
BY_HAND = {
    "": {
        "collection_rate": 26 / 104,
        "processing_rate": (26 + 69 / 98 * 40) / 26,
        "eol_recycling_rate": (26 + 69 / 98 * 40) / 104,
        "eol_recycling_rate_domestic": (26 + 69 / 98 * 40) / 104,
        "recycling_input_rate_total": 93 / (220 + 93),
        "recycling_input_rate_old": (26 + 69 / 98 * 40) / (220 + 93),
        "recycled_share_refined": (172 * 49 / 179 + 121 * 36 / 126) / (172 + 121),
        "old_scrap_ratio": (26 + 69 / 98 * 40) / 93,
        "new_scrap_recycling_rate": (27 + NEW * 40) / (27 + 29),
        "recycling_efficiency": (26 + 69 / 98 * 40 + 27 + NEW * 40) / (104 + 27 + 29),
    },
    "North": {
        "collection_rate": (22 + 26 + 4) / 61,
        "processing_rate": 1.0,
        "eol_recycling_rate": (22 + 26 + 4) / 61,
        "eol_recycling_rate_domestic": 22 / 61,
        "recycling_input_rate_total": (22 + 27 + 8) / (130 + 22 + 27 + 8),
        "recycling_input_rate_old": 22 / (130 + 22 + 27 + 8),
        "recycled_share_refined": 49 / 179,
        "old_scrap_ratio": 22 / 49,
        "new_scrap_recycling_rate": 1.0,
        "recycling_efficiency": (22 + 26 + 4 + 27) / (61 + 27),
    },
    "South": {
        "collection_rate": np.nan,
        "processing_rate": np.nan,
        "eol_recycling_rate": OLD * 40 / 43,
        "eol_recycling_rate_domestic": OLD * 32 / 43,
        "recycling_input_rate_total": 36 / (90 + 36),
        "recycling_input_rate_old": OLD * 32 / (90 + 36),
        "recycled_share_refined": 36 / 126,
        "old_scrap_ratio": OLD / (OLD + NEW),
        "new_scrap_recycling_rate": NEW * 40 / 29,
        "recycling_efficiency": (OLD + NEW) * 40 / (43 + 29),
    },
}


def by_region(balance: mfa.Balance) -> dict[str, pd.DataFrame]:
    table = mfa.indicators(balance)
    return {str(name): rows.set_index("indicator") for name, rows in table.groupby("region")}


def ends_of(cycle: Cycle) -> dict[str, tuple[str, str]]:
    """Return the regions that each flow of trade leaves and enters."""
    kind = {p.name: p.kind for p in cycle.processes}
    out = {}
    for f in cycle.flows:
        pair = trading.home(f.source), trading.home(f.target)
        if pair[0] != pair[1] and kind[f.source] != "source" and kind[f.target] != "sink":
            out[f.name] = pair
    return out


def test_every_indicator_by_hand_together_and_apart():
    found = by_region(trading.by_hand())
    assert set(found) == set(BY_HAND)
    for region, expected in BY_HAND.items():
        for name in NAMES:
            value = found[region]["value"][name]
            assert value == pytest.approx(expected[name], abs=1e-9, nan_ok=True), (region, name)


def test_the_whole_comes_first_then_each_region():
    table = mfa.indicators(trading.by_hand())
    first = ["indicator", "substance", "year", "value", "sd", "low", "high", "region"]
    assert list(table.columns[:8]) == first
    assert list(dict.fromkeys(table["region"])) == ["", "North", "South"]
    for _, rows in table.groupby("region"):
        assert rows["indicator"].tolist()[: len(NAMES)] == list(NAMES)
    assert (table["region"] != table["region"].shift()).sum() == 3


def test_without_regions_nothing_changes():
    balance = byhand.balance()
    assert "region" not in mfa.indicators(balance)
    assert mfa.trade(balance).empty
    with pytest.raises(MFAError, match="column region"):
        mfa.region(balance, "North")


def test_a_misspelt_region_is_offered():
    with pytest.raises(MFAError, match="'Norht'; did you mean 'North'"):
        mfa.region(trading.by_hand(), "Norht")


def test_trade_by_hand():
    table = mfa.trade(trading.by_hand()).set_index(["from_region", "to_region", "role"])
    values = {
        ("North", "South", "all"): 23 + 14 + 90 + 26 + 4,
        ("North", "South", "old_scrap"): 26 + 4,
        ("North", "South", "primary"): 90,
        ("North", "South", "product"): 14,
        ("North", "South", "refined"): 23,
        ("North", "", "all"): 20,
        ("North", "", "refined"): 20,
        ("South", "North", "all"): 8,
        ("South", "North", "scrap"): 8,
    }
    assert table["value"].to_dict() == pytest.approx(values)
    numbers = table["n_flows"].to_dict()
    assert numbers["North", "South", "all"] == 5
    assert numbers["North", "South", "old_scrap"] == 2
    assert table.loc[("North", "South", "old_scrap"), "flows"] == "old_ns, old_ns_melted"


def test_losses_apart_are_those_of_the_whole():
    balance = trading.by_hand()
    whole = mfa.bottlenecks(balance).set_index("item")
    parts = [mfa.bottlenecks(part).set_index("item") for part in balance.regions.values()]
    assert [part["bottleneck"].idxmax() for part in parts] == ["yard_n", "yard_s"]
    for part in parts:
        assert part["rank"].tolist() == [1, 2]
        columns = ["value", "sd", "low", "high", "share_of_input"]
        pd.testing.assert_frame_equal(part[columns], whole.loc[part.index, columns])
    assert sorted(item for part in parts for item in part.index) == sorted(whole.index)


@pytest.mark.parametrize("seed", SEEDS)
def test_indicators_apart_are_those_of_the_formulas(seed):
    cycle, balance = trading.random_balance(seed)
    values = values_of(balance)
    found = by_region(balance)
    cycles = {"": cycle} | {name: trading.apart(cycle, name) for name in ("A", "B", "C")}
    assert set(found) == set(cycles)
    for region, one in cycles.items():
        expected = indicator_values(one, values)
        for name in NAMES:
            value = found[region]["value"][name]
            assert value == pytest.approx(expected[name], abs=1e-9, nan_ok=True), (region, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_totals_of_the_regions_add_up_to_the_whole(seed):
    """End-of-life generation, new scrap and refined production."""
    _, balance = trading.random_balance(seed)
    found = by_region(balance)
    names = ("eol_recycling_rate", "new_scrap_recycling_rate", "recycled_share_refined")
    for name in names:
        parts = [found[region]["denominator"][name] for region in ("A", "B", "C")]
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(found[""]["denominator"][name])


@pytest.mark.parametrize("seed", SEEDS)
def test_exports_of_one_are_imports_of_the_other(seed):
    cycle, balance = trading.random_balance(seed)
    whole = mfa.trade(balance)
    whole = whole[whole["role"] == "all"].set_index(["from_region", "to_region"])
    pairs = set(ends_of(cycle).values())
    assert set(whole.index) == pairs
    for pair in pairs:
        for region in {*pair} - {""}:
            seen = mfa.region(balance, region)
            processes = seen.system.processes.set_index("process")
            kinds, where = processes["kind"], processes["region"]
            flows, at_home = seen.flows, region == pair[0]
            out = [
                row["value"]
                for row in flows.to_dict("records")
                if (away := row["to"] if at_home else row["from"])
                and kinds[away] == ("export" if at_home else "import")
                and where[away] == (pair[1] if at_home else pair[0])
            ]
            assert sum(out) == pytest.approx(whole.loc[pair, "value"])
            assert len(out) == whole.loc[pair, "n_flows"]
            own = mfa.trade(seen).set_index(["from_region", "to_region", "role"])
            columns = ["value", "sd", "low", "high"]
            assert own.loc[(*pair, "all"), columns].tolist() == pytest.approx(
                whole.loc[pair, columns].tolist()
            )


def dense_covariance(cycle: Cycle, balance: mfa.Balance) -> np.ndarray:
    """Return Σ − Σ Hᵀ (H Σ Hᵀ)⁻¹ H Σ of all flows, every one of them measured."""
    nodes = [p.name for p in cycle.processes if p.kind == "process" and not p.stock]
    rows = [[(f.target == p) - (f.source == p) for f in cycle.flows] for p in nodes]
    matrix, sigma = np.array(rows, float), np.diag(balance.system.data["sd"].to_numpy(float) ** 2)
    gain = sigma @ matrix.T @ np.linalg.inv(matrix @ sigma @ matrix.T)
    return np.asarray(sigma - gain @ matrix @ sigma)


@pytest.mark.parametrize("seed", SEEDS)
def test_sd_are_those_of_the_joint_covariance(seed):
    cycle, balance = trading.random_balance(seed)
    names = [f.name for f in cycle.flows]
    assert balance.system.data["flow"].tolist() == names
    assert not balance.is_approximate
    covariance = dense_covariance(cycle, balance)
    ends = ends_of(cycle)
    alone = []
    for row in mfa.trade(balance).to_dict("records"):
        pair = row["from_region"], row["to_region"]
        role = {f.name: ",".join(f.roles) for f in cycle.flows}
        chosen = [ends.get(n) == pair and row["role"] in ("all", role[n]) for n in names]
        weight = np.array(chosen, dtype=float)
        assert row["sd"] == pytest.approx(np.sqrt(weight @ covariance @ weight), rel=1e-6)
        alone.append(np.sqrt(weight @ np.diag(covariance)) / row["sd"])
    assert max(alone) > 1.05  # errors that flows share do matter
    for region in balance.regions:
        flows = mfa.region(balance, region).flows
        at = [names.index(name) for name in flows["flow"]]
        assert flows["sd"].tolist() == pytest.approx(np.sqrt(np.diag(covariance)[at]).tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_ranges_apart_are_those_of_the_whole(seed):
    """A region is no world of its own: what others know bounds what it may be."""
    cycle, balance = trading.random_balance(seed, drop=0.45)
    space = feasible(cycle, balance)
    ends = ends_of(cycle)
    open_rows = 0
    for row in mfa.trade(balance).to_dict("records"):
        if row["value"] == row["value"] or np.isnan(row["high"]):
            continue
        open_rows += 1
        weights = dict.fromkeys(row["flows"].split(", "), 1.0)
        assert set(weights) <= set(ends)
        c, held = space.row(weights)
        low, high = (float(c @ space.point(sign * c)) + held for sign in (1, -1))
        assert row["low"] == pytest.approx(low, abs=1e-6 * high)
        assert row["high"] == pytest.approx(high, rel=1e-6)
    assert open_rows
    whole = balance.flows.set_index("flow")
    for region in balance.regions:
        flows = mfa.region(balance, region).flows.set_index("flow")
        columns = ["value", "sd", "low", "high", "status", "adjustment", "assumed"]
        pd.testing.assert_frame_equal(flows[columns], whole.loc[flows.index, columns])


def test_one_region_is_the_whole():
    names = {p.name: "Here" for p in byhand.PROCESSES if p.kind == "process"}
    system = trading.with_regions(byhand.CYCLE, byhand.DATA, names)
    balance, plain = reconcile(system), byhand.balance()
    here = mfa.region(balance, "Here")
    for function in (mfa.indicators, mfa.bottlenecks):
        pd.testing.assert_frame_equal(function(here), function(plain))
        pd.testing.assert_frame_equal(function(balance), function(plain))
    for name in ("flows", "stocks", "processes"):
        pd.testing.assert_frame_equal(getattr(here, name), getattr(plain, name))
    trade = mfa.trade(balance).set_index(["from_region", "to_region", "role"])["value"]
    assert trade["", "Here", "scrap"] == pytest.approx(59.0)
    assert trade["Here", "", "all"] == pytest.approx(61 + 101 + 31 + 186)


def test_a_survey_of_one_region_reconciles_the_whole():
    data = {n: d for n, d in trading.DATA.items() if n not in ("cut_s", "lost_s", "goods_s")}
    balance = trading.by_hand(data)
    south = mfa.region(balance, "South")
    plan = mfa.survey(south)
    assert len(plan)
    best = plan[plan["kind"] == "flow"].iloc[0]
    tables = trading.tables_of(balance.system)
    flows = tables["flows"]
    here = flows["flow"] == best["item"]
    flows.loc[here, "value"], flows.loc[here, "sd"] = (best["low"] + best["high"]) / 2, 0.0
    again = reconcile(mfa.System.from_tables(tables))
    row = by_region(again)["South"].loc["eol_recycling_rate"]
    now = by_region(balance)["South"].loc["eol_recycling_rate"]
    assert best["width_now"] == pytest.approx(now["high"] - now["low"])
    then = 0.0 if row["value"] == row["value"] else row["high"] - row["low"]
    assert best["width_then"] == pytest.approx(then)


def test_neither_the_order_of_rows_nor_the_names_matter():
    balance = trading.by_hand()
    tables = trading.tables_of(balance.system)
    for name, seed in (("processes", 3), ("flows", 4)):
        tables[name] = tables[name].sample(frac=1, random_state=seed).reset_index(drop=True)
    tables["processes"]["region"] = tables["processes"]["region"].map(
        {"North": "South", "South": "North"}, na_action="ignore"
    )
    other = by_region(reconcile(mfa.System.from_tables(tables)))
    found = by_region(balance)
    columns = ["value", "sd", "low", "high", "numerator"]
    for mine, theirs in (("North", "South"), ("South", "North"), ("", "")):
        pd.testing.assert_frame_equal(found[mine][columns], other[theirs][columns])


def test_nothing_is_changed():
    balance = trading.by_hand()
    before = replace(balance)
    for function in (mfa.indicators, mfa.trade, mfa.bottlenecks):
        function(balance)
    pd.testing.assert_frame_equal(balance.system.processes, before.system.processes)
    pd.testing.assert_frame_equal(balance.system.flows, before.system.flows)
    assert "yard_s (export)" not in set(balance.flows["to"])
