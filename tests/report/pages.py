"""Report pages of small systems, and what a browser would make of them."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser

import mfa
from mfa.report.document import edition, render
from tests.system import books

VOID = {"meta", "br", "input", "img", "link", "hr", "path", "rect", "polyline", "circle", "line"}
SMALL = books.SMALL
ELSEWHERE = ("hhi", "hhi_governance", "supply_risk")  # told in the section on supply


class Reader(HTMLParser):
    """Collects elements, attributes, texts and tables; checks that elements are nested."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.stack, f"</{tag}> without its start"
            assert self.stack.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.stack):
            self.texts.append(data)
        if {"td", "th"} & set(self.stack):
            self.tables[-1][-1][-1] += data

    def handle_comment(self, data):
        self.comments.append(data)

    @property
    def text(self):
        """Everything that can be read, spaces tidied."""
        return " ".join(" ".join(self.texts).split())

    def table(self, *headers):
        """Return the rows of the tables that have all these headers, as dicts."""
        rows = []
        for head, *body in (t for t in self.tables if t):
            names = [" ".join(h.split()) for h in head]
            if all(any(h in name for name in names) for h in headers):
                rows += [dict(zip(names, row, strict=False)) for row in body]
        return rows


def read(page: str) -> Reader:
    """Return a page as a browser would see it."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    return reader


def page_of(tables: books.Tables, lang: str = "en") -> tuple[str, mfa.Balance]:
    """Return the report page of a book in one language, and its balance."""
    balance = mfa.reconcile(books.read(tables))
    return render([edition(balance, lang)]), balance


@cache
def shape(name: str, lang: str = "en") -> tuple[str, Reader, mfa.Balance]:
    """Return the page of one of the shapes below, read, and its balance."""
    html, balance = page_of(SHAPES[name], lang)
    return html, read(html), balance


def more(tables, substance, **values):
    """Return a book with rows of another substance for its three flows in both years."""
    for flow in ("ore", "metal", "scrap"):
        value = values.get(flow)
        for year in (2018, 2019):
            row = [flow, None, None, substance, year, value, None, 1 if value else None]
            tables = books.add(tables, "flows", row)
    return tables


def _plain(*flows, processes=(("A", "source"), ("B", "sink"))):
    head = ["flow", "from", "to", "year", "value", "sd"]
    listed = [["process", "kind"], *map(list, processes)]
    return books.small(processes=listed, flows=[head, *map(list, flows)], stocks=None)


def cycle():
    """Return a book with every role: all indicators can be formed."""
    processes = [
        ["process", "kind", "stage", "stock"],
        ["mine", "source", "mining", None],
        ["smelter", None, "smelting", None],
        ["maker", None, "manufacturing", None],
        ["use", None, "use", "yes"],
        ["sorter", None, "collection", None],
        ["tip", "sink", "disposal", None],
        ["abroad", "export", "trade", None],
        ["gap", "sink", None, None],
    ]
    flows = [
        ("ore", "mine", "smelter", "primary", 80, 3),
        ("metal", "smelter", "maker", "refined", 104, 2),
        ("slag", "smelter", "tip", "loss", 3, 1),
        ("goods_sold", "maker", "use", "product", 90, 4),
        ("cuttings", "maker", "smelter", "new_scrap", 11, 2),
        ("old", "use", "sorter", "end_of_life", 31, 5),
        ("returned", "sorter", "smelter", "old_scrap", 17, 2),
        ("exported", "sorter", "abroad", "old_scrap", 4, 1),
        ("dumped", "sorter", "tip", "loss", None, None),
        ("unexplained", "maker", "gap", "discrepancy", None, None),
    ]
    head = ["flow", "from", "to", "role", "year", "value", "sd"]
    rows = [[*flow[:4], 2018, *flow[4:]] for flow in flows]
    return books.small(processes=processes, flows=[head, *rows], stocks=None)


SHAPES = {
    "small": SMALL,
    "one flow between outsiders": _plain(("x", "A", "B", 2018, 5, 1)),
    "one process, one flow": _plain(
        ("x", "A", "B", 2018, None, None), processes=(("A", None), ("B", "sink"))
    ),
    "nothing measured": books.small(
        flows=[SMALL["flows"][0], *[[*row[:5], None, None, None] for row in SMALL["flows"][1:]]],
        stocks=None,
    ),
    "no redundancy": books.small(
        flows=[
            SMALL["flows"][0],
            SMALL["flows"][1],
            ["metal", "Smelter", "Use", "Cu", 2018, None, None, None],
            ["scrap", "Use", "Market", "Cu", 2018, None, None, None],
        ],
        stocks=None,
    ),
    "two substances": more(books.put(SMALL, "system!B6", "Cu, Zn"), "Zn", ore=9, metal=8),
    "goods": more(SMALL, "goods", ore=300, metal=280),
    "goods in part": books.add(SMALL, "flows", ["ore", None, None, "goods", 2018, 300, None, 3]),
    "a whole cycle": cycle(),
    "a loop": books.flows_book(
        {"value": 5, "sd": 1},
        {"from": "Smelter", "to": "Smelter", "value": 2, "sd": 1},
        {"from": "Smelter", "to": "Market"},
    ),
    "contradictions": books.flows_book(
        {"flow": "a", "value": 5, "sd": 0.1},
        {"flow": "b", "value": 7, "sd": 0.1, "from": "Smelter", "to": "Market"},
    ),
    "left out": books.with_column(SMALL, "flows", "include", "no", None, None, None, "no"),
    "assumptions": books.with_column(SMALL, "flows", "basis", "assumption", "estimate"),
    "bounds": books.with_column(SMALL, "flows", "max", None, 80),
    "negative": books.with_column(books.put(SMALL, "flows!F2", -3), "flows", "min", -9),
    "zeros": books.flows_book(
        {"value": 0, "sd": 0}, {"from": "Smelter", "to": "Market", "value": 0, "sd": 0}
    ),
    "huge": books.flows_book(
        {"value": 1e15, "sd": 1e12}, {"from": "Smelter", "to": "Market", "value": 1e15, "sd": 1e12}
    ),
    "tiny": books.flows_book(
        {"value": 1e-15, "sd": 1e-17},
        {"from": "Smelter", "to": "Market", "value": 1e-15, "sd": 1e-17},
    ),
}
