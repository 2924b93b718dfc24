"""The sheets about supply are checked on reading, every problem by its cell."""

from __future__ import annotations

import pytest

from tests.system import books

ORIGINS = {"flow": "ore", "country": "Chile", "year": 2018, "value": 60.0, "unit": "kt/yr"}
REST = {"flow": "ore", "country": "Peru", "year": 2018, "value": 40.0, "unit": "kt/yr"}
SHOCK = {"shock": "s", "target": "country", "item": "Chile", "share": 0.5, "months": 6}
STOCK = {"process": "Smelter", "value": 3.0, "unit": "kt", "days": None, "release_per_month": 0.5}
RULE = {"from": "ore", "to": "scrap", "share": 0.2, "delay_months": 3}
PRODUCER = {"stage": "mining", "country": "Chile", "value": 27, "unit": "%"}


def sheet(*rows: dict[str, object]) -> list[list[object]]:
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def test_good_sheets_are_read_without_a_word():
    book = books.small(
        origins=sheet(ORIGINS, REST),
        shocks=sheet(SHOCK, SHOCK | {"target": "stage", "item": "smelting"}),
        stockpiles=sheet(STOCK),
        substitutions=sheet(RULE),
        producers=sheet(PRODUCER, PRODUCER | {"country": "Other", "value": 73}),
    )
    system = books.read(book)
    quiet = books.read(books.small()).problems
    assert [str(p) for p in system.problems] == [str(p) for p in quiet]


@pytest.mark.parametrize(
    ("name", "row", "cell", "words"),
    [
        ("shocks", SHOCK | {"item": "Chili"}, "C2", "did you mean 'Chile'"),
        ("shocks", SHOCK | {"target": "flow", "item": "orr"}, "C2", "did you mean 'ore'"),
        ("shocks", SHOCK | {"target": "process", "item": "Smeltr"}, "C2", "did you mean 'Smelter'"),
        ("shocks", SHOCK | {"target": "stage", "item": "smelter"}, "C2", "did you mean 'smelting'"),
        ("shocks", SHOCK | {"share": 1.5}, "D2", "not a share"),
        ("shocks", SHOCK | {"months": 0}, "E2", "does not last"),
        ("stockpiles", STOCK | {"days": 60}, "D2", "both a mass and days"),
        ("stockpiles", STOCK | {"value": -3.0}, "B2", "negative value"),
        ("stockpiles", STOCK | {"unit": "kt/yr"}, "C2", "a stock is a mass"),
        ("stockpiles", STOCK | {"release_per_month": 1.5}, "E2", "more than the whole stock"),
        ("substitutions", RULE | {"from": "orr"}, "A2", "did you mean 'ore'"),
        ("substitutions", RULE | {"to": "ore"}, "B2", "cannot stand in for itself"),
        ("substitutions", RULE | {"share": -0.1}, "C2", "not a share"),
        ("substitutions", RULE | {"delay_months": -1}, "D2", "negative delay"),
        ("producers", PRODUCER | {"value": -1}, "C2", "negative supply"),
        ("producers", PRODUCER | {"stage": "minig"}, "A2", "minig"),
    ],
)
def test_what_is_impossible(name, row, cell, words):
    book = books.small(origins=sheet(ORIGINS, REST), **{name: sheet(row)})
    problem = books.only(books.errors(book))
    assert (problem.sheet, problem.cell) == (name, cell)
    assert words in str(problem)


def test_rows_that_stand_twice_and_mixed_units():
    for name, row in (("origins", ORIGINS), ("stockpiles", STOCK), ("substitutions", RULE)):
        found = books.errors(books.small(**{name: sheet(row, row)}))
        assert "first stands at" in str(found[0])
    mixed = books.small(origins=sheet(ORIGINS, REST | {"value": 40.0, "unit": "%"}))
    assert books.only(books.errors(mixed)).cell == "E3"


@pytest.mark.parametrize(
    ("values", "unit", "warned"),
    [
        ((60.0, 39.0), "kt/yr", False),
        ((60.0, 37.9), "kt/yr", True),
        ((60000.0, 40000.0), "t/yr", False),
        ((60.0, 40.0), "%", False),
        ((0.6, 0.37), "1", True),
        ((0.6, 0.4), None, True),
    ],
)
def test_a_gap_of_more_than_two_percent_is_reported(values, unit, warned):
    rows = [o | {"value": x, "unit": unit} for o, x in zip((ORIGINS, REST), values, strict=True)]
    found = [
        p for p in books.read(books.small(origins=sheet(*rows))).problems if p.sheet == "origins"
    ]
    assert bool(found) is warned
    assert all("add up to" in p.what and p.cell == "D2" for p in found)


def test_what_is_not_whole_is_a_warning():
    book = books.small(
        origins=sheet(ORIGINS, REST | {"value": None}),
        shocks=sheet(SHOCK | {"months": None}),
        stockpiles=sheet(STOCK | {"value": None}),
    )
    found = {p.sheet: p for p in books.read(book).problems if p.sheet not in ("flows", "origins")}
    assert "has no months" in found["shocks"].what
    assert "has no size" in found["stockpiles"].what
    left_out = [p for p in books.read(book).problems if p.sheet == "origins"]
    assert any("left out of the shares" in p.what for p in left_out)
