"""Corners of the definitions: what is use, whose scrap is whose, stocks and discrepancies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.recycling import indicators

from . import byhand
from .cycles import Number, cycle_of, process, system_of
from .reference import NAMES, Cycle, Flow


def table_of(
    cycle: Cycle, data: dict[str, Number], columns: dict[str, dict[str, float]] | None = None
) -> pd.DataFrame:
    table = indicators(reconcile(system_of(cycle, data, columns))).set_index("indicator")
    return table[table.index.isin(NAMES)]


def with_flow(flow: Flow, number: Number, *others: str) -> tuple[Cycle, dict[str, Number]]:
    """Return the cycle by hand with one more flow; others, now unknown, make room for it."""
    cycle = Cycle(byhand.CYCLE.processes, (*byhand.CYCLE.flows, flow))
    return cycle, dict(byhand.DATA) | dict.fromkeys(others) | {flow.name: number}


# --- roles and sets ------------------------------------------------------------------------------


def test_use_may_be_a_source() -> None:
    """U is stage use: what leaves a use phase outside the boundary is end of life all the same."""
    processes = tuple(
        replace(p, kind="source", stock=False) if p.name == "homes" else p
        for p in byhand.CYCLE.processes
    )
    flows = tuple(f for f in byhand.CYCLE.flows if f.target != "homes")
    sold = Flow("goods_sold", "factory", "buyers", ("product",))
    data = dict(byhand.DATA) | {"goods_sold": (363.0, 4.0)}
    row = table_of(Cycle(processes, (*flows, sold)), data).loc["collection_rate"]
    assert row["missing"] == ""
    assert row["value"] == pytest.approx(185 / 211)


@pytest.mark.parametrize("role", ["old_scrap", "end_of_life"])
def test_imported_old_scrap_is_no_scrap_of_ones_own(role: str) -> None:
    """φold has the sources old_scrap[U,C→]; imports are not among them, whatever their role."""
    flows = tuple(
        replace(f, roles=(role,)) if f.name == "scrap_in" else f for f in byhand.CYCLE.flows
    )
    if role == "end_of_life":  # used goods go to the yard, which is a lane in any case
        flows = tuple(replace(f, target="yard") if f.name == "scrap_in" else f for f in flows)
        flows = tuple(replace(f, roles=("scrap",)) if f.name == "sold" else f for f in flows)
        table = table_of(Cycle(byhand.CYCLE.processes, flows), dict(byhand.DATA) | {"sold": None})
        old = 23 + 190 * 211 / 270
        market = 23 + 190 + 43 + 67
    else:
        table = table_of(Cycle(byhand.CYCLE.processes, flows), byhand.DATA)
        old, market = 154.0, 323
    row = table.loc["eol_recycling_rate_domestic"]
    assert row["value"] == pytest.approx((53 + 71) * old / market / 211)


def test_imported_new_scrap_is_no_scrap_of_ones_own() -> None:
    flows = tuple(
        replace(f, roles=("new_scrap",)) if f.name == "scrap_in" else f for f in byhand.CYCLE.flows
    )
    row = table_of(Cycle(byhand.CYCLE.processes, flows), byhand.DATA).loc[
        "new_scrap_recycling_rate"
    ]
    assert row["value"] == pytest.approx(310 * 110 / 323 / 110)


STRAY = {
    "old scrap from abroad": Flow("stray", "abroad", "mill", ("old_scrap",)),
    "new scrap from abroad": Flow("stray", "abroad", "mill", ("new_scrap",)),
    "mixed scrap from a maker": Flow("stray", "factory", "mill", ("scrap",)),
    "mixed scrap from use": Flow("stray", "homes", "mill", ("scrap",)),
}


@pytest.mark.parametrize("which", STRAY)
def test_rec_is_the_sum_of_its_three_parts(which: str) -> None:
    """rec_k = k[L∪M∪U → M] + Σ φk · scrap[L→M], rec_imp = scrap[I→M] + Σ φimp · scrap[L→M]."""
    cycle, data = with_flow(STRAY[which], (7.0, 0.1), "to_mill", "metal_out", "goods", "strip")
    row = table_of(cycle, data).loc["recycling_input_rate_total"]
    assert row["value"] == pytest.approx((53 + 71) / (410 + 37 + 53 + 71), rel=1e-6)


def test_imported_scrap_may_go_straight_to_a_maker() -> None:
    flow = Flow("stray", "abroad", "mill", ("scrap",))
    cycle, data = with_flow(flow, (7.0, 0.1), "to_mill", "metal_out")
    table = table_of(cycle, data)
    assert table["value"]["recycling_input_rate_total"] == pytest.approx(131 / 578)
    assert table["value"]["old_scrap_ratio"] == pytest.approx(154 / 264)


def test_home_scrap_is_counted_nowhere() -> None:
    cycle = Cycle(byhand.CYCLE.processes, tuple(f for f in byhand.CYCLE.flows if f.name != "home"))
    data = {name: number for name, number in byhand.DATA.items() if name != "home"}
    columns = ["value", "sd", "numerator", "denominator"]
    with_it = table_of(byhand.CYCLE, byhand.DATA)[columns]
    assert np.allclose(with_it, table_of(cycle, data)[columns], rtol=1e-9)


def test_roles_may_be_combined() -> None:
    """What homes throw straight on the dump is end of life and loss at once."""
    flow = Flow("binned", "homes", "dump", ("end_of_life", "loss"))
    cycle, data = with_flow(flow, (9.0, 0.5))
    assert table_of(cycle, data)["value"]["collection_rate"] == pytest.approx(185 / 220)


# --- denominators, numerators, intervals ---------------------------------------------------------


def test_a_missing_denominator_says_which_role_from_which_stage() -> None:
    flows = tuple(
        replace(f, roles=()) if f.name in ("discarded", "cutoffs", "turnings") else f
        for f in byhand.CYCLE.flows
    )
    table = table_of(Cycle(byhand.CYCLE.processes, flows), byhand.DATA)
    for name in ("collection_rate", "eol_recycling_rate", "eol_recycling_rate_domestic"):
        row = table.loc[name]
        assert "end_of_life" in row["missing"]
        assert "use" in row["missing"]
        assert np.isnan(row[["value", "sd", "low", "high"]].to_numpy(dtype=float)).all()
    assert "new_scrap" in table["missing"]["new_scrap_recycling_rate"]


@pytest.mark.parametrize("gone", [{"discarded"}, {"cutoffs", "turnings"}])
def test_what_arises_in_two_places_is_not_known_from_one(gone: set[str]) -> None:
    """Old and new scrap over new scrap alone would be no rate: it can be above 1."""
    flows = tuple(replace(f, roles=()) if f.name in gone else f for f in byhand.CYCLE.flows)
    row = table_of(Cycle(byhand.CYCLE.processes, flows), byhand.DATA).loc["recycling_efficiency"]
    assert "end_of_life flows from use and new_scrap flows from manufacturing" in row["missing"]
    assert np.isnan(row["value"])


def test_a_known_zero_is_not_missing() -> None:
    data: dict[str, Number] = dict(byhand.DATA) | dict.fromkeys(("burnt",))
    data |= {"demolition": (0.0, 0.0), "sold": (0.0, 0.0), "hulks": (0.0, 0.0)}
    row = table_of(byhand.CYCLE, data | {"scrap_out": None}).loc["collection_rate"]
    assert row["missing"] == ""
    assert row["value"] == 0.0


def test_an_interval_above_one_is_not_cut_at_the_value() -> None:
    """A yard that draws down its stock collects 1.25 of what is discarded, give or take."""
    cycle = Cycle(
        tuple(replace(p, stock=True) if p.name == "yard" else p for p in byhand.CYCLE.processes),
        byhand.CYCLE.flows,
    )
    data: dict[str, Number] = dict(byhand.DATA) | {"discarded": (148.0, 6.0)}
    row = table_of(cycle, data).loc["collection_rate"]
    assert row["value"] == pytest.approx(185 / 148)
    assert row["high"] == pytest.approx(row["value"] + 1.96 * row["sd"])


# --- tracing stops at stocks ---------------------------------------------------------------------


def withdrawing(change: Number) -> pd.Series:
    """Return the domestic end-of-life rate where the scrap market's stock changes."""
    cycle = Cycle(
        tuple(replace(p, stock=True) if p.name == "market" else p for p in byhand.CYCLE.processes),
        byhand.CYCLE.flows,
    )
    data = dict(byhand.DATA) | {"scrap_out": None}
    value, sd = change or (None, None)
    stock = {"process": "market", "year": 2018, "quantity": "change", "value": value, "sd": sd}
    balance = reconcile(system_of(cycle, data, stocks=[stock]))
    return indicators(balance).set_index("indicator").loc["eol_recycling_rate_domestic"]


def test_withdrawals_from_a_stock_are_of_unknown_origin() -> None:
    """323 come in, 40 out of the stock: 154 to 194 of 363 are old."""
    row = withdrawing((-40.0, 1.0))
    assert np.isnan(row["value"])
    ends = (124 * 154 / 363 / 211, 124 * 194 / 363 / 211)
    assert (row["low"], row["high"]) == pytest.approx(ends, rel=1e-6)


def test_additions_to_a_stock_are_a_share_of_what_comes_in() -> None:
    row = withdrawing((40.0, 1.0))
    assert row["value"] == pytest.approx(124 * 154 / 323 / 211)


# --- discrepancies -------------------------------------------------------------------------------


GAP = Flow("gap", "market", "dump", ("discrepancy",))
FREE = {"gap": {"min": -500.0}}


def test_a_positive_discrepancy_is_no_loss_and_blurs_nothing() -> None:
    cycle, data = with_flow(GAP, (12.0, 0.5), "scrap_out")
    row = table_of(cycle, data, FREE).loc["eol_recycling_rate_domestic"]
    assert row["value"] == pytest.approx(124 * 154 / 323 / 211)


def test_a_negative_discrepancy_is_of_unknown_origin() -> None:
    cycle, data = with_flow(GAP, (-12.0, 0.5), "scrap_out")
    row = table_of(cycle, data, FREE).loc["eol_recycling_rate_domestic"]
    assert np.isnan(row["value"])
    ends = (124 * 154 / 335 / 211, 124 * 166 / 335 / 211)
    assert (row["low"], row["high"]) == pytest.approx(ends, rel=1e-6)


# 60 old, 40 new, 20 imported; 12 are a statistical difference, two mills share the other 108.
SHARED = cycle_of(
    (
        process("abroad", kind="import"),
        process("gap", kind="sink"),
        process("mill", "fabrication"),
        process("foundry", "fabrication"),
        process("factory", "manufacturing"),
        process("homes", "use", stock=True),
        process("yard", "collection"),
        process("market", "trade"),
    ),
    (
        ("metal", "abroad", "mill", "refined"),
        ("ingot", "abroad", "foundry", "refined"),
        ("strip", "mill", "factory", "product"),
        ("castings", "foundry", "factory", "product"),
        ("goods", "factory", "homes", "product"),
        ("discarded", "homes", "yard", "end_of_life"),
        ("sold", "yard", "market", "old_scrap"),
        ("turnings", "factory", "market", "new_scrap"),
        ("scrap_in", "abroad", "market", "scrap"),
        ("scrap_mill", "market", "mill", "scrap"),
        ("scrap_foundry", "market", "foundry", "scrap"),
        ("gap", "market", "gap", "discrepancy"),
    ),
)


def shared(scrap_in: float, gap: float) -> pd.DataFrame:
    data: dict[str, Number] = {"discarded": (60.0, 2.0), "turnings": (40.0, 1.0)}
    data |= {"scrap_in": (scrap_in, 0.3), "gap": (gap, 0.5)}
    return table_of(SHARED, data, FREE)


def test_a_discrepancy_takes_its_share_of_undetermined_scrap_too() -> None:
    """However the mills share the 108, half of it is old: 54 of 60."""
    row = shared(20.0, 12.0).loc["eol_recycling_rate_domestic"]
    low, high = (row["value"],) * 2 if np.isfinite(row["value"]) else (row["low"], row["high"])
    assert low - 1e-9 <= 54 / 60 <= high + 1e-9


@pytest.mark.parametrize("gap", [12.0, -12.0])
def test_a_discrepancy_beside_undetermined_scrap_is_no_crash(gap: float) -> None:
    row = shared(0.0, gap).loc["old_scrap_ratio"]
    low, high = (row["value"],) * 2 if np.isfinite(row["value"]) else (row["low"], row["high"])
    assert low - 1e-9 <= 60 / 100 <= high + 1e-9
