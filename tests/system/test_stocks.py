"""The sheet ``stocks``: levels, changes, opening stocks."""

from __future__ import annotations

import pytest

import mfa

from . import books

SMALL = books.SMALL


def store(*stocks, flows=((2018, 10, 4), (2019, 9, 6)), sd=0.5):
    """Return a book with one store: what enters and leaves it by year, and rows of stocks."""
    rows = [[name, a, b] for name, a, b in (("in", "Mine", "Use"), ("out", "Use", "Market"))]
    listed = [[*rows[i], year, pair[i], sd] for year, *pair in flows for i in (0, 1)]
    keys = ["process", "year", "quantity", "value", "unit", "sd"]
    return books.small(
        flows=[["flow", "from", "to", "year", "value", "sd"], *listed],
        stocks=[keys, *[["Use", *row] for row in stocks]],
    )


def stocks_of(book):
    table = mfa.reconcile(books.read(book)).stocks
    return table.set_index(["quantity", "year"])


def test_an_opening_level_and_the_flows_give_all_levels():
    table = stocks_of(
        store([2017, "level", 100, "kt", 0], flows=((2018, 10, 4), (2019, 9, 6)), sd=0)
    )
    assert table.loc[("level", 2017), "value"] == 100
    assert table.loc[("change", 2018), "value"] == pytest.approx(6, rel=1e-12)
    assert table.loc[("level", 2018), "value"] == pytest.approx(106, rel=1e-12)
    assert table.loc[("level", 2019), "value"] == pytest.approx(109, rel=1e-12)
    assert set(table["unit"]) == {"kt", "kt/yr"}


def test_the_difference_of_two_levels_is_the_sum_of_the_changes():
    book = store([2017, "level", 100, "kt", 0], [2019, "level", 112, "kt", 0], sd=1)
    table = stocks_of(book)
    # 6 + 3 against 12: 3 more, shared by four flows of one and the same sd.
    assert table.loc[("change", 2018), "value"] == pytest.approx(7.5, rel=1e-12)
    assert table.loc[("change", 2019), "value"] == pytest.approx(4.5, rel=1e-12)
    assert table.loc[("level", 2018), "value"] == pytest.approx(107.5, rel=1e-12)


def test_units_of_levels_and_changes():
    table = stocks_of(store([2018, "level", 0.5, "Mt", 1e-9], [2018, "change", 6500, "t/yr", 1]))
    assert table.loc[("level", 2018), "observed"] == 500
    assert table.loc[("change", 2018), "observed"] == 6.5
    assert table.loc[("change", 2018), "value"] == pytest.approx(6.5, abs=1e-3)


def test_every_process_with_a_stock_has_both_rows_in_every_year():
    table = stocks_of(store())
    assert sorted(table.index) == [(q, y) for q in ("change", "level") for y in (2018, 2019)]
    assert table.loc[("level", 2018), "status"] == "undetermined"
    assert table.loc[("change", 2018), "status"] == "calculated"


def test_a_change_may_be_negative_and_a_level_may_not():
    book = store([2018, "change", -6, "kt/yr", 1], [2018, "level", -5, "kt", 1])
    problem = books.only(books.errors(book))
    assert (problem.sheet, problem.cell, problem.found) == ("stocks", "D3", "-5")
    assert "2018" in problem.what
    assert "change" in problem.do


def test_rows_that_cannot_stand():
    book = books.small(
        stocks=[
            ["process", "substance", "year", "quantity", "value", "sd"],
            ["Usee", "Cu", 2018, "level", 5, 1],
            ["Smelter", "Cu", 2018, "level", 5, 1],
            ["Use", "Zn", 2018, "level", 5, 1],
            ["Use", "Cu", 2018, None, 5, 1],
            ["Use", "Cu", 2018, "change", 5, 1],
            ["Use", None, 2018, "change", 6, 1],
            ["Use", "Cu", None, "change", 6, 1],
        ]
    )
    found = books.errors(book)
    assert [p.cell for p in found] == ["A2", "A3", "B4", "D5", "A7", "C8"]
    assert "'Use'" in found[0].do
    assert "no stock" in found[1].what
    assert "A6" in found[4].what


def test_levels_outside_the_years_of_the_flows_are_remarked_on():
    book = store([2010, "level", 50, "kt", 1], [2017, "level", 90, "kt", 1])
    book = books.add(book, "stocks", ["Use", 2017, "change", 3, "kt/yr", 1])
    system = books.read(book)
    found = mfa.remarks(system)
    assert [(p.sheet, p.cell, p.severity) for p in found] == [
        ("stocks", "D2", "warning"),
        ("stocks", "D4", "warning"),
    ]
    assert all(p.file for p in found)


def test_years_that_the_flows_skip_are_remarked_on():
    book = store([2017, "level", 90, "kt", 1], flows=((2018, 10, 4), (2021, 9, 6)))
    found = mfa.remarks(books.read(book))
    assert "2019–2020" in books.only(found).what
    # The rate of 2021 holds for three years: 90 + 6 + 3 · 3.
    assert stocks_of(book).loc[("level", 2021), "value"] == pytest.approx(105, rel=1e-12)


def test_an_unknown_stock_of_a_process_is_one_quantity_less_known():
    book = store(flows=((2018, 10, None), (2019, 9, 6)))
    table = stocks_of(book)
    assert table.loc[("change", 2018), "status"] == "undetermined"
    assert table.loc[("change", 2019), "value"] == 3
