"""Projections against the obvious way: rounds of pushing and pulling until nothing moves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mfa
from tests.scenarios.futures import loop, residuals, rows, system, value


def play(demand: list[float], collected: list[float], cut: list[float], life: float, until: int):
    """Play the loop forward by hand: one cohort after another, and rounds within each year.

    Use begins in 2020 with 88 in and 50 out and whatever stock of constant age structure explains
    that; all that is older than `life` (a whole number of years) leaves.
    """
    # a stock of stationary ages, in yearly vintages of equal size g: what leaves in 2020 is g
    vintages = {2020 - k: 50.0 for k in range(1, int(life) + 1)}
    vintages[2020] = 88.0
    vintages.pop(2020 - int(life))
    out = []
    for year in range(2021, until + 1):
        worn = vintages.pop(year - int(life), 0.0)
        want, share = demand[year - 2021], collected[year - 2021]
        old = share * worn
        taken = want
        for _ in range(4000):
            cuttings = cut[year - 2021] * taken
            taken = want + cuttings
        scrap = 0.9 * (old + cuttings)
        vintages[year] = want
        out.append(
            {
                "worn": worn,
                "old": old,
                "cuttings": cuttings,
                "scrap": scrap,
                "ore": taken - scrap,
                "stock": sum(vintages.values()),
            }
        )
    return pd.DataFrame(out, index=range(2021, until + 1))


@pytest.mark.parametrize("life", [3, 8])
def test_against_cohorts_played_by_hand(life):
    until = 2034
    span = np.arange(1, until - 2020 + 1)
    demand = 88 * (1 + 0.5 * np.minimum(span / 10, 1))
    collected = 0.6 + 0.3 * np.minimum(span / 5, 1)
    cut = np.where(span >= 4, 0.2, 0.12)
    lifetimes = pd.DataFrame({"process": ["Use"], "distribution": ["fixed"], "mean": [float(life)]})
    scenario = rows(
        ("flow", "goods", 2030, "multiply", 1.5, "linear"),
        ("coefficient", "collection", 2025, "set", 0.9, "linear"),
        ("coefficient", "cuttings", 2024, "set", 0.2, "step"),
    )
    future = mfa.project(loop(scenarios=scenario, lifetimes=lifetimes), "S", until)
    plain = play(demand.tolist(), collected.tolist(), cut.tolist(), life, until)
    # the stock of before is spread evenly over ages and leaves evenly: 50 a year
    for flow in ("worn", "old", "cuttings", "scrap", "ore"):
        found = [value(future, flow, year) for year in plain.index]
        assert found == pytest.approx(plain[flow].tolist(), rel=1e-9), flow
    levels = future.stocks.query("quantity == 'level' and year > 2020")["value"]
    assert levels.tolist() == pytest.approx(plain["stock"].tolist(), rel=1e-9)
    assert residuals(future).max() < 1e-12
    ages = future.ages.groupby("year")["value"].sum()
    assert ages.loc[2021:].tolist() == pytest.approx(levels.tolist(), rel=1e-9)
    uses = future.end_uses.set_index("year")["level"]
    assert uses.loc[2021:].tolist() == pytest.approx(levels.tolist(), rel=1e-9)


def test_a_stationary_stock_stays_stationary():
    """Inflow 50 a year for ever and what leaves it: the stock is inflow × mean lifetime."""
    processes = [
        ("Shop", "manufacturing", "source"),
        ("Use", "use", None, "yes"),
        ("Bin", "", "sink"),
    ]
    flows = [
        ("new", "Shop", "Use", "product", 50.0),
        ("worn", "Use", "Bin", "end_of_life", 50.0),
    ]
    lifetimes = pd.DataFrame(
        {"process": ["Use"], "distribution": ["weibull"], "mean": [17.0], "sd": [6.0]}
    )
    future = mfa.project(system(processes, flows, lifetimes=lifetimes), None, 2080)
    assert value(future, "worn", 2080) == pytest.approx(50.0, rel=1e-12)
    level = future.stocks.query("quantity == 'level'")["value"]
    assert level.to_numpy() == pytest.approx(50.0 * 17.0, rel=1e-9)


def test_longer_lifetimes_hold_back_scrap():
    lifetimes = pd.DataFrame({"process": ["Use"], "distribution": ["fixed"], "mean": [4.0]})
    scenario = rows(("lifetime", "Use", 2021, "set", 6.0, "step"))
    future = mfa.project(loop(scenarios=scenario, lifetimes=lifetimes), "S", 2028)
    worn = [value(future, "worn", year) for year in range(2021, 2029)]
    # goods of 2020 leave in 2024, those of 2021 in 2027: in between nothing does
    assert worn == pytest.approx([50, 50, 50, 88, 0, 0, 88, 88], abs=1e-9)


def chain(shares: list[float], **sheets: pd.DataFrame) -> mfa.System:
    """Three makers in a row with by-products that come back two steps upstream."""
    a, b, c, back = shares
    goods = 100.0
    third = goods / (1 - c)
    second = third / (1 - b)
    first = second / (1 - a)
    scrap = back * (a * first + b * second + c * third)
    processes = [
        ("Abroad", "mining", "import"),
        ("A", "smelting", None),
        ("B", "fabrication", None),
        ("C", "manufacturing", None),
        ("Yard", "sorting", None),
        ("Use", "use", None, "yes"),
        ("Dump", "disposal", "sink"),
    ]
    flows = [
        ("ore", "Abroad", "A", "primary", first - scrap),
        ("metal", "A", "B", "refined", second),
        ("semis", "B", "C", "product", third),
        ("goods", "C", "Use", "product", goods),
        ("skimmings", "A", "Yard", "new_scrap", a * first),
        ("ends", "B", "Yard", "new_scrap", b * second),
        ("chips", "C", "Yard", "new_scrap", c * third),
        ("scrap", "Yard", "A", "scrap", scrap),
        ("dust", "Yard", "Dump", "loss", (1 / back - 1) * scrap),
    ]
    return system(processes, flows, **sheets)


@settings(derandomize=True, max_examples=15, deadline=None)
@given(
    st.lists(st.floats(0.02, 0.3), min_size=4, max_size=4),
    st.floats(0.02, 0.45),
    st.floats(0.3, 3.0),
)
def test_loops_are_those_of_rounds(shares, new, growth):
    shares = [*shares[:3], 0.5 + shares[3]]
    scenario = rows(
        ("flow", "goods", 2022, "multiply", growth, "step"),
        ("coefficient", "ends", 2022, "set", new, "step"),
    )
    future = mfa.project(chain(shares, scenarios=scenario), "S", 2022)
    a, _, c, back = shares
    first = second = third = 0.0
    for _ in range(500):  # each round asks for what the one before used up
        third = 100 * growth + c * third
        second = third + new * second
        first = second + a * first
    scrap = back * (a * first + new * second + c * third)
    assert value(future, "scrap", 2022) == pytest.approx(scrap, rel=1e-9)
    assert value(future, "ore", 2022) == pytest.approx(first - scrap, rel=1e-9)
    assert residuals(future).max() < 1e-9


@pytest.mark.parametrize("case", ["copper-world", "copper-japan", "rare-earth-magnets"])
def test_shipped_scenarios_balance_every_year(case):
    balance = mfa.reconcile(mfa.read_tables(f"flows/{case}"))
    for name in balance.system.tables["scenarios"]["scenario"].unique():
        future = mfa.project(balance, name, 2045)
        assert residuals(future).max() < 1e-9
        assert future.flows["value"].min() >= 0
        assert future.unmet.empty
        assert np.isfinite(future.flows["value"]).all()
