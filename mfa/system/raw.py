"""Tables as they stand in a file, before any meaning is given to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
