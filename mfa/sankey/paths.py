"""Ways that ribbons take, and their outlines at any width.

A way is a chain of straight runs, quarter turns and sways (S-bends between two horizontal runs).
Every piece can be shifted sideways, so that halo, flow and core of a link are the same way at
three widths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mfa.sankey.geometry import Command, Outline

Point = tuple[float, float]
# Control points of the cubic that follows a quarter circle most closely.
_QUARTER = 0.5522847498
_RIGHT, _LEFT = ((1.0, 0.0), (1.0, 0.0)), ((-1.0, 0.0), (-1.0, 0.0))


@dataclass(frozen=True, slots=True)
class Run:
    """A straight piece, horizontal or vertical."""

    start: Point
    end: Point


@dataclass(frozen=True, slots=True)
class Turn:
    """A quarter circle; ``into`` is the direction (dx, dy) in which it begins."""

    start: Point
    end: Point
    into: Point


@dataclass(frozen=True, slots=True)
class Sway:
    """An S-bend between two horizontal directions; it bends at ``share`` of the way along x."""

    start: Point
    end: Point
    share: float = 0.5


Piece = Run | Turn | Sway
Way = tuple[Piece, ...]


def _direction(piece: Piece) -> tuple[Point, Point]:
    """Return the unit directions in which a piece begins and ends."""
    (x0, y0), (x1, y1) = piece.start, piece.end
    dx, dy = x1 - x0, y1 - y0
    if isinstance(piece, Run):
        if dy == 0 and dx:
            return _RIGHT if dx > 0 else _LEFT
        length = math.hypot(dx, dy) or 1.0
        unit = (dx / length, dy / length)
        return unit, unit
    if isinstance(piece, Sway):
        unit = (math.copysign(1.0, dx), 0.0)
        return unit, unit
    if piece.into[0]:
        return piece.into, (0.0, math.copysign(1.0, dy))
    return piece.into, (math.copysign(1.0, dx), 0.0)


def _aside(point: Point, direction: Point, by: float) -> Point:
    """Shift a point to the left of a direction (y downwards), by px."""
    return point[0] + direction[1] * by, point[1] - direction[0] * by


def _bend(start: Point, end: Point, share: float, by: float) -> float:
    """Return the x of the control points of a sway that is shifted sideways.

    With both control points at the same x the bend crosses its middle at the angle φ with
    tan φ = 2 Δy/Δx. Its edge keeps the distance d from the middle line there if the control
    points are shifted by a with 0.75 a sin φ + d cos φ = d, that is a = d tan(φ/2) / 0.75.
    """
    span, dy = end[0] - start[0], end[1] - start[1]
    middle = start[0] + share * span
    if not (dy and by):
        return middle
    shift = by / 0.75 * math.tan(math.atan2(2 * abs(dy), abs(span)) / 2)
    room = 0.98 * min(share, 1 - share) * abs(span)
    return middle + math.copysign(min(abs(shift), room), by * dy)


def _quarter(start: Point, end: Point, first: Point, last: Point) -> Command:
    """Return a quarter circle between two points, which begins and ends in two directions."""
    reach = abs(end[0] - start[0]) * _QUARTER, abs(end[1] - start[1]) * _QUARTER
    one = (start[0] + first[0] * reach[0], start[1] + first[1] * reach[1])
    two = (end[0] - last[0] * reach[0], end[1] - last[1] * reach[1])
    return ("C", (*one, *two, *end))


def _edges(way: Way, high: float, low: float) -> tuple[Point, list[Command], list[Command]]:
    """Return the edges of a ribbon or of a part of it: one walked forward, one walked back.

    ``high`` and ``low`` say where they lie, in px left of the middle line. The first point is
    that where the forward edge begins.
    """
    begin: Point | None = None
    ahead: list[Command] = []
    back: list[Command] = []
    for piece in way:
        first, last = _direction(piece)
        start, end = piece.start, piece.end
        # As `_aside` does it, without the calls: most of the time of a layout goes here.
        one = start[0] + first[1] * high, start[1] - first[0] * high
        two = end[0] + last[1] * high, end[1] - last[0] * high
        three = start[0] + first[1] * low, start[1] - first[0] * low
        begin = begin or one
        if isinstance(piece, Run):
            ahead.append(("L", two))
            back.append(("L", three))
        elif isinstance(piece, Sway):
            x = _bend(start, end, piece.share, high)
            ahead.append(("C", (x, one[1], x, two[1], *two)))
            x = _bend(end, start, 1 - piece.share, -low)
            back.append(("C", (x, _aside(end, last, low)[1], x, three[1], *three)))
        else:
            ahead.append(_quarter(one, two, first, last))
            turned = (-last[0], -last[1]), (-first[0], -first[1])
            back.append(_quarter(_aside(end, last, low), three, *turned))
    back.reverse()
    return begin or (0.0, 0.0), ahead, back


def reverse(way: Way) -> Way:
    """Return a way walked from its end to its start."""
    turned: list[Piece] = []
    for piece in reversed(way):
        if isinstance(piece, Turn):
            last = _direction(piece)[1]
            turned.append(Turn(piece.end, piece.start, (-last[0], -last[1])))
        elif isinstance(piece, Run):
            turned.append(Run(piece.end, piece.start))
        else:
            turned.append(Sway(piece.end, piece.start, 1 - piece.share))
    return tuple(turned)


def shorten(way: Way, by: float) -> Way:
    """Return a way without the last ``by`` px of the run at its end."""
    last = way[-1]
    x, y = _direction(last)[1]
    return (*way[:-1], Run(last.start, (last.end[0] - x * by, last.end[1] - y * by)))


def centre_line(way: Way) -> Outline:
    """Return the open middle line of a way."""
    start, commands, _ = _edges(way, 0.0, 0.0)
    return (("M", start), *commands)


def outline(way: Way, width: float, head: float) -> Outline:
    """Return the closed outline of a ribbon with an arrow head as broad as itself.

    Parameters
    ----------
    way : tuple of pieces
        The middle line; it ends with a run at least as long as the head.
    width : float
        Width of the ribbon, px.
    head : float
        Length of the head, px; 0 for a blunt end.
    """
    half = width / 2
    body = shorten(way, head)
    start, left, right = _edges(body, half, -half)
    tip: list[Command] = [("L", way[-1].end)] if head else []
    direction = _direction(body[-1])[1]
    corner: Command = ("L", _aside(body[-1].end, direction, -half))
    return (("M", start), *left, *tip, corner, *right, ("Z", ()))


def stripe(way: Way, low: float, high: float, width: float, head: float) -> Outline:
    """Return the outline of a part of a ribbon that runs along it, to the tip of its head.

    Parameters
    ----------
    way, width, head
        As for the whole ribbon, see `outline`.
    low, high : float
        Where the part lies across the ribbon, px left of the middle line.
    """
    body = shorten(way, head)
    start, left, right = _edges(body, high, low)
    foot, direction = body[-1].end, _direction(body[-1])[1]

    def ahead(by: float) -> Command:
        along = head * (1.0 - min(abs(by) / (width / 2), 1.0))
        at = foot[0] + direction[0] * along, foot[1] + direction[1] * along
        return ("L", _aside(at, direction, by))

    tip = [ahead(by) for by in (high, 0.0, low) if low <= by <= high] if head else []
    return (("M", start), *left, *tip, ("L", _aside(foot, direction, low)), *right, ("Z", ()))


def arrow_head(way: Way, breadth: float, length: float) -> Outline:
    """Return a triangle at the end of a way, for ribbons too thin to be pointed themselves."""
    tip = way[-1].end
    direction = _direction(way[-1])[1]
    foot = (tip[0] - direction[0] * length, tip[1] - direction[1] * length)
    one, two = _aside(foot, direction, breadth / 2), _aside(foot, direction, -breadth / 2)
    return (("M", one), ("L", tip), ("L", two), ("Z", ()))
