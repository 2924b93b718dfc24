"""The SVG document: well formed, self-contained, and safe with any name."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mfa.sankey.diagram import Diagram, Link, Node, Part, Quantity
from mfa.sankey.layout import layout
from mfa.sankey.svg import fonts, to_svg

from . import copper, randoms

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert('x')</script>",
    "a & b < c > d \"quoted\" 'single'",
    "]]> <!-- --> <?xml ?>",
    "\x00\x07 bell \ufffe \ud800",
    "$\\frac{1}{2}$ %s {} &amp;",
    "名前 🙂",
)


def hostile() -> Diagram:
    nodes = tuple(Node(f"{text} {i}", text) for i, text in enumerate(HOSTILE))
    links = tuple(
        Link(
            f"{text}-link",
            nodes[i].id,
            nodes[(i + 1) % len(nodes)].id,
            "main",
            text,
            Quantity(70.0 + i, 3.0),
            (Part("f", text, Quantity(50.0)), Part("g", text, Quantity(20.0 + i))),
        )
        for i, text in enumerate(HOSTILE)
    )
    return Diagram(HOSTILE[0], HOSTILE[1], "<k&t>", nodes, links, HOSTILE[2], HOSTILE)


def shown(svg: str) -> str:
    return "".join(
        "".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")
    )


@pytest.mark.parametrize("seed", range(40))
def test_parses_as_xml_with_every_link_and_node(seed: int) -> None:
    diagram = randoms.make(seed)
    root = ElementTree.fromstring(to_svg(layout(diagram)))
    links = {element.get("data-link") for element in root.iter()} - {None}
    nodes = {element.get("data-node") for element in root.iter()} - {None}
    assert links == {link.id for link in diagram.links}
    assert nodes == {node.id for node in diagram.nodes}


def test_hostile_names_are_text() -> None:
    svg = to_svg(layout(hostile()))
    root = ElementTree.fromstring(svg)
    allowed = {
        "svg",
        "title",
        "desc",
        "defs",
        "pattern",
        "rect",
        "path",
        "polyline",
        "text",
        "g",
    }
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= allowed
    assert "<script" not in svg
    squeezed = shown(svg).replace(" ", "")
    assert "<script>alert('x')</script>" in squeezed
    assert "]]><!----><?xml?>" in squeezed


def test_refers_to_nothing_outside() -> None:
    svg = to_svg(layout(copper.build()))
    assert "href" not in svg
    assert "@import" not in svg
    assert re.findall(r"https?://[^\"' ]*", svg) == ["http://www.w3.org/2000/svg"]
    ids = set(re.findall(r'id="([^"]+)"', svg))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= ids


def test_is_named_described_and_scales() -> None:
    root = ElementTree.fromstring(to_svg(layout(copper.build())))
    assert root.get("role") == "img"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Copper cycle of Japan"
    assert root[1].text == "Copper content, kt/yr, 2018 12 processes and 32 flows, in kt/yr."


def test_titles_under_the_pointer() -> None:
    root = ElementTree.fromstring(to_svg(layout(copper.build())))
    groups = {g.get("data-link"): g for g in root.iter(f"{SVG}g")}
    title = groups["F01"].find(f"{SVG}title")
    assert title is not None
    assert "Peru: 190 ± 9.5" in str(title.text)
    boxes = {
        r.get("data-node"): r for r in root.iter(f"{SVG}rect") if r.find(f"{SVG}title") is not None
    }
    assert set(boxes) == {node.id for node in copper.build().nodes}


def test_fonts_suit_the_language() -> None:
    assert fonts("en")[0] == "DejaVu Sans"
    assert fonts("ja")[0] == "Noto Sans CJK JP"
    assert fonts("en")[-1] == fonts("ja")[-1] == "sans-serif"
    assert "IPAexGothic" in to_svg(layout(copper.build("ja")))


def test_two_charts_on_a_page_do_not_share_patterns() -> None:
    ids = [
        set(re.findall(r'id="([^"]+)"', to_svg(layout(copper.build(lang)))))
        for lang in ("en", "ja")
    ]
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_bytes_do_not_depend_on_the_hash_seed(seed: str) -> None:
    code = (
        "import runpy, hashlib, sys\n"
        f"build = runpy.run_path({str(Path(__file__).with_name('copper.py'))!r})['build']\n"
        "from mfa.sankey.layout import layout\n"
        "from mfa.sankey.svg import to_svg\n"
        "print(hashlib.sha256(to_svg(layout(build())).encode()).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    expected = hashlib.sha256(to_svg(layout(copper.build())).encode()).hexdigest()
    assert run.stdout.strip() == expected
