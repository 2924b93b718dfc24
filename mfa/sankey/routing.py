"""Where columns, channels and lanes lie."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mfa.sankey.boxes import BoxPlan, Port, number_block, number_line
from mfa.sankey.diagram import Diagram
from mfa.sankey.grid import Grid, Lane
from mfa.sankey.paths import Piece, Run, Sway, Turn, Way
from mfa.sankey.strands import Strand
from mfa.sankey.style import DARK_RED, INK, LANE_GAP, LEAD, PORT_GAP, TURN, Words
from mfa.sankey.text import Block, block, clean

_CHANNEL_GAP = 6.0
_STAGGER = 0.5  # of a gutter's width, over which links bend one after the other
_NARROWEST = 56.0  # gutter that links cross, px
_CROSSED = 0.6  # of the lanes' room, where links across run over them
_STEEP = 0.4  # width of a gutter over the largest step in it
_STEEPEST = 150.0
_LEVEL = 25.0  # a smaller step needs no room, px


@dataclass(frozen=True, slots=True)
class Course:
    """A lane with its coordinates, in px: where it goes down, along, and up again.

    ``text`` is its label and ``inside`` whether that stands on the ribbon; otherwise it stands
    in the strip kept free above it.
    """

    lane: Lane
    down: float
    up: float
    y: float
    text: Block
    inside: bool

    @property
    def ends(self) -> tuple[float, float]:
        """The left and the right end of the horizontal run."""
        return min(self.down, self.up), max(self.down, self.up)


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything stands, in px: left edges of columns, upper edges of items, lanes."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    width: tuple[float, ...]
    courses: tuple[Course, ...]
    channels: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class _Channels:
    """Where lanes go down and come up beside the boxes, in px.

    ``down`` and ``up`` are distances from the box, by strand; ``taken`` is the room that lanes
    need in each gutter, ``crossed`` how much of that links across run over.
    """

    down: dict[int, float]
    up: dict[int, float]
    taken: list[float]
    crossed: list[float]


def _channels(grid: Grid, strands: tuple[Strand, ...]) -> _Channels:
    """Give every lane its two verticals; the lane at the lowest port is the nearest to its box."""
    count = len(grid.columns) + 1
    found = _Channels({}, {}, [0.0] * count, [0.0] * count)
    lanes = {lane.strand for lane in grid.lanes}
    for column, items in enumerate(grid.columns):
        for sides, places, gutter in (
            (grid.right, found.down, column + 1),
            (grid.left, found.up, column),
        ):
            reach, meets = LEAD + TURN, False
            for item in reversed(items):
                for index in reversed(sides[item]):
                    if index in lanes:
                        full = strands[index].full
                        places[index] = reach + full / 2
                        reach += full + _CHANNEL_GAP
                        found.crossed[gutter] += full + _CHANNEL_GAP if meets else 0.0
                meets = meets or any(index not in lanes for index in sides[item])
            found.taken[gutter] += reach + TURN if reach > LEAD + TURN else 0.0
    return found


def _columns(
    grid: Grid, plans: tuple[BoxPlan, ...], across: list[float], channels: _Channels
) -> list[float]:
    """Return the left edges of the columns, in px."""
    x: list[float] = []
    at = 0.0
    for column, items in enumerate(grid.columns):
        room = across[column] + _CROSSED * channels.crossed[column] if across[column] else 0.0
        room = max(room, channels.taken[column])
        at += room or (_NARROWEST / 2 if column else 0.0)
        x.append(at)
        at += plans[items[0]].width
    return x


def _gutters(
    grid: Grid,
    strands: tuple[Strand, ...],
    offsets: tuple[dict[Port, float], dict[Port, float]],
    y: list[float],
    words: Words,
    wide: bool,
) -> list[float]:
    """Return the width that links across need in every gutter: their numbers and their bends."""
    width = [0.0] * (len(grid.columns) + 1)
    for segment in grid.segments:
        gutter = grid.column[segment.right]
        key = segment.strand
        step = (
            y[segment.left]
            + offsets[1][segment.left, key]
            - y[segment.right]
            - offsets[0][segment.right, key]
        )
        need = _STEEP * abs(step) + (0.5 * strands[key].full if abs(step) > _LEVEL else 0.0)
        need = max(_NARROWEST, min(need, _STEEPEST))
        if strands[key].source == segment.left:
            need = max(need, number_block(strands[key], words, wide).width + 20.0)
        width[gutter] = max(width[gutter], need)
    return width


def _lane_text(strand: Strand, length: float, words: Words, wide: bool) -> Block:
    """Return the label of a lane on one line, without its name where that does not fit."""
    name = clean(strand.link.label)
    mark = f" ({words.bottleneck})" if strand.link.bottleneck else ""
    colour = DARK_RED if strand.link.bottleneck else INK

    number = replace(number_line(strand), text=strand.number + mark, colour=colour)
    full = block([replace(number, lead=name)], wide)
    return full if full.width <= length else block([number], wide)


class _Floor:
    """How far down the chart already reaches, over every stretch of x."""

    def __init__(self) -> None:
        self.stretches: list[tuple[float, float, float]] = []

    def add(self, left: float, right: float, bottom: float) -> None:
        """Take a stretch down to a level."""
        self.stretches.append((left, right, bottom))

    def level(self, left: float, right: float) -> float:
        """Return the lowest level that is taken anywhere over a stretch."""
        return max((b for x0, x1, b in self.stretches if x0 < right and x1 > left), default=0.0)


def _floor(grid: Grid, plans: tuple[BoxPlan, ...], x: list[float], y: list[float]) -> _Floor:
    floor = _Floor()
    feet = []
    for column, items in enumerate(grid.columns):
        last = items[-1]
        floor.add(
            x[column] - LEAD,
            x[column] + plans[last].width + LEAD,
            y[last] + plans[last].height + plans[last].below,
        )
        feet.append(y[last] + plans[last].height)
    for column in range(1, len(grid.columns)):
        left = x[column - 1] + plans[grid.columns[column - 1][0]].width
        floor.add(left, x[column], max(feet[column - 1], feet[column]))
    return floor


def relabel(places: Places, strands: tuple[Strand, ...], words: Words, wide: bool) -> Places:
    """Return the same places with the lanes' labels of another diagram of a comparison."""
    courses = []
    for course in places.courses:
        length = course.ends[1] - course.ends[0] - 2 * TURN - 8.0
        text = _lane_text(strands[course.lane.strand], length, words, wide)
        courses.append(replace(course, text=text))
    return replace(places, courses=tuple(courses))


def _course(
    lane: Lane, strand: Strand, down: float, up: float, floor: _Floor, words: Words, wide: bool
) -> Course:
    half = strand.full / 2
    left, right = min(down, up), max(down, up)
    text = _lane_text(strand, right - left - 2 * TURN - 8.0, words, wide)
    inside = strand.width >= text.height + 1.0
    middle = (left + right) / 2
    reach = min(left - half, middle - text.width / 2), max(right + half, middle + text.width / 2)
    top = floor.level(reach[0] - 3.0, reach[1] + 3.0) + LANE_GAP
    top += 0.0 if inside else text.height
    floor.add(*reach, top + strand.full)
    return Course(lane, down, up, top + half, text, inside)


def _verticals(
    courses: list[Course],
    strands: tuple[Strand, ...],
    offsets: tuple[dict[Port, float], dict[Port, float]],
    y: list[float],
) -> list[tuple[float, float, float, float]]:
    """Return the rectangles that the verticals of the lanes take."""
    taken = []
    for course in courses:
        lane, half = course.lane, strands[course.lane.strand].full / 2
        for at, item, side in ((course.down, lane.source, 1), (course.up, lane.target, 0)):
            port = y[item] + offsets[side][item, lane.strand]
            taken.append((at - half, port - half, at + half, course.y + half))
    return taken


def place_all(
    diagram: Diagram,
    grid: Grid,
    plans: tuple[BoxPlan, ...],
    strands: tuple[Strand, ...],
    offsets: tuple[dict[Port, float], dict[Port, float]],
    y: list[float],
    words: Words,
) -> Places:
    """Return the coordinates of columns, items and lanes.

    Parameters
    ----------
    diagram : Diagram
        The chart's content.
    grid, plans, strands, offsets
        Items in their columns, their sizes, the links, and the ports.
    y : list of float, shape (n_item,)
        Upper edges of the items, px.
    words : Words
        The chart's words.
    """
    wide = diagram.lang == "ja"
    channels = _channels(grid, strands)
    across = _gutters(grid, strands, offsets, y, words, wide)
    x = _columns(grid, plans, across, channels)
    floor = _floor(grid, plans, x, y)
    courses = []
    for lane in grid.lanes:
        strand = strands[lane.strand]
        right = x[grid.column[lane.source]] + plans[lane.source].width
        down = right + channels.down[lane.strand]
        up = x[grid.column[lane.target]] - channels.up[lane.strand]
        courses.append(_course(lane, strand, down, up, floor, words, wide))
    verticals = _verticals(courses, strands, offsets, y)
    width = tuple(plans[items[0]].width for items in grid.columns)
    return Places(tuple(x), tuple(y), width, tuple(courses), tuple(verticals))


def bends(
    grid: Grid,
    places: Places,
    strands: tuple[Strand, ...],
    offsets: tuple[dict[Port, float], dict[Port, float]],
) -> dict[tuple[int, int], float]:
    """Return where each link bends in each gutter, as a share of its width.

    Links that descend side by side bend one after the other, the lowest first, and those that
    rise the highest first, so that they keep apart. Keys are (strand, gutter).
    """
    rows: dict[tuple[int, bool], list[tuple[float, int, float]]] = {}
    for segment in grid.segments:
        key, gutter = segment.strand, grid.column[segment.right]
        y0 = places.y[segment.left] + offsets[1][segment.left, key]
        y1 = places.y[segment.right] + offsets[0][segment.right, key]
        if abs(y1 - y0) > 1.0:
            row = (y0 + y1, key, strands[key].full + PORT_GAP)
            rows.setdefault((gutter, y1 > y0), []).append(row)
    shares: dict[tuple[int, int], float] = {}
    for (gutter, descends), links in rows.items():
        links.sort(reverse=descends)
        total = sum(full for *_, full in links)
        span = places.x[gutter] - places.x[gutter - 1] - places.width[gutter - 1] - 2 * LEAD
        room = min(total, _STAGGER * span)
        taken = 0.0
        for _, key, full in links:
            shares[key, gutter] = 0.5 + room * ((taken + full / 2) / total - 0.5) / span
            taken += full
    return shares


def across_ways(
    grid: Grid,
    places: Places,
    shares: dict[tuple[int, int], float],
    offsets: tuple[dict[Port, float], dict[Port, float]],
) -> dict[int, Way]:
    """Return the way of every link that runs across, by strand."""
    pieces: dict[int, list[Piece]] = {}
    for segment in sorted(grid.segments, key=lambda s: (s.strand, grid.column[s.left])):
        column = grid.column[segment.left]
        start = places.x[column] + places.width[column]
        end = places.x[column + 1]
        y0 = places.y[segment.left] + offsets[1][segment.left, segment.strand]
        y1 = places.y[segment.right] + offsets[0][segment.right, segment.strand]
        way = pieces.setdefault(segment.strand, [])
        if way:
            way.append(Run(way[-1].end, (start, y0)))
        way.append(Run((start, y0), (start + LEAD, y0)))
        if abs(y1 - y0) < 0.01:
            way.append(Run((start + LEAD, y0), (end - LEAD, y1)))
        else:
            share = shares.get((segment.strand, column + 1), 0.5)
            way.append(Sway((start + LEAD, y0), (end - LEAD, y1), share))
        way.append(Run((end - LEAD, y1), (end, y1)))
    return {strand: tuple(way) for strand, way in pieces.items()}


def lane_way(
    course: Course,
    strand: Strand,
    places: Places,
    grid: Grid,
    offsets: tuple[dict[Port, float], dict[Port, float]],
) -> Way:
    """Return the way of a lane: out of a box, down, along, up, and into a box."""
    lane = course.lane
    radius = strand.full / 2 + TURN
    column = grid.column[lane.source]
    x0 = places.x[column] + places.width[column]
    x1 = places.x[grid.column[lane.target]]
    y0 = places.y[lane.source] + offsets[1][lane.source, lane.strand]
    y1 = places.y[lane.target] + offsets[0][lane.target, lane.strand]
    side = 1.0 if course.up > course.down else -1.0
    a, b, level = course.down, course.up, course.y
    return (
        Run((x0, y0), (a - radius, y0)),
        Turn((a - radius, y0), (a, y0 + radius), (1.0, 0.0)),
        Run((a, y0 + radius), (a, level - radius)),
        Turn((a, level - radius), (a + side * radius, level), (0.0, 1.0)),
        Run((a + side * radius, level), (b - side * radius, level)),
        Turn((b - side * radius, level), (b, level - radius), (side, 0.0)),
        Run((b, level - radius), (b, y1 + radius)),
        Turn((b, y1 + radius), (b + radius, y1), (0.0, -1.0)),
        Run((b + radius, y1), (x1, y1)),
    )
