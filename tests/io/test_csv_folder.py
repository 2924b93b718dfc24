"""Folders of CSV files: encodings, ragged rows, quotes, and ids that look like numbers."""

from __future__ import annotations

import csv
import io

import pytest

import mfa
from tests.system import books
from tests.system.leaks import no_leaks

FLOWS = "flow,from,to,year,sd,value\nore,Mine,Smelter,2018,4,100\nmetal,Smelter,Use,2018,2,95\n"


def text_of(rows):
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes the small book as a folder, with files of one's own."""

    def write(**files):
        path = tmp_path / "case"
        path.mkdir()
        for name, rows in books.small(stocks=None).items():
            (path / f"{name}.csv").write_text(text_of(rows), encoding="utf-8", newline="")
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (path / f"{name}.csv").write_bytes(data)
        return path

    return write


def errors(path):
    with pytest.raises(mfa.WorkbookError) as caught:
        mfa.read_tables(path)
    return [problem for problem in caught.value.problems if problem.severity == "error"]


def test_a_folder_is_the_same_system_as_the_workbook(folder):
    one, two = mfa.read_tables(folder()), books.read(books.small(stocks=None))
    for name in ("processes", "flows", "data"):
        assert getattr(one, name).equals(getattr(two, name))
    assert one.settings == two.settings
    assert one.source.name == "case"
    assert len(one.source.sha256) == 64


def test_a_byte_order_mark_does_not_matter(folder):
    path = folder(flows=b"\xef\xbb\xbf" + FLOWS.encode())
    assert mfa.read_tables(path).data["value"].tolist() == [100, 95]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines(folder, end):
    text = FLOWS.replace("\n", "\n\n,,,,,\n").replace("\n", end)
    system = mfa.read_tables(folder(flows=text))
    assert system.data["value"].tolist() == [100, 95]
    assert system.data["cell"].tolist() == ["flows!F4", "flows!F7"]


def test_a_blank_first_line_is_told(folder):
    found = errors(folder(flows="\n" + FLOWS))
    assert any("no column 'flow'" in problem.what for problem in found)


def test_short_rows_are_blank_at_the_end(folder):
    system = mfa.read_tables(folder(flows=FLOWS + "scrap,Use,Market,2018\n"))
    assert system.data["value"].isna().tolist() == [False, False, True]


def test_long_rows_are_told(folder):
    # 1,200 without quotes is two cells: the second must not be lost without a word.
    found = errors(folder(flows=FLOWS + "scrap,Use,Market,2018,4,1,200\n"))
    assert [(problem.sheet, problem.cell[-1:]) for problem in found] == [("flows", "4")]


def test_quotes(folder):
    text = 'flow,from,to,year,sd,value,note\n"ore, raw",Mine,Smelter,2018,4,"1,200","a ""b""\nc"\n'
    system = mfa.read_tables(folder(flows=text))
    assert system.flows["flow"].tolist() == ["ore, raw"]
    assert system.data["value"].tolist() == [1200]
    assert system.data["note"].tolist() == ['a "b"\nc']
    assert [p.cell for p in system.problems if p.sheet] == ["F2"]


def test_ids_are_texts(folder):
    text = "flow,from,to,year,sd,value\n001,Mine,Smelter,2018,1,4\n1,Mine,Smelter,2018,1,5\n"
    text += "1.0,Mine,Smelter,2018,1,6\n1e3,Mine,Smelter,2018,1,7\nNA,Mine,Smelter,2018,1,8\n"
    system = mfa.read_tables(folder(flows=text + "TRUE,Mine,Smelter,2018,1,9\n"))
    assert system.flows["flow"].tolist() == ["001", "1", "1.0", "1e3", "NA", "TRUE"]


@pytest.mark.parametrize("text", ["1_000", "nan", "inf", "-Infinity", "NaN", "1,20", "x", "0x1F"])
def test_what_is_no_number_in_a_workbook_is_none_here(folder, text):
    found = errors(folder(flows=FLOWS.replace("100", f'"{text}"')))
    assert [(p.sheet, p.cell) for p in found] == [("flows", "F2")]


@pytest.mark.parametrize("text", ["１２３", "1,230"])
def test_typed_numbers_are_read_with_a_warning_as_in_a_workbook(folder, text):
    system = mfa.read_tables(folder(flows=FLOWS.replace("100", f'"{text}"')))
    assert [p.cell for p in system.problems if "typed as text" in p.what] == ["F2"]


def test_numbers_in_plain_notation_need_no_warning(folder):
    system = mfa.read_tables(folder(flows=FLOWS.replace("100", " 1e2 ")))
    assert system.data["value"].tolist() == [100, 95]
    assert [p for p in system.problems if p.sheet] == []


@pytest.mark.parametrize("encoding", ["cp932", "utf-16", "latin-1"])
def test_other_encodings_are_told_with_the_file(folder, encoding):
    text = FLOWS.replace("ore", "ölé" if encoding == "latin-1" else "銅")
    problem = errors(folder(flows=text.encode(encoding)))[0]
    assert "flows.csv" in str(problem)
    assert "UTF-8" in str(problem)


def test_semicolons_are_told(folder):
    found = errors(folder(flows=FLOWS.replace(",", ";")))
    assert ";" in found[0].do or "semicolon" in str(found[0])
    assert len(found) < 4


def test_a_folder_among_the_files(folder):
    path = folder()
    (path / "notes.csv").mkdir()
    try:
        system = mfa.read_tables(path)
    except mfa.WorkbookError as error:
        assert "notes.csv" in str(error)  # noqa: PT017
    else:
        assert len(system.data) == 6


def test_missing_folders_and_files(tmp_path, folder):
    assert "no such folder" in errors(tmp_path / "none")[0].what
    path = folder()
    assert "no such folder" in errors(path / "flows.csv")[0].what
    (path / "flows.csv").unlink()
    assert "'flows'" in errors(path)[0].what
    (path / "flows.csv").write_bytes(b"")
    assert {p.sheet for p in errors(path)} == {"flows"}


def test_two_files_of_one_meaning(folder):
    path = folder()
    (path / "フロー.csv").write_text(FLOWS, encoding="utf-8")
    assert "both mean 'flows'" in errors(path)[0].what


def test_other_files_are_kept_and_the_folder_is_not_touched(folder):
    path = folder()
    (path / "my notes.csv").write_text("a,b\n1,=x\n", encoding="utf-8")
    (path / "readme.txt").write_text("not a table", encoding="utf-8")
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    system = mfa.read_tables(path)
    assert system.sheets["my notes"].columns == ([1.0], ["=x"])
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


@pytest.mark.parametrize("name", ["what [if]", "a:b", "why?", "x" * 40, "it's *"])
def test_file_names_that_no_sheet_can_have(folder, tmp_path, name):
    path = folder()
    (path / f"{name}.csv").write_text("a\n1\n", encoding="utf-8")
    with no_leaks():
        mfa.write_workbook(mfa.reconcile(mfa.read_tables(path)), tmp_path / "results.xlsx")
    again = mfa.read_workbook(tmp_path / "results.xlsx")
    assert len(again.data) == 6


def test_the_checksum_follows_the_content(folder):
    path = folder()
    first = mfa.read_tables(path).source.sha256
    assert mfa.read_tables(path).source.sha256 == first
    (path / "flows.csv").write_text(FLOWS, encoding="utf-8")
    assert mfa.read_tables(path).source.sha256 != first


def test_other_files_may_look_as_they_like(folder):
    path = folder()
    (path / "notes.csv").write_text("a;b\n1,2,3\n", encoding="utf-8")
    notes = mfa.read_tables(path).sheets["notes"]
    assert (notes.headers, notes.columns) == (("a;b", "", ""), ([1.0], [2.0], [3.0]))


def test_faults_of_files_and_cells_are_reported_together(folder):
    path = folder(processes="process,kind\nMine,sorce\n", stocks="process;year\n")
    (path / "flows.csv").write_bytes(FLOWS.replace("ore", "銅").encode("cp932"))
    places = [(problem.sheet, problem.cell) for problem in errors(path)]
    assert places == [("processes", "B2"), ("flows", ""), ("stocks", "")]


@pytest.mark.parametrize("data", [b"PK\3\4...", b"\0\1\2", b'flow,from\n"ore,Mine\n'])
def test_files_that_are_no_tables_are_told_once(folder, data):
    problem = books.only(errors(folder(flows=data)))
    assert "flows.csv" in problem.what


def test_an_empty_file_for_a_sheet_that_need_not_be_there(folder):
    assert mfa.read_tables(folder(stocks=b"")).problems == ()


def test_suffixes_in_capitals(folder):
    path = folder()
    (path / "flows.csv").rename(path / "FLOWS.CSV")
    assert len(mfa.read_tables(path).data) == 6
