"""Every problem at once: complete, in the order of places, and worded alike."""

from __future__ import annotations

import random
import re

import pytest

import mfa
from mfa.errors import Problem

from . import books

SMALL = books.SMALL
FAULTS = {
    "system!B5": ("ktt/yr", "kt/yr"),
    "processes!D2": ("sorce", "source"),
    "processes!E3": ("perhaps", "yes"),
    "flows!C3": ("Us", "Use"),
    "flows!F2": ("1OO", "number"),
    "flows!E4": ("20l8", "2018"),
    "flows!D5": ("Cuu", "Cu"),
    "flows!H6": (-3, "0"),
    "flows!G7": ("kt/yrr", "kt/yr"),
    "stocks!A2": ("Usee", "Use"),
    "stocks!D3": ("chang", "change"),
    "stocks!E2": (-4, "0"),
}


def faulty(places=FAULTS):
    book = SMALL
    for place in places:
        book = books.put(book, place, FAULTS[place][0])
    return book


def test_many_faults_are_reported_at_once():
    found = books.errors(faulty())
    for place, (value, offered) in FAULTS.items():
        problem = books.at(found, place)[0]
        assert problem.found == str(value)
        assert offered in problem.do + problem.what


def test_any_few_faults_are_reported_each_at_its_place():
    chance = random.Random(7)
    for _ in range(12):
        places = chance.sample(sorted(FAULTS), 3)
        found = books.errors(faulty(places))
        assert {f"{p.sheet}!{p.cell}" for p in found} >= set(places)


def key_of(problem):
    letters, row = re.fullmatch(r"([A-Z]*)(\d*)", problem.cell).groups()
    order = ["", "system", "processes", "flows", "stocks", "coefficients", "compositions"]
    return order.index(problem.sheet), int(row or 0), len(letters), letters


def test_problems_come_in_the_order_of_their_places():
    found = [p for p in books.errors(faulty()) if f"{p.sheet}!{p.cell}" in FAULTS]
    assert found == sorted(found, key=key_of)


def test_columns_beyond_z_come_after_the_others():
    book = books.small()
    for i in range(20):
        book = books.with_column(book, "flows", f"extra {i}", 1)
    book = books.put(books.with_column(book, "flows", "role", "bad"), "flows!F2", "bad")
    assert [p.cell for p in books.errors(book)] == ["F2", "AC2"]


def test_messages_have_one_shape():
    with pytest.raises(mfa.WorkbookError) as caught:
        books.read(faulty())
    error = caught.value
    lines = str(error).splitlines()
    count = sum(p.severity == "error" for p in error.problems)
    assert lines[0] == f"{count} problems:"
    assert len(lines) == count + 1
    for line in lines[1:]:
        assert re.match(r"- book\.xlsx, \w+!\w+: .+ \(found .+\); .+", line) or "(found" not in line


def test_every_message_says_what_to_do():
    for problem in books.problems(faulty()):
        assert problem.what.strip(" ;.") == problem.what
        assert problem.do
        assert problem.file == "book.xlsx"


def test_found_is_quoted_as_the_user_wrote_it():
    found = books.errors(books.put(SMALL, "flows!F2", " 12 t "))
    assert found[0].found == " 12 t "
    assert "' 12 t '" in str(found[0])


def test_the_message_of_a_problem():
    problem = Problem("'x' is wrong", "write y", "x", "flows", "B2", "f.xlsx")
    assert str(problem) == "f.xlsx, flows!B2: 'x' is wrong (found 'x'); write y"
    assert str(Problem("wrong", "right")) == "wrong; right"


def test_blank_problems_do_not_repeat_the_same_cell():
    found = books.errors(books.put(SMALL, "flows!E2", "20l8"))
    assert len({(p.sheet, p.cell, p.what) for p in found}) == len(found)


def test_warnings_travel_with_the_system_and_do_not_raise():
    system = books.read(books.put(SMALL, "flows!F2", "1,000"))
    assert [p.severity for p in system.problems] == ["warning"]
    assert mfa.reconcile(system).system.problems == system.problems


@pytest.mark.parametrize(
    ("sheet", "column", "value"),
    [
        ("origins", "flow", "oree"),
        ("origins", "equity", 1.2),
        ("origins", "equity", -0.1),
        ("lifetimes", "process", "Usee"),
        ("lifetimes", "distribution", "weibul"),
        ("lifetimes", "mean", "long"),
        ("scenarios", "target", "flws"),
        ("scenarios", "year", "soon"),
        ("shocks", "target", "countri"),
        ("stockpiles", "process", "Usee"),
        ("technologies", "process", "Usee"),
        ("rules", "relation", "=>"),
        ("measures", "kind", "tax"),
        ("countries", "governance", "good"),
    ],
)
def test_the_other_sheets_are_checked_too(sheet, column, value):
    rows = {
        "origins": {"flow": "ore", "country": "Chile", "equity": 0.3},
        "lifetimes": {"process": "Use", "distribution": "fixed", "mean": 20},
        "scenarios": {"scenario": "s", "target": "flow", "item": "ore", "year": 2030},
        "shocks": {"shock": "s", "target": "country", "item": "Chile"},
        "stockpiles": {"process": "Use", "value": 3},
        "technologies": {"process": "Use", "technology": "wire"},
        "rules": {"rule": "r", "relation": "<="},
        "measures": {"measure": "m", "kind": "finance"},
        "countries": {"country": "Chile", "governance": 0.3},
    }[sheet]
    good = books.small(**{sheet: [list(rows), list(rows.values())]})
    assert books.errors(good) == []
    bad = rows | {column: value}
    problem = books.only(books.errors(books.small(**{sheet: [list(bad), list(bad.values())]})))
    assert problem.sheet == sheet
    assert problem.cell == "ABCD"[list(bad).index(column)] + "2"
    assert problem.found == str(value)
