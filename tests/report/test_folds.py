"""What folds away on the page says little, and nothing is lost by it."""

from __future__ import annotations

import math

import pytest

import mfa
from mfa.recycling import trace
from mfa.report.contradictions import suspect_groups
from mfa.report.indicators import indicator_values
from mfa.report.origins import origin_tables
from mfa.report.page import Page
from mfa.report.sections import SECTIONS
from tests.system import books

from . import pages

ALWAYS = "recycling_input_rate_total"
SHAPES = ["small", "a whole cycle", "two substances", "nothing measured", "a loop"]


def page_of(shape, lang="en"):
    return Page(mfa.reconcile(books.read(pages.SHAPES[shape])), lang)


@pytest.mark.parametrize("shape", SHAPES)
def test_indicators_that_say_something_are_shown(shape):
    page = page_of(shape)
    values = indicator_values(page)
    table = page.indicators.set_index(["indicator", "item", "substance", "year"])
    shown = {row["name"] for row in values["telling"]}
    folded = {row["name"] for row in values["plain"]}
    assert {page.words["indicator:eol_recycling_rate"]} <= shown
    assert {page.words[f"indicator:{ALWAYS}"]} <= shown
    always = page.words["indicator:eol_recycling_rate"], page.words[f"indicator:{ALWAYS}"]
    for (indicator, item, _, _), row in table.iterrows():
        if item or indicator in pages.ELSEWHERE:
            continue
        name = page.words[f"indicator:{indicator}"]
        if not math.isnan(row["value"]) and not row["by_construction"]:
            assert name in shown
        if row["missing"] and len(page.balance.system.years) == 1:
            assert name in always or name in folded


def test_substances_stand_side_by_side_where_there_is_but_one_year():
    flows = [row for row in books.SMALL["flows"] if 2019 not in row]
    zinc = [[row[0], None, None, "Zn", *row[4:]] for row in flows[1:]]
    tables = books.put(books.small(flows=[*flows, *zinc], stocks=None), "system!B6", "Cu, Zn")
    page = Page(mfa.reconcile(books.read(tables)), "en")
    values = indicator_values(page)
    assert values["across"]
    assert [label for _, label in values["columns"]] == ["Cu", "Zn"]
    rows = [*values["telling"], *values["plain"]]
    assert len({row["name"] for row in rows}) == len(rows)
    assert all(set(row["cells"]) == {"Cu", "Zn"} for row in rows)


def test_every_flow_has_its_origins_once():
    page = page_of("a whole cycle")
    table = trace(page.balance, "origin", page.substance, page.year)
    (found, *_) = origin_tables(page)
    listed = [flow["href"] for row in (*found["rows"], *found["whole"]) for flow in row["flows"]]
    assert sorted(listed) == sorted(f"#{page.anchors[f]}" for f in table["flow"].unique())
    for row in found["whole"]:
        for flow in row["flows"]:
            (name,) = (f for f, anchor in page.anchors.items() if f"#{anchor}" == flow["href"])
            own = table[(table["flow"] == name) & (table["share_high"] > 1e-3)]
            assert len(own) == 1
            assert own["share"].iloc[0] > 0.9994
    assert found["n_whole"] == sum(len(row["flows"]) for row in found["whole"]) > 0
    assert found["rows"]


def test_a_source_common_to_a_group_stands_once():
    balance = mfa.reconcile(books.read(pages.SHAPES["contradictions"]))
    group = suspect_groups(Page(balance, "en"))[0]
    assert len(group["rows"]) == 2
    assert group["source"] == "" == group["rows"][0]["reference"]
    tables = books.with_column(pages.SHAPES["contradictions"], "flows", "reference", "B 3", "B 3")
    alike = suspect_groups(Page(mfa.reconcile(books.read(tables)), "en"))[0]
    assert alike["source"] == "B 3"
    tables = books.with_column(pages.SHAPES["contradictions"], "flows", "reference", "B 3", "C 4")
    assert suspect_groups(Page(mfa.reconcile(books.read(tables)), "en"))[0]["source"] == ""


def test_the_losses_of_every_year_are_there():
    page = page_of("a whole cycle")
    (losses,) = (one for one in SECTIONS if one.name == "losses")
    values = losses.lists(page, {})
    assert [block["label"] for block in values["last"]] == ["2018"]
    assert values["earlier"] == []
    tables = dict(pages.SHAPES["a whole cycle"])
    head, *rows = tables["flows"]
    year = head.index("year")
    older = [[*row[:year], 2017, *row[year + 1 :]] for row in rows]
    tables["flows"] = [head, *rows, *older]
    two = losses.lists(Page(mfa.reconcile(books.read(tables)), "en"), {})
    assert [block["label"] for block in two["last"]] == ["2018"]
    assert [block["label"] for block in two["earlier"]] == ["2017"]
    assert two["listed"] == "2017"
    assert two["earlier"][0]["rows"]
