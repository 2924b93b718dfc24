"""Columns of many cells without an object for each: numbers in an array, all else once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_NUMBERS = {"floating", "integer", "mixed-integer-float"}


class _Cells(Sequence[object]):
    """What reads like a list of cells, which are made when somebody asks for them."""

    __slots__ = ()

    def tolist(self) -> list[object]:
        """Return the cells, blank ones as None."""
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        return self.tolist()[index] if isinstance(index, slice) else self._cell(index)

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def _cell(self, index: int) -> object:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Numbers(_Cells):
    """A column of nothing but numbers, or nothing but truth values.

    Parameters
    ----------
    values : array, shape (n,)
        Of any kind of number, also of Python objects that are numbers.
    blank : array of bool, shape (n,)
        Where the cell is blank, whatever stands in ``values``.
    """

    values: np.ndarray
    blank: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def _cell(self, index: int) -> object:
        value = self.values[index]
        number = value.item() if isinstance(value, np.generic) else value
        return None if self.blank[index] else number

    def tolist(self) -> list[object]:
        """Return the cells, blank ones as None."""
        cells = self.values.astype(object)
        cells[self.blank] = None
        return list(cells.tolist())

    def at(self, rows: np.ndarray) -> Numbers:
        """Return the cells in some rows."""
        return Numbers(self.values[rows], self.blank[rows])

    def floats(self) -> np.ndarray:
        """Return the numbers, nan where the cell is blank."""
        out = self.values.astype(np.float64)
        out[self.blank] = np.nan
        return out

    def coded(self) -> Coded:
        """Return the same column as codes."""
        there = ~self.blank
        codes = np.full(len(self), -1, dtype=np.int64)
        codes[there], values = pd.factorize(self.values[there])
        return Coded(np.asarray(values).astype(object), codes)


@dataclass(frozen=True, slots=True, eq=False)
class Coded(_Cells):
    """A column of anything, each different cell held once.

    Parameters
    ----------
    values : array of object, shape (k,)
        The different cells.
    codes : array of int, shape (n,)
        Which of them stands in each row, −1 where the cell is blank.
    """

    values: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def _cell(self, index: int) -> object:
        code = self.codes[index]
        return None if code < 0 else self.values[code]

    def objects(self) -> np.ndarray:
        """Return the cells as an array, blank ones as None; equal ones are one object."""
        return spread(self.values.astype(object), self.codes)

    def tolist(self) -> list[object]:
        """Return the cells, blank ones as None."""
        return list(self.objects().tolist())

    @property
    def blank(self) -> np.ndarray:
        """Where the cell is blank."""
        return np.asarray(self.codes < 0)

    def at(self, rows: np.ndarray) -> Coded:
        """Return the cells in some rows."""
        return Coded(self.values, self.codes[rows])

    def coded(self) -> Coded:
        """Return the column itself."""
        return self


def hold(cells: Sequence[object]) -> Numbers | Coded:
    """Return cells as a column; texts of nothing but spaces are blank.

    Examples
    --------
    >>> hold(["Cu", None, "Cu"]).codes.tolist(), hold([1, None, 0.5]).floats().tolist()
    ([0, -1, 0], [1.0, nan, 0.5])
    """
    if isinstance(cells, Numbers | Coded):
        return cells
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return alike(array) or mixed(array)


def alike(array: np.ndarray) -> Numbers | Coded | None:
    """Return objects as a column if all are texts or all are numbers, None and nan apart."""
    kind = pd.api.types.infer_dtype(array, skipna=True)
    if kind in _NUMBERS:
        try:
            array.astype(np.float64)
        except (OverflowError, TypeError):  # an integer too large, or pandas' own NA
            return None
        return Numbers(array, np.asarray(pd.isna(array)))
    return _coded(*pd.factorize(array)) if kind in ("string", "empty") else None


def mixed(cells: Sequence[object] | np.ndarray) -> Coded:
    """Return any cells as a column: 1, 1.0 and True are not the same."""
    known: dict[tuple[type, object], int] = {}
    codes = np.fromiter(
        (
            -1 if cell is None or cell != cell else known.setdefault((type(cell), cell), len(known))
            for cell in cells
        ),
        dtype=np.int64,
        count=len(cells),
    )
    values = np.empty(len(known), dtype=object)
    values[:] = [cell for _, cell in known]
    return _coded(codes, values)


def _coded(codes: np.ndarray, values: np.ndarray) -> Coded:
    """Return a column of codes, without the texts that are blank."""
    blank = np.array([isinstance(cell, str) and not cell.strip() for cell in values], dtype=bool)
    new = np.where(blank, -1, np.arange(len(values)))
    return Coded(values, spread(new, codes, -1) if blank.any() else codes)


def spread(values: np.ndarray, codes: np.ndarray, blank: object = None) -> np.ndarray:
    """Return the value of every code, ``blank`` for the code −1."""
    longer = np.empty(len(values) + 1, dtype=values.dtype)
    longer[:-1], longer[-1] = values, blank
    return np.asarray(longer[codes])


def frame_of(columns: Mapping[str, np.ndarray | pd.Series]) -> pd.DataFrame:
    """Return columns as a DataFrame that holds them as they are, without copying."""
    series = {
        name: pd.Series(column, dtype=column.dtype, copy=False) for name, column in columns.items()
    }
    return pd.DataFrame(series, copy=False)
