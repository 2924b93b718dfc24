"""Uncertainty, limits, and the other data columns of a row."""

from __future__ import annotations

import math

import pytest

import mfa

from . import books

SMALL = books.SMALL


def only_flow_errors(book):
    return [p for p in books.errors(book) if p.sheet == "flows"]


def test_sd_and_cv():
    rows = [
        {"value": 80, "sd": 3},
        {"value": 80, "cv": 0.05},
        {"value": 80, "cv": "5%"},
        {"value": 80, "sd": 0},
        {"value": 80, "cv": 0},
        {"value": -80, "cv": 0.05, "min": -200},
        {"value": 0, "sd": 2},
    ]
    data = books.read(books.flows_book(*rows)).data
    assert data["sd"].tolist() == pytest.approx([3, 4, 4, 0, 0, 4, 2], rel=1e-15)


def test_default_cv_fills_only_where_neither_is_given():
    rows = [{"value": 80}, {"value": 80, "sd": 3}, {"value": 80, "cv": 0.2}, {"value": None}]
    data = books.read(books.flows_book(*rows, default_cv=0.1)).data
    assert data["sd"].tolist()[:3] == pytest.approx([8, 3, 16], rel=1e-15)
    assert math.isnan(data["sd"][3])


@pytest.mark.parametrize(
    ("text", "cv"),
    [(0.1, 0.1), ("0.1", 0.1), ("10%", 0.1), ("１０％", 0.1), (" 2.5 % ", 0.025), (0, 0.0)],
)
def test_default_cv(text, cv):
    system = books.read(books.flows_book({"value": 80}, default_cv=text))
    assert system.settings.default_cv == pytest.approx(cv, rel=1e-15)
    assert system.data["sd"][0] == pytest.approx(80 * cv, rel=1e-15)


@pytest.mark.parametrize("text", [-0.1, "abc", "5 t", "1e400", "nan", "inf%", "-5%"])
def test_impossible_default_cv(text):
    found = books.errors(books.flows_book({"value": 80}, default_cv=text))
    problem = books.only(problem for problem in found if problem.sheet == "system")
    assert problem.found == str(text)
    assert problem.cell.startswith("B")


def test_neither_is_an_error_at_the_value():
    problem = books.only(only_flow_errors(books.flows_book({"value": 80})))
    assert (problem.cell, problem.found) == ("E2", "80")
    for word in ("sd", "cv", "default_cv"):
        assert word in problem.do


def test_both_are_an_error():
    book = books.flows_book({"value": 80, "sd": 4, "cv": 0.05}, default_cv=0.1)
    problem = books.only(only_flow_errors(book))
    assert problem.cell == "G2"
    assert "both" in problem.what


def test_negative_uncertainties():
    rows = [{"value": 80, "sd": -4}, {"value": 80, "cv": -0.05}]
    found = only_flow_errors(books.flows_book(*rows))
    assert [(p.cell, p.found) for p in found] == [("F2", "-4"), ("G3", "-0.05")]


def test_negative_flows():
    rows = [
        {"value": -8, "sd": 1},
        {"value": -8, "sd": 1, "min": -10},
        {"value": -8, "sd": 1, "min": 0},
        {"value": -8, "sd": 1, "min": None, "max": 5},
        {"value": -8, "sd": 1, "min": -1},
    ]
    found = only_flow_errors(books.flows_book(*rows))
    assert [(p.cell, p.found) for p in found] == [("E2", "-8"), ("E4", "-8"), ("E5", "-8")]
    assert "'f0'" in found[0].what
    assert "min" in found[0].do


def test_limits():
    rows = [
        {"value": 8, "sd": 1, "min": 5, "max": 4},
        {"value": 8, "sd": 1, "min": 5, "max": 5},
        {"value": 8, "sd": 1, "min": -5},
        {"value": 8, "sd": 1, "max": 7},
    ]
    found = only_flow_errors(books.flows_book(*rows))
    assert [p.cell for p in found] == ["G2"]
    data = books.read(books.flows_book(*rows[1:])).data
    assert data["min"].tolist()[:2] == [5, -5]
    assert data["max"].tolist()[::2] == [5, 7]


def test_a_negative_max_leaves_a_flow_no_room():
    # Flows are at least 0 unless min says otherwise.
    system = books.read(books.flows_book({"value": None, "max": -3}))
    with pytest.raises(mfa.BalanceError, match=r"'f0', Cu, 2018 ≤ -3"):
        mfa.reconcile(system)


def test_the_other_columns_and_their_defaults():
    rows = [
        {},
        {"basis": "Assumption", "include": "no", "distribution": "lognormal"},
        {"basis": "estimate", "include": "はい", "reference": "METI, 表 3", "note": "x"},
    ]
    data = books.read(books.flows_book(*rows)).data
    assert data["basis"].tolist() == ["statistic", "assumption", "estimate"]
    assert data["include"].tolist() == [True, False, True]
    assert data["distribution"].tolist() == ["normal", "lognormal", "normal"]
    assert data["reference"].tolist() == ["", "", "METI, 表 3"]
    assert data["note"].tolist() == ["", "", "x"]


def test_bad_choices_in_data_columns():
    rows = [{"basis": "guess", "include": "perhaps", "distribution": "log-normal"}]
    found = only_flow_errors(books.flows_book(*rows))
    assert [(p.cell, p.found) for p in found] == [
        ("E2", "guess"),
        ("F2", "perhaps"),
        ("G2", "log-normal"),
    ]
    assert "'lognormal'" in found[2].do


@pytest.mark.parametrize("sheet", ["stocks", "coefficients", "compositions", "observations"])
def test_every_data_sheet_follows_the_same_rules(sheet):
    keys = {
        "stocks": {"process": "Use", "year": 2018, "quantity": "change"},
        "coefficients": {"coefficient": "k", "flow": "metal", "year": 2018},
        "compositions": {"flow": "metal", "substance": "Cu", "year": 2018},
        "observations": {"observation": "o", "flow": "metal", "year": 2018},
    }[sheet]
    head = [*keys, "value", "sd", "cv", "min", "max", "basis"]
    faults = [
        [0.5, None, None, None, None, None],
        [0.5, 0.1, 0.1, None, None, None],
        [0.5, -0.1, None, None, None, None],
        [0.5, None, -0.1, None, None, None],
        [0.5, 0.1, None, 0.9, 0.8, None],
        [0.5, 0.1, None, None, None, "guess"],
        [0.5, "x", None, None, None, None],
    ]
    rows = []
    for i, fault in enumerate(faults):
        changed = keys | {"year": 2018 + i, "observation": f"o{i}", "coefficient": f"k{i}"}
        rows.append([*(changed[key] for key in keys), *fault])
    found = [p for p in books.errors(books.small(**{sheet: [head, *rows]})) if p.sheet == sheet]
    letters = "ABCDEFGHIJ"
    first = len(keys)
    columns = [0, 2, 1, 2, 3, 5, 1]
    wanted = [f"{letters[first + column]}{row}" for row, column in enumerate(columns, 2)]
    assert [p.cell for p in found if p.cell in wanted] == wanted
