"""How large each box must be: its name, its stock, its tags, its stubs and its ports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from mfa.sankey.diagram import Diagram, Node, StockBox
from mfa.sankey.figures import format_number, format_quantity
from mfa.sankey.grid import Grid
from mfa.sankey.strands import Strand
from mfa.sankey.style import (
    AMBER,
    BOX,
    LEAD,
    NAME,
    NUMBER,
    PORT_GAP,
    RED,
    SOFT,
    STOCK,
    STUB,
    TAG,
    TURN,
    Words,
)
from mfa.sankey.text import MARK, Block, TextLine, block, clean, longest_piece, text_width, wrap

StubKind = Literal["in_top", "out_top", "in_bottom", "out_bottom", "loop"]
Port = tuple[int, int]  # item, strand

_PAD = 9.0  # between the edge of a box and its text
_NAME_LIMIT = 96.0  # wished for the lines of a box's name, px
_TAG_LIMIT = 92.0  # wished for the lines of a tag, px
_LONGEST = 150.0  # a word longer than this is cut
_STUB_LIMIT, _STUB_LIMIT_WIDE = 72.0, 84.0  # widest line of a stub's name, px
_STUB_GAP = 10.0
_SMALLEST = (76.0, 38.0)  # box, px
_HEAD = 9.0  # an arrow head is at least so broad


@dataclass(frozen=True, slots=True)
class Stub:
    """A flow across the boundary, or a loop, at the upper or lower edge of a box.

    ``slot`` is the length of the edge that it takes, ``reach`` how far it goes before its text.
    """

    strand: int
    kind: StubKind
    text: Block
    slot: float
    reach: float

    @property
    def upper(self) -> bool:
        """Whether it stands on the upper edge."""
        return self.kind in ("in_top", "out_top")


@dataclass(frozen=True, slots=True)
class BoxPlan:
    """The size of a box, or of a passage, and what stands in it; all lengths in px.

    ``above`` and ``below`` are what its stubs, their labels and its tags take outside of it;
    ``tags`` are the strips directly under it, each with its height.
    """

    width: float
    height: float
    above: float
    below: float
    name: Block
    stock: Block | None
    tags: tuple[tuple[str, Block], ...]
    stubs: tuple[Stub, ...]

    @property
    def strip(self) -> float:
        """Height of the tags under the box."""
        return sum(text.height + 5.0 for _, text in self.tags)


def number_line(strand: Strand, size: float = NUMBER) -> TextLine:
    """Return the number of a link as a line of text."""
    status = strand.link.quantity.status if strand.style != "hatched" else ""
    return TextLine(strand.number, size, mark=strand.link.flagged, status=status)


def bottleneck_lines(strand: Strand, words: Words) -> list[TextLine]:
    """Return the line that names a bottleneck, if the link is one."""
    return [TextLine(words.bottleneck, TAG, True, RED)] if strand.link.bottleneck else []


def number_block(strand: Strand, words: Words, wide: bool) -> Block:
    """Return the number of a link, and its bottleneck mark."""
    return block([number_line(strand), *bottleneck_lines(strand, words)], wide)


def _stub_kind(strand: Strand) -> StubKind | None:
    lower = strand.link.lane in ("loss", "discrepancy")
    if strand.source is not None and strand.target is not None:
        return "loop" if strand.source == strand.target else None
    if strand.source is None:
        return "in_bottom" if lower else "in_top"
    return "out_bottom" if lower else "out_top"


def _stub(strand: Strand, kind: StubKind, words: Words, wide: bool) -> Stub:
    name = clean(strand.link.label) or (words.self_link if kind == "loop" else "")
    least = _STUB_LIMIT_WIDE if wide else _STUB_LIMIT
    limit = min(
        max(least, strand.full, strand.room, longest_piece(name, NAME, wide=wide)), _LONGEST
    )
    lines = [TextLine(text, NAME, colour=SOFT) for text in wrap(name, limit, NAME, wide=wide)]
    text = block([*lines, number_line(strand), *bottleneck_lines(strand, words)], wide)
    body, reach = strand.full, STUB
    if kind == "loop":
        body, reach = 2 * (strand.full + TURN), LEAD + TURN + strand.full
    slot = max(body, text.width, _HEAD) + _STUB_GAP
    return Stub(strand.index, kind, text, slot, reach + 3.0)


def _stubs(
    diagram: Diagram, strands: tuple[Strand, ...], words: Words, wide: bool
) -> list[list[Stub]]:
    """Return the stubs of every node; inputs stand left of outputs."""
    stubs: list[list[Stub]] = [[] for _ in diagram.nodes]
    for strand in strands:
        kind = _stub_kind(strand)
        at = strand.target if strand.source is None else strand.source
        if kind is not None and at is not None:
            stubs[at].append(_stub(strand, kind, words, wide))
    order = ("in_top", "in_bottom", "loop", "out_top", "out_bottom")
    for own in stubs:
        own.sort(key=lambda stub: (order.index(stub.kind), stub.strand))
    return stubs


def _stock_lines(stock: StockBox, words: Words) -> tuple[list[str], list[str]]:
    """Return the level (its word and its number), and the net addition."""
    level = [words.stock]
    if stock.level is not None:
        level.append(format_quantity(stock.level, words))
    change = []
    if stock.change is not None:
        text = format_quantity(stock.change, words, signed=True)
        star = "*" if text.endswith("*") else ""
        change.append(f"{text.removesuffix('*')} {words.per_year}{star}")
    return level, change


def _stock_block(stock: StockBox, room: float, words: Words, wide: bool) -> Block:
    level, change = _stock_lines(stock, words)
    joined = " ".join(level)
    level = [joined] if text_width(joined, STOCK, wide=wide) <= room else level
    return block([TextLine(text, STOCK) for text in (*level, *change)], wide)


def _tags(node: Node, room: float, words: Words, wide: bool) -> tuple[tuple[str, Block], ...]:
    tags = []
    if node.flagged:
        text = words.suspect
        if node.imbalance is not None:
            text = words.differ.format(format_number(abs(node.imbalance) * 100, 2))
        lines = wrap(text, room - TAG * MARK, TAG, wide=wide)
        marked = [TextLine(s, TAG, colour=AMBER, mark=i == 0) for i, s in enumerate(lines)]
        tags.append(("tag flagged", block(marked, wide)))
    if node.bottleneck:
        lines = wrap(words.bottleneck, room, TAG, True, wide)
        marked = [TextLine(text, TAG, True, RED) for text in lines]
        tags.append(("tag bottleneck", block(marked, wide)))
    return tuple(tags)


def _least_width(node: Node, stubs: list[Stub], words: Words, wide: bool) -> float:
    """Return the narrowest box that takes the name, the stock and the stubs."""
    name = clean(node.label) or clean(node.id)
    limit = min(max(_NAME_LIMIT, longest_piece(name, BOX, True, wide)), _LONGEST)
    widths = [text_width(s, BOX, True, wide) for s in wrap(name, limit, BOX, True, wide)]
    if node.throughput is not None:
        widths.append(text_width(format_quantity(node.throughput, words), BOX, wide=wide))
    if node.stock is not None:
        level, change = _stock_lines(node.stock, words)
        widths.extend(text_width(text, STOCK, wide=wide) + 8.0 for text in (*level, *change))
    widths.extend(text.width for _, text in _tags(node, _TAG_LIMIT, words, wide))
    edges = [sum(stub.slot for stub in stubs if stub.upper is upper) for upper in (True, False)]
    return max(_SMALLEST[0], max(widths, default=0.0) + 2 * _PAD, *edges)


def port_slot(strand: Strand, numbered: Block | None) -> float:
    """Return the length of a box's side that a port takes, in px.

    Where the link's number stands beside the port, the number must fit into the slot: on the
    ribbon if that is broad enough, else above it.
    """
    body = max(strand.full, _HEAD)
    if numbered is None:
        return body
    if strand.width >= numbered.height:
        return max(body, numbered.height)
    return body + numbered.height


def _sides(
    grid: Grid, strands: tuple[Strand, ...], words: Words, wide: bool
) -> list[tuple[list[float], list[float]]]:
    """Return the slots at the left and at the right of every item."""
    lanes = {lane.strand for lane in grid.lanes}
    sides = []
    for item, (left, right) in enumerate(zip(grid.left, grid.right, strict=True)):
        numbered = {
            index: number_block(strands[index], words, wide)
            for index in right
            if index not in lanes and strands[index].source == item
        }
        sides.append(
            (
                [port_slot(strands[index], None) for index in left],
                [port_slot(strands[index], numbered.get(index)) for index in right],
            )
        )
    return sides


def _stack(slots: list[float]) -> float:
    return sum(slots) + PORT_GAP * max(len(slots) - 1, 0)


def _plan(
    node: Node, width: float, least: float, stubs: list[Stub], words: Words, wide: bool
) -> BoxPlan:
    room = width - 2 * _PAD
    name = clean(node.label) or clean(node.id)
    bold = [TextLine(text, BOX, True) for text in wrap(name, room, BOX, True, wide)]
    if node.throughput is not None:
        bold.append(TextLine(format_quantity(node.throughput, words), BOX))
    title = block(bold, wide)
    stock = None if node.stock is None else _stock_block(node.stock, room - 4.0, words, wide)
    content = title.height + (0.0 if stock is None else stock.height + 16.0) + 14.0
    tags = _tags(node, room, words, wide)
    reach = [0.0, 0.0]
    for stub in stubs:
        edge = 0 if stub.upper else 1
        reach[edge] = max(reach[edge], stub.reach + stub.text.height)
    strip = sum(text.height + 5.0 for _, text in tags)
    return BoxPlan(
        width,
        max(_SMALLEST[1], content, least + 6.0),
        reach[0],
        reach[1] + strip,
        title,
        stock,
        tags,
        tuple(stubs),
    )


def replan(
    diagram: Diagram, plans: tuple[BoxPlan, ...], strands: tuple[Strand, ...], words: Words
) -> tuple[BoxPlan, ...]:
    """Return plans of unchanged size with the texts of another diagram of a comparison.

    Parameters
    ----------
    diagram : Diagram
        The nodes, aligned with those that the plans were made for.
    plans : tuple of BoxPlan, shape (n_item,)
        Sizes, made for the largest of the diagrams.
    strands : tuple of Strand
        The diagram's links, with room for the largest.
    words : Words
        The chart's words.
    """
    wide = diagram.lang == "ja"
    texts = _stubs(diagram, strands, words, wide)
    own = []
    for node, plan, stubs in zip(diagram.nodes, plans, texts, strict=False):
        text = {stub.strand: stub.text for stub in stubs}
        kept = tuple(replace(stub, text=text[stub.strand]) for stub in plan.stubs)
        fresh = _plan(node, plan.width, 0.0, stubs, words, wide)
        own.append(
            replace(fresh, stubs=kept, height=plan.height, above=plan.above, below=plan.below)
        )
    return (*own, *plans[len(own) :])


def plan_boxes(
    diagram: Diagram, grid: Grid, strands: tuple[Strand, ...], words: Words
) -> tuple[BoxPlan, ...]:
    """Return the size of every item of a grid; boxes of one column are equally wide.

    Parameters
    ----------
    diagram : Diagram
        The nodes.
    grid : Grid
        Their places, and the order of the ports.
    strands : tuple of Strand
        The links, with their widths in px.
    words : Words
        The chart's words.

    Returns
    -------
    tuple of BoxPlan, shape (n_item,)
    """
    wide = diagram.lang == "ja"
    stubs = _stubs(diagram, strands, words, wide)
    least = [_least_width(n, s, words, wide) for n, s in zip(diagram.nodes, stubs, strict=True)]
    widths = [
        max((least[item] for item in items if item < len(least)), default=_SMALLEST[0])
        for items in grid.columns
    ]
    plans = []
    for item, (left, right) in enumerate(_sides(grid, strands, words, wide)):
        width, side = widths[grid.column[item]], max(_stack(left), _stack(right))
        if item < len(diagram.nodes):
            plans.append(_plan(diagram.nodes[item], width, side, stubs[item], words, wide))
        else:
            empty = Block((), 0.0, 0.0)
            plans.append(BoxPlan(width, side, 0.0, 0.0, empty, None, (), ()))
    return tuple(plans)


def port_offsets(
    grid: Grid,
    plans: tuple[BoxPlan, ...],
    strands: tuple[Strand, ...],
    words: Words,
    wide: bool,
) -> tuple[dict[Port, float], dict[Port, float]]:
    """Return the middle of every port, in px below the upper edge of its item.

    The first dictionary holds the ports at the left sides, the second those at the right; keys
    are (item, strand). Where a number stands above its ribbon, the ribbon takes the lower part
    of the slot.
    """
    offsets: tuple[dict[Port, float], dict[Port, float]] = ({}, {})
    for item, slots in enumerate(_sides(grid, strands, words, wide)):
        for side, order in enumerate((grid.left[item], grid.right[item])):
            top = (plans[item].height - _stack(slots[side])) / 2
            for index, slot in zip(order, slots[side], strict=True):
                body = max(strands[index].full, _HEAD)
                middle = top + slot / 2
                if side == 1 and slot > body and strands[index].width < slot - body:
                    middle = top + slot - body / 2
                offsets[side][item, index] = middle
                top += slot + PORT_GAP
    return offsets
