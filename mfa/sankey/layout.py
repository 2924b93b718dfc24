"""From a diagram to a finished drawing: one layout for every kind of file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

from mfa.sankey.bands import paint_bands
from mfa.sankey.boxes import BoxPlan, Port, plan_boxes, port_offsets, replan
from mfa.sankey.captions import across_labels, lane_labels
from mfa.sankey.compare import align, largest_nodes, largest_strands, with_room
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
from mfa.sankey.routing import Places, across_ways, bends, lane_way, place_all, relabel
from mfa.sankey.strands import Strand, choose_scale, make_strands
from mfa.sankey.style import MARGIN, Words, words
from mfa.sankey.text import clean, label_bounds

_NARROWEST = 620.0  # canvas, px
_HEADER_GAP, _FOOTER_GAP = 20.0, 24.0
_MOST_STACKED = 3  # panels of a comparison under each other; more stand in two columns
_PANEL_GAP, _PANEL_HEAD = 40.0, 30.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the steps of the layout found out, for `arrange`."""

    strands: tuple[Strand, ...]
    grid: Grid
    plans: tuple[BoxPlan, ...]
    offsets: tuple[dict[Port, float], dict[Port, float]]
    places: Places


def arrange(diagram: Diagram, strands: tuple[Strand, ...], own: Words) -> Arrangement:
    """Return where boxes, ports and lanes of a diagram stand, before anything is drawn.

    Parameters
    ----------
    diagram : Diagram
        What to show.
    strands : tuple of Strand
        Its links, with their widths.
    own : Words
        The chart's words.
    """
    wide = diagram.lang == "ja"
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
        items.extend(paint_strand(strand, way, returns=not course.lane.rightward))
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
    links = sum(not link.absent for link in diagram.links)
    count = own.count.format(len(diagram.nodes), links, diagram.unit)
    return " ".join(text for text in (clean(diagram.subtitle), count) if text)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Charts on one scale, painted in the same places around an arbitrary origin.

    ``strands`` are those of all diagrams together, for a common legend.
    """

    diagrams: tuple[Diagram, ...]
    charts: tuple[list[Primitive], ...]
    around: Bounds
    strands: tuple[Strand, ...]
    scale: float


def arrange_all(diagrams: tuple[Diagram, ...], scale: float, own: Words) -> tuple[Arrangement, ...]:
    """Return an arrangement for each of several aligned diagrams, with the same places in all.

    Parameters
    ----------
    diagrams : tuple of Diagram
        What to show, with the same nodes and links in each, see `mfa.sankey.compare.align`.
    scale : float
        Pixels per unit of flow.
    own : Words
        The charts' words.
    """
    first = diagrams[0]
    frames = tuple(make_strands(diagram, scale, own) for diagram in diagrams)
    largest = largest_strands(frames)
    found = arrange(replace(first, nodes=largest_nodes(diagrams, own)), largest, own)
    if len(diagrams) == 1:
        return (found,)
    out = []
    for diagram, strands in zip(diagrams, frames, strict=True):
        roomy = with_room(strands, largest)
        plans = replan(diagram, found.plans, roomy, own)
        places = relabel(found.places, roomy, own, first.lang == "ja")
        out.append(Arrangement(roomy, found.grid, plans, found.offsets, places))
    return tuple(out)


def _sheet(diagrams: tuple[Diagram, ...], own: Words) -> _Sheet:
    diagrams = align(diagrams)
    first = diagrams[0]
    wide = first.lang == "ja"
    scale = min(choose_scale(diagram) for diagram in diagrams)
    frames = arrange_all(diagrams, scale, own)
    charts = [_paint(d, found, own) for d, found in zip(diagrams, frames, strict=True)]
    around = _around([item for chart in charts for item in chart], wide)
    if first.style == "circulation":
        bands = paint_bands(first, frames[0].grid, frames[0].places, around, own)
        charts = [[*bands, *chart] for chart in charts]
        around = _around([item for chart in charts for item in chart], wide)
    every = (strand for found in frames for strand in found.strands)
    strands = tuple(strand for strand in every if not strand.link.absent)
    return _Sheet(diagrams, tuple(charts), around, strands, scale)


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
    return layout_all((diagram,))[0]


def layout_all(diagrams: tuple[Diagram, ...]) -> tuple[Drawing, ...]:
    """Place several diagrams alike: one scale, and every box and link in the same place.

    Parameters
    ----------
    diagrams : tuple of Diagram
        At least one, in one language and unit. What only some of them have keeps its place in
        the others.

    Returns
    -------
    tuple of Drawing
        One for each, all of the same size.
    """
    own = words(diagrams[0].lang)
    sheet = _sheet(diagrams, own)
    left, top, right, bottom = sheet.around
    width = max(right - left + 2 * MARGIN, _NARROWEST)
    room = width - 2 * MARGIN
    headers = [make_header(diagram, room) for diagram in sheet.diagrams]
    y = MARGIN + max(height for _, height in headers) + _HEADER_GAP
    foot = y + bottom - top + _FOOTER_GAP
    footers = [
        make_footer(diagram, sheet.strands, sheet.scale, room, own) for diagram in sheet.diagrams
    ]
    height = round(foot + max(high for _, high in footers) + MARGIN - 6.0, 2)
    out = []
    for diagram, chart, header, footer in zip(
        sheet.diagrams, sheet.charts, headers, footers, strict=True
    ):
        items = [
            moved(Box(0.0, 0.0, width, height, "background"), 0.0, 0.0),
            *(moved(item, MARGIN, MARGIN) for item in header[0]),
            *(moved(item, (width - right - left) / 2, y - top) for item in chart),
            *(moved(item, MARGIN, foot) for item in footer[0]),
        ]
        out.append(_drawing(diagram, items, (width, height), sheet.scale, own))
    return tuple(out)


def layout_panels(diagrams: tuple[Diagram, ...]) -> Drawing:
    """Place several diagrams as small multiples on one sheet, each under its label.

    Parameters
    ----------
    diagrams : tuple of Diagram
        As for `layout_all`; the title is that of the last.
    """
    if len(diagrams) == 1:
        return layout(diagrams[0])
    own, last = words(diagrams[0].lang), diagrams[-1]
    sheet = _sheet(diagrams, own)
    left, top, right, bottom = sheet.around
    columns = 1 if len(diagrams) <= _MOST_STACKED else 2
    across, down = right - left + _PANEL_GAP, bottom - top + _PANEL_GAP + _PANEL_HEAD
    width = max(columns * across - _PANEL_GAP + 2 * MARGIN, _NARROWEST)
    room = width - 2 * MARGIN
    shared = replace(last, subtitle=_common(diagrams), notes=_notes(diagrams))
    header, head_height = make_header(shared, room)
    items = [moved(item, MARGIN, MARGIN) for item in header]
    y = MARGIN + head_height + _HEADER_GAP
    for place, (diagram, chart) in enumerate(zip(sheet.diagrams, sheet.charts, strict=True)):
        x = MARGIN + place % columns * across
        at = y + place // columns * down
        size = 18.0
        items.append(moved(Label(diagram.label, 0.0, size, size, "panel", "start", True), x, at))
        items.extend(moved(item, x - left, at + _PANEL_HEAD - top) for item in chart)
    foot = y + -(-len(diagrams) // columns) * down - _PANEL_GAP + _FOOTER_GAP
    footer, high = make_footer(shared, sheet.strands, sheet.scale, room, own)
    items.extend(moved(item, MARGIN, foot) for item in footer)
    height = round(foot + high + MARGIN - 6.0, 2)
    items.insert(0, moved(Box(0.0, 0.0, width, height, "background"), 0.0, 0.0))
    return _drawing(shared, items, (width, height), sheet.scale, own)


def _common(diagrams: tuple[Diagram, ...]) -> str:
    """Return what the subtitles share; years stand above the panels."""
    letters = zip(*(diagram.subtitle for diagram in diagrams), strict=False)
    alike = takewhile(lambda some: len(set(some)) == 1, letters)
    return "".join(some[0] for some in alike).rstrip(" ,、0123456789")


def _notes(diagrams: tuple[Diagram, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for diagram in diagrams for note in diagram.notes))


def _drawing(
    diagram: Diagram,
    items: list[Primitive],
    size: tuple[float, float],
    scale: float,
    own: Words,
) -> Drawing:
    return Drawing(
        round(size[0], 2),
        size[1],
        tuple(items),
        clean(diagram.title),
        _describe(diagram, own),
        diagram.lang,
        scale,
    )
