"""Writing workbooks: plain tables with a styled, frozen header row, and nothing that can run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from mfa.io.whole import whole_file
from mfa.schema import SHEET, column_names, fold
from mfa.system import RawSheet

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER_FORMAT = "#,##0.####"
_FORMATTED_ROWS = 20_000
_WIDEST = 60
_HEADER_FONT = Font(bold=True)
_HEADER_FILL = PatternFill("solid", fgColor="E9E3D2")


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet to be written: headers, rows, and a comment for some of the headers."""

    name: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    comments: Mapping[str, str] = field(default_factory=dict)


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
    return Table(raw.name, raw.headers, list(zip(*raw.columns, strict=True)), comments)


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


def _header(sheet: Any, text: str, comment: str | None) -> Any:
    cell = WriteOnlyCell(sheet, _plain(text))
    cell.data_type = "s"
    cell.font, cell.fill = _HEADER_FONT, _HEADER_FILL
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if comment:
        cell.comment = Comment(comment, "mfa", width=280, height=90)
    return cell


def _width(header: str, column: Sequence[object]) -> float:
    """Return a column width that shows most cells, East Asian characters counted twice."""
    shown = [f"{v:,.4g}" if isinstance(v, float) else str(v) for v in column if v is not None]
    texts = sorted(sum(2 if ord(c) > 0x2E7F else 1 for c in text) for text in shown[:2000])
    typical = texts[int(0.9 * (len(texts) - 1))] if texts else 0
    return float(min(max(len(header) + 2, typical + 2, 6), _WIDEST))


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
        The sheets in their order; names longer than Excel's 31 characters are cut.
    title : str
        Title in the file's properties.
    made : datetime, optional
        Date in the file's properties; by default now.

    Raises
    ------
    PermissionError
        If the file cannot be replaced, as when it is open in Excel.
    """
    book = Workbook(write_only=True)
    book.properties.title = _plain(title)
    book.properties.creator = "mfa"
    if made is not None:
        book.properties.created = book.properties.modified = made
    for table in tables:
        sheet = book.create_sheet(table.name[:31])
        sheet.freeze_panes = "A2"
        columns = list(zip(*table.rows, strict=True)) or [()] * len(table.headers)
        for number, (header, column) in enumerate(zip(table.headers, columns, strict=True), 1):
            sheet.column_dimensions[get_column_letter(number)].width = _width(header, column)
        comments = table.comments
        sheet.append([_header(sheet, text, comments.get(text)) for text in table.headers])
        formatted = len(table.rows) <= _FORMATTED_ROWS
        for row in table.rows:
            sheet.append([_cell(sheet, value, formatted) for value in row])
    with whole_file(path) as draft:
        book.save(draft)
