"""Tables as they stand in a file, before any meaning is given to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """

    name: str
    headers: tuple[str, ...]
    columns: tuple[list[Cell], ...]
    faults: Mapping[tuple[int, int], str] = field(default_factory=dict)

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


def from_frame(name: str, frame: pd.DataFrame) -> RawSheet:
    """Return a DataFrame as a raw sheet, as if its columns stood in a sheet from A on."""
    values = frame.astype(object).where(frame.notna(), None)
    columns = tuple(list(values.iloc[:, i]) for i in range(values.shape[1]))
    return RawSheet(name, tuple(str(header) for header in frame.columns), columns)
