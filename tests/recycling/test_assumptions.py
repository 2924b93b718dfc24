"""What an indicator rests on: assumptions and their share of its variance, or its form alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.recycling import indicators
from mfa.recycling.place import places
from mfa.recycling.totals import total
from mfa.system import System

from . import byhand
from .cycles import Number, cycle_of, noisy, process, random_cycle, system_of, values_of
from .reference import NAMES, Cycle, indicator_values


def parts_of_variance(cycle: Cycle, system: System) -> dict[str, dict[str, float]]:
    """Return (∂(indicator)/∂(datum) × sd)² by indicator and flow, by central differences."""
    out: dict[str, dict[str, float]] = {name: {} for name in NAMES}
    for row in system.data.index[system.data["sd"] > 0]:
        ends = []
        for sign in (1.0, -1.0):
            moved = system.data.copy()
            moved.loc[row, "value"] += sign * 1e-3 * moved.loc[row, "sd"]
            values = values_of(reconcile(replace(system, data=moved)))
            ends.append(indicator_values(cycle, values))
        flow = str(system.data.loc[row, "flow"])
        for name in NAMES:
            out[name][flow] = ((ends[0][name] - ends[1][name]) / 2e-3) ** 2
    return out


def assume(*flows: str) -> dict[str, dict[str, Any]]:
    return {flow: {"basis": "assumption"} for flow in flows}


ASSUMED = ("discarded", "demolition", "scrap_in", "scrap_mill", "shreds", "ore", "turnings")


@pytest.mark.parametrize("seed", [5])
def test_shares_are_those_of_perturbed_assumptions(seed: int) -> None:
    cycle, x = random_cycle(seed, kept=0.75)
    system = system_of(cycle, noisy(x, seed), assume(*(set(ASSUMED) & set(x))))
    table = indicators(reconcile(system)).set_index("indicator")
    parts = parts_of_variance(cycle, system)
    for name in NAMES:
        if not table["sd"][name] > 1e-6:  # nan, or by construction
            continue
        whole = sum(parts[name].values())
        share = {flow: parts[name].get(flow, 0.0) / whole for flow in ASSUMED}
        assert table["assumed"][name] == pytest.approx(sum(share.values()), abs=1e-4), name
        named = table["assumptions"][name].split(", ") if table["assumptions"][name] else []
        assert set(named) == {flow for flow, part in share.items() if part > 0.01}, name
        largest = sorted(named, key=lambda flow: -share[flow])
        assert named == largest, name


def rates(balance: Balance) -> pd.DataFrame:
    """Return the indicators of recycling, all of which are determined by hand."""
    table = indicators(balance)
    return table[table["indicator"].isin(NAMES)]


def test_no_assumptions_no_share() -> None:
    table = rates(byhand.balance())
    assert (table["assumptions"] == "").all()
    assert (table["assumed"] == 0).all()


def test_nothing_but_assumptions() -> None:
    system = system_of(byhand.CYCLE, byhand.DATA, assume(*byhand.VALUES))
    assert rates(reconcile(system))["assumed"].to_numpy() == pytest.approx(1.0)


def test_an_assumption_that_is_exact_has_no_variance() -> None:
    data = dict(byhand.DATA) | {"discarded": (211.0, 0.0)}
    table = indicators(reconcile(system_of(byhand.CYCLE, data, assume("discarded"))))
    row = table.set_index("indicator").loc["collection_rate"]
    assert (row["assumed"], row["assumptions"]) == (0.0, "")


def test_an_assumption_stated_as_an_observation_counts() -> None:
    """Sold and hulks together are assumed; nobody has measured the one or the other."""
    data = dict(byhand.DATA) | dict.fromkeys(("sold", "burnt", "scrap_out"))
    fact = {"year": 2018, "basis": "assumption"}
    rows = [
        {"observation": "guess", "flow": "sold", "value": 162.0, "sd": 30.0, **fact},
        {"observation": "guess", "flow": "hulks", "value": None, "sd": None, **fact},
    ]
    table = indicators(reconcile(system_of(byhand.CYCLE, data, observations=rows)))
    row = table.set_index("indicator").loc["collection_rate"]
    assert row["value"] == pytest.approx(185 / 211)
    assert row["assumptions"] == "guess"
    assert 0.5 < row["assumed"] < 1.0


def test_assumptions_behind_a_determined_ratio_of_undetermined_flows() -> None:
    """Ores are not told apart; what enters the smelter in all follows from an assumption."""
    data = dict(byhand.DATA) | dict.fromkeys(("ore", "own_ore", "metal_in", "metal_out"))
    system = system_of(byhand.CYCLE, data, assume("cathode"))
    row = indicators(reconcile(system)).set_index("indicator").loc["recycling_input_rate_total"]
    assert np.isfinite(row["value"])
    assert row["assumptions"] == "cathode"
    assert 0.0 < row["assumed"] < 1.0


def test_assumptions_behind_a_range_are_named() -> None:
    data = dict(byhand.DATA) | dict.fromkeys(("sold", "hulks", "burnt", "buried", "scrap_out"))
    system = system_of(byhand.CYCLE, data, assume("discarded"))
    row = indicators(reconcile(system)).set_index("indicator").loc["collection_rate"]
    assert np.isnan(row["value"])
    assert row["high"] > row["low"]
    assert row["assumptions"] == "discarded"
    assert np.isnan(row["assumed"])


def test_share_in_sums() -> None:
    sums = {"lost": ("burnt", "buried"), "recycled": ("scrap_smelter", "scrap_mill")}
    system = system_of(byhand.CYCLE, byhand.DATA, assume("burnt", "scrap_mill", "discarded"))
    place = places(reconcile(system))["Cu", 2018]
    whole, chosen = dict.fromkeys(sums, 0.0), dict.fromkeys(sums, 0.0)
    for row in system.data.index:
        values = []
        for sign in (1.0, -1.0):
            moved = system.data.copy()
            moved.loc[row, "value"] += sign * 1e-3 * moved.loc[row, "sd"]
            values.append(values_of(reconcile(replace(system, data=moved))))
        for name, flows in sums.items():
            part = (sum(values[0][f] - values[1][f] for f in flows) / 2e-3) ** 2
            whole[name] += part
            chosen[name] += part * (system.data.loc[row, "basis"] == "assumption")
    for name, flows in sums.items():
        found = total(system.flows["flow"].isin(flows).to_numpy(), place)
        assert found.sd == pytest.approx(np.sqrt(whole[name]), rel=1e-4)
        assert found.assumed == pytest.approx(chosen[name] / whole[name], abs=1e-4)


# --- by construction -----------------------------------------------------------------------------

LINE = cycle_of(
    (
        process("abroad", kind="import"),
        process("dump", kind="sink"),
        process("mill", "fabrication"),
        process("homes", "use", stock=True),
        process("yard", "collection"),
    ),
    (
        ("metal", "abroad", "mill", "refined"),
        ("goods", "mill", "homes", "product"),
        ("discarded", "homes", "yard", "end_of_life"),
        ("sold", "yard", "mill", "old_scrap"),
        ("dumped", "yard", "dump", "loss"),
    ),
)


def test_what_follows_from_the_drawing_says_so() -> None:
    """All that is collected goes to the mill: no data can change that."""
    data: dict[str, Number] = {"discarded": (60.0, 2.0), "sold": (40.0, 1.0), "metal": (9.0, 1.0)}
    table = indicators(reconcile(system_of(LINE, data))).set_index("indicator")
    assert table["value"]["processing_rate"] == 1.0
    assert table["by_construction"]["processing_rate"]
    assert not table["by_construction"]["collection_rate"]


@pytest.mark.parametrize("unit", ["kt/yr", "t/yr"])
@pytest.mark.parametrize("seed", [4, 6, 9, 13])
def test_rounding_does_not_hide_what_follows_from_the_drawing(seed: int, unit: str) -> None:
    """No scrap is lost in these cycles: all of it is recycled or exported, for sure."""
    cycle, x = random_cycle(seed, kept=0.75)
    flows = tuple(f for f in cycle.flows if f.name != "fluff")
    assert not any(f.has("loss") and f.source in ("market", "dismantler") for f in flows)
    size = 1e3 if unit == "t/yr" else 1.0
    data = {n: (v[0] * size, v[1] * size) for n, v in noisy(x, seed).items() if v}
    table = indicators(reconcile(system_of(Cycle(cycle.processes, flows), data, unit=unit)))
    row = table.set_index("indicator").loc["new_scrap_recycling_rate"]
    assert row["value"] == pytest.approx(1.0, abs=1e-9)
    assert row["by_construction"]


@pytest.mark.parametrize("unknown", [(), ("sold", "dumped")])
def test_exact_data_are_data(unknown: tuple[str, ...]) -> None:
    """40 of 60 are collected because somebody counted, however sure they are of it."""
    data: dict[str, Number] = {"discarded": (60.0, 0.0), "sold": (40.0, 0.0), "metal": (9.0, 0.0)}
    rows = [{"coefficient": "cr", "flow": "sold", "of": "inputs", "value": 2 / 3, "sd": 0.0}]
    sheets = {"coefficients": rows} if unknown else {}
    balance = reconcile(system_of(LINE, data | dict.fromkeys(unknown), **sheets))
    row = indicators(balance).set_index("indicator").loc["collection_rate"]
    assert row["value"] == pytest.approx(2 / 3)
    assert not row["by_construction"]


def test_what_is_missing_is_not_by_construction() -> None:
    table = indicators(reconcile(system_of(LINE, {"sold": (4.0, 1.0)}))).set_index("indicator")
    row = table.loc["new_scrap_recycling_rate"]
    assert row["missing"]
    assert not row["by_construction"]
    assert row["flows"] == ""
