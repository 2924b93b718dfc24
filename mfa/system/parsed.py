"""A sheet once its cells are read: typed columns, and where each cell stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mfa.system.columns import Coded, spread
from mfa.system.places import Places


@dataclass(frozen=True, slots=True)
class ParsedSheet:
    """A sheet with typed columns and the place of every cell.

    Parameters
    ----------
    name : str
        The sheet's name in the format.
    frame : DataFrame
        Every column of the format (blank ones too), then the unknown ones; blank rows left out.
        Columns are replaced with `put` and `fill` only.
    rows : array of int, shape (n,)
        Row number of each row in the sheet.
    letters : dict
        Column letters of the columns that the sheet has.
    bad : mapping of str to array of bool, shape (n,)
        Cells that cannot be used and are reported, by column; a column that must be there and is
        not counts as such. They are neither blank nor anything else, and no further check may take
        them for that.
    codes : dict of str to Coded
        Columns as codes, as far as anybody has asked for them: checks look at each different cell
        once.
    """

    name: str
    frame: pd.DataFrame
    rows: np.ndarray
    letters: dict[str, str]
    bad: Mapping[str, np.ndarray] = field(default_factory=dict)
    codes: dict[str, Coded] = field(default_factory=dict)

    def is_bad(self, *columns: str) -> np.ndarray:
        """Return the rows in which a cell of one of the columns cannot be used."""
        out = np.zeros(len(self.rows), dtype=bool)
        for column in columns:
            if column in self.bad:
                out |= self.bad[column]
        return out

    def coded(self, column: str) -> Coded:
        """Return a column as codes; no two of its values are the same."""
        if column not in self.codes:
            codes, values = pd.factorize(self.frame[column].to_numpy())
            self.codes[column] = Coded(values, codes)
        return self.codes[column]

    def put(self, column: str, cells: np.ndarray | pd.Series) -> None:
        """Replace a column."""
        self.frame[column] = pd.Series(cells, dtype=cells.dtype, copy=False)
        self.codes.pop(column, None)

    def fill(self, column: str, value: object) -> None:
        """Write a value into the blank cells of a column of texts."""
        coded = self.coded(column)
        if coded.blank.any():
            self.put(column, spread(coded.values.astype(object), coded.codes, value))

    def place(self, row: int, column: str) -> str:
        """Return ``sheet!cell`` of a row (by position) and a column."""
        return f"{self.name}!{self.letters.get(column, 'A')}{self.rows[row]}"

    def places(self, column: str) -> Places:
        """Return ``sheet!cell`` of one column in every row."""
        return Places(f"{self.name}!{self.letters.get(column, 'A')}", self.rows)
