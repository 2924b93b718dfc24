"""A survey for the ranking of losses: against really measuring, reconciling and ranking again."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.recycling import bottlenecks, survey

from . import byhand
from .cycles import Number, noisy, random_cycle, system_of
from .reference import Cycle
from .test_probabilities import DATA, TWO


def standing(balance: Balance) -> tuple[int, float, float]:
    """Return open losses, the most by which another may exceed the first, its sum over all."""
    table = bottlenecks(balance)
    unknown = int((table["value"].isna() & (table["rank_best"] == 1)).sum())
    first = table["flows"].iat[0].split(", ")
    most = []
    for flows in table["flows"].iloc[1:]:
        terms = dict.fromkeys(flows.split(", "), 1.0) | dict.fromkeys(first, -1.0)
        most.append(max(balance.linear(terms).high, 0.0))
    return unknown, max(most, default=0.0), sum(most)


def again(
    cycle: Cycle, data: Mapping[str, Number], found: Mapping[str, tuple[float, float]]
) -> Balance:
    """Return results with some flows measured (once more)."""
    names = ("observation", "flow", "value", "sd", "year")
    rows = [
        dict(zip(names, (f"again {flow}", flow, *number, 2018), strict=True))
        for flow, number in found.items()
    ]
    return reconcile(system_of(cycle, dict(data), **({"observations": rows} if rows else {})))


def measured(
    row: Mapping[str, float], data: Mapping[str, Number], cv: float
) -> tuple[float, float]:
    """Return value and sd of a measurement that is worth as much as the old one improved."""
    sd = row["measured_sd"]
    number = data.get(str(row["item"]))
    if np.isnan(row["value"]):
        return sd / cv, sd
    if number is not None:
        sd = 1 / np.sqrt(1 / row["measured_sd"] ** 2 - 1 / number[1] ** 2)
    return row["value"], float(sd)


def compare(cycle: Cycle, data: Mapping[str, Number], cv: float, most: int = 4) -> pd.DataFrame:
    """Check what each of some flows tells alone, by really measuring it."""
    balance = reconcile(system_of(cycle, dict(data)))
    table = survey(balance, "bottlenecks", cv=cv)
    unknown, width, _ = standing(balance)
    flows = table[table["kind"] == "flow"]
    for row in flows.head(most).to_dict("records"):
        then = standing(again(cycle, data, {row["item"]: measured(row, data, cv)}))
        assert row["open_now"] == unknown
        assert row["width_now"] == pytest.approx(width, rel=1e-6)
        assert row["open_then"] == then[0], row["item"]
        assert row["width_then"] == pytest.approx(then[1], rel=1e-5, abs=1e-6 * width), row["item"]
    return table


@pytest.mark.parametrize("seed", range(6))
def test_known_losses_on_random_systems(seed: int) -> None:
    cycle, x = random_cycle(seed)
    compare(cycle, noisy(x, seed, cv=0.3), cv=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_unknown_losses_on_random_systems(seed: int) -> None:
    cycle, x = random_cycle(seed, kept=0.6)
    data = noisy(x, seed, cv=0.08)
    gone = np.random.default_rng(seed).choice(list(x), 6, replace=False).tolist()
    compare(cycle, data | dict.fromkeys(gone), cv=0.05)


def test_two_losses_by_hand() -> None:
    """What is sold counts twice in fluff − burnt = 2 sold − discarded − clean = −2 ± 8.77."""
    balance = reconcile(system_of(TWO, DATA))
    table = survey(balance, "bottlenecks", sd=1.0).set_index("item")
    now = -2 + 1.96 * np.sqrt(4**2 + 6**2 + 5**2)
    assert table["width_now"].to_numpy() == pytest.approx(now)
    assert table["width_then"]["sold"] == pytest.approx(-2 + 1.96 * np.sqrt(4**2 + 2**2 + 5**2))
    assert table["width_then"]["clean"] == pytest.approx(-2 + 1.96 * np.sqrt(4**2 + 6**2 + 1**2))
    chance = bottlenecks(balance)["probability"].iat[0]
    assert table["probability_now"].iat[0] == pytest.approx(chance, abs=0.015)
    assert set(table["unit"]) == {"kt/yr"}


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_the_plan_step_by_step(seed: int) -> None:
    """Each step adds what it measured to all before it, and never leaves more open."""
    cycle, x = random_cycle(seed)
    data = noisy(x, seed, cv=0.5)
    table = survey(reconcile(system_of(cycle, data)), "bottlenecks", cv=0.1, steps=3)
    plan = table[table["step"].notna()]
    assert len(plan) >= 1
    taken: dict[str, tuple[float, float]] = {}
    for row in plan.to_dict("records"):
        if row["kind"] != "flow":
            break
        taken[row["item"]] = measured(row, data, 0.1)
        after = again(cycle, data, taken)
        width = row["width_now"]
        assert row["plan_width"] == pytest.approx(standing(after)[1], rel=1e-5, abs=1e-6 * width)
        chance = bottlenecks(after)["probability"].iat[0]
        assert row["plan_probability"] == pytest.approx(chance, abs=0.02)
    widths = [plan["width_now"].iat[0], *plan["plan_width"]]
    assert all(b <= a * (1 + 1e-9) for a, b in pairwise(widths))


def test_unknown_losses_come_first() -> None:
    """Two losses of unknown size: each measurement leaves fewer that may be the worst."""
    balance = reconcile(system_of(TWO, {"discarded": (100.0, 4.0)}, {"metal": {"max": 90.0}}))
    table = survey(balance, "bottlenecks")
    plan = table[table["step"].notna()]
    assert table["open_now"].to_list() == [2] * len(table)
    assert plan["plan_open"].iloc[-1] == 0
    assert plan["plan_open"].is_monotonic_decreasing
    assert plan["probability_now"].isna().all()
    assert plan["note"].str.contains("range").iloc[0]


def test_a_certain_ranking_needs_no_survey() -> None:
    data: dict[str, Number] = {"discarded": (100.0, 1.0), "sold": (60.0, 1.0), "clean": (59.0, 1.0)}
    assert survey(reconcile(system_of(TWO, data)), "bottlenecks").empty


def test_units_do_not_matter() -> None:
    data = dict(byhand.DATA) | {"slag": (30.0, 12.0), "sweepings": None}
    tonnes = {n: None if v is None else (1e3 * v[0], 1e3 * v[1]) for n, v in data.items()}
    plain = survey(reconcile(system_of(byhand.CYCLE, data)), "bottlenecks")
    other = survey(reconcile(system_of(byhand.CYCLE, tonnes, unit="t/yr")), "bottlenecks")
    assert list(plain["item"]) == list(other["item"])
    np.testing.assert_allclose(1e3 * plain["width_then"], other["width_then"], rtol=1e-6)
