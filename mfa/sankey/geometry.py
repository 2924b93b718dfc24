"""A finished drawing: shapes and texts with coordinates, in the order in which they are painted.

Coordinates are pixels (1/96 inch), x to the right and y downwards from the top left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor
from typing import Literal

Command = tuple[Literal["M", "L", "C", "Z"], tuple[float, ...]]
Outline = tuple[Command, ...]
Style = Literal["solid", "hatched", "hairline", "halo", "casing", "head"]
Anchor = Literal["start", "middle", "end"]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Ribbon:
    """One painted part of a link.

    Parameters
    ----------
    outline : tuple of commands
        Closed path; the open centre line for style "hairline".
    style : str
        "solid" is the flow (its value − sd, where it has an sd), "halo" its value + sd,
        "hatched" an undetermined flow, "hairline" one that is thinner than a pixel, "casing"
        the white edge that parts crossing ribbons, "head" an arrow head broader than its ribbon.
    tone : str
        Key of the colour, see `mfa.sankey.style.TONES`.
    css : str
        Class names, e.g. ``"ribbon main bottleneck"``.
    link : str
        Id of the link; empty for samples in the legend.
    title : str
        Text shown while the pointer rests on it.
    width : float
        Width across the direction of flow, in px.
    """

    outline: Outline
    style: Style
    tone: str
    css: str
    link: str = ""
    title: str = ""
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A closed path that stands for no flow, such as a warning triangle.

    ``link`` is the id of the link that it speaks of, if any.
    """

    outline: Outline
    css: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: a process, the stock in it, or a tag at its foot."""

    x: float
    y: float
    width: float
    height: float
    css: str
    node: str = ""
    title: str = ""
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """An open polyline; ``points`` are x0, y0, x1, y1 and so on."""

    points: tuple[float, ...]
    css: str


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; ``y`` is its baseline, ``size`` the font size in px.

    ``halo`` asks for a white edge around the letters, ``rotation`` is in degrees clockwise,
    ``link`` is the id of the link that it speaks of, if any.
    """

    text: str
    x: float
    y: float
    size: float
    css: str
    anchor: Anchor = "middle"
    bold: bool = False
    colour: str = "#1f1f1f"
    halo: bool = False
    rotation: float = 0.0
    link: str = ""


Primitive = Ribbon | Shape | Box | Line | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart with every coordinate settled.

    Parameters
    ----------
    width, height : float
        Size of the canvas, in px.
    primitives : tuple
        What is painted, first to last.
    title, description : str
        Accessible name and summary.
    lang : {"en", "ja"}
        Language, which decides on the fonts.
    scale : float
        Pixels per unit of flow.
    """

    width: float
    height: float
    primitives: tuple[Primitive, ...]
    title: str
    description: str
    lang: Literal["en", "ja"]
    scale: float


def rectangle(x: float, y: float, width: float, height: float) -> Outline:
    """Return the outline of a rectangle."""
    return (
        ("M", (x, y)),
        ("L", (x + width, y)),
        ("L", (x + width, y + height)),
        ("L", (x, y + height)),
        ("Z", ()),
    )


def polygon(*points: tuple[float, float]) -> Outline:
    """Return the outline of a polygon."""
    first, *rest = points
    return (("M", first), *(("L", point) for point in rest), ("Z", ()))


def _shifted(points: tuple[float, ...], dx: float, dy: float) -> tuple[float, ...]:
    # To 0.01 px, in a quarter of the time that round takes; most points stand alone.
    if len(points) == 2:
        x, y = points
        return floor((x + dx) * 100.0 + 0.5) / 100.0, floor((y + dy) * 100.0 + 0.5) / 100.0
    shifts = (dx, dy) * (len(points) // 2)
    pairs = zip(points, shifts, strict=True)
    return tuple([floor((p + shift) * 100.0 + 0.5) / 100.0 for p, shift in pairs])


def moved(item: Primitive, dx: float, dy: float) -> Primitive:
    """Return a primitive shifted by (dx, dy) px, its coordinates rounded to 0.01 px."""
    if isinstance(item, Ribbon):
        outline = tuple([(op, _shifted(points, dx, dy)) for op, points in item.outline])
        width = round(item.width, 2)
        return Ribbon(outline, item.style, item.tone, item.css, item.link, item.title, width)
    if isinstance(item, Shape):
        outline = tuple([(op, _shifted(points, dx, dy)) for op, points in item.outline])
        return Shape(outline, item.css, item.link)
    if isinstance(item, Line):
        return Line(_shifted(item.points, dx, dy), item.css)
    x, y = _shifted((item.x, item.y), dx, dy)
    if isinstance(item, Label):
        return replace(item, x=x, y=y)
    width, height = round(item.width, 2), round(item.height, 2)
    return Box(x, y, width, height, item.css, item.node, item.title, item.radius)


def outline_bounds(outline: Outline) -> Bounds:
    """Return (left, top, right, bottom) of a path's points; control points count as points."""
    every = [p for _, points in outline for p in points]
    xs, ys = every[0::2], every[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(a: Bounds, b: Bounds, slack: float = 0.0) -> bool:
    """Whether two rectangles share more than ``slack`` px in both directions."""
    return min(a[2], b[2]) - max(a[0], b[0]) > slack and min(a[3], b[3]) - max(a[1], b[1]) > slack
