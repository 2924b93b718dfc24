"""Goal seeking against closed forms and grids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mfa
from mfa.errors import MFAError
from mfa.scenarios.levers import find_lever
from mfa.scenarios.run import plan_of, run
from tests.scenarios.futures import loop, rows, value

RATE = "recycling_input_rate_total"


def rate(collected: float, cut: float = 0.12) -> float:
    """Share of scrap in what the plant takes in: goods 88, 50 worn, sorting loses a tenth."""
    taken = 88 / (1 - cut)
    return 0.9 * (50 * collected + cut * taken) / taken


def test_one_lever_in_closed_form():
    found = mfa.solve_for(loop(), None, "collection", RATE, 0.45, 2026)
    wanted = (0.45 * 100 / 0.9 - 12) / 50
    assert found.reached
    assert found.value == pytest.approx(wanted, rel=1e-9)
    assert found.found == pytest.approx(0.45, abs=1e-9)
    assert found.before == {"collection": pytest.approx(0.6)}
    assert found.start == pytest.approx(rate(0.6))
    assert str(found) == (f"{RATE} of 0.45 in 2026: collection 0.6 → {wanted:.4g} (from 0.378)")


def test_names_of_the_same_lever():
    share = pd.DataFrame(
        {
            "coefficient": ["collected share"],
            "flow": ["old"],
            "of": ["worn"],
            "year": [2020],
            "value": [0.6],
            "sd": [0.01],
        }
    )
    measures = pd.DataFrame({"measure": ["campaign"], "item": ["collected share"]})
    balance = mfa.reconcile(loop(coefficients=share, measures=measures))
    done = run(plan_of(balance, None), 2026)
    for name in ("collection", "old", "collected share", "campaign"):
        lever = find_lever(done, name, 2026, "Cu")
        assert lever.before == pytest.approx(0.6)
        assert lever.limits == (0.0, 1.0)
    found = mfa.solve_for(balance, None, "campaign", RATE, 0.45, 2026)
    assert found.value == pytest.approx((0.45 * 100 / 0.9 - 12) / 50, rel=1e-8)


def test_its_rows_do_what_it_says():
    found = mfa.solve_for(loop(), None, "collection", RATE, 0.45, 2026)
    future = mfa.project(loop(scenarios=found.rows), "target", 2026)
    table = future.indicators.query(f"indicator == '{RATE}' and year == 2026")
    assert table["value"].iloc[0] == pytest.approx(0.45, rel=1e-9)


def test_what_no_value_reaches():
    found = mfa.solve_for(loop(), None, "collection", RATE, 0.7, 2026)
    assert not found.reached
    assert found.value == pytest.approx(1.0)
    assert found.found == pytest.approx(rate(1.0), rel=1e-9)
    assert "is not reached: the nearest is" in str(found)


def test_beside_a_scenario():
    """Twice the cuttings: less has to be collected."""
    scenario = rows(("coefficient", "cuttings", 2024, "set", 0.24, "step"))
    found = mfa.solve_for(loop(scenarios=scenario), "S", "collection", RATE, 0.45, 2026)
    taken = 88 / 0.76
    assert found.value == pytest.approx((0.45 * taken / 0.9 - 0.24 * taken) / 50, rel=1e-8)


def test_several_levers_with_the_least_change():
    found = mfa.solve_for(loop(), None, ["collection", "sorted out"], RATE, 0.45, 2026)
    assert found.reached

    def cost(collected: float, lost: float) -> float:
        return abs(collected - 0.6) / 0.6 + abs(lost - 0.1) / 0.1

    best = np.inf
    for lost in np.linspace(0, 0.1, 401):
        collected = (45 / (1 - lost) - 12) / 50
        if 0 <= collected <= 1:
            best = min(best, cost(collected, lost))
    assert cost(*found.values.values()) <= best * (1 + 1e-6)


def test_several_levers_that_do_not_suffice():
    found = mfa.solve_for(loop(), None, ["collection", "sorted out"], RATE, 0.9, 2026)
    assert not found.reached
    assert found.values == {"collection": pytest.approx(1.0), "sorted out": pytest.approx(0.0)}
    assert found.found == pytest.approx(0.62, rel=1e-9)


def test_an_amount_from_outside_as_a_lever():
    found = mfa.solve_for(loop(), None, "ore", RATE, 0.378, 2026)
    assert found.value == pytest.approx(62.2, rel=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"lever": "colection"}, "did you mean 'collection'"),
        ({"indicator": "eol_recycling_rat"}, "did you mean 'eol_recycling_rate'"),
        ({"year": 2020}, "starts after 2020"),
        ({"lever": []}, "no lever"),
        ({"substance": "Zn"}, "'Zn'"),
        ({"scenario": "nothing"}, "no scenario 'nothing'"),
    ],
)
def test_what_is_not_known(words, said):
    asked = {"lever": "collection", "indicator": RATE, "target": 0.4, "year": 2025} | words
    with pytest.raises(MFAError, match=said.replace("'", ".")):
        mfa.solve_for(loop(), **asked)


def test_arguments_are_not_changed():
    system = loop()
    before = system.data.copy(), system.tables.copy()
    mfa.solve_for(system, None, "collection", RATE, 0.45, 2026)
    assert system.data.equals(before[0])
    assert system.tables.keys() == before[1].keys()
    assert value(mfa.project(system, None, 2021), "old", 2021) == pytest.approx(30.0)


def test_ends_of_what_is_only_known_within_a_range():
    """Everything is exact here, so that both ends are the value itself."""
    balance = mfa.reconcile(loop())
    found = mfa.solve_for(balance, None, "collection", RATE, 0.45, 2026, end="low")
    assert found.value == pytest.approx((0.45 * 100 / 0.9 - 12) / 50, rel=1e-8)
    with pytest.raises(MFAError, match="'value', 'low' or 'high'"):
        mfa.solve_for(balance, None, "collection", RATE, 0.45, 2026, end="lowest")


def narrow_sorting(cut: float | None = None) -> mfa.System:
    """Sorting takes no more than 48: the rate rises with the cuttings until it does, then falls.

    With 88 of goods and c cut off, sorting gets 30 + 88c/(1 − c), and 48 from c = 18/106 on; of
    what the plant takes in, 88/(1 − c), that is 0.9 (30/88 + c (1 − 30/88)), then 0.9 · 48
    (1 − c)/88.
    """
    scenario = [("capacity", "Sorting", 2021, "set", 48.0, "step")]
    if cut is not None:
        scenario.append(("coefficient", "cuttings", 2021, "set", cut, "step"))
    return loop(scenarios=rows(*scenario))


def rising(target: float) -> float:
    return (target / 0.9 - 30 / 88) / (1 - 30 / 88)


def falling(target: float) -> float:
    return 1 - target * 88 / (0.9 * 48)


@pytest.mark.parametrize("target", [0.385, 0.4, 0.405])
@pytest.mark.parametrize("cut", [None, 0.3])
def test_an_indicator_that_rises_and_falls(target, cut):
    """Two values reach the target, as near to each other as 0.007: the nearer one is found."""
    found = mfa.solve_for(narrow_sorting(cut), "S", "cuttings", RATE, target, 2021)
    assert found.reached
    expected = rising(target) if cut is None else falling(target)
    assert 0.12 < rising(target) < 18 / 106 < falling(target) < 0.3
    assert found.value == pytest.approx(expected, rel=1e-7)
    assert found.found == pytest.approx(target, abs=1e-9)


def test_what_the_top_does_not_reach_says_what_was_tried():
    found = mfa.solve_for(narrow_sorting(), "S", "cuttings", RATE, 0.42, 2021)
    assert not found.reached
    assert found.value == pytest.approx(18 / 106, abs=1e-5)
    assert found.found == pytest.approx(0.9 * 48 * (1 - 18 / 106) / 88, abs=1e-5)
    tried = found.tried
    assert f"; {len(tried)} values from {tried.index[0]:.4g} to {tried.index[-1]:.4g}" in str(found)
    assert (tried <= found.found + 1e-12).all()
    grid = np.linspace(0.05, 0.5, 10)
    for cut, value_ in ((c, rate_at(c)) for c in grid):
        assert value_ <= found.found, cut


def rate_at(cut: float) -> float:
    """Return the rate at a share of cuttings, of the whole table of indicators."""
    table = mfa.project(narrow_sorting(cut), "S", 2021).indicators
    chosen = (table["indicator"] == RATE) & (table["year"] == 2021)
    return float(table.loc[chosen, "value"].iloc[0])


def test_two_levers_on_a_target_with_a_top():
    """Against a grid of both: the rate of narrow sorting by cuttings and by what sorting loses."""
    found = mfa.solve_for(narrow_sorting(), "S", ["cuttings", "sorted out"], RATE, 0.43, 2021)
    assert found.reached
    cut, lost = (found.values[name] for name in ("cuttings", "sorted out"))
    assert found.before == {"cuttings": pytest.approx(0.12), "sorted out": pytest.approx(0.1)}

    def cost(cut, lost):
        return np.abs(cut - 0.12) / 0.12 + np.abs(lost - 0.1) / 0.1

    cuts = np.linspace(0.0, 0.6, 2401)
    got = np.minimum(30 * (1 - cuts) + 88 * cuts, 48 * (1 - cuts)) / 88
    needed = 1 - 0.43 / got
    possible = (needed >= 0) & (needed <= 1)
    assert cost(cut, lost) <= cost(cuts, needed)[possible].min() + 1e-6
