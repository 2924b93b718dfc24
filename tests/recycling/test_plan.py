"""The plan of a survey: variances by reconciling once more, the greedy choice by trying all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.errors import MFAError
from mfa.recycling import indicators, survey

from . import byhand
from .cycles import Number, noisy, random_cycle, system_of
from .reference import Cycle

# Nothing is mixed and sums alone count, so that the first order is exact in the numerator.
SUM = "net_addition"


def rate_sd(
    cycle: Cycle, data: Mapping[str, Number], name: str, more: Mapping[str, float]
) -> float:
    """Return the sd of an indicator with further measurements that find what is known already."""
    base = reconcile(system_of(cycle, data)).flows.set_index("flow")["value"]
    observations = [
        {"observation": f"again {flow}", "flow": flow, "value": base[flow], "sd": sd, "year": 2018}
        for flow, sd in more.items()
    ]
    sheets = {"observations": observations} if observations else {}
    table = indicators(reconcile(system_of(cycle, data, **sheets)))
    return float(table.set_index("indicator")["sd"][name])


def further(data: Mapping[str, Number], flow: str, sd: float) -> float:
    """Return the sd of one more measurement that is worth as much as the old one improved."""
    number = data.get(flow)
    return sd if number is None else 1 / np.sqrt(1 / sd**2 - 1 / number[1] ** 2)


@pytest.mark.parametrize("name", [SUM, "collection_rate", "recycled_share_refined"])
@pytest.mark.parametrize("seed", [3])
def test_each_alone_is_what_reconciling_once_more_says(name: str, seed: int) -> None:
    cycle, x = random_cycle(seed)
    data = noisy(x, seed, cv=0.08)
    table = survey(reconcile(system_of(cycle, data)), name, cv=0.02)
    flows = table[(table["kind"] == "flow") & (table["sd_then"] < table["sd_now"] * (1 - 1e-6))]
    assert len(flows) > 3
    for row in flows.head(3).to_dict("records"):
        sd = further(data, row["item"], row["measured_sd"])
        assert row["measured_sd"] == pytest.approx(0.02 * row["value"])
        assert row["sd_now"] == pytest.approx(rate_sd(cycle, data, name, {}), rel=1e-9)
        then = rate_sd(cycle, data, name, {row["item"]: sd})
        assert row["sd_then"] == pytest.approx(then, rel=1e-6)


def test_improving_a_datum_is_that_datum_improved() -> None:
    """Turnings from 5 % to 2 %: the same value with the smaller sd."""
    balance = byhand.balance()
    table = survey(balance, "new_scrap_recycling_rate", cv=0.005).set_index("item")
    for item in [item for item in table.index if item in byhand.DATA][:4]:
        value, sd = table.loc[item, ["value", "measured_sd"]]
        better = reconcile(system_of(byhand.CYCLE, dict(byhand.DATA) | {item: (value, sd)}))
        row = indicators(better).set_index("indicator").loc["new_scrap_recycling_rate"]
        assert table["sd_then"][item] == pytest.approx(row["sd"], rel=1e-6)


def test_the_plan_is_what_trying_all_would_choose() -> None:
    cycle, x = random_cycle(3)
    data = noisy(x, 3, cv=0.08)
    table = survey(reconcile(system_of(cycle, data)), SUM, cv=0.02, steps=3)
    plan = table[table["step"].notna()]
    assert plan["step"].to_list() == [1, 2, 3]
    values = reconcile(system_of(cycle, data)).flows.set_index("flow")["value"]
    taken: dict[str, float] = {}
    for row in plan.to_dict("records"):
        tried = {}
        for flow in set(x) - set(taken):
            sd, number = 0.02 * values[flow], data[flow]
            if number is not None and sd < number[1]:
                more = taken | {flow: further(data, flow, sd)}
                tried[flow] = rate_sd(cycle, data, SUM, more)
        best = min(tried.values())
        if row["kind"] != "flow":
            assert row["plan_sd"] <= best * (1 + 1e-6)
            break
        assert row["plan_sd"] == pytest.approx(best, rel=1e-6)
        assert tried[row["item"]] == pytest.approx(best, rel=1e-6)
        taken[row["item"]] = further(data, row["item"], row["measured_sd"])
    assert plan["plan_sd"].is_monotonic_decreasing


def test_a_plan_through_unknown_numbers_ends_with_an_sd() -> None:
    """Two unknowns: one measurement does not do; the second settles it, with both their errors."""
    data = dict(byhand.DATA) | dict.fromkeys(("sold", "hulks", "burnt", "buried"))
    data["scrap_out"] = data["sweepings"] = None
    balance = reconcile(system_of(byhand.CYCLE, data))
    table = survey(balance, "collection_rate", cv=0.1)
    plan = table[table["step"].notna()]
    assert plan["plan_width"].is_monotonic_decreasing
    assert plan["plan_width"].iloc[-1] == 0.0
    last = plan[plan["plan_width"] == 0.0].iloc[0]
    found: dict[str, Number] = dict(data)
    stocks = []
    for row in plan[plan["step"] <= last["step"]].to_dict("records"):
        assert "range" in row["note"]
        middle = row["measured_sd"] / 0.1
        number = (middle, row["measured_sd"])
        if row["kind"] == "change":
            names = ("process", "year", "quantity", "value", "sd")
            stocks.append(dict(zip(names, (row["item"], 2018, "change", *number), strict=True)))
        else:
            found[row["item"]] = number
    sheets = {"stocks": stocks} if stocks else {}
    again = indicators(reconcile(system_of(byhand.CYCLE, found, **sheets)))
    row = again.set_index("indicator").loc["collection_rate"]
    assert last["plan_sd"] == pytest.approx(row["sd"], rel=1e-5)


def test_coefficients_are_candidates_too() -> None:
    """The share that is sold decides; nobody has measured it or what is sold."""
    cycle, data = byhand.CYCLE, dict(byhand.DATA) | dict.fromkeys(("sold", "burnt", "scrap_out"))
    rates = [{"coefficient": "sold share", "flow": "sold", "of": "inputs", "year": 2018}]
    open_ = survey(reconcile(system_of(cycle, data, coefficients=rates)), "collection_rate")
    assert {"sold share", "sold"} <= set(open_["item"])
    assert set(open_.set_index("item")["kind"][["sold share", "sold"]]) == {"coefficient", "flow"}
    rates = [rates[0] | {"value": 0.6, "sd": 0.1}]
    known = survey(reconcile(system_of(cycle, data, coefficients=rates)), "collection_rate")
    assert (known["width_now"] == 0).all()
    assert known.iloc[0]["item"] in {"sold share", "sold", "burnt", "scrap_out"}
    assert "sold share" in set(known["item"])


@pytest.mark.parametrize("wrong", [{"cv": 0.0}, {"sd": -1.0}])
def test_a_measurement_without_error_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(MFAError, match="above 0"):
        survey(byhand.balance(), "collection_rate", **wrong)  # type: ignore[arg-type]


def test_one_of_several_indicators_is_asked_for_by_its_item() -> None:
    table = survey(byhand.balance(), "import_reliance:refined", cv=0.002)
    assert set(table["indicator"]) == {"import_reliance:refined"}
    assert {"metal_in", "metal_out", "cathode"} <= set(table["item"])
    assert isinstance(table, pd.DataFrame)
