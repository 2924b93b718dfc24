"""Writing workbooks: plain tables with a styled, frozen header row, and nothing that can run."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from mfa.io.rows import ErrorValue, head_of, rows_of
from mfa.io.whole import whole_file
from mfa.schema import SHEET, column_names, fold
from mfa.system import RawSheet

LAST_ROW = 2**20
LONGEST_TEXT = 32_767
LONGEST_NAME = 31
_FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff\x00]")
# ECMA-376, 22.9.2.19: a character that XML cannot hold is written _xHHHH_, and so an underscore
# that would be taken for the start of one.
_ESCAPED = re.compile("[\x01-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]|^'|'$")
_MODIFIED = re.compile(rb"(<dcterms:modified [^>]*>)[^<]*")
_NUMBER_FORMAT = "#,##0.####"
_FORMATTED_ROWS = 20_000
_WIDEST = 60
YEAR = "0"
_PLAIN = "E9E3D2"
FONT = "Calibri"  # what openpyxl gives to all other cells


@dataclass(frozen=True, slots=True)
class Choice:
    """What may stand in a range of cells.

    Parameters
    ----------
    cells : str
        For example ``"C2:C1048576"``.
    formula : str
        Source of a drop-down; for ``kind`` decimal or whole unused.
    kind : {"list", "decimal", "whole"}
        A list, any number, or a year.
    refuse : {"", "warning", "stop"}
        Whether something else is let pass, asked about or refused.
    message : str
        Shown then.
    """

    cells: str
    formula: str = ""
    kind: str = "list"
    refuse: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """How a sheet looks that people fill in; sequences run along its columns."""

    fills: Sequence[str]
    formats: Sequence[str]
    widths: Sequence[float]
    choices: Sequence[Choice] = ()
    tab: str = ""
    hidden: bool = False
    freeze: str = "A2"


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet to be written.

    Parameters
    ----------
    name : str
    headers : sequence of object
        Row 1; mostly texts.
    rows : sequence of sequences
        The cells below.
    comments : mapping of str to str
        Comments for some of the headers.
    formatted : bool
        Whether numbers are shown with a few decimals only; else in full.
    look : Look, optional
        Of a sheet that people fill in.
    """

    name: str
    headers: Sequence[object]
    rows: Sequence[Sequence[object]]
    comments: Mapping[str, str] = field(default_factory=dict)
    formatted: bool = True
    look: Look | None = None


def from_frame(name: str, frame: pd.DataFrame) -> Table:
    """Return a DataFrame as a sheet; nan and None become blank cells, truth values yes and no."""
    columns: list[list[object]] = []
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if column.dtype == bool:
            columns.append(["yes" if value else "no" for value in column.tolist()])
        elif isinstance(column.dtype, pd.Int64Dtype):
            columns.append([None if value is pd.NA else value for value in column.tolist()])
        else:
            columns.append(column.tolist())
    rows = [list(row) for row in zip(*columns, strict=True)] if columns else []
    return Table(name, [str(header) for header in frame.columns], rows)


def from_raw(raw: RawSheet) -> Table:
    """Return a raw sheet as it is, with the format's help as comments on its headers."""
    spec = SHEET.get(raw.name)
    comments: dict[str, str] = {}
    if spec:
        names = column_names(spec)
        help_ = {column.name: column.help for column in spec.columns}
        comments = {
            header: help_[names[fold(header)]] for header in raw.headers if fold(header) in names
        }
    return Table(raw.name, head_of(raw), _rows_or_reasons(raw), comments, formatted=False)


def _rows_or_reasons(raw: RawSheet) -> list[list[object]]:
    """Return the rows; where a cell has no value, the reason stands in its place."""
    rows = rows_of(raw)
    for (i, j), why in raw.faults.items():
        rows[i][j] = why if rows[i][j] is None else rows[i][j]
    return rows


def _text(text: str) -> str | None:
    """Return a text that XML can hold and that reads the same again."""
    text = _FORBIDDEN.sub("\ufffd", text[:LONGEST_TEXT])
    text = _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", text.replace("\r\n", "\n"))
    return text or None


def _plain(value: object) -> Any:
    """Return a value that openpyxl writes as it is: no nan, no control characters."""
    if isinstance(value, ErrorValue) or value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (dt.date, dt.time, dt.timedelta)) and not getattr(value, "tzinfo", None):
        return value
    return _text(str(value))


def _cell(sheet: Any, value: object, form: str | None) -> Any:
    """Return what openpyxl is to append: a cell of its own where type or format need it.

    Parameters
    ----------
    form : str or None
        Number format; "" is the general one, None lets the number decide.
    """
    plain = _plain(value)
    if plain is None:
        return None
    number = type(plain) is float
    if form is None:
        form = _NUMBER_FORMAT if number and not plain.is_integer() else ""
    risky = isinstance(plain, str) and plain[:1] in ("=", "#")
    long = number and float(f"{plain:.16g}") != plain  # openpyxl writes 16 digits
    if not (form or risky or long):
        return plain
    cell = WriteOnlyCell(sheet, repr(plain) if number else plain)
    if number:
        cell.data_type = "n"
    elif isinstance(plain, str):
        cell.data_type = "e" if isinstance(plain, ErrorValue) else "s"
        cell.quotePrefix = risky and cell.data_type == "s"
    if form and not isinstance(plain, (dt.date, dt.time, dt.timedelta)):
        cell.number_format = form
    if form == YEAR:  # clear of the texts on its right
        cell.alignment = Alignment(horizontal="center")
    return cell


def _header(sheet: Any, header: object, comment: str | None, fill: str) -> Any:
    cell = WriteOnlyCell(sheet, _plain(header))
    if isinstance(header, str):
        cell.data_type = "e" if isinstance(header, ErrorValue) else "s"
    dark = sum(int(fill[i : i + 2], 16) for i in (0, 2, 4)) < 3 * 140
    cell.font = Font(name=FONT, bold=True, color="FFFFFF" if dark else "000000")
    cell.fill = PatternFill("solid", fgColor=fill)
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if comment:
        height = 30 + 18 * sum(1 + _columns(line) // 42 for line in comment.splitlines())
        cell.comment = Comment(comment, "mfa", width=300, height=height)
    return cell


def _columns(text: str) -> int:
    """Return how wide a text is, East Asian characters counted twice."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def width(header: object, column: Sequence[object]) -> float:
    """Return a column width that shows the header and most cells."""
    shown = [f"{v:,.4g}" if isinstance(v, float) else str(v) for v in column if v is not None]
    texts = sorted(_columns(text) for text in shown[:2000])
    typical = texts[int(0.9 * (len(texts) - 1))] if texts else 0
    return float(min(max(_columns(str(header or "")) + 2, typical + 2, 6), _WIDEST))


def _validation(choice: Choice) -> DataValidation:
    limits = {"decimal": ("-1E+300", "1E+300"), "whole": ("1000", "3000")}
    low, high = limits.get(choice.kind, (choice.formula, None))
    return DataValidation(
        type=choice.kind,
        operator=None if choice.kind == "list" else "between",
        formula1=low,
        formula2=high,
        allow_blank=True,
        showErrorMessage=bool(choice.refuse),
        errorStyle=choice.refuse or None,
        error=choice.message or None,
        sqref=choice.cells,
    )


def sheet_name(name: str, taken: Sequence[str] = ()) -> str:
    """Return a name that Excel allows and that is not taken yet.

    Examples
    --------
    >>> sheet_name("what [if]?"), sheet_name("Survey", ["flows", "survey"])
    ('what _if__', 'Survey (2)')
    """
    allowed = _NOT_IN_NAMES.sub("_", name) or "_"
    used = {other.casefold() for other in taken}
    out, number = allowed[:LONGEST_NAME], 1
    while out.casefold() in used:
        number += 1
        ending = f" ({number})"
        out = allowed[: LONGEST_NAME - len(ending)] + ending
    return out


@contextmanager
def _new_book() -> Iterator[Workbook]:
    """Give a workbook whose sheets are closed at the end, whatever happened to them.

    A sheet left open would try to write its end when it is thrown away, and fail loudly.
    """
    book = Workbook(write_only=True)
    try:
        yield book
    finally:
        for sheet in book.worksheets:
            if not sheet.closed:
                with suppress(Exception):
                    sheet.close()


def _write(book: Workbook, table: Table) -> None:
    sheet = book.create_sheet(sheet_name(table.name, book.sheetnames))
    look = table.look
    sheet.freeze_panes = look.freeze if look else "A2"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.headers)
    formats: list[str | None] = [None] * len(table.headers)
    if len(table.rows) > _FORMATTED_ROWS or not table.formatted:
        formats = [""] * len(table.headers)
    elif look:
        formats = list(look.formats)
    if look:
        sheet.sheet_properties.tabColor = look.tab or None
        sheet.sheet_state = "hidden" if look.hidden else "visible"
        for choice in look.choices:
            sheet.data_validations.append(_validation(choice))
    for number, (header, column) in enumerate(zip(table.headers, columns, strict=True)):
        dimension = sheet.column_dimensions[get_column_letter(number + 1)]
        dimension.width = look.widths[number] if look else width(header, column)
        if look and look.formats[number]:
            dimension.number_format = look.formats[number]
    fills = look.fills if look else [_PLAIN] * len(table.headers)
    comments = table.comments
    sheet.append(
        [
            _header(sheet, header, comments.get(str(header)), fill)
            for header, fill in zip(table.headers, fills, strict=True)
        ]
    )
    for row in table.rows:
        sheet.append([_cell(sheet, v, form) for v, form in zip(row, formats, strict=True)])


def save_workbook(
    path: str | Path,
    tables: Sequence[Table],
    title: str,
    made: dt.datetime | None = None,
    finish: Callable[[Workbook], None] | None = None,
) -> None:
    """Write sheets to an .xlsx file, which appears whole or not at all.

    Texts that look like formulas are written as texts.

    Parameters
    ----------
    path : path
        Where to write.
    tables : sequence of Table
        The sheets in their order; a name that Excel does not allow, or that stands twice, is
        changed.
    title : str
        Title in the file's properties.
    made : datetime, optional
        Date of the file, so that the same sheets give the same bytes; by default now.
    finish : callable, optional
        Adds to the workbook before it is saved.

    Raises
    ------
    PermissionError
        If the file cannot be replaced, as when it is open in Excel.
    """
    with _new_book() as book, whole_file(path) as draft:
        book.properties.title = _plain(title)
        book.properties.creator = "mfa"
        if made is not None:
            book.properties.created = book.properties.modified = made
        for table in tables:
            _write(book, table)
        if finish:
            finish(book)
        book.save(draft)
        if made is not None:
            _date(draft, made)


def _date(path: Path, made: dt.datetime) -> None:
    """Give a saved workbook and its parts a date, where openpyxl writes that of its saving."""
    with ZipFile(path) as saved:
        parts = [(info, saved.read(info)) for info in saved.infolist()]
    moment = made.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with ZipFile(path, "w", ZIP_DEFLATED) as out:
        for info, content in parts:
            dated = _MODIFIED.sub(rb"\g<1>" + moment, content)
            kept = dated if info.filename == "docProps/core.xml" else content
            out.writestr(ZipInfo(info.filename, made.timetuple()[:6]), kept, ZIP_DEFLATED)
