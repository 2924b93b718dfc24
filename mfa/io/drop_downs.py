"""Drop-downs of a workbook: lists on a sheet of their own, reached through defined names.

A list of fixed words has a column there; the substances are taken apart from the sheet ``system``
by formulas; processes and flows are whatever stands in their own sheets, so that lists grow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName

from mfa.io.xlsx_write import LAST_ROW, Choice
from mfa.schema import GOODS, LISTS, LISTS_MARK, SHEETS, Column, Sheet
from mfa.units import MASSES, SHARES

Lang = str
_MOST_SUBSTANCES = 30
_USUAL = ("t", "kt", "Mt", "kg", "g", "mg", "Gg", "lb")
_RATES = tuple(f"{mass}/yr" for mass in _USUAL)
_UNITS = {
    "flows": "rates",
    "stocks": "rates_and_masses",
    "observations": "rates_and_masses",
    "coefficients": "shares",
    "compositions": "shares",
    "origins": "rates_and_shares",
    "producers": "rates_and_shares",
    "stockpiles": "masses",
}
_WORDS = {
    "en": {
        "choice": "Not one of the words that are read here: choose from the list.",
        "name": "Not in its list yet. If it is meant, add it there, too.",
        "number": "A plain number, or nothing if it is unknown.",
        "year": "A year such as 2020.",
        "unit": "Not a unit that is known here: choose from the list.",
    },
    "ja": {
        "choice": "ここで使える語ではありません。一覧から選んでください。",
        "name": "まだ一覧にありません。正しければ一覧側にも追加してください。",
        "number": "数値のみ。不明なら空欄にしてください。",
        "year": "2020 のような年を書いてください。",
        "unit": "使えない単位です。一覧から選んでください。",
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sheet of the format stands in a workbook: its name there, and its headers."""

    name: str
    letters: Mapping[str, str]


def fixed_lists() -> dict[str, tuple[str, ...]]:
    """Return the lists of fixed words by the ends of their defined names."""
    lists: dict[str, tuple[str, ...]] = {"yes_no": ("yes", "no")}
    for spec in SHEETS:
        for column in spec.columns:
            if column.choices:
                lists[_words(spec, column)] = column.choices
    rates_and = (*_RATES, *_USUAL)
    units = {"rates": _RATES, "masses": _USUAL, "shares": SHARES, "rates_and_masses": rates_and}
    assert set(_USUAL) == set(MASSES)
    return lists | units | {"rates_and_shares": (*_RATES, *SHARES)}


def _words(spec: Sheet, column: Column) -> str:
    """Return the name of a column's list: that of the first column with the same words."""
    for other in SHEETS:
        for same in other.columns:
            if same.choices == column.choices:
                return f"{other.name}_{same.name}"
    return f"{spec.name}_{column.name}"


def choices_of(spec: Sheet, letters: Mapping[str, str], lang: Lang) -> list[Choice]:
    """Return what may stand in the columns of a sheet."""
    words = _WORDS[lang]
    out: list[Choice] = []
    for column in spec.columns:
        if column.name not in letters:
            continue
        letter = letters[column.name]
        cells = f"{letter}2:{letter}{LAST_ROW}"
        source, refuse, message = _source(spec, column)
        if source:
            formula = f"mfa_{source}"
            out.append(Choice(cells, formula, "list", refuse, words[message] if refuse else ""))
        elif column.kind == "number":
            out.append(Choice(cells, "", "decimal", "stop", words["number"]))
        elif column.kind == "year":
            out.append(Choice(cells, "", "whole", "stop", words["year"]))
    return out


def _source(spec: Sheet, column: Column) -> tuple[str, str, str]:
    """Return a column's list, what to do about other entries, and the message then."""
    name = column.name
    if column.choices:
        return _words(spec, column), "stop" if column.kind == "choice" else "", "choice"
    if column.kind == "yesno":
        return "yes_no", "stop", "choice"
    if name in ("substance", "capacity_substance"):
        return "substances", "warning", "name"
    if name == "capacity_unit" or (name == "unit" and spec.name in _UNITS):
        return _UNITS.get(spec.name, "rates"), "warning", "unit"
    if (name == "process" and spec.name != "processes") or (
        name in ("from", "to") and spec.name == "flows"
    ):
        return "processes", "warning", "name"
    if name == "flow" and spec.name != "flows":
        return "flows", "" if column.kind == "list" else "warning", "name"
    return "", "", ""


def add_lists(book: Workbook, places: Mapping[str, Place], lang: Lang) -> None:
    """Add the hidden sheet of lists, and the names through which drop-downs reach them.

    Parameters
    ----------
    book : Workbook
        Has its sheets, in openpyxl's write-only mode.
    places : mapping of str to Place
        Where the sheets of the format stand in it.
    lang : {"en", "ja"}
        Language of the sheet's name.
    """
    title = LISTS[lang]
    sheet = book.create_sheet(title)
    sheet.sheet_state = "hidden"
    lists = fixed_lists()
    columns: list[Sequence[Any]] = [list(words) for words in lists.values()]
    names = {name: (i, len(words)) for i, (name, words) in enumerate(lists.items(), 2)}
    for name, (number, count) in names.items():
        letter = get_column_letter(number)
        _define(book, name, f"'{title}'!${letter}$2:${letter}${count + 1}")
    if "system" in places:
        last = get_column_letter(len(lists) + 2)
        columns.append([GOODS, *_substances(places["system"])])
        area = f"'{title}'!${last}$2:${last}${_MOST_SUBSTANCES + 2}"
        first = f"'{title}'!${last}$2"
        _define(book, "substances", f'{first}:INDEX({area},MAX(1,COUNTIF({area},"?*")))')
    for name, column in (("processes", "process"), ("flows", "flow")):
        if name in places and column in places[name].letters:
            letter = places[name].letters[column]
            area = f"{_quoted(places[name].name)}!${letter}$2:${letter}${LAST_ROW}"
            first = f"{_quoted(places[name].name)}!${letter}$2"
            _define(book, name, f"{first}:INDEX({area},MAX(1,COUNTA({area})))")
    headers = [*lists, "substances"][: len(columns)]
    sheet.append([LISTS_MARK, *headers])
    for row in range(max(map(len, columns))):
        cells = [column[row] if row < len(column) else None for column in columns]
        sheet.append([None, *(_text(sheet, cell) for cell in cells)])


def _text(sheet: Any, value: object) -> Any:
    """Return a word as a text even if it is a sign such as =; formulas come as they are."""
    if isinstance(value, str) and not value.startswith("=IFERROR("):
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"
        return cell
    return value


def _substances(system: Place) -> list[str]:
    """Return formulas that take the comma list of substances apart, one each."""
    key, value = (
        f"{_quoted(system.name)}!${system.letters[n]}:${system.letters[n]}"
        for n in ("key", "value")
    )
    text = f'INDEX({value},MATCH("substances",{key},0))'
    for mark in ("、", ";", "，"):
        text = f'SUBSTITUTE({text},"{mark}",",")'
    spread = f'SUBSTITUTE({text},",",REPT(" ",99))'
    return [f'=IFERROR(TRIM(MID({spread},{99 * i + 1},99)),"")' for i in range(_MOST_SUBSTANCES)]


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _define(book: Workbook, name: str, formula: str) -> None:
    book.defined_names[f"mfa_{name}"] = DefinedName(f"mfa_{name}", attr_text=formula)
