"""Units: every row converts into the system's own unit, by factors worked out by hand."""

from __future__ import annotations

import pytest

from mfa.errors import UnitError
from mfa.units import parse_unit

from . import books

# One of each, in tonnes.
TONNES = {
    "mg": 1e-9,
    "g": 1e-6,
    "kg": 1e-3,
    "t": 1.0,
    "kt": 1e3,
    "Gg": 1e3,
    "Mt": 1e6,
    "lb": 0.00045359237,
}
PER_YEAR = ("/yr", "/a", "/y", "/年")


def test_rates_convert_with_their_sd_and_limits():
    units = {unit + suffix: size / 1e3 for unit, size in TONNES.items() for suffix in PER_YEAR}
    rows = [{"value": 60, "sd": 3, "min": 2, "max": 90, "unit": unit} for unit in units]
    system = books.read(books.flows_book(*rows, unit="kt/yr"))
    for row, size in zip(system.data.to_dict("records"), units.values(), strict=True):
        numbers = [row[name] for name in ("value", "sd", "min", "max")]
        assert numbers == pytest.approx([60 * size, 3 * size, 2 * size, 90 * size], rel=1e-15)
    assert all(problem.sheet == "" for problem in system.problems)


@pytest.mark.parametrize(
    ("target", "value", "unit", "result"),
    [
        ("t/yr", 12.5, "kt/yr", 12500),
        ("kg/yr", 2, "lb/yr", 0.90718474),
        ("lb/yr", 0.45359237, "kg/yr", 1),
        ("Gg/yr", 7, "kt/y", 7),
        ("kt/年", 7, "t/年", 0.007),
    ],
)
def test_conversions_by_hand(target, value, unit, result):
    row = {"value": value, "sd": 0, "unit": unit}
    system = books.read(books.flows_book(row, unit=target))
    assert system.data["value"][0] == pytest.approx(result, rel=1e-15)


def test_each_row_has_its_own_unit_and_blank_is_the_system_s():
    rows = [
        {"value": 100, "sd": 4, "unit": "kt/yr"},
        {"value": 100, "sd": 4, "unit": "t/yr"},
        {"value": 100, "sd": 4},
        {"value": 0.1, "sd": 0.004, "unit": "Mt/a"},
        {"value": 3000, "cv": 0.02, "unit": "t/yr"},
    ]
    system = books.read(books.flows_book(*rows, unit="kt/yr"))
    assert system.data["value"].tolist() == pytest.approx([100, 0.1, 100, 100, 3], rel=1e-15)
    assert system.data["sd"].tolist() == pytest.approx([4, 0.004, 4, 4, 0.06], rel=1e-14)


def test_width_and_spaces_do_not_matter():
    texts = ["ｋｔ／ｙｒ", " kt/yr ", "kt / yr", "kt/年", "ｋｔ/年", "kt\u3000/yr"]
    system = books.read(books.flows_book(*({"value": 5, "sd": 1, "unit": t} for t in texts)))
    assert system.data["value"].tolist() == [5] * len(texts)


def test_case_matters_and_near_units_are_offered():
    texts = ["KT/yr", "T/yr", "GG/yr", "Kg/yr", "ktt/yr", "kt/yrr", "Kt/year "]
    book = books.flows_book(*({"value": 5, "sd": 1, "unit": text} for text in texts))
    found = [p for p in books.errors(book) if p.sheet]
    assert [p.found for p in found] == [text.strip() for text in texts]
    assert all("did you mean" in p.do for p in found)
    assert all(p.cell == f"G{row}" for row, p in enumerate(found, 2))


def test_unknown_units():
    texts = ["EUR", "kt/month", "m3/yr", "-", "1/yr", "%/yr", "kt/yr/yr", "/yr", "10 kt/yr", 5]
    book = books.flows_book(*({"value": 5, "sd": 1, "unit": text} for text in texts))
    found = [p for p in books.errors(book) if p.sheet]
    assert [p.cell for p in found] == [f"G{row}" for row in range(2, len(texts) + 2)]
    assert [p.found for p in found] == [str(text) for text in texts]


def test_a_mass_where_a_rate_is_meant_is_read_and_reported_once():
    rows = [{"value": 5, "sd": 1, "unit": "t"}, {"value": 6, "sd": 1, "unit": "t"}]
    system = books.read(books.flows_book(*rows))
    assert system.data["value"].tolist() == pytest.approx([0.005, 0.006], rel=1e-15)
    problem = books.only(p for p in system.problems if p.sheet == "flows")
    assert "2 rows" in problem.what
    assert problem.do == "write t/yr"


def test_a_share_is_no_flow():
    units = ["%", "1", "ppm", "kg/kg"]
    book = books.flows_book(*({"value": 5, "sd": 1, "unit": unit} for unit in units))
    found = [p for p in books.errors(book) if p.sheet]
    assert [p.found for p in found] == units
    assert all("mass per year" in p.what for p in found)


SHARES = [
    (0.25, None, 0.25),
    (0.25, "1", 0.25),
    (0.25, 1, 0.25),
    (0.25, "kg/kg", 0.25),
    (25, "%", 0.25),
    (25, "％", 0.25),
    (2500, "ppm", 0.0025),
    (40, "ppm", 4e-5),
]


def shares(sheet, *rows):
    head = {"coefficients": ["coefficient", "flow"], "compositions": ["flow", "substance"]}[sheet]
    keys = {"coefficients": ["k", "metal"], "compositions": ["metal", "Cu"]}[sheet]
    listed = [[*keys, 2000 + i, *row] for i, row in enumerate(rows)]
    return books.small(**{sheet: [[*head, "year", "value", "unit", "sd"], *listed]})


@pytest.mark.parametrize("sheet", ["coefficients", "compositions"])
def test_shares(sheet):
    system = books.read(shares(sheet, *([v, unit, v / 5] for v, unit, _ in SHARES)))
    table, results = getattr(system, sheet), [share for _, _, share in SHARES]
    assert table["value"].tolist() == pytest.approx(results, rel=1e-15)
    assert table["sd"].tolist() == pytest.approx([share / 5 for share in results], rel=1e-15)


@pytest.mark.parametrize("sheet", ["coefficients", "compositions"])
def test_a_mass_is_no_share(sheet):
    found = books.errors(shares(sheet, *([0.2, unit, 0] for unit in ("kt", "kt/yr", "kg", "km"))))
    assert [(p.sheet, p.cell) for p in found] == [(sheet, f"E{row}") for row in (2, 3, 4, 5)]
    assert [p.found for p in found] == ["kt", "kt/yr", "kg", "km"]
    assert "unit of a share" not in found[0].what  # it is no share


def test_stock_levels_are_masses_and_changes_are_rates():
    book = books.put(books.put(books.SMALL, "stocks!F2", "Mt"), "stocks!F3", "t/yr")
    stocks = books.read(book).stocks
    assert stocks["value"].tolist() == pytest.approx([900_000, 0.05], rel=1e-15)
    assert stocks["sd"].tolist() == pytest.approx([30_000, 0.009], rel=1e-15)


def test_a_level_is_no_rate():
    problem = books.only(books.errors(books.put(books.SMALL, "stocks!F2", "kt/yr")))
    assert (problem.sheet, problem.cell) == ("stocks", "F2")
    assert problem.do == "write it in kt or a multiple of it"


CAPACITY = books.with_column(
    books.with_column(
        books.with_column(books.SMALL, "processes", "capacity", None, 2.5, 80),
        "processes",
        "capacity_unit",
        None,
        "Mt/yr",
    ),
    "processes",
    "capacity_substance",
    None,
    "Cu",
    "goods",
)


def test_capacities():
    processes = books.read(CAPACITY).processes
    assert processes["capacity"].tolist()[1:3] == [2500, 80]
    assert processes["capacity_substance"].tolist() == [None, "Cu", "goods", None]


def test_impossible_capacities():
    bad = {"G2": "much", "G3": -1, "I3": "Co", "H2": "ktt", "H3": "%"}
    book = CAPACITY
    for cell, value in bad.items():
        book = books.put(book, f"processes!{cell}", value)
    found = books.errors(book)
    assert sorted(p.cell for p in found) == sorted(bad)


@pytest.mark.parametrize(
    ("text", "size"), [("Mg/yr", 1.0), ("千トン/年", 1e3), ("千t", 1e3), ("トン", 1.0)]
)
def test_other_names_of_units(text, size):
    assert parse_unit(text).size == size


@pytest.mark.parametrize(
    ("text", "words"),
    [("MT/yr", "metric tons"), ("万トン/年", "ten times"), ("t/month", "per year"), ("kton", "kt")],
)
def test_what_is_meant_is_offered_where_it_is_not_clear(text, words):
    """A hint that is off by a factor of a million is worse than none."""
    with pytest.raises(UnitError, match=words):
        parse_unit(text)
