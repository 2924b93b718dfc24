"""Texts that look like formulas leave as texts; what was read stays as it was."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tests.system import books

RISKY = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x.example","y")', "#REF!"]


def risky_book():
    """Return the small book with texts that a spreadsheet might run, in every kind of column."""
    book = books.SMALL
    for column in ("name", "name_ja", "reference", "note", "=extra"):
        book = books.with_column(book, "flows", column, *RISKY)
    for i, text in enumerate(RISKY[:4]):
        book = books.put(book, f"processes!B{i + 2}", text)
    book = books.put(book, "system!B3", "=1+1")
    return book | {"=notes": [["@head", "text"], *[[text, text] for text in RISKY]]}


@pytest.mark.parametrize(
    ("command", "results"),
    [
        (("balance", "book.xlsx", "-o", "out.xlsx"), "out.xlsx"),
        (("report", "book.xlsx", "-o", "out"), "out/results.xlsx"),
    ],
    ids=["balance", "report"],
)
def test_texts_that_look_like_formulas_are_texts(desk, command, results):
    desk.book(risky_book())
    desk.run(*command, code=0)
    seen = set()
    for sheet in openpyxl.load_workbook(Path(results)).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type not in ("f", "e"), (sheet.title, cell.coordinate)
                if isinstance(cell.value, str) and cell.value[:1] in "=+-@#":
                    assert cell.data_type in ("s", "inlineStr")
                    seen.add(cell.value)
    assert set(RISKY) <= seen


@pytest.mark.parametrize(
    "command",
    [
        ("check", "book.xlsx"),
        ("balance", "book.xlsx", "-o", "out.xlsx"),
        ("sankey", "book.xlsx", "-o", "out.svg"),
        ("report", "book.xlsx", "-o", "out"),
    ],
    ids=lambda words: words[0],
)
def test_the_input_stays_as_it_is(desk, command):
    path = desk.book(risky_book())
    before = path.read_bytes(), path.stat().st_mtime_ns
    desk.run(*command, code=0)
    desk.run(*command, "--json", code=0)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    rest = {name for name in desk.files() if name != "book.xlsx" and not name.startswith("out")}
    assert rest == set()
