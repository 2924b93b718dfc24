"""What to measure next: widths by really fixing each flow and asking for the indicator again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mfa.balance import Balance, reconcile
from mfa.errors import MFAError
from mfa.recycling import indicators, survey

from . import byhand
from .cycles import Number, cycle_of, noisy, process, random_cycle, system_of
from .reference import Cycle


def width(balance: Balance, indicator: str) -> float:
    """Return high − low of an indicator, 0 if it has a value, inf if unlimited."""
    row = indicators(balance).set_index("indicator").loc[indicator]
    if np.isfinite(row["value"]):
        return 0.0
    out = float(row["high"] - row["low"])
    return math.inf if math.isnan(out) else out


def refixed(cycle: Cycle, data: dict[str, Number], indicator: str) -> dict[str, float]:
    """Return the width that each undetermined number leaves if it is found in mid-range."""
    system = system_of(cycle, data)
    balance = reconcile(system)
    flows, out = balance.flows, {}
    changes = balance.stocks[balance.stocks["quantity"] == "change"]
    for row in changes[changes["status"] == "undetermined"].to_dict("records"):
        middle = (row["low"] + row["high"]) / 2
        if np.isfinite(middle):
            given = {"process": row["process"], "year": 2018, "quantity": "change"}
            stocks = [given | {"value": middle, "sd": 0.0}]
            again = reconcile(system_of(cycle, data, stocks=stocks))
            out[row["process"]] = width(again, indicator)
    for k in np.flatnonzero((flows["status"] == "undetermined") & flows["high"].notna()):
        found = system.data.copy()
        found.loc[k, ["value", "sd"]] = ((flows["low"][k] + flows["high"][k]) / 2, 0.0)
        out[flows["flow"][k]] = width(reconcile(replace(system, data=found)), indicator)
    return out


def check(cycle: Cycle, data: dict[str, Number], indicator: str) -> pd.DataFrame:
    balance = reconcile(system_of(cycle, data))
    table, now = survey(balance, indicator), width(balance, indicator)
    expected = {
        name: then
        for name, then in refixed(cycle, data, indicator).items()
        if then < now * (1 - 1e-6)
    }
    table = table[table["width_then"] < table["width_now"]]  # the plan may need more than one
    found = dict(zip(table["item"], table["width_then"], strict=True))
    assert found == pytest.approx(expected, abs=1e-6)
    assert table["width_now"].to_numpy(dtype=float) == pytest.approx(now)
    alone = table[table["step"].fillna(1) == 1]
    assert (np.diff(alone["width_then"].to_numpy(dtype=float)) >= -1e-9).all()
    return table


# Old scrap only: the yard sells, exports and dumps; the shredder sells and dumps.
YARD = cycle_of(
    (
        process("abroad", kind="import"),
        process("buyers", kind="export"),
        process("dump", kind="sink"),
        process("mill", "fabrication"),
        process("homes", "use", stock=True),
        process("yard", "collection"),
        process("shredder", "sorting"),
    ),
    (
        ("metal", "abroad", "mill", "primary"),
        ("goods", "mill", "homes", "product"),
        ("discarded", "homes", "yard", "end_of_life"),
        ("sold", "yard", "mill", "old_scrap"),
        ("hulks", "yard", "buyers", "old_scrap"),
        ("shredded", "yard", "shredder", "old_scrap"),
        ("dumped", "yard", "dump", "loss"),
        ("pure", "shredder", "mill", "scrap"),
        ("fluff", "shredder", "dump", "loss"),
    ),
)


@pytest.mark.parametrize("indicator", ["collection_rate", "eol_recycling_rate_domestic"])
def test_widths_without_mixing(indicator: str) -> None:
    data: dict[str, Number] = {"discarded": (100.0, 3.0), "metal": (300.0, 4.0)}
    data |= {"sold": (31.0, 1.0)}
    table = check(YARD, data, indicator)
    assert len(table) >= 1
    assert list(table.columns[:7]) == [
        "item",
        "substance",
        "year",
        "value",
        "sd",
        "low",
        "high",
    ]


def test_the_first_to_measure() -> None:
    """With 31 sold, 69 are open; what is dumped settles what is collected, hulks halve the gap."""
    data: dict[str, Number] = {"discarded": (100.0, 3.0), "sold": (31.0, 1.0)}
    table = survey(reconcile(system_of(YARD, data)), "collection_rate").set_index("item")
    assert table.index[0] == "dumped"
    assert table["width_then"]["dumped"] == pytest.approx(0.0, abs=1e-9)
    assert table["width_then"]["hulks"] == pytest.approx(0.345)
    assert (table["low"]["dumped"], table["high"]["dumped"]) == pytest.approx((0.0, 69.0))
    assert table["width_now"].to_numpy() == pytest.approx(0.69)


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_widths_with_mixing(seed: int) -> None:
    cycle, x = random_cycle(seed, kept=0.7)
    data = noisy(x, seed)
    rng = np.random.default_rng(seed)
    gone = rng.choice(list(x), 5, replace=False).tolist()
    check(cycle, data | dict.fromkeys(gone), "eol_recycling_rate_domestic")


def test_a_measurement_that_settles_the_mixture() -> None:
    """Once it is known what the mill takes, all of the lane is, and so is the rate."""
    gone = ("scrap_mill", "scrap_out", "to_mill", "metal_out")
    data = dict(byhand.DATA) | dict.fromkeys(gone)
    table = survey(reconcile(system_of(byhand.CYCLE, data)), "eol_recycling_rate_domestic")
    settling = table[table["width_then"] < table["width_now"]]
    assert set(settling["item"]) >= {"scrap_mill", "scrap_out"}
    assert settling["width_then"].to_numpy(dtype=float) == pytest.approx(0.0, abs=1e-9)


def test_a_denominator_without_limit_makes_the_range_finite() -> None:
    """E may be anything from 0 on, so the rate has no limit; with E known, it has."""
    cycle = cycle_of(
        YARD.processes,
        [
            *((f.name, f.source, f.target, ",".join(f.roles)) for f in YARD.flows),
            ("demolition", "homes", "mill", "old_scrap"),
        ],
    )
    columns = {"discarded": {"max": 40.0}}
    data: dict[str, Number] = {"demolition": (12.0, 0.5)}
    balance = reconcile(system_of(cycle, data, columns))
    row = indicators(balance).set_index("indicator").loc["collection_rate"]
    assert np.isnan(row["high"])
    assert "discarded" in set(survey(balance, "collection_rate")["item"])


def test_unknown_numbers_do_not_help_an_indicator_that_is_determined() -> None:
    data = dict(byhand.DATA) | dict.fromkeys(("ore", "own_ore"))
    table = survey(reconcile(system_of(byhand.CYCLE, data)), "collection_rate")
    assert not {"ore", "own_ore"} & set(table["item"])
    assert (table["width_now"] == 0).all()


def test_nothing_to_survey_where_the_indicator_cannot_be_formed() -> None:
    """Without the role end_of_life there is no denominator, and no width of anything."""
    flows = [
        (f.name, f.source, f.target, "" if f.name == "discarded" else ",".join(f.roles))
        for f in YARD.flows
    ]
    balance = reconcile(system_of(cycle_of(YARD.processes, flows), {"discarded": (100.0, 3.0)}))
    assert indicators(balance).set_index("indicator")["missing"]["collection_rate"]
    assert survey(balance, "collection_rate").empty


def test_an_unknown_indicator_is_named() -> None:
    with pytest.raises(MFAError, match=r"colection_rate.*collection_rate"):
        survey(byhand.balance(), "colection_rate")


@pytest.mark.parametrize("wrong", [{"substance": "Zn"}, {"year": 1999}])
def test_an_unknown_substance_or_year_is_an_error(wrong: dict[str, object]) -> None:
    """As in a chart: silence would say that there is nothing left to measure."""
    with pytest.raises(MFAError, match=r"Zn|1999"):
        survey(byhand.balance(), **wrong)  # type: ignore[arg-type]


def test_an_empty_survey_has_numbers_in_its_columns() -> None:
    exact: dict[str, Number] = {name: (value, 0.0) for name, value in byhand.VALUES.items()}
    table = survey(byhand.balance(exact))
    assert table.empty
    assert table["width_then"].dtype == np.float64


@pytest.mark.parametrize(("unit", "size"), [("kg/yr", 1e6), ("Mt/yr", 1e-3)])
def test_units_and_order_of_rows_do_not_matter(unit: str, size: float) -> None:
    """Flows that say equally much come in the order of their names, rounding or not."""
    cycle, x = random_cycle(8, 0.7)
    rng = np.random.default_rng(8)
    gone = set(rng.choice(list(x), int(rng.integers(3, 16)), replace=False).tolist())
    data = {n: None if n in gone else number for n, number in noisy(x, 8).items()}
    scaled = {n: None if v is None else (v[0] * size, v[1] * size) for n, v in data.items()}
    turned = Cycle(cycle.processes[::-1], cycle.flows[::-1])
    plain = survey(reconcile(system_of(cycle, data)))
    other = survey(reconcile(system_of(turned, scaled, unit=unit)))
    assert list(plain["item"]) == list(other["item"])
    assert np.allclose(plain["width_then"], other["width_then"], rtol=1e-6)
    assert np.allclose(plain["high"] * size, other["high"], rtol=1e-6, equal_nan=True)


def test_default_is_the_last_year() -> None:
    data: dict[str, Number] = {"discarded": (100.0, 3.0), "sold": (31.0, 1.0)}
    table = survey(reconcile(system_of(YARD, data, year=2021)))
    assert set(table["year"]) == {2021}
    assert set(table["indicator"]) == {"eol_recycling_rate"}
