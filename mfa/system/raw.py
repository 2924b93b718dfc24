"""Tables as they stand in a file, before any meaning is given to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

Cell = object  # str, float, int, bool, datetime …; None where the cell is blank


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One sheet: the header row and the columns below it.

    Parameters
    ----------
    name : str
        As the file spells it.
    headers : tuple of str
        Row 1, one per column, "" where blank.
    columns : tuple of list
        One list per header, all of one length: rows 2, 3, … of the sheet. Blank cells are None.
    faults : mapping of (row, column) to str
        Cells that hold no usable value, counted from 0 within ``columns``, and why:
        an Excel error such as ``"#N/A"``, or ``"formula without a stored result"``.
    head : tuple of object
        Row 1 as it stands, where that differs from ``headers``: a year may be a number there.
    """

    name: str
    headers: tuple[str, ...]
    columns: tuple[list[Cell], ...]
    faults: Mapping[tuple[int, int], str] = field(default_factory=dict)
    head: tuple[Cell, ...] = ()

    @property
    def n_rows(self) -> int:
        """Number of rows below the header."""
        return len(self.columns[0]) if self.columns else 0


def column_letters(index: int) -> str:
    """Return the letters of the column at an index that counts from 0.

    Examples
    --------
    >>> column_letters(0), column_letters(25), column_letters(26), column_letters(701)
    ('A', 'Z', 'AA', 'ZZ')
    """
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


_KINDS = (str, float, bool, np.integer, np.floating, np.bool_, dt.date, dt.time, dt.timedelta)
_SIMPLE = {float, bool, type(None)}
_LARGEST = 10**308  # above, an int is no float


def _fits(cell: Cell) -> bool:
    """Return whether a workbook's cell could hold a value."""
    return isinstance(cell, _KINDS) or (isinstance(cell, int) and abs(cell) < _LARGEST)


def _shown(cell: Cell) -> str:
    if isinstance(cell, int):
        return f"an integer of {cell.bit_length()} bits"
    return f"{type(cell).__name__} {str(cell)[:40]}"


def from_frame(name: str, frame: pd.DataFrame) -> RawSheet:
    """Return a DataFrame as a raw sheet, as if its columns stood in a sheet from A on."""
    values = frame.astype(object).where(frame.notna(), None)
    columns: list[list[Cell]] = []
    faults: dict[tuple[int, int], str] = {}
    for j in range(values.shape[1]):
        column = values.iloc[:, j].tolist()
        is_number = getattr(frame.dtypes.iloc[j], "kind", "O") in "biuf"
        kinds = set() if is_number else set(map(type, column)) - _SIMPLE
        if kinds == {str}:
            blank = {cell for cell in set(column) if isinstance(cell, str) and not cell.strip()}
            column = [None if cell in blank else cell for cell in column] if blank else column
        elif kinds:
            for i, fault in _clear(column):
                faults[i, j] = fault
        columns.append(column)
    return RawSheet(name, tuple(str(header) for header in frame.columns), tuple(columns), faults)


def _clear(column: list[Cell]) -> Iterator[tuple[int, str]]:
    """Blank the empty texts of a column, and what no cell could hold; yield the latter."""
    for i, cell in enumerate(column):
        if isinstance(cell, str):
            column[i] = cell if cell.strip() else None
        elif cell is not None and not _fits(cell):
            column[i] = None
            yield i, _shown(cell)
