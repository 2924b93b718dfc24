"""The results workbook: complete, harmless, and an input again."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import mfa
from tests.system import books

SHIPPED = Path(__file__).parents[2] / "flows" / "copper-japan.xlsx"
RISKY = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "#N/A", "#REF!", '=HYPERLINK("http://x")']
RISKY += ["'quoted", "{=1}", "0x10", "1e5", "2018-01-01", "TRUE", "  padded ", "a\nb", "<b>&amp;"]
RESULT = "flow from to substance year observed observed_sd value sd low high adjustment status"
RESULT += " at_bound basis reference role unit min max"


def with_texts():
    """Return the small book with risky texts wherever a text can stand."""
    book = books.small()
    for column in ("reference", "note", "name", "name_ja"):
        book = books.with_column(book, "flows", column, *RISKY[:3])
    for i, text in enumerate(RISKY):
        book = books.add(book, "processes", [f"{text}.", text, text, None, None, None])
        for year in (2018, 2019):
            values = [
                "=f" + text,
                "Mine",
                f"{text}.",
                "Cu",
                year,
                3,
                None,
                1,
                None,
                None,
                text,
                text,
            ]
            book = books.add(book, "flows", values)
            back = ["-g" + text, f"{text}.", "Market", "Cu", year, None, None, None]
            book = books.add(book, "flows", [*back, text, text, f"=n{i}", None])
    return books.add(book, "stocks", ["Use", "Cu", 2019, "change", None, None, None])


OTHERS = {
    "My notes": [["=1+1", 2018, True, "d"], [*RISKY[:3], None], [1.5, False, None, 0]],
    "日本語": [["a"], ["=x"], [dt.datetime.fromisoformat("2018-03-04 05:06")]],
    "a very long name of 31 letters.": [["x"], [1]],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a folder with a hostile workbook, what it was read as, and its results."""
    folder = tmp_path_factory.mktemp("results")
    path = books.save(with_texts() | OTHERS, folder / "book.xlsx")
    balance = mfa.reconcile(mfa.read_workbook(path))
    mfa.write_workbook(balance, folder / "results.xlsx", {"seed": 7, "=option": "=value"})
    return folder, balance, openpyxl.load_workbook(folder / "results.xlsx")


def rows(sheet):
    return [[cell.value for cell in row] for row in sheet.rows]


def table(sheet):
    head, *body = rows(sheet)
    return pd.DataFrame(body, columns=head, dtype=object)


def test_every_sheet_is_there(results):
    names = set(results[2].sheetnames)
    wanted = (
        "system processes flows stocks balances suspects indicators bottlenecks survey provenance"
    )
    assert set(wanted.split()) <= names
    assert set(OTHERS) <= names


def test_flows_are_complete(results):
    flows = table(results[2]["flows"])
    assert set(RESULT.split()) <= set(flows)
    for column in ("flow", "from", "to", "substance", "year", "status", "unit"):
        assert flows[column].notna().all(), column
    expected = results[1].flows
    for column in ("observed", "observed_sd", "value", "sd", "low", "high", "adjustment"):
        got = flows[column].to_numpy(dtype=float)
        np.testing.assert_allclose(got, expected[column].to_numpy(dtype=float), rtol=1e-15)


def test_stocks_are_complete(results):
    stocks = table(results[2]["stocks"])
    keys = set(zip(stocks["process"], stocks["quantity"], stocks["year"], strict=True))
    assert keys >= {("Use", q, y) for q in ("level", "change") for y in (2018, 2019)}
    assert stocks["substance"].notna().all()
    assert dict(zip(stocks["quantity"], stocks["unit"], strict=True)) == {
        "level": "kt",
        "change": "kt/yr",
    }


def test_no_cell_is_a_formula_an_error_or_a_link(results):
    for sheet in results[2]:
        for row in sheet.rows:
            for cell in row:
                assert cell.data_type in ("s", "n", "b", "d"), (sheet.title, cell.coordinate)
                assert cell.hyperlink is None


def test_texts_stay_as_they_are(results):
    flows = table(results[2]["flows"]).set_index("flow")
    for text in RISKY:
        here = flows.loc[("=f" + text).strip()]
        assert set(here["reference"]) == {text.strip()} or set(here["name"]) == {text.strip()}
    names = table(results[2]["processes"])["name"].tolist()
    assert names[4:] == RISKY


def test_other_sheets_are_unchanged(results):
    for name, content in OTHERS.items():
        assert rows(results[2][name]) == content, name


def test_errors_and_formulas_in_other_sheets_are_not_lost(tmp_path):
    path = books.save(
        books.small() | {"Prices": [["year", "price"], [2018, None]]}, tmp_path / "b.xlsx"
    )
    book = openpyxl.load_workbook(path)
    book["Prices"]["B2"] = "#N/A"
    book.save(path)
    mfa.write_workbook(mfa.reconcile(mfa.read_workbook(path)), tmp_path / "results.xlsx")
    result = openpyxl.load_workbook(tmp_path / "results.xlsx")
    assert rows(result["Prices"]) == [["year", "price"], [2018, "#N/A"]]


def test_sheets_of_the_format_that_are_not_replaced_are_unchanged(results):
    given = with_texts()
    for name in ("system", "processes"):
        assert rows(results[2][name]) == given[name]


def test_provenance(results):
    folder, balance, book = results
    lines = dict(rows(book["provenance"])[1:])
    assert lines["input"] == "book.xlsx"
    assert lines["sha256"] == hashlib.sha256((folder / "book.xlsx").read_bytes()).hexdigest()
    assert lines["mfa"] == mfa.__version__
    assert lines["chi2"] == pytest.approx(balance.chi2, rel=1e-15)
    assert (lines["seed"], lines["=option"]) == (7, "=value")
    stamp = dt.datetime.strptime(lines["time"], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=dt.UTC)
    assert abs(dt.datetime.now(dt.UTC) - stamp) < dt.timedelta(minutes=10)


def test_headers_are_frozen_and_explained(results):
    sheet = results[2]["flows"]
    assert sheet.freeze_panes == "A2"
    processes = results[2]["processes"]
    assert processes["A1"].comment.text == "Short unique id."


def same(one, two):
    """Compare two balances number by number."""
    for name in ("flows", "stocks", "coefficients", "compositions", "processes", "observations"):
        a, b = getattr(one, name), getattr(two, name)
        assert len(a) == len(b), name
        for column in a.select_dtypes("number"):
            x, y = (t[column].to_numpy(dtype=float) for t in (a, b))
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9, err_msg=f"{name}.{column}")
        for column in {"status", "at_bound", "basis", "include", "role"} & set(a):
            assert a[column].tolist() == b[column].tolist()
    assert one.dof == two.dof
    assert one.chi2 == pytest.approx(two.chi2, rel=1e-9)


def again(balance, path):
    mfa.write_workbook(balance, path)
    return mfa.read_workbook(path)


def test_results_are_an_input_again(results, tmp_path):
    same(results[1], mfa.reconcile(mfa.read_workbook(results[0] / "results.xlsx")))
    shipped = mfa.reconcile(mfa.read_workbook(SHIPPED))
    system = again(shipped, tmp_path / "one.xlsx")
    same(shipped, mfa.reconcile(system))


def edge_cases():
    head = ["coefficient", "flow", "of", "value", "unit", "sd"]
    seen = ["observation", "flow", "factor", "year", "relation", "value", "unit", "cv"]
    return {
        "negative": books.with_column(books.put(books.SMALL, "flows!F2", -3), "flows", "min", -9),
        "bound": books.with_column(books.SMALL, "flows", "max", None, 80),
        "excluded": books.with_column(books.SMALL, "flows", "include", "no"),
        "units": books.put(books.put(books.SMALL, "flows!G2", "Mt/yr"), "flows!F2", 0.1),
        "share": books.small(coefficients=[head, ["k", "scrap", "metal", 40, "%", 0]]),
        "exact": books.put(books.put(books.SMALL, "flows!F4", 0), "flows!H4", 0),
        "sums": books.small(
            observations=[
                seen,
                ["s", "ore", 2, 2018, "=", 290, "kt/yr", "3%"],
                ["s", "metal", 1, 2018, None, None, None, None],
                ["l", "scrap", None, 2018, "<=", 30000, "t/yr", None],
            ]
        ),
    }


@pytest.mark.parametrize("case", sorted(edge_cases()))
def test_other_results_are_inputs_again(case, tmp_path):
    one = mfa.reconcile(books.read(edge_cases()[case]))
    same(one, mfa.reconcile(again(one, tmp_path / "results.xlsx")))


def test_reading_results_again_gives_no_warnings(tmp_path):
    system = again(mfa.reconcile(books.read(books.SMALL)), tmp_path / "results.xlsx")
    assert [str(problem) for problem in system.problems] == []


def test_columns_of_the_user_and_shapes_reach_the_results(tmp_path):
    book = books.with_column(books.SMALL, "flows", "my remark", "x", None, "y")
    book = books.with_column(book, "flows", "distribution", "lognormal")
    path = tmp_path / "results.xlsx"
    system = again(mfa.reconcile(books.read(book)), path)
    assert system.data["distribution"].tolist()[:2] == ["lognormal", "normal"]
    assert table(openpyxl.load_workbook(path)["flows"])["my remark"].tolist()[:3] == [
        "x",
        None,
        "y",
    ]


def test_control_characters_do_not_spoil_the_file(tmp_path):
    tables = books.frames(books.SMALL)
    tables["flows"]["note"] = ["a\x00b", "c\x0bd", "\x1b[31m", "e\ud800f", "\ufffe", "ok\t\n"]
    tables["system"].loc[len(tables["system"])] = ["author", "x\x07y"]
    path = tmp_path / "results.xlsx"
    mfa.write_workbook(mfa.reconcile(mfa.System.from_tables(tables)), path)
    notes = table(openpyxl.load_workbook(path)["flows"])["note"].tolist()
    assert notes[0].startswith("a")
    assert notes[0].endswith("b")
    assert "\x1b" not in notes[2]
    assert mfa.read_workbook(path).data["note"].tolist()[5] == "ok"


def test_very_long_texts_are_cut_where_excel_must(tmp_path):
    tables = books.frames(books.SMALL)
    tables["flows"]["note"] = ["n" * 40_000, *[None] * 5]
    path = tmp_path / "results.xlsx"
    mfa.write_workbook(mfa.reconcile(mfa.System.from_tables(tables)), path)
    assert len(table(openpyxl.load_workbook(path)["flows"])["note"][0]) == 32_767


@pytest.fixture(scope="module")
def resaved(results, tmp_path_factory):
    """Return results as LibreOffice saves them."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    out = tmp_path_factory.mktemp("libreoffice")
    profile = tmp_path_factory.mktemp("profile").as_uri()
    run = [program, f"-env:UserInstallation={profile}", "--headless", "--convert-to", "xlsx"]
    done = subprocess.run(
        [*run, "--outdir", str(out), str(results[0] / "results.xlsx")],
        capture_output=True,
        check=False,
        timeout=90,
    )
    path = out / "results.xlsx"
    if not path.exists():
        pytest.skip(f"LibreOffice does not run here: {done.stderr.decode(errors='replace')[:200]}")
    return path


def test_libreoffice_opens_the_results(results, resaved):
    same(results[1], mfa.reconcile(mfa.read_workbook(resaved)))


def test_texts_stay_texts_in_libreoffice(results, resaved):
    book = openpyxl.load_workbook(resaved)
    for sheet in book:
        for row in sheet.rows:
            for cell in row:
                truth = cell.value in ("=TRUE()", "=FALSE()")  # how LibreOffice writes them
                assert truth or cell.data_type in ("s", "n", "b", "d"), (sheet.title, cell.value)
    names = table(book["processes"])["name"].tolist()
    assert names[4:] == RISKY


def test_sheets_of_the_user_that_are_called_like_results_are_kept(tmp_path):
    book = books.small() | {"Survey": [["a"], [1]], "PROVENANCE": [["b"], [2]]}
    path = tmp_path / "results.xlsx"
    system = again(mfa.reconcile(books.read(book)), path)
    written = openpyxl.load_workbook(path)
    assert rows(written["Survey (2)"]) == [["a"], [1]]
    assert rows(written["PROVENANCE (2)"]) == [["b"], [2]]
    assert system.sheets["Survey (2)"].columns == ([1],)


def test_errors_stay_errors_and_texts_stay_texts(tmp_path):
    source = books.save(
        books.small() | {"Mine": [["#N/A", "x"], ["#REF!", None]]}, tmp_path / "b.xlsx"
    )
    book = openpyxl.load_workbook(source)
    book["Mine"]["B2"] = "#REF!"
    book.save(source)
    path = tmp_path / "results.xlsx"
    again(mfa.reconcile(mfa.read_workbook(source)), path)
    sheet = openpyxl.load_workbook(path)["Mine"]
    assert [sheet[cell].data_type for cell in ("A1", "A2", "B2")] == ["s", "s", "e"]
