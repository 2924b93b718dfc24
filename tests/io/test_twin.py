"""The CSV twin: every cell comes back, and what stands in the files is plain and harmless."""

from __future__ import annotations

import csv
import datetime as dt
import math
import struct
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mfa
from mfa.io.csv_cells import decode, encode, number_text
from mfa.io.csv_folder import read_csv_sheets
from mfa.io.csv_write import file_name, sheet_name_of, write_csv_sheets
from mfa.io.rows import ErrorValue
from mfa.io.xlsx import read_sheets
from mfa.schema import is_lists
from mfa.system import RawSheet
from tests.system import books

FLOWS = Path(__file__).parents[2] / "flows"
MEANINGS = ("number", "text", "unknown")
HOSTILE = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "＝1+1",
    "'=1",
    "''=1",
    "'",
    "'quoted'",
    "007",
    "7",
    "7.0",
    "1e5",
    "-",
    "+81 3 1234",
    "TRUE",
    "#N/A",
    "'#N/A",
    "#REF!x",
    "2018-03-31",
    "2018-03-31 12:00:00",
    "12:30:00",
    "PT60S",
    "1,200",
    'a "b", c',
    "a\nb",
    "a\rb",
    "two\r",
    " padded ",
    "\ufeffmark",
    "銅 − 鉱石",
    "_x0041_",
    "\x07bell",
    "NaN",
    "inf",
    "１２３",
]
OTHERS = [
    0.1 + 0.2,
    -0.0,
    1e300,
    5e-324,
    123456789012345680.0,
    1 / 3,
    2018.0,
    True,
    False,
    dt.date(2018, 3, 31),
    dt.datetime(2018, 3, 31, 12, 30, 15),  # noqa: DTZ001  # a cell knows no time zone
    dt.time(12, 30),
    dt.timedelta(hours=26, minutes=3),
    None,
]


def same(one: object, two: object) -> bool:
    """Compare two cells, floats bit by bit."""
    if type(one) is float and type(two) is float:
        return struct.pack("<d", one) == struct.pack("<d", two)
    return type(one) is type(two) and one == two


def assert_same(one: RawSheet, two: RawSheet) -> None:
    assert one.headers == two.headers
    assert one.head == two.head
    assert one.faults == two.faults
    assert len(one.columns) == len(two.columns)
    for a, b in zip(one.columns, two.columns, strict=True):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert same(x, y), (x, y)


def as_stored(text: str) -> str:
    """Return a text as a workbook stores it; openpyxl leaves that to its caller."""
    text = text.replace("_x00", "_x005F_x00")
    return "".join(f"_x{ord(c):04X}_" if c < " " and c not in "\t\n" else c for c in text)


def cells(path: Path) -> dict[str, RawSheet]:
    """Return a workbook's sheets without the lists for drop-downs."""
    sheets = read_sheets(path)
    return {name: raw for name, raw in sheets.items() if not is_lists(name, raw.headers)}


@pytest.mark.parametrize("meaning", MEANINGS)
@given(text=st.text(min_size=1) | st.sampled_from(HOSTILE))
def test_any_text_comes_back(meaning, text):
    if text.isspace():
        assert decode(encode(text), meaning) == text
    else:
        back = decode(encode(text), meaning)
        assert type(back) is str
        assert back == text


@pytest.mark.parametrize("meaning", MEANINGS)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back_to_the_last_bit(meaning, number):
    assert same(decode(encode(number), meaning), number)


@pytest.mark.parametrize("meaning", MEANINGS)
@pytest.mark.parametrize("cell", [*OTHERS, ErrorValue("#N/A"), ErrorValue("#REF!")], ids=repr)
def test_other_cells_come_back(meaning, cell):
    assert same(decode(encode(cell), meaning), cell)


@given(text=st.text())
def test_what_people_type_is_never_lost(text):
    """Reading and writing again says the same, so that a diff shows only what has changed."""
    for meaning in MEANINGS:
        cell = decode(text, meaning)
        assert same(decode(encode(cell), meaning), cell)


def test_no_text_is_a_formula_to_a_spreadsheet():
    for text in HOSTILE:
        assert encode(text).lstrip()[:1] not in tuple("=+-@＝＋－＠")


def test_texts_are_marked_only_where_they_must_be():
    plain = ["ore", "it's", "'94 figures", "n/a", "1 t", "銅", "kt/yr", "5%", "a=b", "1.2.3"]
    assert [encode(text) for text in plain] == plain
    assert number_text(0.05) == "0.05"


def test_ids_that_look_like_numbers_stay_ids():
    assert decode("007", "text") == "007"
    assert decode("1.50", "text") == "1.50"
    assert decode("1.50", "number") == 1.5
    assert decode("1.50") == 1.5


@given(name=st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=31))
def test_any_sheet_name_is_a_file_name(name):
    file = file_name(name)
    assert sheet_name_of(file) == name
    assert not set(file) & set('<>:"/\\|?*')
    assert not file.startswith((".", "~"))


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "a.", "a ", ".hidden", "50%25"])
def test_names_that_some_systems_keep_for_themselves(name):
    file = file_name(name)
    assert file != f"{name}.csv"
    assert sheet_name_of(file) == name


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a workbook with every kind of cell, in known and unknown columns and sheets."""
    book = books.with_column(books.SMALL, "flows", "my =remark", *HOSTILE[:6])
    book = books.with_column(book, "flows", "2018", *OTHERS[:6])
    texts = [as_stored(text) for text in HOSTILE]
    book["processes"] += [[f"p{i}", text, text, None, None, None] for i, text in enumerate(texts)]
    wide = [*[None] * len(texts), 1]
    notes = [["=head", 2018, True, *texts[:3]], texts, [], OTHERS, wide]
    path = tmp_path_factory.mktemp("hostile") / "book.xlsx"
    books.save(book | {"My notes": notes, "in < out|%41": [["x"], ["007"]]}, path)
    open_ = openpyxl.load_workbook(path)
    open_["My notes"]["A9"] = "#DIV/0!"
    open_["My notes"]["Z1"] = "#N/A"
    open_.save(path)
    return path


def test_a_workbook_comes_back_cell_by_cell(hostile, tmp_path):
    given_ = cells(hostile)
    assert [column[0] for column in given_["My notes"].columns[: len(HOSTILE)]] == HOSTILE
    mfa.convert(hostile, tmp_path / "twin")
    mfa.convert(tmp_path / "twin", tmp_path / "back.xlsx")
    mfa.convert(tmp_path / "back.xlsx", tmp_path / "again")
    back, twin = cells(tmp_path / "back.xlsx"), read_csv_sheets(tmp_path / "twin")
    assert set(back) == set(twin) == set(given_)
    for name, raw in given_.items():
        assert_same(raw, twin[name])
        assert_same(raw, back[name])
    for file in (tmp_path / "twin").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


def test_no_field_of_a_csv_file_is_a_formula(hostile, tmp_path):
    mfa.convert(hostile, tmp_path / "twin")
    for path in (tmp_path / "twin").iterdir():
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                for text in row:
                    number = decode(text, "number")
                    assert isinstance(number, float) or text[:1] not in tuple("=+-@\t\r＝＋－＠")


def test_no_cell_of_a_workbook_made_from_csv_is_a_formula(hostile, tmp_path):
    mfa.convert(hostile, tmp_path / "twin")
    mfa.convert(tmp_path / "twin", tmp_path / "back.xlsx")
    for sheet in openpyxl.load_workbook(tmp_path / "back.xlsx"):
        if sheet.title != "lists":
            assert all(cell.data_type != "f" for row in sheet.rows for cell in row)


@pytest.mark.parametrize("case", mfa.cases())
def test_shipped_workbooks_and_their_twins_agree_cell_by_cell(case, tmp_path):
    book, twin = cells(FLOWS / f"{case}.xlsx"), read_csv_sheets(FLOWS / case)
    assert list(book) == list(twin)
    for name, raw in book.items():
        assert_same(raw, twin[name])
    mfa.convert(FLOWS / f"{case}.xlsx", tmp_path / "twin")
    for name, raw in read_csv_sheets(tmp_path / "twin").items():
        assert_same(raw, twin[name])


def assert_same_system(one: mfa.System, two: mfa.System) -> None:
    assert one.settings == two.settings
    names = ["processes", "flows", "data", "stocks", "coefficients", "compositions"]
    for name in (*names, "observations"):
        pd.testing.assert_frame_equal(
            getattr(one, name), getattr(two, name), obj=name, check_exact=True
        )
    assert one.tables.keys() == two.tables.keys()
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, two.tables[name], obj=name, check_exact=True)


@pytest.mark.parametrize("case", mfa.cases())
def test_a_system_comes_back_from_the_folder_it_is_written_to(case, tmp_path):
    system = mfa.read_workbook(FLOWS / f"{case}.xlsx")
    mfa.write_tables(system, tmp_path / "twin")
    assert_same_system(system, mfa.read_tables(tmp_path / "twin"))


def test_systems_without_a_file_are_written(tmp_path):
    frames = books.frames(books.SMALL)
    frames["flows"]["note"] = HOSTILE[: len(frames["flows"])]
    frames["flows"]["np"] = np.arange(len(frames["flows"])) / 7
    frames["mine"] = pd.DataFrame({"a": [1.5, math.nan], "b": ["007", None]})
    system = mfa.System.from_tables(frames)
    mfa.write_tables(system, tmp_path / "twin")
    back = mfa.read_tables(tmp_path / "twin")
    assert back.data["note"].tolist() == system.data["note"].tolist()
    assert back.data["np"].tolist() == system.data["np"].tolist()
    assert back.sheets["mine"].columns == ([1.5], ["007"])


def test_files_of_another_workbook_are_not_mixed_in(tmp_path):
    system = books.read(books.SMALL)
    mfa.write_tables(system, tmp_path)
    mfa.write_tables(system, tmp_path)
    (tmp_path / "lifetimes.csv").write_text("process,mean\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(mfa.MFAError, match=r"lifetimes\.csv"):
        mfa.write_tables(system, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_formulas_without_a_result_are_told_not_dropped(tmp_path):
    path = books.save(books.SMALL, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(path)
    book["flows"]["F3"] = "=1+2"
    book.save(path)
    with pytest.raises(mfa.WorkbookError, match="flows!F3") as caught:
        mfa.convert(path, tmp_path / "twin")
    assert len(caught.value.problems) == 1
    assert not (tmp_path / "twin").exists()


def test_what_a_workbook_cannot_hold_is_told_not_cut(tmp_path):
    folder = tmp_path / "twin"
    mfa.write_tables(books.read(books.SMALL), folder)
    (folder / f"{'n' * 32}.csv").write_text("a\n", encoding="utf-8")
    (folder / "notes.csv").write_text(f"a\n{'t' * 32_768}\n", encoding="utf-8")
    with pytest.raises(mfa.WorkbookError) as caught:
        mfa.convert(folder, tmp_path / "book.xlsx")
    assert {(p.sheet, p.cell) for p in caught.value.problems} == {("n" * 32, ""), ("notes", "A2")}
    assert not (tmp_path / "book.xlsx").exists()


def test_two_sheets_of_one_file_are_told(tmp_path):
    sheets = {name: RawSheet(name, ("a",), ([1.0],)) for name in ("Notes", "notes")}
    with pytest.raises(mfa.MFAError, match="notes"):
        write_csv_sheets(sheets, tmp_path / "twin")


def test_results_workbooks_come_back_too(tmp_path):
    mfa.write_workbook(mfa.reconcile(books.read(books.SMALL)), tmp_path / "results.xlsx")
    mfa.convert(tmp_path / "results.xlsx", tmp_path / "twin")
    mfa.convert(tmp_path / "twin", tmp_path / "back.xlsx")
    given_, back = cells(tmp_path / "results.xlsx"), cells(tmp_path / "back.xlsx")
    assert given_.keys() == back.keys()
    for name, raw in given_.items():
        assert_same(raw, back[name])
    one = mfa.read_tables(tmp_path / "twin", values="reconciled")
    two = mfa.read_workbook(tmp_path / "results.xlsx", values="reconciled")
    assert_same_system(one, two)


def test_large_tables_convert_quickly(tmp_path):
    n = 20_000
    rows = [[f"f{i}", "Mine", "Smelter", 2018, i / 7, "kt/yr", 0.1] for i in range(n)]
    frames = books.frames(books.small(stocks=None))
    columns = ["flow", "from", "to", "year", "value", "unit", "sd"]
    frames["flows"] = pd.DataFrame(rows, columns=columns)
    system = mfa.System.from_tables(frames)
    mfa.write_tables(system, tmp_path / "twin")
    back = mfa.read_tables(tmp_path / "twin")
    assert back.data["value"].tolist() == [i / 7 for i in range(n)]
