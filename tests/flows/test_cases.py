"""The shipped cases: workbook and CSV twin agree, and every number says where it comes from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import mfa

FLOWS = Path(__file__).parents[2] / "flows"
CASES = sorted(path.stem for path in FLOWS.glob("*.xlsx"))
SHARES = ("coefficients", "compositions", "observations")
TABLES = ("processes", "flows", "data", "stocks", *SHARES)


def test_every_folder_has_its_workbook():
    folders = {path.parent.name for path in FLOWS.glob("*/flows.csv")}
    assert folders == set(CASES)
    assert len(CASES) == 6


@pytest.mark.parametrize("case", CASES)
def test_workbook_and_csv_twin_agree(case):
    book = mfa.read_workbook(FLOWS / f"{case}.xlsx")
    twin = mfa.read_tables(FLOWS / case)
    assert book.settings == twin.settings
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(book, name), getattr(twin, name), check_dtype=False)


@pytest.mark.parametrize("case", CASES)
def test_every_number_has_a_reference_and_every_assumption_a_note_or_source(case):
    system = mfa.read_workbook(FLOWS / f"{case}.xlsx")
    assert not system.problems
    for table in (system.data, system.stocks):
        given = table[table["value"].notna()]
        assumed = (given["basis"] == "assumption") & (given["note"] != "")
        assert ((given["reference"] != "") | assumed).all()
    for name in SHARES:
        table = getattr(system, name)
        given = table[table["value"].notna()]
        assert ((given["reference"] != "") | (given["basis"] == "assumption")).all()


@pytest.mark.parametrize("case", CASES)
def test_every_assumption_says_why(case):
    system = mfa.read_workbook(FLOWS / f"{case}.xlsx")
    for table, key in (
        (system.data, "flow"),
        (system.stocks, "process"),
        (system.coefficients, "coefficient"),
        (system.compositions, "flow"),
        (system.observations, "observation"),
    ):
        assumed = table[(table["basis"] == "assumption") & table["value"].notna()]
        items = assumed[key].str.replace(r" 20\d\d$", "", regex=True)
        said = (assumed["note"] != "").groupby(items).any()
        assert said.all()


@pytest.mark.parametrize("case", CASES)
def test_everything_has_a_name_in_japanese(case):
    system = mfa.read_workbook(FLOWS / f"{case}.xlsx")
    for table in (system.processes, system.flows):
        assert (table["name"] != "").all()
        assert (table["name_ja"] != "").all()
