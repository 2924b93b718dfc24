"""The XML of a workbook's sheets: made uniform, measured, and searched for unusable cells.

python-calamine is fast, but silent about what it cannot use, so each sheet is looked at first:

* An error value and a formula without a stored result arrive as ``""``, just like a blank.
* An error value other than Excel's seven classic ones ends the reading of the whole sheet.
* Comments and CDATA sections swallow values; a sheet in UTF-16 looks empty.
* The rectangle around all filled cells is allocated at once. If that is impossible, the process
  is aborted, and no ``except`` can stop that: one cell in XFD1048576 is enough.
* A shared string is copied for every cell that uses it.

All patterns stop at the next ``<`` and match white space possessively: their time is linear in
the size of the part, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from mfa.errors import Problem, WorkbookError
from mfa.system.raw import column_letters

MAX_AREA = 12_000_000  # cells around a sheet's content, unless a quarter of them is filled
MAX_TEXT = 2**30  # bytes of text in one sheet, a shared string counted wherever it is used
NO_RESULT = "formula without a stored result"
SAVE_AGAIN = "open it in Excel or LibreOffice and save it again as .xlsx"

_OTHER_ENCODING = re.compile(
    rb"""\s*<\?xml[^<>]*?encoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE
)
_MARKED_SECTION = re.compile(rb"<!")
_ROOT_PREFIX = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?[^<>]*>\s*)?<([\w.-]+):")
_SHEET_DATA = re.compile(rb"<sheetData[\s/>]")
_MAYBE_PREFIXED = re.compile(rb":c[\s/>]")
_PREFIXED_CELL = re.compile(rb"<[^<>\s:]++:c[\s/>]")
# A cell that does not begin with <c r="A1", or whose address is not that short. Most sheets lie
# within Z399999 or within ZZ9999, and these are smaller than MAX_AREA without any counting.
_ODD_CELL = re.compile(rb'<c(?:[\t\r\n/>]| (?!r="[A-Z]{1,3}[0-9]{1,7}"))')
_BEYOND_Z399999 = re.compile(rb'<c(?:[\t\r\n/>]| (?!r="[A-Z](?:[0-9]{1,5}|[1-3][0-9]{5})"))')
_BEYOND_ZZ9999 = re.compile(rb'<c(?:[\t\r\n/>]| (?!r="[A-Z]{1,2}[0-9]{1,4}"))')
_LATE_ADDRESS = re.compile(rb'<c((?:\s++(?!r=)[a-z]++="[^"<>]*+")++)\s++(r="[A-Z]{1,3}[0-9]{1,7}")')
_FILLED_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^<>]*+(?<!/)>(?!\s*+</c)')
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_HEAD = b'<c r="'
_FORMULA = rb"<f(?:\s[^<>]*+)?/?(?:(?<=/)>|>[^<]*+</f\s*+>)\s*+"
_EMPTY_FORMULA = re.compile(_FORMULA + rb"(<v\s*+/>|<v\s*+>\s*+</v\s*+>)?\s*+</c\s*+>")
_ZERO_FORMULA = re.compile(_FORMULA + rb"<v>\s*+-?0(?:\.0*+)?\s*+</v\s*+>\s*+</c\s*+>")
_ERROR = re.compile(rb't="e"[^<>]*+>\s*+(?:' + _FORMULA + rb")?<v>([^<]++)</v")
_TEXT_TYPE = re.compile(rb"""\bt\s*=\s*["']str["']""")
_NOT_NUMBER_TYPE = re.compile(rb"""\bt\s*=\s*["'](?!n["'])""")
_CLASSIC_ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}
_STRING_START = re.compile(rb"<(?:[\w.-]+:)?si[\s/>]")
_STRING_USE = re.compile(rb"""\bt\s*=\s*["']s["'][^<>]*+>\s*+<v>\s*+([0-9]{1,9})""")

Place = tuple[int, int]  # row and column of a cell, both counted from 0


@dataclass(frozen=True, slots=True)
class SheetXML:
    """A sheet's XML in a form that calamine reads in full.

    Parameters
    ----------
    data : bytes
        The XML; the very object that was inspected if nothing had to be changed.
    faults : dict
        Cells without a usable value, by their row and column in the sheet counted from 0.
    """

    data: bytes
    faults: dict[Place, str]


def refuse(what: str, do: str, found: str | None = None, cell: str = "") -> WorkbookError:
    """Return an error with one problem; file and sheet are filled in where they are known."""
    return WorkbookError([Problem(what, do, found, cell=cell)])


def elements(data: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return name (without prefix) and attributes of all elements of a small XML part."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append(
        (name.rpartition(":")[2], attributes)
    )
    _parse(parser, data)
    return found


def uniform(data: bytes) -> bytes:
    """Return an XML part in UTF-8 and without comments and CDATA sections."""
    encoded = data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]
    if encoded or _OTHER_ENCODING.match(data[:300]) or _MARKED_SECTION.search(data):
        return _rewritten(data)
    return data


class SharedStrings:
    """How long the texts are that the sheets share.

    Parameters
    ----------
    data : bytes
        The XML of the table of shared strings.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        # No entry is longer than this; an entry that ends in another way makes it larger.
        self.longest = max(map(len, data.split(b"</si>")))

    @cached_property
    def sizes(self) -> list[int]:
        """Size in bytes of each entry."""
        starts = [match.start() for match in _STRING_START.finditer(self._data)]
        return [after - start for start, after in pairwise([*starts, len(self._data)])]


def inspect_sheet(
    data: bytes, strings: SharedStrings | None = None, placeholders: bool = False
) -> SheetXML:
    """Return a sheet's XML ready for calamine, and its cells without a usable value.

    Parameters
    ----------
    data : bytes
        The sheet's XML as it stands in the file.
    strings : SharedStrings or None
        The texts that the sheet may use.
    placeholders : bool
        Whether the result 0 of a formula only stands for one that was never calculated.

    Returns
    -------
    SheetXML
        The XML to be read, and the faults.

    Raises
    ------
    WorkbookError
        If the XML is damaged, or if its content would not fit into memory.
    """
    data = _without_prefix(uniform(data))
    if not _SHEET_DATA.search(data):  # calamine would take it for an empty sheet
        raise refuse("the file is damaged: a sheet lacks its cells", SAVE_AGAIN)
    if _BEYOND_Z399999.search(data):
        if _ODD_CELL.search(data):
            data = _LATE_ADDRESS.sub(rb"<c \2\1", data)
        if _ODD_CELL.search(data):
            data = _rewritten(data)
        if _BEYOND_ZZ9999.search(data):
            _check_area(data)
    if strings is not None:
        _check_text(data, strings)
    faults = dict(_cells_without_result(data))
    if placeholders:
        faults.update(_cells_with_placeholder(data))
    strange: list[tuple[int, int]] = []
    for place, text, span in _error_cells(data):
        faults[place] = text.strip()
        if text not in _CLASSIC_ERRORS:
            strange.append(span)
    return SheetXML(_with_na(data, strange) if strange else data, faults)


def _parse(parser: expat.XMLParserType, data: bytes) -> None:
    def no_doctype(*_: object) -> None:
        raise refuse("the workbook declares XML entities, which no spreadsheet does", SAVE_AGAIN)

    parser.StartDoctypeDeclHandler = no_doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise refuse("the file is damaged: its XML is broken", SAVE_AGAIN, str(error)) from None


class _Rewriter:
    """Writes a part anew: no prefixes, and an address on every cell."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.row, self.column = 0, 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
        elif name == "c":
            attributes = {"r": self._address(attributes), **attributes}
        written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        self.out.append(f"<{name}{written}>")

    def end(self, name: str) -> None:
        self.out.append(f"</{name.rpartition(':')[2]}>")

    def text(self, text: str) -> None:
        self.out.append(escape(text, {"\r": "&#13;"}))

    def _address(self, attributes: dict[str, str]) -> str:
        """Take the cell's address, or the next one in its row if it has none."""
        following = f"{column_letters(self.column)}{self.row}"
        address = attributes.pop("r", following).upper()
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise refuse("a cell's address is impossible", SAVE_AGAIN, address)
        self.column = _column_index(match[1]) + 1
        return address


def _rewritten(data: bytes) -> bytes:
    """Parse and write a part anew: several times slower than the reading itself, but rare."""
    writer = _Rewriter()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    _parse(parser, data)
    return "".join(writer.out).encode()


def _without_prefix(data: bytes) -> bytes:
    """Return a sheet whose cells are called ``<c …>``, not ``<x:c …>`` as by .NET libraries."""
    if prefix := _ROOT_PREFIX.match(data):
        data = data.replace(b"<%b:" % prefix[1], b"<").replace(b"</%b:" % prefix[1], b"</")
    if _MAYBE_PREFIXED.search(data) and _PREFIXED_CELL.search(data):
        return _rewritten(data)
    return data


def _check_area(data: bytes) -> None:
    """Refuse a sheet whose filled cells span a rectangle too large to be allocated."""
    rows: dict[int, str] = {}
    columns: dict[int, str] = {}
    count = 0
    for letters, digits in _filled_cells(data):
        row, address = int(digits), f"{letters}{digits}"
        rows.setdefault(row, address)
        columns.setdefault(_column_index(letters) + 1, address)
        count += 1
    height, width = max(rows, default=0), max(columns, default=0)
    if height * width <= max(MAX_AREA, 4 * count):
        return
    _, cell = max(_widest_gap(rows), _widest_gap(columns))
    raise refuse(
        f"a cell lies far away from the table: the sheet would have {height:,} × {width:,} cells",
        "delete the rows and columns from there on (mark, right-click, Delete) and save",
        cell=cell,
    )


def _filled_cells(data: bytes) -> Iterator[tuple[str, str]]:
    for match in _FILLED_CELL.finditer(data):
        yield match[1].decode(), match[2].decode()


def _widest_gap(cells: dict[int, str]) -> tuple[float, str]:
    """Return how many times further out a row or column is than the one before it, and a cell."""
    return max((after / before, cells[after]) for before, after in pairwise([1, *sorted(cells)]))


def _check_text(data: bytes, strings: SharedStrings) -> None:
    """Refuse a sheet whose shared strings become too much when each cell has its own copy."""
    smallest_cell = len(b'<c r="A1" t="s"><v>0</v></c>')
    if strings.longest * (len(data) // smallest_cell) <= MAX_TEXT:
        return
    sizes = strings.sizes
    uses = (int(match[1]) for match in _STRING_USE.finditer(data))
    total = sum(sizes[i] for i in uses if i < len(sizes))
    if total > MAX_TEXT:
        raise refuse(
            f"the texts of the sheet add up to {total / 2**30:.1f} GiB",
            "shorten or remove the long text that is repeated in many cells",
        )


def _cells_without_result(data: bytes) -> Iterator[tuple[Place, str]]:
    for head, match in _in_cells(_EMPTY_FORMULA, data):
        # A formula such as =IF(A1="","",A1) has a result: the empty text, stored as <v></v>.
        if not match[1] or not _TEXT_TYPE.search(data, head, match.start()):
            yield _place(data, head), NO_RESULT


def _cells_with_placeholder(data: bytes) -> Iterator[tuple[Place, str]]:
    for head, match in _in_cells(_ZERO_FORMULA, data):
        if not _NOT_NUMBER_TYPE.search(data, head, match.start()):
            yield _place(data, head), NO_RESULT


def _error_cells(data: bytes) -> Iterator[tuple[Place, str, tuple[int, int]]]:
    for head, match in _in_cells(_ERROR, data):
        yield _place(data, head), match[1].decode(errors="replace"), match.span(1)


def _in_cells(pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield each match together with the start of the cell that it lies in."""
    done = 0
    for match in pattern.finditer(data):
        head = data.rfind(_HEAD, done, match.start())
        done = match.end()
        if head >= 0:
            yield head, match


def _place(data: bytes, head: int) -> Place:
    start = head + len(_HEAD)
    address = data[start : data.index(b'"', start)].decode()
    letters = address.rstrip("0123456789")
    return int(address[len(letters) :]) - 1, _column_index(letters)


def _column_index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _with_na(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """Write #N/A in place of the error values that calamine does not know."""
    pieces, done = [], 0
    for start, end in spans:
        pieces += [data[done:start], b"#N/A"]
        done = end
    return b"".join([*pieces, data[done:]])
