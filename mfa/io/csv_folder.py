"""The CSV twin of a workbook: a folder with one file per sheet."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from mfa.errors import Problem, WorkbookError
from mfa.schema import SHEET, column_names, fold, sheet_names
from mfa.system import RawSheet, Source, System

_NUMERIC = ("number", "share", "year")


def _cell(text: str, numeric: bool) -> object:
    if not text.strip():
        return None
    if numeric:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def read_csv_sheets(folder: Path) -> dict[str, RawSheet]:
    """Return the CSV files of a folder as raw sheets, named after the files."""
    known = sheet_names()
    sheets: dict[str, RawSheet] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        headers = tuple(rows[0]) if rows else ()
        spec = SHEET.get(known.get(fold(path.stem), ""))
        kinds = {column.name: column.kind for column in spec.columns} if spec else {}
        names = column_names(spec) if spec else {}
        columns: list[list[object]] = []
        for j, header in enumerate(headers):
            numeric = kinds.get(names.get(fold(header), "")) in _NUMERIC
            columns.append([_cell(row[j] if j < len(row) else "", numeric) for row in rows[1:]])
        sheets[path.stem] = RawSheet(path.stem, headers, tuple(columns))
    return sheets


def read_tables(folder: str | Path) -> System:
    """Return the System in a folder of CSV files, one per sheet of the format.

    Parameters
    ----------
    folder : path
        Holds ``system.csv``, ``processes.csv``, ``flows.csv`` and any other sheets, in UTF-8.

    Raises
    ------
    WorkbookError
        Listing every problem, by file and cell as if each file were a sheet.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what, do = "there is no such folder", "check the path"
        raise WorkbookError([Problem(what, do, str(folder), file=folder.name)])
    try:
        sheets = read_csv_sheets(folder)
    except (UnicodeDecodeError, csv.Error) as error:
        what, do = "a file is no CSV text in UTF-8", "save it as CSV UTF-8"
        raise WorkbookError([Problem(what, do, str(error), file=folder.name)]) from None
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return System.from_sheets(sheets, Source(folder.name, digest.hexdigest()))
