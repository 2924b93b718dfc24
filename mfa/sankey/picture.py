"""A drawing as PNG or PDF, by matplotlib's file backends: no display, no browser."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform

from mfa.errors import ChartError
from mfa.io.whole import whole_file
from mfa.sankey.geometry import (
    Anchor,
    Box,
    Drawing,
    Label,
    Line,
    Outline,
    Primitive,
    Ribbon,
    outline_bounds,
    rectangle,
)
from mfa.sankey.style import (
    HATCH_PITCH,
    HATCH_WIDTH,
    PAINTS,
    Paint,
    hatch_line,
    ribbon_paint,
)
from mfa.sankey.typefaces import families

_INCH = 96.0  # px
_POINT = 72.0 / _INCH  # points per px
_MOST_PIXELS = 40e6  # in a PNG; beyond, the resolution is lowered
_LONGEST_SIDE = 60000  # px, a little below what Agg can hold
_BOLD = {"bold", "heavy", "black", "600", "700", "800", "900"}
_SIDES: dict[Anchor, Literal["left", "center", "right"]] = {
    "start": "left",
    "middle": "center",
    "end": "right",
}
_CODES = {"M": (Path.MOVETO,), "L": (Path.LINETO,), "C": (Path.CURVE4,) * 3}


def _path(outline: Outline) -> Path:
    points: list[tuple[float, float]] = []
    codes: list[int] = []
    for op, values in outline:
        if op == "Z":
            points.append(points[0])
            codes.append(int(Path.CLOSEPOLY))
            continue
        points.extend(zip(values[0::2], values[1::2], strict=True))
        codes.extend(int(code) for code in _CODES[op])
    return Path(np.array(points), codes)


def _patch(outline: Outline, paint: Paint, transform: Transform) -> PathPatch:
    # An opacity is the filling's; outlines stay opaque, as in the SVG.
    stroked = paint.stroke != "none" and paint.width > 0
    # Dashes are counted in line widths.
    dashes = tuple(dash / paint.width for dash in paint.dash) if stroked else ()
    return PathPatch(
        _path(outline),
        facecolor="none" if paint.fill == "none" else (paint.fill, paint.opacity),
        edgecolor=paint.stroke if stroked else "none",
        linewidth=paint.width * _POINT if stroked else 0.0,
        linestyle=(0, dashes) if dashes else "solid",
        capstyle="butt",
        joinstyle="miter",
        transform=transform,
    )


def _hatch(ribbon: Ribbon, patch: PathPatch, transform: Transform) -> LineCollection:
    """Return lines falling from upper right to lower left, clipped to a ribbon."""
    left, top, right, bottom = outline_bounds(ribbon.outline)
    pitch = HATCH_PITCH * 2**0.5
    first = int((left + top) // pitch)
    last = int((right + bottom) // pitch) + 1
    segments = [
        [(k * pitch - top, top), (k * pitch - bottom, bottom)] for k in range(first, last + 1)
    ]
    lines = LineCollection(
        segments,
        colors=[hatch_line(ribbon.tone)],
        linewidths=HATCH_WIDTH * _POINT,
        transform=transform,
    )
    lines.set_clip_path(patch.get_path(), transform)
    return lines


def _ribbon(item: Ribbon, transform: Transform) -> list[Artist]:
    paint = ribbon_paint(item.style, item.tone, item.css)
    if item.style != "hatched":
        return [_patch(item.outline, paint, transform)]
    ground = _patch(item.outline, Paint(paint.fill), transform)
    edge = _patch(item.outline, Paint("none", paint.stroke, paint.width, paint.dash), transform)
    return [ground, _hatch(item, ground, transform), edge]


def _shown(text: str, faces: tuple[Callable[[int], int], ...]) -> str:
    """Replace what no font has a letter for; matplotlib would warn and draw a box."""
    return "".join(c if any(face(ord(c)) for face in faces) else "□" for c in text)


def _has_bold(family: str) -> bool:
    """Return whether a font has a bold face; matplotlib would complain for every label."""
    return any(font.name == family and str(font.weight) in _BOLD for font in fontManager.ttflist)


class _Setter:
    """Sets labels in the fonts chosen for a drawing."""

    def __init__(self, drawing: Drawing) -> None:
        self.families = families(drawing)
        faces = []
        for family in self.families:
            font = get_font(findfont(FontProperties(family=family)))
            faces.append(font.get_char_index)
        self.faces = tuple(faces)
        self.has_bold = _has_bold(self.families[0])

    def text(self, item: Label, transform: Transform) -> Text:
        """Return a label as matplotlib's text, its baseline at the label's y."""
        font = FontProperties(
            family=self.families,
            weight="bold" if item.bold and self.has_bold else "normal",
            size=item.size * _POINT,
        )
        text = Text(
            item.x,
            item.y,
            _shown(item.text, self.faces),
            color=item.colour,
            fontproperties=font,
            horizontalalignment=_SIDES[item.anchor],
            verticalalignment="baseline",
            rotation=-item.rotation,
            rotation_mode="anchor",
            transform=transform,
            parse_math=False,
            usetex=False,
        )
        if item.halo:
            edge = withStroke(linewidth=3.5 * _POINT, foreground=(1.0, 1.0, 1.0, 0.85))
            text.set_path_effects([edge])
        return text


def _artists(item: Primitive, setter: _Setter, transform: Transform) -> list[Artist]:
    if isinstance(item, Ribbon):
        return _ribbon(item, transform)
    if isinstance(item, Label):
        return [setter.text(item, transform)]
    if isinstance(item, Box):
        outline = rectangle(item.x, item.y, item.width, item.height)
        return [_patch(outline, PAINTS[item.css], transform)]
    if isinstance(item, Line):
        points = list(zip(item.points[0::2], item.points[1::2], strict=True))
        outline = (("M", points[0]), *(("L", point) for point in points[1:]))
        return [_patch(outline, PAINTS[item.css], transform)]
    return [_patch(item.outline, PAINTS[item.css], transform)]


def to_figure(drawing: Drawing) -> Figure:
    """Return a drawing as a matplotlib figure, 96 px to the inch.

    Parameters
    ----------
    drawing : Drawing
        A finished chart.

    Raises
    ------
    ChartError
        If it has Japanese text and no font on this machine can set it.
    """
    figure = Figure(figsize=(drawing.width / _INCH, drawing.height / _INCH), facecolor="white")
    FigureCanvasAgg(figure)
    place = Affine2D().scale(1 / drawing.width, -1 / drawing.height).translate(0.0, 1.0)
    transform = place + figure.transFigure
    setter = _Setter(drawing)
    order = 0
    for item in drawing.primitives:
        for artist in _artists(item, setter, transform):
            artist.set_zorder(order)
            # Paths in figure coordinates must not be clipped to axes; hatches keep their clip.
            figure.add_artist(artist, clip=False)
            order += 1
    return figure


def _resolution(drawing: Drawing, dpi: float) -> float:
    side = max(drawing.width, drawing.height) / _INCH
    area = drawing.width * drawing.height / _INCH**2
    return min(dpi, _LONGEST_SIDE / side, math.sqrt(_MOST_PIXELS / area))


def to_file(drawing: Drawing, path: str | os.PathLike[str], dpi: float = 200.0) -> None:
    """Write a drawing as a PNG or PDF file.

    The file appears under its name only when it is complete, and the same drawing gives the same
    file as long as matplotlib and the fonts stay the same.

    Parameters
    ----------
    drawing : Drawing
        A finished chart, see `mfa.sankey.layout.layout`.
    path : str or path-like
        Where to write; its suffix, ``.png`` or ``.pdf``, decides on the format.
    dpi : float
        Resolution of a PNG in dots per inch of 96 px; lowered for charts so large that the
        picture would exceed 40 megapixels.

    Raises
    ------
    ChartError
        If the suffix is neither, or a Japanese font is needed and missing.
    """
    target = FilePath(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in ("png", "pdf"):
        raise ChartError(
            f"a picture must be a .png or .pdf file (found '{target.name}'); change the suffix"
        )
    figure = to_figure(drawing)
    metadata: dict[str, str | None]
    if kind == "png":
        metadata = {"Title": drawing.title}
    else:
        metadata = {"CreationDate": None, "Producer": None, "Creator": None}
        metadata["Title"] = drawing.title
    with whole_file(target) as draft:
        # The canvases' own writers, since savefig listens to the user's settings of matplotlib.
        if kind == "png":
            figure.set_dpi(_resolution(drawing, dpi))
            FigureCanvasAgg(figure).print_png(str(draft), metadata=metadata)  # type: ignore[no-untyped-call]
        else:
            FigureCanvasPdf(figure).print_pdf(str(draft), metadata=metadata)  # type: ignore[no-untyped-call]
