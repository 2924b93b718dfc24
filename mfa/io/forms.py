"""Sheets that people fill in: help on every header, drop-downs, colours by need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from mfa.io.drop_downs import Place, add_lists, choices_of
from mfa.io.rows import head_of, rows_of
from mfa.io.xlsx_write import YEAR, Choice, Look, Table, save_workbook, width
from mfa.schema import SETTINGS, SETTINGS_JA, SHEET, Column, Sheet, column_names, fold, sheet_names
from mfa.system import RawSheet
from mfa.system.raw import Cell, column_letters

Lang = Literal["en", "ja"]
NEEDED, USUAL, SELDOM, OWN = "1F4E5F", "CFE3E8", "E7E6E6", "FFFFFF"
_SELDOM = (
    "capacity capacity_unit capacity_substance group group_ja region region_ja column row "
    "distribution min max basis include shape scale interpolation company equity"
)
_FORMATS = {"text": "@", "list": "@", "choice": "@", "year": YEAR}
_WIDTHS = {"text": 18, "list": 18, "choice": 14, "yesno": 8, "year": 8, "number": 11, "share": 9}
_WIDER = {
    "name": 26,
    "name_ja": 26,
    "reference": 40,
    "note": 40,
    "key": 16,
    "unit": 9,
    "system.value": 50,
    "system.note": 60,
}
_HOLDS = {
    "en": {
        "number": "A number.",
        "share": "A share.",
        "year": "A year.",
        "yesno": "yes or no.",
        "list": "Several with commas.",
        "needed": "Needed in every row.",
    },
    "ja": {
        "number": "数値。",
        "share": "割合。",
        "year": "年。",
        "yesno": "yes または no。",
        "list": "複数はカンマ区切り。",
        "needed": "すべての行に必要。",
    },
}


def in_language(raw: RawSheet, lang: Lang) -> RawSheet:
    """Return a sheet of the format with its own name and headers in a language."""
    spec = spec_of(raw.name)
    if spec is None:
        return raw
    known = column_names(spec)
    words = {column.name: column.ja if lang == "ja" else column.name for column in spec.columns}
    headers = tuple(words.get(known.get(fold(h), ""), h) for h in raw.headers)
    name = spec.ja if lang == "ja" else spec.name
    return RawSheet(name, headers, raw.columns, raw.faults)


def spec_of(name: str) -> Sheet | None:
    """Return the sheet of the format that a name means, if any."""
    return SHEET.get(sheet_names().get(fold(name), ""))


def with_every_column(raw: RawSheet) -> RawSheet:
    """Return a sheet with every column of the format in its order, unknown ones after them."""
    spec = spec_of(raw.name)
    if spec is None:
        return raw
    known = column_names(spec)
    there = {known.get(fold(header), ""): j for j, header in enumerate(raw.headers)}
    rest = [j for j, header in enumerate(raw.headers) if fold(header) not in known]
    order = [there.get(column.name, -1) for column in spec.columns] + rest
    names = [column.name for column in spec.columns]
    headers = [raw.headers[j] if j >= 0 else name for j, name in zip(order, names, strict=False)]
    headers += [raw.headers[j] for j in rest]
    blank: list[Cell] = [None] * raw.n_rows
    columns = tuple(raw.columns[j] if j >= 0 else list(blank) for j in order)
    places = {j: new for new, j in enumerate(order)}
    faults = {(i, places[j]): why for (i, j), why in raw.faults.items()}
    return RawSheet(raw.name, tuple(headers), columns, faults)


def form(raw: RawSheet, lang: Lang, *, tab: str = "", hidden: bool = False) -> Table:
    """Return a sheet as people fill it in; a sheet that the format does not know stays plain."""
    spec = spec_of(raw.name)
    if spec is None:
        return Table(raw.name, head_of(raw), rows_of(raw), formatted=False)
    known = column_names(spec)
    by_name = {column.name: column for column in spec.columns}
    found = [by_name.get(known.get(fold(header), "")) for header in raw.headers]
    letters = {c.name: column_letters(j) for j, c in enumerate(found) if c}
    comments = {
        header: comment(column, lang)
        for header, column in zip(raw.headers, found, strict=True)
        if column
    }
    choices = choices_of(spec, letters, lang)
    if spec.name == "system":
        choices += _unit_choice(raw, letters)
    widths = [
        max(
            _WIDER.get(f"{spec.name}.{c.name}", _WIDER.get(c.name, _WIDTHS[c.kind])) if c else 0,
            width(header, cells),
        )
        for header, c, cells in zip(raw.headers, found, raw.columns, strict=True)
    ]
    look = Look(
        fills=[_fill(spec, column) for column in found],
        formats=[_format(spec, column) for column in found],
        widths=widths,
        choices=choices,
        tab=tab,
        hidden=hidden,
        freeze="B2" if spec.name in ("processes", "flows") else "A2",
    )
    return Table(raw.name, head_of(raw), rows_of(raw), comments, look=look)


def comment(column: Column, lang: Lang) -> str:
    """Return the help on a column: what it holds, and in what form."""
    words = _HOLDS[lang]
    lines = [column.help_ja if lang == "ja" else column.help]
    if column.choices:
        lines.append(", ".join(column.choices))
    if column.kind in words:
        lines.append(words[column.kind])
    if column.required:
        lines.append(words["needed"])
    return "\n".join(lines)


def _fill(spec: Sheet, column: Column | None) -> str:
    if column is None:
        return OWN
    if column.needed:
        return NEEDED
    seldom = column.name in _SELDOM.split() or (
        spec.name == "flows" and column.name in ("name", "name_ja")
    )
    return SELDOM if seldom else USUAL


def _format(spec: Sheet, column: Column | None) -> str:
    """Return a column's number format; texts are texts, so that Excel makes no date of 1-2."""
    if column is None or (spec.name == "system" and column.name == "value"):
        return ""
    return _FORMATS.get(column.kind, "")


def _unit_choice(raw: RawSheet, letters: Mapping[str, str]) -> list[Choice]:
    """Return the drop-down of the system's own unit."""
    if not {"key", "value"} <= set(letters):
        return []
    keys = next(
        c
        for c, h in zip(raw.columns, raw.headers, strict=True)
        if column_names(SHEET["system"]).get(fold(h)) == "key"
    )
    rows = [i for i, key in enumerate(keys, 2) if isinstance(key, str) and fold(key) == "unit"]
    return [Choice(f"{letters['value']}{row}", "mfa_rates") for row in rows]


def settings_help(lang: Lang) -> Mapping[str, str]:
    """Return a line on every key of the sheet ``system``."""
    return SETTINGS_JA if lang == "ja" else SETTINGS


def places_of(tables: Sequence[Table]) -> dict[str, Place]:
    """Return where the sheets of the format stand among tables."""
    out: dict[str, Place] = {}
    for table in tables:
        spec = spec_of(table.name)
        if spec:
            known = column_names(spec)
            letters = {
                known.get(fold(str(h)), ""): column_letters(j) for j, h in enumerate(table.headers)
            }
            out[spec.name] = Place(table.name, letters)
    return out


def save_forms(
    path: str | Path,
    sheets: Sequence[RawSheet],
    title: str,
    lang: Lang = "en",
    made: datetime | None = None,
) -> None:
    """Write sheets as a workbook with help, drop-downs and frozen headers."""
    tables = [form(raw, lang) for raw in sheets]
    finish = partial(add_lists, places=places_of(tables), lang=lang)
    save_workbook(path, tables, title, made, finish)
