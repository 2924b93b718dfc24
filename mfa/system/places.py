"""Places in a sheet as a column of a table: row numbers, from which the text is made when read."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype, take


class PlaceDtype(ExtensionDtype):
    """Type of a column that holds the places of one column of a sheet.

    Parameters
    ----------
    start : str
        What all places begin with: ``flows!F``.
    """

    name = "place"
    type = str
    kind = "U"
    na_value = np.nan
    _metadata = ("start",)

    def __init__(self, start: str) -> None:
        self.start = start

    def __repr__(self) -> str:
        return f"PlaceDtype({self.start!r})"

    @classmethod
    def construct_array_type(cls) -> builtins.type[Places]:
        """Return the array that goes with the type."""
        return Places


class Places(ExtensionArray):
    """Texts ``sheet!cell`` of one column, of which only the row numbers are kept.

    A column of them in a DataFrame reads like one of texts, and becomes one where it meets other
    texts, or with ``astype(object)``.

    Parameters
    ----------
    start : str
        What all begin with.
    rows : array of int, shape (n,)
        Row numbers in the sheet; −1 where there is no place.

    Examples
    --------
    >>> import pandas as pd
    >>> places = pd.Series(Places("flows!F", [2, 3, 12]))
    >>> places.tolist(), places.str.len().tolist()
    (['flows!F2', 'flows!F3', 'flows!F12'], [8, 8, 9])
    """

    def __init__(self, start: str, rows: Sequence[int] | np.ndarray) -> None:
        self._dtype = PlaceDtype(start)
        self._rows = np.asarray(rows, dtype=np.int64)

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> Places:
        if not isinstance(dtype, PlaceDtype):
            raise TypeError("places need to know what they begin with")
        if isinstance(scalars, cls) and scalars.dtype == dtype:
            return cls(dtype.start, scalars._rows.copy() if copy else scalars._rows)
        return cls(dtype.start, [_row(dtype.start, scalar) for scalar in scalars])

    @classmethod
    def _from_factorized(cls, values: np.ndarray, original: Places) -> Places:
        return cls(original.dtype.start, values)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[Places]) -> Places:
        rows = np.concatenate([places._rows for places in to_concat])
        return cls(to_concat[0].dtype.start, rows)

    @property
    def dtype(self) -> PlaceDtype:
        """The type, which holds what all begin with."""
        return self._dtype

    @property
    def nbytes(self) -> int:
        """Bytes that the row numbers take."""
        return self._rows.nbytes

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._texts().tolist())

    def __getitem__(self, item: Any) -> Any:
        item = pd.api.indexers.check_array_indexer(self, item)
        rows = self._rows[item]
        if np.ndim(rows) == 0:
            return f"{self._dtype.start}{rows}" if rows >= 0 else self._dtype.na_value
        return type(self)(self._dtype.start, rows)

    def __setitem__(self, key: Any, value: Any) -> None:
        key = pd.api.indexers.check_array_indexer(self, key)
        one = isinstance(value, str) or not np.iterable(value)
        cells = [_row(self._dtype.start, cell) for cell in ([value] if one else value)]
        self._rows[key] = cells[0] if one else cells

    def __eq__(self, other: object) -> Any:
        if isinstance(other, (pd.Series, pd.Index, pd.DataFrame)):
            return NotImplemented
        if isinstance(other, Places) and other.dtype == self.dtype:
            return (self._rows == other._rows) & (self._rows >= 0)
        return self._texts() == (other._texts() if isinstance(other, Places) else other)

    __hash__ = None  # type: ignore[assignment]  # as of every array

    def __ne__(self, other: object) -> Any:
        same = self.__eq__(other)
        return same if same is NotImplemented else ~same

    def __add__(self, other: object) -> Any:
        return self._texts() + other

    def __radd__(self, other: object) -> Any:
        return other + self._texts()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._texts(), dtype=dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_str_"):  # what stands behind Series.str
            return getattr(pd.Series(self._texts(), dtype=object).array, name)
        raise AttributeError(name)

    def _texts(self) -> np.ndarray:
        texts = np.empty(len(self._rows), dtype=object)
        start, nothing = self._dtype.start, self._dtype.na_value
        texts[:] = [f"{start}{row}" if row >= 0 else nothing for row in self._rows.tolist()]
        return texts

    def _values_for_factorize(self) -> tuple[np.ndarray, Any]:
        return self._rows, -1

    def _values_for_argsort(self) -> np.ndarray:
        return self._texts()  # as texts are sorted: F10 before F2

    def isna(self) -> np.ndarray:
        """Return where there is no place."""
        return np.asarray(self._rows < 0)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Places:
        """Return the places at some positions; with ``allow_fill``, −1 is none."""
        fill = _row(self._dtype.start, fill_value) if allow_fill else None
        rows = take(self._rows, indices, fill_value=fill, allow_fill=allow_fill)
        return type(self)(self._dtype.start, np.asarray(rows))

    def copy(self) -> Places:
        """Return the same places in an array of their own."""
        return type(self)(self._dtype.start, self._rows.copy())


def _row(start: str, cell: object) -> int:
    """Return the row number in a place, −1 of none."""
    if isinstance(cell, str) and cell.startswith(start) and cell[len(start) :].isdecimal():
        return int(cell[len(start) :])
    if cell is None or cell != cell:
        return -1
    raise TypeError(f"{cell!r} is no place that begins with {start!r}; use astype(object) first")
