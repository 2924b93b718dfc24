"""Tables as they stand in a file, before any meaning is given to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mfa.system.columns import Coded, Numbers, alike, mixed

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
    columns : tuple of sequence
        One per header, all of one length: rows 2, 3, … of the sheet. Blank cells are None. Lists,
        if they come from a file; of a DataFrame, sequences that make their cells when asked.
    faults : mapping of (row, column) to str
        Cells that hold no usable value, counted from 0 within ``columns``, and why:
        an Excel error such as ``"#N/A"``, or ``"formula without a stored result"``.
    head : tuple of object
        Row 1 as it stands, where that differs from ``headers``: a year may be a number there.
    """

    name: str
    headers: tuple[str, ...]
    columns: tuple[Sequence[Cell], ...]
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
    columns: list[Sequence[Cell]] = []
    faults: dict[tuple[int, int], str] = {}
    for j in range(frame.shape[1]):
        column, misfits = _column(frame.iloc[:, j])
        columns.append(column)
        faults |= {(i, j): fault for i, fault in misfits.items()}
    return RawSheet(name, tuple(str(header) for header in frame.columns), tuple(columns), faults)


def _column(series: pd.Series) -> tuple[Numbers | Coded, dict[int, str]]:
    """Return the cells of a series, and what of it no cell could hold, by row."""
    dtype = getattr(series.dtype, "numpy_dtype", series.dtype)  # pandas' own numbers may be NA
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        blank = series.isna().to_numpy(dtype=bool)
        known = series if dtype is series.dtype else series.fillna(dtype.type(0).item())
        return Numbers(known.to_numpy().astype(dtype), blank), {}
    cells = series.astype(object).to_numpy(copy=True)
    if (column := alike(cells)) is not None:
        return column, {}
    cells[pd.isna(cells)] = None
    misfits = dict(_clear(cells))
    return mixed(cells), misfits


def _clear(cells: np.ndarray) -> Iterator[tuple[int, str]]:
    """Blank what no cell of a workbook could hold, and yield its row and what it is."""
    for i, cell in enumerate(cells):
        if cell is not None and not _fits(cell):
            cells[i] = None
            yield i, _shown(cell)
