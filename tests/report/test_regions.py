"""Regions in reports, workbooks and charts: together and apart."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

import mfa
from mfa.report import format as fmt
from mfa.report.document import edition, render
from mfa.report.results import result_tables
from mfa.report.words import words
from tests.system import books
from tests.system.test_regions import book

from . import pages


@cache
def balance() -> mfa.Balance:
    return mfa.reconcile(books.read(book(settings=[["title", "Two"], ["title_ja", "二地域"]])))


@cache
def written(lang: str, folder: Path) -> tuple[pages.Reader, set[str]]:
    path = mfa.write_report(balance(), folder / lang, lang=lang)
    reader = pages.read(render([edition(balance(), lang)]))  # one language of what is written
    return reader, {file.name for file in path.parent.iterdir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_shows_the_whole_then_each_region(lang, folder):
    page, files = written(lang, folder)
    phrases, text = words(lang), page.text
    assert {"chart-2018.svg", "chart-region-North.svg", "chart-region-South.svg"} < files
    assert sum(tag == "svg" for tag, _ in page.elements) == 3
    tables = [rows for rows in page.tables if rows[0][0] == phrases["indicator"]]
    assert len(tables) == 6  # each with those that say little apart
    tables = [[*tables[i], *tables[i + 1][1:]] for i in (0, 2, 4)]
    for region in ("North", "South"):
        assert phrases["region_words"].format(name=region) in text
    rates = mfa.indicators(balance()).set_index(["region", "indicator"])
    for rows, region in zip(tables, ("", "North", "South"), strict=True):
        here = rates.loc[region]
        here = here[(here.index != "loss") | (here["item"] == "")]
        here = here[~here.index.isin(pages.ELSEWHERE)]
        assert len(rows) == 1 + len(here)
        for indicator, rate in zip(here.index, here.to_dict("records"), strict=True):
            role = ": " + phrases["role:" + rate["item"]] if rate["item"] else ""
            name = phrases[f"indicator:{indicator}"] + role + phrases[f"scope:{indicator}"]
            (row,) = (row for row in rows if row[0].startswith(name))
            if rate["unit"] != "1" or not (rate["missing"] or rate["value"] == rate["value"]):
                continue
            known = rate["value"] == rate["value"]
            start = fmt.percent_sd(rate["value"], rate["sd"]) if known else phrases["missing"][:4]
            assert row[1].startswith(start)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_trade_stands_on_the_page(lang, folder):
    page, _ = written(lang, folder)
    phrases = words(lang)
    rows = page.table(phrases["from_region"], phrases["to_region"], phrases["role"])
    trade = mfa.trade(balance()).set_index(["from_region", "to_region", "role"])
    listed = {
        (r[phrases["from_region"]], r[phrases["to_region"]], r[phrases["role"]]) for r in rows
    }
    name = {role: phrases[f"role:{role}"] for role in ("all", "new_scrap", "old_scrap", "refined")}
    outside = phrases["outside"]
    assert listed == {
        ("North", "South", name["refined"]),
        ("South", "North", name["all"]),
        ("South", "North", name["new_scrap"]),
        ("South", "North", name["old_scrap"]),
        (outside, "South", phrases["role:scrap"]),
    }
    assert len(trade) == 2 + 3 + 2
    back = next(r for r in rows if r[phrases["role"]] == name["all"])
    value = trade.loc[("South", "North", "all"), "value"]
    shown = next(cell for header, cell in back.items() if header.startswith("2018"))
    assert float(shown.split(" ± ")[0]) == pytest.approx(value, rel=0.02)


def test_the_workbook_has_trade_and_regions(tmp_path):
    mfa.write_workbook(balance(), tmp_path / "results.xlsx")
    sheets = CalamineWorkbook.from_path(str(tmp_path / "results.xlsx"))
    heads = {
        name: sheets.get_sheet_by_name(name).to_python()[0]
        for name in ("trade", "balances", "indicators")
    }
    assert heads["trade"][:6] == ["from_region", "to_region", "substance", "year", "value", "sd"]
    assert heads["balances"][3] == heads["indicators"][7] == "region"
    table = result_tables(balance())["balances"].set_index("process")["region"]
    assert table.to_dict() == {
        "smelter": "North",
        "market": "North",
        "mill": "South",
        "use": "South",
        "yard": "South",
    }
    again = mfa.read_workbook(tmp_path / "results.xlsx")
    assert again.regions == ("North", "South")
    assert not again.problems


def test_without_regions_nothing_is_added():
    blank = {p[0]: None for p in books.SMALL["processes"][1:]}
    assert blank
    tables = result_tables(mfa.reconcile(books.read(books.SMALL)))
    assert "trade" not in tables
    assert "region" not in tables["balances"]
    assert "region" not in tables["indicators"]


def test_a_chart_of_one_region():
    diagram = mfa.sankey(balance(), region="North").diagrams[0]
    assert [node.label for node in diagram.nodes] == ["market", "smelter"]
    assert diagram.title == "Two: North"
    lanes = {part.flow: (link.lane, link.label) for link in diagram.links for part in link.parts}
    assert lanes["sold"] == ("export", "sold (South)")
    assert lanes["cut"] == ("import", "cut (South)")
    assert lanes["ore"] == ("import", "ore")
    assert lanes["kept"][0] == "loss"
    assert "goods" not in lanes
    assert mfa.sankey(balance(), region="North", lang="ja").diagrams[0].title == "二地域：North"


def test_the_whole_chart_names_the_region_of_each_box():
    diagram = mfa.sankey(balance()).diagrams[0]
    assert {node.label for node in diagram.nodes} == {
        "market (North)",
        "mill (South)",
        "smelter (North)",
        "use (South)",
        "yard (South)",
    }
    lanes = {part.flow: link.lane for link in diagram.links for part in link.parts}
    assert lanes["sold"] == "main"
    assert lanes["old"] == "scrap"


def test_trade_of_several_flows_stands_under_the_name_of_the_region():
    tables = book({"mine": "South"})
    tables["processes"].append(["pit", "source", "mining", None, "South"])
    tables["flows"].append(["ore2", "pit", "smelter", "primary", 7, 2018, 0.05])
    result = mfa.reconcile(books.read(tables))
    links = mfa.sankey(result, region="North").diagrams[0].links
    ore = next(link for link in links if {p.flow for p in link.parts} >= {"ore", "ore2"})
    assert ore.label == "South"
    whole = result.flows.set_index("flow")["value"]
    assert ore.quantity.value == pytest.approx(sum(whole[p.flow] for p in ore.parts))
