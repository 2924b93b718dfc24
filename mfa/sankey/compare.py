"""Several diagrams made comparable: the same boxes and links in each, and room for the largest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mfa.sankey.diagram import Diagram, Link, Node, Quantity, StockBox
from mfa.sankey.figures import format_number, format_quantity
from mfa.sankey.strands import Strand
from mfa.sankey.style import NUMBER, Words
from mfa.sankey.text import text_width


def align(diagrams: tuple[Diagram, ...]) -> tuple[Diagram, ...]:
    """Return diagrams with the same nodes and the same links, in the same order.

    A box that one of them lacks stands there without stock or marks; a link that it lacks is
    ``absent``: its place is kept, and nothing is drawn.

    Examples
    --------
    >>> a = Diagram("", "", "t/yr", (Node("A", "a"),), ())
    >>> b = Diagram("", "", "t/yr", (Node("B", "b"), Node("A", "a")), ())
    >>> [[node.id for node in diagram.nodes] for diagram in align((a, b))]
    [['A', 'B'], ['A', 'B']]
    """
    if len(diagrams) == 1:
        return diagrams
    nodes: dict[str, Node] = {}
    links: dict[str, Link] = {}
    for diagram in diagrams:
        for node in diagram.nodes:
            nodes.setdefault(node.id, _empty_node(node))
        for link in diagram.links:
            links.setdefault(link.id, _absent(link))
    out = []
    for diagram in diagrams:
        own_nodes = nodes | {node.id: node for node in diagram.nodes}
        own_links = links | {link.id: link for link in diagram.links}
        out.append(
            replace(
                diagram,
                nodes=tuple(own_nodes[key] for key in sorted(nodes)),
                links=tuple(own_links[key] for key in sorted(links)),
            )
        )
    return tuple(out)


def _empty_node(node: Node) -> Node:
    return replace(
        node, stock=None, throughput=None, imbalance=None, flagged=False, bottleneck=False
    )


def _absent(link: Link) -> Link:
    nothing = Quantity(None, status="undetermined")
    bare = replace(link, quantity=nothing, parts=(), flagged=False, bottleneck=False)
    return replace(bare, absent=True)


def largest_nodes(diagrams: tuple[Diagram, ...], words: Words) -> tuple[Node, ...]:
    """Return for each box of aligned diagrams the one that needs the most room in any of them."""
    return tuple(
        _largest_node(nodes, words) for nodes in zip(*(d.nodes for d in diagrams), strict=True)
    )


def _largest_node(nodes: tuple[Node, ...], words: Words) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    stocks = [node.stock for node in nodes if node.stock is not None]
    stock = None
    if stocks:
        stock = StockBox(
            _longest((stock.level for stock in stocks), words, False),
            _longest((stock.change for stock in stocks), words, True),
        )
    gaps = [node.imbalance for node in nodes if node.flagged and node.imbalance is not None]
    gap = max(gaps, key=lambda g: len(format_number(abs(g) * 100, 2)), default=None)
    return replace(
        nodes[0],
        throughput=_longest((node.throughput for node in nodes), words, False),
        stock=stock,
        imbalance=gap,
        flagged=any(node.flagged for node in nodes),
        bottleneck=any(node.bottleneck for node in nodes),
    )


def _longest(quantities: Iterable[Quantity | None], words: Words, signed: bool) -> Quantity | None:
    known = [quantity for quantity in quantities if quantity is not None]
    return max(
        known,
        key=lambda q: text_width(format_quantity(q, words, signed), NUMBER),
        default=None,
    )


def largest_strands(frames: tuple[tuple[Strand, ...], ...]) -> tuple[Strand, ...]:
    """Return for each link of aligned diagrams a strand as large as the largest of them."""
    return tuple(_largest_strand(strands) for strands in zip(*frames, strict=True))


def _largest_strand(strands: tuple[Strand, ...]) -> Strand:
    there = [strand for strand in strands if not strand.link.absent]
    if len(there) == 1:
        return there[0]
    widest = max(there, key=lambda strand: strand.full)
    width = max(strand.width for strand in there)
    link = replace(
        widest.link,
        flagged=any(strand.link.flagged for strand in there),
        bottleneck=any(strand.link.bottleneck for strand in there),
    )
    number = max((s.number for s in there), key=lambda number: text_width(number, NUMBER))
    return replace(
        widest,
        link=link,
        width=width,
        spread=widest.full - width,
        number=number,
        weight=max(s.weight for s in there),
    )


def with_room(strands: tuple[Strand, ...], largest: tuple[Strand, ...]) -> tuple[Strand, ...]:
    """Return the strands of one diagram, each with the room that the largest takes."""
    pairs = zip(strands, largest, strict=True)
    return tuple(replace(s, room=big.full, room_width=big.width) for s, big in pairs)
