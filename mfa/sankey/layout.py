"""From a diagram to a finished drawing: one layout for every kind of file."""

from __future__ import annotations

from dataclasses import dataclass

from mfa.sankey.boxes import BoxPlan, Port, plan_boxes, port_offsets
from mfa.sankey.captions import across_labels, lane_labels
from mfa.sankey.diagram import Diagram
from mfa.sankey.frame import make_footer, make_header
from mfa.sankey.geometry import (
    Bounds,
    Box,
    Drawing,
    Label,
    Line,
    Primitive,
    Shape,
    moved,
    outline_bounds,
)
from mfa.sankey.grid import Grid, make_grid
from mfa.sankey.heights import place_heights
from mfa.sankey.marks import paint_box, paint_strand, paint_stubs
from mfa.sankey.ranks import assign_columns
from mfa.sankey.routing import Places, across_ways, bends, lane_way, place_all
from mfa.sankey.strands import Strand, choose_scale, make_strands
from mfa.sankey.style import MARGIN, Words, words
from mfa.sankey.text import clean, label_bounds

_NARROWEST = 620.0  # canvas, px
_HEADER_GAP, _FOOTER_GAP = 20.0, 24.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the steps of the layout found out, for `arrange`."""

    strands: tuple[Strand, ...]
    grid: Grid
    plans: tuple[BoxPlan, ...]
    offsets: tuple[dict[Port, float], dict[Port, float]]
    places: Places


def arrange(diagram: Diagram, scale: float, own: Words) -> Arrangement:
    """Return where boxes, ports and lanes of a diagram stand, before anything is drawn.

    Parameters
    ----------
    diagram : Diagram
        What to show.
    scale : float
        Pixels per unit of flow.
    own : Words
        The chart's words.
    """
    wide = diagram.lang == "ja"
    strands = make_strands(diagram, scale, own)
    grid = make_grid(diagram, strands, assign_columns(diagram, strands))
    plans = plan_boxes(diagram, grid, strands, own)
    offsets = port_offsets(grid, plans, strands, own, wide)
    y = place_heights(grid, plans, strands, offsets)
    places = place_all(diagram, grid, plans, strands, offsets, y, own)
    return Arrangement(strands, grid, plans, offsets, places)


def _paint(diagram: Diagram, found: Arrangement, own: Words) -> list[Primitive]:
    """Return everything between title and legend, from an arbitrary origin."""
    wide = diagram.lang == "ja"
    strands, grid, places = found.strands, found.grid, found.places
    items: list[Primitive] = []
    for course in reversed(places.courses):
        strand = strands[course.lane.strand]
        way = lane_way(course, strand, places, grid, found.offsets)
        items.extend(paint_strand(strand, way))
    shares = bends(grid, places, strands, found.offsets)
    ways = across_ways(grid, places, shares, found.offsets)
    for index in sorted(ways, key=lambda i: (-strands[i].width, i)):
        items.extend(paint_strand(strands[index], ways[index]))
    boxes, texts = _paint_boxes(diagram, found, own)
    texts.extend(
        across_labels(grid, found.plans, places, strands, shares, found.offsets, own, wide)
    )
    texts.extend(lane_labels(places.courses, places.channels, strands, wide))
    return [*items, *boxes, *texts]


def _paint_boxes(
    diagram: Diagram, found: Arrangement, own: Words
) -> tuple[list[Primitive], list[Label | Shape]]:
    wide = diagram.lang == "ja"
    stubs: list[Primitive] = []
    boxes: list[Primitive] = []
    texts: list[Label | Shape] = []
    for index, node in enumerate(diagram.nodes):
        x, y = found.places.x[found.grid.column[index]], found.places.y[index]
        painted, labels = paint_stubs(found.plans[index], found.strands, x, y, wide)
        stubs.extend(painted)
        texts.extend(labels)
        painted, labels = paint_box(node, found.plans[index], x, y, own, wide)
        boxes.extend(painted)
        texts.extend(labels)
    return [*stubs, *boxes], texts


def primitive_bounds(item: Primitive, wide: bool) -> Bounds:
    """Return (left, top, right, bottom) of a primitive, in px, without its outline's thickness.

    Parameters
    ----------
    item : Primitive
        What is painted.
    wide : bool
        Whether a Japanese font sets the text.
    """
    if isinstance(item, Label):
        return label_bounds(item, wide)
    if isinstance(item, Box):
        return item.x, item.y, item.x + item.width, item.y + item.height
    if isinstance(item, Line):
        xs, ys = item.points[0::2], item.points[1::2]
        return min(xs), min(ys), max(xs), max(ys)
    return outline_bounds(item.outline)


def _around(items: list[Primitive], wide: bool) -> Bounds:
    if not items:
        return 0.0, 0.0, 0.0, 0.0
    edges = [primitive_bounds(item, wide) for item in items]
    return (
        min(e[0] for e in edges),
        min(e[1] for e in edges),
        max(e[2] for e in edges),
        max(e[3] for e in edges),
    )


def _describe(diagram: Diagram, own: Words) -> str:
    count = own.count.format(len(diagram.nodes), len(diagram.links), diagram.unit)
    return " ".join(text for text in (clean(diagram.subtitle), count) if text)


def layout(diagram: Diagram) -> Drawing:
    """Place every box, ribbon and label of a circulation chart.

    The same diagram gives the same drawing, to the last digit, on every machine.

    Parameters
    ----------
    diagram : Diagram
        What to show; quantities in its ``unit``. It is not changed.

    Returns
    -------
    Drawing
        Geometry in px, y downwards; ``drawing.scale`` is in px per unit of flow. A ribbon is
        value × scale wide; where a value has an sd, its core is (value − sd) × scale and its
        halo (value + sd) × scale wide.

    Raises
    ------
    ChartError
        If ids clash, a link ends nowhere, or the scale is not positive.

    Examples
    --------
    >>> from mfa.sankey.diagram import Diagram, Link, Node, Quantity
    >>> nodes = (Node("S", "Smelter", "smelting"), Node("M", "Mill", "fabrication"))
    >>> links = (Link("F1", "S", "M", "main", "anodes", Quantity(152.0, 6.0), ()),)
    >>> drawing = layout(Diagram("Copper", "", "kt/yr", nodes, links))
    >>> drawing.scale
    1.0
    """
    own = words(diagram.lang)
    wide = diagram.lang == "ja"
    scale = choose_scale(diagram)
    found = arrange(diagram, scale, own)
    chart = _paint(diagram, found, own)
    left, top, right, bottom = _around(chart, wide)
    width = max(right - left + 2 * MARGIN, _NARROWEST)
    room = width - 2 * MARGIN
    header, head_height = make_header(diagram, room)
    footer, foot_height = make_footer(diagram, found.strands, scale, room, own)
    y = MARGIN + head_height + _HEADER_GAP
    foot = y + bottom - top + _FOOTER_GAP
    height = round(foot + foot_height + MARGIN - 6.0, 2)
    items = [
        moved(Box(0.0, 0.0, width, height, "background"), 0.0, 0.0),
        *(moved(item, MARGIN, MARGIN) for item in header),
        *(moved(item, (width - right - left) / 2, y - top) for item in chart),
        *(moved(item, MARGIN, foot) for item in footer),
    ]
    return Drawing(
        round(width, 2),
        height,
        tuple(items),
        clean(diagram.title),
        _describe(diagram, own),
        diagram.lang,
        scale,
    )
