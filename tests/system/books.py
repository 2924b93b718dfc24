"""Small workbooks for tests, written as lists of rows, and what is read from them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pandas as pd

import mfa
from mfa.errors import Problem

Tables = dict[str, list[list[Any]]]

SMALL: Tables = {
    "system": [
        ["key", "value"],
        ["format", 1],
        ["title", "A small copper cycle"],
        ["title_ja", "小さな銅の循環"],
        ["unit", "kt/yr"],
        ["substances", "Cu"],
    ],
    "processes": [
        ["process", "name", "name_ja", "kind", "stock", "stage"],
        ["Mine", "Copper mine", "鉱山", "source", None, "mining"],
        ["Smelter", "Big smelter", "製錬所", None, None, "smelting"],
        ["Use", "Products in use", "使用", "process", "yes", "use"],
        ["Market", "Scrap market", "市場", "sink", None, "trade"],
    ],
    "flows": [
        ["flow", "from", "to", "substance", "year", "value", "unit", "sd"],
        ["ore", "Mine", "Smelter", "Cu", 2018, 100, "kt/yr", 4],
        ["metal", "Smelter", "Use", "Cu", 2018, 95, "kt/yr", 2],
        ["scrap", "Use", "Market", "Cu", 2018, None, None, None],
        ["ore", None, None, "Cu", 2019, 110, "kt/yr", 5],
        ["metal", None, None, "Cu", 2019, 104, "kt/yr", 3],
        ["scrap", None, None, "Cu", 2019, 41, "kt/yr", 7],
    ],
    "stocks": [
        ["process", "substance", "year", "quantity", "value", "unit", "sd"],
        ["Use", "Cu", 2017, "level", 900, "kt", 30],
        ["Use", "Cu", 2018, "change", 50, "kt/yr", 9],
    ],
}


def small(**sheets: list[list[Any]] | None) -> Tables:
    """Return a copy of the small book; sheets given replace its own, None takes one out."""
    tables = copy.deepcopy(SMALL) | {k: v for k, v in sheets.items() if v is not None}
    return {name: rows for name, rows in tables.items() if sheets.get(name, rows) is not None}


def put(tables: Tables, place: str, value: object) -> Tables:
    """Return a copy with one cell changed, ``put(book, "flows!F2", "x")``."""
    out = copy.deepcopy(tables)
    sheet, _, cell = place.partition("!")
    row, column = openpyxl.utils.cell.coordinate_to_tuple(cell)
    rows = out.setdefault(sheet, [])
    while len(rows) < row:
        rows.append([None] * (len(rows[0]) if rows else 1))
    for line in rows:
        line += [None] * (column - len(line))
    rows[row - 1][column - 1] = value
    return out


def add(tables: Tables, sheet: str, *rows: Sequence[object]) -> Tables:
    """Return a copy with rows added at the end of a sheet."""
    out = copy.deepcopy(tables)
    out[sheet] = out.get(sheet, []) + [list(row) for row in rows]
    return out


def with_column(tables: Tables, sheet: str, header: str, *values: object) -> Tables:
    """Return a copy with a column added on the right of a sheet."""
    out = copy.deepcopy(tables)
    cells = [header, *values, *[None] * len(out[sheet])]
    out[sheet] = [[*row, cell] for row, cell in zip(out[sheet], cells, strict=False)]
    return out


def flows_book(*rows: Mapping[str, object], **settings: object) -> Tables:
    """Return the small book with flows of one's own, each from Mine to Smelter by default."""
    default = {"from": "Mine", "to": "Smelter", "year": 2018}
    full = [{"flow": f"f{i}"} | default | dict(row) for i, row in enumerate(rows)]
    headers = list(dict.fromkeys(key for row in full for key in row))
    book = small(flows=[headers, *[[row.get(key) for key in headers] for row in full]])
    del book["stocks"]
    book["system"] = [row for row in book["system"] if row[0] not in settings]
    return add(book, "system", *[[k, v] for k, v in settings.items() if v is not None])


def save(tables: Mapping[str, Iterable[Sequence[object]]], path: str | Path) -> Path:
    """Write a workbook with openpyxl; texts stay texts."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for i, row in enumerate(rows, 1):
            for j, value in enumerate(row, 1):
                if value is not None:
                    cell = sheet.cell(i, j)
                    cell.value = value
                    if isinstance(value, str):
                        cell.data_type = "s"
    book.save(path)
    return Path(path)


def frames(tables: Mapping[str, Sequence[Sequence[Any]]]) -> dict[str, pd.DataFrame]:
    """Return tables as DataFrames."""
    return {
        name: pd.DataFrame([list(row) for row in rows[1:]], columns=list(rows[0]), dtype=object)
        for name, rows in tables.items()
    }


def read(tables: Tables) -> mfa.System:
    """Return the System in a workbook with these sheets."""
    with TemporaryDirectory() as folder:
        return mfa.read_workbook(save(tables, Path(folder, "book.xlsx")))


def problems(tables: Tables) -> tuple[Problem, ...]:
    """Return every problem in a workbook with these sheets, in the order reported."""
    try:
        return read(tables).problems
    except mfa.WorkbookError as error:
        return error.problems


def errors(tables: Tables) -> list[Problem]:
    """Return the errors in a workbook with these sheets."""
    return [problem for problem in problems(tables) if problem.severity == "error"]


def warnings(tables: Tables) -> list[Problem]:
    """Return the warnings of a workbook that can be read."""
    return list(read(tables).problems)


def at(found: Iterable[Problem], place: str) -> list[Problem]:
    """Return the problems at a place written ``sheet!cell``."""
    return [problem for problem in found if f"{problem.sheet}!{problem.cell}" == place]


def only(found: Iterable[Problem]) -> Problem:
    """Return the one problem found; every part of its message must be filled in."""
    (problem,) = found
    assert problem.what
    assert problem.do
    assert problem.file
    return problem
