"""From workbook to CSV folder and back, cell by cell."""

from __future__ import annotations

from pathlib import Path

from mfa.errors import MFAError, Problem, WorkbookError
from mfa.io.csv_folder import read_csv_sheets
from mfa.io.csv_write import write_csv_sheets
from mfa.io.forms import save_forms
from mfa.io.rows import check_faults
from mfa.io.xlsx import read_sheets
from mfa.io.xlsx_write import LONGEST_TEXT, sheet_name
from mfa.schema import is_lists
from mfa.system import RawSheet
from mfa.system.raw import column_letters


def convert(source: str | Path, target: str | Path) -> None:
    """Convert a workbook into a folder of CSV files, or such a folder into a workbook.

    Every cell is kept, also of unknown columns and sheets: numbers to the last bit, texts as
    texts, dates, truth values and Excel's error values. Formulas become their results. What is no
    cell (comments, colours, drop-downs) is not in the folder; the workbook gets it anew.

    Parameters
    ----------
    source : path
        An .xlsx or .xlsm file, or a folder of CSV files.
    target : path
        An .xlsx file, or a folder. Files of the same names are replaced.

    Raises
    ------
    WorkbookError
        If the source cannot be read, or has what the target cannot hold.
    MFAError
        If the folder holds other CSV files, which would be read as part of this system.
    PermissionError
        If a file cannot be replaced, as when it is open in Excel.

    Examples
    --------
    >>> import tempfile
    >>> import mfa
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mfa.write_template(f"{folder}/new.xlsx", example="copper-japan")
    ...     mfa.convert(f"{folder}/new.xlsx", f"{folder}/new")
    ...     mfa.read_tables(f"{folder}/new").unit
    'kt/yr'
    """
    source, target = Path(source), Path(target)
    sheets = read_csv_sheets(source) if source.is_dir() else read_sheets(source)
    sheets = {name: raw for name, raw in sheets.items() if not is_lists(name, raw.headers)}
    if target.suffix.lower() == ".xlsx":
        _check_workbook(sheets, source.name)
        save_forms(target, list(sheets.values()), source.stem)
    elif target.suffix and not target.is_dir():
        raise MFAError(f"{target}: no kind of file that is written; use .xlsx or a folder")
    else:
        write_csv_sheets(sheets, target)


def _check_workbook(sheets: dict[str, RawSheet], file: str) -> None:
    """Refuse what a workbook cannot hold; nothing is cut or renamed."""
    check_faults(sheets, file)
    problems: list[Problem] = []
    taken: list[str] = []
    for name, raw in sheets.items():
        if sheet_name(name, taken) != name:
            what = "Excel does not allow a sheet of this name, or there is another one"
            problems.append(Problem(what, "rename the file", name, name, file=file))
        taken.append(name)
        for j, column in enumerate(raw.columns):
            for i, cell in enumerate(column):
                if isinstance(cell, str) and len(cell) > LONGEST_TEXT:
                    what, do = "the text is longer than a cell can be", "shorten or divide it"
                    found, place = f"{len(cell)} characters", f"{column_letters(j)}{i + 2}"
                    problems.append(Problem(what, do, found, name, place, file))
    if problems:
        raise WorkbookError(problems)
