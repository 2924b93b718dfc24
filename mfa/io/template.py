"""The template: a workbook to be filled in, blank or with a real case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from openpyxl import Workbook

from mfa.errors import MFAError
from mfa.io.drop_downs import add_lists
from mfa.io.forms import (
    Lang,
    form,
    in_language,
    places_of,
    settings_help,
    spec_of,
    with_every_column,
)
from mfa.io.instructions import add_page
from mfa.io.shipped import case_sheets
from mfa.io.xlsx_write import save_workbook
from mfa.schema import FORMAT, SETTINGS, SHEETS, column_names, fold
from mfa.system import RawSheet
from mfa.system.raw import Cell

_FIRST = {"format": float(FORMAT), "unit": "kt/yr", "substances": "Cu"}
_SHOWN = ("stocks", "coefficients", "compositions", "observations")
_TABS = {True: "1F4E5F", False: "8FB4BF"}  # required, others


def write_template(path: str | Path, example: str | None = None, lang: Lang = "en") -> None:
    """Write a workbook to be filled in, with help, drop-downs and a page of instructions.

    Parameters
    ----------
    path : path
        An .xlsx file.
    example : str, optional
        Name of a case that comes with the package, to be filled in; see `cases`.
    lang : {"en", "ja"}
        Language of sheets, headers and help. Either is read.

    Raises
    ------
    MFAError
        If there is no such example or language.
    PermissionError
        If the file cannot be replaced, as when it is open in Excel.

    Examples
    --------
    >>> import tempfile
    >>> import mfa
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mfa.write_template(f"{folder}/new.xlsx", example="copper-japan", lang="ja")
    ...     "smelting_ore" in mfa.read_workbook(f"{folder}/new.xlsx").graph
    True
    """
    if lang not in get_args(Lang):
        raise MFAError(f"no such language: {lang!r}; use 'en' or 'ja'")
    given = case_sheets(example) if example else {}
    named = {spec.name: raw for raw in given.values() if (spec := spec_of(raw.name))}
    tables, hidden = [], {}
    for spec in SHEETS:
        raw = named.get(spec.name, RawSheet(spec.name, (), ()))
        raw = with_every_column(raw)
        if spec.name == "system":
            raw = _with_every_key(raw, lang)
        hidden[spec.name] = not (spec.required or spec.name in _SHOWN or raw.n_rows)
        tab = _TABS[spec.required]
        tables.append(form(in_language(raw, lang), lang, tab=tab, hidden=hidden[spec.name]))
    tables += [form(raw, lang) for raw in given.values() if spec_of(raw.name) is None]
    places = places_of(tables)

    def finish(book: Workbook) -> None:
        add_page(book, lang, hidden)
        add_lists(book, places, lang)

    save_workbook(path, tables, example or "mfa", finish=finish)


def _with_every_key(raw: RawSheet, lang: Lang) -> RawSheet:
    """Return the sheet ``system`` with every key, and a line of help in the notes of new ones."""
    known = column_names(spec_of("system"))  # type: ignore[arg-type]
    by_name = {
        known.get(fold(h), h): list(c) for h, c in zip(raw.headers, raw.columns, strict=True)
    }
    there = {fold(str(key)) for key in by_name["key"]}
    first: Mapping[str, Cell] = {} if there else _FIRST
    help_ = settings_help(lang)
    for key in SETTINGS:
        if key in there or fold(key) in there:
            continue
        new = {"key": key, "value": first.get(key), "note": help_[key]}
        for name, cells in by_name.items():
            cells.append(new.get(name))
    return RawSheet(raw.name, raw.headers, tuple(by_name.values()), raw.faults)
