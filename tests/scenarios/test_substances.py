"""Several substances: what follows what, and compositions that change."""

from __future__ import annotations

import pandas as pd
import pytest

import mfa
from tests.scenarios.futures import ROWS, residuals, rows, value

# magnets: goods 100, of which 3 are Dy; a fifth of either is swarf, of which 90 % come back
PROCESSES = pd.DataFrame(
    {
        "process": ["Oxide", "Iron", "Works", "Motors", "Use", "Swarf plant", "Dump"],
        "stage": [
            "mining",
            "mining",
            "fabrication",
            "manufacturing",
            "use",
            "recycling",
            "disposal",
        ],
        "kind": ["source", "source", None, None, None, None, "sink"],
        "stock": [None, None, None, None, "yes", None, None],
    }
)
ENDS = {
    "oxide": ("Oxide", "Works", "primary"),
    "iron": ("Iron", "Works", "primary"),
    "magnets": ("Works", "Motors", "product"),
    "swarf": ("Works", "Swarf plant", "new_scrap"),
    "back": ("Swarf plant", "Works", "scrap"),
    "dust": ("Swarf plant", "Dump", "loss"),
    "motors": ("Motors", "Use", "product"),
}
GOODS = {"oxide": 12.0, "iron": 90.5, "magnets": 100.0, "swarf": 25.0, "back": 22.5, "dust": 2.5}
DY = {"oxide": 3.075, "iron": 0.0, "magnets": 3.0, "swarf": 0.75, "back": 0.675, "dust": 0.075}


def system(*changes: tuple, **sheets: pd.DataFrame) -> mfa.System:
    listed = [
        (flow, *ENDS[flow], substance, number)
        for substance, table in (("goods", GOODS), ("Dy", DY))
        for flow, number in (table | {"motors": table["magnets"]}).items()
    ]
    columns = ["flow", "from", "to", "role", "substance", "value"]
    flows = pd.DataFrame(listed, columns=columns).assign(year=2020, sd=0.0)
    scenario = pd.DataFrame([("S", *row) for row in changes], columns=ROWS)
    compositions = pd.DataFrame(
        {"flow": ["magnets"], "substance": ["Dy"], "year": [2020], "value": [0.03], "sd": [0.01]}
    )
    return mfa.System.from_tables(
        {
            "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["t/yr", "Dy"]}),
            "processes": PROCESSES,
            "flows": flows,
            "compositions": compositions,
            "scenarios": scenario,
            **sheets,
        }
    )


def test_the_base_year_is_closed():
    future = mfa.project(system(("flow", "motors", "goods", 2021, "set", 100.0, "step")), "S", 2021)
    for substance, table in (("goods", GOODS), ("Dy", DY)):
        for flow, number in table.items():
            assert value(future, flow, 2021, substance) == pytest.approx(number), (flow, substance)


def test_substances_follow_amounts_by_the_same_factor():
    future = mfa.project(system(("flow", "motors", "goods", 2021, "set", 160.0, "step")), "S", 2021)
    assert value(future, "oxide", 2021, "Dy") == pytest.approx(1.6 * 3.075)
    assert residuals(future).max() < 1e-12


def test_rows_of_its_own_go_first():
    changes = (
        ("flow", "motors", "goods", 2021, "multiply", 1.6, "step"),
        ("flow", "motors", "Dy", 2021, "multiply", 1.2, "step"),
    )
    future = mfa.project(system(*changes), "S", 2021)
    assert value(future, "iron", 2021, "goods") == pytest.approx(1.6 * 90.5)
    assert value(future, "oxide", 2021, "Dy") == pytest.approx(1.2 * 3.075)


def test_shares_follow_by_the_same_change():
    future = mfa.project(
        system(("coefficient", "swarf", "goods", 2021, "set", 0.1, "step")), "S", 2021
    )
    assert value(future, "swarf", 2021, "goods") == pytest.approx(100 / 9)
    assert value(future, "swarf", 2021, "Dy") == pytest.approx(3 / 9)
    assert value(future, "oxide", 2021, "Dy") == pytest.approx(3 / 0.9 - 0.9 * 3 / 9)


def test_a_composition_reaches_the_demand_behind_it():
    """Magnets with half the dysprosium: the motors hold half, the goods stay."""
    change = ("composition", "magnets", "Dy", 2030, "set", 0.015, "linear")
    future = mfa.project(system(change), "S", 2030)
    assert value(future, "motors", 2030, "goods") == pytest.approx(100.0)
    assert value(future, "motors", 2030, "Dy") == pytest.approx(1.5)
    assert value(future, "motors", 2025, "Dy") == pytest.approx(2.25)
    assert value(future, "oxide", 2030, "Dy") == pytest.approx(3.075 / 2)
    assert residuals(future).max() < 1e-12


def test_technologies_of_one_substance_and_the_others():
    """A mix of Dy changes Dy alone; one of goods everything that has none of its own."""
    mix = pd.DataFrame(
        {
            "process": "Motors",
            "technology": ["with", "without", "with", "without"],
            "substance": "Dy",
            "year": [2020, 2020, 2030, 2030],
            "share": [0.9, 0.1, 0.3, 0.7],
            "intensity": [4.0, 0.0, 4.0, 0.0],
        }
    )
    change = ("flow", "motors", "goods", 2030, "multiply", 2.0, "linear")
    future = mfa.project(system(change, technologies=mix), "S", 2030)
    assert value(future, "motors", 2030, "Dy") == pytest.approx(3 * 2 / 3)
    assert value(future, "motors", 2030, "goods") == pytest.approx(200.0)
    goods = mix.assign(substance="goods", intensity=[1.0, 1.2, 1.0, 1.2])
    both = pd.concat([mix, goods], ignore_index=True)
    future = mfa.project(system(change, technologies=both), "S", 2030)
    assert value(future, "motors", 2030, "Dy") == pytest.approx(3 * 2 / 3)
    assert value(future, "motors", 2030, "goods") == pytest.approx(200 * 1.14 / 1.02)
    future = mfa.project(system(change, technologies=goods), "S", 2030)
    assert value(future, "motors", 2030, "Dy") == pytest.approx(3 * 2 * 1.14 / 1.02)


def test_a_substance_that_an_item_does_not_carry_is_named():
    table = rows(("flow", "motors", 2030, "set", 1.0, "step")).assign(substance="goods")
    plain = system(scenarios=table)
    bare = plain.data["substance"] == "goods"
    keep = plain.data[~(bare & (plain.data["flow"] == "motors"))]
    flows = keep.merge(plain.flows[["flow", "from", "to", "role"]], on="flow")
    tables = {
        "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["t/yr", "Dy"]}),
        "processes": PROCESSES,
        "flows": flows[["flow", "from", "to", "role", "substance", "year", "value"]].assign(sd=0.0),
        "scenarios": table,
    }
    with pytest.raises(mfa.SystemDefinitionError, match="carries no goods in 2020"):
        mfa.project(mfa.System.from_tables(tables), "S", 2030)
