"""The shipped scenarios: their figures in the texts come out, and rows have their references."""

from __future__ import annotations

from pathlib import Path

import pytest

import mfa

ROOT = Path(__file__).parents[2] / "flows"
CASES = ("copper-world", "copper-japan", "rare-earth-magnets")


@pytest.fixture(scope="module")
def futures():
    out = {}
    for case in CASES:
        balance = mfa.reconcile(mfa.read_tables(ROOT / case))
        names = balance.system.tables["scenarios"]["scenario"].unique()
        out[case] = {name: mfa.project(balance, name, 2040) for name in names}
    return out


def figure(future: mfa.Projection, what: str, year: int) -> float:
    first = future.system.substances[0]
    if what in ("inflow", "level"):
        table = future.end_uses
        chosen = (table["substance"] == first) & (table["year"] == year)
        return float(table.loc[chosen, what].sum())
    table = future.supply
    chosen = (table["substance"] == first) & (table["year"] == year) & (table["kind"] == what)
    return float(table.loc[chosen, "value"].iloc[0])


WORLD = ("STEPS", "SDS", "SDS and 60 % collected")
KEPT, RECYCLED = "STEPS and scrap kept", "STEPS and magnets recycled"
FIGURES = [
    ("copper-world", "into use [Mt/yr]", "inflow", 1e3, 1, [(n, 2040) for n in ("", *WORLD)]),
    ("copper-world", "in use [Mt]", "level", 1e3, 0, [(n, 2040) for n in ("", *WORLD)]),
    ("copper-world", "from mines [Mt/yr]", "primary", 1e3, 1, [(n, 2040) for n in ("", *WORLD)]),
    ("copper-world", "scrap to makers [Mt/yr]", "scrap", 1e3, 1, [(n, 2040) for n in ("", *WORLD)]),
    (
        "copper-japan",
        "ore and metal from abroad [kt/yr]",
        "primary",
        1,
        0,
        [("", 0), ("STEPS", 2040), (KEPT, 2030), (KEPT, 2040)],
    ),
    (
        "copper-japan",
        "scrap to makers [kt/yr]",
        "scrap",
        1,
        0,
        [("", 0), ("STEPS", 2040), (KEPT, 2030), (KEPT, 2040)],
    ),
    *(
        ("rare-earth-magnets", row, what, 1, 0, [("", 0), ("STEPS", 2040), (RECYCLED, 2040)])
        for row, what in (
            ("into use [kt/yr]", "inflow"),
            ("in use [kt]", "level"),
            ("from ore [kt/yr]", "primary"),
            ("recycled oxide [kt/yr]", "scrap"),
        )
    ),
]


@pytest.mark.parametrize(("case", "row", "what", "size", "digits", "cells"), FIGURES)
def test_figures_in_the_texts_come_out(futures, case, row, what, size, digits, cells):
    numbers = []
    for name, year in cells:
        future = futures[case][name or next(iter(futures[case]))]
        numbers.append(figure(future, what, year if name else future.years[0]) / size)
    shown = " | ".join(f"{number:,.{digits}f}" for number in numbers)
    assert f"| {row} | {shown} |" in (ROOT / f"{case}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_every_number_has_a_reference_or_is_called_an_assumption(case):
    tables = mfa.read_tables(ROOT / case).tables
    for name in ("scenarios", "technologies", "lifetimes"):
        if name not in tables:
            continue
        for row in tables[name].to_dict("records"):
            said = f"{row['note'] or ''}"
            assert row["reference"] or "assumption" in said or said == "As for goods.", row


@pytest.mark.parametrize("case", CASES)
def test_the_past_is_not_disturbed(futures, case):
    """What was reconciled stays what it was: the base year of every scenario."""
    for future in futures[case].values():
        past = future.start.flows
        past = past[(past["year"] == future.years[0]) & (past["status"] != "undetermined")]
        keys = ["flow", "substance", "year"]
        both = past.merge(future.flows, on=keys)
        assert len(both) == len(past)
        assert both["value_x"].to_numpy() == pytest.approx(both["value_y"].to_numpy())


def test_only_clean_energy_grows(futures):
    table = futures["rare-earth-magnets"]["STEPS"].end_uses
    wide = table[table["substance"] == "goods"].pivot_table(
        index="end_use", columns="year", values="inflow"
    )
    grown = wide[2040] / wide[2023]
    steps = 3.4 ** (17 / 20)
    mix = (0.6 * 650 + 0.3 * 160 + 0.1 * 80) / (0.4 * 650 + 0.4 * 160 + 0.2 * 80)
    assert grown["traction"] == pytest.approx(steps)
    assert grown["wind"] == pytest.approx(steps * mix)
    assert grown.drop(["traction", "wind"]).tolist() == pytest.approx([1.0] * 4)
