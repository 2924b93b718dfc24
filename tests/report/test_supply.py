"""The page about supply, in both languages, and its sheets in the results workbook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mfa
from mfa.report.document import editions, render
from mfa.report.page import Page
from mfa.report.supply import supply_values
from mfa.report.supply_tables import supply_tables
from mfa.report.words import words
from mfa.supply import concentration, disruptions
from mfa.supply.concentration import STAGES
from mfa.supply.notes import TEXTS
from tests.system import books

FOLDER = Path(__file__).parents[2] / "flows"


@pytest.fixture(scope="module")
def japan():
    return mfa.reconcile(mfa.read_tables(FOLDER / "copper-japan"))


def section(text: str, lang: str) -> str:
    found = re.search(rf'<section aria-labelledby="{lang}-supply">.*?</section>', text, re.S)
    assert found
    return found[0]


def test_the_page_says_what_the_tables_say(japan):
    text = render(editions(japan, "en"))
    table = concentration(japan)
    row = table[(table["commodity"] == "concentrate") & (table["year"] == 2019)].iloc[0]
    for lang, chile in (("en", "Chile"), ("ja", "チリ")):
        part = section(text, lang)
        assert f"{row['value']:.3f}" in part
        assert chile in part
        sheet = japan.system.tables["shocks"].set_index("shock")["shock_ja"]
        for one in disruptions(japan):
            assert (one.shock.name if lang == "en" else sheet[one.shock.name]) in part
            assert lang == "en" or one.shock.name not in part
        unmet = disruptions(japan)[0].summary["unmet"].iloc[0]
        assert f"{unmet:.0f} ±" in part
    japanese = re.sub(r"<[^>]*>", "", section(text, "ja"))
    assert "undetermined" not in japanese
    assert "Refined copper market" not in japanese


def test_suppliers_that_nobody_names_and_other_substances():
    """Oxides from ore, of which no country is named; reserves of all rare earths together."""
    balance = mfa.reconcile(mfa.read_tables(FOLDER / "rare-earth-magnets"))
    shown = supply_values(Page(balance, "en"))
    wholes = {whole["name"]: whole for whole in shown["wholes"]}
    oxide = wholes["Into Metal making"]
    assert (oxide["hhi"], oxide["range"], oxide["largest"]) == ("", "0.000–1.000", "")
    assert [part["name"] for part in oxide["parts"]] == ["all others"]
    assert wholes["World: mine production (gross mass)"]["largest"] == "China 67.8 %"
    assert {row["name"] for row in shown["stockpiles"]} == {"Nd+Pr", "Dy", "Tb"}
    assert shown["shocks"][0]["after"] == "at once"


def test_a_system_that_says_nothing_of_supply_has_no_section():
    balance = mfa.reconcile(books.read(books.small()))
    assert supply_tables(balance) == {}
    assert "en-supply" not in render(editions(balance, "en"))


def test_families_of_words_are_complete():
    for lang in ("en", "ja"):
        table = words(lang)
        assert all(table[f"shock_note:{key}"] for key in TEXTS)
        assert all(table[f"made_at:{stage}"] for stage in ("reserves", *STAGES))
    english = words("en")
    for key, text in TEXTS.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(
            re.findall(r"{(\w+)}", english[f"shock_note:{key}"])
        )


def test_sheets_of_the_results_workbook(japan, tmp_path):
    tables = supply_tables(japan)
    assert list(tables["disruption"]["shock"]) == [one.shock.name for one in disruptions(japan)]
    assert set(tables["concentration"]["by"]) == {"country", "group"}
    assert {"suppliers", "exposure", "surplus", "stock_needed"} <= set(tables)
    mfa.write_workbook(japan, tmp_path / "results.xlsx")
    again = mfa.read_workbook(tmp_path / "results.xlsx")
    assert not {"disruption", "suppliers"} & set(again.sheets)
    assert len(again.tables["shocks"]) == len(japan.system.tables["shocks"])
