"""Names are text, whatever stands in them: on the page, in the charts, in the file names."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

import mfa
from mfa.report.document import edition, render
from tests.system import books

from . import pages

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '" onload="alert(1)" x=\'',
    "image": "'><img src=x onerror=alert(1)>",
    "entities": "&lt;b&gt; &amp; <b>bold &#60;i&#62; &unknown",
    "end": "]]></svg></style></title><script>x()</script>",
    "comment": "<!-- --> <![CDATA[ ?> <?xml ?>",
    "template": "{{ 7*7 }} {% raw %} {name} {0} %s %(x)s",
    "url": "https://evil.example/x.png?a=1&b=2",
    "javascript": "javascript:alert(1)",
    "long": "L" * 600,
    "japanese": "銅製錬所の長い名前" * 30,
    "emoji": "🙂👩\u200d👩\u200d👧 e\u0301",
    "rtl": "\u202eRTL עברית العربية\u2066",
    "math": "$\\frac{1}{2}$ \\n \\u0041",
    "line": "one\u2028two\u0085three",
}


def hostile_book(text):
    """Return the small book with a text in every place that takes one."""
    ids = {"Mine": "M", "Smelter": "S", "Use": "U", "Market": "K", "ore": "o", "metal": "m"}
    ids = {name: f"{text} {end}" for name, end in ids.items()}
    book = {
        sheet: [rows[0], *[[ids.get(cell, cell) for cell in row] for row in rows[1:]]]
        for sheet, rows in pages.SMALL.items()
    }
    keys = ("title", "title_ja", "region", "description", "author", "licence")
    book["system"] = [["key", "value"], ["unit", "kt/yr"], ["substances", "Cu"]]
    book["system"] += [[key, text] for key in keys]
    head, *rows = book["processes"]
    book["processes"] = [head, *[[row[0], f"{text} n", f"{text} j", *row[3:]] for row in rows]]
    for column in ("group", "group_ja", "region", "note"):
        book = books.with_column(book, "processes", column, None, text)
    for column in ("name", "name_ja", "reference", "note", text):
        book = books.with_column(book, "flows", column, text, f"{text} 2", text)
    book = books.with_column(book, "flows", "basis", "assumption", "estimate")
    book = books.with_column(book, "flows", "include", "yes", "yes", "yes", "no")
    book = books.with_column(book, "stocks", "reference", text, text)
    seen = ["observation", "flow", "year", "value", "sd", "note", "reference", "basis"]
    row = [f"{text} seen", ids["ore"], 2018, 60, 1, text, text, "assumption"]
    return book | {"observations": [seen, row]}


@pytest.fixture(scope="module")
def harmless():
    return {
        lang: pages.read(pages.page_of(hostile_book("plain"), lang)[0]) for lang in ("en", "ja")
    }


def kinds(page):
    """Return the elements and attributes that a page has."""
    return {(tag, name) for tag, attributes in page.elements for name in (*attributes, "")}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_shown_as_texts(harmless, name):
    lang = "ja" if name in ("script", "end", "japanese", "rtl") else "en"
    text = HOSTILE[name]
    html, balance = pages.page_of(hostile_book(text), lang)
    page = pages.read(html)
    assert kinds(page) <= kinds(harmless[lang])
    assert page.comments == []
    assert len(html.encode()) < 2_000_000
    tidy = " ".join(text.split())
    assert page.text.count(tidy) >= 15
    for _, attributes in page.elements:
        for key in ("style", "class", "href", "id", "for"):
            assert tidy not in (attributes.get(key) or "")
    for year in balance.system.years:
        ElementTree.fromstring(mfa.sankey(balance, year, lang=lang).svg)


@pytest.mark.parametrize("name", ["script", "end"])
def test_charts_hold_no_foreign_elements(name):
    balance = mfa.reconcile(books.read(hostile_book(HOSTILE[name])))
    plain = mfa.reconcile(books.read(hostile_book("plain")))
    kinds = [
        {element.tag for element in ElementTree.fromstring(mfa.sankey(b).svg).iter()}
        for b in (balance, plain)
    ]
    assert kinds[0] <= kinds[1]


@pytest.mark.parametrize("text", ["a\x00b", "c\x1b[31md", "e\x0bf\x0c", "g\ufffeh", "i\ud800j"])
def test_control_characters_do_not_spoil_the_page(text):
    tables = books.frames(one_year())
    tables["flows"]["name"] = text
    tables["flows"]["note"] = text
    balance = mfa.reconcile(mfa.System.from_tables(tables))
    html = render([edition(balance, "en")])
    html.encode("utf-8")  # as it is written to the file
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", html)


def one_year(other=None):
    rows = [{"value": 9, "sd": 1}, {"from": "Smelter", "to": "Market"}]
    if other is None:
        return books.flows_book(*rows)
    both = [row | {"substance": name} for row in rows for name in ("Cu", other)]
    return books.flows_book(*both, substances=f"Cu, {other}")


@pytest.mark.parametrize("other", ["a/b", "zn: ?", "Cu" * 150, "cu"])
def test_names_of_substances_make_no_folders_and_no_lost_charts(other, tmp_path):
    balance = mfa.reconcile(books.read(one_year(other)))
    out = tmp_path / "out"
    mfa.write_report(balance, out)
    names = [path.name for path in out.iterdir()]
    assert all(path.is_file() for path in out.iterdir())
    assert len({name.casefold() for name in names if name.endswith(".svg")}) == 2
    assert not any(set(name) & set('\\/:*?"<>|') for name in names)


def test_a_second_report_takes_the_place_of_the_first(tmp_path):
    balance = mfa.reconcile(books.read(one_year("Cu/Zn")))
    for _ in range(2):
        mfa.write_report(balance, tmp_path / "out")


def test_a_process_and_a_flow_of_one_id_keep_their_names():
    book = books.small(
        processes=[
            ["process", "name", "kind"],
            ["a", "Alpha mine", "source"],
            ["scrap", "The scrap yard", None],
            ["b", "Beta market", "sink"],
        ],
        flows=[
            ["flow", "from", "to", "year", "value", "sd", "name"],
            ["in", "a", "scrap", 2018, 5, 1, "Incoming"],
            ["scrap", "scrap", "b", 2018, 6, 1, "Old scrap"],
        ],
        stocks=None,
    )
    rows = pages.read(pages.page_of(book)[0]).table("Flow", "Process", "Basis")
    assert [(row["Flow"], row["Process"]) for row in rows] == [
        ("Incoming", "Alpha mine → The scrap yard"),
        ("Old scrap", "The scrap yard → Beta market"),
    ]


def test_commas_in_ids_are_no_lists():
    book = books.flows_book(
        {"flow": "a, 1", "value": 5, "sd": 0.1},
        {"flow": "b, 2", "value": 9, "sd": 0.1, "from": "Smelter", "to": "Market"},
    )
    text = pages.read(pages.page_of(book)[0]).text
    assert "and 1 other number" in text
