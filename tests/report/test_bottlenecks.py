"""The section on bottlenecks and what to do, the verdict's sentence, and the sheets of results."""

from __future__ import annotations

import openpyxl
import pytest

import mfa
from mfa.report.bottlenecks import what_to_do
from mfa.report.document import edition, render
from mfa.report.page import Page
from mfa.report.verdict import verdict
from mfa.report.words import words

from . import pages


@pytest.fixture(scope="module")
def magnets() -> mfa.Balance:
    return mfa.reconcile(mfa.read_tables("flows/rare-earth-magnets"))


@pytest.fixture(scope="module")
def japan() -> mfa.Balance:
    return mfa.reconcile(mfa.read_tables("flows/copper-japan"))


@pytest.mark.parametrize(("lang", "name"), [("en", "End-of-life magnets"), ("ja", "使用済み磁石")])
def test_the_verdict_ends_with_the_worst_loss_and_its_probability(magnets, lang, name):
    row = mfa.bottlenecks(magnets).query("bottleneck and substance == 'Nd+Pr'").iloc[0]
    last = verdict(Page(magnets, lang))[-1].replace("\u00a0", " ")
    assert name in last
    assert f"{100 * row['probability']:.0f} %" in last


def test_an_open_loss_has_no_probability_in_the_verdict(japan):
    last = verdict(Page(japan, "en"))[-1]
    assert "left open" in last or "leave open" in last
    assert "%" not in last


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_section_shows_every_bottleneck_gain_measure_and_rule(magnets, lang):
    shown = what_to_do(Page(magnets, lang))
    assert [row["name"].split(" (")[1] for row in shown["supports"][:3]] == ["Nd+Pr)"] * 3
    assert [len(block["rows"]) for block in shown["measures"]] == [3, 3]
    assert [row["order"] for row in shown["measures"][1]["rows"]] == [1, 2, "–"]
    assert len(shown["rules"]) == 3  # three substances judged alike stand together
    assert shown["rules"][0]["substances"].count("Dy") == 1
    text = pages.read(render([edition(magnets, lang)])).text
    for key in ("what_to_do", "gains", "rules", "bottleneck:collection system"):
        assert words(lang)[key] in text
    japanese = lang == "ja"
    assert ("使用済み磁石の回収" in text) is japanese
    assert ("Collect old magnets" in text) is not japanese


def test_what_the_data_leave_open_is_a_range(japan):
    shown = what_to_do(Page(japan, "en"))
    first = shown["gains"][0]["rows"][0]
    assert first["open"]
    assert first["share"] == "open"
    assert "–" in first["text"]
    assert shown["capacities"][0]["note"].startswith("not comparable")
    assert {row["verdict"] for row in shown["rules"]} == {"open"}


def test_families_of_words_are_complete():
    kinds = ["collection system", "sorting technology", "process yield", "smelter capacity"]
    kinds += ["capacity", "export leakage", "missing data"]
    for lang in ("en", "ja"):
        assert all(words(lang)[f"bottleneck:{kind}"] for kind in kinds)
        assert all(words(lang)[f"verdict:{one}"] for one in ("yes", "no", "open", "missing"))
        assert all(
            words(lang)[f"measure:{one}"] for one in ("finance", "technology", "institution")
        )


def test_results_have_the_sheets_and_read_as_an_input(japan, tmp_path):
    mfa.write_workbook(japan, tmp_path / "out.xlsx")
    names = openpyxl.load_workbook(tmp_path / "out.xlsx", read_only=True).sheetnames
    made = {"gains", "capacities", "leakage", "measures_effect", "support", "criteria"}
    assert made | {"measures", "rules", "bottlenecks"} <= set(names)
    again = mfa.reconcile(mfa.read_workbook(tmp_path / "out.xlsx"))
    assert len(mfa.measures(again)) == len(mfa.measures(japan))
    assert mfa.criteria(again)["verdict"].tolist() == mfa.criteria(japan)["verdict"].tolist()
