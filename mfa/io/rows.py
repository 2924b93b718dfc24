"""Raw sheets as rows, with error values among the cells, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mfa.errors import Problem, WorkbookError
from mfa.system import RawSheet
from mfa.system.raw import Cell, column_letters

ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")


class ErrorCode(str):
    """An Excel error value such as ``#N/A``; a text that only reads like one is a plain str."""

    __slots__ = ()


def rows_of(raw: RawSheet) -> list[list[Cell]]:
    """Return the rows below the header; Excel's error values stand among the cells."""
    rows = [list(row) for row in zip(*raw.columns, strict=True)]
    for (i, j), why in raw.faults.items():
        if why in ERRORS:
            rows[i][j] = ErrorCode(why)
    return rows


def sheet_of(name: str, headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> RawSheet:
    """Return rows of any length as a raw sheet, without blank rows and columns at the end."""
    width = max([_filled(headers, ""), *(_filled(row, None) for row in rows)])
    height = next((i for i in range(len(rows), 0, -1) if _filled(rows[i - 1], None)), 0)
    columns: list[list[Cell]] = [[None] * height for _ in range(width)]
    faults: dict[tuple[int, int], str] = {}
    for i, row in enumerate(rows[:height]):
        for j, cell in enumerate(row[:width]):
            if isinstance(cell, ErrorCode):
                faults[i, j] = str(cell)
            else:
                columns[j][i] = cell
    padded = (*headers[:width], *[""] * (width - len(headers)))
    return RawSheet(name, padded, tuple(columns), faults)


def _filled(cells: Sequence[Cell], blank: Cell) -> int:
    """Return the number of cells up to the last one that is not blank."""
    return next((i for i in range(len(cells), 0, -1) if cells[i - 1] != blank), 0)


def check_faults(sheets: Mapping[str, RawSheet], file: str) -> None:
    """Refuse sheets with formulas that have no result, since nothing could be written for them.

    Raises
    ------
    WorkbookError
        Listing every such cell.
    """
    problems = [
        Problem(
            "the cell has no value that could be written",
            "open the workbook in Excel or LibreOffice and save it, so that results are stored",
            why,
            raw.name,
            f"{column_letters(j)}{i + 2}",
            file,
        )
        for raw in sheets.values()
        for (i, j), why in raw.faults.items()
        if why not in ERRORS
    ]
    if problems:
        raise WorkbookError(problems)
