"""The flow workbook as an input."""

from __future__ import annotations

from pathlib import Path

from mfa.io.xlsx import read_sheets, sha256_of
from mfa.system import Source, System
from mfa.system.results import Values


def read_workbook(path: str | Path, values: Values = "observed") -> System:
    """Return the System in a flow workbook.

    Parameters
    ----------
    path : path
        An .xlsx or .xlsm file in format 1; it is opened for reading only.
    values : {"observed", "reconciled"}
        What to take from a results workbook: what was observed, to be reconciled again, or its
        results as exact values. What the data left undetermined stays unknown.

    Raises
    ------
    WorkbookError
        Listing every problem in the file: ``file, sheet!cell: what is wrong (found …); what to
        do``. Warnings do not raise; they are in ``System.problems``.

    Examples
    --------
    >>> import mfa
    >>> mfa.read_workbook("no such file.xlsx")
    Traceback (most recent call last):
    mfa.errors.WorkbookError: 1 problem:
    - no such file.xlsx: ...
    """
    path = Path(path)
    sheets = read_sheets(path)
    return System.from_sheets(sheets, Source(path.name, sha256_of(path)), values)
