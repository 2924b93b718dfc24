"""The flow workbook, format 1: every sheet and column, from the one table ``schema.csv``.

Reader, checks, template and the format page of the docs are all made from that table, so that
they cannot disagree.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

FORMAT = 1
GOODS = "goods"

KINDS = ("process", "import", "source", "export", "sink")
SENDERS = ("import", "source")
RECEIVERS = ("export", "sink")
STAGES = (
    "mining",
    "concentration",
    "smelting",
    "refining",
    "fabrication",
    "manufacturing",
    "use",
    "collection",
    "sorting",
    "recycling",
    "disposal",
    "trade",
)
ROLES = (
    "primary",
    "refined",
    "product",
    "new_scrap",
    "old_scrap",
    "scrap",
    "home_scrap",
    "end_of_life",
    "loss",
    "discrepancy",
)
SCRAP_ROLES = ("new_scrap", "old_scrap", "scrap", "home_scrap")
STATUSES = ("fixed", "measured", "reconciled", "calculated", "undetermined")

SETTINGS = {
    "format": "Version of this format: 1.",
    "title": "Headline of reports and charts.",
    "title_ja": "The same in Japanese.",
    "region": "Country or area inside the boundary.",
    "unit": "Needed. Unit of every flow, e.g. kt/yr.",
    "substances": "Needed. Comma list; the first is the default.",
    "default_cv": "Relative sd of a value that states none, e.g. 0.05 or 5%.",
    "inflow_at": "When in its year what enters a stock begins to age: spread (default), start, "
    "middle or end.",
    "description": "What the workbook is about.",
    "author": "Who made it.",
    "licence": "Under which terms it may be used.",
}

SETTINGS_JA = {
    "format": "この形式の版：1。",
    "title": "報告書と図の見出し（英語）。",
    "title_ja": "同じく日本語。",
    "region": "境界の内側の国・地域。",
    "unit": "必須。全フローの単位。例：kt/yr。",
    "substances": "必須。物質のカンマ区切り。最初が既定。",
    "default_cv": "標準偏差も変動係数もない値の変動係数。例：0.05、5%。",
    "inflow_at": "蓄積に入ったものが年内のいつから古びるか：spread（既定）、start、middle、end。",
    "description": "このブックの内容。",
    "author": "作成者。",
    "licence": "利用条件。",
}

# What a results workbook adds to the input's sheets, and adds as sheets of its own.
RESULT_COLUMNS = (
    "observed",
    "observed_sd",
    "low",
    "high",
    "adjustment",
    "status",
    "at_bound",
    "assumed",
    "detectable",
    "cell",
    "result_value",
    "result_sd",
)
RESULT_SHEETS = (
    "cohorts",
    "ages",
    "end_uses",
    "balances",
    "suspects",
    "excluded",
    "observability",
    "statements",
    "indicators",
    "bottlenecks",
    "gains",
    "capacities",
    "leakage",
    "measures_effect",
    "support",
    "criteria",
    "trade",
    "trace",
    "survey",
    "projection",
    "projection_notes",
    "disruption",
    "disruption_months",
    "disruption_stocks",
    "concentration",
    "suppliers",
    "exposure",
    "surplus",
    "stock_needed",
    "provenance",
)

# The sheet from which a template takes its drop-downs: known by name and first header, never read.
LISTS = {"en": "lists", "ja": "リスト"}
LISTS_MARK = "Lists for drop-downs, made by mfa: nothing here is read."

ColumnKind = Literal["text", "list", "number", "share", "year", "choice", "yesno"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its Japanese alias, what its cells hold, and a line of help.

    ``required``: no cell may be blank. ``needed``: the column must be there, as every required one.
    """

    name: str
    ja: str
    kind: ColumnKind
    required: bool
    needed: bool
    choices: tuple[str, ...]
    help: str
    help_ja: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, its Japanese alias, its columns in their order."""

    name: str
    ja: str
    required: bool
    columns: tuple[Column, ...]
    help: str
    help_ja: str


def _read_table() -> tuple[Sheet, ...]:
    lists = {"@STAGES": STAGES, "@KINDS": KINDS, "@ROLES": ROLES}
    text = files("mfa").joinpath("schema.csv").read_text(encoding="utf-8")
    sheets: dict[str, Sheet] = {}
    columns: dict[str, list[Column]] = {}
    for row in csv.DictReader(text.splitlines()):
        required = row["required"] == "yes"
        if row["kind"] == "sheet":
            columns[row["sheet"]] = []
            sheets[row["sheet"]] = Sheet(
                row["sheet"], row["ja"], required, (), row["help"], row["help_ja"]
            )
            continue
        choices = lists.get(row["choices"], tuple(row["choices"].split()))
        kind = cast("ColumnKind", row["kind"])
        columns[row["sheet"]].append(
            Column(
                row["column"],
                row["ja"],
                kind,
                required,
                bool(row["required"]),
                choices,
                row["help"],
                row["help_ja"],
            )
        )
    return tuple(
        Sheet(s.name, s.ja, s.required, tuple(columns[s.name]), s.help, s.help_ja)
        for s in sheets.values()
    )


SHEETS = _read_table()
SHEET = {sheet.name: sheet for sheet in SHEETS}


def fold(name: str) -> str:
    """Reduce a sheet or column name to what counts: no case, spaces, underscores or widths.

    Examples
    --------
    >>> fold(" Name＿JA ") == fold("name_ja")
    True
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(text.replace("_", " ").split())


def is_lists(name: str, headers: Sequence[str]) -> bool:
    """Return whether a sheet is the one that `mfa template` made for drop-downs."""
    return fold(name) in map(fold, LISTS.values()) and headers[:1] == (LISTS_MARK,)


def has_results(headers: Iterable[str]) -> bool:
    """Return whether a sheet with these headers holds results beside what was observed."""
    folded = set(map(fold, headers))
    return "status" in folded and not folded.isdisjoint({"observed", "resultvalue"})


def sheet_names() -> dict[str, str]:
    """Map every folded sheet name, English or Japanese, to the sheet that it means.

    Examples
    --------
    >>> sheet_names()[fold("フロー")]
    'flows'
    """
    pairs = {fold(sheet.ja): sheet.name for sheet in SHEETS}
    return pairs | {fold(sheet.name): sheet.name for sheet in SHEETS}


def column_names(sheet: Sheet) -> dict[str, str]:
    """Map every folded column name of a sheet, English or Japanese, to the column it means.

    Examples
    --------
    >>> column_names(SHEET["flows"])[fold("起点")]
    'from'
    """
    pairs = {fold(column.ja): column.name for column in sheet.columns}
    return pairs | {fold(column.name): column.name for column in sheet.columns}
