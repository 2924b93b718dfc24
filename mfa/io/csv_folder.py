"""The CSV twin of a workbook: a folder with one file per sheet."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from mfa.errors import Problem, WorkbookError
from mfa.io.csv_cells import Meaning, decode
from mfa.io.csv_write import sheet_name_of
from mfa.io.rows import header_text, sheet_of
from mfa.schema import SHEET, SHEETS, column_names, fold, sheet_names
from mfa.system import RawSheet, Source, System
from mfa.system.raw import Cell, column_letters
from mfa.system.results import Values

_MEANINGS: dict[str, Meaning] = {"number": "number", "share": "number", "year": "number"}
_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_SAVE_AS = "save it as 'CSV UTF-8 (comma delimited)'"


def _reader(meaning: Meaning) -> Callable[[str], Cell]:
    """Return a function that decodes each different text of a column once."""
    known: dict[str, Cell] = {}

    def read(text: str) -> Cell:
        if text not in known:
            known[text] = decode(text, meaning)
        return known[text]

    return read


def _rows(data: bytes) -> list[list[str]]:
    """Return the rows of a CSV file."""
    if data.startswith(b"PK\3\4"):
        raise _refuse("a workbook or zip archive, not a CSV table", _SAVE_AS)
    try:
        text = data.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise _refuse("not a CSV table", f"correct it, or {_SAVE_AS}", str(error)) from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _refuse("not a text in UTF-8", _SAVE_AS)
    return rows


def _refuse(what: str, do: str, found: str | None = None) -> WorkbookError:
    return WorkbookError([Problem(what, do, found)])


def _table(name: str, rows: list[list[str]]) -> RawSheet:
    """Return the rows of a file as a raw sheet."""
    spec = SHEET.get(sheet_names().get(fold(name), ""))
    kinds = {c.name: _MEANINGS.get(c.kind, "text") for c in spec.columns} if spec else {}
    names = column_names(spec) if spec else {}
    head = [decode(text) for text in rows[0]] if rows else []
    meanings = [kinds.get(names.get(fold(header_text(cell)), ""), "unknown") for cell in head]
    readers = [_reader(meaning) for meaning in meanings]
    width = len(head) if spec else max(map(len, rows), default=0)
    readers += [_reader("unknown") for _ in range(width - len(head))]
    cells = [[read(text) for read, text in zip(readers, row, strict=False)] for row in rows[1:]]
    return sheet_of(name, head, cells)


def _misplaced(sheet: str, rows: list[list[str]]) -> list[Problem]:
    """Return where commas do not separate the cells of one of the format's sheets."""
    width = len(rows[0])
    for separator, name in _SEPARATORS.items():
        if width == 1 and separator in rows[0][0]:
            what = f"{name} where commas should separate the cells"
            raise _refuse(what, _SAVE_AS, rows[0][0])
    return [
        Problem(
            f"the row has {len(row)} cells where the header has {width}",
            "put quotes around a cell with a comma in it, or name the column",
            ",".join(row[width:]),
            sheet,
            f"{column_letters(width)}{i}",
        )
        for i, row in enumerate(rows[1:] if width else (), 2)
        if len(row) > width and any(map(str.strip, row[width:]))
    ]


def read_csv_sheets(folder: Path) -> dict[str, RawSheet]:
    """Return the CSV files of a folder as raw sheets, named after the files.

    They come in the order of the format, others after them by name.

    Raises
    ------
    WorkbookError
        If there is no such folder, or if a file in it is no CSV table.
    """
    sheets, problems = _tables(_files(folder), _name(folder))
    if problems:
        raise WorkbookError(problems)
    order = {spec.name: place for place, spec in enumerate(SHEETS)}
    known = sheet_names()
    names = sorted(sheets, key=lambda name: order.get(known.get(fold(name), ""), len(order)))
    return {name: sheets[name] for name in names}


def _name(folder: Path) -> str:
    return folder.resolve().name


def _files(folder: Path) -> dict[str, bytes]:
    """Return the content of the CSV files by their names."""
    if not folder.is_dir():
        what = "there is no such folder" + (": this is a file" if folder.is_file() else "")
        do = "give the folder of CSV files; a workbook is read by mfa.read_workbook"
        raise WorkbookError([Problem(what, do, str(folder), file=folder.name)])
    try:
        return {
            path.name: path.read_bytes()
            for path in sorted(folder.iterdir())
            if path.suffix.lower() == ".csv" and path.is_file()
        }
    except OSError as error:
        what, do = "a file cannot be read", "check that you may read it"
        found = f"{error.filename}: {error.strerror}"
        raise WorkbookError([Problem(what, do, found, file=_name(folder))]) from None


def _tables(files: Mapping[str, bytes], folder: str) -> tuple[dict[str, RawSheet], list[Problem]]:
    """Return files as raw sheets, those that cannot be read left out, and what is wrong."""
    known = sheet_names()
    sheets: dict[str, RawSheet] = {}
    problems: list[Problem] = []
    for file, data in files.items():
        name = sheet_name_of(file)
        sheet = known.get(fold(name), name)
        try:
            rows = _rows(data)
            found = _misplaced(sheet, rows) if rows and sheet in SHEET else []
        except WorkbookError as error:
            found = [Problem(f"{file}: {p.what}", p.do, p.found, sheet) for p in error.problems]
        else:
            sheets[name] = _table(name, rows)
        problems += [Problem(p.what, p.do, p.found, p.sheet, p.cell, folder) for p in found]
    return sheets, problems


def read_tables(folder: str | Path, values: Values = "observed") -> System:
    """Return the System in a folder of CSV files, one per sheet of the format.

    Parameters
    ----------
    folder : path
        Holds ``system.csv``, ``processes.csv``, ``flows.csv`` and any other sheets, in UTF-8 with
        commas between the cells. Only files that end in .csv are read.
    values : {"observed", "reconciled"}
        Of a folder made from a results workbook: what was observed, or the results as exact.

    Raises
    ------
    WorkbookError
        Listing every problem, by file and cell as if each file were a sheet.
    """
    folder = Path(folder)
    files = _files(folder)
    digest = hashlib.sha256()
    for file, data in files.items():
        digest.update(file.encode() + b"\0" + data)
    name = _name(folder)
    sheets, problems = _tables(files, name)
    return System.from_sheets(sheets, Source(name, digest.hexdigest()), values, problems=problems)
