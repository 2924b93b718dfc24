"""Sheets and columns are found by name: case, spaces, underscores, widths and Japanese aliases."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

import mfa
from mfa.schema import SHEET, SHEETS, column_names, fold, sheet_names

from . import books

# The tables of the workbook's format, word for word.
SHEET_ALIASES = """system システム · processes プロセス · flows フロー · stocks ストック ·
coefficients 係数 · compositions 組成 · observations 観測 · lifetimes 寿命 · scenarios シナリオ ·
origins 供給国 · countries 国 · shocks 途絶 · stockpiles 備蓄 · substitutions 代替 ·
technologies 技術 · rules 基準 · measures 施策"""
COLUMN_ALIASES = """process プロセス · name 名称 · stage 段階 · kind 種別 · stock 蓄積 ·
capacity 能力 · group グループ · column 列 · row 行 · flow フロー · from 起点 · to 終点 ·
substance 物質 · year 年 · value 値 · unit 単位 · sd 標準偏差 · cv 変動係数 · distribution 分布 ·
min 下限 · max 上限 · role 役割 · reference 出典 · note 備考 · quantity 量 · coefficient 係数 ·
of 対象 · observation 観測 · factor 係数値 · relation 関係 · from_year 開始年 · mean 平均 ·
shape 形状 · scale 尺度 · scenario シナリオ · target 目標 · item 項目 · change 変更 ·
interpolation 補間 · country 国 · company 企業 · measure 施策 · cost 費用 · key 項目名 ·
basis 根拠 · include 採用 · equity 権益 · capacity_unit 能力単位 · capacity_substance 能力物質 ·
governance ガバナンス · trade_adjustment 貿易調整"""
DATA = "value unit sd cv distribution min max basis include reference note"
COLUMNS = {
    "system": "key value",
    "processes": "process name name_ja stage kind stock capacity capacity_unit capacity_substance "
    "group region column row note",
    "flows": f"flow from to substance year role {DATA}",
    "stocks": f"process substance year quantity {DATA}",
    "coefficients": f"coefficient flow of substance year {DATA}",
    "compositions": f"flow substance year {DATA}",
    "observations": f"observation flow process quantity factor substance year relation {DATA}",
    "lifetimes": "process substance from_year distribution mean sd shape scale reference note",
    "scenarios": "scenario target item substance year change value interpolation reference note",
    "origins": "flow country company year value unit equity reference note",
    "countries": "country group governance trade_adjustment reference",
    "shocks": "shock target item year share months probability reference note",
    "stockpiles": "process substance value unit days release_per_month reference note",
    "substitutions": "from to share delay_months reference note",
    "technologies": "process technology substance year share intensity reference note",
    "rules": "rule indicator relation threshold support cap reference note",
    "measures": "measure item target kind cost reference note",
}


def pairs(text):
    return [tuple(part.split()) for part in text.split("·")]


JAPANESE = dict(pairs(COLUMN_ALIASES)) | {"name_ja": "名称_ja"}


def as_japanese(tables):
    sheets = dict(pairs(SHEET_ALIASES))
    return {
        sheets[name]: [[JAPANESE[header] for header in rows[0]], *rows[1:]]
        for name, rows in tables.items()
    }


def same(one, two):
    """Compare two systems but for the places of their cells."""
    for name in ("processes", "flows", "data", "stocks", "observations"):
        a, b = (getattr(s, name).drop(columns="cell", errors="ignore") for s in (one, two))
        pd.testing.assert_frame_equal(a[sorted(a)], b[sorted(b)])
    assert one.settings == two.settings


@pytest.mark.parametrize(("name", "alias"), pairs(SHEET_ALIASES))
def test_every_sheet_has_its_alias(name, alias):
    assert sheet_names()[fold(alias)] == name
    assert sheet_names()[fold(name.upper())] == name


@pytest.mark.parametrize(("name", "alias"), pairs(COLUMN_ALIASES))
def test_every_column_has_its_alias_in_every_sheet(name, alias):
    sheets = [sheet for sheet in SHEETS if name in {column.name for column in sheet.columns}]
    assert sheets
    for sheet in sheets:
        assert column_names(sheet)[fold(alias)] == name
        assert column_names(sheet)[fold(name)] == name


@pytest.mark.parametrize("sheet", sorted(COLUMNS))
def test_every_sheet_has_the_columns_of_the_format(sheet):
    have = [column.name for column in SHEET[sheet].columns]
    wanted = COLUMNS[sheet].split()
    assert set(wanted) <= set(have)
    assert [name for name in have if name in wanted] == wanted


def test_no_two_columns_of_a_sheet_have_one_name_or_alias():
    for sheet in SHEETS:
        names = [fold(n) for column in sheet.columns for n in {column.name, column.ja}]
        assert len(names) == len(set(names)), sheet.name


def test_a_workbook_in_japanese_is_the_same_system():
    same(books.read(books.SMALL), books.read(as_japanese(books.small())))
    assert books.problems(as_japanese(books.small())) == ()


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.title,
        lambda h: h.replace("_", " "),
        lambda h: h.replace("_", ""),
        lambda h: f"  {h} ",
        lambda h: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in h),  # full width
        lambda h: "\u3000" + h + "\u00a0",
    ],
)
def test_case_spaces_underscores_and_widths_do_not_matter(change):
    book = books.with_column(books.small(), "processes", "capacity_unit", None, "t/yr")
    book = books.with_column(book, "processes", "capacity", None, 9000)
    plain = books.read(book)
    changed = {name: [list(map(change, rows[0])), *rows[1:]] for name, rows in book.items()}
    same(plain, books.read(changed))
    assert books.problems(changed) == ()


@pytest.mark.parametrize("name", ["FLOWS", " flows", "Ｆlows", "f_l o w s", "ﾌﾛｰ", "フ ロー"])
def test_sheets_are_found_by_folded_names(name):
    book = books.small()
    renamed = {name if key == "flows" else key: rows for key, rows in book.items()}
    same(books.read(book), books.read(renamed))


def test_columns_and_sheets_come_in_any_order():
    book = books.small()
    turned = {name: [row[::-1] for row in rows] for name, rows in reversed(book.items())}
    same(books.read(book), books.read(turned))


def test_unknown_columns_are_kept_and_reported():
    book = books.with_column(books.small(), "flows", "valu", 1, "x")
    book = books.with_column(book, "processes", "担当", "Sato")
    system = books.read(book)
    assert system.data["valu"].tolist()[:3] == [1, "x", None]
    assert system.processes["担当"].tolist()[0] == "Sato"
    typo, other = system.problems[1], system.problems[0]
    assert (other.sheet, other.cell) == ("processes", "G1")
    assert "'担当'" in other.what
    assert (typo.sheet, typo.cell, typo.do) == ("flows", "I1", "did you mean 'value'?")


@pytest.mark.parametrize(
    ("sheet", "header", "meant"),
    [
        ("flows", "substanc", "substance"),
        ("flows", "referense", "reference"),
        ("processes", "capcity", "capacity"),
        ("processes", "knd", "kind"),
        ("stocks", "quantitiy", "quantity"),
    ],
)
def test_near_names_are_offered_for_columns(sheet, header, meant):
    problem = books.only(books.warnings(books.with_column(books.small(), sheet, header, 1)))
    assert f"'{meant}'" in problem.do


def test_a_column_that_only_looks_like_one_of_the_results_is_reported():
    # Without the other columns of a results workbook nothing reads it: the user should know.
    book = books.with_column(books.small(), "flows", "observed", 100)
    assert "observed" in books.only(books.warnings(book)).what


def test_a_column_twice_is_an_error_also_by_its_alias():
    for header in ("value", "Value ", "値"):
        problem = books.only(books.errors(books.with_column(books.small(), "flows", header, 1)))
        assert (problem.sheet, problem.cell) == ("flows", "I1")
        assert "F1" in problem.do


def test_a_sheet_twice_is_an_error_also_by_its_alias():
    book = books.small() | {"フロー": books.SMALL["flows"]}
    problem = books.only(books.errors(book))
    assert "'flows'" in problem.what
    assert "'フロー'" in problem.what


def test_values_below_no_header_are_reported():
    book = books.put(books.small(), "flows!K3", 17)
    problem = books.only(books.warnings(book))
    assert (problem.sheet, problem.cell) == ("flows", "K1")


def test_blank_rows_and_columns_do_not_matter():
    book = books.small()
    flows = book["flows"]
    blank = [None] * 8
    book["flows"] = [flows[0], blank, *flows[1:4], blank, blank, *flows[4:], blank]
    system = books.read(book)
    assert system.problems == ()
    assert system.data["cell"].tolist()[0] == "flows!F3"
    assert system.data["cell"].tolist()[-1] == "flows!F10"
    shifted = books.small() | {"flows": [[None, None, *row] for row in flows]}
    assert books.read(shifted).data["cell"].tolist()[0] == "flows!H2"


def test_other_sheets_are_kept_and_near_names_offered():
    book = books.small() | {"My notes": [["a"], [1]], "observatons": [["b"], [2]]}
    system = books.read(book)
    assert system.sheets["My notes"].columns == ([1],)
    problem = books.only(system.problems)
    assert problem.sheet == "observatons"
    assert "'observations'" in problem.do


@pytest.mark.parametrize("sheet", ["system", "processes", "flows"])
def test_a_missing_sheet(sheet):
    found = books.errors(books.small(**{sheet: None}))
    first = next(problem for problem in found if "no sheet" in problem.what)
    assert f"'{sheet}'" in first.what
    assert dict(pairs(SHEET_ALIASES))[sheet] in first.do
    misspelt = books.small(**{sheet: None}) | {sheet[:-1]: books.SMALL[sheet]}
    found = books.errors(misspelt)
    assert f"'{sheet[:-1]}'" in next(p for p in found if "no sheet" in p.what).do


@pytest.mark.parametrize(
    ("sheet", "column"),
    [
        ("system", "key"),
        ("processes", "process"),
        ("flows", "flow"),
        ("flows", "year"),
        ("flows", "from"),
        ("flows", "to"),
        ("stocks", "process"),
        ("stocks", "quantity"),
        ("stocks", "year"),
    ],
)
def test_a_missing_column_is_named_once(sheet, column):
    rows = books.SMALL[sheet]
    j = rows[0].index(column)
    book = books.small() | {sheet: [row[:j] + row[j + 1 :] for row in rows]}
    about = [p for p in books.errors(book) if p.sheet == sheet and f"'{column}'" in p.what]
    assert len(about) == 1
    assert "no column" in about[0].what


def test_only_three_sheets_must_be_there():
    book = books.small(stocks=None)
    book["processes"] = [row[:1] + row[3:5] for row in book["processes"]]
    assert books.read(book).problems == ()
    frames = books.frames(book)
    assert set(frames) == {"system", "processes", "flows"}


@pytest.mark.parametrize(("name", "found"), [("stocks", 0), ("observations", 0), ("flows", 4)])
def test_empty_sheets_are_faults_only_where_they_must_be_filled(name, found):
    assert len(books.errors(books.small(**{name: [[None]]}))) == found


def test_sheets_called_like_results_are_the_user_s():
    system = books.read(books.small() | {"Survey": [["a"], [1]]})
    assert system.sheets["Survey"].columns == ([1],)


def test_errors_in_columns_of_the_user_do_no_harm(tmp_path):
    path = books.save(books.with_column(books.SMALL, "flows", "mine", 1), tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(path)
    book["flows"]["I3"] = "#DIV/0!"
    book.save(path)
    assert mfa.read_workbook(path).data["mine"].tolist()[:3] == [1, "#DIV/0!", None]
