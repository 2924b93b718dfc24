"""The sheet ``system``: unit, substances, format, titles."""

from __future__ import annotations

import pytest

from . import books

SMALL = books.SMALL


def with_setting(key, value):
    book = books.small()
    book["system"] = [row for row in book["system"] if row[0] != key]
    return book if value is None else books.add(book, "system", [key, value])


def system_problems(book):
    return [problem for problem in books.problems(book) if problem.sheet == "system"]


def test_settings_are_kept():
    book = SMALL
    rows = {"region": "日本", "author": "A. Sato", "licence": "CC-BY", "description": "x\ny"}
    for key, value in rows.items():
        book = books.add(book, "system", [key, value])
    settings = books.read(book).settings
    assert (settings.title, settings.title_ja) == ("A small copper cycle", "小さな銅の循環")
    assert (settings.region, settings.author, settings.licence) == ("日本", "A. Sato", "CC-BY")
    assert settings.description == "x\ny"


@pytest.mark.parametrize("key", ["UNIT", " unit ", "Ｕｎｉｔ"])
def test_keys_are_folded(key):
    assert (
        books.read(books.add(with_setting("unit", None), "system", [key, "Mt/yr"])).unit == "Mt/yr"
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Cu", ("Cu",)),
        ("Cu, Zn", ("Cu", "Zn")),
        (" Cu ,, Zn,", ("Cu", "Zn")),
        ("Cu、Zn", ("Cu", "Zn")),
        ("Cu，Zn", ("Cu", "Zn")),  # the comma of a Japanese keyboard
        ("Cu；Zn", ("Cu", "Zn")),
        ("Cu, 亜鉛", ("Cu", "亜鉛")),
    ],
)
def test_lists_of_substances(text, names):
    assert books.read(with_setting("substances", text)).substances == names


@pytest.mark.parametrize("text", ["Cu, Cu", "goods", "Cu, goods", None, " , "])
def test_impossible_lists_of_substances(text):
    found = [p for p in books.errors(with_setting("substances", text)) if p.sheet == "system"]
    assert books.only(found).do


@pytest.mark.parametrize(
    ("text", "unit"), [("kt/yr", "kt/yr"), ("t/年", "t/yr"), ("Gg/a", "Gg/yr"), ("ｋｔ/y", "kt/yr")]
)
def test_units(text, unit):
    assert books.read(with_setting("unit", text)).unit == unit


def test_a_unit_of_mass_is_taken_per_year_with_a_warning():
    system = books.read(with_setting("unit", "Mt"))
    assert system.unit == "Mt/yr"
    assert books.only(system.problems).do == "write Mt/yr"


@pytest.mark.parametrize(
    ("text", "offered"), [("ktt/yr", "kt/yr"), ("KT/yr", "kt/yr"), ("%", "kt/yr")]
)
def test_impossible_units(text, offered):
    found = [p for p in books.errors(with_setting("unit", text)) if p.sheet == "system"]
    problem = books.only(found)
    assert (problem.found, offered in problem.do) == (text, True)
    assert problem.cell == "B6"


def test_a_missing_unit_is_told_with_an_example():
    problem = books.only(system_problems(with_setting("unit", None)))
    assert problem.severity == "error"
    assert "kt/yr" in problem.do


@pytest.mark.parametrize("value", [1, 1.0, "1", "１", None, " 1 "])
def test_format_one(value):
    assert system_problems(with_setting("format", value)) == []


@pytest.mark.parametrize("value", [2, "1.1", "x", 0])
def test_other_formats(value):
    problem = books.only(system_problems(with_setting("format", value)))
    assert problem.severity == "error"
    assert "format" in problem.what


def test_unknown_and_repeated_keys():
    book = books.add(
        SMALL, "system", ["titel", "x"], ["colour", "red"], ["unit", "t/yr"], [None, "y"]
    )
    found = system_problems(book)
    cells = {problem.cell: problem for problem in found}
    assert "'title'" in cells["A7"].do
    assert "'colour'" in cells["A8"].what
    assert cells["A9"].severity == "error"
    assert "A10" in cells


def test_a_missing_sheet_makes_no_further_noise():
    # Substances are unknown then, which is no fault of the other sheets.
    found = books.errors(books.small(system=None))
    assert len(found) == 1
    assert "'system'" in found[0].what
