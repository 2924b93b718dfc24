"""What a cell may hold: blank, numbers, numbers typed as text, years, choices, yes and no."""

from __future__ import annotations

import datetime as dt
import math

import openpyxl
import pytest

import mfa

from . import books

SMALL = books.SMALL
TYPED = {
    "1,200": 1200,
    "１２３": 123,
    " 3 ": 3,
    "3.5": 3.5,
    "1,234,567.25": 1234567.25,
    "１，２００．５": 1200.5,
    "1e3": 1000,
    "1.5E-2": 0.015,
    "+7": 7,
    ".5": 0.5,
    "5.": 5,
    "\u3000４２\u00a0": 42,
    "-3": -3,
    "\u22124": -4,
    "－５": -5,
}
NO_NUMBERS = ["1,20", "12,00", "1 200", "1.2.3", "1,2,3", "1,200,00", "abc", "12t", "１２３t", "٣x"]
NO_NUMBERS += ["~5", "5?", "5%", "½", "n/a", "#N/A", "nan", "inf", "Infinity", "1e400", "1e999999"]
NO_NUMBERS += ["-", "--3", "1_000", "0x10", "TRUE"]
NO_NUMBERS += [True, False, dt.date(2018, 3, 4), dt.time(4, 5)]


def values(*cells, **more):
    """Return a book with one flow for every cell in its column value."""
    return books.flows_book(*({"value": cell, "sd": 0.5, **more} for cell in cells))


def test_blank_is_unknown_and_zero_is_zero():
    system = books.read(values(None, "", "  ", "\u3000", "\t", 0, 0.0))
    numbers = system.data["value"].tolist()
    assert all(math.isnan(number) for number in numbers[:5])
    assert numbers[5:] == [0, 0]


def test_a_known_zero_stays_in_the_result_and_a_blank_is_worked_out():
    book = books.flows_book(
        {"value": 0, "sd": 0},
        {"value": 7, "sd": 2},
        {"from": "Smelter", "to": "Market", "value": None},
    )
    flows = mfa.reconcile(books.read(book)).flows
    assert flows["status"].tolist() == ["fixed", "measured", "calculated"]
    assert flows["value"].tolist() == [0, 7, 7]


def test_a_blank_value_without_sd_says_nothing_and_one_with_sd_warns():
    book = books.put(SMALL, "flows!F2", None)
    problem = books.only(books.warnings(book))
    assert (problem.sheet, problem.cell) == ("flows", "F2")
    assert books.warnings(books.put(book, "flows!H2", None)) == []


def test_numbers_typed_as_text_are_read_with_a_warning():
    system = books.read(values(*TYPED, min=-9))
    assert system.data["value"].tolist() == list(TYPED.values())
    found = [problem for problem in system.problems if problem.sheet]
    assert [problem.cell for problem in found] == [f"E{row}" for row in range(2, len(TYPED) + 2)]
    for problem, (text, number) in zip(found, TYPED.items(), strict=True):
        assert (problem.severity, problem.found) == ("warning", text)
        assert f"{number:g}" in problem.what


def test_anything_else_is_an_error_naming_the_cell():
    found = [p for p in books.errors(values(*NO_NUMBERS)) if p.sheet]
    assert {p.cell: p.found for p in found if "number" in p.what} == {
        f"E{row}": str(cell) for row, cell in enumerate(NO_NUMBERS, 2)
    }


@pytest.mark.parametrize("column", ["sd", "cv", "min", "max"])
def test_the_other_numbers_of_a_row_are_read_alike(column):
    rows = [{"value": 700}, {"value": 700}, {"value": 700}]
    rows = [row | {column: cell} for row, cell in zip(rows, ["1,2", "８", "much"], strict=True)]
    book = books.flows_book(*rows, default_cv=0.1)
    found = [p for p in books.problems(book) if p.sheet and "times the value" not in p.what]
    assert [(p.severity, p.cell) for p in found] == [
        ("error", "F2"),
        ("warning", "F3"),
        ("error", "F4"),
    ]


@pytest.mark.parametrize("cell", ["5%", "５％", "5 %", 0.05, "0.05"])
def test_a_cv_may_be_a_percentage(cell):
    system = books.read(books.flows_book({"value": 300, "cv": cell}))
    assert system.data["sd"][0] == pytest.approx(15, rel=1e-15)


def test_a_cv_that_is_no_number():
    cells = ["1e400%", "1e400", "inf%", "x%", "%"]
    found = books.errors(books.flows_book(*({"value": 300, "cv": cell} for cell in cells)))
    assert [p.found for p in found if p.cell.startswith("F")] == cells


def test_formulas_without_a_result_and_excel_errors(tmp_path):
    path = books.save(SMALL, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(path)
    book["flows"]["F2"] = "=50*2"
    book["flows"]["H3"] = "#REF!"
    book["flows"]["E4"] = "#VALUE!"
    book.save(path)
    with pytest.raises(mfa.WorkbookError) as caught:
        mfa.read_workbook(path)
    found = [books.at(caught.value.problems, f"flows!{cell}")[0] for cell in ("F2", "H3", "E4")]
    assert [p.found for p in found][1:] == ["#REF!", "#VALUE!"]
    assert "formula" in found[0].found
    assert all(p.severity == "error" for p in found)


@pytest.mark.parametrize(
    ("cell", "value"), [("F2", "abc"), ("F2", True), ("H2", "abc"), ("E2", "x"), ("A2", None)]
)
def test_a_bad_cell_is_reported_once_and_as_nothing_else(cell, value):
    # What cannot be read is not blank: it has no follow-up such as "the value has no uncertainty".
    book = books.flows_book(*[{"value": 300, "unit": "kt/yr"}] * 2)
    order = ["flow", "from", "to", "substance", "year", "value", "unit", "sd"]
    head = book["flows"][0]
    rows = [dict(zip(head, row, strict=True)) | {"sd": 5} for row in book["flows"][1:]]
    book["flows"] = [order, *[[row.get(name) for name in order] for row in rows]]
    found = [p for p in books.problems(books.put(book, f"flows!{cell}", value)) if p.sheet]
    assert [(p.severity, p.cell) for p in found] == [("error", cell)]


def test_an_excel_error_where_a_name_stands(tmp_path):
    path = books.save(SMALL, tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(path)
    book["processes"]["A3"] = "#N/A"
    book.save(path)
    with pytest.raises(mfa.WorkbookError) as caught:
        mfa.read_workbook(path)
    assert books.at(caught.value.problems, "processes!A3")[0].found == "#N/A"


def test_years():
    rows = [{"flow": str(i), "year": y} for i, y in enumerate([2018, 2018.0, "2018", "２０１８"])]
    system = books.read(books.flows_book(*rows))
    assert system.data["year"].tolist() == [2018] * 4
    assert [p.cell for p in system.problems if "typed as text" in p.what] == ["D4", "D5"]


NO_YEARS = ["20l8", 2018.5, 18, 20180, -2018, "FY2018", "2018年度", "2018/19", "H30", True, "x", 0]


def test_what_is_not_a_year():
    rows = [{"flow": str(i), "year": year} for i, year in enumerate(NO_YEARS)]
    found = [p for p in books.errors(books.flows_book(*rows)) if p.sheet]
    assert [p.cell for p in found] == [f"D{row}" for row in range(2, len(NO_YEARS) + 2)]
    assert all("year" in p.what and p.do for p in found)
    offered = {p.found: p.do for p in found}
    assert offered["FY2018"] == offered["2018年度"] == offered["2018/19"] == "write 2018"


def test_a_date_is_not_a_year_but_the_year_is_offered():
    problem = books.only(books.errors(books.put(SMALL, "flows!E3", dt.date(2016, 4, 1))))
    assert (problem.sheet, problem.cell) == ("flows", "E3")
    assert "2016" in problem.do


def test_two_bad_years_are_two_errors_and_no_duplicates():
    book = books.put(books.put(SMALL, "flows!E2", "20l8"), "flows!E5", "20l9")
    assert [problem.cell for problem in books.errors(book)] == ["E2", "E5"]


def test_yes_and_no():
    yes = ["yes", "YES", "ｙｅｓ", "y", "はい", "有", "○", 1, True, "true"]
    no = ["no", "No ", "いいえ", "無", "×", 0, False, None, "ｎｏ"]
    rows = [[f"p{i}", None, None, None, text, None] for i, text in enumerate(yes + no)]
    book = books.add(SMALL, "processes", *rows)
    stock = books.read(book).processes["stock"].tolist()[4:]
    assert stock == [True] * len(yes) + [False] * len(no)
    bad = ["maybe", "2", "yess", "?"]
    rows = [[f"p{i}", None, None, None, text, None] for i, text in enumerate(bad)]
    found = [p for p in books.errors(books.add(SMALL, "processes", *rows)) if p.sheet]
    assert [(p.cell, p.found) for p in found] == [(f"E{6 + i}", t) for i, t in enumerate(bad)]


def test_choices_are_folded_and_near_ones_offered():
    book = books.put(books.put(SMALL, "processes!D2", " ＳＯＵＲＣＥ"), "stocks!D2", "Level")
    system = books.read(book)
    assert system.processes["kind"][0] == "source"
    assert system.stocks["quantity"][0] == "level"
    changes = {
        "processes!D2": ("sorce", "source"),
        "processes!F3": ("smeltng", "smelting"),
        "stocks!D2": ("levl", "level"),
        "stocks!D3": ("chnge", "change"),
    }
    for place, (text, _) in changes.items():
        book = books.put(book, place, text)
    found = books.errors(book)
    for place, (text, offered) in changes.items():
        problem = books.only(books.at(found, place))
        assert problem.found == text
        assert f"'{offered}'" in problem.do
    assert [f"{p.sheet}!{p.cell}" for p in found] == list(changes)


def test_roles():
    roles = {
        "loss": "loss",
        "Old Scrap": "old_scrap",
        "old_scrap, end_of_life": "old_scrap,end_of_life",
        "old_scrap、end_of_life": "old_scrap,end_of_life",
        "ｏｌｄ_scrap，end_of_life；loss": "old_scrap,end_of_life,loss",
        " ,loss,": "loss",
    }
    system = books.read(books.flows_book(*({"role": text} for text in roles)))
    assert system.flows["role"].tolist() == list(roles.values())
    bad = books.errors(books.flows_book({"role": "old_scrp, los"}))
    assert "'old_scrap'" in books.only(bad).do


def test_numbers_as_names_are_read_as_they_look():
    rows = [["process", "kind"], [1, "source"], [2.0, "sink"], ["03", None]]
    flows = [["flow", "from", "to", "year", "value", "sd"], [7, 1, "03", 2018, 5, 1]]
    book = books.small(processes=rows, flows=[*flows, ["8", "3", 2, 2018, 5, 1]], stocks=None)
    problem = books.only(books.errors(book))
    assert (problem.cell, problem.found) == ("B3", "3")
    assert "'03'" in problem.do
    book["flows"][2][1] = "03"
    assert books.read(book).flows["flow"].tolist() == ["7", "8"]


@pytest.mark.parametrize("place", ["flows!A2", "processes!A5", "stocks!A2", "flows!E2"])
def test_a_blank_where_something_must_stand(place):
    found = books.errors(books.put(SMALL, place, None))
    assert "blank" in books.only(books.at(found, place)).what


def test_a_blank_process_beside_a_misspelt_one():
    book = books.put(books.put(SMALL, "processes!A4", None), "flows!B2", "Mne")
    found = books.errors(book)
    assert books.at(found, "processes!A4")
    assert "'Mine'" in books.at(found, "flows!B2")[0].do


def test_rows_without_a_flow_are_no_flow_called_none():
    book = books.put(books.put(SMALL, "flows!A3", None), "flows!A2", None)
    found = books.errors(book)
    assert [p.cell for p in found if p.cell in ("A2", "A3")] == ["A2", "A3"]
    assert all("None" not in str(problem) for problem in found)


def test_texts_keep_what_is_in_them():
    texts = ["=1+1", "@x", "-2+3", "<b>", "a\nb", '"quoted"', "{x}", "%s", "  padded  ", "{{y}}"]
    system = books.read(books.flows_book(*({"note": text} for text in texts)))
    assert system.data["note"].tolist() == [text.strip() for text in texts]


def test_lookalikes_of_a_year_are_seen_through():
    found = books.errors(books.put(books.put(SMALL, "flows!E2", "20l8"), "flows!E3", "2O18"))
    assert [p.do for p in found] == ["write 2018", "write 2018"]


def test_faults_do_not_spread_to_other_cells():
    # An unreadable kind, stock, quantity or relation is not taken for its default.
    faults = {"processes!D2": "sorce", "processes!E4": "perhaps", "stocks!D2": "levl"}
    book = books.small(
        observations=[
            ["observation", "flow", "year", "relation", "value"],
            ["most", "ore", 2018, "≤", 120],
        ]
    )
    for place, text in faults.items():
        book = books.put(book, place, text)
    wanted = [*faults, "observations!D2"]
    assert [f"{p.sheet}!{p.cell}" for p in books.problems(book)] == wanted


def test_a_column_that_cannot_be_read_does_not_blame_the_others():
    book = books.put(SMALL, "system!B5", None)
    book = books.add(book, "system", ["default_cv", "some"])
    for row in range(2, 8):
        book = books.put(book, f"flows!H{row}", None)
    assert [p.cell for p in books.errors(book)] == ["B5", "B7"]
