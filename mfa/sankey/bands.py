"""Lanes from ore to scrap behind the boxes, for the style "circulation"."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from mfa.sankey.diagram import Diagram
from mfa.sankey.geometry import Bounds, Box, Label, Primitive
from mfa.sankey.grid import Grid
from mfa.sankey.routing import Places
from mfa.sankey.style import LEADING, NUMBER, SOFT, Words
from mfa.sankey.text import wrap
from mfa.schema import STAGES

_PAD = 10.0  # around what stands in the lanes, px
_EDGE = 14.0  # from a box to the end of the outermost lane, px


@dataclass(frozen=True, slots=True)
class _Band:
    """Neighbouring columns of one stage."""

    stage: str
    first: int
    last: int


def _stage(diagram: Diagram, items: tuple[int, ...]) -> str:
    """Return what a column is for: the earliest stage in it, and market only for want of any."""
    stages = {diagram.nodes[item].stage for item in items if item < len(diagram.nodes)} - {""}
    return min(stages, key=STAGES.index, default="")


def _bands(diagram: Diagram, grid: Grid) -> list[_Band]:
    """Return the lanes from left to right; a column without any stage belongs to its neighbour."""
    stages = [_stage(diagram, items) for items in grid.columns]
    for column in range(1, len(stages)):
        stages[column] = stages[column] or stages[column - 1]
    for column in reversed(range(len(stages) - 1)):
        stages[column] = stages[column] or stages[column + 1]
    bands = []
    for stage, columns in groupby(range(len(stages)), key=stages.__getitem__):
        every = list(columns)
        bands.append(_Band(stage, every[0], every[-1]))
    return bands


def paint_bands(
    diagram: Diagram, grid: Grid, places: Places, around: Bounds, words: Words
) -> list[Primitive]:
    """Return the lanes behind a chart that fills ``around``, with their headings above it."""
    bands = _bands(diagram, grid)
    if not any(band.stage for band in bands):
        return []
    wide = diagram.lang == "ja"
    left, right = places.x, [x + w for x, w in zip(places.x, places.width, strict=True)]
    boxes: list[Primitive] = []
    labels: list[Primitive] = []
    texts: list[tuple[float, tuple[str, ...]]] = []
    outer = min(left[0] - _EDGE, around[0] - _PAD), max(right[-1] + _EDGE, around[2] + _PAD)
    edges = []
    for band in bands:
        start = (right[band.first - 1] + left[band.first]) / 2 if band.first else outer[0]
        after = band.last + 1
        end = (right[band.last] + left[after]) / 2 if after < len(left) else outer[1]
        edges.append((start, end))
        text = words.stages.get(band.stage, "")
        texts.append(((start + end) / 2, wrap(text, end - start - 4.0, NUMBER, True, wide)))
    pitch = NUMBER * LEADING
    top = around[1] - 2 * _PAD - pitch * max(len(lines) for _, lines in texts)
    for place, (start, end) in enumerate(edges):
        css = "band other" if place % 2 else "band"
        boxes.append(Box(start, top, end - start, around[3] + _PAD - top, css))
    for middle, lines in texts:
        for row, line in enumerate(lines):
            y = top + _PAD + (row + 0.75) * pitch
            labels.append(Label(line, middle, y, NUMBER, "band-label", "middle", True, SOFT))
    return [*boxes, *labels]
