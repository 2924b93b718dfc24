"""Links made ready to be drawn: checked, scaled, and given their colour and their words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mfa.errors import ChartError, near
from mfa.sankey.diagram import Diagram, Link, Node, Quantity
from mfa.sankey.figures import format_quantity, is_determined, limits, midpoint
from mfa.sankey.geometry import Style
from mfa.sankey.style import ARROW, LARGEST_BOX, NOMINAL, Words
from mfa.sankey.text import Block, clean

_TONES = {
    "main": "main",
    "import": "trade",
    "export": "trade",
    "loss": "loss",
    "scrap": "scrap",
    "self": "scrap",
    "discrepancy": "discrepancy",
}
_ZERO = 1e-9  # of the largest flow: what rounding leaves of nothing


@dataclass(frozen=True, slots=True)
class Strand:
    """A link with its width on paper.

    Parameters
    ----------
    index : int
        Place in ``diagram.links``.
    link : Link
        What it draws.
    source, target : int or None
        Places in ``diagram.nodes``; None is the world outside.
    width : float
        Value × scale, in px; of an undetermined flow the middle of its range × scale.
    spread : float
        sd × scale, in px.
    style : str
        "solid", "hatched" or "hairline".
    tone : str
        Key of its colour.
    backward : bool
        Whether the value is negative, so that the arrow points the other way.
    number : str
        The value as text.
    title : str
        What is shown while the pointer rests on it.
    weight : float
        What counts when boxes are put in order, in px: the width at the scale in any style.
    room, room_width : float
        Width with and without the halo for which room is kept, in px: that of the largest of the
        charts it is compared with; 0 for its own.
    """

    index: int
    link: Link
    source: int | None
    target: int | None
    width: float
    spread: float
    style: Style
    tone: str
    backward: bool
    number: str
    title: str
    weight: float
    room: float = 0.0
    room_width: float = 0.0

    @property
    def full(self) -> float:
        """Width with the halo, at least one pixel."""
        return max(self.width + self.spread, 1.0)

    def carries(self, text: Block) -> bool:
        """Whether its dark core is broad enough for a text without a white edge."""
        core = self.width - self.spread
        return self.style == "solid" and core >= text.height and not self.link.bottleneck


def _places(diagram: Diagram) -> dict[str, int]:
    places: dict[str, int] = {}
    for index, node in enumerate(diagram.nodes):
        if node.id in places:
            raise ChartError(f"two boxes of the diagram have the id '{node.id}'; rename one")
        places[node.id] = index
    return places


def _place(name: str | None, link: Link, places: dict[str, int]) -> int | None:
    if name is None:
        return None
    if name not in places:
        advice = near(name, places, "add a node with that id to the diagram")
        raise ChartError(f"link '{link.id}' ends at '{name}', which is no node; {advice}")
    return places[name]


def _ends(diagram: Diagram) -> list[tuple[int | None, int | None]]:
    places = _places(diagram)
    seen: set[str] = set()
    ends = []
    for link in diagram.links:
        if link.id in seen:
            raise ChartError(f"two links of the diagram have the id '{link.id}'; rename one")
        seen.add(link.id)
        ends.append((_place(link.source, link, places), _place(link.target, link, places)))
        if ends[-1] == (None, None):
            raise ChartError(
                f"link '{link.id}' has neither source nor target; name the node at one end"
            )
    return ends


def magnitude(quantity: Quantity) -> float | None:
    """Return the size to draw, in the diagram's unit: |value| or the |middle| of the range."""
    if is_determined(quantity) and quantity.value is not None:
        return abs(quantity.value)
    middle = midpoint(quantity)
    return None if middle is None else abs(middle)


def _largest_sum(diagram: Diagram, sizes: list[float | None]) -> float:
    """Return the largest sum of links at one side of one node."""
    sums: dict[tuple[str, str], float] = {}
    side: str
    for link, size in zip(diagram.links, sizes, strict=True):
        if link.source is not None:
            side = "right" if link.target is not None else link.lane
            sums[link.source, side] = sums.get((link.source, side), 0.0) + (size or 0.0)
        if link.target is not None:
            side = "left" if link.source is not None else "import"
            sums[link.target, side] = sums.get((link.target, side), 0.0) + (size or 0.0)
    return max(sums.values(), default=0.0)


def choose_scale(diagram: Diagram) -> float:
    """Return the scale of a diagram, in px per unit of flow.

    The diagram's own scale, or else one at which the determined flows at the busiest side of a
    box are `LARGEST_BOX` px wide together; ranges decide only where no flow is determined.

    Raises
    ------
    ChartError
        If the diagram asks for a scale that is not a positive number.
    """
    if diagram.scale is not None:
        if not (math.isfinite(diagram.scale) and diagram.scale > 0):
            raise ChartError(
                f"the scale of a diagram must be a positive number of pixels per {diagram.unit} "
                f"(found {diagram.scale!r}); leave it out to let the layout choose"
            )
        return diagram.scale
    sizes = [magnitude(link.quantity) for link in diagram.links]
    determined = [
        size if is_determined(link.quantity) else None
        for size, link in zip(sizes, diagram.links, strict=True)
    ]
    largest = _largest_sum(diagram, determined) or _largest_sum(diagram, sizes)
    return LARGEST_BOX / largest if largest > 0 else 1.0


def _hover(link: Link, number: str, unit: str, words: Words, nodes: tuple[str, str]) -> str:
    arrow = " → ".join(name for name in nodes if name)
    head = clean(link.label) or arrow
    lines = [f"{head}: {number} {unit}".strip()]
    if arrow and arrow != head:
        lines.append(arrow)
    if len(link.parts) > 1:
        lines.extend(
            f"  {clean(part.label or part.flow)}: {format_quantity(part.quantity, words)}"
            for part in link.parts
        )
    return "\n".join(lines)


def _undetermined_width(quantity: Quantity, scale: float, widest: float) -> float:
    middle = midpoint(quantity)
    if middle is None:
        return NOMINAL
    width = abs(middle) * scale
    # A range beyond everything else in the chart says no more than "unlimited".
    return max(width, 4.0) if width <= widest else NOMINAL


def _tone(link: Link, backward: bool) -> str:
    """Return the colour of a link: that of its lane, and of scrap on the way to its market, too."""
    if link.tones:
        return max(link.tones, key=lambda pair: pair[1])[0]
    if backward:
        return "discrepancy"
    return "scrap" if link.is_scrap and link.lane == "main" else _TONES[link.lane]


def _arrow(flows: bool, style: Style) -> tuple[float, float, Style]:
    """Return width, sd and style of an arrow in lanes, in px."""
    if style == "hatched":
        return ARROW, 0.0, style
    return (ARROW, 0.0, "solid") if flows else (0.0, 0.0, "hairline")


def _strand(
    diagram: Diagram,
    index: int,
    ends: tuple[int | None, int | None],
    scale: float,
    widest: float,
    words: Words,
) -> Strand:
    link = diagram.links[index]
    quantity = link.quantity
    value, sd = quantity.value, 0.0
    style: Style = "solid"
    if value is not None and is_determined(quantity):
        if abs(value) * scale < _ZERO * widest:
            value = 0.0
            quantity = Quantity(0.0, quantity.sd, status=quantity.status, assumed=quantity.assumed)
        width = abs(value) * scale
        style = "solid" if width >= 1.0 else "hairline"
        if quantity.sd is not None and math.isfinite(quantity.sd):
            # A halo broader than the chart's boxes would hide it; the number tells the rest.
            sd = min(max(quantity.sd, 0.0) * scale, max(width, 0.2 * widest))
    else:
        value, style = midpoint(quantity), "hatched"
        width = _undetermined_width(quantity, scale, widest)
    weight = width
    if diagram.style == "circulation":
        width, sd, style = _arrow(bool(value), style)
    backward = value is not None and value < 0
    names = [_name(diagram.nodes[end]) if end is not None else "" for end in ends]
    number = format_quantity(quantity, words)
    return Strand(
        index,
        link,
        ends[0],
        ends[1],
        width,
        sd if style == "solid" and sd >= 0.25 else 0.0,
        style,
        _tone(link, backward),
        backward,
        number,
        _hover(link, number, diagram.unit, words, (names[0], names[1])),
        weight,
    )


def _name(node: Node) -> str:
    return clean(node.label) or clean(node.id)


def make_strands(diagram: Diagram, scale: float, words: Words) -> tuple[Strand, ...]:
    """Return the links of a diagram with their widths at a scale in px per unit.

    Raises
    ------
    ChartError
        If two nodes or links share an id, or a link ends nowhere.
    """
    ends = _ends(diagram)
    determined = [link for link in diagram.links if is_determined(link.quantity)]
    widest = max((abs(link.quantity.value or 0.0) * scale for link in determined), default=0.0)
    if not widest:
        middles = (midpoint(link.quantity) for link in diagram.links)
        widest = max((abs(middle) * scale for middle in middles if middle), default=0.0)
    widest = max(widest, 1e-9)
    if not any(_bounded(link.quantity) or is_determined(link.quantity) for link in diagram.links):
        widest = LARGEST_BOX
    return tuple(
        _strand(diagram, index, ends[index], scale, widest, words)
        for index in range(len(diagram.links))
    )


def _bounded(quantity: Quantity) -> bool:
    return None not in limits(quantity)
