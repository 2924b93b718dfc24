"""Who stands where: columns, rows, straight chains, lanes, scale, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from mfa.errors import ChartError
from mfa.sankey.diagram import Diagram, Lane, Link, Node, Part, Quantity, StockBox
from mfa.sankey.geometry import Box, Drawing, Label, Ribbon
from mfa.sankey.heights import heaviest_chain
from mfa.sankey.layout import Arrangement, arrange, layout
from mfa.sankey.strands import choose_scale, make_strands
from mfa.sankey.style import EN, LARGEST_BOX, words

from . import copper


def link(
    name: str,
    source: str | None,
    target: str | None,
    value: float | None,
    lane: Lane = "main",
    label: str = "",
    **given: float | bool,
) -> Link:
    known = {key: value for key, value in given.items() if key in ("sd", "low", "high", "assumed")}
    quantity = Quantity(value, **known)  # type: ignore[arg-type]
    marks = {key: bool(value) for key, value in given.items() if key in ("flagged", "bottleneck")}
    return Link(
        name, source, target, lane, label, quantity, (Part(name, label, quantity),), **marks
    )


def chart(nodes: tuple[Node, ...] | str, *links: Link, lang: str = "en") -> Diagram:
    if isinstance(nodes, str):
        nodes = tuple(Node(letter, f"Process {letter}") for letter in nodes)
    return Diagram("Title", "", "kt/yr", nodes, links, lang="ja" if lang == "ja" else "en")


def arranged(diagram: Diagram) -> Arrangement:
    own = words(diagram.lang)
    return arrange(diagram, make_strands(diagram, choose_scale(diagram), own), own)


def columns(diagram: Diagram) -> dict[str, int]:
    found = arranged(diagram)
    return {node.id: found.grid.column[i] for i, node in enumerate(diagram.nodes)}


def texts(drawing: Drawing, css: str = "") -> list[str]:
    return [item.text for item in drawing.primitives if isinstance(item, Label) and css in item.css]


def parts(drawing: Drawing, name: str) -> list[Ribbon]:
    return [
        item
        for item in drawing.primitives
        if isinstance(item, Ribbon) and item.link == name and item.style != "casing"
    ]


def test_stages_stand_in_the_order_of_the_cycle() -> None:
    stages = ("recycling", "use", "mining", "fabrication", "smelting", "collection")
    diagram = chart(tuple(Node(stage, stage, stage) for stage in stages))
    found = columns(diagram)
    assert sorted(found, key=lambda key: found[key]) == [
        "mining",
        "smelting",
        "fabrication",
        "use",
        "collection",
        "recycling",
    ]


def test_copper_cycle_fills_eight_columns() -> None:
    found = columns(copper.build())
    assert [[key for key, at in found.items() if at == column] for column in range(8)] == [
        ["ore", "secondary"],
        ["market"],
        ["wire", "rolled", "other"],
        ["making"],
        ["use"],
        ["eol"],
        ["collection"],
        ["escrap", "scrap"],
    ]


def test_columns_of_the_user_come_first() -> None:
    nodes = (
        Node("a", "A", "mining", column=7),
        Node("b", "B", "use", column=2),
        Node("c", "C", column=2, row=1),
        Node("d", "D", column=2, row=0),
    )
    diagram = chart(nodes, link("1", "a", "b", 30.0), link("2", "b", "a", 12.0))
    assert columns(diagram) == {"a": 1, "b": 0, "c": 0, "d": 0}
    place = arranged(diagram).grid.place
    assert place[3] < place[2]


def test_rows_hold_against_the_order_that_saves_crossings() -> None:
    crossed = (link("1", "a", "d", 30.0), link("2", "b", "c", 70.0))
    free = arranged(chart("abcd", *crossed)).grid
    assert (free.place[0] < free.place[1]) == (free.place[3] < free.place[2])
    rows = {"a": 0, "b": 1, "c": 0, "d": 1}
    nodes = tuple(Node(key, key, row=row) for key, row in rows.items())
    kept = arranged(chart(nodes, *crossed)).grid
    assert kept.place == (0, 1, 0, 1)


def test_a_circle_is_cut_at_its_lightest_link() -> None:
    diagram = chart(
        "abc", link("1", "a", "b", 50.0), link("2", "b", "c", 7.0), link("3", "c", "a", 60.0)
    )
    assert columns(diagram) == {"c": 0, "a": 1, "b": 2}
    (lane,) = arranged(diagram).grid.lanes
    assert diagram.links[lane.strand].id == "2"


def test_the_heaviest_chain_runs_straight() -> None:
    diagram = copper.build()
    found = arranged(diagram)
    left, right = found.offsets
    chain = heaviest_chain(found.grid, found.strands)
    names = [diagram.links[found.grid.segments[step].strand].id for step in chain]
    assert names == ["F04", "F06", "F09", "F14", "F18", "F19", "F22"]
    for step in chain:
        segment = found.grid.segments[step]
        start = found.places.y[segment.left] + right[segment.left, segment.strand]
        end = found.places.y[segment.right] + left[segment.right, segment.strand]
        assert start == pytest.approx(end)


def test_long_links_take_a_level_passage_around_the_boxes_between() -> None:
    diagram = chart(
        "abcd",
        *(link(a + b, a, b, 60.0) for a, b in ("ab", "bc", "cd")),
        link("by", "a", "d", 9.0),
    )
    found = arranged(diagram)
    passages = range(len(diagram.nodes), len(found.grid.column))
    assert [found.grid.column[item] for item in passages] == [1, 2]
    assert found.places.y[passages[0]] == pytest.approx(found.places.y[passages[1]])


def test_u_turns_of_one_box_nest() -> None:
    diagram = chart(
        "abcd",
        *(link(a + b, a, b, 60.0) for a, b in ("ab", "bc", "cd")),
        *(link("d" + b, "d", b, 9.0, "scrap") for b in "abc"),
    )
    courses = arranged(diagram).places.courses
    for inner, outer in pairwise(courses):
        assert inner.y < outer.y
        assert inner.down < outer.down
        assert inner.up > outer.up


def test_two_way_trade_gives_one_ribbon_each_way() -> None:
    diagram = chart("ab", link("1", "a", "b", 80.0), link("2", "b", "a", 30.0))
    found = arranged(diagram)
    assert [segment.strand for segment in found.grid.segments] == [0]
    assert [lane.strand for lane in found.grid.lanes] == [1]


def test_imports_enter_above_exports_leave_above_losses_leave_below() -> None:
    drawing = layout(
        chart(
            "a",
            link("in", None, "a", 80.0, "import", "ore"),
            link("out", "a", None, 60.0, "export", "metal"),
            link("loss", "a", None, 20.0, "loss", "slag"),
        )
    )
    (box,) = (b for b in drawing.primitives if isinstance(b, Box) and b.css == "box")
    heights = {name: parts(drawing, name)[0].outline[0][1][1] for name in ("in", "out", "loss")}
    assert heights["in"] < box.y
    assert heights["out"] == box.y
    assert heights["loss"] == box.y + box.height
    assert {"ore", "metal", "slag", "80", "60", "20"} <= set(texts(drawing, "stub-label"))


def test_scale_is_the_users_or_gives_a_box_of_a_handy_size() -> None:
    diagram = chart("ab", link("1", "a", "b", 40.0, sd=3.0))
    assert layout(diagram).scale == pytest.approx(LARGEST_BOX / 40.0)
    drawing = layout(replace(diagram, scale=0.5))
    assert drawing.scale == 0.5
    halo, core = parts(drawing, "1")[:2]
    assert halo.width == pytest.approx(21.5)
    assert core.width == pytest.approx(18.5)


def test_undetermined_links_are_hatched_and_as_wide_as_the_middle_of_their_range() -> None:
    drawing = layout(
        chart(
            "abc",
            link("1", "a", "b", 152.0),
            link("2", "b", "c", None, low=0.0, high=88.0),
            link("3", "b", "c", None, low=12.0),
            link("4", "b", "c", None),
        )
    )
    assert [parts(drawing, name)[0].style for name in "1234"] == [
        "solid",
        "hatched",
        "hatched",
        "hatched",
    ]
    assert parts(drawing, "2")[0].width == pytest.approx(44.0)
    assert parts(drawing, "3")[0].width == parts(drawing, "4")[0].width == 10.0
    assert {"152", "0–88", "≥ 12", "?"} <= set(texts(drawing, "link-label"))
    assert any("undetermined" in text for text in texts(drawing, "legend-label"))


def test_a_range_beyond_all_flows_counts_as_unlimited() -> None:
    drawing = layout(
        chart("ab", link("1", "a", "b", 50.0), link("2", "a", "b", None, low=0.0, high=1e9))
    )
    assert parts(drawing, "2")[0].width == 10.0


def test_negative_links_are_grey_and_point_backwards() -> None:
    drawing = layout(
        chart(
            "a",
            link("d", "a", None, -30.0, "discrepancy", "discrepancy"),
            link("e", "a", None, 76.0, "discrepancy"),
        )
    )
    (ribbon,) = parts(drawing, "d")
    box = next(b for b in drawing.primitives if isinstance(b, Box) and b.css == "box")
    assert ribbon.tone == "discrepancy"
    assert ribbon.width == pytest.approx(30.0 * drawing.scale, abs=0.01)
    # It begins below the box and points up into it.
    assert ribbon.outline[0][1][1] > box.y + box.height
    assert min(values[1] for _, values in ribbon.outline if values) == box.y + box.height
    assert "−30" in texts(drawing)


def test_rounding_residue_counts_as_zero() -> None:
    drawing = layout(chart("ab", link("1", "a", "b", 50.0), link("2", "a", "b", 3e-13)))
    assert parts(drawing, "2")[0].style == "hairline"
    assert "0" in texts(drawing, "link-label")


def test_stock_stands_inside_its_box() -> None:
    stock = StockBox(Quantity(21134.0, 2110.0), Quantity(240.0, 50.0))
    drawing = layout(chart((Node("u", "Use", "use", stock=stock),)))
    inner = next(b for b in drawing.primitives if isinstance(b, Box) and b.css == "stock")
    outer = next(b for b in drawing.primitives if isinstance(b, Box) and b.css == "box")
    assert outer.x < inner.x
    assert outer.y < inner.y
    assert inner.x + inner.width < outer.x + outer.width
    assert inner.y + inner.height < outer.y + outer.height
    assert " ".join(texts(drawing, "stock-label")) == "stock 21,130 ± 2,110 +240 ± 50 /yr"


def test_marks_of_suspect_data_and_bottlenecks() -> None:
    nodes = (
        Node("a", "A", flagged=True, imbalance=-0.046),
        Node("b", "B", bottleneck=True),
        Node("c", "C", flagged=True),
    )
    drawing = layout(
        chart(
            nodes,
            link("1", "a", "b", 50.0, flagged=True),
            link("2", "b", "c", 40.0, bottleneck=True),
        )
    )
    tags = " ".join(texts(drawing, "tag-label"))
    assert tags == "data differ by 4.6 % bottleneck data suspect"
    assert "bottleneck" in texts(drawing, "link-label")
    assert "flagged" in parts(drawing, "1")[0].css.split()
    assert "bottleneck" in parts(drawing, "2")[0].css.split()


def test_legend_names_only_what_is_there() -> None:
    plain = texts(layout(chart("ab", link("1", "a", "b", 50.0))), "legend-label")
    assert plain == ["material and products", "calculated from the others"]
    starred = layout(chart("ab", link("1", "a", "b", 50.0, assumed=True)))
    assert texts(starred, "legend-label")[-1] == "* rests on an assumption"
    assert texts(starred, "link-label") == ["50*"]


def test_key_is_true_to_scale() -> None:
    drawing = layout(copper.build())
    (key,) = (r for r in drawing.primitives if isinstance(r, Ribbon) and r.css == "key")
    assert texts(drawing, "key-label") == ["200 kt/yr"]
    assert key.width == pytest.approx(200 * drawing.scale, abs=0.01)


def test_words_in_japanese() -> None:
    drawing = layout(copper.build("ja"))
    shown = texts(drawing)
    for expected in ("ボトルネック", "蓄積", "主な流れ", "* 仮定に基づく値"):
        assert any(expected in text for text in shown)
    assert not any(word in text for text in shown for word in (EN.stock, EN.bottleneck, "Source"))


def test_hover_text_lists_the_parts() -> None:
    ore = parts(layout(copper.build()), "F01")[0]
    lines = ore.title.splitlines()
    assert lines[0] == "concentrate imports (13 countries): 1,295 ± 45 kt/yr"
    assert len(lines) == 2 + 13
    assert lines[3].strip() == "Peru: 190 ± 9.5"


@pytest.mark.parametrize(
    "diagram",
    [
        chart(""),
        chart("a"),
        chart("abc"),
        chart("ab", link("s", "a", "a", 20.0, "self")),
        chart("abcd", link("1", "a", "b", 20.0), link("2", "c", "d", 7.0)),
        chart("ab", link("1", "a", "b", None), link("2", "b", "a", 0.0)),
        chart("ab", link("1", "a", "b", 0.0), link("2", "b", "a", float("nan"))),
        Diagram("", "", "", (), ()),
    ],
)
def test_degenerate_diagrams_can_be_drawn(diagram: Diagram) -> None:
    drawing = layout(diagram)
    drawn = [b for b in drawing.primitives if isinstance(b, Box) and b.css == "box"]
    assert len(drawn) == len(diagram.nodes)
    assert drawing.height > 0


@pytest.mark.parametrize(
    ("diagram", "message"),
    [
        (chart("ab", link("x", "a", "bb", 1.0)), "link 'x' ends at 'bb', which is no node"),
        (chart("ab", link("x", None, None, 1.0)), "neither source nor target"),
        (chart("aa"), "two boxes of the diagram have the id 'a'"),
        (chart("ab", link("x", "a", "b", 1.0), link("x", "a", "b", 2.0)), "have the id 'x'"),
        (replace(chart("a"), scale=-1.0), "positive number of pixels"),
        (replace(chart("a"), scale=float("nan")), "positive number of pixels"),
    ],
)
def test_faults_are_named(diagram: Diagram, message: str) -> None:
    with pytest.raises(ChartError, match=message):
        layout(diagram)


def test_a_misspelt_node_gets_a_suggestion() -> None:
    nodes = (Node("Smelter", "Smelter"), Node("Mill", "Mill"))
    with pytest.raises(ChartError, match="did you mean 'Smelter'"):
        layout(chart(nodes, link("x", "Smeltr", "Mill", 1.0)))
