"""The sheets ``coefficients`` and ``compositions``: exact relations between flows."""

from __future__ import annotations

import pytest

import mfa

from . import books

ROWS = [
    {"flow": "a", "value": 60, "sd": 3},
    {"flow": "b", "value": 40, "sd": 2},
    {"flow": "c", "from": "Smelter", "to": "Market"},
    {"flow": "d", "from": "Smelter", "to": "Market"},
]


def with_coefficients(*rows, flows=ROWS):
    head = ["coefficient", "flow", "of", "substance", "year", "value", "unit", "sd"]
    book = books.flows_book(*flows)
    book["coefficients"] = [head, *[[row.get(key) for key in head] for row in rows]]
    return book


def values(book):
    return mfa.reconcile(books.read(book)).flows.set_index("flow")["value"]


def test_a_share_of_all_inputs_is_the_default():
    value = values(with_coefficients({"coefficient": "k", "flow": "c", "value": 0.3, "sd": 0}))
    assert value.tolist() == pytest.approx([60, 40, 30, 70], rel=1e-9)


@pytest.mark.parametrize(
    ("of", "c"), [("inputs", 30), ("outputs", 30), ("a", 18), ("d", 100 * 0.3 / 1.3), (None, 30)]
)
def test_what_a_coefficient_is_of(of, c):
    row = {"coefficient": "k", "flow": "c", "of": of, "value": 30, "unit": "%", "sd": 0}
    assert values(with_coefficients(row))["c"] == pytest.approx(c, rel=1e-9)


def test_a_coefficient_closes_against_data():
    flows = [*ROWS[:2], ROWS[2] | {"value": 35, "sd": 1}, ROWS[3]]
    row = {"coefficient": "k", "flow": "c", "value": 0.3, "sd": 0}
    value = values(with_coefficients(row, flows=flows))
    # c − 0.3 (a + b) = 0, misfit 5, h = (−0.3, −0.3, 1) with variances 9, 4, 1.
    spread = 0.09 * 9 + 0.09 * 4 + 1
    shift = 5 / spread
    wanted = [60 + 0.3 * 9 * shift, 40 + 0.3 * 4 * shift, 35 - shift]
    assert value.tolist()[:3] == pytest.approx(wanted, rel=1e-9)


def test_one_shared_coefficient_for_several_flows():
    row = {"coefficient": "k", "flow": "c, d", "of": "inputs", "value": 0.5, "sd": 0}
    assert values(with_coefficients(row)).tolist() == pytest.approx([60, 40, 50, 50], rel=1e-9)


def test_coefficients_that_add_up_to_one_say_the_same_as_the_balance():
    rows = [
        {"coefficient": "k", "flow": "c", "value": 0.3, "sd": 0},
        {"coefficient": "l", "flow": "d", "value": 0.7, "sd": 0},
    ]
    assert values(with_coefficients(*rows)).tolist() == pytest.approx([60, 40, 30, 70], rel=1e-9)


def test_faults_in_coefficients():
    rows = [
        {"coefficient": None, "flow": "c"},
        {"coefficient": "a", "flow": None},
        {"coefficient": "b", "flow": "cc"},
        {"coefficient": "c", "flow": "c, dd"},
        {"coefficient": "d", "flow": "c", "of": "input"},
        {"coefficient": "e", "flow": "c", "substance": "Zn"},
        {"coefficient": "f", "flow": "c", "year": "x"},
        {"coefficient": "g", "flow": "c", "unit": "kt"},
    ]
    rows = [{"value": 0.1, "sd": 0} | row for row in rows]
    found = [p for p in books.errors(with_coefficients(*rows)) if p.sheet == "coefficients"]
    assert [p.cell for p in found] == ["A2", "B3", "B4", "B5", "C6", "D7", "E8", "G9"]
    assert "'c'" in found[2].do
    assert found[3].found == "dd"
    assert "'inputs'" in found[4].do


def test_repeated_coefficients_are_found_where_they_stand():
    rows = [
        {"coefficient": "z", "flow": "c", "value": 0.1, "sd": 0, "year": 2018},
        {"coefficient": "k", "flow": "d", "value": 0.3, "sd": 0},
        {"coefficient": "k", "flow": "d", "value": 0.3, "sd": 0},
    ]
    problem = books.only(books.errors(with_coefficients(*rows)))
    assert (problem.cell, "A3" in problem.what) == ("A4", True)
    assert "nan" not in problem.found
    assert "None" not in problem.found


def test_ids_in_lists_are_spelt_as_in_flows():
    # Full-width ids are ids, and lists take them as they are.
    flows = [*ROWS[:2], ROWS[2] | {"flow": "Ｃ１"}, ROWS[3] | {"flow": "屑Ｂ"}]
    row = {"coefficient": "k", "flow": "Ｃ１、屑Ｂ", "value": 0.5, "sd": 0}
    assert books.errors(with_coefficients(row, flows=flows)) == []


def with_compositions(*rows):
    weights = {"a": (60, 3), "b": (40, 2), "c": (None, None), "d": (None, None)}
    flows = [row | {"substance": "Cu", "value": None, "sd": None} for row in ROWS]
    for row in ROWS:
        value, sd = weights[row["flow"]]
        flows.append(row | {"substance": "goods", "value": value, "sd": sd})
    head = ["flow", "substance", "year", "value", "unit", "sd"]
    book = books.flows_book(*flows)
    book["compositions"] = [head, *[[row.get(key) for key in head] for row in rows]]
    return book


def test_a_composition_gives_the_substance_in_goods():
    rows = [
        {"flow": "a", "substance": "Cu", "value": 30, "unit": "%", "sd": 0},
        {"flow": "b", "substance": "Cu", "year": 2018, "value": 5000, "unit": "ppm", "sd": 0},
    ]
    table = mfa.reconcile(books.read(with_compositions(*rows))).flows
    copper = table[table["substance"] == "Cu"].set_index("flow")["value"]
    assert copper["a"] == pytest.approx(18, rel=1e-9)
    assert copper["b"] == pytest.approx(0.2, rel=1e-9)


def test_a_shared_composition():
    row = {"flow": "a, b", "substance": "Cu", "value": 0.25, "sd": 0}
    table = mfa.reconcile(books.read(with_compositions(row))).flows
    copper = table[table["substance"] == "Cu"].set_index("flow")["value"]
    assert copper.tolist()[:2] == pytest.approx([15, 10], rel=1e-9)


def test_faults_in_compositions():
    rows = [
        {"flow": "a", "substance": None},
        {"flow": "a", "substance": "goods"},
        {"flow": "a", "substance": "Zn"},
        {"flow": "e", "substance": "Cu"},
        {"flow": None, "substance": "Cu"},
        {"flow": "a", "substance": "Cu", "unit": "t"},
        {"flow": "b", "substance": "Cu"},
        {"flow": "b", "substance": "Cu"},
    ]
    rows = [{"value": 0.1, "sd": 0} | row for row in rows]
    found = [p for p in books.errors(with_compositions(*rows)) if p.sheet == "compositions"]
    cells = [p.cell for p in found]
    assert set(cells) == {"B2", "B3", "B4", "A5", "A6", "E7", "A9"}
    assert "A8" in books.at(found, "compositions!A9")[0].what


def test_goods_in_a_composition_are_one_fault():
    rows = [{"flow": "a", "substance": "goods", "value": 0.1, "sd": 0}]
    problem = books.only(books.errors(with_compositions(*rows)))
    assert "goods" in problem.what


def test_shares_that_speak_of_no_row_are_told():
    rows = [
        {"coefficient": "k", "flow": "c, d", "of": "inputs", "year": 2031, "value": 0.5, "sd": 0},
        {"coefficient": "l", "flow": "c", "value": 0.5, "sd": 0},
    ]
    problem = books.only(p for p in books.warnings(with_coefficients(*rows)) if p.sheet)
    assert (problem.sheet, problem.cell) == ("coefficients", "B2")
    assert "'k'" in problem.what
    row = {"coefficient": "k", "flow": "c", "substance": "goods", "value": 0.5, "sd": 0}
    problem = books.only(books.errors(with_coefficients(row)))  # nothing counts goods at all
    assert (problem.sheet, problem.cell) == ("coefficients", "B2")
    book = books.flows_book(*ROWS)
    book["compositions"] = [["flow", "substance", "value", "sd"], ["a", "Cu", 0.5, 0]]
    problem = books.only(p for p in books.warnings(book) if p.sheet)
    assert (problem.sheet, problem.cell) == ("compositions", "A2")
