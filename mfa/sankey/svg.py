"""A drawing as SVG: text stays text, nothing is fetched from elsewhere."""

from __future__ import annotations

import re
import zlib
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from mfa.sankey.geometry import Box, Drawing, Label, Outline, Primitive, Ribbon, Shape
from mfa.sankey.style import (
    HATCH_PITCH,
    HATCH_WIDTH,
    PAINTS,
    TONES,
    Paint,
    hatch_ground,
    hatch_line,
    ribbon_paint,
)

_WESTERN = ("DejaVu Sans",)
_JAPANESE = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "IPAexGothic",
    "Yu Gothic",
    "Hiragino Sans",
    "Meiryo",
)
# What XML 1.0 does not allow in a document, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fonts(lang: str) -> tuple[str, ...]:
    """Return the font families for a language, the most suitable first."""
    names = (*_JAPANESE, *_WESTERN) if lang == "ja" else (*_WESTERN, *_JAPANESE)
    return (*names, "sans-serif")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))


def _attributes(**values: str | float) -> str:
    """Return attributes in the order given; empty values are left out."""
    parts = []
    for name, value in values.items():
        text = _number(value) if isinstance(value, float) else _FORBIDDEN.sub("\ufffd", value)
        if text:
            parts.append(f" {name.strip('_').replace('_', '-')}={quoteattr(text)}")
    return "".join(parts)


def _path(outline: Outline) -> str:
    return "".join(op + " ".join(_number(p) for p in points) for op, points in outline)


def _painted(paint: Paint) -> str:
    return _attributes(
        fill=paint.fill,
        fill_opacity="" if paint.opacity == 1 else _number(paint.opacity),
        stroke="" if paint.stroke == "none" else paint.stroke,
        stroke_width=_number(paint.width) if paint.stroke != "none" else "",
        stroke_dasharray=" ".join(_number(d) for d in paint.dash),
    )


def _title(text: str) -> str:
    return f"<title>{_text(text)}</title>" if text else ""


def _ribbon(item: Ribbon, prefix: str) -> str:
    paint = ribbon_paint(item.style, item.tone, item.css)
    if item.style == "hatched":
        url = f"url(#{prefix}-{item.tone})"
        paint = Paint(url, paint.stroke, paint.width, paint.dash)
    style = _attributes(_class=f"{item.css} {item.style}", d=_path(item.outline))
    return f"<path{style}{_painted(paint)}/>"


def _box(item: Box) -> str:
    place = _attributes(
        _class=item.css,
        data_node=item.node,
        x=item.x,
        y=item.y,
        width=item.width,
        height=item.height,
        rx=_number(item.radius) if item.radius else "",
    )
    rect = f"<rect{place}{_painted(PAINTS[item.css])}"
    return f"{rect}>{_title(item.title)}</rect>" if item.title else f"{rect}/>"


def _label(item: Label) -> str:
    turn = f"rotate({_number(item.rotation)} {_number(item.x)} {_number(item.y)})"
    place = _attributes(
        _class=item.css,
        data_of=item.link,
        x=item.x,
        y=item.y,
        font_size=item.size,
        text_anchor="" if item.anchor == "start" else item.anchor,
        font_weight="bold" if item.bold else "",
        fill=item.colour,
        transform=turn if item.rotation else "",
    )
    edge = (
        ' stroke="#ffffff" stroke-opacity="0.85" stroke-width="3.5" stroke-linejoin="round"'
        ' paint-order="stroke"'
        if item.halo
        else ""
    )
    return f"<text{place}{edge}>{_text(item.text)}</text>"


def _other(item: Primitive, prefix: str) -> str:
    if isinstance(item, Ribbon):
        return _ribbon(item, prefix)
    if isinstance(item, Box):
        return _box(item)
    if isinstance(item, Label):
        return _label(item)
    if isinstance(item, Shape):
        path = _attributes(_class=item.css, data_of=item.link, d=_path(item.outline))
        return f"<path{path}{_painted(PAINTS[item.css])}/>"
    points = " ".join(_number(p) for p in item.points)
    line = _attributes(_class=item.css, points=points)
    return f"<polyline{line}{_painted(PAINTS[item.css])}/>"


def _body(drawing: Drawing, prefix: str) -> list[str]:
    """Return one element per primitive; the parts of a link share a group and its title."""
    lines = []
    key = _link_of
    for link, group in groupby(drawing.primitives, key=key):
        items = list(group)
        elements = [_other(item, prefix) for item in items]
        if not link:
            lines.extend(elements)
            continue
        titles = [item.title for item in items if isinstance(item, Ribbon) and item.title]
        title = _title(titles[0]) if titles else ""
        data = _attributes(_class="link", data_link=link)
        lines.append(f"<g{data}>{title}{''.join(elements)}</g>")
    return lines


def _link_of(item: Primitive) -> str:
    return item.link if isinstance(item, Ribbon) else ""


def _patterns(drawing: Drawing, prefix: str) -> list[str]:
    """Return the hatches that the drawing uses, one per colour."""
    used = {
        item.tone
        for item in drawing.primitives
        if isinstance(item, Ribbon) and item.style == "hatched"
    }
    pitch, width = _number(HATCH_PITCH), _number(HATCH_WIDTH)
    return [
        f'<pattern id="{prefix}-{tone}" width="{pitch}" height="{pitch}"'
        f' patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="{pitch}" height="{pitch}" fill="{hatch_ground(tone)}"/>'
        f'<rect width="{width}" height="{pitch}" fill="{hatch_line(tone)}"/></pattern>'
        for tone in TONES
        if tone in used
    ]


def to_svg(drawing: Drawing) -> str:
    """Write a drawing as an SVG document.

    Parameters
    ----------
    drawing : Drawing
        A finished chart, see `mfa.sankey.layout.layout`; 1 px becomes 1 user unit.

    Returns
    -------
    str
        The document. Links are groups with ``data-link``, their labels carry ``data-of`` and
        boxes ``data-node``, for scripts. Links and boxes have a ``<title>``, which browsers show
        under the pointer. The same drawing gives the same text.

    Examples
    --------
    >>> from mfa.sankey.diagram import Diagram, Node
    >>> from mfa.sankey.layout import layout
    >>> svg = to_svg(layout(Diagram("Copper", "", "kt/yr", (Node("S", "<Smelter>"),), ())))
    >>> "&lt;Smelter&gt;" in svg
    True
    """
    # Patterns of several charts on one page must not answer to the same name.
    prefix = f"hatch{zlib.crc32(repr(drawing).encode('utf-8', 'replace')):08x}"
    width, height = _number(drawing.width), _number(drawing.height)
    families = ", ".join(f"'{name}'" if " " in name else name for name in fonts(drawing.lang))
    root = _attributes(
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=drawing.title,
        lang=drawing.lang,
        font_family=families,
    )
    patterns = _patterns(drawing, prefix)
    lines = [
        f"<svg{root}>",
        f"<title>{_text(drawing.title)}</title>",
        f"<desc>{_text(drawing.description)}</desc>",
        *(["<defs>", *patterns, "</defs>"] if patterns else []),
        *_body(drawing, prefix),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
