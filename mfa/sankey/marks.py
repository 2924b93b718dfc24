"""What is painted for each link and each box."""

from __future__ import annotations

from dataclasses import replace

from mfa.sankey.boxes import BoxPlan, Stub
from mfa.sankey.diagram import Node
from mfa.sankey.figures import format_quantity, is_determined
from mfa.sankey.geometry import Box, Label, Line, Primitive, Ribbon, Shape
from mfa.sankey.paths import (
    Piece,
    Run,
    Turn,
    Way,
    arrow_head,
    centre_line,
    outline,
    reverse,
    shorten,
    stripe,
)
from mfa.sankey.strands import Strand
from mfa.sankey.style import LEAD, STUB, TURN, Words
from mfa.sankey.text import clean, set_block

_HEAD = 9.0  # length and breadth of the head of a thin ribbon, px
_NARROWEST_STRIPED = 2.5  # px; thinner ribbons show only their largest part
_BESIDE = 4.5  # how far the boundary reaches beside a stub, px
_CASING = 1.6  # white edge where ribbons cross, px


def _head_length(full: float) -> float:
    return min(max(0.16 * full, 4.0), _HEAD)


def _separators(strand: Strand, way: Way) -> list[Line]:
    """Return thin lines between the parts of a stub."""
    sizes = [
        part.quantity.value
        for part in strand.link.parts
        if is_determined(part.quantity) and part.quantity.value is not None
    ]
    total = sum(sizes)
    run = way[0]
    if len(sizes) != len(strand.link.parts) or len(sizes) < 2 or min(sizes) < 0 or total <= 0:
        return []
    if strand.backward or not isinstance(run, Run):
        return []
    core = strand.width - strand.spread
    (x0, y0), (x1, y1) = run.start, run.end
    along = abs(x1 - x0) + abs(y1 - y0)
    share = 1 - _head_length(strand.full) / along
    dx, dy = (x1 - x0) / along, (y1 - y0) / along
    lines, last, sum_so_far = [], -core / 2, 0.0
    for size in sizes[:-1]:
        sum_so_far += size
        at = core * (sum_so_far / total - 0.5)
        if at - last < 2.2 or core / 2 - at < 2.2:
            continue
        last = at
        # The first, largest part lies at the left of the direction of flow.
        px, py = -dy * at, dx * at
        end = (x0 + px + dx * along * share, y0 + py + dy * along * share)
        lines.append(Line((x0 + px, y0 + py, *end), "separator"))
    return lines


def _stripes(base: Ribbon, strand: Strand, way: Way, width: float, head: float) -> list[Ribbon]:
    """Return the colours of a link side by side, upon its ribbon."""
    tones = strand.link.tones
    if len(tones) < 2 or width < _NARROWEST_STRIPED:
        return []
    stripes, edge = [], width / 2
    for tone, share in tones:
        low = edge - share * width
        path = stripe(way, low, edge, width, head)
        css = f"{base.css} stripe"
        stripes.append(
            replace(base, outline=path, style="head", tone=tone, css=css, width=share * width)
        )
        edge = low
    return stripes


def paint_strand(
    strand: Strand, way: Way, stub: bool = False, returns: bool = False
) -> list[Primitive]:
    """Return what is painted for a link that takes a way.

    Parameters
    ----------
    strand : Strand
        The link.
    way : tuple of pieces
        Its middle line, from source to target.
    stub : bool
        Whether it crosses the boundary: then thin lines part the flows that it bundles, and it
        needs no white edge to set it off from others, for none crosses it.
    returns : bool
        Whether it runs back underneath; scripts that follow flows stop there.
    """
    if strand.link.absent:
        return []
    way = reverse(way) if strand.backward else way
    lane = f"{strand.link.lane} return" if returns else strand.link.lane
    marks = [name for name in ("flagged", "bottleneck") if getattr(strand.link, name)]
    base = Ribbon((), "solid", strand.tone, f"ribbon {lane}", strand.link.id, strand.title)
    marked = replace(base, css=" ".join(["ribbon", lane, *marks]))
    full, width = strand.full, max(strand.width, 1.0)
    thin = full < _HEAD
    head = 0.0 if thin else _head_length(full)
    body = shorten(way, _HEAD - 2.0) if thin else way
    items: list[Primitive] = []
    if not stub:
        edge = outline(body, full + 2 * _CASING, head)
        items.append(
            replace(base, outline=edge, style="casing", title="", width=full + 2 * _CASING)
        )
    if strand.style == "hairline":
        items.append(replace(marked, outline=centre_line(body), style="hairline", width=1.0))
    elif strand.style == "hatched":
        items.append(
            replace(marked, outline=outline(body, width, head), style="hatched", width=width)
        )
    elif strand.spread:
        core = max(width - strand.spread, 1.0)
        items.append(replace(marked, outline=outline(body, full, head), style="halo", width=full))
        items.append(replace(base, outline=outline(body, core, head), width=core))
        items.extend(_stripes(base, strand, body, core, head))
    else:
        items.append(replace(marked, outline=outline(body, width, head), width=width))
        items.extend(_stripes(base, strand, body, width, head))
    if thin:
        tip = arrow_head(way, _HEAD, _HEAD)
        items.append(replace(base, outline=tip, style="head", width=_HEAD))
    if strand.style == "solid" and stub:
        items.extend(_separators(strand, way))
    return items


def _stub_way(stub: Stub, strand: Strand, x: float, edge: float) -> Way:
    """Return the way of a stub at ``x`` on an edge of a box at height ``edge``."""
    if stub.kind == "in_top":
        return (Run((x, edge - STUB), (x, edge)),)
    if stub.kind == "out_top":
        return (Run((x, edge), (x, edge - STUB)),)
    if stub.kind == "in_bottom":
        return (Run((x, edge + STUB), (x, edge)),)
    if stub.kind == "out_bottom":
        return (Run((x, edge), (x, edge + STUB)),)
    radius = strand.full / 2 + TURN
    low = edge + LEAD
    return (
        Run((x + radius, edge), (x + radius, low)),
        Turn((x + radius, low), (x, low + radius), (0.0, 1.0)),
        Turn((x, low + radius), (x - radius, low), (-1.0, 0.0)),
        Run((x - radius, low), (x - radius, edge)),
    )


def _boundary(run: Piece, full: float) -> Line:
    """Return the piece of the system boundary that a stub crosses."""
    x, y = run.start[0], (run.start[1] + run.end[1]) / 2
    half = full / 2 + _BESIDE
    return Line((x - half, y, x + half, y), "boundary")


def paint_stubs(
    plan: BoxPlan, strands: tuple[Strand, ...], x: float, y: float, wide: bool
) -> tuple[list[Primitive], list[Label | Shape]]:
    """Return the stubs of a box whose upper left corner is (x, y), and their labels."""
    items: list[Primitive] = []
    texts: list[Label | Shape] = []
    for upper in (True, False):
        stubs = [stub for stub in plan.stubs if stub.upper is upper]
        edge = y if upper else y + plan.height + plan.strip
        spare = plan.width - sum(stub.slot for stub in stubs)
        at = x
        for stub in stubs:
            room = stub.slot + spare / len(stubs)
            middle = at + room / 2
            at += room
            strand = strands[stub.strand]
            if strand.link.absent:
                continue
            way = _stub_way(stub, strand, middle, edge)
            items.extend(paint_strand(strand, way, stub=True))
            if stub.kind != "loop":
                items.append(_boundary(way[0], strand.full))
            top = edge - stub.reach - stub.text.height if upper else edge + stub.reach
            link = strand.link.id
            texts.extend(set_block(stub.text, middle, top, "stub-label", wide, link=link))
    return items, texts


def _hover(node: Node, words: Words) -> str:
    lines = [clean(node.label) or clean(node.id)]
    if node.stock is not None:
        if node.stock.level is not None:
            lines.append(f"{words.stock} {format_quantity(node.stock.level, words)}")
        if node.stock.change is not None:
            change = format_quantity(node.stock.change, words, signed=True)
            lines.append(f"{change} {words.per_year}")
    if node.imbalance is not None:
        lines.append(words.differ.format(f"{abs(node.imbalance) * 100:.2g}"))
    return "\n".join(lines)


def paint_box(
    node: Node, plan: BoxPlan, x: float, y: float, words: Words, wide: bool
) -> tuple[list[Primitive], list[Label | Shape]]:
    """Return a box with its stock and its tags, and the texts in them."""
    mark = "bottleneck" if node.bottleneck else "flagged" if node.flagged else ""
    css = f"box {mark}".strip()
    boxes: list[Primitive] = []
    texts: list[Label | Shape] = []
    top = y + plan.height
    for tag, text in plan.tags:
        boxes.append(Box(x, top, plan.width, text.height + 5.0, tag, node.id))
        texts.extend(set_block(text, x + plan.width / 2, top + 2.5, "tag-label", wide))
        top += text.height + 5.0
    boxes.append(Box(x, y, plan.width, plan.height, css, node.id, _hover(node, words), radius=2.0))
    middle = x + plan.width / 2
    stock = 0.0 if plan.stock is None else plan.stock.height + 16.0
    lead = y + (plan.height - plan.name.height - stock) / 2
    texts.extend(set_block(plan.name, middle, lead, "box-label", wide))
    if plan.stock is not None:
        inner = lead + plan.name.height + 6.0
        height = plan.stock.height + 8.0
        boxes.append(Box(x + 6.0, inner, plan.width - 12.0, height, "stock", node.id, radius=3.0))
        texts.extend(set_block(plan.stock, middle, inner + 4.0, "stock-label", wide))
    return boxes, texts
