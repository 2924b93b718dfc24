"""What stands around the chart: title, legend, key to the scale, notes and source."""

from __future__ import annotations

import math

from mfa.sankey.diagram import Diagram
from mfa.sankey.figures import format_number
from mfa.sankey.geometry import Label, Line, Outline, Primitive, Ribbon, Shape, rectangle
from mfa.sankey.strands import Strand
from mfa.sankey.style import (
    FOOT,
    INK,
    LEADING,
    NOMINAL,
    SOFT,
    SUBTITLE,
    TITLE,
    Words,
)
from mfa.sankey.text import MARK, TextLine, block, clean, set_block, text_width, wrap

_SWATCH = (30.0, 13.0)
_ENTRY_GAP = 26.0


def _paragraph(
    text: str, room: float, size: float, css: str, wide: bool, bold: bool = False
) -> tuple[list[Label], float]:
    """Return the lines of a paragraph at (0, 0), and its height in px."""
    colour = INK if bold else SOFT
    labels = []
    lines = wrap(text, room, size, bold, wide) if text else ()
    for place, line in enumerate(lines):
        y = (place + 0.5) * size * LEADING + 0.27 * size
        labels.append(Label(line, 0.0, y, size, css, "start", bold, colour))
    return labels, len(lines) * size * LEADING


def make_header(diagram: Diagram, room: float) -> tuple[list[Label], float]:
    """Return title and subtitle, wrapped to ``room`` px, and their height."""
    wide = diagram.lang == "ja"
    title, height = _paragraph(diagram.title, room, TITLE, "title", wide, True)
    below, more = _paragraph(diagram.subtitle, room, SUBTITLE, "subtitle", wide)
    gap = 5.0 if title and below else 0.0
    labels = [*title, *(_dropped(label, height + gap) for label in below)]
    return labels, height + gap + more


def _dropped(label: Label, by: float, aside: float = 0.0) -> Label:
    return Label(
        label.text,
        label.x + aside,
        label.y + by,
        label.size,
        label.css,
        label.anchor,
        label.bold,
        label.colour,
    )


def _sample(style: str, tone: str, x: float, y: float) -> list[Primitive]:
    """Return a piece of ribbon for the legend, its upper left corner at (x, y)."""
    width, height = _SWATCH
    whole, inner = rectangle(x, y, width, height), rectangle(x, y + 3.5, width, height - 7.0)
    if style == "halo":
        return [
            Ribbon(whole, "halo", tone, "legend", width=height),
            Ribbon(inner, "solid", tone, "legend", width=height - 7.0),
        ]
    if style == "hairline":
        middle = y + height / 2
        line: Outline = (("M", (x, middle)), ("L", (x + width, middle)))
        return [Ribbon(line, "hairline", tone, "legend", width=1.0)]
    if style == "boundary":
        return [Line((x, y + height / 2, x + width, y + height / 2), "boundary")]
    if style == "hatched":
        return [Ribbon(whole, "hatched", tone, "legend", width=height)]
    return [Ribbon(whole, "solid", tone, "legend", width=height)]


def _entries(
    diagram: Diagram, strands: tuple[Strand, ...], scale: float, words: Words
) -> list[tuple[str, str, str]]:
    """Return (style, tone, text) of what the chart holds."""
    tones = {strand.tone for strand in strands}
    tones |= {tone for strand in strands for tone, _ in strand.link.tones}
    known = diagram.tones or words.lanes
    entries = [("solid", tone, text) for tone, text in known if tone in tones]
    if any(None in (strand.source, strand.target) for strand in strands):
        entries.append(("boundary", "", words.boundary))
    shown = {strand.link.quantity.status for strand in strands if strand.style != "hatched"}
    entries.extend(("dot", status, text) for status, text in words.statuses if status in shown)
    vague = max(strands, key=lambda strand: strand.spread, default=None)
    if vague is not None and vague.spread:
        entries.append(("halo", vague.tone, words.core))
    hatched = [strand for strand in strands if strand.style == "hatched"]
    if hatched:
        nominal = f"{format_number(NOMINAL / scale, 2)} {diagram.unit}".strip()
        text = words.undetermined.format(nominal)
        text = words.undetermined_arrow if diagram.style == "circulation" else text
        entries.append(("hatched", hatched[0].tone, text))
    thin = [strand for strand in strands if strand.style == "hairline"]
    if thin:
        text = words.nothing if diagram.style == "circulation" else words.hairline
        entries.append(("hairline", thin[0].tone, text))
    if any(node.flagged for node in diagram.nodes) or any(s.link.flagged for s in strands):
        entries.append(("flag", "", words.flagged))
    if any(strand.backward for strand in strands):
        entries.append(("", "", words.reversed))
    stocks = [q for n in diagram.nodes if n.stock for q in (n.stock.level, n.stock.change)]
    quantities = [strand.link.quantity for strand in strands]
    if any(q is not None and q.assumed for q in (*stocks, *quantities)):
        entries.append(("", "", words.assumed))
    return entries


def _key(diagram: Diagram, scale: float, wide: bool) -> tuple[list[Primitive], float, float]:
    """Return a bar as broad as a round flow would be drawn, its width and its height."""
    wish = 26.0 / scale
    power = 10.0 ** math.floor(math.log10(wish))
    amount = max(step * power for step in (1, 2, 5) if step * power <= wish * 1.0001)
    breadth = amount * scale
    bar = Ribbon(rectangle(0.0, 0.0, 26.0, breadth), "solid", "loss", "key", width=breadth)
    ends = [
        Line((30.0, 0.5, 35.0, 0.5, 35.0, breadth - 0.5, 30.0, breadth - 0.5), "key"),
    ]
    text = f"{format_number(amount)} {diagram.unit}".strip()
    label = Label(text, 41.0, breadth / 2 + 0.27 * FOOT, FOOT, "key-label", "start", colour=INK)
    return [bar, *ends, label], 41.0 + text_width(text, FOOT, wide=wide), breadth


def _legend(
    entries: list[tuple[str, str, str]], room: float, start: float, wide: bool
) -> tuple[list[Primitive], float]:
    """Return the legend in rows from x = ``start``, and its height."""
    items: list[Primitive] = []
    x, top, pitch = start, 0.0, FOOT * LEADING + 7.0
    for style, tone, text in entries:
        swatch = {"": 0.0, "flag": FOOT * MARK + 4.0, "dot": FOOT}.get(style, _SWATCH[0] + 7.0)
        lines = wrap(text, room - start - swatch, FOOT, wide=wide)
        width = swatch + max(text_width(line, FOOT, wide=wide) for line in lines)
        if x > start and x + width > room:
            x, top = start, top + pitch
        if style in ("flag", "dot"):
            sign = TextLine("", FOOT, mark=style == "flag", status=tone if style == "dot" else "")
            mark = block([sign], wide)
            items.extend(
                m for m in set_block(mark, x, top, "", wide, "start") if isinstance(m, Shape)
            )
        elif style:
            items.extend(_sample(style, tone, x, top + (FOOT * LEADING - _SWATCH[1]) / 2))
        for place, line in enumerate(lines):
            base = top + (place + 0.5) * FOOT * LEADING + 0.27 * FOOT
            items.append(Label(line, x + swatch, base, FOOT, "legend-label", "start", colour=INK))
        x += width + _ENTRY_GAP
        if len(lines) > 1:
            x, top = start, top + (len(lines) - 1) * FOOT * LEADING + pitch
    return items, top + (pitch if x > start else 0.0)


def make_footer(
    diagram: Diagram, strands: tuple[Strand, ...], scale: float, room: float, words: Words
) -> tuple[list[Primitive], float]:
    """Return key, legend, notes and source, ``room`` px wide from (0, 0), and their height."""
    wide = diagram.lang == "ja"
    items: list[Primitive] = []
    height = 0.0
    entries = _entries(diagram, strands, scale, words)
    if strands:
        start, key_height = 0.0, 0.0
        if diagram.style == "cycle":
            items, key_width, key_height = _key(diagram, scale, wide)
            start = key_width + 2 * _ENTRY_GAP
        legend, height = _legend(entries, room, start, wide)
        items.extend(legend)
        height = max(height, key_height + 4.0)
    texts = [words.note + clean(note) for note in diagram.notes if clean(note)]
    if clean(diagram.source):
        texts.append(words.source + clean(diagram.source))
    for text in texts:
        height += 4.0
        labels, more = _paragraph(text, room, FOOT, "foot", wide)
        items.extend(_dropped(label, height) for label in labels)
        height += more
    return items, height
