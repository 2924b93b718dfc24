"""Where the numbers of links stand: on their ribbons, or beside them, never on each other.

Every number has a place of its own beside the port that its link leaves, kept free when the boxes
were measured. From there it moves to a better place, if one is free: to the middle of its ribbon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from mfa.sankey.boxes import BoxPlan, Port, bottleneck_lines, number_block, number_line
from mfa.sankey.geometry import Bounds, Label, Shape
from mfa.sankey.grid import Grid
from mfa.sankey.routing import Course, Places
from mfa.sankey.strands import Strand
from mfa.sankey.style import LEAD, NAME, TURN, Words
from mfa.sankey.text import Block, TextLine, block, clean, set_block

_STEPS = 24
_SPOTS = (0.5, 0.35, 0.65, 0.2, 0.8, 0.0, 1.0)  # along the free part of a gutter
_APART = 2.0  # between two numbers, px
_MARGIN = 6.0  # between a number and a box
_Array = NDArray[np.float64]


_T = np.linspace(0.0, 1.0, 41)


@cache
def _risen(share: float) -> _Array:
    """Return how far a sway has come across at equal steps along x, as shares."""
    along = 3 * share * _T * (1 - _T) + _T**3  # both inner control points at ``share``
    risen = np.interp(np.linspace(0.0, 1.0, _STEPS + 1), along, _T * _T * (3 - 2 * _T))
    return np.asarray(risen)


@dataclass(frozen=True, slots=True)
class _Gutter:
    """All links between two columns: middle lines (n_link, n_step) and half widths (n_link,).

    ``foot`` is the lower end of the boxes at both sides; underneath it the lanes begin.
    """

    x0: float
    x1: float
    strands: tuple[int, ...]
    lines: _Array
    halves: _Array
    channels: tuple[Bounds, ...]
    foot: float

    def steps(self, left: float, right: float) -> slice:
        """Return the steps that lie over a stretch of x."""
        bend = (self.x1 - self.x0 - 2 * LEAD) / _STEPS
        start = self.x0 + LEAD
        first = int((left - start) // bend)
        last = int((right - start) // bend) + 1
        return slice(min(max(first, 0), _STEPS), min(max(last, 0), _STEPS) + 1)


def _gutters(
    grid: Grid,
    plans: tuple[BoxPlan, ...],
    places: Places,
    strands: tuple[Strand, ...],
    shares: dict[tuple[int, int], float],
    offsets: tuple[dict[Port, float], dict[Port, float]],
) -> list[_Gutter]:
    rows: list[list[tuple[int, float, float]]] = [[] for _ in grid.columns]
    for segment in grid.segments:
        key = segment.strand
        y0 = places.y[segment.left] + offsets[1][segment.left, key]
        y1 = places.y[segment.right] + offsets[0][segment.right, key]
        rows[grid.column[segment.right]].append((key, y0, y1))
    gutters = []
    for column, own in enumerate(rows):
        x1 = places.x[column]
        x0 = places.x[column - 1] + places.width[column - 1] if column else x1
        starts = np.array([y0 for _, y0, _ in own])
        ends = np.array([y1 for *_, y1 in own])
        risen = np.array([_risen(round(shares.get((key, column), 0.5), 3)) for key, *_ in own])
        lines = starts[:, None] + (ends - starts)[:, None] * risen.reshape(len(own), _STEPS + 1)
        halves = np.array([strands[key].full / 2 for key, *_ in own])
        channels = tuple(c for c in places.channels if c[0] < x1 and c[2] > x0)
        lasts = [grid.columns[c][-1] for c in (max(column - 1, 0), column)]
        foot = max(places.y[item] + plans[item].height for item in lasts)
        keys = tuple(key for key, *_ in own)
        gutters.append(_Gutter(x0, x1, keys, lines, halves, channels, foot))
    return gutters


@dataclass(frozen=True, slots=True)
class Caption:
    """A block of text for a link, with its upper left corner, in px."""

    strand: int
    text: Block
    left: float
    top: float
    clear: bool  # lies wholly on its ribbon

    @property
    def bounds(self) -> Bounds:
        """Return (left, top, right, bottom)."""
        return self.left, self.top, self.left + self.text.width, self.top + self.text.height


class _Captions:
    """The numbers of all links that run across, while they look for their places."""

    def __init__(
        self, gutters: list[_Gutter], strands: tuple[Strand, ...], words: Words, wide: bool
    ) -> None:
        self.gutters = gutters
        self.strands = strands
        self.words = words
        self.wide = wide
        self.placed: list[dict[int, Caption]] = [{} for _ in gutters]
        self.rooms: list[dict[int, Bounds]] = [{} for _ in gutters]

    def _free(self, gutter: int, caption: Caption) -> bool:
        left, top, right, bottom = caption.bounds
        if bottom > self.gutters[gutter].foot:
            return False
        right, bottom, gap = right + _APART, bottom + _APART, _APART
        for strand, (x0, y0, x1, y1) in self.rooms[gutter].items():
            meets = x0 < right and y0 < bottom and x1 + gap > left and y1 + gap > top
            if meets and strand != caption.strand:
                return False
        return True

    def _put(self, gutter: int, caption: Caption) -> None:
        self.placed[gutter][caption.strand] = caption
        self.rooms[gutter][caption.strand] = caption.bounds

    def _cost(self, gutter: _Gutter, row: int, caption: Caption) -> float:
        """Return how much of a caption lies off its own ribbon or on others, 0 at best."""
        left, top, right, bottom = caption.bounds
        steps = gutter.steps(left, right)
        lines, halves = gutter.lines[:, steps], gutter.halves
        low, high = np.minimum.reduce(lines, 1) - halves, np.maximum.reduce(lines, 1) + halves
        shared = np.minimum(high, bottom) - np.maximum(low, top)  # of each link, along y
        strand = self.strands[caption.strand]
        on = strand.width >= caption.text.height
        # On another link a number misleads; on its own, it only reads less well.
        shared = 1.6 * np.maximum(shared, 0.0)
        shared[row] *= 0.0 if on else 0.25
        cost = float(shared.sum()) / (bottom - top)
        if on:
            half, own = strand.width / 2, lines[row]
            missing = max(float(own.max()) - half - top, bottom - float(own.min()) - half, 0.0)
            cost += 2.0 * missing / (bottom - top)
        for x0, y0, x1, y1 in gutter.channels:
            if x0 < right and y0 < bottom and x1 > left and y1 > top:
                covered = min(right, x1) - max(left, x0)
                cost += 0.5 + 2.0 * covered / (right - left)
        return cost

    def _spots(self, gutter: _Gutter, row: int, text: Block) -> Iterator[Caption]:
        """Yield the places worth looking at, the best first."""
        index = gutter.strands[row]
        strand = self.strands[index]
        free = gutter.x1 - gutter.x0 - 2 * _MARGIN - text.width
        if free < 0:
            return
        for share in _SPOTS:
            left = gutter.x0 + _MARGIN + share * free
            line = gutter.lines[row, gutter.steps(left, left + text.width)]
            if strand.width >= text.height:
                middle = (float(line.min()) + float(line.max()) - text.height) / 2
                yield Caption(index, text, left, middle, True)
            else:
                above = float(line.min()) - strand.full / 2 - text.height
                below = float(line.max()) + strand.full / 2 + 1.0
                yield Caption(index, text, left, above, False)
                yield Caption(index, text, left, below, False)
        yield from self._beside(gutter, row, text)

    def _beside(self, gutter: _Gutter, row: int, text: Block) -> list[Caption]:
        """Return places left and right of a thin link that climbs or falls."""
        strand, line = self.strands[gutter.strands[row]], gutter.lines[row]
        fall = float(line[-1] - line[0])
        if strand.width >= text.height or abs(fall) < 2 * text.height:
            return []
        spots = []
        away = strand.full / 2 + 5.0
        for share in (0.5, 0.3, 0.7):
            y = float(line[0]) + share * fall
            step = int(np.argmin(np.abs(line - y)))
            x = gutter.x0 + LEAD + (gutter.x1 - gutter.x0 - 2 * LEAD) * step / _STEPS
            for left in (x - away - text.width, x + away):
                if gutter.x0 + 2.0 <= left <= gutter.x1 - 2.0 - text.width:
                    top = y - text.height / 2
                    spots.append(Caption(strand.index, text, left, top, False))
        return spots

    def start(self, gutter: int, row: int) -> None:
        """Put a number beside the port that its link leaves."""
        own = self.gutters[gutter]
        strand = self.strands[own.strands[row]]
        text = number_block(strand, self.words, self.wide)
        y = float(own.lines[row, 0])
        on = max(strand.width, strand.room_width) >= text.height
        top = y - text.height / 2 if on else y - strand.full / 2 - text.height
        self._put(gutter, Caption(strand.index, text, own.x0 + _MARGIN, top, on))

    def improve(self, gutter: int, row: int) -> None:
        """Move a number to the best free place, with the link's name where there is room."""
        own = self.gutters[gutter]
        index = own.strands[row]
        strand = self.strands[index]
        name = clean(strand.link.label)
        if name and strand.width > 44.0:
            lines = [TextLine(name, NAME), number_line(strand)]
            named = block([*lines, *bottleneck_lines(strand, self.words)], self.wide)
            for spot in islice(self._spots(own, row, named), 3):
                if self._free(gutter, spot) and self._cost(own, row, spot) == 0.0:
                    self._put(gutter, spot)
                    return
        now = self.placed[gutter][index]
        best = self._cost(own, row, now) + 0.25, now
        for rank, spot in enumerate(self._spots(own, row, now.text)):
            if not self._free(gutter, spot):
                continue
            cost = self._cost(own, row, spot) + 0.02 * rank
            if cost < best[0] - 1e-9:
                best = cost, spot
            if cost < 0.02:
                break
        self._put(gutter, best[1])

    def labels(self) -> list[Label | Shape]:
        """Return all captions as labels."""
        labels: list[Label | Shape] = []
        for gutter, captions in zip(self.gutters, self.placed, strict=True):
            for caption in captions.values():
                strand = self.strands[caption.strand]
                row = gutter.strands.index(caption.strand)
                bare = (
                    caption.clear
                    and strand.carries(caption.text)
                    and self._cost(gutter, row, caption) == 0.0
                )
                middle = caption.left + caption.text.width / 2
                labels.extend(
                    set_block(
                        caption.text,
                        middle,
                        caption.top,
                        "link-label",
                        self.wide,
                        halo=not bare,
                        link=strand.link.id,
                    )
                )
        return labels


def across_labels(
    grid: Grid,
    plans: tuple[BoxPlan, ...],
    places: Places,
    strands: tuple[Strand, ...],
    shares: dict[tuple[int, int], float],
    offsets: tuple[dict[Port, float], dict[Port, float]],
    words: Words,
    wide: bool,
) -> list[Label | Shape]:
    """Return the numbers of all links that run across, as labels."""
    gutters = _gutters(grid, plans, places, strands, shares, offsets)
    captions = _Captions(gutters, strands, words, wide)
    rows = [
        (gutter, row)
        for gutter, own in enumerate(gutters)
        for row, index in enumerate(own.strands)
        if strands[index].source is not None
        and not strands[index].link.absent
        and grid.column[strands[index].source or 0] == gutter - 1
    ]
    for gutter, row in rows:
        captions.start(gutter, row)
    for gutter, row in rows:
        captions.improve(gutter, row)
    return captions.labels()


def lane_labels(
    courses: tuple[Course, ...],
    channels: tuple[Bounds, ...],
    strands: tuple[Strand, ...],
    wide: bool,
) -> list[Label | Shape]:
    """Return the labels of the lanes: in the middle, or where no other lane comes down."""
    labels: list[Label | Shape] = []
    for course in courses:
        strand, text = strands[course.lane.strand], course.text
        if strand.link.absent:
            continue
        left, right = course.ends
        half = strand.full / 2
        top = course.y - text.height / 2 if course.inside else course.y - half - text.height
        free = max((right - left - text.width) / 2 - TURN - half, 0.0)
        middle, best = (left + right) / 2, 9.9
        level = [c for c in channels if c[1] < top + text.height and c[3] > top]
        for share in (0.0, -0.2, 0.2, -0.4, 0.4, -0.6, 0.6, -0.8, 0.8):
            at = (left + right) / 2 + share * free
            start, end = at - text.width / 2 - 3, at + text.width / 2 + 3
            crossed = sum(c[0] < end and c[2] > start for c in level) + abs(share) / 10
            if crossed < best:
                middle, best = at, crossed
        plain = course.inside and strand.carries(text)
        link = strand.link.id
        labels.extend(set_block(text, middle, top, "lane-label", wide, halo=not plain, link=link))
    return labels
