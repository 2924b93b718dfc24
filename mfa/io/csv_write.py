"""Writing the CSV twin of a workbook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mfa.errors import MFAError
from mfa.io.csv_cells import encode
from mfa.io.rows import check_faults, head_of, rows_of
from mfa.io.whole import whole_folder
from mfa.system import RawSheet, System
from mfa.system.raw import Cell

# What some system does not allow in the name of a file, written as %XX.
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*%]|^[.~]|[. ]$')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)$")
_ESCAPED = re.compile("%([0-9A-F]{2})")


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
    others = sorted({path.name for path in folder.glob("*.csv") if path.is_file()} - set(files))
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


def sheet_name_of(file: str) -> str:
    """Return the name of the sheet that a CSV file is, without its suffix."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), Path(file).stem)


def csv_text(raw: RawSheet) -> str:
    """Return a raw sheet as the text of a CSV file, one line per row."""
    lines: list[list[str]] = []
    known: dict[tuple[type, Cell], str] = {}
    for row in (head_of(raw), *rows_of(raw)):
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
    return "".join(f"{','.join(line)}\n" for line in lines)


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


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
