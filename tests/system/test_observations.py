"""The sheet ``observations``: statements about sums of flows and stocks."""

from __future__ import annotations

import pytest

import mfa

from . import books

HEAD = ["observation", "flow", "process", "quantity", "factor", "substance", "year", "relation"]
HEAD += ["value", "unit", "sd", "cv"]
PLAIN = {"year": 2018}


def book_with(*rows, **more):
    """Return a book with a mine, a smelter, a market and observations given as dicts."""
    book = books.flows_book(
        {"flow": "a", "value": 10, "sd": 1},
        {"flow": "b", "value": 20, "sd": 2},
        {"flow": "c", "from": "Smelter", "to": "Market"},
        *more.get("flows", []),
    )
    listed = [PLAIN | row for row in rows]
    book["observations"] = [HEAD, *[[row.get(key) for key in HEAD] for row in listed]]
    return book


def results(book):
    balance = mfa.reconcile(books.read(book))
    return balance.flows.set_index("flow")["value"], balance


def errors(*rows):
    return [p for p in books.errors(book_with(*rows)) if p.sheet == "observations"]


def test_a_sum_of_two_flows():
    value, balance = results(
        book_with(
            {"observation": "s", "flow": "a", "value": 36, "sd": 1},
            {"observation": "s", "flow": "b"},
        )
    )
    # Residual 6, variances 1 + 4 + 1: each moves by its variance.
    assert value.tolist() == pytest.approx([11, 24, 35], rel=1e-12)
    assert balance.chi2 == pytest.approx(6, rel=1e-12)
    assert balance.dof == 1


def test_factors_and_units():
    rows = [
        {"observation": "s", "flow": "a", "factor": 0.25, "value": 17500, "unit": "t/yr", "sd": 0},
        {"observation": "s", "flow": "b", "factor": 0.75},
    ]
    value, _ = results(book_with(*rows))
    # Exact: 0.25 a + 0.75 b = 17.5 kt/yr; by hand, with variances 1 and 4 and h = (0.25, 0.75).
    step = (17.5 - 0.25 * 10 - 0.75 * 20) / (0.25**2 * 1 + 0.75**2 * 4)
    assert value.tolist()[:2] == pytest.approx([10 + 0.25 * step, 20 + 0.75 * 4 * step], rel=1e-12)
    assert 0.25 * value["a"] + 0.75 * value["b"] == pytest.approx(17.5, rel=1e-12)


def test_the_sd_is_that_of_the_sum_and_in_the_same_unit():
    row = {"observation": "s", "flow": "a", "factor": 2, "value": 26000, "unit": "t/yr", "sd": 4000}
    value, _ = results(book_with(row))
    # 2a = 26 ± 4 and a = 10 ± 1: gain 2 / (4 + 16) on a misfit of 6.
    assert value["a"] == pytest.approx(10 + 2 / 20 * 6, rel=1e-12)
    system = books.read(book_with(row | {"sd": None, "cv": "10%"}))
    assert system.observations["sd"].tolist() == pytest.approx([2.6], rel=1e-12)


def test_a_second_source_for_the_same_number():
    value, balance = results(
        book_with(
            {"observation": "x", "flow": "a", "value": 14, "sd": 2},
            {"observation": "y", "flow": "a", "value": 15, "sd": 0.5, "relation": "="},
        )
    )
    weights = [(10, 1), (14, 0.25), (15, 4)]
    mean = sum(v * w for v, w in weights) / sum(w for _, w in weights)
    assert value["a"] == pytest.approx(mean, rel=1e-12)
    assert balance.dof == 2


@pytest.mark.parametrize(("relation", "limit", "a"), [("<=", 7, 7), (">=", 12, 12), ("<=", 11, 10)])
def test_limits_are_hard(relation, limit, a):
    book = book_with({"observation": "x", "flow": "a", "relation": relation, "value": limit})
    value, _ = results(book)
    assert value["a"] == pytest.approx(a, rel=1e-9)


def test_other_relations_are_errors():
    rows = [{"observation": r, "flow": "a", "relation": r, "value": 7} for r in ("≤", "<", "==")]
    found = [problem for problem in errors(*rows) if problem.cell.startswith("H")]
    assert [problem.found for problem in found] == ["≤", "<", "=="]
    assert all("=" in problem.do for problem in found)


def test_an_uncertainty_on_a_limit():
    rows = [
        {"observation": "x", "flow": "a", "relation": "<=", "value": 7, "sd": 1},
        {"observation": "y", "flow": "a", "relation": ">=", "value": 7, "cv": 0.1},
    ]
    assert [p.cell for p in errors(*rows)] == ["K2", "L3"]


def test_terms_of_different_years():
    more = [{"flow": name, "year": 2019, "from": None, "to": None} for name in ("a", "b", "c")]
    more[0] |= {"value": 18, "sd": 1}
    more[1] |= {"value": 5, "sd": 0}
    book = book_with(
        {"observation": "x", "flow": "a", "factor": 0.25, "value": 16, "sd": 0},
        {"observation": "x", "flow": "a", "factor": 0.75, "year": 2019},
        flows=more,
    )
    value, _ = results(book)
    # 0.25 · 10 + 0.75 · 18 = 16 already.
    assert value["a"].tolist() == pytest.approx([10, 18], rel=1e-12)


def test_stocks_in_observations():
    book = book_with()
    for year in (2018, 2019):
        book = books.add(
            book,
            "flows",
            ["d", "Mine", "Use", year, None, None],
            ["e", "Use", "Market", year, 3, 0],
        )
    book["observations"] += [
        ["lev", None, "Use", "level", None, None, 2018, None, 0.2, "Mt", 0, None],
        ["chg", None, "Use", "change", None, None, 2019, None, 4000, "t/yr", 0, None],
    ]
    stocks = mfa.reconcile(books.read(book)).stocks.set_index(["quantity", "year"])["value"]
    assert stocks["level", 2018] == pytest.approx(200, rel=1e-12)
    assert stocks["change", 2019] == pytest.approx(4, rel=1e-12)
    assert stocks["level", 2019] == pytest.approx(204, rel=1e-12)


FAULTS = [
    ({"observation": None, "flow": "a"}, "A"),
    ({"flow": "aa"}, "B"),
    ({"flow": None}, "B"),
    ({"flow": None, "process": "Us", "quantity": "level"}, "C"),
    ({"flow": None, "process": "Smelter", "quantity": "level"}, "C"),
    ({"flow": None, "process": "Use"}, "D"),
    ({"process": "Use", "quantity": "level"}, "B"),
    ({"factor": 0}, "E"),
    ({"factor": "x"}, "E"),
    ({"substance": "Zn"}, "F"),
    ({"year": None}, "G"),
    ({"relation": "<"}, "H"),
    ({"value": None}, "I"),
    ({"value": "x"}, "I"),
    ({"unit": "%"}, "J"),
    ({"sd": None}, "I"),
    ({"cv": 0.1}, "L"),
]


def test_faults_are_found_where_they_stand():
    plain = {"flow": "a", "value": 5, "sd": 1}
    rows = [{"observation": f"o{i}"} | plain | fault for i, (fault, _) in enumerate(FAULTS)]
    cells = {problem.cell for problem in errors(*rows)}
    assert cells >= {f"{letter}{row}" for row, (_, letter) in enumerate(FAULTS, 2)}


def test_what_stands_on_later_rows():
    rows = [
        {"observation": "x", "flow": "a", "value": 5, "sd": 1, "relation": "="},
        {"observation": "x", "flow": "b", "value": 5},
        {"observation": "x", "flow": "c", "sd": 1},
        {"observation": "x", "flow": "c", "relation": "<="},
    ]
    assert [p.cell for p in errors(*rows)] == ["I3", "K4", "H5"]


def test_a_flow_that_has_no_row_in_that_year_is_reported():
    # Nothing would be measured by it: an error, a warning or a remark, but not silence.
    book = book_with({"observation": "x", "flow": "a", "year": 2031, "value": 5, "sd": 1})
    found = [*books.problems(book)]
    if not any(p.sheet == "observations" for p in found):
        found += mfa.remarks(books.read(book))
    about = [p for p in found if p.sheet == "observations"]
    assert about
    assert "2031" in about[0].what


def test_a_relative_uncertainty_of_zero_is_warned_of():
    book = book_with({"observation": "x", "flow": "a", "value": 0, "cv": 0.1})
    found = [p for p in books.warnings(book) if p.sheet == "observations"]
    assert [p.cell for p in found] == ["I2"]


def test_include_no_tests_without_pulling():
    book = book_with({"observation": "x", "flow": "a", "value": 14, "sd": 2})
    book = books.with_column(book, "observations", "include", "no")
    value, balance = results(book)
    assert value["a"] == 10
    row = balance.excluded.iloc[0]
    assert row["item"] == "x"
    assert abs(row["z"]) == pytest.approx(4 / 5**0.5, rel=1e-9)
