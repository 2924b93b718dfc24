"""Systems of every shape have a whole page in both languages, with a chart each."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from html import unescape
from itertools import pairwise

import networkx as nx
import openpyxl
import pytest

import mfa
from mfa.report import format as fmt
from mfa.report import sections
from mfa.report.document import edition, editions, render, served
from mfa.report.words import words
from tests.system import books

from . import pages

JAPANESE = ["small", "a whole cycle", "contradictions", "left out", "goods", "nothing measured"]
PAGES = pytest.mark.parametrize(
    ("shape", "lang"), [(s, "en") for s in pages.SHAPES] + [(s, "ja") for s in JAPANESE]
)
SECTIONS = [
    "chart",
    "contradictions",
    "indicators",
    "losses",
    "trace",
    "survey",
    "numbers",
    "warnings",
]
SECTIONS += ["provenance"]


@PAGES
def test_a_whole_page(shape, lang):
    html, page, balance = pages.shape(shape, lang)
    text = page.text
    for section in SECTIONS:
        assert words(lang)[section] in text
    assert ("html", {"lang": lang}) in page.elements
    assert len(html.encode()) < 2_000_000
    assert sum(tag == "svg" for tag, _ in page.elements) == len(balance.system.years) * len(
        balance.system.substances
    )
    flows = page.table(words(lang)["basis"], words(lang)["flow"])
    assert len(flows) == len(balance.flows)


@PAGES
def test_nothing_is_left_unsaid_or_unfilled(shape, lang):
    text = pages.shape(shape, lang)[1].text
    for bad in ("nan", "None", "NaN", "inf ", "Undefined", "<NA>"):
        assert not re.search(rf"(?<![\w]){re.escape(bad)}(?!\w|\.)", text), bad
    assert not re.search(r"\{\w*\}|\{\{|\{%|%s", text)


@PAGES
def test_the_page_needs_nothing_from_elsewhere(shape, lang):
    html, page, _ = pages.shape(shape, lang)
    for tag, attributes in page.elements:
        assert tag not in ("iframe", "object", "embed", "base", "img", "form")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "action", "data", "srcset"):
                assert value in ("results.xlsx", "data:,") or value.startswith("#"), (tag, value)
    assert not re.search(r"url\(\s*['\"]?(?!#)", html)
    assert "@import" not in html


def test_the_page_forbids_requests_and_every_script_but_its_own():
    html = pages.shape("small")[0]
    policy = unescape(re.search(r'Security-Policy" content="([^"]+)"', html)[1])
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert set(rules) == {
        *("default-src", "script-src", "style-src", "img-src", "base-uri", "form-action")
    }
    scripts = re.findall(r"<script>(.*?)</script>", html, re.S)
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    assert len(scripts) == 2
    assert rules["script-src"].split() == [f"'sha256-{one}'" for one in hashes]


def test_served_the_page_may_ask_its_own_server():
    html = pages.shape("small")[0]
    page, policy = served(html)
    assert "Content-Security-Policy" not in page
    assert len(page) > 0.95 * len(html)
    assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-")
    assert served(page)[1] == "default-src 'none'"  # nothing is allowed where nothing is said


def _both(tables):
    return pages.read(render(editions(mfa.reconcile(books.read(tables)), "ja")))


def test_both_languages_are_there_and_one_is_shown():
    page = _both(pages.SHAPES["a whole cycle"])
    shown = [item for tag, item in page.elements if item.get("class") == "edition"]
    assert [(one["lang"], "hidden" in one) for one in shown] == [("ja", False), ("en", True)]
    assert ("html", {"lang": "ja"}) in page.elements
    pressed = [(b["lang"], b["aria-pressed"]) for tag, b in page.elements if tag == "button"]
    assert pressed == [("ja", "true"), ("en", "false"), ("ja", "false"), ("en", "true")]
    for lang in ("en", "ja"):
        assert words(lang)["status:calculated"] in page.text


@pytest.mark.parametrize("shape", ["a whole cycle", "two substances", "goods", "contradictions"])
def test_ids_are_unique_and_links_lead_somewhere(shape):
    page = _both(pages.SHAPES[shape])
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    targets = [item["href"] for tag, item in page.elements if tag == "a"]
    assert len(targets) > 20
    for target in targets:
        assert target == "results.xlsx" or target.removeprefix("#") in ids
    named = [item["aria-labelledby"] for _, item in page.elements if "aria-labelledby" in item]
    assert named
    assert set(named) <= set(ids)


def test_headings_descend_one_by_one_within_landmarks():
    page = pages.shape("a whole cycle")[1]
    tags = [tag for tag, _ in page.elements]
    assert [tags.count(tag) for tag in ("h1", "main", "header", "footer", "nav")] == [1] * 5
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(b <= a + 1 for a, b in pairwise(levels))
    scrolled = [item for tag, item in page.elements if item.get("class") == "wide"]
    assert scrolled
    assert all(item["tabindex"] == "0" and item["aria-label"] for item in scrolled)


def test_a_draft_says_what_is_still_being_worked_out():
    balance = mfa.reconcile(books.read(pages.SHAPES["a whole cycle"]))
    whole = edition(balance, "en")
    page = pages.read(render([whole], draft=True))
    slow = {one.name for one in sections.SECTIONS if one.slow and one.there(whole.page)}
    assert {"indicators", "what_to_do", "survey"} <= slow
    assert page.text.count(words("en")["pending"]) == len(slow)
    assert words("en")["pending_back"] in page.text
    assert page.table("Indicator") == []
    assert len(page.table("Basis", "Flow")) == len(balance.flows)


def test_numbers_that_a_limit_holds_are_marked():
    _, page, balance = pages.shape("bounds")
    held = balance.flows[balance.flows["at_bound"] != ""]
    assert set(held["at_bound"]) == {"max"}
    rows = page.table("Basis", "Flow")
    marked = [row for row in rows if words("en")["held:max"] in row["Result"]]
    assert [row["Cell"] for row in marked] == held["cell"].tolist()
    assert words("en")["held_words"] in page.text
    assert words("en")["held_words"] not in pages.shape("small")[1].text


def test_stocks_are_listed_by_year():
    _, page, balance = pages.shape("small")
    rows = page.table("Process", "Quantity", "2018", "2019")
    table = balance.stocks
    assert len(rows) == len(table.groupby(["process", "quantity"]))
    for row in rows:
        quantity = row["Quantity"].split(" ")[0]
        for year in (2018, 2019):
            one = table[(table["quantity"] == quantity) & (table["year"] == year)]
            if len(one) and one["value"].notna().all():
                assert row[str(year)].startswith(fmt.plus_minus(*one[["value", "sd"]].iloc[0]))


def test_what_an_indicator_counts_leads_to_its_sources():
    html, page, _ = pages.shape("a whole cycle")
    cell = next(row["Indicator"] for row in page.table("Indicator"))
    assert cell.startswith(words("en")["indicator:collection_rate"])
    assert words("en")["counts"].format(n=3) in cell  # old; returned, exported
    target = re.search(r'href="#(en-flow-\d+)">exported</a>', html)[1]
    row = re.search(rf'<tr id="{target}"[^>]*>(.*?)</tr>', html, re.S)[1]
    assert "exported" in row
    assert "flows!" in row


def test_indicators_that_cannot_be_formed_say_what_is_missing():
    for lang in ("en", "ja"):
        page = pages.shape("small", lang)[1]
        cells = [row["2018"] for row in page.table(words(lang)["indicator"], "2018")]
        start = words(lang)["missing"].split("{")[0]
        table = mfa.indicators(pages.shape("small", lang)[2])
        table = table[table["year"] == 2018]
        shown = (table["indicator"] != "loss") | (table["item"] == "")
        lacking = table["missing"][shown & ~table["indicator"].isin(pages.ELSEWHERE)]
        assert (lacking != "").sum() > 9
        found = [cell.startswith(start) for cell in cells]
        assert sum(found) == (lacking != "").sum()
        assert len(found) == len(lacking)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_whole_cycle_has_every_indicator(lang):
    _, page, balance = pages.shape("a whole cycle", lang)
    cells = [row["2018"] for row in page.table(words(lang)["indicator"], "2018")]
    table = mfa.indicators(balance)
    table = table[(table["indicator"] != "loss") | (table["item"] == "")]
    table = table[~table["indicator"].isin(pages.ELSEWHERE)]
    assert (table["missing"].iloc[:9] == "").all()
    assert len(cells) == len(table)
    formed = (table["unit"] == "1") & (table["missing"] == "")
    assert sum("%" in cell for cell in cells) == formed.sum()


def test_a_system_without_redundancy_says_so():
    assert words("en")["verdict_none"] in pages.shape("no redundancy")[1].text
    assert "互いに矛盾する" in pages.shape("contradictions", "ja")[1].text


PARTLY = books.put(pages.SMALL, "system!B6", "Cu, Zn")
for _flow in ("ore", "metal", "scrap"):
    PARTLY = books.add(PARTLY, "flows", [_flow, None, None, "Zn", 2019, 5, None, 1])


@pytest.mark.parametrize(
    "tables",
    [PARTLY, books.put(pages.SMALL, "system!B6", "Cu, Zn")],
    ids=["in one year only", "in no year"],
)
def test_a_substance_that_some_years_lack_does_not_stop_the_report(tables, tmp_path):
    # Gaps are warnings; the report lists them.
    page = mfa.write_report(mfa.reconcile(books.read(tables)), tmp_path / "out")
    text = pages.read(page.read_text(encoding="utf-8")).text
    assert "Zn" in text
    assert (tmp_path / "out" / "results.xlsx").exists()


def test_goods_alone_have_their_charts(tmp_path):
    tables = books.small(stocks=None)
    for row in tables["flows"][1:]:
        row[3] = "goods"
    page = mfa.write_report(mfa.reconcile(books.read(tables)), tmp_path / "out")
    assert {"chart-2018.svg", "chart-2019.svg", "chart.png"} <= {
        path.name for path in page.parent.iterdir()
    }


def test_the_first_substance_may_lack_the_last_year(tmp_path):
    rows = [row for row in pages.SMALL["flows"] if row[4] != 2019]
    rows += [[flow, None, None, "Zn", 2019, 5, None, 1] for flow in ("ore", "metal", "scrap")]
    tables = books.put(books.small(flows=rows), "system!B6", "Cu, Zn")
    page = mfa.write_report(mfa.reconcile(books.read(tables)), tmp_path / "out")
    text = pages.read(page.read_text(encoding="utf-8")).text
    assert "In 2018, the recycling input rate (all scrap) of Cu" in text
    names = {path.name for path in page.parent.iterdir()}
    assert {"chart-Cu-2018.svg", "chart-Zn-2019.svg"} <= names


SHARES = books.small(
    stocks=None,
    coefficients=[
        ["coefficient", "flow", "of", "substance", "year", "value", "sd", "basis"],
        ["the yield", "metal", "inputs", "Cu", None, 0.7, 0.01, "assumption"],
    ],
    compositions=[
        ["flow", "substance", "year", "value", "sd", "basis"],
        ["ore", "Cu", None, 0.31, 0.02, "statistic"],
    ],
    flows=[
        *pages.SMALL["flows"],
        ["ore", None, None, "goods", 2018, 300, None, 3],
        ["ore", None, None, "goods", 2019, 320, None, 3],
        ["slag", "Smelter", "Market", "Cu", 2018, None, None, None],
        ["slag", None, None, "Cu", 2019, None, None, None],
    ],
)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_coefficients_and_compositions_are_listed(lang):
    html, balance = pages.page_of(SHARES, lang)
    page = pages.read(html)
    table = words(lang)
    rows = {row[table["item"]]: row for row in page.table(table["item"], table["status"])}
    assert set(rows) == {"the yield (Cu)", table["share_of"].format(name="ore", substance="Cu")}
    share = balance.coefficients.iloc[0]
    assert rows["the yield (Cu)"][table["observed"]] == "0.700 ± 0.010"
    assert rows["the yield (Cu)"][table["result"]].startswith(f"{share['value']:.4f} ± ")
    assert rows["the yield (Cu)"][table["year"]] == table["all_years"]
    assert "the yield (Cu)" in " ".join(row[table["item"]] for row in page.table(table["note"]))


def test_every_amount_in_a_contradiction_has_its_unit():
    tables = books.put(pages.SMALL, "stocks!E3", 500)
    tables = books.add(tables, "stocks", ["Use", "Cu", 2018, "level", 930, "kt", 3])
    rows = pages.read(pages.page_of(tables)[0]).table("Others suggest")
    assert any(row["Number"].startswith("Products in use, stock level") for row in rows)
    for row in rows:
        unit = " kt" if "level" in row["Number"] else " kt/yr"
        assert row["Observed"].endswith(unit)
        assert unit in row["Others suggest"]


def test_numbers_that_cannot_be_told_apart_stand_together():
    # In a system of one year, too.
    page = pages.shape("contradictions")[1]
    assert "At least one of these 2 numbers is off" in page.text
    assert len(page.table("Others suggest")) == 2


def test_what_check_lists_is_listed():
    assert "no balance of goods" in pages.shape("goods in part")[1].text


def test_a_system_from_a_graph_without_stocks_or_cells(tmp_path):
    """No row has a place in a file; the user's own columns still come out once each."""
    graph = nx.MultiDiGraph(unit="kt/yr", substances="Cu", year=2018)
    graph.add_nodes_from([("Mine", {"kind": "source"}), ("Market", {"kind": "sink"})])
    graph.add_edge("Mine", "Smelter", key="ore", value=100.0, sd=4.0, collector="Ann")
    graph.add_edge("Smelter", "Market", key="metal", value=95.0, sd=2.0, collector="Bo")
    balance = mfa.reconcile(mfa.System.from_graph(graph))
    mfa.write_report(balance, tmp_path / "out")
    book = openpyxl.load_workbook(tmp_path / "out" / "results.xlsx")
    head, *rows = book["flows"].values
    assert len(rows) == 2
    assert [dict(zip(head, row, strict=True))["value"] for row in rows] == pytest.approx([96, 96])
