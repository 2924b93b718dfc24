"""The page that says how to fill in a workbook, in English or Japanese."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from mfa.io.forms import NEEDED, SELDOM, USUAL, Lang
from mfa.io.xlsx_write import FONT
from mfa.schema import SHEET, SHEETS, column_names, fold

TITLE = {"en": "how to fill in", "ja": "記入方法"}
_WORDS = {
    "en": ("sheet", "needed?", "what it holds", "yes", "if known", "hidden"),
    "ja": ("シート", "必要？", "内容", "必須", "任意", "非表示"),
}
_WIDTHS = (18, 16, 16, 10, 9, 9, 44)
_COLOURS = {"needed": NEEDED, "usual": USUAL, "seldom": SELDOM}
_LINE = Side(style="thin", color="BFBFBF")

Row = tuple[str, list[object]]


def _rows(lang: Lang, hidden: Mapping[str, bool]) -> Iterator[Row]:
    """Yield style and cells of every row."""
    text = files("mfa.io").joinpath("instructions.csv").read_text(encoding="utf-8")
    for line in csv.DictReader(text.splitlines()):
        style, cells = line["style"], line[lang].split("|")
        if style == "sheets":
            yield from _sheets(lang, hidden)
        elif style == "names":
            yield style, [_header(name, lang) for name in cells]
        elif style == "step":
            yield style, [_sheet(cell, lang) for cell in cells]
        elif style == "caption":
            yield style, [_sheet(cells[0], lang)]
        else:
            yield style, [int(cell) if cell.isdecimal() else cell for cell in cells]


def _sheets(lang: Lang, hidden: Mapping[str, bool]) -> Iterator[Row]:
    """Yield the table of sheets."""
    sheet, needed, holds, required, optional, not_shown = _WORDS[lang]
    yield "names", [sheet, needed, holds]
    for spec in SHEETS:
        when = required if spec.required else not_shown if hidden.get(spec.name) else optional
        ja = lang == "ja"
        yield "row", [spec.ja if ja else spec.name, when, spec.help_ja if ja else spec.help]


def _sheet(text: str, lang: Lang) -> str:
    """Return the name of a sheet where one is meant."""
    if not text.startswith("@"):
        return text
    spec = SHEET[text[1:]]
    return spec.ja if lang == "ja" else spec.name


def _header(name: str, lang: Lang) -> str:
    """Return a column's name as it stands in the workbook."""
    for spec in (SHEET["processes"], SHEET["flows"]):
        if fold(name) in column_names(spec):
            column = next(c for c in spec.columns if c.name == name)
            return column.ja if lang == "ja" else column.name
    raise KeyError(name)


def add_page(book: Workbook, lang: Lang, hidden: Mapping[str, bool]) -> None:
    """Put the page in front of a workbook's sheets.

    Parameters
    ----------
    book : Workbook
        In openpyxl's write-only mode.
    lang : {"en", "ja"}
    hidden : mapping of str to bool
        Which sheets of the format are not shown.
    """
    sheet = book.create_sheet(TITLE[lang], 0)
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = "7F7F7F"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "portrait", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for letter, width in zip("ABCDEFG", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    for style, cells in _rows(lang, hidden):
        sheet.append([_cell(sheet, cell, style, j) for j, cell in enumerate(cells)])
    book.active = 0


def _cell(sheet: Any, value: object, style: str, column: int) -> Any:
    if value == "" and style != "row":
        return None
    cell = WriteOnlyCell(sheet, value or None)
    if isinstance(cell.value, str):
        cell.data_type = "s"
    cell.font = _font(style, column)
    cell.alignment = Alignment(horizontal="left")
    if style in _COLOURS:
        cell.fill = PatternFill("solid", fgColor=_COLOURS[style])
    if style == "names":
        cell.fill = PatternFill("solid", fgColor=USUAL)
    if style in ("names", "row"):
        cell.border = Border(bottom=_LINE)
    return cell


def _font(style: str, column: int) -> Font:
    bold = style in ("title", "head", "caption", "names")
    bold |= style == "step" and column < 2
    bold |= style == "word" and column < 1
    size = {"title": 16, "head": 13}.get(style, 11)
    colour = {"head": NEEDED, "needed": "FFFFFF"}.get(style, "000000")
    return Font(name=FONT, bold=bold, size=size, color=colour)
