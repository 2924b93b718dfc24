"""Commands ``template`` and ``convert``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mfa
from tests.system import books

CASE = Path(__file__).parents[2] / "flows" / "copper-japan"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_blank_template_is_checked_without_errors(desk, lang):
    answer = desk.run("template", "new.xlsx", "--lang", lang, code=0)
    assert answer.out.split() == ["new.xlsx"]
    answer = desk.run("check", "new.xlsx", code=0)
    assert "0 errors, 1 warning" in answer.out
    assert "nothing is filled in yet; fill in" in answer.err


def test_a_blank_template_cannot_be_balanced(desk):
    desk.run("template", "new.xlsx", code=0)
    for command in (["balance"], ["report"], ["sankey", "-o", "chart.svg"]):
        answer = desk.refused(command[0], "new.xlsx", *command[1:], code=3)
        assert "no flows to reconcile; fill in" in answer.err


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_an_example_is_checked_as_the_case_that_it_is(desk, lang):
    desk.run("template", "case.xlsx", "--example", "copper-japan", "--lang", lang, code=0)
    answer, case = desk.run("check", "case.xlsx", code=0), desk.run("check", CASE, code=0)
    assert "0 errors" in answer.out
    assert answer.err.replace("case.xlsx", CASE.name) == case.err


def test_a_wrong_example_is_told_with_the_right_ones(desk):
    answer = desk.refused("template", "new.xlsx", "--example", "nickel", code=2)
    for name in mfa.cases():
        assert name in answer.err


def test_what_is_there_is_not_overwritten(desk):
    desk.book(books.SMALL, "mine.xlsx")
    answer = desk.refused("template", "mine.xlsx", code=2)
    assert "is there already" in answer.err
    assert "--force" in answer.err
    desk.run("template", "mine.xlsx", "--force", code=0)
    assert len(mfa.read_workbook(desk.folder / "mine.xlsx").flows) == 0


def test_only_workbooks_are_templates(desk):
    for name in ("new.xls", "new.csv", "new"):
        assert ".xlsx" in desk.refused("template", name, code=2).err
    (desk.folder / "dir.xlsx").mkdir()
    assert "is a folder" in desk.refused("template", "dir.xlsx", code=2).err


def test_there_and_back(desk):
    desk.book(books.SMALL)
    assert desk.run("convert", "book.xlsx", "twin", code=0).out.split() == ["twin"]
    assert (desk.folder / "twin" / "flows.csv").read_text(encoding="utf-8").startswith("flow,from")
    desk.run("convert", "twin", "back.xlsx", code=0)
    one, two = (mfa.read_workbook(desk.folder / f"{name}.xlsx") for name in ("book", "back"))
    assert one.data.equals(two.data)
    assert "is there already" in desk.refused("convert", "twin", "back.xlsx", code=2).err
    assert "is there already" in desk.refused("convert", "back.xlsx", "twin", code=2).err
    desk.run("convert", "back.xlsx", "twin", "--force", code=0)


def test_files_of_another_workbook_are_told(desk):
    desk.book(books.SMALL)
    desk.run("convert", "book.xlsx", "twin", code=0)
    (desk.folder / "twin" / "lifetimes.csv").write_text("process,mean\n", encoding="utf-8")
    answer = desk.refused("convert", "book.xlsx", "twin", "--force", code=2)
    assert "lifetimes.csv" in answer.err


def test_input_and_kinds_that_cannot_be_written(desk):
    desk.book(books.SMALL)
    assert "overwrite the input" in desk.refused("convert", "book.xlsx", "book.xlsx", code=2).err
    assert ".xlsx or a folder" in desk.refused("convert", "book.xlsx", "x.parquet", code=2).err
    assert "does not exist" in desk.refused("convert", "none.xlsx", "twin", code=3).err


def test_json(desk):
    answer = json.loads(desk.run("template", "new.xlsx", "--json", code=0).out)
    assert (answer["command"], answer["outputs"], answer["exit"]) == ("template", ["new.xlsx"], 0)
    answer = json.loads(desk.run("convert", "new.xlsx", "twin", "--json", code=0).out)
    assert (answer["command"], answer["outputs"]) == ("convert", ["twin"])
