"""Several data on one coefficient are one quantity; what a coefficient cannot speak of is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mfa.balance import reconcile
from mfa.balance.remarks import remarks
from mfa.errors import BalanceError
from mfa.system import System

Row = dict[str, Any]


def system_of(coefficients: list[Row], goods: bool = False, **values: float | None) -> System:
    """Return a furnace with two ores in 2018 and 2019, a loss, and coefficients."""
    rows = []
    for year, factor in ((2018, 1.0), (2019, 1.3)):
        for flow, ends in (
            ("ore", ("Mine", "Furnace")),
            ("concentrate", ("Mine", "Furnace")),
            ("metal", ("Furnace", "Market")),
            ("slag", ("Furnace", "Market")),
        ):
            known = {"ore": 60.0, "concentrate": 41.0} | values
            value = known.get(flow)
            size = None if value is None else (value * factor, 0.03 * value)
            row = {"flow": flow, "from": ends[0], "to": ends[1], "substance": "Cu", "year": year}
            rows.append(row | dict(zip(("value", "sd"), size or (None, None), strict=True)))
            if goods and flow != "concentrate":
                rows.append(row | {"substance": "goods"})
    processes = [("Mine", "source"), ("Furnace", "process"), ("Market", "sink")]
    settings = {"unit": "kt/yr", "substances": "Cu"}
    return System.from_tables(
        {
            "system": pd.DataFrame(list(settings.items()), columns=["key", "value"]),
            "processes": pd.DataFrame(processes, columns=["process", "kind"]),
            "flows": pd.DataFrame(rows),
            "coefficients": pd.DataFrame(coefficients),
        }
    )


def share(name: str, value: float | None, sd: float | None, **more: object) -> Row:
    return {"coefficient": name, "flow": "slag", "of": "inputs", "value": value, "sd": sd} | more


def test_two_data_on_one_coefficient_are_their_weighted_mean() -> None:
    """1/sd² of 0.30 ± 0.05 and 0.18 ± 0.02 are 400 and 2500: 0.19655 ± 0.01857, χ² 4.966 on 1."""
    both = reconcile(system_of([share("guess", 0.30, 0.05), share("survey", 0.18, 0.02)]))
    mean, sd = (400 * 0.30 + 2500 * 0.18) / 2900, 2900**-0.5
    one = reconcile(system_of([share("mean", mean, sd)]))
    for table in (both.coefficients, one.coefficients):
        assert table["value"].to_numpy() == pytest.approx(mean, rel=1e-9)
        assert table["sd"].to_numpy() == pytest.approx(sd, rel=1e-9)
    columns = ["value", "sd"]
    assert np.allclose(both.flows[columns], one.flows[columns], rtol=1e-9)
    assert both.flows.set_index(["flow", "year"])["value"]["slag", 2019] == pytest.approx(
        mean * 101 * 1.3
    )
    assert both.chi2 - one.chi2 == pytest.approx(0.12**2 / (0.05**2 + 0.02**2), rel=1e-9)
    assert both.dof - one.dof == 1


def test_a_coefficient_of_one_year_and_one_of_all_are_the_same() -> None:
    """What holds in every year holds in 2019, too: an exact datum for 2019 settles all years."""
    rows = [share("all", None, None), share("of 2019", 0.22, 0.0, year=2019)]
    balance = reconcile(system_of(rows))
    slag = balance.flows.set_index(["flow", "year"])["value"]
    assert slag["slag", 2018] == pytest.approx(0.22 * 101)
    assert balance.coefficients["value"].tolist() == pytest.approx([0.22, 0.22])


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_rows_does_not_matter(turned: bool) -> None:
    rows = [share("a", 0.3, 0.05), share("b", 0.25, 0.0), share("c", None, None)]
    table = reconcile(system_of(rows[::-1] if turned else rows)).coefficients
    assert table["value"].tolist() == pytest.approx([0.25] * 3)
    assert table["sd"].tolist() == pytest.approx([0.0] * 3, abs=1e-12)


def test_exact_data_that_differ_clash() -> None:
    rows = [share("a", 0.3, 0.0), share("b", 0.25, 0.0)]
    with pytest.raises(BalanceError) as caught:
        reconcile(system_of(rows))
    assert {"coefficients!D2", "coefficients!D3"} <= set(caught.value.rows)


def test_goods_that_are_not_all_weighed_are_no_inputs() -> None:
    """Of the ores only one has rows for goods: a share of both says nothing of goods."""
    system = system_of([share("all layers", 0.2, 0.01)], goods=True)
    balance = reconcile(system)
    table = balance.flows.set_index(["flow", "substance", "year"])["status"]
    assert table["slag", "goods", 2018] == "undetermined"
    assert table["slag", "Cu", 2018] == "calculated"
    told = [p.what for p in remarks(system) if "says nothing of goods" in p.what]
    assert len(told) == 1
    assert "2018, 2019" in told[0]


def test_a_share_of_nothing_is_told() -> None:
    """Nothing enters the mine: what leaves it as a share of its inputs can only be nothing."""
    row = share("odd", 0.4, 0.1) | {"flow": "ore"}
    told = [p for p in remarks(system_of([row], ore=None)) if "can only be 0" in p.what]
    assert [(p.sheet, p.cell, p.severity) for p in told] == [("coefficients", "D2", "warning")]
