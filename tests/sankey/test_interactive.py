"""Charts as HTML and JSON: safe with any name, complete without script, nothing fetched."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mfa.sankey.chart import Chart, sankey
from mfa.sankey.diagram import Diagram, Evidence, Link, Node, Part, Quantity, StockBox
from mfa.sankey.interactive import figure_script, figure_style

from . import copper, randoms
from .test_build import TWO_YEARS
from .test_svg import HOSTILE, hostile

EVIL = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Tags, attributes, and the text of every cell of the data tables, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    def values(self, attribute: str) -> list[str]:
        return [str(attrs[attribute]) for _, attrs in self.tags if attribute in attrs]


def html_of(*diagrams: Diagram, tmp_path: Path) -> str:
    path = tmp_path / "chart.html"
    Chart(diagrams).save(path)
    return path.read_text(encoding="utf-8")


def traced() -> Diagram:
    """A plant with a stock, whose numbers say where they come from; every field is hostile."""
    moved = Evidence(Quantity(104.0, 4.0), -1.0, "flows!G2", EVIL, "note <b>", True)
    left_out = Evidence(Quantity(7.0, 1.0), None, "flows!G3", "", "", False)
    ore = Part("ore", f"ore {EVIL}", Quantity(100.0, 3.0, status="reconciled"), moved)
    slag = Part("slag", "slag", Quantity(3.0, status="calculated"), left_out)
    change = Part("works", "addition", Quantity(5.0, 1.0, status="calculated"))
    stock = StockBox(None, change.quantity, (change,))
    return Diagram(
        EVIL,
        "Cu",
        "kt/yr",
        (Node("works", EVIL, "smelting", stock=stock),),
        (
            Link("in", None, "works", "import", "ore", ore.quantity, (ore,)),
            Link("out", "works", None, "loss", "slag", slag.quantity, (slag,)),
        ),
        label="2018",
    )


def test_every_number_stands_in_the_table_with_its_source(tmp_path: Path) -> None:
    rows = Page(html_of(traced(), tmp_path=tmp_path)).rows
    head = ["Flow", "From → to", "Result", "Status", "Observed", "Cell", "Source"]
    assert rows[0] == head
    assert rows[1] == [
        f"ore {EVIL}",
        f"outside → {EVIL}",
        "100 ± 3",
        "reconciled",
        "104 ± 4moved by −1 sd",
        "flows!G2",
        f"{EVIL} note <b>",
    ]
    assert rows[2][2:6] == ["3", "calculated", "7 ± 1left out", "flows!G3"]
    assert rows[3][:5] == ["addition", EVIL, "+5 ± 1", "calculated", "blank"]
    assert len(rows) == 4


def test_rows_name_link_and_boxes_for_the_script(tmp_path: Path) -> None:
    page = Page(html_of(traced(), tmp_path=tmp_path))
    rows = [attrs for tag, attrs in page.tags if tag == "tr"][1:]
    assert rows[0] == {"data-link": "in", "data-to": "works"}
    assert rows[1] == {"data-link": "out", "data-from": "works"}
    assert rows[2] == {"data-node": "works"}
    groups = [attrs["data-link"] for tag, attrs in page.tags if tag == "g"]
    assert sorted(map(str, groups)) == ["in", "out"]


@pytest.mark.parametrize("diagram", [hostile(), traced()])
def test_names_are_text_and_never_tags(diagram: Diagram, tmp_path: Path) -> None:
    html = html_of(diagram, replace(diagram, label=EVIL), tmp_path=tmp_path)
    page = Page(html)
    assert page.count("script") == 1
    assert page.count("b") == 0
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert html.count("</script>") == 1


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_nothing_is_fetched(lang: str, tmp_path: Path) -> None:
    html = html_of(copper.build(lang), tmp_path=tmp_path)
    assert set(re.findall(r"https?://[^\"' ]*", html)) == {"http://www.w3.org/2000/svg"}
    assert Page(html).values("src") == []
    assert Page(html).values("href") == ["data:,"]
    for word in ("@import", "fetch(", "XMLHttpRequest", "import(", "url(http"):
        assert word not in html
    assert "default-src 'none'" in html
    assert f'<html lang="{lang}">' in html


def test_style_and_script_are_small_and_meet_only_figures() -> None:
    assert len(figure_style()) + len(figure_script()) < 12_000
    rules = re.findall(r"^([^@{}\s][^{}]*)\{", figure_style(), re.M)
    for rule in rules:
        for selector in re.sub(r"\([^)]*\)", "", rule).split(","):
            assert selector.strip().startswith(".mfa-chart")


def test_one_picture_and_one_table_per_year_and_a_slider(tmp_path: Path) -> None:
    chart = sankey(TWO_YEARS, year=TWO_YEARS.system.years)
    page = Page(chart.figure)
    labels = [str(year) for year in TWO_YEARS.system.years]
    assert page.values("data-label") == labels
    assert page.count("svg") == page.count("table") == len(labels) > 1
    (slider,) = [attrs for tag, attrs in page.tags if tag == "input"]
    assert slider["max"] == slider["value"] == str(len(labels) - 1)
    assert Page(sankey(TWO_YEARS).figure).count("input") == 0


def test_pictures_of_a_page_share_no_ids(tmp_path: Path) -> None:
    one = randoms.make(3)
    ids = Page(html_of(one, randoms.changed(one, 3), tmp_path=tmp_path)).values("id")
    assert len(ids) == len(set(ids)) > 1


def test_same_bytes_twice(tmp_path: Path) -> None:
    one = html_of(copper.build(), tmp_path=tmp_path)
    assert one == html_of(copper.build(), tmp_path=tmp_path)


def test_json_holds_data_and_geometry(tmp_path: Path) -> None:
    path = tmp_path / "chart.json"
    diagram = copper.build()
    chart = Chart((diagram, replace(diagram, label="next")))
    chart.save(path)
    data = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert {name: data[name] for name in ("format", "unit")} == {
        "format": "mfa-chart-1",
        "unit": "kt/yr",
    }
    assert data["scale"] == chart.drawings[0].scale
    first, second = data["frames"]
    assert {name: data[name] for name in second} == second
    assert (first["label"], second["label"]) == ("", "next")
    link = next(one for one in first["links"] if one["id"] == "F01")
    assert link["quantity"]["value"] == 1295
    halo = next(s for s in first["shapes"] if s.get("link") == "F01" and s["style"] == "halo")
    assert halo["width"] == pytest.approx((1295 + 45) * data["scale"], abs=0.02)
    assert halo["outline"][0][0] == "M"
    assert {shape["kind"] for shape in first["shapes"]} == {
        "ribbon",
        "shape",
        "box",
        "line",
        "label",
    }


def test_json_takes_any_name(tmp_path: Path) -> None:
    path = tmp_path / "chart.json"
    Chart((hostile(),)).save(path)
    nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    assert [node["label"] for node in nodes] == list(HOSTILE)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=2000",
    "--dump-dom",
]
# Turns to the first year, picks a flow with the keyboard, and leaves what it saw in the page.
DRIVE = """
const slider = document.querySelector("input[type=range]");
slider.value = 0; slider.dispatchEvent(new Event("input"));
const seen = [document.querySelector("output").textContent];
const frames = Array.from(document.querySelectorAll(".mfa-frame"));
seen.push(frames.map((f) => f.hidden).join(" "));
const link = frames[0].querySelector('g[data-link="PICKED"]');
link.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
const marked = (name) => Array.from(frames[0].querySelectorAll(`g.${name}`))
  .map((g) => g.dataset.link).sort().join(" ");
seen.push(document.querySelector(".mfa-picked h4").textContent);
seen.push(document.querySelectorAll(".mfa-picked tbody tr").length);
seen.push(marked("up"), marked("down"));
seen.push(Array.from(frames[0].querySelectorAll("text.off")).map((t) => t.textContent).join(" "));
link.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}));
seen.push(document.querySelector(".mfa-picked").children.length, marked("picked"));
document.body.innerHTML = "";
document.title = JSON.stringify(seen);
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_in_a_browser(tmp_path: Path) -> None:
    def link(name: str, source: str | None, target: str | None, lane: str, size: float) -> Link:
        quantity = Quantity(size, 1.0)
        return Link(name, source, target, lane, name, quantity, (Part(name, name, quantity),))  # type: ignore[arg-type]

    stages = {"a": "smelting", "b": "fabrication", "c": "use", "d": "collection"}
    nodes = tuple(Node(name, name.upper(), stage) for name, stage in stages.items())
    links = (
        link("ore", None, "a", "import", 60.0),
        link("ab", "a", "b", "main", 80.0),
        link("bc", "b", "c", "main", 70.0),
        link("sold", "b", None, "export", 10.0),
        link("cd", "c", "d", "main", 50.0),
        link("da", "d", "a", "scrap", 20.0),
        link("lost", "d", None, "loss", 30.0),
    )
    first = Diagram("T", "", "kt/yr", nodes, links, label="2017")
    html = html_of(first, replace(first, label="2018"), tmp_path=tmp_path)
    drive = DRIVE.replace("PICKED", "bc")
    page = tmp_path / "driven.html"
    code = f"<script>addEventListener('load', () => {{{drive}}});</script>"
    page.write_text(html.replace("</body>", f"{code}</body>"), encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", page.as_uri()]
        done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    title = re.search("<title>(.*?)</title>", done.stdout.decode("utf-8"))
    assert title is not None
    # The lane that returns is upstream of the smelter and downstream of use; what feeds it, and
    # what it feeds in its turn, is not followed through it.
    assert json.loads(title[1]) == [
        "2017",
        "false true",
        "bc: 70 ± 1 kt/yr",
        1,
        "ab da ore",
        "cd da lost",
        "sold 10 ± 1",
        0,
        "",
    ]
