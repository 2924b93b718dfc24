"""Writing workbooks: plain tables with a styled, frozen header row, and nothing that can run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from mfa.io.whole import whole_file
from mfa.schema import SHEET, column_names, fold
from mfa.system import RawSheet

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]|^'|'$")
_LONGEST_NAME = 31
_NUMBER_FORMAT = "#,##0.####"
_FORMATTED_ROWS = 20_000
_WIDEST = 60
_HEADER_FONT = Font(bold=True)
_HEADER_FILL = PatternFill("solid", fgColor="E9E3D2")


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
    """

    name: str
    headers: Sequence[object]
    rows: Sequence[Sequence[object]]
    comments: Mapping[str, str] = field(default_factory=dict)
    formatted: bool = True


class ErrorValue(str):
    """An error value of Excel such as ``#N/A``, and no text that reads like one."""

    __slots__ = ()


def from_frame(name: str, frame: pd.DataFrame) -> Table:
    """Return a DataFrame as a sheet; nan and None become blank cells, truth values yes and no."""
    columns = []
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if column.dtype == bool:
            columns.append(["yes" if value else "no" for value in column.tolist()])
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
    rows = [list(row) for row in zip(*raw.columns, strict=True)]
    for (i, j), why in raw.faults.items():
        rows[i][j] = ErrorValue(why) if why in ERROR_CODES else why
    return Table(raw.name, raw.head or raw.headers, rows, comments, formatted=False)


def _plain(value: object) -> Any:
    """Return a value that openpyxl writes as it is: no nan, no control characters."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return _FORBIDDEN.sub("\ufffd", value)[:32767] or None
    return value


def _is_risky(value: object) -> bool:
    """Return whether openpyxl would take a text for a formula or an error."""
    return isinstance(value, str) and value[:1] in ("=", "#")


def _cell(sheet: Any, value: object, formatted: bool) -> Any:
    if isinstance(value, ErrorValue):
        cell = WriteOnlyCell(sheet, str(value))
        cell.data_type = "e"
        return cell
    value = _plain(value)
    if _is_risky(value):
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"
        cell.quotePrefix = True
        return cell
    if formatted and isinstance(value, float):
        cell = WriteOnlyCell(sheet, value)
        cell.number_format = _NUMBER_FORMAT
        return cell
    return value


def _header(sheet: Any, header: object, comment: str | None) -> Any:
    cell = WriteOnlyCell(sheet, _plain(header))
    if isinstance(header, str):
        cell.data_type = "s"
    cell.font, cell.fill = _HEADER_FONT, _HEADER_FILL
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if comment:
        cell.comment = Comment(comment, "mfa", width=280, height=90)
    return cell


def _width(header: object, column: Sequence[object]) -> float:
    """Return a column width that shows most cells, East Asian characters counted twice."""
    shown = [f"{v:,.4g}" if isinstance(v, float) else str(v) for v in column if v is not None]
    texts = sorted(sum(2 if ord(c) > 0x2E7F else 1 for c in text) for text in shown[:2000])
    typical = texts[int(0.9 * (len(texts) - 1))] if texts else 0
    return float(min(max(len(str(header)) + 2, typical + 2, 6), _WIDEST))


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """Return a name that Excel allows for one more sheet.

    Examples
    --------
    >>> _sheet_name("what [if]?", []), _sheet_name("Survey", ["flows", "survey"])
    ('what _if__', 'Survey (2)')
    """
    allowed = _NOT_IN_NAMES.sub("_", _plain(name) or "_")
    lower = [other.casefold() for other in taken]
    out, number = allowed[:_LONGEST_NAME], 1
    while out.casefold() in lower:
        number += 1
        ending = f" ({number})"
        out = allowed[: _LONGEST_NAME - len(ending)] + ending
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


def save_workbook(
    path: str | Path, tables: Sequence[Table], title: str, made: datetime | None = None
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
        Date in the file's properties; by default now.

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
            _add_sheet(book, table)
        book.save(draft)


def _add_sheet(book: Workbook, table: Table) -> None:
    sheet = book.create_sheet(_sheet_name(table.name, book.sheetnames))
    sheet.freeze_panes = "A2"
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.headers)
    for number, (header, column) in enumerate(zip(table.headers, columns, strict=True), 1):
        sheet.column_dimensions[get_column_letter(number)].width = _width(header, column)
    comments = table.comments
    sheet.append([_header(sheet, header, comments.get(str(header))) for header in table.headers])
    formatted = table.formatted and len(table.rows) <= _FORMATTED_ROWS
    for row in table.rows:
        sheet.append([_cell(sheet, value, formatted) for value in row])
