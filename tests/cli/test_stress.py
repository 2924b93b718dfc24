"""``mfa stress``: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json

import openpyxl
import pytest

import mfa
from tests.system import books

SHOCKS = [
    ["shock", "target", "item", "year", "share", "months"],
    ["strike", "flow", "ore", 2018, 0.5, 2],
    ["smelter", "process", "Smelter", 2018, 0.2, 1],
    ["scrap", "flow", "scrap", 2017, 0.2, 1],
]


@pytest.fixture
def book(desk):
    tables = books.small(shocks=SHOCKS)
    tables["flows"][3] = ["scrap", "Use", "Market", "Cu", 2018, 40, "kt/yr", 5]
    return desk.book(tables)


def test_each_shock_of_the_workbook_in_turn(desk, book):
    answer = desk.run("stress", book, code=0)
    lines = answer.out.splitlines()
    assert lines[0].startswith("strike: Cu 2018, 2 months: 7.9")
    assert "  first short: Use after 0 months" in lines
    assert any(line.startswith("smelter: Cu 2018, 1 months") for line in lines)
    assert any(line.startswith("assumed: The flows of 2018") for line in lines)
    assert "the shock 'scrap' is left out: no flow of Cu has a row for 2017" in answer.err


def test_one_shock_by_name_or_by_what_is_lost(desk, book):
    named = desk.run("stress", book, "--shock", "strike", code=0).out
    words = ["--flow", "ore", "--share", 0.5, "--months", 2, "--year", 2018]
    same = desk.run("stress", book, *words, code=0).out
    assert named.splitlines()[1:] == same.splitlines()[1:]
    assert "smelter" not in named
    kept = desk.run("stress", book, *words, "--stockpile-days", 1000, code=0).out
    assert "nothing runs short" in kept


def test_for_machines(desk, book):
    answer = json.loads(desk.run("stress", book, "--json", code=0).out)
    assert list(answer)[-1] == "results"
    strike = answer["results"][0]
    balance = mfa.reconcile(mfa.read_workbook(book))
    found = mfa.disrupt(balance, "strike")
    assert strike["unmet"] == pytest.approx(found.unmet)
    assert [row["shortage"] for row in strike["shortage"]] == pytest.approx(
        found.shortage["shortage"].tolist()
    )
    assert strike["assumptions"] == list(found.assumptions)
    quiet = json.loads(
        desk.run("stress", book, "--flow", "ore", "--share", 0, "--months", 1, "--json", code=0).out
    )
    assert quiet["results"][0]["endurance_months"] is None  # no number for what never happens


def test_the_results_workbook_has_the_shocks_asked_for(desk, book):
    out = desk.folder / "stress.xlsx"
    desk.run("stress", book, "--shock", "smelter", "-o", out, code=0)
    sheets = openpyxl.load_workbook(out)
    rows = list(sheets["disruption"].values)
    assert [row[0] for row in rows] == ["shock", "smelter"]
    assert {row[0] for row in list(sheets["disruption_months"].values)[1:]} == {"smelter"}
    assert "flows" in sheets.sheetnames
    mfa.read_workbook(out)  # reads as an input again


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--country", "Chile", "--flow", "ore", "--months", 1], "both given"),
        (["--flow", "ore"], "add --months"),
        (["--flow", "orr", "--months", 1], "did you mean 'ore'"),
        (["--shock", "strik"], "did you mean 'strike'"),
        (["--shock", "strike", "--flow", "ore"], "both given"),
        (["--flow", "ore", "--months", 1, "--share", 2], "not a share"),
    ],
)
def test_what_makes_no_sense(desk, book, words, said):
    assert said in desk.run("stress", book, *words, code=2).err


def test_a_workbook_without_shocks(desk):
    book = desk.book(books.small())
    assert "the workbook has no shocks" in desk.run("stress", book, code=2).err
