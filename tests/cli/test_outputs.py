"""Outputs: where they go, what they must not overwrite, and what cannot be written."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

import mfa
from mfa.cli import app
from tests.system import books
from tests.system.leaks import no_leaks
from tests.system.test_regions import book as two_regions

CASE = Path(__file__).parents[2] / "flows" / "copper-japan.xlsx"


def test_balance_writes_the_results(desk, small):
    small()
    answer = desk.run("balance", "book.xlsx", code=0)
    assert answer.out.splitlines()[-1] == "book-results.xlsx"
    assert answer.err == ""
    assert "test: chi2 2.309 on 2 degrees of freedom, p = 0.315" in answer.out
    assert set(desk.files()) == {"book.xlsx", "book-results.xlsx"}
    openpyxl.load_workbook("book-results.xlsx")


def test_suspects_say_which_quantity_of_a_stock_and_what_cannot_be(desk):
    answer = desk.run("balance", str(CASE), "-o", "results.xlsx", code=0)
    lines = [line for line in answer.out.splitlines() if line.startswith("suspect: ")]
    stock = [line for line in lines if line.startswith("suspect: refined_market")]
    assert [line.split(" at ")[0] for line in stock] == ["suspect: refined_market, level, Cu, 2014"]
    cannot_be = [line for line in lines if "others suggest -" in line]
    assert cannot_be
    assert [line for line in lines if "(not possible)" in line] == cannot_be


def test_report_ends_with_the_path_of_the_page(desk, small):
    small()
    answer = desk.run("report", "book.xlsx", code=0)
    page = answer.out.splitlines()[-1]
    assert Path(page) == Path("reports/book/report.html")
    assert Path(page).read_text(encoding="utf-8").startswith("<!doctype html>")
    answer = desk.run("report", "book.xlsx", "-o", "a/b c", "--lang", "ja", code=0)
    assert answer.out.splitlines()[-1] == str(Path("a/b c/report.html"))


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".html", ".json", ".SVG"])
def test_charts(desk, small, suffix):
    small()
    answer = desk.run("sankey", "book.xlsx", "-o", f"new/chart{suffix}", "--year", 2018, code=0)
    assert answer.out.splitlines() == [str(Path(f"new/chart{suffix}"))]
    starts = {".svg": b"<", ".png": b"\x89PNG", ".pdf": b"%PDF", ".json": b"{"} | {
        ".html": b"<!doctype html>"
    }
    assert Path(f"new/chart{suffix}").read_bytes().startswith(starts[suffix.lower()])


def test_charts_of_two_years_with_their_data(desk, small):
    small()
    options = ("--style", "circulation", "--colour", "adjustment", "--before")
    years = ("--year", 2018, "--year", 2019)
    desk.run("sankey", "book.xlsx", "-o", "chart.json", *years, *options, code=0)
    chart = json.loads(Path("chart.json").read_text(encoding="utf-8"))
    labels = ["2018, data", "2018, reconciled", "2019, data", "2019, reconciled"]
    assert [frame["label"] for frame in chart["frames"]] == labels
    assert chart["style"] == "circulation"
    assert ["still", "moved by less than 1 sd"] in chart["tones"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--year", 2099), ["2099", "2018", "2019"]),
        (("--year", "20l8"), ["--year"]),
        (("--substance", "Co"), ["'Co'", "Cu"]),
        (("--lang", "fr"), ["fr", "en", "ja"]),
        (("--colour", "red"), ["--colour"]),
    ],
)
def test_what_a_chart_cannot_show(desk, small, words, said):
    small()
    answer = desk.refused("sankey", "book.xlsx", "-o", "chart.svg", *words, code=2)
    for word in said:
        assert word in answer.err


def test_a_substance_without_rows_is_told_as_that(desk):
    desk.book(books.put(books.SMALL, "system!B6", "Cu, Zn"))
    answer = desk.refused("sankey", "book.xlsx", "-o", "c.svg", "--substance", "Zn", code=2)
    assert "there are 2018, 2019" not in answer.err


@pytest.mark.parametrize("name", ["chart.htm", "chart.gif", "chart", "chart.xlsx", ".svg"])
def test_charts_of_unknown_kinds(desk, small, name):
    small()
    answer = desk.refused("sankey", "book.xlsx", "-o", name, code=2)
    for suffix in (name, ".svg", ".png", ".pdf"):
        assert suffix in answer.err


@pytest.mark.parametrize("name", ["results.csv", "results", "results.xls", "results.pdf"])
def test_results_are_no_other_kind_of_file(desk, small, name):
    small()
    assert ".xlsx" in desk.refused("balance", "book.xlsx", "-o", name, code=2).err


@pytest.mark.parametrize("output", ["book.xlsx", "./book.xlsx", "x/../book.xlsx"])
@pytest.mark.parametrize("command", ["balance", "sankey", "report"])
def test_the_input_is_not_overwritten(desk, small, command, output):
    small()
    answer = desk.refused(command, "book.xlsx", "-o", output, code=2)
    assert "overwrite the input" in answer.err


def test_the_input_is_not_overwritten_through_a_link(desk, small):
    small()
    link = desk.folder / "link.xlsx"
    try:
        link.symlink_to("book.xlsx")
    except OSError:
        pytest.skip("no symbolic links here")
    desk.refused("balance", "link.xlsx", "-o", "book.xlsx", code=2)
    desk.refused("balance", "book.xlsx", "-o", "link.xlsx", code=2)


def test_a_report_beside_its_input_does_not_overwrite_it(desk):
    # A report's results.xlsx is an input again, and its report may go to the same folder.
    (desk.folder / "out").mkdir()
    path = desk.book(books.SMALL, "out/results.xlsx")
    answer = desk.refused("report", path, "-o", "out", code=2)
    assert "would overwrite the input" in answer.err


def csv_folder(desk):
    folder = desk.folder / "case"
    folder.mkdir()
    for name, table in books.frames(books.SMALL).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_a_folder_as_input(desk):
    folder = csv_folder(desk)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert desk.run("balance", "case", code=0).out.splitlines()[-1] == "case-results.xlsx"
    desk.run("report", "case", code=0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_as_input_is_not_overwritten(desk):
    csv_folder(desk)
    desk.refused("report", "case", "-o", "case", code=2)
    desk.refused("balance", "case", "-o", "case/flows.csv", code=2)


def test_the_current_folder_as_input(desk, monkeypatch):
    monkeypatch.chdir(csv_folder(desk))
    assert desk.run("check", ".", code=0).out.startswith("case: ")
    name = desk.run("balance", ".", code=0).out.splitlines()[-1]
    assert name == "case-results.xlsx"
    desk.run("report", ".", code=0)
    assert Path("reports/case/report.html").is_file()


def test_a_folder_with_a_dot_in_its_name_keeps_it(desk):
    csv_folder(desk).rename(desk.folder / "case.v2")
    assert desk.run("balance", "case.v2", code=0).out.splitlines()[-1] == "case.v2-results.xlsx"


def test_an_output_folder_that_is_a_file(desk, small):
    small()
    (desk.folder / "taken").write_text("x", encoding="utf-8")
    assert "taken" in desk.refused("report", "book.xlsx", "-o", "taken", code=2).err
    with no_leaks():
        assert "taken" in desk.refused("report", "book.xlsx", "-o", "taken/deep", code=2).err
    with no_leaks():
        assert "taken" in desk.refused("balance", "book.xlsx", "-o", "taken/r.xlsx", code=2).err


def test_an_output_file_that_is_a_folder(desk, small):
    small()
    (desk.folder / "r.xlsx").mkdir()
    answer = desk.refused("balance", "book.xlsx", "-o", "r.xlsx", code=2)
    assert answer.err.startswith("error: r.xlsx: ")


def denied(*words, **_):
    raise PermissionError(13, "Permission denied", str(words[0]))


@pytest.mark.parametrize("command", ["balance", "sankey"])
def test_a_file_that_is_open_in_excel(desk, small, monkeypatch, command):
    small()
    name = {"balance": "out.xlsx", "sankey": "out.svg"}[command]
    (desk.folder / name).write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", denied)
    answer = desk.refused(command, "book.xlsx", "-o", name, code=2)
    assert name in answer.err
    assert "close it in Excel" in answer.err
    monkeypatch.undo()
    assert (desk.folder / name).read_bytes() == b"old"


def test_a_folder_that_may_not_be_written_to(desk, small, monkeypatch):
    small()

    def refuse(prefix, dir):  # noqa: A002
        denied(f"{dir}/{prefix}x1y2z3")

    monkeypatch.setattr("mfa.io.whole.TemporaryDirectory", refuse)
    with no_leaks():
        answer = desk.refused("balance", "book.xlsx", "-o", "out/r.xlsx", code=2)
    assert "x1y2z3" not in answer.err  # nobody knows that name
    assert "out" in answer.err


def test_a_report_of_which_one_file_is_open(desk, small):
    small()
    (desk.folder / "out" / "report.html").mkdir(parents=True)
    (desk.folder / "out" / "chart.png").write_bytes(b"old")
    answer = desk.refused("report", "book.xlsx", "-o", "out", code=2)
    assert "report.html" in answer.err


def test_a_full_disk(desk, small, monkeypatch):
    small()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("openpyxl.writer.excel.ExcelWriter.save", full)
    with no_leaks():
        answer = desk.refused("balance", "book.xlsx", code=2)
    assert "No space left" in answer.err


def test_internal_errors(desk, small, monkeypatch):
    small()

    def fail(*_, **__):
        raise RuntimeError("something odd")

    monkeypatch.setattr(mfa, "reconcile", fail)
    answer = desk.refused("balance", "book.xlsx", code=1)
    assert "internal error" in answer.err
    assert "something odd" in answer.err
    assert "--debug" in answer.err


def test_debug_shows_the_traceback(desk, small, monkeypatch):
    small()

    def fail(*_, **__):
        raise RuntimeError("something odd")

    monkeypatch.setattr(mfa, "reconcile", fail)
    result = CliRunner().invoke(app, ["balance", "book.xlsx", "--debug"])
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "something odd" in result.stderr
    assert result.stdout == ""


def test_a_chart_of_one_region(desk):
    desk.book(two_regions())
    desk.run("sankey", "book.xlsx", "-o", "north.json", "--region", "North", code=0)
    assert json.loads(Path("north.json").read_text(encoding="utf-8"))["nodes"][0]["id"] == "market"
    answer = desk.refused("sankey", "book.xlsx", "-o", "x.svg", "--region", "Nroth", code=2)
    assert "no region 'Nroth'" in answer.err
    assert "did you mean 'North'" in answer.err
