"""Determined indicators: values against plain formulas, sd against perturbed data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.recycling import indicators
from mfa.system import System

from . import byhand
from .cycles import noisy, random_cycle, system_of, values_of
from .reference import NAMES, Cycle, indicator_values


def table_of(system: System) -> pd.DataFrame:
    table = indicators(reconcile(system)).set_index("indicator")
    return table[table.index.isin(NAMES)]


def perturbed(cycle: Cycle, system: System) -> dict[str, float]:
    """Return Σ (∂(indicator)/∂(datum) × sd)² by central differences of everything."""
    out = dict.fromkeys(NAMES, 0.0)
    for row in system.data.index[system.data["sd"] > 0]:
        ends = []
        for sign in (1.0, -1.0):
            moved = system.data.copy()
            moved.loc[row, "value"] += sign * 1e-3 * moved.loc[row, "sd"]
            values = values_of(reconcile(replace(system, data=moved)))
            ends.append(indicator_values(cycle, values))
        for name in NAMES:
            out[name] += ((ends[0][name] - ends[1][name]) / 2e-3) ** 2
    return out


@pytest.mark.parametrize("seed", range(10))
def test_values_are_those_of_the_formulas(seed: int) -> None:
    cycle, x = random_cycle(seed, kept=0.65)
    balance = reconcile(system_of(cycle, noisy(x, seed)))
    found = indicators(balance).set_index("indicator")
    expected = indicator_values(cycle, values_of(balance))
    for name in NAMES:
        assert found["value"][name] == pytest.approx(expected[name], abs=1e-10, nan_ok=True)
        assert (found["missing"][name] == "") or np.isnan(found["value"][name])


@pytest.mark.parametrize("seed", [22])
def test_sd_is_that_of_perturbed_data(seed: int) -> None:
    """Var = Σ (∂/∂y_k · sd_k)² over independent data, each of them reconciled anew."""
    cycle, x = random_cycle(seed, kept=0.6)
    system = system_of(cycle, noisy(x, seed))
    found, expected = table_of(system)["sd"], perturbed(cycle, system)
    for name in NAMES:
        wanted = np.sqrt(expected[name])
        assert found[name] == pytest.approx(wanted, rel=2e-4, abs=1e-9, nan_ok=True), name


def test_sd_where_flows_are_calculated() -> None:
    data = dict(byhand.DATA)
    for name in ("sold", "scrap_out", "strip", "goods", "metal_in"):
        data[name] = None
    system = system_of(byhand.CYCLE, data)
    status = reconcile(system).flows.set_index("flow")["status"]
    assert set(status[["sold", "scrap_out", "strip", "goods", "metal_in"]]) == {"calculated"}
    found, expected = table_of(system)["sd"], perturbed(byhand.CYCLE, system)
    for name in NAMES:
        assert found[name] == pytest.approx(np.sqrt(expected[name]), rel=2e-4, abs=1e-9), name


def test_sd_where_flows_are_undetermined_but_the_ratio_is_not() -> None:
    """Both ores are unknown, and so is the metal trade; their sum follows from the rest."""
    data = dict(byhand.DATA) | dict.fromkeys(("ore", "own_ore", "metal_in", "metal_out"))
    system = system_of(byhand.CYCLE, data)
    balance = reconcile(system)
    assert balance.flows.set_index("flow")["status"]["ore"] == "undetermined"
    found = indicators(balance).set_index("indicator").loc["recycling_input_rate_total"]
    variance = 0.0
    for row in system.data.index[system.data["sd"] > 0]:
        ends = []
        for sign in (1.0, -1.0):
            moved = system.data.copy()
            moved.loc[row, "value"] += sign * 1e-3 * moved.loc[row, "sd"]
            v = values_of(reconcile(replace(system, data=moved)))
            scrap = v["scrap_smelter"] + v["scrap_mill"]
            ores = v["cathode"] + v["slag"] - v["scrap_smelter"]
            ends.append(scrap / (scrap + ores))
        variance += ((ends[0] - ends[1]) / 2e-3) ** 2
    assert found["value"] == pytest.approx((53 + 71) / (410 + 37 + 53 + 71), rel=1e-12)
    assert found["sd"] == pytest.approx(np.sqrt(variance), rel=2e-4)


def test_a_monte_carlo_agrees() -> None:
    """Data drawn anew many times; the mean and spread of an indicator with mixing."""
    system = system_of(byhand.CYCLE, byhand.DATA)
    found = table_of(system).loc["recycling_input_rate_old"]
    rng = np.random.default_rng(7)
    drawn = []
    for _ in range(100):
        moved = system.data.copy()
        moved["value"] += moved["sd"] * rng.normal(size=len(moved))
        values = values_of(reconcile(replace(system, data=moved)))
        drawn.append(indicator_values(byhand.CYCLE, values)["recycling_input_rate_old"])
    assert np.std(drawn) == pytest.approx(found["sd"], rel=0.2)
    assert np.mean(drawn) == pytest.approx(found["value"], abs=4 * found["sd"] / np.sqrt(100))


def test_low_and_high_are_1_96_sd_apart_from_the_value() -> None:
    row = table_of(system_of(byhand.CYCLE, byhand.DATA)).loc["collection_rate"]
    assert row["high"] - row["value"] == pytest.approx(1.96 * row["sd"], rel=1e-12)
    assert row["value"] - row["low"] == pytest.approx(1.96 * row["sd"], rel=1e-12)


def test_order_and_names_do_not_matter() -> None:
    cycle, x = random_cycle(5)
    data = noisy(x, 5)
    plain = table_of(system_of(cycle, data))
    rename = {p.name: f"p{k * 7 % 31}" for k, p in enumerate(cycle.processes)}
    processes = tuple(replace(p, name=rename[p.name]) for p in reversed(cycle.processes))
    flows = tuple(
        replace(f, name=f"z{k}", source=rename[f.source], target=rename[f.target])
        for k, f in enumerate(cycle.flows)
    )
    given = {f"z{k}": data[f.name] for k, f in enumerate(cycle.flows)}
    other = table_of(system_of(Cycle(processes, flows[::-1]), given))
    columns = ["value", "sd", "low", "high", "numerator", "denominator"]
    assert np.allclose(plain[columns], other[columns], rtol=1e-9, atol=1e-12, equal_nan=True)


def test_a_flow_split_in_two_adds_up() -> None:
    """Two flows in place of one, their sum measured: no indicator can tell."""
    cycle, x = random_cycle(8)
    data = noisy(x, 8)
    plain = table_of(system_of(cycle, data))
    flows = tuple(f for f in cycle.flows if f.name != "turnings")
    (old,) = (f for f in cycle.flows if f.name == "turnings")
    halves = tuple(replace(old, name=f"turnings{k}") for k in range(2))
    value, sd = data["turnings"] or (0.0, 0.0)
    more = {**data, "turnings0": (0.3 * value, 0.6 * sd), "turnings1": (0.7 * value, 0.8 * sd)}
    other = table_of(system_of(Cycle(cycle.processes, (*flows, *halves)), more))
    columns = ["value", "sd", "low", "high"]  # 0.6² + 0.8² = 1
    assert np.allclose(plain[columns], other[columns], rtol=1e-9, atol=1e-12, equal_nan=True)


def test_nothing_about_units_matters() -> None:
    plain = table_of(system_of(byhand.CYCLE, byhand.DATA))
    grams = {k: (v[0] * 1e9, v[1] * 1e9) for k, v in byhand.DATA.items() if v}
    other = table_of(system_of(byhand.CYCLE, grams, unit="g/yr"))
    columns = ["value", "sd", "low", "high"]
    assert np.allclose(plain[columns], other[columns], rtol=1e-9)
    assert np.allclose(plain["numerator"] * 1e9, other["numerator"], rtol=1e-9)


def test_steps_of_several_years_give_rates_per_year() -> None:
    """The same rates in 2015 and over the five years to 2020: the same indicators and sums."""
    system = system_of(byhand.CYCLE, byhand.DATA, year=2015)
    later = system.data.assign(year=2020)
    both = replace(system, data=pd.concat([system.data, later], ignore_index=True))
    table = indicators(reconcile(both)).set_index(["indicator", "year"])
    for name in NAMES:
        first, second = table.loc[name, 2015], table.loc[name, 2020]
        for column in ("value", "sd", "low", "high", "numerator", "denominator"):
            assert second[column] == pytest.approx(first[column], rel=1e-9), (name, column)


def test_the_table_is_a_copy() -> None:
    balance = byhand.balance()
    first = indicators(balance)
    first["value"] = 0.0
    assert indicators(balance)["value"].max() > 0
