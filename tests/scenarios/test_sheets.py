"""One broken sheet per kind of problem, and what a sheet leaves to be understood."""

from __future__ import annotations

import pandas as pd
import pytest

import mfa
from mfa.errors import MFAError, SystemDefinitionError, WorkbookError
from tests.scenarios.futures import ROWS, loop, rows, system

FAULTS = [
    (("flow", "good", 2025, "set", 3.0, "step"), "C2", "did you mean 'goods'"),
    (("coefficient", "colection", 2025, "set", 0.3, "step"), "C2", "did you mean 'collection'"),
    (("capacity", "Plnt", 2025, "set", 3.0, "step"), "C2", "did you mean 'Plant'"),
    (("capacity", "Plant", 2025, "multiply", 3.0, "step"), "F2", "no capacity"),
    (("lifetime", "Use", 2025, "set", 3.0, "step"), "C2", "no lifetime"),
    (("composition", "old", 2025, "set", 0.3, "step"), "C2", "reaches no demand"),
    (("origin", "Mien", 2025, "set", 0.3, "step"), "C2", "did you mean 'Mine'"),
    (("flow", "goods", 2025, "multiply", 0.0, "exponential"), "H2", "passes through 0"),
    (("flow", "goods", 2025, "add", 5.0, "exponential"), "H2", "passes through 0"),
    (("flow", "goods", 2025, "multiply", -2.0, "linear"), "G2", "negative multiple"),
    (("flow", "goods", 2015, "multiply", 2.0, "linear"), "E2", "lies in the past"),
    (("flow", "goods", 2025, None, 2.0, "linear"), "F2", "no change"),
    (("flow", "goods", 2025, "set", None, "linear"), "G2", "no value"),
    ((None, "goods", 2025, "set", 2.0, "linear"), "B2", "no target"),
]


@pytest.mark.parametrize(("row", "cell", "said"), FAULTS)
def test_a_fault_is_named_by_its_cell(row, cell, said):
    with pytest.raises(SystemDefinitionError) as caught:
        mfa.project(loop(scenarios=rows(row)), "S", 2030)
    problem = caught.value.problems[0]
    assert (problem.sheet, problem.cell) == ("scenarios", cell)
    assert said in str(problem)


def test_all_faults_at_once():
    table = rows(*(row for row, *_ in FAULTS))
    mix = pd.DataFrame(
        {
            "process": ["Use", "Use", "Mine"],
            "technology": ["a", "b", "c"],
            "year": 2025,
            "share": [0.5, 0.4, 1.0],
            "intensity": [1.0, 2.0, 3.0],
        }
    )
    with pytest.raises(SystemDefinitionError) as caught:
        mfa.project(loop(scenarios=table, technologies=mix), "S", 2030)
    cells = {(p.sheet, p.cell) for p in caught.value.problems}
    rows_named = {cell[1:] for sheet, cell in cells if sheet == "scenarios"}
    assert {"2", "3", "4", "5", "6", "13", "14", "15"} <= rows_named
    assert ("technologies", "D3") in cells
    assert ("technologies", "A4") in cells


def test_years_twice():
    table = rows(
        ("flow", "goods", 2025, "set", 3.0, "step"), ("flow", "goods", 2025, "set", 4.0, "step")
    )
    with pytest.raises(SystemDefinitionError, match="two values of 'goods' for 2025"):
        mfa.project(loop(scenarios=table), "S", 2030)


def test_the_order_of_rows_does_not_matter():
    table = rows(
        ("flow", "goods", 2025, "multiply", 1.5, "linear"),
        ("flow", "goods", 2028, "multiply", 0.7, "linear"),
        ("coefficient", "collection", 2026, "set", 0.7, "linear"),
    )
    one = mfa.project(loop(scenarios=table), "S", 2030).flows
    other = mfa.project(loop(scenarios=table.iloc[::-1].reset_index(drop=True)), "S", 2030).flows
    pd.testing.assert_frame_equal(one, other)


def test_an_unknown_scenario_offers_its_neighbours():
    with pytest.raises(SystemDefinitionError, match="did you mean 'STEPS'"):
        mfa.project(
            loop(
                scenarios=rows(("flow", "goods", 2025, "set", 3.0, "step")).assign(scenario="STEPS")
            ),
            "STEP",
            2030,
        )
    with pytest.raises(SystemDefinitionError, match="has: none"):
        mfa.project(loop(), "STEPS", 2030)


@pytest.mark.parametrize("until", [2020, 1990, 9000])
def test_years_that_do_not_fit(until):
    with pytest.raises(MFAError, match="give a year from 2021"):
        mfa.project(loop(), None, until)


def test_shares_above_one_are_refused():
    table = rows(("coefficient", "collection", 2022, "multiply", 2.0, "step"))
    with pytest.raises(MFAError, match=r"is 1\.2 in 2022"):
        mfa.project(loop(scenarios=table), "S", 2022)


def test_check_names_every_scenario():
    table = pd.concat(
        [rows(FAULTS[0][0]).assign(scenario="one"), rows(FAULTS[1][0]).assign(scenario="two")],
        ignore_index=True,
    )
    with pytest.raises(SystemDefinitionError) as caught:
        mfa.check_scenarios(mfa.reconcile(loop(scenarios=table)))
    assert {problem.cell for problem in caught.value.problems} == {"C2", "C3"}


def test_files_are_named(tmp_path):
    mfa.write_tables(loop(scenarios=rows(FAULTS[0][0])), tmp_path / "book")
    with pytest.raises(WorkbookError, match="scenarios!C2"):
        mfa.project(mfa.read_tables(tmp_path / "book"), "S", 2030)


def test_a_row_without_a_year_holds_from_the_first():
    table = pd.DataFrame(
        [("S", "coefficient", "collection", None, None, "set", 0.9, None)], columns=ROWS
    )
    future = mfa.project(loop(scenarios=table), "S", 2022)
    assert future.flows.query("flow == 'old'")["value"].tolist() == pytest.approx([30, 45, 45])


def test_what_is_assumed_is_listed():
    future = mfa.project(
        loop(scenarios=rows(("flow", "goods", 2022, "multiply", 2, "linear"))), "S", 2025
    )
    kinds = set(future.assumptions["kind"])
    assert {"closure", "scenario", "stock"} <= kinds
    said = future.assumptions.query("kind == 'scenario'")["why"].iloc[0]
    assert said == "multiply 2 in 2022 (linear); held after 2022"
    assert mfa.project(loop(), None, 2025).assumptions.query("kind == 'held'")["item"].tolist() == [
        "goods"
    ]


def test_undetermined_numbers_are_assumed_within_their_ranges():
    balance = mfa.reconcile(mfa.read_tables("flows/copper-japan"))
    future = mfa.project(balance, None, 2021)
    taken = future.assumptions.query("kind == 'base year'")
    open_ = balance.flows.query("status == 'undetermined' and year == 2019")
    assert set(open_["flow"]) <= set(taken["item"])
    high = taken["high"].fillna(float("inf"))
    assert (
        (taken["value"] >= taken["low"].fillna(-1e9) - 1e-6) & (taken["value"] <= high + 1e-6)
    ).all()
    base = future.flows.query("year == 2019").set_index("flow")
    assert (base.loc[open_["flow"], "status"] == "undetermined").all()


def test_a_stock_that_would_run_out_says_so():
    """10 of 100 are drawn from a stock of 45: it lasts into the fifth year."""
    processes = [
        ("Mine", "", "source"),
        ("Store", "trade", None, "yes"),
        ("Use", "use", None, "yes"),
    ]
    flows = [("in", "Mine", "Store", "refined", 100.0), ("out", "Store", "Use", "product", 110.0)]
    level = pd.DataFrame(
        {"process": ["Store"], "year": [2020], "quantity": "level", "value": 45.0, "sd": 0.0}
    )
    future = mfa.project(system(processes, flows, stocks=level), None, 2030)
    said = future.assumptions.query("kind == 'stock' and item == 'Store'").iloc[0]
    assert said["value"] == pytest.approx(-0.1)
    assert said["why"].endswith("below 0 in 2025")
