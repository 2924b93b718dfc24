"""Checks of what is given, and the words that say where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mfa.errors import StockError, near

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def numbers(name: str, value: ArrayLike) -> Floats:
    """Return an array of floats of its own, or say that there are no numbers."""
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise StockError(
            f"{name}: no numbers, or rows of different length; found {value!r:.60}; "
            "give a number or an array of numbers"
        ) from None


def parameter(
    kind: str, name: str, value: ArrayLike, least: float = -np.inf, *, strictly: bool = True
) -> Floats:
    """Return a parameter of a lifetime as an array, all of it finite and above its least value.

    Examples
    --------
    >>> parameter("Normal", "sd", [3.0, 0.0], 0.0)
    Traceback (most recent call last):
    mfa.errors.StockError: Normal lifetime: sd has to be above 0; found 0.0 at position 1 (a \
cohort where the inflow is one series, else a series), counted from 0
    """
    array = numbers(f"{kind} lifetime, {name}", value)
    wrong = ~np.isfinite(array)
    if wrong.any():
        raise refused(f"{kind} lifetime: {name} has to be a finite number", array, wrong)
    wrong = array <= least if strictly else array < least
    if wrong.any():
        bound = f"above {least:g}" if strictly else f"{least:g} or more"
        raise refused(f"{kind} lifetime: {name} has to be {bound}", array, wrong)
    return array


def refused(what: str, array: Floats, wrong: Mask) -> StockError:
    """Return the error for a parameter's bad entries: the first one and how many more."""
    first = np.unravel_index(int(wrong.argmax()), wrong.shape)
    more = int(wrong.sum()) - 1
    also = f" and {more} more" if more else ""
    return StockError(f"{what}; found {float(array[first])}{_position(first, wrong.shape)}{also}")


def _position(index: Sequence[np.intp], shape: Sequence[int]) -> str:
    """Return where in a parameter an entry stands, before any inflow is known."""
    if not shape:
        return ""
    if len(shape) == 1:
        where = f"position {index[0]} (a cohort where the inflow is one series, else a series)"
    else:
        cohort = f"cohort {index[0]}" if shape[0] > 1 else "every cohort"
        one = all(size == 1 for size in shape[1:])
        where = cohort if one else f"{cohort}, {series(index[1:]).lstrip(', ')}"
    return f" at {where}, counted from 0"


def series(index: Sequence[np.intp] | Sequence[int]) -> str:
    """Return the words for a series: nothing, its number, or its numbers along all axes.

    Examples
    --------
    >>> series([]), series([3]), series([0, 2])
    ('', ', series 3', ', series (0, 2)')
    """
    if not len(index):
        return ""
    plain = [int(i) for i in index]
    return f", series {plain[0] if len(plain) == 1 else tuple(plain)}"


def together(kind: str, arrays: Mapping[str, Floats]) -> None:
    """Check that arrays can be broadcast against each other."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise StockError(
            f"{kind} lifetime: lengths that do not fit each other; found shapes {shapes}; "
            "give single numbers or arrays that NumPy can broadcast"
        ) from None


def choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Check that a word is one of those that can be chosen."""
    if value not in choices:
        every = "choose " + ", ".join(f"'{word}'" for word in choices)
        raise StockError(f"unknown {name} {value!r}; {near(str(value), choices, every)}")
