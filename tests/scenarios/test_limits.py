"""Capacities, new sources and lost ones at random: nothing is dropped, nothing is made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mfa
from tests.scenarios.futures import loop, residuals, rows, system, value

PROCESSES = [
    ("Mine", "mining", "source"),
    ("Abroad", "trade", "import"),
    ("Smelter", "smelting", None),
    ("Scrap smelter", "smelting", None),
    ("Market", "trade", None, "yes"),
    ("Mill", "fabrication", None),
    ("Works", "manufacturing", None),
    ("Cars", "use", None, "yes"),
    ("Houses", "use", None, "yes"),
    ("Shredder", "collection", None),
    ("Yard", "trade", None),
    ("Out", "trade", "export"),
    ("Dump", "disposal", "sink"),
]
FLOWS = [
    ("ore", "Mine", "Smelter", "primary", 84.0),
    ("slag", "Smelter", "Dump", "loss", 4.0),
    ("metal", "Smelter", "Market", "refined", 80.0),
    ("import", "Abroad", "Market", "refined", 25.0),
    ("second metal", "Scrap smelter", "Market", "refined", 18.0),
    ("dross", "Scrap smelter", "Dump", "loss", 2.0),
    ("metal out", "Market", "Out", "refined", 11.0),
    ("to mill", "Market", "Mill", "refined", 109.0),
    ("semis", "Mill", "Works", "product", 120.0),
    ("mill scrap", "Mill", "Yard", "new_scrap", 9.0),
    ("cars", "Works", "Cars", "product", 70.0),
    ("houses", "Works", "Houses", "product", 39.0),
    ("chips", "Works", "Yard", "new_scrap", 11.0),
    ("old cars", "Cars", "Shredder", "end_of_life", 40.0),
    ("rubble", "Houses", "Shredder", "end_of_life", 13.0),
    ("shredded", "Shredder", "Yard", "old_scrap", 35.0),
    ("lost", "Shredder", "Dump", "loss", 18.0),
    ("scrap out", "Yard", "Out", "scrap", 15.0),
    ("to scrap smelter", "Yard", "Scrap smelter", "scrap", 20.0),
    ("to scrap mill", "Yard", "Mill", "scrap", 20.0),
]
LIMITED = ("Mine", "Abroad", "Smelter", "Scrap smelter", "Mill", "Works", "Shredder", "Yard")


def base() -> dict[str, float]:
    """Return what each process takes in, or sends if it takes in nothing."""
    table = pd.DataFrame(FLOWS, columns=["flow", "from", "to", "role", "value"])
    taken = table.groupby("to")["value"].sum().to_dict()
    return table.groupby("from")["value"].sum().to_dict() | taken


CAPACITY = st.tuples(st.sampled_from(LIMITED), st.floats(0.2, 1.6))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.floats(0.2, 2.5),
    st.floats(0.2, 2.5),
    st.lists(CAPACITY, max_size=4, unique_by=lambda one: one[0]),
    st.floats(0.0, 3.0),
)
def test_capacities_and_lacks_add_up(cars, houses, limits, scrap_out):
    most = {name: share * base()[name] for name, share in limits}
    scenario = rows(
        ("flow", "cars", 2021, "multiply", cars, "step"),
        ("flow", "houses", 2021, "multiply", houses, "step"),
        ("flow", "scrap out", 2021, "multiply", scrap_out, "step"),
        *(("capacity", name, 2021, "set", limit, "step") for name, limit in most.items()),
    )
    future = mfa.project(system(PROCESSES, FLOWS, scenarios=scenario), "S", 2021)
    now = future.flows.query("year == 2021")
    assert residuals(future).max() < 1e-9
    assert now["value"].min() > -1e-9
    taken, sent = (now.groupby(end)["value"].sum() for end in ("to", "from"))
    for name, limit in most.items():
        amount = taken.get(name, sent.get(name))
        assert amount <= limit * (1 + 1e-6), name
    wanted = {"cars": 70 * cars, "houses": 39 * houses, "scrap out": 15 * scrap_out}
    lacks = future.unmet.query("reason == 'supply'").groupby("flow")["value"].sum()
    over = future.unmet.query("reason == 'demand'").groupby("flow")["value"].sum()
    for flow, amount in (wanted | {"metal out": 11.0}).items():
        given_ = value(future, flow, 2021) + lacks.get(flow, 0.0) + over.get(flow, 0.0)
        assert given_ == pytest.approx(amount, abs=1e-6)
    stay = now[now["set_by"] == "unplaced"].set_index("from")["value"]
    assert stay.sum() <= future.unmet["value"].sum() + 1e-6
    if not most and scrap_out <= 1 and min(cars, houses) > 0.8:
        assert future.unmet.empty


def test_a_mine_at_its_limit_leaves_the_rest_to_imports():
    scenario = rows(
        ("flow", "cars", 2021, "multiply", 2.0, "step"),
        ("capacity", "Mine", 2021, "set", 90, "step"),
    )
    future = mfa.project(system(PROCESSES, FLOWS, scenarios=scenario), "S", 2021)
    assert value(future, "ore", 2021) == pytest.approx(90.0)
    assert value(future, "metal", 2021) == pytest.approx(90 * 80 / 84)
    assert set(future.unmet["reason"]) == {"capacity"}
    assert residuals(future).max() < 1e-9


def test_a_group_is_one_demand():
    plain = system(PROCESSES, FLOWS)
    group = plain.processes["process"].isin(["Cars", "Houses"])
    tables = {
        "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu"]}),
        "processes": plain.processes[["process", "stage", "kind"]].assign(
            stock=np.where(plain.processes["stock"], "yes", "no"),
            group=np.where(group, "Uses", None),
        ),
        "flows": pd.DataFrame(FLOWS, columns=["flow", "from", "to", "role", "value"]).assign(
            year=2020, sd=0.0
        ),
        "scenarios": rows(("flow", "Uses", 2021, "set", 218.0, "step")),
    }
    future = mfa.project(mfa.System.from_tables(tables), "S", 2021)
    assert value(future, "cars", 2021) == pytest.approx(140.0)
    assert value(future, "houses", 2021) == pytest.approx(78.0)
    assert set(future.end_uses["group"]) == {"Uses"}


def test_a_capacity_holds_other_substances_back_in_proportion():
    both = loop().data
    table = pd.concat(
        [both.assign(substance="Cu"), both.assign(substance="Zn", value=both["value"] / 4)]
    )
    plain = loop()
    flows = plain.flows.merge(table[["flow", "substance", "year", "value"]], on="flow")
    tables = {
        "system": pd.DataFrame({"key": ["unit", "substances"], "value": ["kt/yr", "Cu, Zn"]}),
        "processes": plain.processes[["process", "stage", "kind"]].assign(
            stock=np.where(plain.processes["stock"], "yes", "no")
        ),
        "flows": flows.assign(sd=0.0),
        "scenarios": rows(("capacity", "Sorting", 2021, "set", 21.0, "step")),
    }
    future = mfa.project(mfa.System.from_tables(tables), "S", 2021)
    assert value(future, "scrap", 2021) == pytest.approx(18.9)
    assert value(future, "scrap", 2021, "Zn") == pytest.approx(18.9 / 4)
    assert value(future, "ore", 2021, "Zn") == pytest.approx((100 - 18.9) / 4)
    assert residuals(future).max() < 1e-9


def test_years_to_come_are_a_balance_like_any_other():
    """Indicators and charts of the future, what could not be placed included."""
    scenario = rows(
        ("capacity", "Sorting", 2021, "set", 25.0, "step"),
        ("flow", "goods", 2022, "set", 95, "step"),
    )
    origins = pd.DataFrame(
        {
            "flow": "ore",
            "country": ["Chile", "Peru", "Chile"],
            "year": [2019, 2020, 2020],
            "value": [1.0, 0.3, 0.7],
            "unit": "1",
        }
    )
    future = mfa.project(loop(scenarios=scenario, origins=origins), "S", 2022)
    balance = future.balance
    assert (balance.flows["status"] == "fixed").all()
    assert set(balance.system.years) == {2020, 2021, 2022}
    both = balance.flows.merge(future.flows, on=["flow", "substance", "year"])
    assert len(both) == len(future.flows) == len(balance.flows)
    assert both["value_x"].to_numpy() == pytest.approx(both["value_y"].to_numpy())
    chosen = future.indicators.query("indicator == 'recycling_input_rate_total' and year == 2021")
    assert chosen["value"].iloc[0] == pytest.approx(22.5 / 100)
    assert mfa.sankey(balance, year=2022).figure.startswith("<figure")
    later = balance.system.tables["origins"].query("year == 2022")
    assert later.set_index("country")["value"].to_dict() == {"Peru": 0.3, "Chile": 0.7}
