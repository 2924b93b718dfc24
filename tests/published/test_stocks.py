"""Cohort stocks with published answers, and the world's copper in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mfa

HERE = Path(__file__).parent
CASES = json.loads((HERE / "data" / "stocks.json").read_text(encoding="utf-8"))
DYNAMIC: dict[str, dict[str, Any]] = {case["id"]: case for case in CASES["dynamic_cases"]}
OTHER: dict[str, dict[str, Any]] = {case["id"]: case for case in CASES["other"]}
DOCS = HERE.parents[1] / "docs"


def lifetime(given: dict[str, Any]) -> mfa.Lifetime:
    """Return the lifetime of a case."""
    own = {"mean": given["Mean"]} | ({"sd": given["StdDev"]} if "StdDev" in given else {})
    return getattr(mfa, given["Type"])(**own)


@pytest.mark.parametrize("name", [n for n in DYNAMIC if n.endswith(("_inflow", "_stock"))])
def test_dynamic_stocks(name):
    case = DYNAMIC[name]
    years, life = case["inputs"]["t"], lifetime(case["inputs"]["lifetime"])
    call = getattr(mfa, case["method"])
    run = call(years, case["inputs"][name.rsplit("_", 1)[1]], life, inflow_at="end")
    cohorts = run.cohorts()
    entered = np.zeros_like(cohorts)
    np.fill_diagonal(entered, run.inflow)
    found = {
        "inflow": run.inflow,
        "stock": run.stock,
        "outflow": run.outflow,
        "stock_change": np.diff(run.stock, prepend=0.0),
        "stock_by_cohort": cohorts,
        "outflow_by_cohort": entered - np.diff(cohorts, axis=0, prepend=0.0),
    }
    assert len(case["expected"]) >= 2
    for quantity, expected in case["expected"].items():
        if case["abs_tol"]:
            tolerance = case["abs_tol"]
            np.testing.assert_allclose(found[quantity], expected, rtol=0, atol=tolerance)
        else:
            np.testing.assert_array_equal(found[quantity], expected)


def test_lognormal_survival():
    case = DYNAMIC["lognormal60_25_survival"]
    found = lifetime(case["inputs"]["lifetime"]).survival(case["inputs"]["ages"])
    np.testing.assert_allclose(found, case["expected"]["sf"], rtol=0, atol=case["abs_tol"])


def test_every_dynamic_case_is_used():
    assert len(DYNAMIC) == 5
    assert {case["method"] for case in DYNAMIC.values()} == {
        "inflow_driven",
        "stock_driven",
        "survival_function",
    }


def test_small_reconciliation():
    case = OTHER["mfaproblem_mini_reconciliation"]
    flows = [
        (name, *name.split("->"), 2000, *datum) for name, datum in case["inputs"]["flows"].items()
    ]
    ends = [("P1", "source"), ("P2", "source"), ("S1", "process"), ("P3", "sink")]
    balance = mfa.reconcile(
        mfa.System.from_tables(
            {
                "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["t/yr", "mass"]}),
                "processes": pd.DataFrame(ends, columns=["process", "kind"]),
                "flows": pd.DataFrame(flows, columns=["flow", "from", "to", "year", "value", "sd"]),
            }
        )
    )
    found = balance.flows.set_index("flow")["value"]
    for name, value in case["expected_textbook_WLS_weight_1_over_sigma2"].items():
        assert found[name] == pytest.approx(value, abs=case["abs_tol"])


def steel(given: dict[str, Any], elements: list[str]) -> pd.DataFrame:
    """Return flows by year and element: scrap of two origins, with a yield at three processes."""
    processes = [("Use", "source"), ("Steel", "sink"), ("Landfill", "sink"), ("Slag", "sink")]
    processes += [(name, "process") for name in ("Shredder", "Demolition", "Remelting")]
    ways = [
        ("machines", "Use", "Shredder"),
        ("buildings", "Use", "Demolition"),
        ("shredder_to_remelt", "Shredder", "Remelting"),
        ("shredder_to_landfill", "Shredder", "Landfill"),
        ("demolition_to_remelt", "Demolition", "Remelting"),
        ("demolition_to_landfill", "Demolition", "Landfill"),
        ("secondary_steel", "Remelting", "Steel"),
        ("remelt_to_slag", "Remelting", "Slag"),
    ]
    flows, coefficients = [], []
    for at, element in enumerate(elements):
        for year in (1980, 2010):
            for way in ways:
                known = f"eol_{way[0]}_{year}" in given
                mass = (
                    given[f"eol_{way[0]}_{year}"] * given[f"composition_{way[0]}"][at]
                    if known
                    else None
                )
                flows.append((*way, element, year, mass, 0.0 if known else None))
        for flow, key in (
            ("shredder_to_remelt", "shredder_yield"),
            ("demolition_to_remelt", "demolition_yield"),
            ("secondary_steel", "remelting_yield"),
        ):
            coefficients.append((f"{key} {element}", flow, element, given[key][at], 0.0))
    settings = {"key": ["unit", "substances"], "value": ["kt/yr", ", ".join(elements)]}
    columns = ["flow", "from", "to", "substance", "year", "value", "sd"]
    system = mfa.System.from_tables(
        {
            "system": pd.DataFrame(settings),
            "processes": pd.DataFrame(processes, columns=["process", "kind"]),
            "flows": pd.DataFrame(flows, columns=columns),
            "coefficients": pd.DataFrame(
                coefficients, columns=["coefficient", "flow", "substance", "value", "sd"]
            ),
        }
    )
    found = mfa.reconcile(system).flows.set_index(["flow", "year", "substance"])["value"]
    return found.unstack()[elements]


def copper_in_steel(found: pd.DataFrame, year: int) -> float:
    """Return the share of copper in secondary steel [%], as it is printed."""
    steel = found.loc[("secondary_steel", year)]
    return round(100 * float(steel["Cu"] / steel.sum()), 3)


def test_yields_by_element():
    case = OTHER["flodym_example2_static_multi_element"]
    given, elements, expected = case["inputs"], case["elements"], case["expected"]
    found = steel(given, elements)
    for year in (1980, 2010):
        answers = dict(expected[str(year)])
        assert copper_in_steel(found, year) == answers.pop("Cu_share_pct")
        for flow, values in answers.items():
            at = found.loc[(flow, year)]
            np.testing.assert_allclose(at, values, rtol=0, atol=case["abs_tol"])
    # between the two years everything changes evenly
    ends = found.loc["demolition_to_landfill"]
    landfill = expected["cumulative 1980-2010 landfill stock"]
    np.testing.assert_allclose(31 * ends.mean(), landfill, rtol=0, atol=case["abs_tol"])


def test_yields_by_element_otherwise():
    case = OTHER["flodym_example2_static_multi_element"]
    given, elements, expected = case["inputs"], case["elements"], case["expected"]
    cleaner = given | {"shredder_yield": [0.92, 0.075, 0.92]}
    answer = expected["scenario a: shredder Cu yield 0.1->0.075 -> Cu share 1980 pct"]
    assert copper_in_steel(steel(cleaner, elements), 1980) == answer
    more = given | {"eol_buildings_1980": 1.25 * given["eol_buildings_1980"]}
    answer = expected["scenario b: buildings x1.25 -> Cu share 1980 pct"]
    assert copper_in_steel(steel(more, elements), 1980) == answer


def world_copper(
    mean: np.ndarray | float, recycled: np.ndarray | float
) -> tuple[pd.Index, mfa.StockRun]:
    """Return copper in use if all that is mined goes into use, and a share of what leaves again."""
    mined = pd.read_csv(DOCS / "data" / "copper-world-mine-production.csv", index_col="year")
    mined = mined.loc[:2015, "mine_production_t"] / 1e6
    mean, recycled = np.broadcast_arrays(mean, recycled)
    mined_by_case = np.broadcast_to(
        mined.to_numpy().reshape(-1, *(1 for _ in mean.shape)), (len(mined), *mean.shape)
    )
    inflow = mined_by_case
    for _ in range(120):
        run = mfa.inflow_driven(
            mined.index, inflow, mfa.Weibull(mean=mean, sd=0.4 * mean), "spread"
        )
        inflow = mined_by_case + recycled * run.outflow
    return mined.index, run


def test_the_worlds_copper_in_use():
    """440 Mt in 2015: Fraunhofer ISI's model for the International Copper Association."""
    years, run = world_copper(25.0, 0.45)
    assert (years[0], years[-1]) == (1900, 2015)
    central = float(run.stock[-1])
    assert abs(central - 440) < 0.1 * 440
    _, ends = world_copper(np.array([[20.0], [30.0]]), np.array([0.4, 0.5]))
    low, high = ends.stock[-1].min(), ends.stock[-1].max()
    assert low < 440 < high
    _, lost = world_copper(25.0, 0.0)
    # what docs/stocks.md says
    words = " ".join((DOCS / "stocks.md").read_text(encoding="utf-8").split())
    assert f"leads to {central:.0f} Mt in use at the end of 2015" in words
    assert f"spans {low:.0f} to {high:.0f} Mt" in words
    assert f"without any recycling it is {float(lost.stock[-1]):.0f} Mt" in words
    # the loop has closed: what is mined and does not leave for good is in use
    mined = run.inflow - 0.45 * run.outflow
    assert np.sum(mined) - 0.55 * run.outflow.sum() == pytest.approx(central, rel=1e-12)
