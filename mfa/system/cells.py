"""From raw cells to typed columns: numbers, years, choices and lists, with every fault named."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from mfa.errors import near
from mfa.schema import RESULT_COLUMNS, Column, Sheet, column_names, fold, has_results
from mfa.system.columns import Coded, Numbers, frame_of, hold, spread
from mfa.system.findings import Findings
from mfa.system.parsed import ParsedSheet
from mfa.system.raw import Cell, RawSheet, column_letters

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_SEPARATORS = re.compile("[,、;，；]")
_LOOKALIKES = str.maketrans("lIOo", "1100")  # letters typed for digits
_YES = {"yes", "y", "true", "1", "はい", "有", "○"}
_NO = {"no", "n", "false", "0", "いいえ", "無", "×"}


class _BadCellError(Exception):
    """A cell cannot be read as what its column holds."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(what)
        self.what, self.do = what, do


def _width(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()


def split_list(text: str) -> list[str]:
    """Return the names in a list with commas or semicolons, of either width, or 、 between them.

    Examples
    --------
    >>> split_list("Cu, Zn、Ａｕ；")
    ['Cu', 'Zn', 'Ａｕ']
    """
    return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]


def plain_number(text: str) -> float | None:
    """Return the finite number that a text shows, or None if it shows none.

    Examples
    --------
    >>> plain_number("1,200"), plain_number("１２３"), plain_number(" 3 "), plain_number("1,20")
    (1200.0, 123.0, 3.0, None)
    """
    text = _width(text)
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _number(cell: Cell) -> tuple[float, bool]:
    """Return a cell's number and whether it was typed as text."""
    if isinstance(cell, (int, float, np.number)) and not isinstance(cell, (bool, np.bool_)):
        if not math.isfinite(cell):
            raise _BadCellError("not a finite number", "leave the cell blank if it is unknown")
        return float(cell), False
    if isinstance(cell, str):
        number = plain_number(cell)
        if number is not None:
            return number, True
    raise _BadCellError("not a number", "write a plain number, or leave the cell blank if unknown")


def _share(cell: Cell) -> tuple[float, bool]:
    if isinstance(cell, str) and _width(cell).endswith("%"):
        number = plain_number(_width(cell)[:-1])
        if number is not None:
            return number / 100, False
    return _number(cell)


def _year(cell: Cell) -> tuple[float, bool]:
    advice = "write the year as a number such as 2018"
    try:
        number, as_text = _number(cell)
    except _BadCellError:
        if isinstance(cell, dt.date):
            advice = f"write {cell.year}"
        elif isinstance(cell, str):
            text = _width(cell).translate(_LOOKALIKES)
            if digits := re.search(r"(?<!\d)(1[5-9]|20|21)\d\d(?!\d)", text):
                advice = f"write {digits.group()}"
        raise _BadCellError("not a year", advice) from None
    if number != int(number) or not 1000 <= number <= 3000:
        raise _BadCellError("not a year", advice)
    return number, as_text


def text_of(cell: Cell) -> str:
    """Return a cell as a text: 3.0 as "3", True as "TRUE", anything else as it is written."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _choice(column: Column) -> Callable[[Cell], str]:
    known = {fold(choice): choice for choice in column.choices}

    def convert(cell: Cell) -> str:
        text = text_of(cell)
        if fold(text) in known:
            return known[fold(text)]
        raise _BadCellError(
            f"unknown {column.name} {text!r}",
            near(text, column.choices, "use one of " + ", ".join(column.choices)),
        )

    return convert


def _list(column: Column) -> Callable[[Cell], str]:
    one = _choice(column)

    def convert(cell: Cell) -> str:
        named = split_list(text_of(cell))
        if not named:
            raise _BadCellError("nothing but separators", "write a name, or clear the cell")
        if column.choices:  # in the format's order, so that lists can be compared
            chosen = {one(part) for part in named}
            named = [choice for choice in column.choices if choice in chosen]
        return ",".join(named)

    return convert


def _yesno(cell: Cell) -> bool:
    text = _width(text_of(cell)).casefold()
    if text in _YES or text in _NO:
        return text in _YES
    raise _BadCellError("neither yes nor no", "write yes or no")


def _converter(column: Column) -> Callable[[Cell], object]:
    if column.kind == "choice":
        return _choice(column)
    if column.kind == "list":
        return _list(column)
    if column.kind == "yesno":
        return _yesno
    return text_of


_NUMERIC = {"number": _number, "share": _share, "year": _year}


Report = Callable[[int, str, str, str], None]  # row, severity, what, do
Held = Numbers | Coded


def _read_numbers(cells: Held, column: Column, report: Report) -> np.ndarray:
    """Return a float column; ``report`` hears of every fault."""
    if isinstance(cells, Coded) or cells.values.dtype == bool:
        return _read_texts(cells.coded(), column, report)
    out = cells.floats()
    if column.kind == "year" and np.nan_to_num(out).any():
        odd = ~((out == np.round(out)) & (out >= 1000) & (out <= 3000)) & ~np.isnan(out)
    else:
        odd = np.isinf(out)  # years that are all 0 stand for a system without years
    for i in np.flatnonzero(odd).tolist():
        try:
            _NUMERIC[column.kind](cells[i])
        except _BadCellError as bad:
            out[i] = math.nan
            report(i, "error", bad.what, bad.do)
    return out


def _read_texts(cells: Coded, column: Column, report: Report) -> np.ndarray:
    """Return the float column that texts, or cells of several kinds, stand for."""
    numbers = np.full(len(cells.values), math.nan)
    notes: dict[int, tuple[str, str, str]] = {}
    for code, cell in enumerate(cells.values.tolist()):
        try:
            numbers[code], as_text = _NUMERIC[column.kind](cell)
        except _BadCellError as bad:
            notes[code] = "error", bad.what, bad.do
            continue
        if as_text:
            what = f"number typed as text, read as {numbers[code]:g}"
            notes[code] = "warning", what, "type it as a number"
    _report_all(cells, notes, report)
    return spread(numbers, cells.codes, math.nan)


def _read_objects(cells: Held, column: Column, report: Report) -> Coded:
    """Return a column of converted cells, each different one converted once."""
    given = cells.coded()
    convert = _converter(column)
    values = np.full(len(given.values), None, dtype=object)
    notes: dict[int, tuple[str, str, str]] = {}
    for code, cell in enumerate(given.values.tolist()):
        try:
            values[code] = convert(cell)
        except _BadCellError as bad:
            notes[code] = "error", bad.what, bad.do
    _report_all(given, notes, report)
    same, different = pd.factorize(values)
    return Coded(different, spread(same, given.codes, -1))


def _report_all(cells: Coded, notes: Mapping[int, tuple[str, str, str]], report: Report) -> None:
    """Report what there is to say of some of the different cells in every row of theirs."""
    if notes:
        for i in np.flatnonzero(np.isin(cells.codes, list(notes))).tolist():
            report(i, *notes[int(cells.codes[i])])


def _match_headers(raw: RawSheet, spec: Sheet, findings: Findings) -> dict[str, int]:
    """Find the sheet's columns by name; unknown ones keep their header."""
    known = column_names(spec)
    results = set(map(fold, RESULT_COLUMNS)) if has_results(raw.headers) else set()
    found: dict[str, int] = {}
    for j, header in enumerate(raw.headers):
        if not header:
            if any(cell is not None for cell in raw.columns[j]):
                place = f"{spec.name}!{column_letters(j)}1"
                findings.warning("column without a header is not read", "name it", None, place)
            continue
        name = known.get(fold(header), header)
        place = f"{spec.name}!{column_letters(j)}1"
        if name in found:
            first = f"{column_letters(found[name])}1"
            findings.error(
                f"column {name!r} stands twice", f"keep this one or {first}", header, place
            )
            continue
        found[name] = j
        if name not in known.values() and fold(name) not in results:
            names = [column.name for column in spec.columns]
            advice = near(header, names, "it is kept and passed through, but means nothing here")
            if fold(name) in map(fold, RESULT_COLUMNS):
                advice = "rename it: it means nothing here, and results have a column of that name"
            findings.warning(f"unknown column {header!r}", advice, None, place)
    if not (found or spec.required or any(raw.columns)):
        return found  # an empty sheet that need not be there
    if spec.columns[0].name not in found:
        findings.unknown.add(spec.name)
    for column in spec.columns:
        if column.needed and column.name not in found:
            findings.error(
                f"no column {column.name!r} in the sheet {spec.name!r}",
                near(column.name, raw.headers, f"add a column {column.name!r} ({column.ja})"),
                None,
                f"{spec.name}!1",
            )
    return found


def _used_rows(raw: RawSheet, held: Mapping[int, Held]) -> np.ndarray:
    """Positions of the rows in which any recognised cell, or any fault, stands."""
    blank = np.arange(raw.n_rows)
    for cells in held.values():
        blank = blank[cells.blank[blank]]
    mask = np.ones(raw.n_rows, dtype=bool)
    mask[blank] = False
    mask[[i for i, j in raw.faults if j in held and i < raw.n_rows]] = True
    return np.flatnonzero(mask)


def _read_column(
    raw: RawSheet,
    column: Column,
    j: int,
    cells: Held,
    rows: np.ndarray,
    place: str,
    findings: Findings,
) -> tuple[np.ndarray | Coded, list[int]]:
    """Return the typed cells of one column in the rows asked for, and which of them are bad."""
    bad: list[int] = []

    def report(i: int, severity: str, what: str, do: str) -> None:
        note = findings.error if severity == "error" else findings.warning
        cell = raw.columns[j][rows[i]]
        note(f"{column.name}: {what}", do, cell, f"{place}{rows[i] + 2}")
        if severity == "error":
            bad.append(i)

    for (row, _), why in sorted((at, why) for at, why in raw.faults.items() if at[1] == j):
        advice = "correct it, or type what the cell should hold"
        findings.error("the cell has no usable value", advice, why, f"{place}{row + 2}")
        bad.append(int(np.searchsorted(rows, row)))
    read = _read_numbers if column.kind in _NUMERIC else _read_objects
    out = read(cells, column, report)
    if column.required:
        faulty = set(bad)
        for i in np.flatnonzero(cells.blank).tolist():
            if i not in faulty:
                report(i, "error", "blank", f"every row needs a {column.name}")
    return out, bad


def _read_unknown(raw: RawSheet, j: int, rows: np.ndarray) -> np.ndarray:
    """Return a column that the format does not know as it stands, an Excel error as a text."""
    cells = np.empty(raw.n_rows, dtype=object)
    cells[:] = list(raw.columns[j])
    for (row, column), why in raw.faults.items():
        if column == j:
            cells[row] = why
    return np.asarray(cells[rows])


def parse_sheet(raw: RawSheet, spec: Sheet, findings: Findings) -> ParsedSheet:
    """Return the typed columns of a raw sheet, noting every problem on the way.

    Parameters
    ----------
    raw : RawSheet
        Headers and cells.
    spec : Sheet
        What the format says of this sheet.
    findings : Findings
        Collects the problems.
    """
    found = _match_headers(raw, spec, findings)
    held = {j: hold(raw.columns[j]) for j in found.values()}
    rows = _used_rows(raw, held)
    letters = {name: column_letters(j) for name, j in found.items()}
    nothing = Coded(np.empty(0, dtype=object), np.full(len(rows), -1))
    data: dict[str, np.ndarray] = {}
    codes: dict[str, Coded] = {}
    bad: dict[str, np.ndarray] = {}
    for column in spec.columns:
        if column.name in found:
            j = found[column.name]
            cells = held[j] if len(rows) == raw.n_rows else held[j].at(rows)
            place = f"{spec.name}!{letters[column.name]}"
            typed, faulty = _read_column(raw, column, j, cells, rows, place, findings)
            if faulty:
                bad[column.name] = np.isin(np.arange(len(rows)), faulty)
        else:
            typed = np.full(len(rows), math.nan) if column.kind in _NUMERIC else nothing
            if column.needed:
                bad[column.name] = np.ones(len(rows), dtype=bool)
        if isinstance(typed, Coded):
            codes[column.name] = typed
        data[column.name] = typed.objects() if isinstance(typed, Coded) else typed
    for name in [name for name in found if name not in data]:
        data[name] = _read_unknown(raw, found[name], rows)
    return ParsedSheet(spec.name, frame_of(data), rows + 2, letters, bad, codes)
