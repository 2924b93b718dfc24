"""The CSV twin of a workbook: a folder with one file per sheet."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from mfa.errors import MFAError, Problem, WorkbookError
from mfa.io.csv_cells import Meaning, decode, decode_header, encode, encode_header
from mfa.io.rows import check_faults, rows_of, sheet_of
from mfa.io.whole import whole_folder
from mfa.schema import SHEET, SHEETS, column_names, fold, sheet_names
from mfa.system import RawSheet, Source, System
from mfa.system.raw import Cell, column_letters

_MEANINGS: dict[str, Meaning] = {"number": "number", "share": "number", "year": "number"}
# What some system does not allow in the name of a file, written as %XX.
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*%]|^[.~]|[. ]$')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)$")
_ESCAPED = re.compile("%([0-9A-F]{2})")


def read_csv_sheets(folder: Path) -> dict[str, RawSheet]:
    """Return the CSV files of a folder as raw sheets named after the files.

    They come in the order of the format, others after them by name.

    Raises
    ------
    WorkbookError
        If there is no such folder, or a file is no CSV text in UTF-8 with commas.
    """
    if not folder.is_dir():
        what, do = "there is no such folder", "check the path"
        raise WorkbookError([Problem(what, do, str(folder), file=folder.name)])
    order = {spec.name: place for place, spec in enumerate(SHEETS)}
    known = sheet_names()
    sheets: list[RawSheet] = []
    problems: list[Problem] = []
    for path in _csv_files(folder):
        name = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), path.stem)
        file = f"{folder.name}/{path.name}"
        try:
            rows = _rows(path)
            problems += _misread(rows, name, file)
            sheets.append(_sheet(rows, name))
        except (UnicodeDecodeError, csv.Error) as error:
            what, do = "the file is no CSV text in UTF-8", "save it as CSV UTF-8"
            problems.append(Problem(what, do, str(error), name, file=file))
    if problems:
        raise WorkbookError(problems)
    sheets.sort(key=lambda raw: order.get(known.get(fold(raw.name), ""), len(order)))
    return {raw.name: raw for raw in sheets}


def _csv_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.csv") if path.is_file())


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def _misread(rows: list[list[str]], name: str, file: str) -> Iterator[Problem]:
    """Yield signs that commas mean something else than the end of a cell in a known sheet."""
    if not rows or fold(name) not in sheet_names():
        return
    if len(rows[0]) == 1 and any(mark in rows[0][0] for mark in ";\t"):
        what = "the cells are not separated by commas"
        yield Problem(what, "save it with commas instead of ; or tabs", rows[0][0], name, "1", file)
        return
    width = len(rows[0])
    for number, row in enumerate(rows[1:] if width else (), 2):
        if any(text.strip() for text in row[width:]):
            cell = f"{column_letters(width)}{number}"
            what = "the row has more cells than the header"
            do = 'put a text or number that has a comma in quotes: "1,200"'
            yield Problem(what, do, ",".join(row[width:]), name, cell, file)


def _sheet(rows: list[list[str]], name: str) -> RawSheet:
    headers = [decode_header(text) for text in rows[0]] if rows else []
    readers = [_reader(meaning) for meaning in _meanings(name, headers)]
    width = max(map(len, rows), default=0)
    readers += [_reader("unknown") for _ in range(width - len(headers))]
    cells = [[read(text) for read, text in zip(readers, row, strict=False)] for row in rows[1:]]
    return sheet_of(name, headers, cells)


def _meanings(name: str, headers: Sequence[str]) -> list[Meaning]:
    """Return how a bare number is understood in each column."""
    spec = SHEET.get(sheet_names().get(fold(name), ""))
    if spec is None:
        return ["unknown"] * len(headers)
    kinds = {column.name: _MEANINGS.get(column.kind, "text") for column in spec.columns}
    names = column_names(spec)
    return [kinds.get(names.get(fold(header), ""), "unknown") for header in headers]


def _reader(meaning: Meaning) -> Callable[[str], Cell]:
    """Return a function that reads each different text of a column once."""
    known: dict[str, Cell] = {}

    def read(text: str) -> Cell:
        if text not in known:
            known[text] = decode(text, meaning)
        return known[text]

    return read


def write_csv_sheets(sheets: Mapping[str, RawSheet], folder: Path) -> None:
    """Write raw sheets as CSV files into a folder; they appear together or not at all.

    Raises
    ------
    WorkbookError
        If a cell holds a formula without a result.
    MFAError
        If two sheets would have the same file, or other CSV files lie in the folder, which would
        be read as sheets of this workbook.
    """
    check_faults(sheets, folder.name)
    files: dict[str, RawSheet] = {}
    for raw in sheets.values():
        name = file_name(raw.name)
        if name.casefold() in map(str.casefold, files):
            raise MFAError(f"two sheets would be the file {name}; rename one of them")
        files[name] = raw
    others = sorted({path.name for path in _csv_files(folder)} - set(files))
    if others:
        raise MFAError(
            f"{folder}: also holds {', '.join(others)}, which would be read as part of this "
            "workbook; remove it, or give another folder"
        )
    with whole_folder(folder) as draft:
        for name, raw in files.items():
            text = csv_text(raw)
            # Without the mark, Excel takes a CSV file for the code page of its country.
            encoding = "utf-8" if text.isascii() else "utf-8-sig"
            (draft / name).write_text(text, encoding=encoding, newline="")


def file_name(sheet: str) -> str:
    """Return the name of a sheet's CSV file, without what some system does not allow.

    Examples
    --------
    >>> file_name("flows"), file_name("in < out"), file_name("50 %")
    ('flows.csv', 'in %3C out.csv', '50 %25.csv')
    """
    if _RESERVED.match(sheet):
        return f"%{ord(sheet[0]):02X}{sheet[1:]}.csv"
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", sheet) + ".csv"


def csv_text(raw: RawSheet) -> str:
    """Return a raw sheet as the text of a CSV file, one line per row."""
    lines = [[encode_header(header) for header in raw.headers]]
    known: dict[tuple[type, Cell], str] = {}
    for row in rows_of(raw):
        line = []
        for cell in row:
            if isinstance(cell, str):
                key = type(cell), cell
                if key not in known:
                    known[key] = _quoted(encode(cell))
                line.append(known[key])
            else:
                line.append(encode(cell))
        lines.append(line)
    lines[0] = [_quoted(text) for text in lines[0]]
    return "".join(f"{','.join(line)}\n" for line in lines)


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def read_tables(
    folder: str | Path, values: Literal["observed", "reconciled"] = "observed"
) -> System:
    """Return the System in a folder of CSV files, one per sheet of the format.

    Parameters
    ----------
    folder : path
        Holds ``system.csv``, ``processes.csv``, ``flows.csv`` and any other sheets, in UTF-8.
    values : {"observed", "reconciled"}
        Of a folder made from a results workbook: what was observed, or the results as exact.

    Raises
    ------
    WorkbookError
        Listing every problem, by file and cell as if each file were a sheet.
    """
    folder = Path(folder)
    sheets = read_csv_sheets(folder)
    digest = hashlib.sha256()
    for path in _csv_files(folder):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return System.from_sheets(sheets, Source(folder.name, digest.hexdigest()), values)


def write_tables(system: System, folder: str | Path) -> None:
    """Write a System into a folder of CSV files, one per sheet, from which it can be read again.

    Numbers come back to the last bit, and so do unknown columns and sheets. A text that would be
    taken for a number or a formula stands after an apostrophe.

    Parameters
    ----------
    system : System
    folder : path
        Made if it does not exist. Files of the same names are replaced.

    Raises
    ------
    MFAError
        If the folder holds other CSV files, which would be read as part of this system.
    PermissionError
        If a file cannot be replaced, as when it is open in Excel.

    Examples
    --------
    >>> import tempfile
    >>> import networkx as nx
    >>> import mfa
    >>> G = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    >>> G.add_nodes_from([("Mine", {"kind": "source"}), ("Market", {"kind": "sink"})])
    >>> _ = G.add_edge("Mine", "Market", key="ore", value=0.1, sd=0.02)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mfa.write_tables(mfa.System.from_graph(G), folder)
    ...     mfa.read_tables(folder).data["value"].tolist()
    [0.1]
    """
    write_csv_sheets(system.sheets, Path(folder))
