"""Workbook files (.xlsx, .xlsm) to raw sheets.

What python-calamine gives, established by experiment (0.9.1) and pinned down in the tests:

* Numbers arrive as float; percent formats and units in formats do not matter. Booleans stay bool.
* A number with a date format arrives as date, datetime or time, in the 1904 system too; with the
  format ``[h]:mm`` as timedelta. Whatever number looks like a date in Excel is a date here.
* Of merged cells only the top left one has a value; the others are blank.
* Phonetic guides (furigana) are left out, rich text is joined, ``_x000D_`` becomes a line break.
* Hidden sheets are read. Names that differ in case only are different names.
* XlsxWriter (pandas, too) stores 0 as the result of every formula. Such a 0 is a fault here, as
  long as the file still asks for its first calculation. The later cells of an array formula are
  stored as plain numbers, so there the 0 cannot be told from a real one.
* A panic within calamine is a BaseException; it also prints a line to stderr.

:mod:`mfa.io.xlsx_xml` deals with the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from io import BytesIO
from itertools import islice
from pathlib import Path

from python_calamine import CalamineSheet, CalamineWorkbook

from mfa.errors import Problem, WorkbookError
from mfa.io.rows import ERRORS, ErrorValue, header_text
from mfa.io.xlsx_kind import open_package
from mfa.io.xlsx_package import Layout, Package, Packed, pack, read_layout, read_uniform
from mfa.io.xlsx_xml import SAVE_AGAIN, Place, SharedStrings, inspect_sheet, refuse
from mfa.system.raw import Cell, RawSheet

MAX_FILE = 2**29  # bytes

__all__ = ["read_sheets", "sha256_of"]


def read_sheets(path: str | Path) -> dict[str, RawSheet]:
    """Read all worksheets of a workbook file as they stand.

    Parameters
    ----------
    path : str or Path
        An .xlsx or .xlsm file. It is read in one go, closed before anything is looked at, and
        never written to; macros are ignored.

    Returns
    -------
    dict of str to RawSheet
        The worksheets in the workbook's order by their names as spelt, hidden ones too. Row i of
        the columns is row i + 2 of the sheet, column j the j-th from A on. Blank cells, and
        texts of nothing but spaces, are None; blank rows and columns at the end are left out.
        Cells with an Excel error and formulas without a stored result are None and listed as
        faults; in row 1 the error itself stands as the header.

    Raises
    ------
    WorkbookError
        If the file is missing, unreadable, no workbook, damaged, protected with a password, or
        too large to be read safely.
    """
    path = Path(path)
    try:
        package, workbook = open_package(_content(path), path.suffix)
        return _read(package, read_layout(package, workbook))
    except WorkbookError as error:
        name = path.name or str(path)
        raise WorkbookError(replace(problem, file=name) for problem in error.problems) from None


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 checksum of a file in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content(path: Path) -> bytes:
    """Read the whole file, so that it is open for as short a time as possible."""
    try:
        if path.is_dir():
            raise refuse(
                "this is a folder, not a workbook file",
                "give an .xlsx file; folders of CSV tables are read by mfa.read_tables",
            )
        if not path.exists():
            raise refuse("the file does not exist", _advice_on_name(path), str(path))
        if path.name.startswith("~$"):
            raise refuse(
                "this is a lock file that Excel keeps while a workbook is open",
                f"give the workbook itself, {path.name[2:]!r}",
            )
        if not path.is_file():
            raise refuse("this is a device or a pipe, not a file", "give an .xlsx or .xlsm file")
        if path.stat().st_size > MAX_FILE:
            limit = f"{MAX_FILE / 2**20:,.0f} MiB"
            raise refuse(f"the file is larger than {limit}", "split the workbook")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        advice = "close it in other programs, and check that you may read it"
        raise refuse("the file cannot be read", advice, reason) from None


def _advice_on_name(path: Path) -> str:
    """Offer the workbook in that folder whose name is closest."""
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r} either"
    names = [other.name for other in path.parent.iterdir() if other.suffix in (".xlsx", ".xlsm")]
    close = get_close_matches(path.name, names, n=1, cutoff=0.8)
    return f"did you mean {close[0]!r}?" if close else "check the name and the folder"


def _read(package: Package, layout: Layout) -> dict[str, RawSheet]:
    strings = read_uniform(package, layout.strings)
    styles = read_uniform(package, layout.styles)
    texts = SharedStrings(strings[0]) if strings else None
    problems: list[Problem] = []
    faults: dict[str, dict[Place, str]] = {}
    parts: list[Packed] = []
    for name, part in layout.sheets:
        try:
            if name in faults:
                raise refuse("two sheets have the same name", "rename one of them")
            data, packed = package.read_both(part)
            sheet = inspect_sheet(data, texts, layout.placeholders)
        except WorkbookError as error:
            problems += [replace(problem, sheet=name) for problem in error.problems]
            continue
        faults[name] = sheet.faults
        parts.append(packed if sheet.data is data else Packed.of(sheet.data))
    if problems:
        raise WorkbookError(problems)
    raw = pack(parts, strings and strings[1], styles and styles[1], layout.date1904)
    return _tables(raw, faults)


def _tables(raw: bytes, faults: Mapping[str, Mapping[Place, str]]) -> dict[str, RawSheet]:
    """Let calamine read the sheets; ``faults`` has their names in order."""
    tables: dict[str, RawSheet] = {}
    problems: list[Problem] = []
    with _shielded():
        workbook = CalamineWorkbook.from_filelike(BytesIO(raw))
    for i, (name, places) in enumerate(faults.items()):
        try:
            with _shielded():
                columns = _columns(workbook.get_sheet_by_index(i))
        except WorkbookError as error:
            problems += [replace(problem, sheet=name) for problem in error.problems]
        else:
            tables[name] = _table(name, columns, places)
    if problems:
        raise WorkbookError(problems)
    return tables


@contextmanager
def _shielded() -> Iterator[None]:
    """Turn whatever calamine raises, its panics included, into a problem."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        what = "the workbook is damaged or unusual, and cannot be read"
        raise refuse(what, SAVE_AGAIN, str(error)) from None


def _columns(sheet: CalamineSheet) -> list[list[Cell]]:
    """Return the cells of a sheet by columns from A1 on, blank ones as None.

    Rows are taken a thousand at a time: they stay in the processor's cache and their lists are
    freed at once. That is twice as fast as turning the whole table around.
    """
    if sheet.start is None:
        return []
    columns: list[list[Cell]] = [[] for _ in range(sheet.width)]
    rows = sheet.iter_rows()  # these start in row 1 of the sheet, but in the first filled column
    while block := list(islice(rows, 1000)):
        for column, cells in zip(columns, zip(*block, strict=True), strict=True):
            column += [
                None if type(cell) is str and (not cell or cell.isspace()) else cell
                for cell in cells
            ]
    before: list[list[Cell]] = [[None] * len(columns[0]) for _ in range(sheet.start[1])]
    return before + columns


def _table(name: str, columns: list[list[Cell]], places: Mapping[Place, str]) -> RawSheet:
    """Take off the header row, lay the faults over the table and trim it."""
    head = [column.pop(0) for column in columns]
    headers = [header_text(cell) for cell in head]
    width = 1 + max((column for _, column in places), default=-1)  # at least, for the faults
    head += [None] * (width - len(head))
    headers += [""] * (width - len(headers))
    columns += [[] for _ in range(len(headers) - len(columns))]
    for (row, column), why in places.items():
        if row == 0:
            headers[column] = why
            head[column] = ErrorValue(why) if why in ERRORS else why
    faults = {(row - 1, column): why for (row, column), why in places.items() if row}
    for row, column in faults:
        if row < len(columns[column]):
            columns[column][row] = None
    height = max([0, *map(_filled, columns), *(row + 1 for row, _ in faults)])
    while len(headers) > width and not headers[-1] and not _filled(columns[-1]):
        del head[-1], headers[-1], columns[-1]
    for cells in columns:
        del cells[height:]
        cells.extend([None] * (height - len(cells)))
    return RawSheet(name, tuple(headers), tuple(columns), faults, tuple(head))


def _filled(column: Sequence[Cell]) -> int:
    """Return the number of cells up to the last one that is not blank."""
    return next((i for i in range(len(column), 0, -1) if column[i - 1] is not None), 0)
