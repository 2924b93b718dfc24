"""The shipped cases: the workbook and its CSV twin are one system, value by value."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

import mfa
from mfa.io.xlsx_write import Table, save_workbook

FLOWS = Path(__file__).parents[2] / "flows"
CASES = sorted(path.stem for path in FLOWS.glob("*.xlsx"))
TABLES = ["processes", "flows", "data", "stocks", "coefficients", "compositions", "observations"]


def plain(cell):
    """Return a cell without the difference between 5 and 5.0 and between a text and a number."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return float(cell)
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell


@pytest.fixture(scope="module", params=CASES)
def twins(request):
    workbook = FLOWS / f"{request.param}.xlsx"
    return mfa.read_workbook(workbook), mfa.read_tables(FLOWS / request.param)


def test_there_are_cases():
    assert "copper-japan" in CASES
    assert all((FLOWS / case / "flows.csv").exists() for case in CASES)


def test_tables_are_the_same(twins):
    book, folder = twins
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(book, name), getattr(folder, name), obj=name)
    assert book.settings == folder.settings
    assert book.tables.keys() == folder.tables.keys()
    for name, table in book.tables.items():
        pd.testing.assert_frame_equal(table, folder.tables[name], obj=name)


def test_sheets_are_the_same_cell_by_cell(twins):
    book, folder = twins
    assert book.sheets.keys() == folder.sheets.keys()
    for name, raw in book.sheets.items():
        other = folder.sheets[name]
        assert raw.headers == other.headers
        for one, two in zip(raw.columns, other.columns, strict=True):
            assert list(map(plain, one)) == list(map(plain, two))


def test_problems_are_the_same(twins):
    book, folder = twins
    one, two = ([dataclasses.replace(p, file="") for p in s.problems] for s in twins)
    assert one == two
    assert book.source.name == folder.source.name + ".xlsx"


def test_results_are_the_same(twins):
    one, two = (mfa.reconcile(system) for system in twins)
    pd.testing.assert_frame_equal(one.flows, two.flows)
    pd.testing.assert_frame_equal(one.stocks, two.stocks)
    assert (one.chi2, one.dof) == (two.chi2, two.dof)
    assert one.p_value == two.p_value or one.dof == two.dof == 0  # nothing to test


def test_the_same_sheets_give_the_same_bytes(tmp_path):
    """Reports carry the checksum of their workbook: a date of saving would change it."""
    made = dt.datetime(2026, 1, 1)  # noqa: DTZ001
    save_workbook(tmp_path / "book.xlsx", [Table("notes", ["a"], [[1.5]])], "book", made)
    with ZipFile(tmp_path / "book.xlsx") as book:
        assert {info.date_time for info in book.infolist()} == {(2026, 1, 1, 0, 0, 0)}
        core = book.read("docProps/core.xml").decode()
    assert core.count("2026-01-01T00:00:00Z") == 2
