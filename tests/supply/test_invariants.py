"""What holds for the shocks of every chain, and the same by routes instead of flows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import mfa

from .chains import Layers, least_unmet, random_layers

SEEDS = range(12)


def shock(layers: Layers, share: float = 0.8, months: float = 3) -> dict[str, object]:
    return {"country": f"M{max(i for i, _ in layers.mines)}", "share": share, "months": months}


def disrupt(layers: Layers, **options: float) -> mfa.Disruption:
    return mfa.disrupt(layers.balance(), shock(layers, **options), draws=0)


def early(found: mfa.Disruption) -> float:
    final = found.shortage[found.shortage["final"]]
    months = final["month"].max()
    return float(((months + 1 - final["month"]) * final["shortage"]).sum())


@pytest.mark.parametrize("seed", range(20))
def test_least_unmet_demand_and_latest_by_routes(seed):
    layers = random_layers(seed)
    mine = max(i for i, _ in layers.mines)
    unmet, late = least_unmet(layers, mine, 0.8, 3)
    found = disrupt(layers)
    demand = sum(layers.goods.values())
    assert found.unmet == pytest.approx(unmet, abs=1e-6 * demand)
    assert early(found) == pytest.approx(late, abs=1e-5 * demand)


@pytest.mark.parametrize("seed", SEEDS)
def test_mass_is_kept_every_month(seed):
    layers = random_layers(seed)
    found = disrupt(layers)
    into = found.flows.groupby(["to", "month"])["value"].sum()
    out = found.flows.groupby(["from", "month"])["value"].sum()
    released = found.stocks.set_index(["process", "month"])["released"]
    scale = found.flows["usual"].max()
    reached = set(found.shortage.loc[~found.shortage["final"], "process"])
    assert reached
    for process, month in out.index:
        if process not in reached:
            continue
        gets = into.get((process, month), 0.0) + released.get((process, month), 0.0)
        assert gets == pytest.approx(out[process, month], abs=1e-6 * scale)
    for process, rows in found.stocks.groupby("process"):
        size, share = layers.stocks[process]
        assert rows["level"].iloc[0] == pytest.approx(size)
        assert (rows["level"].diff().dropna() + rows["released"].iloc[1:]).abs().max() < 1e-6
        assert rows["released"].max() <= size * share + 1e-6
    usual = found.flows["value"] <= found.flows["usual"] + 1e-6 * scale
    assert usual.all()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_lost_nothing_short(seed):
    found = disrupt(random_layers(seed), share=0.0)
    assert (found.shortage["shortage"] == 0).all()
    assert np.isinf(found.endurance["months"]).all()
    assert found.flows["value"].to_numpy() == pytest.approx(
        found.flows["usual"].to_numpy(), abs=1e-5
    )
    assert found.summary["released"].iloc[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS[:7])
def test_more_stock_never_more_shortage_and_longer_never_less(seed):
    layers = random_layers(seed)
    stocks = {"T0": (5.0, 0.3), **layers.stocks}
    more = {name: (3 * size, share) for name, (size, share) in stocks.items()}
    unmet = [disrupt(replace(layers, stocks=some)).unmet for some in ({}, stocks, more)]
    assert unmet[0] >= unmet[1] - 1e-6
    assert unmet[1] >= unmet[2] - 1e-6
    longer = [disrupt(layers, months=months).unmet for months in (1, 2.5, 4)]
    assert longer[0] <= longer[1] + 1e-6
    assert longer[1] <= longer[2] + 1e-6
    harder = [disrupt(layers, share=share).unmet for share in (0.2, 0.6, 1.0)]
    assert harder[0] <= harder[1] + 1e-6
    assert harder[1] <= harder[2] + 1e-6


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_neither_unit_nor_the_order_of_rows_matters(seed):
    layers = random_layers(seed)
    one = disrupt(layers)
    two = mfa.disrupt(layers.balance("t/yr", 1000.0), shock(layers), draws=0)
    three = mfa.disrupt(layers.balance(flip=True), shock(layers), draws=0)
    keys = ["process", "month"]
    tables = [
        found.shortage.sort_values(keys)["shortage"].to_numpy() for found in (one, two, three)
    ]
    demand = sum(layers.goods.values())
    assert tables[1] / 1000 == pytest.approx(tables[0], abs=1e-5 * demand)
    assert tables[2] == pytest.approx(tables[0], abs=1e-5 * demand)


@pytest.mark.parametrize("seed", SEEDS)
def test_stocks_are_used_before_anybody_runs_short(seed):
    """In a chain with one stock at the only market, which all demand goes through."""
    layers = random_layers(seed)
    whole = sum(layers.goods.values())
    layers = replace(
        layers,
        metal={
            (j, 0): sum(x for (at, _), x in layers.metal.items() if at == j)
            for j in range(len(layers.lost))
        },
        goods={(0, u): whole * part for u, part in enumerate((0.7, 0.2, 0.1))},
        stocks={"T0": (0.1 * whole, 1.0)},
    )
    found = disrupt(layers, months=4)
    short = found.shortage[found.shortage["final"]].groupby("month")["shortage"].sum()
    level = found.stocks.set_index("month")["level"]
    assert (level[short.index[short > 1e-6 * whole]] <= 1e-6 * whole).all()
    by_user = found.shortage[found.shortage["final"] & (found.shortage["month"] == 4)]
    cut = (by_user["shortage"] / by_user["demand"]).to_numpy()
    assert cut == pytest.approx(np.full(3, cut[0]), abs=1e-5)


def test_no_function_changes_its_argument():
    balance = random_layers(3).balance()
    before = {name: table.copy() for name, table in balance.system.tables.items()}
    mfa.disrupt(balance, shock(random_layers(3)), draws=5, stockpile_days=7)
    for name, table in before.items():
        pd.testing.assert_frame_equal(balance.system.tables[name], table)
