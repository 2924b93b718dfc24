"""Cells as the text of a CSV file: plain to read, and the same cell when read again.

======================  ==========================================================
cell                    text
======================  ==========================================================
blank                   nothing
number                  the shortest decimal that gives the same binary number
truth value             TRUE, FALSE
date, date and time     2018-03-31, 2018-03-31 12:30:00
time of day, duration   12:30:00, PT93780S
Excel's error values    #N/A, #REF! …
text                    as it is; after an apostrophe where it would be taken for any
                        of these, or for a formula by a spreadsheet: '007, '=A1
======================  ==========================================================

An apostrophe is taken off only where writing would have put it, so that texts typed by hand
stay as they are.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Literal

import numpy as np

from mfa.io.rows import ERRORS, ErrorValue
from mfa.system.raw import Cell

# How a bare number is understood: in a column of numbers whatever is one; in a column of texts
# only what is a number's own writing, so that the ids 007 and 1.50 remain; else what is between.
Meaning = Literal["number", "text", "unknown"]

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_DURATION = re.compile(r"PT(-?\d+(\.\d+)?)S", re.ASCII)
_RISKY = "=+-@＝＋－＠"
_WHOLE = 1e16  # from here on repr writes an exponent


def number_text(number: float) -> str:
    """Return the shortest decimal that gives the same number when read.

    Examples
    --------
    >>> number_text(2018.0), number_text(0.1 + 0.2), number_text(-0.0), number_text(1e22)
    ('2018', '0.30000000000000004', '-0', '1e+22')
    """
    if float(number).is_integer() and abs(number) < _WHOLE:
        return f"{number:.0f}"
    return repr(float(number))


def encode(cell: Cell) -> str:
    """Return the text of a cell.

    Examples
    --------
    >>> [encode(cell) for cell in (7.0, "7", "007", "=1+1", "-", None, "it's", True)]
    ['7', "'7", "'007", "'=1+1", "'-", '', "it's", 'TRUE']
    """
    if cell is None:
        return ""
    if isinstance(cell, ErrorValue):
        return str(cell)
    if isinstance(cell, str):
        return f"'{cell}" if _needs_mark(cell) else cell
    if isinstance(cell, (bool, np.bool_)):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (float, np.floating)) and math.isfinite(cell):
        return number_text(float(cell))
    if isinstance(cell, (int, np.integer)):
        return str(cell)
    if isinstance(cell, dt.timedelta):
        return f"PT{number_text(cell.total_seconds())}S"
    if isinstance(cell, (dt.date, dt.time)):
        return str(cell)
    return encode(str(cell))


def decode(text: str, meaning: Meaning = "unknown") -> Cell:
    """Return the cell that a text in a CSV file stands for.

    Examples
    --------
    >>> [decode(text) for text in ("7", "'7", "007", "'=1+1", "", "'94 figures", "2018-03-31")]
    [7.0, '7', '007', '=1+1', None, "'94 figures", datetime.date(2018, 3, 31)]
    >>> decode("007", "number"), decode("1.50", "text")
    (7.0, '1.50')
    """
    if text[:1] == "'" and _needs_mark(text[1:]):
        return text[1:]
    return _bare(text, meaning)


def _is_risky(text: str) -> bool:
    """Whether a spreadsheet would take a text for a formula, or once its mark is gone."""
    return text.lstrip("'").lstrip()[:1] in tuple(_RISKY)


def _needs_mark(text: str) -> bool:
    inner = text.lstrip("'")
    return inner != "" and (_is_risky(inner) or type(_bare(inner, "number")) is not str)


def _bare(text: str, meaning: Meaning) -> Cell:
    """Return what a text without a mark stands for."""
    if not text or text.isspace():
        return None
    if text in ERRORS:
        return ErrorValue(text)
    if text in ("TRUE", "FALSE"):
        return text == "TRUE"
    number = _number(text, meaning)
    return _time(text) if number is None else number


def _number(text: str, meaning: Meaning) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    if meaning == "number" or (meaning == "unknown" and _DECIMAL.fullmatch(text)):
        return number
    return number if number_text(number) == text else None


def _time(text: str) -> Cell:
    """Return a date, time or duration that is written just as it would be written here."""
    if not (text[0].isdigit() or text.startswith("PT")):
        return text
    duration = _DURATION.fullmatch(text)
    if duration:
        try:
            cell = dt.timedelta(seconds=float(duration[1]))
        except OverflowError:
            return text
        return cell if encode(cell) == text else text
    for kind in (dt.date, dt.datetime, dt.time):
        try:
            when = kind.fromisoformat(text)
        except ValueError:
            continue
        if str(when) == text and getattr(when, "tzinfo", None) is None:
            return when
    return text
