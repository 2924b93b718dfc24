"""Raw sheets as rows, with error values among the cells, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mfa.errors import Problem, WorkbookError
from mfa.system import RawSheet
from mfa.system.raw import Cell, column_letters

ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")


class ErrorValue(str):
    """An Excel error value such as ``#N/A``; a text that only reads like one is a plain str."""

    __slots__ = ()


def rows_of(raw: RawSheet) -> list[list[Cell]]:
    """Return the rows below the header; Excel's error values stand among the cells."""
    rows = [list(row) for row in zip(*raw.columns, strict=True)]
    for (i, j), why in raw.faults.items():
        if why in ERRORS:
            rows[i][j] = ErrorValue(why)
    return rows


def head_of(raw: RawSheet) -> tuple[Cell, ...]:
    """Return row 1 as it stands: mostly texts, but a year may be a number there."""
    return raw.head or raw.headers


def header_text(cell: Cell) -> str:
    """Return a header as Excel would show it: a year typed as a number as "2018"."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).upper() if isinstance(cell, bool) else str(cell)


def sheet_of(name: str, head: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> RawSheet:
    """Return rows of any length as a raw sheet, without blank rows and columns at the end."""
    width = max([_filled(head), *map(_filled, rows)])
    height = next((i for i in range(len(rows), 0, -1) if _filled(rows[i - 1])), 0)
    columns: list[list[Cell]] = [[None] * height for _ in range(width)]
    faults: dict[tuple[int, int], str] = {}
    for i, row in enumerate(rows[:height]):
        for j, cell in enumerate(row[:width]):
            if isinstance(cell, ErrorValue):
                faults[i, j] = str(cell)
            else:
                columns[j][i] = cell
    padded = (*head[:width], *[None] * (width - len(head)))
    headers = tuple(map(header_text, padded))
    return RawSheet(name, headers, tuple(columns), faults, padded)


def _filled(cells: Sequence[Cell]) -> int:
    """Return the number of cells up to the last one that is not blank."""
    return next((i for i in range(len(cells), 0, -1) if cells[i - 1] is not None), 0)


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
            "write a number or a text; of a formula, store the result by saving it in Excel",
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
