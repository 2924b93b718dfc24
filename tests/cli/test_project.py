"""``mfa project``: what it writes, says and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import mfa
from tests.scenarios.futures import loop, rows, value

SCENARIO = (("flow", "goods", 2024, "multiply", 1.5, "linear"),)


def tables(folder: Path, **sheets: pd.DataFrame) -> Path:
    """Write a system with scenarios S and, of another size, T."""
    table = rows(*SCENARIO)
    more = table.assign(scenario="T", value=2.0)
    given = {"scenarios": pd.concat([table, more], ignore_index=True)} | sheets
    mfa.write_tables(loop(**given), folder)
    return folder


def test_folder_with_workbook_and_curves(desk):
    tables(desk.folder / "book")
    answer = desk.run("project", "book", "--until", 2026, "-o", "out", code=0)
    assert sorted(path.name for path in (desk.folder / "out").iterdir()) == [
        "curves.png",
        "results.xlsx",
    ]
    assert "S: 2020–2026, Cu" in answer.out
    assert "into use: 88 → 176 kt/yr" in answer.out
    book = desk.folder / "out" / "results.xlsx"
    table = pd.read_excel(book, sheet_name="projection", engine="calamine")
    flows = table[(table["quantity"] == "flow") & (table["item"] == "goods")]
    last = flows[flows["year"] == 2026].set_index("scenario")["value"]
    assert last.to_dict() == pytest.approx({"S": 132.0, "T": 176.0})
    future = mfa.project(mfa.read_tables(desk.folder / "book"), "S", 2026)
    supply = table[(table["scenario"] == "S") & (table["quantity"] == "supply")]
    ore = supply[(supply["part"] == "primary") & (supply["year"] == 2025)]["value"].iloc[0]
    assert ore == pytest.approx(value(future, "ore", 2025))
    notes = pd.read_excel(book, sheet_name="projection_notes", engine="calamine")
    assert set(notes["scenario"]) == {"S", "T"}
    assert "multiply 2 in 2024 (linear); held after 2024" in set(notes["why"])


def test_one_scenario_by_name_as_json(desk):
    tables(desk.folder / "book")
    answer = desk.run("project", "book", "--scenario", "T", "-o", "out", "--json", code=0)
    said = json.loads(answer.out)
    assert said["command"] == "project"
    assert [Path(path).name for path in said["outputs"]] == ["results.xlsx", "curves.png"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--scenario", "U"), 3, "no scenario 'U'"),
        (("--until", 1999), 2, "starts after 2020"),
        (("--substance", "Zn"), 2, "no substance is called 'Zn'"),
        (("-o", "book"), 2, "would overwrite"),
    ],
)
def test_what_is_refused(desk, words, code, said):
    tables(desk.folder / "book")
    answer = desk.refused("project", "book", *words, code=code)
    assert said in " ".join(answer.err.split())


def test_a_book_without_scenarios(desk):
    mfa.write_tables(loop(), desk.folder / "book")
    answer = desk.refused("project", "book", code=2)
    assert "no scenarios" in answer.err


def test_check_lists_faults_of_scenarios(desk):
    wrong = rows(("flow", "good", 2024, "multiply", 1.5, "linear"))
    tables(desk.folder / "book", scenarios=wrong)
    answer = desk.refused("check", "book", code=3)
    assert "scenarios!C2" in answer.err
    assert "'goods'" in answer.err


def test_the_report_has_a_section_in_both_languages(desk):
    tables(desk.folder / "book")
    desk.run("report", "book", "-o", "out", code=0)
    page = (desk.folder / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("Into use by end use [kt/yr]") == 1
    assert page.count("使用への流入（用途別） [kt/年]") == 1
    assert len(page) < 2_000_000
    shutil.rmtree(desk.folder / "out")
    mfa.write_tables(loop(), desk.folder / "plain")
    desk.run("report", "plain", "-o", "out", code=0)
    page = (desk.folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "Stocks and scenarios" not in page
